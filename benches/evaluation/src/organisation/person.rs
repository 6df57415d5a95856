//! A user: how often she connects, from where, with what, and what changes in her life.

use crate::{
    chance::Chance,
    world::{Line, Provider, World},
};

use super::{
    client::{Device, System},
    shape::Shape,
};

/// Working days of which one has a connection, by class: daily, several days a week, weekly, several weeks, less than
/// monthly.
const ACTIVE: [f64; 5] = [0.92, 0.5, 0.2, 0.07, 0.025];
/// How many users are in each class, for those who work at home and for those who do not.
const CLASSES: [[f64; 5]; 2] = [[0.1, 0.3, 0.27, 0.2, 0.13], [0.55, 0.25, 0.1, 0.06, 0.04]];
/// Where people go on holiday.
const HOLIDAYS: [&str; 16] =
    ["ES", "IT", "GR", "TR", "FR", "PT", "HR", "AT", "US", "TH", "MX", "AE", "GB", "ID", "MA", "ZA"];
/// Where business goes.
const BUSINESS: [&str; 12] = ["DE", "US", "GB", "FR", "CN", "IN", "SG", "AE", "NL", "CH", "JP", "PL"];

/// A line with its provider.
#[derive(Clone, Debug)]
pub struct Access {
    /// The country's code.
    pub country: String,
    /// The provider's number.
    pub asn: u32,
    /// The line.
    pub line: Line,
    /// Seconds after which a dynamic line has another address.
    pub lease_s: i64,
    /// When leases begin, in seconds.
    pub phase_s: i64,
    /// Whether connections over IPv6 are possible.
    pub has_v6: bool,
}

impl Access {
    fn new(provider: &Provider, country: &str, line: Line, chance: &mut Chance, dual_stack: f64) -> Access {
        // Nightly, every few days, when the router restarts, hardly ever.
        let days = [1, 3, 7, 21, 60][chance.weighted(&[0.15, 0.2, 0.25, 0.2, 0.2])];
        Access {
            country: country.to_owned(),
            asn: provider.asn,
            line,
            lease_s: days * 86_400,
            phase_s: chance.between(0, days * 86_400),
            has_v6: provider.has_v6() && chance.happens(dual_stack),
        }
    }

    /// A new line of a home somewhere in a country.
    pub fn home(world: &World, country: &str, chance: &mut Chance, dual_stack: f64) -> Option<Access> {
        let provider = world.market(country)?.pick_home(chance)?;
        let is_dynamic = chance.happens(0.8);
        Some(Access::new(provider, country, provider.line(chance, is_dynamic)?, chance, dual_stack))
    }

    /// Of another provider in the same country.
    pub fn elsewhere(&self, world: &World, chance: &mut Chance) -> Option<Access> {
        let provider = world.market(&self.country)?.pick_other_home(self.asn, chance)?;
        Some(Access::new(provider, &self.country, provider.line(chance, true)?, chance, 0.2))
    }

    /// Of one certain provider in the same country.
    pub fn of(world: &World, country: &str, asn: u32, chance: &mut Chance) -> Option<Access> {
        let provider = world.market(country)?.provider(asn)?;
        Some(Access::new(provider, country, provider.line(chance, true)?, chance, 0.2))
    }

    /// Of the same provider near by (the same town) or in the same region.
    pub fn neighbour(&self, world: &World, chance: &mut Chance, near: bool) -> Option<Access> {
        let provider = world.market(&self.country)?.provider(self.asn)?;
        let line = provider.neighbour(&self.line, chance, near);
        Some(Access::new(provider, &self.country, line, chance, 0.2))
    }

    /// A phone's: another address of the carrier at every turn.
    pub fn phone(world: &World, country: &str, chance: &mut Chance) -> Option<Access> {
        let provider = chance.pick(world.market(country)?.mobile())?;
        Some(Access {
            lease_s: 1,
            ..Access::new(provider, country, provider.line(chance, true)?, chance, 0.0)
        })
    }

    /// A rented server's or a VPN service's.
    pub fn rented(world: &World, country: &str, chance: &mut Chance) -> Option<(u32, std::net::IpAddr)> {
        let provider = world.market(country)?.pick_rented(chance)?;
        Some((provider.asn, provider.rented_address(chance)?))
    }

    /// The address at a time.
    pub fn address(&self, world: &World, at_s: i64, v6: bool) -> Option<std::net::IpAddr> {
        let term = ((at_s + self.phase_s) / self.lease_s.max(1)) as u64;
        if v6 && self.has_v6 {
            return self.line.address_v6(term, (at_s / 86_400) as u64);
        }
        Some(self.line.address(world.market(&self.country)?.provider(self.asn)?, term))
    }
}

/// Why a home line is another one than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is the first.
    None,
    /// She changed her provider.
    Provider,
    /// She moved.
    House,
    /// The organisation changed it for many.
    Organisation,
}

