//! Who uses an account that is not theirs. Each model is a curve of its own; all have equally many attackers, each
//! victim has one. They begin after the days of learning.

mod near;
mod remote;
mod slow;

use std::{collections::BTreeMap, fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::{
    chance::Chance,
    organisation::{
        DAY_S, LEARNING_DAYS,
        client::{Device, System},
        connection::{Attack, Connection},
        person::Person,
        shape::Shape,
    },
    world::World,
};

/// What an attacker knows of the victim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// Nothing: any address in the world, the most common client.
    Naive,
    /// The country: a rented server there or somebody's line, the most common client.
    Vpn,
    /// Region and provider, and which version of the client is common; with a device of the attacker's.
    Targeted,
    /// The town; client and device are copied.
    VeryTargeted,
    /// Anything, while the victim is connected.
    SessionOverlap,
    /// The country; one connection a week for weeks.
    SlowTakeover,
    /// A colleague who was told the password, at her own home with her own device.
    SharedPassword,
}

impl Model {
    /// All.
    pub const ALL: [Model; 7] = [
        Model::Naive,
        Model::Vpn,
        Model::Targeted,
        Model::VeryTargeted,
        Model::SessionOverlap,
        Model::SlowTakeover,
        Model::SharedPassword,
    ];

    /// One or two words.
    pub fn name(self) -> &'static str {
        match self {
            Model::Naive => "naive",
            Model::Vpn => "vpn",
            Model::Targeted => "targeted",
            Model::VeryTargeted => "very-targeted",
            Model::SessionOverlap => "session-overlap",
            Model::SlowTakeover => "slow-takeover",
            Model::SharedPassword => "shared-password",
        }
    }

    /// Half a line: what such an attacker knows and has.
    pub fn what(self) -> &'static str {
        match self {
            Model::Naive => "from anywhere in the world, a usual client",
            Model::Vpn => "through a VPN in the victim's country",
            Model::Targeted => "the victim's region and provider, a usual client",
            Model::VeryTargeted => "the same town, client and device copied",
            Model::SessionOverlap => "while the victim is connected",
            Model::SlowTakeover => "a connection a week",
            Model::SharedPassword => "a colleague with the password",
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One attacker of each model for so many users.
const USERS_PER_ATTACKER: usize = 25;

/// What the models draw from.
struct Scene<'a> {
    world: &'a World,
    shape: &'a Shape,
    people: &'a [Person],
    /// Each person's own connections, in the order of time.
    own: BTreeMap<usize, Vec<&'a Connection>>,
}

/// Where, when and with what an attacker connects once.
struct Stroke {
    start_s: i64,
    length_s: i64,
    address: IpAddr,
    device: Option<String>,
    software: Option<String>,
}

/// All connections of all attackers. A victim who has no connection before the first of an attacker's, or nothing that
/// the model needs, is passed over for another one.
pub fn strike(
    world: &World,
    shape: &Shape,
    people: &[Person],
    connections: &[Connection],
) -> Vec<Connection> {
    let mut own: BTreeMap<usize, Vec<&Connection>> = BTreeMap::new();
    for connection in connections {
        own.entry(connection.person).or_default().push(connection);
    }
    for list in own.values_mut() {
        list.sort_by_key(|connection| connection.start_s);
    }
    let scene = Scene { world, shape, people, own };
    let mut victims: Vec<_> = (0..people.len()).collect();
    Chance::of(shape.seed, "victims", 0).shuffle(&mut victims);
    let mut victims = victims.into_iter();
    let mut all = Vec::new();
    // In turn, so that those who are passed over by one model are no choice of it.
    for number in 0..(people.len() / USERS_PER_ATTACKER).max(2) {
        for model in Model::ALL {
            let mut strokes = None;
            for victim in victims.by_ref() {
                let mut chance = Chance::of(shape.seed ^ (victim as u64) << 24, model.name(), number as u64);
                strokes = scene.strokes(model, victim, &mut chance).map(|strokes| (victim, strokes, chance));
                if strokes.is_some() {
                    break;
                }
            }
            let Some((victim, strokes, mut chance)) = strokes else { continue };
            let attack = Attack { attacker: format!("{model}-{}", number + 1), model };
            all.extend(
                strokes.into_iter().map(|stroke| scene.connection(stroke, victim, &attack, &mut chance)),
            );
        }
    }
    all
}

