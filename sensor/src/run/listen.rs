//! The UDP sockets: every worker has one for each address.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    sync::Arc,
};

use anyhow::anyhow;
use ingest::capture::udp::{UdpCounters, UdpSource};

use super::observe::Captured;
use crate::{
    config::Listen,
    failure::{Exit, Failure},
    metrics::{CaptureMode, KernelDrops},
};

/// A source and the name of its worker.
pub(super) struct Listening {
    pub(super) name: String,
    pub(super) source: UdpSource,
}

/// What the exporter reads of a UDP worker's sockets.
pub(super) struct UdpCaptured {
    worker: String,
    counters: Arc<UdpCounters>,
}

/// Opens all sockets. An address family that the host does not have is left out as long as another address remains.
pub(super) fn open(listen: &Listen) -> Result<Vec<Listening>, Failure> {
    let mut addresses = Vec::with_capacity(listen.addresses.len());
    for &address in &listen.addresses {
        match probe(address) {
            Ok(()) => addresses.push(address),
            Err(error) if is_family_missing(&error) && listen.addresses.len() > 1 => {
                tracing::warn!("not listening on {address}: {error}");
            }
            Err(error) => return Err(explain(address, error)),
        }
    }
    if addresses.is_empty() {
        return Err(Failure::new(
            Exit::Host,
            anyhow!("the host has none of the addresses in listen.addresses"),
        ));
    }
    let open = |worker| {
        let source = UdpSource::bind(&addresses).map_err(|error| explain(error.address, error.error))?;
        Ok(Listening { name: format!("udp{worker}"), source })
    };
    (0..listen.workers).map(open).collect()
}

impl Listening {
    /// What stays for the exporter when the source goes to its worker.
    pub(super) fn captured(&self) -> Box<dyn Captured> {
        Box::new(UdpCaptured { worker: self.name.clone(), counters: self.source.counters().clone() })
    }
}

impl Captured for UdpCaptured {
    fn modes(&self) -> Vec<CaptureMode> {
        vec![CaptureMode { interface: String::new(), queue: self.worker.clone(), mode: "udp".to_owned() }]
    }

    fn drops(&self) -> Vec<KernelDrops> {
        let drops = |reason, datagrams| KernelDrops {
            interface: String::new(),
            queue: self.worker.clone(),
            reason,
            datagrams,
        };
        vec![drops("socket_buffer_full", self.counters.socket_drops())]
    }

    fn receive_buffer(&self) -> Option<u64> {
        Some(self.counters.receive_buffer())
    }
}

/// Binds without SO_REUSEPORT for a moment: with it, two sensors of one user would share the port unnoticed.
fn probe(address: SocketAddr) -> io::Result<()> {
    UdpSocket::bind(address).map(drop)
}

fn is_family_missing(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

fn explain(address: SocketAddr, error: io::Error) -> Failure {
    let port = address.port();
    match error.kind() {
        io::ErrorKind::AddrInUse => Failure::new(
            Exit::Failed,
            anyhow!("{address} is in use by another program: `ss -ulpn 'sport = :{port}'` shows which"),
        ),
        io::ErrorKind::AddrNotAvailable => {
            Failure::new(Exit::Host, anyhow!("this host does not have the address {}", address.ip()))
        }
        io::ErrorKind::PermissionDenied => {
            Failure::new(Exit::Host, anyhow!("listening on {address} needs CAP_NET_BIND_SERVICE: {error}"))
        }
        _ => Failure::new(Exit::Failed, anyhow!("cannot listen on {address}: {error}")),
    }
}
