//! A connection, and its events.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::{
    attackers::Model,
    event::{Event, Status},
    label::{Label, Truth},
};

use super::{Difficulty, client::Vendor};

/// Monday, 2 March 2026, 00:00 UTC: where all pasts begin.
pub const BEGIN_UNIX_S: i64 = 1_772_409_600;

/// Whose an attack is.
#[derive(Clone, Debug, PartialEq)]
pub struct Attack {
    /// The attacker's name in the organisation.
    pub attacker: String,
    /// The model.
    pub model: Model,
}

/// One connection from its Start to its Stop. Times in seconds since the past's beginning.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Whose account, an index into the people.
    pub person: usize,
    /// When it begins.
    pub start_s: i64,
    /// When it ends.
    pub end_s: i64,
    /// The address.
    pub address: IpAddr,
    /// Another address from a time on.
    pub moves: Option<(i64, IpAddr)>,
    /// The device's name.
    pub device: Option<String>,
    /// The client's software.
    pub software: Option<String>,
    /// The gateway, an index into the shape's.
    pub gateway: usize,
    /// Whether the standby serves it.
    pub on_standby: bool,
    /// Octets from and to the user at its end.
    pub octets: [u64; 2],
    /// Its Start does not arrive.
    pub lost_start: bool,
    /// Its Stop does not arrive.
    pub lost_stop: bool,
    /// Seconds between interim updates; none without.
    pub interim_s: Option<i64>,
    /// Why it differs from those before it.
    pub difficulties: Vec<Difficulty>,
    /// Whose it is, if it is not the owner's.
    pub attack: Option<Attack>,
}

impl Connection {
    /// Length in seconds.
    pub fn length_s(&self) -> i64 {
        self.end_s - self.start_s
    }
}

/// What a connection needs to be told as events.
pub struct Names<'a> {
    /// The account.
    pub user: &'a str,
    /// The RADIUS client.
    pub client: &'a str,
    /// The VPN server.
    pub nas: &'a str,
    /// What kind.
    pub vendor: Vendor,
}

/// An event with its order and, for a Start, what it truly is.
pub struct Told {
    time: Timestamp,
    order: (usize, u8),
    event: Event,
    truth: Option<Label>,
}

/// The events of one connection up to the past's end. `number` differs for each connection.
pub fn tell(connection: &Connection, number: usize, names: &Names<'_>, days: i64, out: &mut Vec<Told>) {
    let session = match names.vendor {
        Vendor::Rras => format!("{}", number + 1),
        Vendor::Asa | Vendor::F5 => format!("{:08X}", 0x1000 + number),
        Vendor::GlobalProtect | Vendor::Ocserv => format!("{}-{:06x}", names.vendor.word(), number),
    };
    let mut add = |at_s: i64, status: Status, rank: u8| {
        // Not all in the first millisecond of their second.
        let ms = (number as i64 * 389 + i64::from(rank) * 97) % 1000;
        let offset = SignedDuration::from_millis(at_s * 1000 + ms);
        let Ok(time) = Timestamp::from_second(BEGIN_UNIX_S).map(|begin| begin + offset) else { return };
        if at_s >= days * 86_400 {
            return;
        }
        let address =
            connection.moves.filter(|(from, _)| *from <= at_s).map_or(connection.address, |(_, to)| to);
        let part = (at_s - connection.start_s) as f64 / connection.length_s().max(1) as f64;
        let octets = |total: u64| (status != Status::Start).then_some((total as f64 * part) as u64);
        let event = Event {
            time,
            status,
            client: names.client.to_owned(),
            session: session.clone(),
            user: names.user.to_owned(),
            address,
            device: connection.device.clone(),
            software: connection.software.clone(),
            input_octets: octets(connection.octets[0]),
            output_octets: octets(connection.octets[1]),
            nas: Some(names.nas.to_owned()),
        };
        let truth = (status == Status::Start).then(|| Label {
            n: 0,
            user: names.user.to_owned(),
            label: if connection.attack.is_some() { Truth::Attack } else { Truth::Genuine },
            attacker: connection.attack.as_ref().map(|attack| attack.attacker.clone()),
            model: connection.attack.as_ref().map(|attack| attack.model),
            difficulties: connection.difficulties.clone(),
        });
        out.push(Told { time, order: (number, rank), event, truth });
    };
    if !connection.lost_start {
        add(connection.start_s, Status::Start, 0);
    }
    if let Some(every) = connection.interim_s {
        let mut at_s = connection.start_s + every;
        while at_s < connection.end_s {
            add(at_s, Status::InterimUpdate, 1);
            at_s += every;
        }
    }
    if !connection.lost_stop {
        add(connection.end_s, Status::Stop, 2);
    }
}

/// In the order of time, with the labels' lines.
pub fn in_order(mut told: Vec<Told>) -> (Vec<Event>, Vec<Label>) {
    told.sort_by_key(|it| (it.time, it.order));
    let mut labels = Vec::new();
    let mut events = Vec::with_capacity(told.len());
    for (at, it) in told.into_iter().enumerate() {
        labels.extend(it.truth.map(|truth| Label { n: at + 1, ..truth }));
        events.push(it.event);
    }
    (events, labels)
}
