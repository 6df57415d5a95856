//! How the product itself is: what keeps it from its work, or from being of use, is said once, repeated seldom, and said
//! again when it is over. Pure: what was seen and how late it is come in, messages and what stands come out.
//!
//! | file | what lives there |
//! |---|---|
//! | `seen` | [`Seen`]: one look at the running parts |
//! | `condition` | [`Condition`]: what there is, by name, and how it is told |
//! | `board` | what stands: the edges between looks become messages |
//! | `growth` | counters that should not grow |
//! | `silence` | `client-silent`, `sensor-silent` |
//! | `secret` | `wrong-secret` |
//! | `unknown` | `unknown-client` |
//! | `geo` | `geo-missing`, `geo-stale` |
//! | `sinks` | `sink-stopped`, `sink-behind`, `sink-lost`, `recipient-refused` |
//! | `ports` | `ports-closed` |
//! | `disk` | `disk` |
//! | `clock` | `clock-skew` |
//! | `losses` | `duplicates-evicted`, `records-lost` |
//! | `work` | `service`, `store` |
//! | `memory` | what stands, kept in a file across a restart |
//!
//! Called once a second by a slow thread of the running sensor, which makes the looks from counters that are there anyway;
//! what stands is shown by the API and by metrics. Nothing here is on a request's way.

mod board;
mod clock;
mod condition;
mod disk;
mod geo;
mod growth;
mod losses;
mod memory;
mod ports;
mod secret;
mod seen;
mod silence;
mod sinks;
mod unknown;
mod work;

#[cfg(test)]
mod tests;

pub use board::{STANDING_MAX, Standing};
pub use condition::Condition;
pub use memory::Memory;
pub use policy::health::Settings;
pub use seen::{
    ClientSeen, ClockSeen, DatabaseSeen, DiskSeen, GeoSeen, Now, Seen, ServiceSeen, StrangerSeen, WorkState,
};

use crate::export::format::Health;
use board::{Board, Finding};

/// What one look came to.
#[derive(Debug, Default)]
struct Round {
    /// What is so now.
    findings: Vec<Finding>,
    /// What cannot be told this time: what stands goes on standing.
    undecided: Vec<Condition>,
    /// The same of one subject.
    held: Vec<(Condition, String)>,
}

/// Watches: holds what is remembered between looks.
#[derive(Debug)]
pub struct Monitor {
    silence: silence::Silence,
    secrets: secret::Secrets,
    strangers: unknown::Strangers,
    sinks: sinks::Sinks,
    ports: ports::Ports,
    disk: disk::Disk,
    clock: clock::HostClock,
    losses: losses::Losses,
    board: Board,
}

impl Monitor {
    /// Goes on with what stood at the last stop.
    pub fn new(standing: Vec<Standing>, now: Now) -> Monitor {
        let mut monitor = Monitor {
            silence: silence::Silence::default(),
            secrets: secret::Secrets::default(),
            strangers: unknown::Strangers::default(),
            sinks: sinks::Sinks::default(),
            ports: ports::Ports::default(),
            disk: disk::Disk::default(),
            clock: clock::HostClock::default(),
            losses: losses::Losses::default(),
            board: Board::new(standing),
        };
        let Monitor { silence, secrets, strangers, sinks, clock, losses, board, .. } = &mut monitor;
        for standing in board.standing() {
            match standing.condition {
                Condition::ClientSilent | Condition::SensorSilent => silence.resume(standing, now),
                Condition::WrongSecret => secrets.resume(standing, now),
                Condition::UnknownClient => strangers.resume(standing, now),
                Condition::ClockSkew => clock.resume(standing),
                Condition::SinkBehind | Condition::SinkLost => sinks.resume(standing, now),
                Condition::DuplicatesEvicted | Condition::RecordsLost => losses.resume(standing, now),
                _ => {}
            }
        }
        monitor
    }

    /// Takes a look; what is to be told of it.
    pub fn look(&mut self, seen: &Seen, now: Now, settings: &Settings) -> Vec<Health> {
        let mut round = Round::default();
        self.silence.look(seen, now, settings, &mut round);
        self.secrets.look(seen, now, settings, &mut round);
        self.strangers.look(seen, now, &mut round);
        geo::look(seen, now, settings, &mut round);
        self.sinks.look(seen, now, settings, &mut round);
        self.ports.look(seen, now, &mut round);
        self.disk.look(seen, now, settings, &mut round);
        self.clock.look(seen, now, settings, &mut round);
        self.losses.look(seen, now, settings, &mut round);
        work::look(seen, now, &mut round);
        self.board.take(round, now)
    }

    /// What stands, the most urgent first.
    pub fn standing(&self) -> Vec<Standing> {
        let mut standing: Vec<Standing> = self.board.standing().cloned().collect();
        standing.sort_by(|one, other| {
            other.severity.cmp(&one.severity).then(one.since_unix_ns.cmp(&other.since_unix_ns))
        });
        standing
    }
}
