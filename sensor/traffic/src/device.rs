//! A person's computer or telephone, as VPN servers tell of it.

/// A device. Which of it a vendor sends is said in `vendors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name in the network.
    pub name: String,
    /// Its hardware address.
    pub hardware: String,
    /// Maker and model.
    pub model: String,
    /// The operating system, in AnyConnect's words: `win`, `mac-intel`, `apple-ios`.
    pub platform: String,
    /// The operating system's version.
    pub platform_version: String,
    /// What AnyConnect calls itself there.
    pub agent: String,
}

impl Device {
    /// A laptop with Windows. Its hardware address is marked as locally administered: no maker gave it to anybody.
    pub fn windows(name: String, last_octet: u8) -> Device {
        Device {
            name,
            hardware: format!("02-00-5e-00-53-{last_octet:02x}"),
            model: "Example, Inc. Laptop 15".to_owned(),
            platform: "win".to_owned(),
            platform_version: "10.0.19041".to_owned(),
            agent: "AnyConnect Windows 4.10.04065".to_owned(),
        }
    }
    /// A telephone with iOS, and a hardware address of the same kind.
    pub fn telephone(name: String, last_octet: u8) -> Device {
        Device {
            name,
            hardware: format!("02-00-5e-00-54-{last_octet:02x}"),
            model: "Example, Inc. Phone 9".to_owned(),
            platform: "apple-ios".to_owned(),
            platform_version: "17.4".to_owned(),
            agent: "AnyConnect AppleSSLVPN_Darwin_ARM (iPhone) 4.10.08116".to_owned(),
        }
    }
}
