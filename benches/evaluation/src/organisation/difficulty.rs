//! What makes usual life look unusual.

use serde::{Deserialize, Serialize};

/// A reason why a genuine connection differs from those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difficulty {
    /// The home line has an address that it did not have at the user's last connection.
    DynamicLine,
    /// In the first days with another provider at home.
    IspChange,
    /// In the first days in another house: the same provider, another region.
    MovedHouse,
    /// In the first days with a laptop that replaces the old one.
    NewLaptop,
    /// With a second device.
    SecondDevice,
    /// In the first days with another version of the client.
    SoftwareUpgrade,
    /// On holiday in another country.
    HolidayAbroad,
    /// On a business trip, in the country or abroad.
    BusinessTrip,
    /// Over the phone of the user.
    Tethering,
    /// Over a hotel's network.
    HotelWifi,
    /// The carrier moved the user to another address, and the tunnel was built anew.
    CarrierNat,
    /// The VPN server failed, and everybody on it came back through another one.
    GatewayFailover,
    /// At a device that many people use.
    SharedKiosk,
    /// From the IPv6 address of a line that has both.
    DualStack,
    /// On the Monday on which everybody works at home.
    HomeOfficeMonday,
    /// In the first days after half of the organisation got lines of another provider in one night.
    ProviderSwitch,
    /// At night or very early.
    OddHours,
    /// The connection before it has no Stop.
    MissedStop,
    /// In a café, at a friend's, in a shared office.
    PublicWifi,
    /// The user's own VPN service is in front of the organisation's.
    CommercialVpn,
    /// In the first days after the databases came to have the network of the user's line in another country.
    GeoUpdate,
    /// In the first days of a new member.
    NewMember,
}

impl Difficulty {
    /// All of them.
    pub const ALL: [Difficulty; 22] = [
        Difficulty::DynamicLine,
        Difficulty::IspChange,
        Difficulty::MovedHouse,
        Difficulty::NewLaptop,
        Difficulty::SecondDevice,
        Difficulty::SoftwareUpgrade,
        Difficulty::HolidayAbroad,
        Difficulty::BusinessTrip,
        Difficulty::Tethering,
        Difficulty::HotelWifi,
        Difficulty::CarrierNat,
        Difficulty::GatewayFailover,
        Difficulty::SharedKiosk,
        Difficulty::DualStack,
        Difficulty::HomeOfficeMonday,
        Difficulty::ProviderSwitch,
        Difficulty::OddHours,
        Difficulty::MissedStop,
        Difficulty::PublicWifi,
        Difficulty::CommercialVpn,
        Difficulty::GeoUpdate,
        Difficulty::NewMember,
    ];

    /// A few words.
    pub fn name(self) -> &'static str {
        match self {
            Difficulty::DynamicLine => "dynamic home line",
            Difficulty::IspChange => "provider changed",
            Difficulty::MovedHouse => "moved house",
            Difficulty::NewLaptop => "new laptop",
            Difficulty::SecondDevice => "second device",
            Difficulty::SoftwareUpgrade => "client upgraded",
            Difficulty::HolidayAbroad => "holiday abroad",
            Difficulty::BusinessTrip => "business trip",
            Difficulty::Tethering => "phone tethering",
            Difficulty::HotelWifi => "hotel Wi-Fi",
            Difficulty::CarrierNat => "carrier NAT hopping",
            Difficulty::GatewayFailover => "VPN server failed over",
            Difficulty::SharedKiosk => "shared kiosk",
            Difficulty::DualStack => "dual stack",
            Difficulty::HomeOfficeMonday => "mass home-office Monday",
            Difficulty::ProviderSwitch => "half the organisation changed provider",
            Difficulty::OddHours => "odd hours",
            Difficulty::MissedStop => "missed Stop before",
            Difficulty::PublicWifi => "public Wi-Fi",
            Difficulty::CommercialVpn => "own VPN service",
            Difficulty::GeoUpdate => "geolocation update",
            Difficulty::NewMember => "new member",
        }
    }
}
