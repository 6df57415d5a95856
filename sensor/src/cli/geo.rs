//! `vpn-sensor geo`: what is known of an address, and which databases say so. Nothing is asked outside this host.

use std::{io::Write as _, net::IpAddr, path::PathBuf};

use clap::Subcommand;
use insight::geo::{Contents, Database, Found, Places, Precision, Whereabouts};
use serde_json::{Value, json};

use super::{Common, Exit, Failure};
use crate::{
    config::Config,
    places::{self, added, included},
};

/// Options of `geo`.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Databases are asked in this order: those of geo.databases, those that were added, those that come with the \
                        product; places finer than countries first. A running sensor takes added ones at SIGHUP."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Addresses to look up; without any, the databases are listed
    #[arg(value_name = "ADDRESS")]
    addresses: Vec<IpAddr>,
    /// Read this .mmdb file instead of the configured ones; may be given more than once
    #[arg(long, value_name = "FILE")]
    database: Vec<PathBuf>,
    /// Read each database to its end, every record of it
    #[arg(long)]
    check: bool,
    /// Print one JSON object for each address or database
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a database to its end and keep a copy of it; it takes the place of an added one that says the same sort of thing
    Add {
        /// A .mmdb file: City, Country, ASN, Anonymous-IP or Connection-Type, of MaxMind's schema or the flat one
        file: PathBuf,
    },
    /// Remove an added database
    Remove {
        /// Its sort: city, country, network or kinds
        sort: String,
    },
}

impl Command {
    fn execute(self, config: &Config) -> Result<(), Failure> {
        let folder = added::folder(&config.state_dir);
        let (done, path) = match self {
            Command::Add { file } => {
                let (path, replaces) =
                    added::add(&file, &folder).map_err(|error| Failure::new(Exit::Failed, error))?;
                (if replaces { "replaced" } else { "added" }, path)
            }
            Command::Remove { sort } => {
                let path =
                    added::remove(&sort, &folder).map_err(|error| Failure::new(Exit::Failed, error))?;
                ("removed", path)
            }
        };
        let mut out = std::io::stdout().lock();
        Ok(writeln!(out, "{done} {}; a running sensor takes it at SIGHUP", path.display())?)
    }
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let config = common.load_config()?;
        if let Some(command) = self.command {
            return command.execute(&config);
        }
        let usage = |error| Failure::new(Exit::Usage, error);
        let places = if self.database.is_empty() {
            places::Sources::of(&config).open().map_err(usage)?
        } else {
            let databases = self.database.iter().map(|path| places::open(path)).collect::<Result<_, _>>();
            Places::new(config.sites.clone(), databases.map_err(usage)?)
        };
        if self.check {
            for database in places.databases() {
                database.check().map_err(|error| Failure::new(Exit::Failed, error))?;
            }
        }
        let mut out = std::io::stdout().lock();
        if self.addresses.is_empty() {
            out.write_all(listed(&places, self.json).as_bytes())?;
        }
        for address in &self.addresses {
            let found = places.find(*address);
            if self.json {
                writeln!(out, "{}", object(*address, &found))?;
            } else {
                writeln!(out, "{}", line(*address, &found))?;
            }
        }
        Ok(())
    }
}

fn whereabouts(found: &Found<'_>) -> String {
    match &found.whereabouts {
        Whereabouts::Site(site) => site.name.clone(),
        Whereabouts::Internal(scope) => format!("internal ({scope})"),
        Whereabouts::Place(place) => place.to_string(),
        Whereabouts::Unknown(why) => format!("unknown ({})", why.name()),
    }
}

fn line(address: IpAddr, found: &Found<'_>) -> String {
    let mut parts = vec![whereabouts(found)];
    parts.extend(
        found
            .position()
            .map(|at| format!("{:.2}, {:.2} within {} km", at.latitude(), at.longitude(), at.radius_km())),
    );
    parts.extend(found.network.as_ref().map(ToString::to_string));
    parts.extend((!found.kinds.is_empty()).then(|| found.kinds.to_string()));
    parts.extend(found.anycast.then(|| "anycast: in many places at once".to_owned()));
    parts.extend(found.damaged.map(|database| format!("damaged record in {}", database.name())));
    format!("{address:<39}  {}", parts.join("; "))
}

fn object(address: IpAddr, found: &Found<'_>) -> Value {
    let place = found.place();
    let site = match &found.whereabouts {
        Whereabouts::Site(site) => Some(&site.name),
        _ => None,
    };
    json!({
        "address": address,
        "whereabouts": match &found.whereabouts {
            Whereabouts::Site(_) => "site",
            Whereabouts::Internal(_) => "internal",
            Whereabouts::Place(_) => "place",
            Whereabouts::Unknown(_) => "unknown",
        },
        "reason": match &found.whereabouts {
            Whereabouts::Internal(scope) => Some(scope.name()),
            Whereabouts::Unknown(why) => Some(why.name()),
            _ => None,
        },
        "site": site,
        "country": place.and_then(|place| place.country.as_ref()).map(|country| country.code()),
        "region": place.and_then(|place| place.region.as_deref()),
        "city": place.and_then(|place| place.city.as_deref()),
        "latitude": found.position().map(|at| at.latitude()),
        "longitude": found.position().map(|at| at.longitude()),
        "radius_km": found.position().map(|at| at.radius_km()),
        "asn": found.network.as_ref().map(|network| network.asn),
        "organisation": found.network.as_ref().and_then(|network| network.organisation.as_deref()),
        "kinds": found.kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>(),
        "anycast": found.anycast,
        "database": place.map(|place| place.database.name()),
        "damaged": found.damaged.map(|database| database.name()),
    })
}