/// Days away.
#[derive(Clone, Debug)]
pub struct Trip {
    /// The first day.
    pub from: i64,
    /// The day after the last.
    pub until: i64,
    /// Where to.
    pub country: String,
    /// Whether it is a holiday.
    pub is_holiday: bool,
    /// The hotel's line.
    pub hotel: Access,
    /// A phone there.
    pub local_phone: Option<Access>,
}

/// A user.
#[derive(Clone, Debug)]
pub struct Person {
    /// The account.
    pub name: String,
    /// Her VPN server.
    pub gateway: usize,
    /// The country where she lives.
    pub country: String,
    /// Seconds that her clock is before UTC.
    pub utc_offset_s: i64,
    /// The share of working days with a connection.
    pub active: f64,
    /// The first day.
    pub joined: i64,
    /// Lines at home with the day from which they count.
    pub homes: Vec<(i64, Change, Access)>,
    /// Laptops with the day from which they count.
    pub laptops: Vec<(i64, Device)>,
    /// A second device and its first day.
    pub second: Option<(i64, Device)>,
    /// Her phone.
    pub phone: Access,
    /// The share of connections over the phone.
    pub tethers: f64,
    /// Places she goes to with her laptop.
    pub haunts: Vec<Access>,
    /// The share of connections from there.
    pub goes_out: f64,
    /// The exit of a VPN service that is in front, and the share of connections through it.
    pub own_vpn: Option<(std::net::IpAddr, f64)>,
    /// Trips.
    pub trips: Vec<Trip>,
    /// When her day begins, in seconds after midnight.
    pub begins_s: f64,
    /// The share of days on which she works at night.
    pub nights: f64,
    /// The share of connections at the kiosk.
    pub at_kiosk: f64,
    /// Whether her connections have interim updates.
    pub interims: bool,
    /// The power of two around which her volumes lie.
    pub volume: i64,
    /// How many connections a day besides the first.
    pub reconnects: f64,
}

impl Person {
    /// Her line at home on a day, why it changed, and since when.
    pub fn home(&self, day: i64) -> &(i64, Change, Access) {
        self.homes.iter().rev().find(|(from, ..)| *from <= day).unwrap_or(&self.homes[0])
    }

    /// Her laptop on a day, and since when.
    pub fn laptop(&self, day: i64) -> &(i64, Device) {
        self.laptops.iter().rev().find(|(from, _)| *from <= day).unwrap_or(&self.laptops[0])
    }

    /// The trip that she is on.
    pub fn trip(&self, day: i64) -> Option<&Trip> {
        self.trips.iter().find(|trip| trip.from <= day && day < trip.until)
    }
}

/// Who is concerned: shares of users are exact, so that each thing happens in every organisation.
struct Ranks {
    users: usize,
    orders: Vec<Vec<usize>>,
}

/// What happens to some of the users.
#[derive(Clone, Copy)]
enum Trait {
    Remote,
    ProviderChange,
    Move,
    NewLaptop,
    Second,
    Tethering,
    Out,
    OwnVpn,
    Holiday,
    Business,
    Nights,
    Kiosk,
    Interims,
    Switch,
    Joins,
}

impl Ranks {
    fn draw(shape: &Shape) -> Ranks {
        let orders = (0..15)
            .map(|number| {
                let mut order: Vec<_> = (0..shape.users).collect();
                Chance::of(shape.seed, "ranks", number).shuffle(&mut order);
                order
            })
            .collect();
        Ranks { users: shape.users, orders }
    }

    fn has(&self, user: usize, what: Trait, share: f64) -> bool {
        (self.orders[what as usize][user] as f64) < share * self.users as f64
    }
}

/// Draws all users. Shares are of 75 days: one household in seven or eight changes its provider in a year, one in ten
/// moves, a laptop is kept for three to four years, people are away for five weeks a year.
pub fn people(world: &World, shape: &Shape) -> Option<Vec<Person>> {
    let ranks = Ranks::draw(shape);
    // Whoever gets a line from the organisation gets it of one provider.
    let mut chance = Chance::of(shape.seed, "contract", 0);
    let seat = &shape.countries[0].0;
    let contract = world.market(seat)?.pick_home(&mut chance)?.asn;
    (0..shape.users).map(|user| person(world, shape, &ranks, user, contract)).collect()
}

