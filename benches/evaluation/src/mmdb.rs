//! A database of countries as MaxMind's format 2.0 has it, for what the databases that ship are to be changed by.

use std::collections::BTreeMap;

use crate::organisation::GeoUpdate;

/// A node's two branches: another node, a country, nothing.
#[derive(Clone, Copy, PartialEq)]
enum Branch {
    Nothing,
    Node(u32),
    Country([u8; 2]),
}

/// Zero bits in front of an IPv4 address: the tree is one of IPv6.
const V4_AT: u32 = 96;

/// The octets of a database with the networks of an update.
pub(crate) fn of(update: &GeoUpdate) -> Vec<u8> {
    let mut nodes = vec![[Branch::Nothing; 2]];
    for (first, country) in update.networks() {
        let code = country.code().as_bytes();
        let bits = V4_AT + u32::from(GeoUpdate::PREFIX);
        let mut at = 0;
        for bit in 0..bits {
            let side = if bit < V4_AT { 0 } else { (u32::from(first) >> (31 - (bit - V4_AT)) & 1) as usize };
            if bit + 1 == bits {
                nodes[at][side] = Branch::Country([code[0], code[1]]);
            } else if let Branch::Node(next) = nodes[at][side] {
                at = next as usize;
            } else {
                nodes.push([Branch::Nothing; 2]);
                let next = nodes.len() - 1;
                nodes[at][side] = Branch::Node(next as u32);
                at = next;
            }
        }
    }
    let (mut data, mut records) = (Vec::new(), BTreeMap::new());
    for (_, country) in update.networks() {
        let code = [country.code().as_bytes()[0], country.code().as_bytes()[1]];
        records.entry(code).or_insert_with(|| {
            let at = data.len() as u32;
            map(&mut data, 1);
            text(&mut data, "country");
            map(&mut data, 1);
            text(&mut data, "iso_code");
            text(&mut data, country.code());
            at
        });
    }
    let count = nodes.len() as u32;
    let mut octets = Vec::new();
    for branch in nodes.into_iter().flatten() {
        let value = match branch {
            Branch::Nothing => count,
            Branch::Node(node) => node,
            // Behind sixteen zero octets.
            Branch::Country(code) => count + 16 + records[&code],
        };
        octets.extend(value.to_be_bytes());
    }
    octets.extend([0; 16]);
    octets.extend(data);
    octets.extend(b"\xab\xcd\xefMaxMind.com");
    metadata(&mut octets, count);
    octets
}

fn metadata(octets: &mut Vec<u8>, count: u32) {
    map(octets, 9);
    for (name, value) in [
        ("binary_format_major_version", 2),
        ("binary_format_minor_version", 0),
        ("ip_version", 6),
        ("record_size", 32),
    ] {
        text(octets, name);
        number(octets, value);
    }
    text(octets, "node_count");
    octets.push(6 << 5 | 4);
    octets.extend(count.to_be_bytes());
    text(octets, "build_epoch");
    // Of the extended types the number follows, less seven: eight octets of a number without sign.
    octets.extend([8, 2]);
    octets.extend(0_u64.to_be_bytes());
    text(octets, "database_type");
    text(octets, "vpn-sensor-Country");
    text(octets, "languages");
    octets.extend([1, 4]);
    text(octets, "en");
    text(octets, "description");
    map(octets, 1);
    text(octets, "en");
    text(octets, "networks that are said to be elsewhere");
}

fn map(octets: &mut Vec<u8>, pairs: u8) {
    octets.push(7 << 5 | pairs);
}

/// Up to 284 octets.
fn text(octets: &mut Vec<u8>, text: &str) {
    match text.len() {
        length @ ..29 => octets.push(2 << 5 | length as u8),
        length => octets.extend([2 << 5 | 29, (length - 29) as u8]),
    }
    octets.extend(text.as_bytes());
}

/// Two octets.
fn number(octets: &mut Vec<u8>, value: u16) {
    octets.push(5 << 5 | 2);
    octets.extend(value.to_be_bytes());
}
