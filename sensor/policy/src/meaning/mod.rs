//! The part of the configuration that decides what records mean. It is an input of the fold: written to the input log
//! whenever it changes, so that a rebuild reads old records as they were read then. Holds no secret.

mod detecting;

use std::collections::BTreeMap;

use insight::vpn::{
    self, Field, Mapping, Source,
    names::{Realms, RealmsError},
    session,
};
use serde::{Deserialize, Serialize};

pub use detecting::{Detecting, Exclusion};

/// What decides what records mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meaning {
    /// How far before its arrival an event may lie for its time to be trusted, seconds.
    pub accept_past_s: u64,
    /// Realms that mean the same, as [`Realms::new`] takes them.
    pub realms: Vec<Vec<String>>,
    /// Clients by name, those that change anything.
    pub clients: BTreeMap<String, ClientMeaning>,
    /// So many interims must be missed for a session to be over.
    pub missed_interims: u32,
    /// A session without regular interims has an unknown end after so many seconds.
    pub unknown_after_s: u64,
    /// How long the store keeps what is over, seconds.
    pub keep_s: u64,
    /// What decides about alerts.
    #[serde(default)]
    pub detect: Detecting,
}

/// What decides what one client's records mean.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientMeaning {
    /// Its vendor by name; `None` recognises it in each request.
    pub vendor: Option<String>,
    /// It is a VPN server and nothing else.
    pub is_vpn: bool,
    /// For each field that it changes, by name, the attributes that it is read from.
    pub attributes: BTreeMap<String, Vec<String>>,
}

/// A meaning that this release cannot read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeaningError {
    /// The realms contradict each other.
    #[error("{0}")]
    Realms(#[from] RealmsError),
    /// A vendor, field or attribute that is not known.
    #[error("client {client:?}: {reason}")]
    Client {
        /// Its name.
        client: String,
        /// What is not known.
        reason: String,
    },
}

impl Default for Meaning {
    /// 180 days are kept: as long as an investigation usually looks back.
    fn default() -> Meaning {
        let (decoding, sessions) = (vpn::Settings::default(), session::Settings::default());
        Meaning {
            accept_past_s: decoding.accept_past_s,
            realms: Vec::new(),
            clients: BTreeMap::new(),
            missed_interims: sessions.missed_interims,
            unknown_after_s: sessions.unknown_after_s,
            keep_s: 180 * 86_400,
            detect: Detecting::default(),
        }
    }
}

impl Meaning {
    /// What the decoder goes by.
    ///
    /// # Errors
    /// Something that a later release wrote, or a configuration that was never checked.
    pub fn decoding(&self) -> Result<vpn::Settings, MeaningError> {
        let clients = self.clients.iter().map(|(name, client)| {
            let wrong = |reason: String| MeaningError::Client { client: name.clone(), reason };
            Ok((name.clone(), client.read().map_err(wrong)?))
        });
        Ok(vpn::Settings {
            realms: Realms::new(&self.realms)?,
            accept_past_s: self.accept_past_s,
            clients: clients.collect::<Result<_, MeaningError>>()?,
        })
    }

    /// What the sessions go by. Closed ones are known for as long as a message about them would be believed.
    pub fn sessions(&self) -> session::Settings {
        session::Settings {
            missed_interims: self.missed_interims,
            unknown_after_s: self.unknown_after_s,
            closed_kept_s: self.accept_past_s,
            ..session::Settings::default()
        }
    }
}

impl ClientMeaning {
    /// What `client` says, in a form that can be kept.
    pub fn of(client: &vpn::Client) -> ClientMeaning {
        let sources = |field: &Field| {
            let sources = client.mapping.get(*field)?;
            Some((field.name().to_owned(), sources.iter().map(ToString::to_string).collect()))
        };
        ClientMeaning {
            vendor: client.vendor.map(|vendor| vendor.name().to_owned()),
            is_vpn: client.is_vpn,
            attributes: Field::ALL.iter().filter_map(sources).collect(),
        }
    }

    fn read(&self) -> Result<vpn::Client, String> {
        let vendor = self.vendor.as_deref().map(str::parse).transpose();
        let mut mapping = Mapping::default();
        for (name, sources) in &self.attributes {
            let field = Field::ALL.into_iter().find(|field| field.name() == name);
            let field = field.ok_or_else(|| format!("{name:?} is no part of an event"))?;
            let sources = sources.iter().map(|source| source.parse::<Source>());
            let sources = sources.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
            mapping.set(field, sources).map_err(|error| error.to_string())?;
        }
        Ok(vpn::Client {
            vendor: vendor.map_err(|error: vpn::UnknownVendor| error.to_string())?,
            mapping,
            is_vpn: self.is_vpn,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meaning_survives_being_kept() {
        let mut mapping = Mapping::default();
        let sources = ["Cisco-AVPair:mdm-tlv=device-uid", "26.4242.7"];
        mapping.set(Field::Device, sources.iter().map(|s| s.parse().unwrap()).collect()).unwrap();
        let client = vpn::Client { vendor: Some("asa".parse().unwrap()), mapping, is_vpn: true };
        let meaning = Meaning {
            realms: vec![vec!["contoso.example".into(), "CONTOSO".into(), String::new()]],
            clients: BTreeMap::from([("branch".into(), ClientMeaning::of(&client))]),
            ..Meaning::default()
        };
        let text = serde_json::to_string(&meaning).unwrap();
        let read: Meaning = serde_json::from_str(&text).unwrap();
        assert_eq!(read, meaning);
        let decoding = read.decoding().unwrap();
        assert_eq!(decoding.clients["branch"].vendor, client.vendor);
        assert_eq!(decoding.clients["branch"].mapping.get(Field::Device), client.mapping.get(Field::Device));
        assert!(decoding.clients["branch"].is_vpn);
        assert_eq!(decoding.realms, Realms::new(&meaning.realms).unwrap());
    }

    #[test]
    fn what_is_not_known_is_named() {
        let client = ClientMeaning { vendor: Some("acme".into()), ..ClientMeaning::default() };
        let clients = BTreeMap::from([("branch".into(), client)]);
        let error = Meaning { clients, ..Meaning::default() }.decoding().unwrap_err().to_string();
        assert!(error.contains("branch") && error.contains("acme"), "{error}");
    }
}
