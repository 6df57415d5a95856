//! What a network interface is and has: asked of the kernel by `ioctl`, and of sysfs where that has no answer.
//!
//! All `ioctl`s go to the network namespace of the calling thread; sysfs shows the namespace it was mounted in.

mod ethtool;
mod interrupts;

use std::{fs, io, path::Path};

pub use self::{
    ethtool::{Channels, Features},
    interrupts::{queue_cpus, queue_interrupt},
};

/// Why an interface cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("interface {name}: {operation}: {error}")]
pub struct NicError {
    /// Its name.
    pub name: String,
    /// What was asked.
    pub operation: &'static str,
    /// What the kernel said.
    pub error: io::Error,
}

/// A network interface, as it was when asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its index, which outlives a renaming.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// The driver's name, where there is one (`lo` has none).
    pub driver: Option<String>,
    /// MTU in octets, without the link header.
    pub mtu: u32,
    /// Queues that packets arrive on.
    pub rx_queues: u32,
    /// Queues that packets leave by. A socket on a queue beyond them cannot send.
    pub tx_queues: u32,
    /// Most receive queues the device can be set to (`ethtool -L`); at least `rx_queues`. Size maps by this.
    pub max_rx_queues: u32,
    /// The NUMA node of the device, where it has one.
    pub numa_node: Option<u32>,
    /// Administratively up.
    pub up: bool,
}

impl Interface {
    /// Asks the kernel about the interface of that name in this thread's network namespace.
    pub fn query(name: &str) -> Result<Interface, NicError> {
        let at = |operation| move |error| NicError { name: name.to_owned(), operation, error };
        let control = ethtool::Control::open(name).map_err(at("opening a control socket"))?;
        let index = control.index().map_err(at("looking for it"))?;
        let mtu = control.mtu().map_err(at("asking for its MTU"))?;
        let up = control.is_up().map_err(at("asking for its flags"))?;
        let channels = control.channels().ok();
        let sysfs = Path::new("/sys/class/net").join(name);
        let (rx_queues, tx_queues) =
            queue_counts(channels.as_ref(), count_queues(&sysfs, "rx-"), count_queues(&sysfs, "tx-"));
        let max_rx_queues = channels
            .map_or(0, |channels| channels.max_rx.saturating_add(channels.max_combined))
            .max(rx_queues);
        Ok(Interface {
            index,
            name: name.to_owned(),
            driver: control.driver().ok().filter(|driver| !driver.is_empty()),
            mtu,
            rx_queues,
            tx_queues,
            max_rx_queues,
            numa_node: numa_node(&sysfs),
            up,
        })
    }

    /// Queues that can both receive and answer: those that get a socket. The kernel's own path serves the others.
    pub fn queues(&self) -> u32 {
        self.rx_queues.min(self.tx_queues)
    }

    /// Asks for the interface's offloads; see [`Features::active`].
    pub fn features(&self) -> Result<Features, NicError> {
        let at = |operation| move |error| NicError { name: self.name.clone(), operation, error };
        let control = ethtool::Control::open(&self.name).map_err(at("opening a control socket"))?;
        control.features().map_err(at("asking for its offloads"))
    }
}

/// Receive and transmit queues. A device has combined channels, separate ones, or some of both, or cannot say; every
/// device has at least one of each.
fn queue_counts(channels: Option<&Channels>, sysfs_rx: u32, sysfs_tx: u32) -> (u32, u32) {
    let (rx, tx) = channels.map_or((0, 0), |channels| {
        (channels.rx.saturating_add(channels.combined), channels.tx.saturating_add(channels.combined))
    });
    let or = |count: u32, sysfs: u32| if count > 0 { count } else { sysfs.max(1) };
    (or(rx, sysfs_rx), or(tx, sysfs_tx))
}

fn count_queues(sysfs: &Path, prefix: &str) -> u32 {
    let Ok(entries) = fs::read_dir(sysfs.join("queues")) else { return 0 };
    entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix)).count() as u32
}

/// The node of the device; -1, as virtual machines say, is none.
fn numa_node(sysfs: &Path) -> Option<u32> {
    fs::read_to_string(sysfs.join("device/numa_node")).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channels(rx: u32, tx: u32, combined: u32) -> Option<Channels> {
        Some(Channels { rx, tx, combined, max_rx: 8, max_combined: 16 })
    }

    #[test]
    fn queues_are_counted_for_every_kind_of_channel() {
        for (name, channels, sysfs, counts) in [
            ("combined only", channels(0, 0, 4), (4, 4), (4, 4)),
            ("separate only", channels(2, 3, 0), (2, 3), (2, 3)),
            ("mixed", channels(1, 0, 4), (5, 4), (5, 4)),
            ("transmit not told", channels(2, 0, 0), (2, 5), (2, 5)),
            ("not supported", None, (3, 2), (3, 2)),
            ("nothing known", None, (0, 0), (1, 1)),
            ("absurd", channels(u32::MAX, 1, u32::MAX), (1, 1), (u32::MAX, u32::MAX)),
        ] {
            assert_eq!(queue_counts(channels.as_ref(), sysfs.0, sysfs.1), counts, "{name}");
        }
    }

    #[test]
    fn loopback_is_described() {
        let lo = Interface::query("lo").unwrap();
        assert_eq!((lo.index, lo.rx_queues, lo.tx_queues, lo.queues()), (1, 1, 1, 1));
        assert!(lo.mtu >= 1500);
        assert_eq!((lo.driver, lo.numa_node), (None, None));
    }

    #[test]
    fn an_absent_interface_is_named_in_the_error() {
        let error = Interface::query("absent0").unwrap_err();
        assert_eq!(error.error.raw_os_error(), Some(libc::ENODEV), "{error}");
        assert!(error.to_string().contains("absent0"), "{error}");
        assert!(Interface::query("a-name-that-is-too-long").is_err());
    }

    #[test]
    fn features_are_told_by_name() {
        let features = Interface::query("lo").unwrap().features().unwrap();
        assert_eq!(features.active("loopback"), Some(true), "a fixed feature of lo");
        assert_eq!(features.active("rx-udp-gro-forwarding"), Some(false));
        assert_eq!(features.active("no-such-feature"), None);
    }
}
