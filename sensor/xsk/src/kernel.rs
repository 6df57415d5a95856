//! The running kernel's release, and what must not be done on which.

use std::{ffi::CStr, fmt, io};

/// Major and minor version of a Linux release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KernelRelease {
    /// 6 of 6.12.5.
    pub major: u32,
    /// 12 of 6.12.5.
    pub minor: u32,
}

/// Release lines in which a reply sent in copy mode can panic the host: from commit 30f241fcf52a to its
/// correction 0ebc27a4c67d, `skb->cb` is reused by the stack before `xsk_destruct_skb` reads it (veth).
const COPY_MODE_TRANSMIT_PANICS: [KernelRelease; 2] =
    [KernelRelease { major: 6, minor: 16 }, KernelRelease { major: 6, minor: 17 }];

impl KernelRelease {
    /// The oldest release that capture over XDP supports: before it, map operations fail once capabilities are
    /// dropped on hosts that forbid unprivileged BPF.
    pub const OLDEST_FOR_XDP: KernelRelease = KernelRelease { major: 6, minor: 1 };

    /// Asks the running kernel.
    pub fn running() -> io::Result<KernelRelease> {
        // SAFETY: `utsname` is arrays of characters, for which zero is a value.
        let mut names: libc::utsname = unsafe { std::mem::zeroed() };
        // SAFETY: `names` is valid for writes during the call.
        if unsafe { libc::uname(&raw mut names) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel ends each of the arrays with a zero octet.
        let release = unsafe { CStr::from_ptr(names.release.as_ptr()) };
        KernelRelease::parse(&release.to_string_lossy())
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("kernel release {release:?}")))
    }

    /// Reads the first two numbers of a release such as `6.12.5-amd64`.
    pub fn parse(release: &str) -> Option<KernelRelease> {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit());
        Some(KernelRelease { major: numbers.next()?.parse().ok()?, minor: numbers.next()?.parse().ok()? })
    }

    /// Whether copy-mode transmit must be refused here.
    pub fn copy_mode_transmit_panics(self) -> bool {
        COPY_MODE_TRANSMIT_PANICS.contains(&self)
    }
}

impl fmt::Display for KernelRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_parsed_and_ordered() {
        let release = |text| KernelRelease::parse(text).unwrap();
        assert_eq!(release("6.18.44-fc-v595"), KernelRelease { major: 6, minor: 18 });
        assert_eq!(release("6.1.0-13-amd64").to_string(), "6.1");
        assert_eq!(release("7.0-rc3").to_string(), "7.0");
        assert!(release("5.15.0") < KernelRelease::OLDEST_FOR_XDP && release("6.10.1") > release("6.9.12"));
        assert_eq!(KernelRelease::parse("unknown"), None);
        assert!(KernelRelease::running().unwrap() >= KernelRelease { major: 4, minor: 18 });
    }

    #[test]
    fn copy_mode_transmit_is_refused_exactly_where_it_panics() {
        let refused: Vec<&str> = ["6.15.9", "6.16.0", "6.16.12", "6.17.3", "6.18.0", "6.1.16", "5.17.1"]
            .into_iter()
            .filter(|text| KernelRelease::parse(text).unwrap().copy_mode_transmit_panics())
            .collect();
        assert_eq!(refused, ["6.16.0", "6.16.12", "6.17.3"]);
    }
}
