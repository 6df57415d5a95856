//! What the program steers by: own addresses with their ports, and the clients' prefixes.
//!
//! Each is replaced entry by entry while packets fly, first what is new, then what is gone: at no moment is an entry
//! missing that is in both the old and the new.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
};

use aya::maps::{MapError, lpm_trie::Key};
use ipnet::IpNet;
use sensor_ebpf::{LocalV4, LocalV6, maps};

use super::{Steer, SteerError, in_map};

impl Steer {
    /// Takes datagrams to exactly these addresses and ports. An unspecified address matches nothing: see
    /// [`endpoints`](crate::capture::netlink::endpoints) for what it stands for.
    ///
    /// # Errors
    /// [`SteerError::Full`] beyond [`Options::endpoints_max`](super::Options::endpoints_max); [`SteerError::Map`].
    pub fn set_endpoints(
        &mut self,
        endpoints: impl IntoIterator<Item = SocketAddr>,
    ) -> Result<(), SteerError> {
        let new: HashSet<SocketAddr> = endpoints.into_iter().collect();
        for endpoint in &new {
            if self.endpoints.contains(endpoint) {
                continue;
            }
            match endpoint {
                SocketAddr::V4(endpoint) => {
                    let key = LocalV4::new(endpoint.ip().octets(), endpoint.port().to_be_bytes()).to_bytes();
                    self.local_v4.insert(key, 0, 0).map_err(in_map(maps::LOCAL_V4))?;
                }
                SocketAddr::V6(endpoint) => {
                    let key = LocalV6::new(endpoint.ip().octets(), endpoint.port().to_be_bytes()).to_bytes();
                    self.local_v6.insert(key, 0, 0).map_err(in_map(maps::LOCAL_V6))?;
                }
            }
            self.endpoints.push(*endpoint);
            self.set_port(endpoint.port(), true)?;
        }
        let gone: Vec<SocketAddr> =
            self.endpoints.iter().filter(|endpoint| !new.contains(endpoint)).copied().collect();
        for endpoint in gone {
            if !new.iter().any(|kept| kept.port() == endpoint.port()) {
                self.set_port(endpoint.port(), false)?;
            }
            match endpoint {
                SocketAddr::V4(endpoint) => {
                    let key = LocalV4::new(endpoint.ip().octets(), endpoint.port().to_be_bytes()).to_bytes();
                    absent_is_gone(self.local_v4.remove(&key)).map_err(in_map(maps::LOCAL_V4))?;
                }
                SocketAddr::V6(endpoint) => {
                    let key = LocalV6::new(endpoint.ip().octets(), endpoint.port().to_be_bytes()).to_bytes();
                    absent_is_gone(self.local_v6.remove(&key)).map_err(in_map(maps::LOCAL_V6))?;
                }
            }
            self.endpoints.retain(|held| *held != endpoint);
        }
        Ok(())
    }

    fn set_port(&mut self, port: u16, ours: bool) -> Result<(), SteerError> {
        let (word, bit) = (u32::from(port) / 64, 1 << (port % 64));
        let bits = self.ports.get(&word, 0).map_err(in_map(maps::PORTS))?;
        let bits = if ours { bits | bit } else { bits & !bit };
        self.ports.set(word, bits, 0).map_err(in_map(maps::PORTS))
    }

    /// Takes datagrams from exactly these prefixes; the index of the longest that matches goes into the metadata.
    /// Of a prefix named twice the last index counts.
    ///
    /// # Errors
    /// [`SteerError::Full`] beyond [`Options::prefixes_max`](super::Options::prefixes_max), for the old and the new
    /// prefixes together; [`SteerError::Map`]. Where a prefix cannot be
    /// put in, the old clients are taken as before: what was new is taken back. Where an old one cannot be taken out, the
    /// new ones are taken, and some of the old ones still.
    pub fn set_clients(
        &mut self,
        prefixes: impl IntoIterator<Item = (IpNet, u32)>,
    ) -> Result<(), SteerError> {
        let new: HashMap<IpNet, u32> =
            prefixes.into_iter().map(|(prefix, index)| (prefix.trunc(), index)).collect();
        let mut made: Vec<(IpNet, Option<u32>)> = Vec::new();
        for (&prefix, &index) in &new {
            if self.clients.get(&prefix) == Some(&index) {
                continue;
            }
            match self.insert_client(prefix, index) {
                Ok(before) => made.push((prefix, before)),
                Err(error) => {
                    self.take_back(&made);
                    return Err(error);
                }
            }
        }
        let gone: Vec<IpNet> =
            self.clients.keys().filter(|prefix| !new.contains_key(prefix)).copied().collect();
        gone.into_iter().try_for_each(|prefix| self.remove_client(prefix))
    }

    /// The index that the prefix had before.
    fn insert_client(&mut self, prefix: IpNet, index: u32) -> Result<Option<u32>, SteerError> {
        match prefix {
            IpNet::V4(prefix) => {
                let key = Key::new(prefix.prefix_len().into(), prefix.addr().octets());
                self.clients_v4.insert(&key, index, 0).map_err(in_map(maps::CLIENTS_V4))?;
            }
            IpNet::V6(prefix) => {
                let key = Key::new(prefix.prefix_len().into(), prefix.addr().octets());
                self.clients_v6.insert(&key, index, 0).map_err(in_map(maps::CLIENTS_V6))?;
            }
        }
        Ok(self.clients.insert(prefix, index))
    }

    fn remove_client(&mut self, prefix: IpNet) -> Result<(), SteerError> {
        match prefix {
            IpNet::V4(prefix) => {
                let key = Key::new(prefix.prefix_len().into(), prefix.addr().octets());
                absent_is_gone(self.clients_v4.remove(&key)).map_err(in_map(maps::CLIENTS_V4))?;
            }
            IpNet::V6(prefix) => {
                let key = Key::new(prefix.prefix_len().into(), prefix.addr().octets());
                absent_is_gone(self.clients_v6.remove(&key)).map_err(in_map(maps::CLIENTS_V6))?;
            }
        }
        self.clients.remove(&prefix);
        Ok(())
    }

    /// Undoes insertions. What cannot be undone is remembered as what the map holds, and mended by the next change.
    fn take_back(&mut self, made: &[(IpNet, Option<u32>)]) {
        // First what takes room: kernels before 6.13 overwrite nothing in a full map.
        for (prefix, _) in made.iter().filter(|(_, before)| before.is_none()) {
            let _ = self.remove_client(*prefix);
        }
        for (prefix, before) in made {
            if let Some(index) = *before {
                let _ = self.insert_client(*prefix, index);
            }
        }
    }
}

/// Removing what is not there has the wanted effect.
fn absent_is_gone(result: Result<(), MapError>) -> Result<(), MapError> {
    match result {
        Err(MapError::SyscallError(error)) if error.io_error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        Err(MapError::KeyNotFound) => Ok(()),
        other => other,
    }
}
