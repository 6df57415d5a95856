//! A person's days: when she connects, from where and with what.

use std::net::IpAddr;

use crate::{chance::Chance, world::World};

use super::{
    DAY_S, Difficulty,
    client::Device,
    connection::Connection,
    person::{Access, Change, Person},
    shape::Shape,
};

/// Days for which a lasting change is called one.
const NEW_FOR_DAYS: i64 = 10;
/// The share of Stops that never arrive.
const LOST_STOPS: f64 = 0.015;
/// The share of Starts that never arrive.
const LOST_STARTS: f64 = 0.005;

/// Where and with what one connection is made.
struct Setting {
    address: IpAddr,
    device: Device,
    /// A phone's network, if it is over one.
    carrier: Option<Access>,
    difficulties: Vec<Difficulty>,
}

/// All of her connections, in the order of time.
pub(super) fn connections(world: &World, shape: &Shape, index: usize, person: &Person) -> Vec<Connection> {
    let mut all = Vec::new();
    let mut walk = Walk { world, shape, person, index, last_home: None, last_stop_lost: false };
    for day in person.joined..shape.days {
        let mut chance = Chance::of(shape.seed ^ (index as u64) << 20, "day", day as u64);
        walk.day(day, &mut chance, &mut all);
    }
    all.sort_by_key(|connection| connection.start_s);
    all
}

struct Walk<'a> {
    world: &'a World,
    shape: &'a Shape,
    person: &'a Person,
    index: usize,
    /// The last IPv4 address of her home line.
    last_home: Option<IpAddr>,
    last_stop_lost: bool,
}

