//! Who works at the company, where they live, how they work. The same for every seed: the people are not made up anew.

use super::{
    super::{Device, Vendor},
    networks::{
        HOME_AUSTRIA, HOMES, HOMES_FRANCE, MOBILE, MOBILE_AUSTRIA, MOBILE_FRANCE, Network, OFFICE_STRASBOURG,
        OFFICE_VIENNA,
    },
};
use std::net::IpAddr;

const NAMES: [&str; PEOPLE] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "kamal", "lena",
    "mallory", "nadia", "olivia", "peggy", "quentin", "rupert", "sybil", "trent", "ursula", "victor",
    "wendy", "xenia", "yusuf", "zoe", "anton", "birgit", "cem", "dora", "emil", "fatima", "georg", "hanna",
    "camille", "lucie", "mathieu", "johanna", "lukas", "sophie",
];
pub(super) const PEOPLE: usize = 40;
/// The last ones of the list work in France and in Austria.
const FRENCH: std::ops::Range<usize> = 34..37;
const AUSTRIAN: std::ops::Range<usize> = 37..40;

/// The person whose page is worth looking at.
pub(super) const ALICE: usize = 0;

/// One of the staff.
pub(super) struct Person {
    pub(super) number: usize,
    pub(super) name: &'static str,
    pub(super) home: Network,
    pub(super) mobile: Network,
    /// Where they sit when they are not at home, if they need the VPN there: a branch without servers of its own.
    pub(super) branch: Option<IpAddr>,
    /// Days of the week at home, Monday first.
    pub(super) home_days: [bool; 5],
    /// When they begin to work, seconds of the day.
    pub(super) begins_s: u64,
    /// Their VPN server; and the one that some use besides.
    pub(super) server: Vendor,
    pub(super) other_server: Option<Vendor>,
    pub(super) laptop: Device,
    /// With a VPN client of its own.
    pub(super) telephone: Option<Device>,
}

pub(super) fn staff() -> Vec<Person> {
    (0..PEOPLE).map(person).collect()
}

fn person(number: usize) -> Person {
    let (home, mobile, branch) = match number {
        number if FRENCH.contains(&number) => {
            (HOMES_FRANCE[number - FRENCH.start], MOBILE_FRANCE, Some(OFFICE_STRASBOURG))
        }
        number if AUSTRIAN.contains(&number) => (HOME_AUSTRIA, MOBILE_AUSTRIA, Some(OFFICE_VIENNA)),
        number => (HOMES[number % HOMES.len()], MOBILE[number % MOBILE.len()], None),
    };
    // Branches have a gateway of their own make; elsewhere each team was given what was bought at the time.
    let server = match number {
        ALICE => Vendor::Rras,
        _ if branch.is_some() => Vendor::CheckPoint,
        number => {
            [Vendor::Rras, Vendor::Asa, Vendor::F5, Vendor::Rras, Vendor::Asa, Vendor::CheckPoint][number % 6]
        }
    };
    let other_server = match number {
        ALICE => Some(Vendor::Asa),
        number if number.is_multiple_of(5) && server != Vendor::Asa => Some(Vendor::Asa),
        _ => None,
    };
    let octet = number as u8;
    Person {
        number,
        name: NAMES[number],
        home,
        mobile,
        branch,
        home_days: std::array::from_fn(|weekday| match number {
            ALICE => weekday == 1 || weekday == 3,
            // One day a week for all, a second one for every other.
            number => weekday == number % 5 || (number % 2 == 1 && weekday == (number / 2 + 2) % 5),
        }),
        // From 7:00 in steps of ten minutes to 9:30.
        begins_s: 25_200 + (number as u64 * 7 % 16) * 600,
        server,
        other_server,
        laptop: Device::windows(format!("LT-{:04}", 1000 + 37 * number), octet),
        telephone: number
            .is_multiple_of(4)
            .then(|| Device::telephone(format!("PH-{:04}", 1000 + 37 * number), octet)),
    }
}