fn listed(places: &Places, json: bool) -> String {
    let mut text = String::new();
    let width = places.databases().iter().map(|database| database.name().chars().count()).max();
    for database in places.databases() {
        let holds = holds(database.contents());
        let built = built(database);
        if json {
            let value = json!({
                "database": database.name(),
                "kind": database.kind(),
                "built": built,
                "ipv6": database.has_ipv6(),
                "holds": holds,
                "fingerprint": format!("{:032x}", database.fingerprint()),
            });
            text.push_str(&format!("{value}\n"));
        } else {
            let families = if database.has_ipv6() { "IPv4 and IPv6" } else { "IPv4 only" };
            let (name, width) = (database.name(), width.unwrap_or(0));
            let (kind, holds) = (database.kind(), holds.join(", "));
            text.push_str(&format!("{name:<width$}  {kind}, of {built}, {families}: {holds}\n"));
        }
    }
    if !json {
        text.push_str(match places.precision() {
            None => "no database has places: name one under `geo.databases`\n",
            Some(Precision::Country) => {
                "places are countries, each with its own radius: travel shows from country to country only\n"
            }
            Some(_) => "",
        });
        if places.databases().iter().any(|database| database.name().starts_with(included::PREFIX)) {
            text.push_str(included::ATTRIBUTION);
            text.push('\n');
        }
    }
    text
}

fn holds(contents: Contents) -> Vec<&'static str> {
    let all = [
        (contents.countries, "countries"),
        (contents.cities, "cities"),
        (contents.radii, "radii"),
        (contents.networks, "networks"),
        (contents.kinds, "kinds of networks"),
    ];
    all.into_iter().filter_map(|(held, name)| held.then_some(name)).collect()
}

/// The day on which a database was made.
fn built(database: &Database) -> String {
    let seconds = i64::try_from(database.built_unix_s()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds)
        .map_or("unknown date".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use insight::geo::{Site, Sites};

    use super::*;

    const COUNTRY: &[u8] = include_bytes!("../../insight/tests/geo/data/flat-country.mmdb");
    const ASN: &[u8] = include_bytes!("../../insight/tests/geo/data/flat-asn.mmdb");

    fn places() -> Places {
        let site = Site {
            name: "Headquarters, Berlin".to_owned(),
            prefixes: vec!["10.0.0.0/8".parse().unwrap()],
            position: None,
        };
        let databases = [("country.mmdb", COUNTRY), ("asn.mmdb", ASN)]
            .map(|(name, octets)| Arc::new(Database::read(name, octets).unwrap()));
        Places::new(Arc::new(Sites::new(vec![site]).unwrap()), databases.to_vec())
    }

    #[test]
    fn an_address_is_one_line() {
        let places = places();
        let line = |text: &str| {
            let address = text.parse().unwrap();
            line(address, &places.find(address))
        };
        let pad = " ".repeat(39 - "84.160.0.1".len());
        assert_eq!(
            line("84.160.0.1"),
            format!("84.160.0.1{pad}  DE; 51.05, 10.36 within 337 km; AS3320 Deutsche Telekom AG")
        );
        assert!(line("10.1.2.3").ends_with("  Headquarters, Berlin"));
        assert!(line("192.168.0.1").ends_with("  internal (private)"));
        assert!(line("203.0.113.1").ends_with("  unknown (documentation)"));
        assert!(line("1.1.1.1").ends_with("anycast: in many places at once"));
    }

    #[test]
    fn json_has_every_field_for_every_address() {
        let places = places();
        let object = |text: &str| {
            let address = text.parse().unwrap();
            object(address, &places.find(address))
        };
        let placed = object("84.160.0.1");
        assert_eq!(
            (&placed["country"], &placed["asn"], &placed["radius_km"], &placed["database"]),
            (&json!("DE"), &json!(3320), &json!(337), &json!("country.mmdb"))
        );
        let site = object("10.1.2.3");
        assert_eq!((&site["whereabouts"], &site["site"]), (&json!("site"), &json!("Headquarters, Berlin")));
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&placed), keys(&site));
    }

    #[test]
    fn databases_are_listed_with_what_they_hold_and_what_that_means() {
        let text = listed(&places(), false);
        assert_eq!(
            text,
            "country.mmdb  country ipvAll, of 2026-06-01, IPv4 and IPv6: countries\n\
             asn.mmdb      asn ipvAll, of 2026-06-17, IPv4 and IPv6: networks\n\
             places are countries, each with its own radius: travel shows from country to country only\n"
        );
        assert_eq!(listed(&places(), true).lines().count(), 2);
        assert!(listed(&Places::default(), false).contains("geo.databases"));
    }
}
