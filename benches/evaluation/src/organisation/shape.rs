//! How one organisation differs from another: size, countries, VPN servers, how people work, and what happens to all of
//! them at once.

use crate::{chance::Chance, world::World};

use super::client::{Device, System, Vendor};
use crate::world::Line;

/// How large an organisation is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The fewest users.
    pub users_min: i64,
    /// The most.
    pub users_max: i64,
    /// How long the past is.
    pub days: i64,
}

impl Size {
    /// What figures are quoted from.
    pub const FULL: Size = Size { users_min: 300, users_max: 1000, days: 75 };
    /// To see that everything works.
    pub const QUICK: Size = Size { users_min: 150, users_max: 200, days: 60 };
}

/// Where organisations have their seat.
const SEATS: [(&str, f64); 20] = [
    ("DE", 4.0),
    ("GB", 3.0),
    ("FR", 3.0),
    ("US", 5.0),
    ("NL", 2.0),
    ("ES", 2.0),
    ("IT", 2.0),
    ("PL", 2.0),
    ("SE", 1.0),
    ("CH", 1.0),
    ("AT", 1.0),
    ("CZ", 1.0),
    ("BE", 1.0),
    ("DK", 1.0),
    ("PT", 1.0),
    ("CA", 2.0),
    ("AU", 1.0),
    ("BR", 1.0),
    ("IN", 2.0),
    ("JP", 1.0),
];

/// A VPN server, or a pair of them behind one RADIUS client.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// The RADIUS client's name.
    pub client: String,
    /// What it tells.
    pub vendor: Vendor,
    /// The VPN servers: the usual one, the standby.
    pub nas: [String; 2],
    /// The country that it serves, an index into the shape's.
    pub country: usize,
}

/// A VPN server that fails.
#[derive(Clone, Copy, Debug)]
pub struct Failover {
    /// Which gateway.
    pub gateway: usize,
    /// When, in seconds.
    pub at_s: i64,
    /// How long the standby serves, in seconds.
    pub for_s: i64,
}

/// A device for many, on a line of its own.
#[derive(Clone, Debug)]
pub struct Kiosk {
    /// The country, an index into the shape's.
    pub country: usize,
    /// The provider's number.
    pub asn: u32,
    /// Its line.
    pub line: Line,
    /// The device.
    pub device: Device,
}

/// Everything that is drawn once for an organisation.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The seed that it came from.
    pub seed: u64,
    /// How many users.
    pub users: usize,
    /// How many days.
    pub days: i64,
    /// Codes of the countries of its sites, the seat first, with the share of users.
    pub countries: Vec<(String, f64)>,
    /// VPN servers; at least one for each country.
    pub gateways: Vec<Gateway>,
    /// The share of users who work at home most days.
    pub remote: f64,
    /// The share of devices whose client tells a name, where the vendor can.
    pub names: f64,
    /// The share of users whose connections have interim updates.
    pub interims: f64,
    /// The share of lines with IPv6, where the provider has it.
    pub dual_stack: f64,
    /// Days on which rollouts of a new client begin.
    pub rollouts: Vec<i64>,
    /// VPN servers that fail.
    pub failovers: Vec<Failover>,
    /// The Monday on which everybody works at home.
    pub home_monday: i64,
    /// The day on which many get lines of another provider.
    pub switch_day: i64,
    /// How many of those in the seat's country.
    pub switch_share: f64,
    /// A device for many.
    pub kiosk: Kiosk,
}

impl Shape {
    /// Draws one. `None` if the databases lack the seat's country, which those that ship do not.
    pub fn draw(world: &World, seed: u64, size: Size) -> Option<Shape> {
        let mut chance = Chance::of(seed, "shape", 0);
        let chance = &mut chance;
        let users = chance.between(size.users_min, size.users_max) as usize;
        let countries = countries(chance);
        let mut gateways = Vec::new();
        for (country, _) in countries.iter().enumerate() {
            // Large sites may run two kinds side by side.
            for number in 0..if country == 0 && chance.happens(0.5) { 2 } else { 1 } {
                let vendor = Vendor::ALL[chance.weighted(&[0.35, 0.2, 0.2, 0.15, 0.1])];
                let code = countries[country].0.to_lowercase();
                let client = format!("{}-{code}-{}", vendor.word(), number + 1);
                let nas = [format!("vpn1.{code}.contoso.example"), format!("vpn2.{code}.contoso.example")];
                gateways.push(Gateway { client, vendor, nas, country });
            }
        }
        let days = size.days;
        let seat = world.market(&countries[0].0)?;
        let failovers = (0..chance.between(2, 4))
            .map(|_| {
                let day = chance.between(5, days / 7 - 1) * 7 + chance.between(0, 3);
                Failover {
                    gateway: chance.index(gateways.iter().filter(|it| it.country == 0).count()),
                    // In the seat's working hours of Monday to Thursday, so that somebody notices.
                    at_s: day * 86_400 - seat.utc_offset_s() + chance.between(9, 15) * 3600,
                    for_s: chance.between(1, 6) * 3600,
                }
            })
            .collect();
        let provider = seat.pick_home(chance)?;
        let line = provider.line(chance, false)?;
        let kiosk =
            Kiosk { country: 0, asn: provider.asn, line, device: Device::new(System::Windows, chance, 1.0) };
        let first = chance.between(3, 20);
        Some(Shape {
            seed,
            users,
            days,
            countries,
            gateways,
            remote: chance.within(0.25, 0.8),
            names: chance.within(0.3, 0.98),
            interims: chance.within(0.03, 0.12),
            dual_stack: chance.within(0.1, 0.45),
            rollouts: vec![first, first + chance.between(18, 26), first + chance.between(34, 45)],
            failovers,
            home_monday: chance.between(5, days / 7 - 1) * 7,
            switch_day: chance.between(38, days - 12),
            switch_share: chance.within(0.4, 0.5),
            kiosk,
        })
    }
}

/// The seat, and up to three countries besides.
fn countries(chance: &mut Chance) -> Vec<(String, f64)> {
    let weights: Vec<_> = SEATS.iter().map(|(_, weight)| *weight).collect();
    let mut countries = vec![(SEATS[chance.weighted(&weights)].0.to_owned(), 1.0)];
    for _ in 0..chance.weighted(&[0.35, 0.25, 0.25, 0.15]) {
        let code = SEATS[chance.weighted(&weights)].0;
        if countries.iter().all(|(other, _)| other != code) {
            countries.push((code.to_owned(), chance.within(0.05, 0.3)));
        }
    }
    countries
}
