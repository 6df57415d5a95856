//! Networks that the configuration names: 'Headquarters, Berlin'. Asked first: what people say about their own networks
//! counts more than any database.

use std::{collections::HashMap, fmt, net::IpAddr};

use ipnet::IpNet;

use super::Position;

/// Radius of a site for which the configuration gives none: a campus.
pub const SITE_RADIUS_KM: u16 = 1;

/// One site.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// What people call it.
    pub name: String,
    /// Its networks, private ones too. What stands behind a prefix's length does not matter.
    pub prefixes: Vec<IpNet>,
    /// Where it is, if the configuration says so.
    pub position: Option<Position>,
}

/// All sites, made ready for finding the longest prefix.
#[derive(Debug, Clone, Default)]
pub struct Sites {
    sites: Vec<Site>,
    /// Network, without host bits, to index in `sites`.
    networks: HashMap<IpNet, usize>,
    /// Lengths in use, longest first: few, so that a look-up is a few probes.
    lengths_v4: Vec<u8>,
    lengths_v6: Vec<u8>,
}

impl Sites {
    /// Takes them from the configuration.
    ///
    /// # Errors
    /// A site without a name or without a network, two of one name, two with the same network.
    pub fn new(sites: Vec<Site>) -> Result<Sites, SitesError> {
        let mut made = Sites::default();
        let mut names = HashMap::new();
        for (at, site) in sites.iter().enumerate() {
            if site.name.trim().is_empty() {
                return Err(SitesError::Unnamed(at));
            }
            if names.insert(site.name.as_str(), at).is_some() {
                return Err(SitesError::SameName(site.name.clone()));
            }
            if site.prefixes.is_empty() {
                return Err(SitesError::WithoutNetwork(site.name.clone()));
            }
            for prefix in &site.prefixes {
                let network = prefix.trunc();
                if let Some(other) = made.networks.insert(network, at).filter(|other| *other != at) {
                    return Err(SitesError::SameNetwork {
                        network,
                        first: sites[other].name.clone(),
                        second: site.name.clone(),
                    });
                }
            }
        }
        let lengths = |of: fn(&IpNet) -> bool| {
            let mut lengths: Vec<u8> =
                made.networks.keys().filter(|net| of(net)).map(IpNet::prefix_len).collect();
            lengths.sort_unstable();
            lengths.dedup();
            lengths.reverse();
            lengths
        };
        made.lengths_v4 = lengths(|network| matches!(network, IpNet::V4(_)));
        made.lengths_v6 = lengths(|network| matches!(network, IpNet::V6(_)));
        made.sites = sites;
        Ok(made)
    }

    /// The site with the longest prefix that holds the address.
    pub fn find(&self, address: IpAddr) -> Option<&Site> {
        let lengths = if address.is_ipv4() { &self.lengths_v4 } else { &self.lengths_v6 };
        lengths.iter().find_map(|length| {
            let network = IpNet::new(address, *length).ok()?.trunc();
            self.sites.get(*self.networks.get(&network)?)
        })
    }

    /// In the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Site> {
        self.sites.iter()
    }
}

/// What is wrong with the sites of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SitesError {
    /// The site at this position, counted from 0, has no name.
    Unnamed(usize),
    /// Two sites have this name.
    SameName(String),
    /// A site without networks.
    WithoutNetwork(String),
    /// Two sites claim one network.
    SameNetwork {
        /// The network.
        network: IpNet,
        /// Name of the site that has it first.
        first: String,
        /// Name of the other.
        second: String,
    },
}

impl fmt::Display for SitesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SitesError::Unnamed(at) => {
                write!(f, "site {} has no name: name it as people do, 'Headquarters, Berlin'", at + 1)
            }
            SitesError::SameName(name) => {
                write!(f, "two sites are named '{name}': give one of them another name, or make them one")
            }
            SitesError::WithoutNetwork(name) => {
                write!(f, "site '{name}' has no network: list its prefixes, '192.0.2.0/24'")
            }
            SitesError::SameNetwork { network, first, second } => {
                write!(f, "sites '{first}' and '{second}' both have {network}: take it out of one of them")
            }
        }
    }
}

impl std::error::Error for SitesError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(name: &str, prefixes: &[&str]) -> Site {
        Site {
            name: name.to_owned(),
            prefixes: prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect(),
            position: None,
        }
    }

    #[test]
    fn the_longest_prefix_wins() {
        let sites = Sites::new(vec![
            site("All", &["10.0.0.0/8", "2001:db8::/32"]),
            site("Berlin", &["10.1.0.0/16", "2001:db8:1::/48"]),
            // Host bits do not matter.
            site("Lab", &["10.1.2.3/24"]),
        ])
        .unwrap();
        for (address, name) in [
            ("10.200.0.1", Some("All")),
            ("10.1.3.1", Some("Berlin")),
            ("10.1.2.200", Some("Lab")),
            ("11.0.0.1", None),
            ("2001:db8:1::5", Some("Berlin")),
            ("2001:db8:2::5", Some("All")),
            ("2001:db9::1", None),
        ] {
            let found = sites.find(address.parse().unwrap()).map(|site| site.name.as_str());
            assert_eq!(found, name, "{address}");
        }
    }

    #[test]
    fn the_whole_family_can_be_a_site() {
        let sites = Sites::new(vec![site("World", &["0.0.0.0/0"])]).unwrap();
        assert!(sites.find("198.51.100.1".parse().unwrap()).is_some());
        assert!(sites.find("::1".parse().unwrap()).is_none());
    }

    #[test]
    fn mistakes_are_named() {
        for (sites, expected) in [
            (vec![site(" ", &["10.0.0.0/8"])], "site 1 has no name"),
            (vec![site("A", &["10.0.0.0/8"]), site("A", &["11.0.0.0/8"])], "two sites are named 'A'"),
            (vec![site("A", &[])], "site 'A' has no network"),
            (
                vec![site("A", &["10.0.0.0/8"]), site("B", &["10.9.9.9/8"])],
                "sites 'A' and 'B' both have 10.0.0.0/8",
            ),
        ] {
            let text = Sites::new(sites).unwrap_err().to_string();
            assert!(text.starts_with(expected), "{text}");
        }
        assert!(Sites::new(vec![site("A", &["10.0.0.0/8", "10.0.0.0/8"])]).is_ok());
    }
}
