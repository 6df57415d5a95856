//! One labelled organisation: its people connect over weeks, and some accounts are misused. The same seed gives the same
//! organisation on every host. The difficulty comes from how often such things happen to people, not from a figure that
//! is wished for.
//!
//! How often things happen, before any figure was looked at:
//!
//! | what | how often |
//! |---|---|
//! | connecting | five classes from daily to less than monthly, as in the study of the published ratio; a quarter to four fifths of users work at home most days |
//! | another address at home | four lines in five are dynamic: nightly 15 %, every 3 days 20 %, weekly 25 %, 3 weeks 20 %, longer 20 % |
//! | another provider, another house | 14 % and 10 % of households a year |
//! | half of the seat's users get lines of one provider in one night | once, 40 to 50 % of them |
//! | another laptop | every three to four years; a second device has 15 % of users |
//! | another version of the client | three rollouts; nine in ten devices within ten days |
//! | holiday abroad, business trips | 60 % of users a year; 12 % of users travel on business, one to three times in the past, half of it abroad |
//! | over the phone; public Wi-Fi | 30 % of users each, 3 to 20 % and 2 to 10 % of their connections; the carrier moves every third of those on the phone |
//! | a VPN service of one's own | 1.5 % of users |
//! | at night | 20 % of users, 2 to 15 % of their days |
//! | Stops and Starts that are lost | 1.5 % and 0.5 % |
//! | the databases move networks to a country near by | once, those of the lines of one user in fifty |
//!
//! The classes are those of the study. The others are estimates by how long people keep a provider, a house and a laptop,
//! and of everyday life; whoever has better ones changes them here, and with them every figure.
//!
//! | file | what lives there |
//! |---|---|
//! | `shape` | what is drawn once: size, countries, VPN servers, what happens to all |
//! | `client` | what VPN servers tell of devices and software |
//! | `person` | a user's habits, lines, devices and changes |
//! | `days` | her connections, day by day |
//! | `geo_update` | the databases change in the middle |
//! | `difficulty` | what makes usual life look unusual |
//! | `connection` | a connection and its events |

pub mod client;
pub mod connection;
mod days;
mod difficulty;
mod geo_update;
pub mod person;
pub mod shape;
#[cfg(test)]
mod tests;

pub use difficulty::Difficulty;
pub use geo_update::GeoUpdate;
pub use shape::Size;

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    attackers::{self, Model},
    chance::Chance,
    event::{Event, write_lines},
    label::{Label, Truth},
    mmdb,
    world::World,
};
use connection::{Connection, Names, in_order, tell};
use person::Person;
use shape::Shape;

/// Days in which a user's first connections are learned from; what happens in them is in no figure.
pub const LEARNING_DAYS: i64 = 30;
/// A day, in seconds.
pub(crate) const DAY_S: i64 = 86_400;

/// A past with its labels.
pub struct Organisation {
    /// The events, in the order of time.
    pub events: Vec<Event>,
    /// A label for each Start, in the same order.
    pub labels: Vec<Label>,
    /// What the databases say from a moment on.
    pub geo_update: Option<GeoUpdate>,
    /// What it is like.
    pub summary: Summary,
}

/// What an organisation is like, in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The seed; 0 for a past that was not made up.
    pub seed: u64,
    /// Accounts.
    pub users: usize,
    /// Days of the past.
    pub days: i64,
    /// Countries of its sites, the seat first.
    pub countries: Vec<String>,
    /// RADIUS clients.
    pub clients: Vec<String>,
    /// Events.
    pub events: usize,
    /// Genuine Starts.
    pub genuine_starts: usize,
    /// Starts of attackers.
    pub attack_starts: usize,
    /// Attackers by model.
    pub attackers: BTreeMap<Model, usize>,
    /// Genuine Starts by what makes them look unusual.
    pub difficulties: BTreeMap<Difficulty, usize>,
    /// Sessions of which no Start arrived.
    pub lost_starts: usize,
    /// From when on the databases say something else of some networks: `geo-update.mmdb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geo_update: Option<Timestamp>,
}

/// What `geo-update.mmdb` is called beside the events.
pub const GEO_UPDATE: &str = "geo-update.mmdb";

impl Organisation {
    /// The day of the past that the Start of a label's line is on, from 0; none in the days of learning, of which nothing is
    /// counted.
    pub fn counted_day(&self, line: usize) -> Option<i64> {
        let first = self.events.first()?.time.as_second().div_euclid(DAY_S);
        let day = self.events.get(line.checked_sub(1)?)?.time.as_second().div_euclid(DAY_S) - first;
        (day >= LEARNING_DAYS).then_some(day)
    }