impl Walk<'_> {
    fn day(&mut self, day: i64, chance: &mut Chance, all: &mut Vec<Connection>) {
        let person = self.person;
        let is_weekend = day % 7 >= 5;
        let is_monday = day == self.shape.home_monday;
        let trip = person.trip(day);
        let active = match (trip, is_weekend) {
            _ if is_monday && trip.is_none() => person.active.max(0.85),
            (Some(trip), _) if trip.is_holiday => person.active * 0.25,
            // Those who travel need it more than at home.
            (Some(_), _) => (person.active * 1.5).clamp(0.4, 0.95),
            (None, true) => person.active * 0.09,
            (None, false) => person.active,
        };
        if !chance.happens(active) {
            return;
        }
        let begins_s = day * DAY_S - person.utc_offset_s + chance.around(person.begins_s, 5400.0) as i64;
        let mut at_s =
            if is_monday { begins_s.min(day * DAY_S - person.utc_offset_s + 9 * 3600) } else { begins_s };
        let mut left = 1;
        while left < 5 && chance.happens(person.reconnects / (1.0 + person.reconnects)) {
            left += 1;
        }
        let works_at_night = chance.happens(person.nights);
        for number in 0..left {
            let length_s = length_s(chance, left);
            let mut extra = Vec::new();
            if is_monday {
                extra.push(Difficulty::HomeOfficeMonday);
            }
            if works_at_night && number + 1 == left {
                at_s = day * DAY_S - person.utc_offset_s + chance.between(22 * 3600, 28 * 3600);
                extra.push(Difficulty::OddHours);
            }
            self.connect(at_s, length_s, extra, chance, all);
            at_s += length_s + (chance.by_factors(6, 13) as i64);
        }
    }

    /// One connection, or several if the carrier moves her.
    fn connect(
        &mut self,
        at_s: i64,
        length_s: i64,
        extra: Vec<Difficulty>,
        chance: &mut Chance,
        all: &mut Vec<Connection>,
    ) {
        if at_s < 0 {
            return;
        }
        let Some(mut setting) = self.setting(at_s, chance) else { return };
        setting.difficulties.extend(extra);
        let (mut at_s, end_s) = (at_s, at_s + length_s);
        // A train, a crowded cell: the tunnel breaks and is built anew from another address.
        let hops = if setting.carrier.is_some() && chance.happens(0.35) { chance.between(1, 4) } else { 0 };
        for hop in 0..=hops {
            let left_s = end_s - at_s;
            let part_s = if hop == hops { left_s } else { left_s * chance.between(5, 40) / 100 }.max(60);
            let mut connection = self.connection(at_s, at_s + part_s, &setting, chance);
            if hop > 0 {
                connection.difficulties.push(Difficulty::CarrierNat);
            }
            all.push(connection);
            at_s += part_s + chance.between(2, 120);
            if let Some(carrier) = &setting.carrier {
                setting.address = carrier.address(self.world, at_s, false).unwrap_or(setting.address);
            }
        }
    }

    fn connection(&mut self, start_s: i64, end_s: i64, setting: &Setting, chance: &mut Chance) -> Connection {
        let (person, shape) = (self.person, self.shape);
        let vendor = shape.gateways[person.gateway].vendor;
        let day = start_s.div_euclid(DAY_S);
        let device = &setting.device;
        let mut difficulties = setting.difficulties.clone();
        if self.last_stop_lost {
            difficulties.push(Difficulty::MissedStop);
        }
        let [step, before] = [day, day - 3].map(|day| device.step(&shape.rollouts, day));
        let software = vendor.software(device.system, step);
        if software != vendor.software(device.system, before) {
            difficulties.push(Difficulty::SoftwareUpgrade);
        }
        let volume = person.volume + chance.between(-3, 3);
        let lost_stop = chance.happens(LOST_STOPS);
        self.last_stop_lost = lost_stop;
        let moves =
            setting.carrier.as_ref().filter(|_| person.interims && chance.happens(0.5)).and_then(|carrier| {
                let at_s = start_s + (end_s - start_s) / 2;
                Some((at_s, carrier.address(self.world, at_s, false)?))
            });
        Connection {
            person: self.index,
            start_s,
            end_s,
            address: setting.address,
            moves,
            device: device.tells_name.then(|| vendor.device(device.key, device.system)).flatten(),
            software,
            gateway: person.gateway,
            on_standby: false,
            octets: [chance.by_factors(volume - 4, volume - 1), chance.by_factors(volume, volume + 3)],
            lost_start: chance.happens(LOST_STARTS),
            lost_stop,
            interim_s: person.interims.then(|| chance.between(600, 1800)),
            difficulties,
            attack: None,
        }
    }

    fn setting(&mut self, at_s: i64, chance: &mut Chance) -> Option<Setting> {
        let (world, shape, person) = (self.world, self.shape, self.person);
        let day = at_s.div_euclid(DAY_S);
        let mut difficulties = Vec::new();
        let (since, laptop) = person.laptop(day);
        if *since > 0 && day < since + NEW_FOR_DAYS {
            difficulties.push(Difficulty::NewLaptop);
        }
        if person.joined > 0 && day < person.joined + NEW_FOR_DAYS {
            difficulties.push(Difficulty::NewMember);
        }
        let mut device = laptop.clone();
        if let Some((from, second)) = &person.second
            && *from <= day
            && chance.happens(0.25)
        {
            device = second.clone();
            difficulties.push(Difficulty::SecondDevice);
        }
        let plain =
            |address, device, difficulties| Some(Setting { address, device, carrier: None, difficulties });
        if let Some(trip) = person.trip(day) {
            difficulties.push(match trip.is_holiday && trip.country != person.country {
                true => Difficulty::HolidayAbroad,
                false => Difficulty::BusinessTrip,
            });
            // Roaming over the home carrier, a phone of that country, or the hotel.
            let phone =
                [Some(&person.phone), trip.local_phone.as_ref(), None][chance.weighted(&[0.2, 0.15, 0.65])];
            return match phone {
                Some(phone) => self.over_phone(phone, at_s, device, difficulties),
                None => {
                    difficulties.push(Difficulty::HotelWifi);
                    plain(trip.hotel.address(world, at_s, false)?, device, difficulties)
                }
            };
        }
        if chance.happens(person.at_kiosk) {
            let kiosk = &shape.kiosk;
            let provider = world.market(&shape.countries[kiosk.country].0)?.provider(kiosk.asn)?;
            difficulties.push(Difficulty::SharedKiosk);
            return plain(kiosk.line.address(provider, 0), kiosk.device.clone(), difficulties);
        }
        if chance.happens(person.tethers) {
            return self.over_phone(&person.phone, at_s, device, difficulties);
        }
        if chance.happens(person.goes_out)
            && let Some(there) = chance.pick(&person.haunts)
        {
            difficulties.push(Difficulty::PublicWifi);
            return plain(there.address(world, at_s, false)?, device, difficulties);
        }
        if let Some((exit, share)) = person.own_vpn
            && chance.happens(share)
        {
            difficulties.push(Difficulty::CommercialVpn);
            return plain(exit, device, difficulties);
        }
        let (since, change, home) = person.home(day);
        if day < since + NEW_FOR_DAYS {
            difficulties.extend(match change {
                Change::None => None,
                Change::Provider => Some(Difficulty::IspChange),
                Change::House => Some(Difficulty::MovedHouse),
                Change::Organisation => Some(Difficulty::ProviderSwitch),
            });
        }
        let v4 = home.address(world, at_s, false)?;
        let address = home.address(world, at_s, chance.happens(0.45))?;
        if address.is_ipv6() {
            difficulties.push(Difficulty::DualStack);
        } else if self.last_home.replace(v4).is_some_and(|last| last != v4) {
            difficulties.push(Difficulty::DynamicLine);
        }
        plain(address, device, difficulties)
    }

    fn over_phone(
        &self,
        phone: &Access,
        at_s: i64,
        device: Device,
        mut difficulties: Vec<Difficulty>,
    ) -> Option<Setting> {
        difficulties.push(Difficulty::Tethering);
        let address = phone.address(self.world, at_s, false)?;
        Some(Setting { address, device, carrier: Some(phone.clone()), difficulties })
    }
}

/// Minutes to a day's work; shorter if there are several a day; now and then through the night.
fn length_s(chance: &mut Chance, connections: i64) -> i64 {
    if connections == 1 && chance.happens(0.03) {
        return chance.between(12 * 3600, 30 * 3600);
    }
    if chance.happens(0.3) {
        return chance.between(120, 3600);
    }
    chance.between(1800, 34_000 / connections)
}
