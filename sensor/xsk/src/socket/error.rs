//! Why a socket could not be opened: which queue, which step, what the kernel said, and what to do about it.

use std::{fmt, io};

use super::Binding;

/// A step of a socket's set-up, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The options contradict each other; says how.
    Options(&'static str),
    /// `socket(AF_XDP)`.
    Create,
    /// `mmap` of the UMEM.
    MapUmem {
        /// Its size.
        octets: usize,
    },
    /// `XDP_UMEM_REG`, which pins the memory.
    RegisterUmem {
        /// The UMEM's size.
        octets: usize,
        /// `RLIMIT_MEMLOCK`; `None`: unlimited.
        limit: Option<u64>,
    },
    /// Setting the size of the named ring.
    SizeRing(&'static str),
    /// `XDP_MMAP_OFFSETS`, or the `mmap` of the named ring.
    MapRing(&'static str),
    /// `bind`, after all retries if the queue was busy.
    Bind(Binding),
    /// `XDP_OPTIONS`.
    ReadOptions,
    /// The kernel bound the socket, but not as asked.
    Granted(Binding),
    /// The first call into the driver's transmit path.
    TestKick,
}

/// A socket could not be opened.
#[derive(Debug)]
pub struct SocketError {
    /// The interface's name.
    pub interface: String,
    /// The queue on it.
    pub queue: u32,
    /// What failed.
    pub step: Step,
    /// What the kernel said.
    pub error: io::Error,
}

impl std::error::Error for SocketError {}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} queue {}: ", self.interface, self.queue)?;
        match &self.step {
            Step::Options(what) => return f.write_str(what),
            Step::Create => write!(f, "creating an AF_XDP socket: {}", self.error)?,
            Step::MapUmem { octets } => {
                write!(f, "mapping {octets} octets of packet memory: {}", self.error)?
            }
            Step::RegisterUmem { octets, .. } => {
                write!(f, "pinning {octets} octets of packet memory: {}", self.error)?
            }
            Step::SizeRing(ring) => write!(f, "sizing the {ring} ring: {}", self.error)?,
            Step::MapRing(ring) => write!(f, "mapping the {ring} ring: {}", self.error)?,
            Step::Bind(binding) => write!(f, "binding in {binding} mode: {}", self.error)?,
            Step::ReadOptions => write!(f, "asking for the mode: {}", self.error)?,
            Step::Granted(binding) => {
                write!(f, "the kernel bound the socket in {binding} mode, which was not asked for")?
            }
            Step::TestKick => write!(f, "the first transmit call: {}", self.error)?,
        }
        match self.advice() {
            Some(advice) => write!(f, " ({advice})"),
            None => Ok(()),
        }
    }
}

impl SocketError {
    /// What the operator can do.
    fn advice(&self) -> Option<String> {
        let code = self.error.raw_os_error()?;
        Some(match (&self.step, code) {
            (Step::Create, libc::EPERM) => "CAP_NET_RAW is missing".into(),
            (Step::Create, libc::EAFNOSUPPORT) => "this kernel is built without CONFIG_XDP_SOCKETS".into(),
            (Step::RegisterUmem { octets, limit }, libc::ENOBUFS | libc::ENOMEM) => match limit {
                Some(limit) => format!(
                    "RLIMIT_MEMLOCK is {limit} octets for all sockets of this user: raise it by at least {octets} a \
                     queue, LimitMEMLOCK=infinity in the unit, grant CAP_IPC_LOCK, or set a smaller listen.ring"
                ),
                None => "the host is out of memory".into(),
            },
            (Step::Bind(_), libc::EBUSY) => {
                "another socket holds this queue: stop the other program, or wait until the kernel has taken it down"
                    .into()
            }
            (Step::Bind(Binding::ZeroCopy), libc::EOPNOTSUPP | libc::EINVAL) => {
                "the driver has no zero-copy for this queue".into()
            }
            (Step::Bind(_), libc::EINVAL) => {
                format!("does the interface have a queue {}? Compare ethtool -l", self.queue)
            }
            (Step::Bind(_), libc::ENODEV) => "the interface is gone".into(),
            (Step::TestKick, libc::ENXIO) => "the driver has no XDP transmit path while this program is attached".into(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_interface_queue_and_remedy() {
        let text = |step, code| {
            let error = io::Error::from_raw_os_error(code);
            SocketError { interface: "eth7".into(), queue: 3, step, error }.to_string()
        };
        let memory = text(Step::RegisterUmem { octets: 8 << 20, limit: Some(65536) }, libc::ENOBUFS);
        assert!(
            memory.contains("eth7 queue 3")
                && memory.contains("8388608")
                && memory.contains("65536 octets")
                && memory.contains("listen.ring"),
            "{memory}"
        );
        assert!(text(Step::Bind(Binding::Copy), libc::EBUSY).contains("another socket holds this queue"));
        assert!(text(Step::Create, libc::EPERM).contains("CAP_NET_RAW"));
        assert!(text(Step::Options("too small"), 0).ends_with("too small"));
    }
}
