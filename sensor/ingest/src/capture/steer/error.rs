//! What can stand between the steer program and its interface, said so that an administrator can act.

use std::{fmt, io};

use aya::{
    EbpfError,
    maps::MapError,
    programs::{ProgramError, XdpError, loaded_links, loaded_programs},
};
use xsk::{Hook, Interface};

use crate::capture::netlink::Watch;

/// Who holds an XDP hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Id of the program, as `bpftool prog` shows it.
    pub program_id: u32,
    /// The program's name, if it can be read.
    pub program_name: Option<String>,
    /// Id of the link that holds it; `None` when it was attached without one.
    pub link_id: Option<u32>,
}

/// The steer program cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum SteerError {
    /// A capability is missing.
    #[error(
        "{operation} is not permitted: CAP_BPF and CAP_NET_ADMIN are needed (run as root, or set AmbientCapabilities=CAP_BPF CAP_NET_ADMIN CAP_NET_RAW in the unit)"
    )]
    Privileges {
        /// What was tried.
        operation: &'static str,
    },
    /// The kernel did not take the maps or the program.
    #[error("loading the XDP program: {0}")]
    Load(String),
    /// Another XDP program is there.
    #[error("another XDP program holds {interface}{}", detail(.owner.as_ref(), .interface))]
    Occupied {
        /// The interface's name.
        interface: String,
        /// Who it is, if the kernel says so; `None` also when an upper device, such as a bond, has the program.
        owner: Option<Owner>,
    },
    /// The driver does not run XDP at this MTU.
    #[error(
        "the driver of {interface} runs no XDP program at an MTU of {mtu}: lower it, for instance `ip link set dev {interface} mtu 1500`"
    )]
    Mtu {
        /// The interface's name.
        interface: String,
        /// Its MTU, octets.
        mtu: u32,
    },
    /// The driver needs queues of its own for XDP.
    #[error(
        "the driver of {interface} ({driver}) has no queues left for XDP ({rx} receive, {tx} transmit in use): give it fewer, for instance `ethtool -L {interface} combined {half}`; a veth needs as many receive queues as its peer has transmit queues"
    )]
    Queues {
        /// The interface's name.
        interface: String,
        /// Its driver, or `unknown`.
        driver: String,
        /// Receive queues in use.
        rx: u32,
        /// Transmit queues in use.
        tx: u32,
        /// Half of the larger.
        half: u32,
    },
    /// The driver or the device cannot run XDP at this hook.
    #[error("{interface} runs no XDP program at the {hook} hook: {error}")]
    Unsupported {
        /// The interface's name.
        interface: String,
        /// `driver` or `skb`.
        hook: &'static str,
        /// What the kernel said.
        error: String,
    },
    /// The device is gone.
    #[error("the interface {interface} is gone")]
    Gone {
        /// The name it had.
        interface: String,
    },
    /// Another failure of the attachment.
    #[error("attaching the XDP program to {interface}: {error}")]
    Attach {
        /// The interface's name.
        interface: String,
        /// What the kernel said.
        error: String,
    },
    /// The kernel attaches without a link only: the program would outlive the sensor.
    #[error("this kernel has no links for XDP programs: Linux 6.1 or later is needed")]
    NoLink,
    /// The object lacks a program: it was not built from this source.
    #[error("the XDP object lacks its program: run `cargo xtask ebpf`")]
    MissingProgram,
    /// The object lacks a map: it was not built from this source.
    #[error("the XDP object lacks the map {map}: run `cargo xtask ebpf`")]
    MissingMap {
        /// The map's name.
        map: &'static str,
    },
    /// A map has no room.
    #[error("the table {map} of the XDP program is full")]
    Full {
        /// The map's name.
        map: &'static str,
    },
    /// The kernel refused an access to a map.
    #[error("the table {map} of the XDP program: {error}")]
    Map {
        /// The map's name.
        map: &'static str,
        /// What the kernel said.
        error: io::Error,
    },
}

struct Detail<'a> {
    owner: Option<&'a Owner>,
    interface: &'a str,
}