fn person(world: &World, shape: &Shape, ranks: &Ranks, user: usize, contract: u32) -> Option<Person> {
    let mut chance = Chance::of(shape.seed, "person", user as u64);
    let chance = &mut chance;
    let weights: Vec<_> = shape.countries.iter().map(|(_, weight)| *weight).collect();
    let at = chance.weighted(&weights);
    let country = shape.countries[at].0.clone();
    let gateways: Vec<_> = (0..shape.gateways.len()).filter(|it| shape.gateways[*it].country == at).collect();
    let gateway = *chance.pick(&gateways)?;
    let remote = ranks.has(user, Trait::Remote, shape.remote);
    let class = chance.weighted(&CLASSES[usize::from(remote)]);
    let years = shape.days as f64 / 365.0;
    let last = shape.days - 5;

    let first = Access::home(world, &country, chance, shape.dual_stack)?;
    let mut homes = vec![(0, Change::None, first.clone())];
    if ranks.has(user, Trait::ProviderChange, 0.14 * years) {
        homes.push((chance.between(20, last), Change::Provider, first.elsewhere(world, chance)?));
    }
    if ranks.has(user, Trait::Move, 0.1 * years) {
        let provider = world.market(&country)?.provider(first.asn)?;
        let line = provider.line(chance, true)?;
        homes.push((chance.between(20, last), Change::House, Access { line, ..first.clone() }));
    }
    if at == 0 && ranks.has(user, Trait::Switch, shape.switch_share) {
        homes.push((shape.switch_day, Change::Organisation, Access::of(world, &country, contract, chance)?));
    }
    homes.sort_by_key(|(from, ..)| *from);

    let mut laptops = vec![(0, Device::laptop(chance, shape.names))];
    if ranks.has(user, Trait::NewLaptop, 0.28 * years) {
        laptops.push((chance.between(20, last), Device::laptop(chance, shape.names)));
    }
    let second = ranks.has(user, Trait::Second, 0.15).then(|| {
        let system = if chance.happens(0.5) { System::Phone } else { System::Windows };
        (chance.between(-30, last), Device::new(system, chance, shape.names))
    });
    let phone = Access::phone(world, &country, chance)?;
    let tethers = if ranks.has(user, Trait::Tethering, 0.3) { chance.within(0.03, 0.2) } else { 0.0 };
    let (mut haunts, mut goes_out) = (Vec::new(), 0.0);
    if ranks.has(user, Trait::Out, 0.3) {
        goes_out = chance.within(0.02, 0.1);
        for _ in 0..chance.between(2, 5) {
            // Half of them in the same town.
            let near = chance.happens(0.5);
            let there =
                if near { first.neighbour(world, chance, true) } else { first.elsewhere(world, chance) };
            haunts.extend(there);
        }
    }
    let own_vpn = if ranks.has(user, Trait::OwnVpn, 0.015) {
        Access::rented(world, &country, chance).map(|(_, address)| (address, chance.within(0.1, 0.9)))
    } else {
        None
    };
    let mut trips = Vec::new();
    if ranks.has(user, Trait::Holiday, 0.6 * years) {
        trips.extend(trip(world, shape, &country, true, chance));
    }
    if ranks.has(user, Trait::Business, 0.12) {
        for _ in 0..chance.between(1, 3) {
            trips.extend(trip(world, shape, &country, false, chance));
        }
    }
    Some(Person {
        name: format!("user{:03}@contoso.example", user + 1),
        gateway,
        utc_offset_s: world.market(&country)?.utc_offset_s(),
        country,
        active: ACTIVE[class] * chance.within(0.85, 1.05),
        joined: if ranks.has(user, Trait::Joins, 0.05) { chance.between(10, last) } else { 0 },
        homes,
        laptops,
        second,
        phone,
        tethers,
        haunts,
        goes_out,
        own_vpn,
        trips,
        begins_s: chance.around(8.3, 1.7) * 3600.0,
        nights: if ranks.has(user, Trait::Nights, 0.2) { chance.within(0.02, 0.15) } else { 0.003 },
        at_kiosk: if ranks.has(user, Trait::Kiosk, 0.03) { chance.within(0.2, 0.8) } else { 0.0 },
        interims: ranks.has(user, Trait::Interims, shape.interims),
        volume: chance.between(22, 29),
        reconnects: chance.within(0.1, 1.0),
    })
}

fn trip(world: &World, shape: &Shape, home: &str, is_holiday: bool, chance: &mut Chance) -> Option<Trip> {
    let length = if is_holiday { chance.between(5, 15) } else { chance.between(1, 4) };
    let from = chance.between(8, shape.days - 4);
    let pick = |list: &[&str], chance: &mut Chance| -> String {
        let there: Vec<_> =
            list.iter().filter(|code| **code != home && world.market(code).is_some()).collect();
        chance.pick(&there).map_or_else(|| home.to_owned(), |code| (**code).to_owned())
    };
    let country = if is_holiday {
        pick(&HOLIDAYS, chance)
    } else if chance.happens(0.55) {
        home.to_owned()
    } else if shape.countries.len() > 1 && chance.happens(0.5) {
        chance.pick(&shape.countries)?.0.clone()
    } else {
        pick(&BUSINESS, chance)
    };
    let hotel = Access::home(world, &country, chance, 0.0)?;
    let local_phone = Access::phone(world, &country, chance);
    Some(Trip { from, until: from + length, country, is_holiday, hotel, local_phone })
}
