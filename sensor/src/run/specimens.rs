//! The latest refused request of each source, so that a secret can be tried on it before it is saved. Filled by the
//! control loop from what the workers leave, asked by the portal.

use std::{collections::HashMap, net::IpAddr, time::SystemTime};

use ingest::{
    clients::{Client, Clients},
    specimen::Specimens,
};
use radius::{Framed, Request};

use super::refused::is_late;

/// Sources remembered, as many as are shown as refused; 4 KiB each at most.
const SOURCES_MAX: usize = 256;
/// NAS-Identifier and NAS-IP-Address (RFC 2865 sections 5.32 and 5.4).
const NAS_IDENTIFIER: u8 = 32;
const NAS_IP_ADDRESS: u8 = 4;

/// The table. When it is full the oldest leaves, one without a client before one with: sources can be invented, and a flood
/// of them must not take away the request of the VPN server whose secret is wrong.
#[derive(Debug, Default)]
pub(super) struct Kept(HashMap<IpAddr, One>);

struct One {
    at: SystemTime,
    /// Whether a client held the source when it was kept.
    is_client: bool,
    octets: Vec<u8>,
}

impl std::fmt::Debug for One {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("One").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Kept {
    /// Takes what the workers left, and gives them their buffers back.
    pub(super) fn take(&mut self, specimens: &Specimens, clients: &Clients, now: SystemTime) {
        // What is older names a person, too.
        self.0.retain(|_, one| is_late(one.at, now));
        specimens.look(|source, octets| {
            let is_client = clients.lookup(source.ip()).is_some();
            self.keep(source.ip(), octets, is_client, now);
        });
    }

    fn keep(&mut self, source: IpAddr, octets: &[u8], is_client: bool, now: SystemTime) {
        if !self.0.contains_key(&source) && self.0.len() >= SOURCES_MAX {
            let least = self.0.iter().min_by_key(|(_, one)| (one.is_client, one.at));
            let Some((least, is_clients)) = least.map(|(least, one)| (*least, one.is_client)) else { return };
            if is_clients && !is_client {
                return;
            }
            self.0.remove(&least);
        }
        self.0.insert(source, One { at: now, is_client, octets: octets.to_vec() });
    }

    /// Whether the latest request of a source was made with this secret.
    pub(super) fn is_made_with(&self, source: IpAddr, secret: &[u8]) -> Option<bool> {
        self.0.get(&source).map(|one| radius::authenticator::verify_request(&one.octets, secret))
    }

    /// Whether a client's secrets prove the latest request of a source.
    pub(super) fn is_proved_by(&self, source: IpAddr, client: &Client) -> bool {
        self.0.get(&source).is_some_and(|one| client.proves(&one.octets))
    }

    /// Who the latest request of a source says it is.
    pub(super) fn nas(&self, source: IpAddr) -> Option<Option<String>> {
        let one = self.0.get(&source)?;
        let request = Framed::parse(&one.octets).ok().and_then(|framed| framed.request().ok());
        Some(request.as_ref().and_then(nas))
    }
}

fn nas(request: &Request<'_>) -> Option<String> {
    let name = request.first(NAS_IDENTIFIER).filter(|name| !name.is_empty());
    let address = || <[u8; 4]>::try_from(request.first(NAS_IP_ADDRESS)?).ok();
    name.map(|name| String::from_utf8_lossy(name).into_owned())
        .or_else(|| address().map(|octets| IpAddr::from(octets).to_string()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use radius::{Code, build::RequestBuilder};

    use super::*;

    fn request(secret: &[u8]) -> Vec<u8> {
        let mut buffer = [0; radius::MAX_LENGTH];
        let mut request = RequestBuilder::new(&mut buffer, Code::AccountingRequest, 7);
        request.integer(40, 1).text(44, "s1").text(32, "branch gateway");
        request.seal(secret).unwrap().to_vec()
    }

    #[test]
    fn a_secret_is_tried_on_the_latest_request_of_its_source() {
        let (mut kept, now) = (Kept::default(), SystemTime::UNIX_EPOCH);
        let source = "192.0.2.7".parse().unwrap();
        kept.keep(source, &request(b"the first one"), true, now);
        kept.keep(source, &request(b"the second one"), true, now);
        assert_eq!(kept.is_made_with(source, b"the first one"), Some(false));
        assert_eq!(kept.is_made_with(source, b"the second one"), Some(true));
        assert_eq!(kept.nas(source), Some(Some("branch gateway".to_owned())));
        assert_eq!(kept.is_made_with("192.0.2.8".parse().unwrap(), b"x"), None);
        assert!(!format!("{kept:?}").contains("branch"));
    }

    #[test]
    fn sources_that_are_made_up_fill_no_memory_and_take_no_clients_request_away() {
        let mut kept = Kept::default();
        let branch = "2001:db8::7".parse().unwrap();
        kept.keep(branch, &request(b"x"), true, SystemTime::UNIX_EPOCH);
        for number in 0..3 * SOURCES_MAX as u32 {
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1 + u64::from(number));
            kept.keep(IpAddr::from(number.to_be_bytes()), b"x", false, at);
        }
        assert_eq!(kept.0.len(), SOURCES_MAX);
        assert!(kept.0.contains_key(&IpAddr::from((3 * SOURCES_MAX as u32 - 1).to_be_bytes())));
        assert_eq!(kept.is_made_with(branch, b"x"), Some(true));
        // Where clients have all the room, it is theirs.
        for number in 0..SOURCES_MAX as u128 {
            kept.keep(IpAddr::from((1 + number).to_be_bytes()), b"x", true, SystemTime::UNIX_EPOCH);
        }
        let clients = |kept: &Kept| kept.0.values().filter(|one| one.is_client).count();
        assert_eq!(clients(&kept), SOURCES_MAX);
        kept.keep(IpAddr::from([10, 0, 0, 1]), b"x", false, SystemTime::UNIX_EPOCH);
        assert_eq!(clients(&kept), SOURCES_MAX);
    }
}