fn detail<'a>(owner: Option<&'a Owner>, interface: &'a str) -> Detail<'a> {
    Detail { owner, interface }
}

impl fmt::Display for Detail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interface = self.interface;
        let Some(owner) = self.owner else {
            return write!(f, " or the device it belongs to: see `ip -details link show dev {interface}`");
        };
        write!(f, " (program {}", owner.program_id)?;
        if let Some(name) = &owner.program_name {
            write!(f, " \"{name}\"")?;
        }
        write!(f, "): `bpftool prog show id {}` says more, ", owner.program_id)?;
        match owner.link_id {
            Some(link) => write!(f, "`bpftool link detach id {link}` detaches it"),
            None => write!(f, "`ip link set dev {interface} xdp off` detaches it"),
        }
    }
}

pub(super) fn load_error(error: EbpfError) -> SteerError {
    let errno = match &error {
        EbpfError::MapError(MapError::CreateError { io_error, .. }) => io_error.raw_os_error(),
        _ => None,
    };
    match errno {
        Some(libc::EPERM) => SteerError::Privileges { operation: "creating a BPF map" },
        _ => SteerError::Load(chain(&error)),
    }
}

pub(super) fn verifier_error(error: ProgramError) -> SteerError {
    match &error {
        ProgramError::LoadError { io_error, .. } if io_error.raw_os_error() == Some(libc::EPERM) => {
            SteerError::Privileges { operation: "loading an XDP program" }
        }
        // The verifier's log is long; its last lines say why.
        ProgramError::LoadError { io_error, verifier_log } => {
            let log = verifier_log.to_string();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines[lines.len().saturating_sub(4)..].join("; ");
            SteerError::Load(format!("{io_error}: {tail}"))
        }
        _ => SteerError::Load(chain(&error)),
    }
}

pub(super) fn attach_error(error: ProgramError, interface: &Interface, hook: Hook) -> SteerError {
    let errno = match &error {
        ProgramError::SyscallError(error) => error.io_error.raw_os_error(),
        ProgramError::XdpError(XdpError::NetlinkError(error)) => error.raw_os_error(),
        _ => None,
    };
    let name = interface.name.clone();
    let hook = match hook {
        Hook::Driver => "driver",
        Hook::Skb => "skb",
    };
    match errno {
        Some(libc::EPERM) => SteerError::Privileges { operation: "attaching an XDP program" },
        // EEXIST: the other hook, or an upper device, has a program.
        Some(libc::EBUSY | libc::EEXIST) => {
            SteerError::Occupied { owner: owner(interface.index), interface: name }
        }
        Some(libc::ERANGE) => SteerError::Mtu { interface: name, mtu: interface.mtu },
        Some(libc::ENOSPC) => SteerError::Queues {
            interface: name,
            driver: interface.driver.clone().unwrap_or_else(|| "unknown".to_owned()),
            rx: interface.rx_queues,
            tx: interface.tx_queues,
            half: (interface.rx_queues.max(interface.tx_queues) / 2).max(1),
        },
        Some(libc::EOPNOTSUPP | libc::EINVAL) => {
            SteerError::Unsupported { interface: name, hook, error: chain(&error) }
        }
        Some(libc::ENODEV) => SteerError::Gone { interface: name },
        _ => SteerError::Attach { interface: name, error: chain(&error) },
    }
}

/// Who holds the hook of an interface, as far as the kernel tells.
fn owner(interface: u32) -> Option<Owner> {
    let links = Watch::open().ok()?.links().ok()?;
    let link = links.into_iter().find(|link| link.index == interface)?;
    let program_id = *link.xdp_program_ids.first()?;
    let program = loaded_programs().flatten().find(|program| program.id() == program_id);
    let link = loaded_links().flatten().find(|link| link.program_id() == program_id);
    Some(Owner {
        program_id,
        program_name: program.and_then(|program| program.name_as_str().map(str::to_owned)),
        link_id: link.map(|link| link.id()),
    })
}

/// An error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}
