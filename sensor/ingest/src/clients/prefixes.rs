//! Longest-prefix match over a few flat arrays: nested prefixes are laid out once into disjoint ranges, and a look-up
//! walks a tree of [`FANOUT`] ways that lies in arrays without pointers: one cache line of addresses a level, five
//! levels for 100,000 IPv4 prefixes, where a binary search has 17 steps that each wait for the one before. A level has
//! no branch that depends on data.

use std::net::IpAddr;

use arrayvec::ArrayVec;
use ipnet::{IpNet, Ipv4Net};

/// The owner of a range that no prefix covers.
const NOBODY: u32 = u32::MAX;

pub(super) struct PrefixTable {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
    prefixes: Box<[(IpNet, u32)]>,
}

/// A prefix without host bits, and as IPv4 if it lies within the IPv4-mapped range.
pub(super) fn canonical(prefix: IpNet) -> IpNet {
    let prefix = prefix.trunc();
    match prefix {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => v6
            .addr()
            .to_ipv4_mapped()
            .and_then(|v4| Ipv4Net::new(v4, v6.prefix_len() - 96).ok())
            .map_or(prefix, IpNet::V4),
        _ => prefix,
    }
}

impl PrefixTable {
    /// From canonical prefixes and their owners; the same prefix twice is refused with its two owners.
    pub(super) fn build(mut prefixes: Vec<(IpNet, u32)>) -> Result<PrefixTable, (IpNet, u32, u32)> {
        // By address, the wider first: the order in which ranges open. A stable sort keeps the first owner first.
        prefixes.sort_by_key(|&(prefix, _)| prefix);
        if let Some(pair) = prefixes.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err((pair[0].0, pair[0].1, pair[1].1));
        }
        let v4 = prefixes.iter().filter_map(|&(prefix, owner)| match prefix {
            IpNet::V4(v4) => Some((v4.network().to_bits(), v4.broadcast().to_bits(), owner)),
            IpNet::V6(_) => None,
        });
        let v6 = prefixes.iter().filter_map(|&(prefix, owner)| match prefix {
            IpNet::V4(_) => None,
            IpNet::V6(v6) => Some((v6.network().to_bits(), v6.broadcast().to_bits(), owner)),
        });
        Ok(PrefixTable {
            v4: Ranges::lay_out(v4),
            v6: Ranges::lay_out(v6),
            prefixes: prefixes.into_boxed_slice(),
        })
    }

    /// Tells `found` the place of each of `addresses` and who owns it, in any order. The addresses go down the tree side
    /// by side, a level at a time: no step waits for another address's, and the cache misses of a level overlap.
    pub(super) fn lookup_all(&self, addresses: &[IpAddr], mut found: impl FnMut(usize, Option<u32>)) {
        for (addresses, first) in addresses.chunks(TOGETHER).zip((0..).step_by(TOGETHER)) {
            let mut v4: ArrayVec<(usize, i32), TOGETHER> = ArrayVec::new();
            let mut v6: ArrayVec<(usize, u128), TOGETHER> = ArrayVec::new();
            for (address, at) in addresses.iter().zip(first..) {
                match address.to_canonical() {
                    IpAddr::V4(address) => v4.push((at, address.to_bits().key())),
                    IpAddr::V6(address) => v6.push((at, address.to_bits().key())),
                }
            }
            self.v4.owners(&v4, &mut found);
            self.v6.owners(&v6, &mut found);
        }
    }

    pub(super) fn prefixes(&self) -> impl Iterator<Item = (IpNet, u32)> + '_ {
        self.prefixes.iter().copied()
    }
}

/// Ways of the tree. Derived, not measured: 16 IPv4 addresses are one cache line, which a look-up reads whole, and 100,000
/// clients with a gap behind each (200,001 ranges) have five levels. With 8 ways it would be six lines, each read half; with
/// 32 four levels of two lines. An IPv6 address is four times as long and its block four lines.
const FANOUT: usize = 16;

/// Addresses that are looked up side by side. Among 100,000 clients a look-up took 132 ns with 16, 125 with 64 and 124 with
/// 256, which takes four times the stack; among 1,000 there was no difference (stage `lookup` of the bench `replay`).
const TOGETHER: usize = 64;

/// Disjoint ranges that together cover every address: range `i` begins at `levels[0]`'s address `i` and ends before
/// the next.
struct Ranges<A: Address> {
    /// The starts of all ranges; above them the first of each 16, and so on up to one block. The last block of a level
    /// is filled up with its own last start, so that a full block can be compared without looking where it ends.
    levels: Vec<Box<[[A::Key; FANOUT]]>>,
    owners: Box<[u32]>,
}

