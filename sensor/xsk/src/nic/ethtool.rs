//! The `ioctl`s of `SIOCETHTOOL` and their siblings.

use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

const ETHTOOL_GDRVINFO: u32 = 0x03;
const ETHTOOL_GSTRINGS: u32 = 0x1b;
const ETHTOOL_GSSET_INFO: u32 = 0x37;
const ETHTOOL_GFEATURES: u32 = 0x3a;
const ETHTOOL_GCHANNELS: u32 = 0x3c;
const ETH_SS_FEATURES: u32 = 4;
const ETH_GSTRING_LENGTH: usize = 32;
/// Features there are at most (about 64 today): bounds what the kernel may make us read.
const MOST_FEATURES: usize = 512;

/// Channel counts of `ETHTOOL_GCHANNELS`. Any of them may be zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Channels {
    /// Receive only.
    pub rx: u32,
    /// Transmit only.
    pub tx: u32,
    /// Both.
    pub combined: u32,
    /// Most that `rx` can be set to.
    pub max_rx: u32,
    /// Most that `combined` can be set to.
    pub max_combined: u32,
}

/// The offloads of an interface and whether they are on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features(Vec<(String, bool)>);

impl Features {
    /// Whether the feature is on, by the name that `ethtool -k` gives it in the kernel: `rx-udp-gro-forwarding`,
    /// `rx-vlan-hw-parse`, `rx-gro-hw`, `rx-lro`. `None`: this kernel does not know it.
    pub fn active(&self, name: &str) -> Option<bool> {
        self.0.iter().find(|(feature, _)| feature == name).map(|(_, active)| *active)
    }
}

/// A socket to ask about one interface through.
pub(super) struct Control {
    fd: OwnedFd,
    name: [libc::c_char; libc::IFNAMSIZ],
}

impl Control {
    pub(super) fn open(interface: &str) -> io::Result<Control> {
        let mut name = [0; libc::IFNAMSIZ];
        // One octet stays zero.
        if interface.len() >= name.len() || interface.is_empty() {
            return Err(io::Error::from_raw_os_error(libc::ENODEV));
        }
        for (to, from) in name.iter_mut().zip(interface.bytes()) {
            *to = from as libc::c_char;
        }
        // SAFETY: takes no memory of ours.
        let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just created, and nobody else's.
        Ok(Control { fd: unsafe { OwnedFd::from_raw_fd(fd) }, name })
    }

    pub(super) fn index(&self) -> io::Result<u32> {
        let request = self.request(libc::SIOCGIFINDEX)?;
        // SAFETY: SIOCGIFINDEX fills this member.
        Ok(unsafe { request.ifr_ifru.ifru_ifindex } as u32)
    }

    pub(super) fn mtu(&self) -> io::Result<u32> {
        let request = self.request(libc::SIOCGIFMTU)?;
        // SAFETY: SIOCGIFMTU fills this member.
        Ok(unsafe { request.ifr_ifru.ifru_mtu } as u32)
    }

    pub(super) fn is_up(&self) -> io::Result<bool> {
        let request = self.request(libc::SIOCGIFFLAGS)?;
        // SAFETY: SIOCGIFFLAGS fills this member.
        Ok(i32::from(unsafe { request.ifr_ifru.ifru_flags }) & libc::IFF_UP != 0)
    }

    /// A request whose answer is in the `ifreq` itself.
    fn request(&self, code: libc::c_ulong) -> io::Result<libc::ifreq> {
        // SAFETY: `ifreq` is integers, arrays of them and a pointer: zero is a value.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        request.ifr_name = self.name;
        // SAFETY: the codes used here read and write an `ifreq` only, which is valid during the call.
        let result = unsafe { libc::ioctl(self.fd.as_raw_fd(), code as _, &raw mut request) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(request) }
    }

    /// A request whose answer is written over `words`, the first of which is the ethtool command.
    ///
    /// # Safety
    /// `words` is as long as what the kernel writes for that command.
    unsafe fn ethtool(&self, words: &mut [u32]) -> io::Result<()> {
        // SAFETY: as in `request`.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        request.ifr_name = self.name;
        request.ifr_ifru.ifru_data = words.as_mut_ptr().cast();
        // SAFETY: the kernel writes within `words`, as the caller promises.
        let result = unsafe { libc::ioctl(self.fd.as_raw_fd(), libc::SIOCETHTOOL as _, &raw mut request) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    pub(super) fn channels(&self) -> io::Result<Channels> {
        // cmd, max_rx, max_tx, max_other, max_combined, rx, tx, other, combined
        let mut words = [0u32; 9];
        words[0] = ETHTOOL_GCHANNELS;
        // SAFETY: `struct ethtool_channels` is nine words.
        unsafe { self.ethtool(&mut words) }?;
        Ok(Channels {
            rx: words[5],
            tx: words[6],
            combined: words[8],
            max_rx: words[1],
            max_combined: words[4],
        })
    }

    pub(super) fn driver(&self) -> io::Result<String> {
        // cmd, driver[32], version[32], fw_version[32], bus_info[32], erom_version[32], reserved2[12], five words
        let mut words = [0u32; (4 + 5 * 32 + 12 + 5 * 4) / 4];
        words[0] = ETHTOOL_GDRVINFO;
        // SAFETY: `struct ethtool_drvinfo` is 196 octets.
        unsafe { self.ethtool(&mut words) }?;
        Ok(text(&words[1..9]))
    }

    pub(super) fn features(&self) -> io::Result<Features> {
        // cmd, reserved, sset_mask (64 bits), data[1]
        let mut info = [0u32; 5];
        info[0] = ETHTOOL_GSSET_INFO;
        let (low, high) = if cfg!(target_endian = "little") { (2, 3) } else { (3, 2) };
        (info[low], info[high]) = (1 << ETH_SS_FEATURES, 0);
        // SAFETY: `struct ethtool_sset_info` with one set in the mask is five words.
        unsafe { self.ethtool(&mut info) }?;
        let count = (info[4] as usize).min(MOST_FEATURES);

        // cmd, string_set, len, data[len][32]. The kernel writes all strings it has: room for the most, twice over.
        let words_of_name = ETH_GSTRING_LENGTH / 4;
        let mut names = vec![0u32; 3 + 2 * MOST_FEATURES * words_of_name];
        (names[0], names[1], names[2]) = (ETHTOOL_GSTRINGS, ETH_SS_FEATURES, count as u32);
        // SAFETY: `struct ethtool_gstrings` with room for far more strings than were counted above.
        unsafe { self.ethtool(&mut names) }?;

        // cmd, size in blocks, blocks of { available, requested, active, never_changed } for 32 features each
        let blocks = count.div_ceil(32);
        let mut values = vec![0u32; 2 + 4 * blocks];
        (values[0], values[1]) = (ETHTOOL_GFEATURES, blocks as u32);
        // SAFETY: `struct ethtool_gfeatures` with the number of blocks that it is told; the kernel writes no more.
        unsafe { self.ethtool(&mut values) }?;

        Ok(Features(
            (0..count)
                .map(|n| {
                    let name = text(&names[3 + n * words_of_name..][..words_of_name]);
                    (name, values[2 + 4 * (n / 32) + 2] & (1 << (n % 32)) != 0)
                })
                .filter(|(name, _)| !name.is_empty())
                .collect(),
        ))
    }
}

/// The text in an array of characters, up to the first zero.
fn text(words: &[u32]) -> String {
    let octets: Vec<u8> =
        words.iter().flat_map(|word| word.to_ne_bytes()).take_while(|octet| *octet != 0).collect();
    String::from_utf8_lossy(&octets).into_owned()
}
