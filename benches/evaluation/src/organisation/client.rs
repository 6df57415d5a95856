//! VPN servers and what they tell of clients: which names of devices, which software.

use serde::{Deserialize, Serialize};

use crate::chance::Chance;

/// What kind of VPN server; each tells other things of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vendor {
    /// Cisco ASA: an identifier of the device and the client's version.
    Asa,
    /// Microsoft RRAS: the computer's name; the client's version is that of Windows and hardly ever changes.
    Rras,
    /// Palo Alto GlobalProtect: the computer's name and the client's version.
    GlobalProtect,
    /// ocserv: the client's version, no device.
    Ocserv,
    /// F5: neither.
    F5,
}

impl Vendor {
    /// All.
    pub const ALL: [Vendor; 5] =
        [Vendor::Asa, Vendor::Rras, Vendor::GlobalProtect, Vendor::Ocserv, Vendor::F5];

    /// How a client of this kind is called in names.
    pub fn word(self) -> &'static str {
        match self {
            Vendor::Asa => "asa",
            Vendor::Rras => "rras",
            Vendor::GlobalProtect => "gp",
            Vendor::Ocserv => "ocserv",
            Vendor::F5 => "f5",
        }
    }

    /// Whether it can tell devices apart.
    pub fn tells_devices(self) -> bool {
        matches!(self, Vendor::Asa | Vendor::Rras | Vendor::GlobalProtect)
    }

    /// The name of a device that has this number.
    pub fn device(self, key: u64, system: System) -> Option<String> {
        let short = key >> 40;
        match self {
            Vendor::Asa => Some(format!("{key:016X}{:016X}", key.rotate_left(23) ^ 0x5bd1_e995)),
            Vendor::Rras | Vendor::GlobalProtect => Some(match system {
                System::Windows => format!("LAPTOP-{short:06X}"),
                System::Mac => format!("MacBook-{short:06X}"),
                System::Linux => format!("ws-{short:06x}"),
                System::Phone => format!("iPhone-{short:06X}"),
            }),
            Vendor::Ocserv | Vendor::F5 => None,
        }
    }

    /// What the client calls itself at this step of the rollouts (0 to 3).
    pub fn software(self, system: System, step: usize) -> Option<String> {
        let version = |versions: [&'static str; 4]| versions[step.min(3)];
        match self {
            Vendor::Asa => {
                let version = version(["5.1.2.42", "5.1.4.74", "5.1.6.103", "5.1.8.105"]);
                Some(match system {
                    System::Windows => format!("AnyConnect Windows {version}"),
                    System::Mac => format!("AnyConnect Darwin_i386 {version}"),
                    System::Linux => format!("AnyConnect Linux_64 {version}"),
                    System::Phone => format!("AnyConnect AppleSSLVPN_Darwin_ARM (iPhone) {version}"),
                })
            }
            Vendor::Rras => Some("MSRASV5.20".to_owned()),
            Vendor::GlobalProtect => Some(format!(
                "GlobalProtect {}",
                version(["6.2.1-132", "6.2.3-270", "6.2.4-652", "6.3.1-383"])
            )),
            Vendor::Ocserv => {
                let version = version(["v9.01", "v9.12", "v9.12-12", "v9.20"]);
                Some(match system {
                    System::Windows => format!("OpenConnect-GUI {version} Windows"),
                    System::Mac | System::Phone => format!("Open AnyConnect VPN Agent {version} mac"),
                    System::Linux => format!("OpenConnect VPN Agent (NetworkManager) {version}"),
                })
            }
            Vendor::F5 => None,
        }
    }
}

/// What runs on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Windows.
    Windows,
    /// macOS.
    Mac,
    /// Linux.
    Linux,
    /// A phone or a tablet.
    Phone,
}

/// A device.
#[derive(Clone, Debug)]
pub struct Device {
    /// What its name is made of.
    pub key: u64,
    /// What runs on it.
    pub system: System,
    /// Whether its VPN client tells a name at all.
    pub tells_name: bool,
    /// Days after the day of a rollout on which this device gets the new version.
    pub delay_days: [i64; 3],
}

impl Device {
    /// A laptop as an organisation hands it out.
    pub fn laptop(chance: &mut Chance, names: f64) -> Device {
        let system = [System::Windows, System::Mac, System::Linux][chance.weighted(&[0.78, 0.17, 0.05])];
        Device::new(system, chance, names)
    }

    /// A device with this system. `names`: how probably it tells its name.
    pub fn new(system: System, chance: &mut Chance, names: f64) -> Device {
        let key = chance.next();
        let tells_name = chance.happens(names);
        // Most get it within ten days, some when they are next switched on.
        let delay_days =
            [(); 3].map(|()| if chance.happens(0.9) { chance.between(0, 9) } else { chance.between(10, 30) });
        Device { key, system, tells_name, delay_days }
    }

    /// How many rollouts have come to it.
    pub fn step(&self, rollouts: &[i64], day: i64) -> usize {
        rollouts.iter().zip(self.delay_days).filter(|(rollout, delay)| **rollout + delay <= day).count()
    }
}