trait Address: Copy + Ord {
    /// An integer of the same order that the processor compares many of at once.
    type Key: Copy;
    const ZERO: Self;
    fn successor(self) -> Option<Self>;
    fn key(self) -> Self::Key;
    /// How many of the keys are not above `key`.
    fn count(keys: &[Self::Key; FANOUT], key: Self::Key) -> usize;
}

impl Address for u32 {
    // The oldest vector instructions of x86-64 compare signed integers only.
    type Key = i32;
    const ZERO: u32 = 0;

    fn successor(self) -> Option<u32> {
        self.checked_add(1)
    }

    fn key(self) -> i32 {
        (self ^ 1 << 31).cast_signed()
    }

    #[inline]
    fn count(keys: &[i32; FANOUT], key: i32) -> usize {
        // Without a check for overflow, which would keep the compiler from adding lanes.
        let above = keys.iter().fold(0u32, |sum, other| sum.wrapping_add(u32::from(*other > key)));
        FANOUT - above as usize
    }
}

impl Address for u128 {
    type Key = u128;
    const ZERO: u128 = 0;

    fn successor(self) -> Option<u128> {
        self.checked_add(1)
    }

    fn key(self) -> u128 {
        self
    }

    fn count(keys: &[u128; FANOUT], key: u128) -> usize {
        keys.iter().filter(|other| **other <= key).count()
    }
}

impl<A: Address> Ranges<A> {
    /// From (first, last, owner), sorted by first, then by last descending; any two nested or disjoint.
    fn lay_out(prefixes: impl Iterator<Item = (A, A, u32)>) -> Ranges<A> {
        let mut boundaries = vec![(A::ZERO, NOBODY)];
        let mut open: Vec<(A, u32)> = Vec::new();
        let close = |open: &mut Vec<(A, u32)>, boundaries: &mut Vec<(A, u32)>| {
            if let Some((last, _)) = open.pop()
                && let Some(after) = last.successor()
            {
                mark(boundaries, after, open.last().map_or(NOBODY, |&(_, owner)| owner));
            }
        };
        for (first, last, owner) in prefixes {
            while open.last().is_some_and(|&(end, _)| end < first) {
                close(&mut open, &mut boundaries);
            }
            mark(&mut boundaries, first, owner);
            open.push((last, owner));
        }
        while !open.is_empty() {
            close(&mut open, &mut boundaries);
        }
        let (starts, owners): (Vec<A>, Vec<u32>) = boundaries.into_iter().unzip();
        Ranges { levels: levels(&starts), owners: owners.into_boxed_slice() }
    }

    /// Tells `found` who owns each of `keys`, at most [`TOGETHER`], by the number that stands before it.
    #[inline]
    fn owners(&self, keys: &[(usize, A::Key)], found: &mut impl FnMut(usize, Option<u32>)) {
        let mut places = [0_u32; TOGETHER];
        for level in self.levels.iter().rev() {
            for (place, (_, key)) in places.iter_mut().zip(keys) {
                // The filling of the level above counts as its last start, whose block is the last here.
                let block = (*place as usize).min(level.len() - 1);
                // The first range begins at zero, so in each block on the way at least one start is not above the
                // address. There are fewer than 2^32 ranges, since there are fewer than 2^31 prefixes.
                *place = (block * FANOUT + A::count(&level[block], *key)).wrapping_sub(1) as u32;
            }
        }
        for (place, (at, _)) in places.iter().zip(keys) {
            let owner = self.owners[(*place as usize).min(self.owners.len() - 1)];
            found(*at, (owner != NOBODY).then_some(owner));
        }
    }
}

/// The tree over sorted starts, at least one, the widest level first.
fn levels<A: Address>(starts: &[A]) -> Vec<Box<[[A::Key; FANOUT]]>> {
    let mut levels = Vec::new();
    let mut keys: Vec<A::Key> = starts.iter().map(|start| start.key()).collect();
    loop {
        let blocks: Box<[[A::Key; FANOUT]]> = keys
            .chunks(FANOUT)
            .map(|chunk| std::array::from_fn(|place| chunk[place.min(chunk.len() - 1)]))
            .collect();
        keys = blocks.iter().map(|block| block[0]).collect();
        let top = blocks.len() == 1;
        levels.push(blocks);
        if top {
            return levels;
        }
    }
}

