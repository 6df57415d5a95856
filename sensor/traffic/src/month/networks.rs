//! Where the people of the month are: networks of real access providers, so that databases of places know them.
//!
//! Each was looked up in DB-IP's country and city sets of June 2026: the whole network lies in one country, with one
//! provider, and no list names it as hosting or VPN. Only the network is real: which host of it somebody is comes from
//! the dice, and nobody there has to do with any of this.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::super::people::Dice;

/// A network that one line or one cell hands addresses out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    /// A /24.
    V4([u8; 3]),
    /// A /40: its first two and a half groups. Lines get a /56 of it.
    V6([u16; 2], u8),
}

impl Network {
    pub(super) fn address(self, dice: &mut Dice) -> IpAddr {
        match self {
            Network::V4([a, b, c]) => Ipv4Addr::new(a, b, c, dice.between(2, 250)).into(),
            Network::V6([a, b], c) => {
                let line = u16::from_be_bytes([c, dice.between(0, 255)]);
                let host = dice.roll() as u16;
                Ipv6Addr::new(a, b, line, u16::from(dice.between(0, 255)) << 8, 0, 0, 0, host).into()
            }
        }
    }

    #[cfg(test)]
    pub(super) fn contains(self, address: IpAddr) -> bool {
        match (self, address) {
            (Network::V4(prefix), IpAddr::V4(address)) => address.octets().starts_with(&prefix),
            (Network::V6([a, b], c), IpAddr::V6(address)) => {
                let [first, second, third, ..] = address.segments();
                (first, second, third >> 8) == (a, b, c.into())
            }
            _ => false,
        }
    }
}

/// Lines at home around the head office in Frankfurt, Germany.
pub(super) const HOMES: [Network; 12] = [
    // Deutsche Telekom, AS3320: Wiesbaden, Wiesbaden, Paderborn, Essen, Hamburg; with IPv6 near Mannheim.
    Network::V4([84, 130, 16]),
    Network::V4([217, 232, 8]),
    Network::V4([91, 7, 40]),
    Network::V4([79, 199, 12]),
    Network::V4([93, 219, 64]),
    Network::V6([0x2003, 0x00e5], 0x1f),
    // Vodafone, AS3209: cable and DSL in Frankfurt.
    Network::V4([24, 134, 252]),
    Network::V4([95, 88, 20]),
    Network::V4([178, 8, 56]),
    // 1&1 Versatel, AS8881: near Munich.
    Network::V4([89, 244, 120]),
    // Telefónica, AS6805: Berlin, Offenburg.
    Network::V4([78, 55, 101]),
    Network::V4([77, 190, 246]),
];
/// Lines at home in Strasbourg and Paris, France: Orange, AS3215; Free, AS12322.
pub(super) const HOMES_FRANCE: [Network; 3] =
    [Network::V4([90, 126, 22]), Network::V4([90, 126, 22]), Network::V4([82, 64, 80])];
/// Lines at home in Vienna, Austria: A1, AS8447.
pub(super) const HOME_AUSTRIA: Network = Network::V4([91, 112, 40]);

/// Mobile networks in Germany: Vodafone, AS3209; Telekom, AS3320; Telefónica, AS6805.
pub(super) const MOBILE: [Network; 3] =
    [Network::V4([109, 43, 48]), Network::V4([80, 187, 96]), Network::V4([82, 113, 116])];
/// Orange, AS3215.
pub(super) const MOBILE_FRANCE: Network = Network::V4([92, 184, 96]);
/// Drei, AS25255.
pub(super) const MOBILE_AUSTRIA: Network = Network::V4([178, 115, 128]);
/// T-Mobile USA, AS21928: San Jose, California.
pub(super) const MOBILE_CALIFORNIA: Network = Network::V4([172, 58, 88]);

/// The lines of the branch offices: A1 in Vienna, AS8447; Orange in Strasbourg, AS3215. All who sit there share an address.
pub(super) const OFFICE_VIENNA: IpAddr = IpAddr::V4(Ipv4Addr::new(80, 120, 11, 10));
pub(super) const OFFICE_STRASBOURG: IpAddr = IpAddr::V4(Ipv4Addr::new(90, 126, 22, 254));

/// Hotels: Comcast in San Jose, California, AS7922; BT in London, AS2856; Swisscom in Basel, AS3303.
pub(super) const HOTEL_CALIFORNIA: Network = Network::V4([98, 210, 32]);
pub(super) const HOTEL_LONDON: Network = Network::V4([87, 86, 24]);
pub(super) const HOTEL_BASEL: Network = Network::V4([178, 197, 224]);