    /// Makes one up.
    ///
    /// # Errors
    /// The databases lack a country that organisations have sites in.
    pub fn generate(world: &World, seed: u64, size: Size) -> anyhow::Result<Organisation> {
        let lacks =
            || anyhow!("the databases of sensor/geo-data lack a country's networks: check them out again");
        let shape = Shape::draw(world, seed, size).with_context(lacks)?;
        let people = person::people(world, &shape).with_context(lacks)?;
        let mut connections = Vec::new();
        for (index, person) in people.iter().enumerate() {
            connections.extend(days::connections(world, &shape, index, person));
        }
        fail_over(&shape, &mut connections);
        // What is behind the end is not there for attackers either.
        connections.retain(|connection| connection.start_s < shape.days * DAY_S);
        let geo_update = GeoUpdate::draw(world, &shape, &mut connections);
        let attacks = attackers::strike(world, &shape, &people, &connections);
        connections.extend(attacks);
        connections.sort_by_key(|connection| (connection.start_s, connection.person, connection.end_s));
        Ok(told(&shape, &people, &connections, geo_update))
    }

    /// Writes `events.jsonl`, `labels.jsonl`, `organisation.json` and `geo-update.mmdb` into a folder.
    ///
    /// # Errors
    /// The disk.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        write_lines(&folder.join("events.jsonl"), &self.events)?;
        write_lines(&folder.join("labels.jsonl"), &self.labels)?;
        if let Some(update) = &self.geo_update {
            let (path, octets) = (folder.join(GEO_UPDATE), mmdb::of(update));
            fs::write(&path, octets).with_context(|| format!("cannot write {}", path.display()))?;
        }
        write_lines(&folder.join("organisation.json"), std::slice::from_ref(&self.summary))
    }
}

fn told(
    shape: &Shape,
    people: &[Person],
    connections: &[Connection],
    geo_update: Option<GeoUpdate>,
) -> Organisation {
    let mut all = Vec::new();
    for (number, connection) in connections.iter().enumerate() {
        let gateway = &shape.gateways[connection.gateway];
        let names = Names {
            user: &people[connection.person].name,
            client: &gateway.client,
            nas: &gateway.nas[usize::from(connection.on_standby)],
            vendor: gateway.vendor,
        };
        tell(connection, number, &names, shape.days, &mut all);
    }
    let (events, labels) = in_order(all);
    let mut attackers: BTreeMap<Model, Vec<&str>> = BTreeMap::new();
    let mut difficulties = BTreeMap::new();
    for label in &labels {
        if let (Some(model), Some(attacker)) = (label.model, &label.attacker) {
            attackers.entry(model).or_default().push(attacker);
        }
        for difficulty in &label.difficulties {
            *difficulties.entry(*difficulty).or_default() += 1;
        }
    }
    let attack_starts = labels.iter().filter(|label| label.label == Truth::Attack).count();
    let summary = Summary {
        seed: shape.seed,
        users: shape.users,
        days: shape.days,
        countries: shape.countries.iter().map(|(code, _)| code.clone()).collect(),
        clients: shape.gateways.iter().map(|gateway| gateway.client.clone()).collect(),
        events: events.len(),
        genuine_starts: labels.len() - attack_starts,
        attack_starts,
        attackers: attackers
            .into_iter()
            .map(|(model, mut names)| {
                names.sort_unstable();
                names.dedup();
                (model, names.len())
            })
            .collect(),
        difficulties,
        lost_starts: connections.iter().filter(|connection| connection.lost_start).count(),
        geo_update: geo_update.as_ref().map(|update| update.at),
    };
    Organisation { events, labels, geo_update, summary }
}

/// Cuts the connections of a VPN server that fails; most of them come back within minutes through the standby, and
/// most of the Stops are lost with the server.
fn fail_over(shape: &Shape, connections: &mut Vec<Connection>) {
    for (number, failover) in shape.failovers.iter().enumerate() {
        let mut chance = Chance::of(shape.seed, "failover", number as u64);
        let (from_s, until_s) = (failover.at_s, failover.at_s + failover.for_s);
        let mut back = Vec::new();
        for connection in connections.iter_mut().filter(|it| it.gateway == failover.gateway) {
            if (from_s..until_s).contains(&connection.start_s) {
                connection.on_standby = true;
                connection.difficulties.push(Difficulty::GatewayFailover);
            } else if connection.start_s < from_s && from_s < connection.end_s {
                let end_s = connection.end_s;
                connection.end_s = from_s;
                connection.lost_stop = chance.happens(0.7);
                let start_s = from_s + chance.between(30, 900);
                if start_s < end_s && chance.happens(0.85) {
                    back.push(Connection {
                        start_s,
                        end_s,
                        on_standby: true,
                        lost_stop: false,
                        lost_start: false,
                        moves: None,
                        difficulties: vec![Difficulty::GatewayFailover],
                        ..connection.clone()
                    });
                }
            }
        }
        connections.append(&mut back);
    }
}