impl Scene<'_> {
    fn strokes(&self, model: Model, victim: usize, chance: &mut Chance) -> Option<Vec<Stroke>> {
        let strokes = match model {
            Model::Naive => remote::naive(self, victim, chance),
            Model::Vpn => remote::vpn(self, victim, chance),
            Model::Targeted => near::targeted(self, victim, chance),
            Model::VeryTargeted => near::very_targeted(self, victim, chance),
            Model::SessionOverlap => remote::session_overlap(self, victim, chance),
            Model::SlowTakeover => slow::slow_takeover(self, victim, chance),
            Model::SharedPassword => slow::shared_password(self, victim, chance),
        }?;
        let first = strokes.iter().map(|stroke| stroke.start_s).min()?;
        let last = strokes.iter().map(|stroke| stroke.start_s).max()?;
        let is_known = self.own(victim).first().is_some_and(|connection| connection.start_s < first);
        (is_known && first >= LEARNING_DAYS * DAY_S && last < self.shape.days * DAY_S).then_some(strokes)
    }

    fn own(&self, person: usize) -> &[&Connection] {
        self.own.get(&person).map_or(&[], Vec::as_slice)
    }

    fn connection(&self, stroke: Stroke, victim: usize, attack: &Attack, chance: &mut Chance) -> Connection {
        // Some look around, some take what they find.
        let out = chance.by_factors(20, 33);
        Connection {
            person: victim,
            start_s: stroke.start_s,
            end_s: stroke.start_s + stroke.length_s,
            address: stroke.address,
            moves: None,
            device: stroke.device,
            software: stroke.software,
            gateway: self.people[victim].gateway,
            on_standby: false,
            octets: [out / chance.by_factors(3, 7), out],
            lost_start: false,
            lost_stop: chance.happens(0.015),
            interim_s: self.people[victim].interims.then(|| chance.between(600, 1800)),
            difficulties: Vec::new(),
            attack: Some(attack.clone()),
        }
    }

    /// The attacker's own computer: its name, and a client as most have it on that day.
    fn own_device(&self, victim: usize, at_s: i64, chance: &mut Chance) -> (Option<String>, Option<String>) {
        let vendor = self.shape.gateways[self.people[victim].gateway].vendor;
        let device = Device::new(System::Windows, chance, self.shape.names);
        let day = at_s / DAY_S;
        // What most have: a rollout counts from its fifth day on.
        let step = self.shape.rollouts.iter().filter(|rollout| **rollout + 5 <= day).count();
        let name = device.tells_name.then(|| vendor.device(device.key, device.system)).flatten();
        (name, vendor.software(System::Windows, step))
    }

    /// One to three times within three days: `usual` in the victim's working hours, else at any hour.
    fn times(&self, victim: usize, usual: f64, chance: &mut Chance) -> Vec<i64> {
        let first_day = chance.between(LEARNING_DAYS + 1, self.shape.days - 4);
        let offset_s = self.people[victim].utc_offset_s;
        let mut times: Vec<_> = (0..chance.between(1, 3))
            .map(|number| {
                let day_s = (first_day + if number == 0 { 0 } else { chance.between(0, 2) }) * DAY_S;
                match chance.happens(usual) {
                    true => day_s - offset_s + chance.between(8 * 3600, 18 * 3600),
                    false => day_s + chance.between(0, DAY_S - 1),
                }
            })
            .collect();
        times.sort_unstable();
        times
    }
}

fn length_s(chance: &mut Chance) -> i64 {
    chance.by_factors(8, 14) as i64
}
