//! Made-up people and where they are.

use std::net::Ipv4Addr;

const NAMES: [&str; 24] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "kamal", "lena",
    "mallory", "nadia", "olivia", "peggy", "quentin", "rupert", "sybil", "trent", "ursula", "victor",
    "wendy", "zoe",
];

/// Numbers that follow from seed and session number alone (splitmix64, Steele, Lea and Flood 2014), so that captures
/// and tests made from a seed stay the same whatever random generators do.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64, number: u64) -> Dice {
        let mut dice = Dice(seed);
        let start = dice.roll() ^ number;
        Dice(start)
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// `low..=high`; `low` must not be above `high`.
    pub(super) fn between(&mut self, low: u8, high: u8) -> u8 {
        let span = u64::from(high - low) + 1;
        low + (self.roll() % span) as u8
    }

    /// `0..bound`; `bound` must not be 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }
}

pub(super) fn person(dice: &mut Dice) -> &'static str {
    NAMES[(dice.roll() % NAMES.len() as u64) as usize]
}

/// One of TEST-NET-3 (RFC 5737).
pub(super) fn public_address(dice: &mut Dice) -> Ipv4Addr {
    Ipv4Addr::new(203, 0, 113, dice.between(1, 254))
}