/// From `start` on the owner is `owner`: replaces what was said of the very same start, and says nothing twice.
fn mark<A: Address>(boundaries: &mut Vec<(A, u32)>, start: A, owner: u32) {
    if boundaries.last().is_some_and(|&(last, _)| last == start) {
        boundaries.pop();
    }
    if boundaries.last().is_none_or(|&(_, last)| last != owner) {
        boundaries.push((start, owner));
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;
    use ipnet::Ipv6Net;
    use proptest::prelude::*;

    impl PrefixTable {
        /// One alone.
        fn lookup(&self, address: IpAddr) -> Option<u32> {
            let mut owner = Some(u32::MAX);
            self.lookup_all(&[address], |_, found| owner = found);
            owner
        }
    }

    /// The definition: the longest prefix that contains the address.
    fn oracle(prefixes: &[(IpNet, u32)], address: IpAddr) -> Option<u32> {
        prefixes
            .iter()
            .filter(|(prefix, _)| prefix.contains(&address))
            .max_by_key(|(prefix, _)| prefix.prefix_len())
            .map(|&(_, owner)| owner)
    }

    #[test]
    fn the_ends_of_the_address_space_are_covered() {
        let all = |text: &str| (text.parse::<IpNet>().unwrap(), 7);
        let table = PrefixTable::build(vec![all("0.0.0.0/0"), all("::/0")]).unwrap();
        for address in ["0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"] {
            assert_eq!(table.lookup(address.parse().unwrap()), Some(7), "{address}");
        }
        let hosts = PrefixTable::build(vec![all("255.255.255.255/32"), all("0.0.0.0/32")]).unwrap();
        assert_eq!(hosts.lookup("255.255.255.255".parse().unwrap()), Some(7));
        assert_eq!(hosts.lookup("255.255.255.254".parse().unwrap()), None);
        assert_eq!(hosts.lookup("0.0.0.1".parse().unwrap()), None);
        assert_eq!(PrefixTable::build(Vec::new()).unwrap().lookup("::1".parse().unwrap()), None);
    }

    #[test]
    fn every_number_of_prefixes_up_to_three_levels_agrees_with_the_definition() {
        for count in (0..40).chain([255, 256, 257, 271, 272, 4096, 4097]) {
            // Every other address is somebody's, so that each start but the first is a boundary.
            let prefixes: Vec<_> = (0..count)
                .map(|n| (IpNet::V4(Ipv4Net::new(Ipv4Addr::from_bits(0x0a00_0001 + 2 * n), 32).unwrap()), n))
                .collect();
            let table = PrefixTable::build(prefixes).unwrap();
            for low in 0..2 * count + 4 {
                let expected = (low % 2 == 1 && low / 2 < count).then_some(low / 2);
                let address = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + low));
                assert_eq!(table.lookup(address), expected, "{address} of {count}");
            }
        }
    }

    proptest! {
        /// Few distinct bits, so that prefixes nest, touch and share starts all the time.
        #[test]
        fn agrees_with_the_definition(
            v4 in prop::collection::vec((0u32..64, 24u8..=32), 0..24),
            v6 in prop::collection::vec((0u128..64, 120u8..=128), 0..24),
        ) {
            let mut seen = std::collections::HashSet::new();
            let mut prefixes = Vec::new();
            let nets = v4.iter().map(|&(bits, len)| {
                    IpNet::V4(Ipv4Net::new(Ipv4Addr::from_bits(0x0a00_0000 | (bits * 4)), len).unwrap())
                })
                .chain(v6.iter().map(|&(bits, len)| {
                    IpNet::V6(Ipv6Net::new(Ipv6Addr::from_bits((0x2001 << 112) | (bits * 4)), len).unwrap())
                }));
            for net in nets.map(canonical) {
                if seen.insert(net) {
                    prefixes.push((net, prefixes.len() as u32));
                }
            }
            let table = PrefixTable::build(prefixes.clone()).unwrap();
            let addresses: Vec<IpAddr> = (0..300u32)
                .flat_map(|low| {
                    let v4 = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + low));
                    let v6 = IpAddr::V6(Ipv6Addr::from_bits((0x2001 << 112) + u128::from(low)));
                    // Not by turns, so that a part looked up side by side has more of one kind than of the other.
                    if low % 3 == 0 { vec![v6, v4] } else { vec![v4] }
                })
                .collect();
            let mut together = vec![Some(u32::MAX); addresses.len()];
            table.lookup_all(&addresses, |at, owner| together[at] = owner);
            for (&address, together) in addresses.iter().zip(together) {
                let expected = oracle(&prefixes, address);
                prop_assert_eq!(table.lookup(address), expected, "{}", address);
                prop_assert_eq!(together, expected, "{} beside others", address);
            }
        }
    }
}
