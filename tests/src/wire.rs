//! A veth pair between a namespace with the sensor and one with its clients.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Namespace;

/// The device at the sensor's end.
pub const SENSOR_DEVICE: &str = "sensor0";
/// The device at the clients' end.
pub const NAS_DEVICE: &str = "nas0";
/// The sensor's address.
pub const SENSOR_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The first client's address; more of 192.0.2.0/24 can be added.
pub const NAS_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
/// The sensor's IPv6 address.
pub const SENSOR_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
/// The first client's IPv6 address.
pub const NAS_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x10);

/// Two namespaces and the veth pair between them, gone when dropped.
pub struct Wire {
    /// Where the sensor runs, on `sensor0`.
    pub sensor: Namespace,
    /// Where the clients are, on `nas0`.
    pub nas: Namespace,
    /// Receive queues of each end.
    pub queues: u32,
}

impl Wire {
    /// A wire with one queue.
    #[track_caller]
    pub fn new() -> Wire {
        Wire::with_queues(1)
    }

    /// A wire with `queues` queues at both ends.
    #[track_caller]
    pub fn with_queues(queues: u32) -> Wire {
        let wire = Wire { sensor: Namespace::new("sensor"), nas: Namespace::new("nas"), queues };
        wire.connect();
        wire
    }

    /// Makes the veth pair and its addresses; for tests that have deleted the device before.
    #[track_caller]
    pub fn connect(&self) {
        let queues = format!("numtxqueues {0} numrxqueues {0}", self.queues);
        let nas = self.nas.name();
        self.sensor.ip(&format!(
            "link add {SENSOR_DEVICE} {queues} type veth peer name {NAS_DEVICE} {queues} netns {nas}"
        ));
        for (namespace, device, v4, v6) in
            [(&self.sensor, SENSOR_DEVICE, SENSOR_V4, SENSOR_V6), (&self.nas, NAS_DEVICE, NAS_V4, NAS_V6)]
        {
            namespace.ip(&format!("address add {v4}/24 dev {device}"));
            // Without duplicate address detection the address is of use at once.
            namespace.ip(&format!("address add {v6}/64 dev {device} nodad"));
            namespace.ip(&format!("link set {device} up"));
        }
        self.restore_neighbours();
    }

    /// Makes each end know the other's hardware address from the start, so that no datagram waits for an answer of the
    /// neighbour. A link that goes down forgets it, and the IPv6 address as well.
    #[track_caller]
    pub fn restore_neighbours(&self) {
        for (namespace, device, other, peer) in [
            (&self.sensor, SENSOR_DEVICE, &self.nas, NAS_DEVICE),
            (&self.nas, NAS_DEVICE, &self.sensor, SENSOR_DEVICE),
        ] {
            let [v4, v6]: [IpAddr; 2] = match device {
                SENSOR_DEVICE => [NAS_V4.into(), NAS_V6.into()],
                _ => [SENSOR_V4.into(), SENSOR_V6.into()],
            };
            let mac = colons(other.mac(peer));
            for address in [v4, v6] {
                namespace.ip(&format!("neighbour replace {address} lladdr {mac} dev {device} nud permanent"));
            }
        }
    }

    /// Gives the clients' end one more address, known to the sensor's end.
    #[track_caller]
    pub fn add_nas_address(&self, address: IpAddr) {
        let length = if address.is_ipv4() { 24 } else { 64 };
        let nodad = if address.is_ipv4() { "" } else { "nodad" };
        self.nas.ip(&format!("address add {address}/{length} dev {NAS_DEVICE} {nodad}"));
        let mac = colons(self.nas_mac());
        self.sensor
            .ip(&format!("neighbour replace {address} lladdr {mac} dev {SENSOR_DEVICE} nud permanent"));
    }

    /// The hardware address of the sensor's end.
    pub fn sensor_mac(&self) -> [u8; 6] {
        self.sensor.mac(SENSOR_DEVICE)
    }

    /// The hardware address of the clients' end.
    pub fn nas_mac(&self) -> [u8; 6] {
        self.nas.mac(NAS_DEVICE)
    }

    /// Binds each transmit queue of the clients' end to one CPU: what a thread that is pinned to CPU n sends, arrives in
    /// receive queue n.
    #[track_caller]
    pub fn steer_queues_by_cpu(&self) {
        for queue in 0..self.queues {
            let path = format!("/sys/class/net/{NAS_DEVICE}/queues/tx-{queue}/xps_cpus");
            let mut command = self.nas.command("sh");
            command.args(["-c", &format!("echo {:x} > {path}", 1_u32 << queue)]);
            let output = crate::tools::output(&mut command);
            assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

impl Default for Wire {
    fn default() -> Wire {
        Wire::new()
    }
}

impl Namespace {
    /// The hardware address of a device.
    #[track_caller]
    pub fn mac(&self, device: &str) -> [u8; 6] {
        let links: serde_json::Value =
            serde_json::from_str(&self.ip(&format!("-json link show dev {device}"))).expect("JSON from ip");
        let text = links[0]["address"].as_str().expect("a hardware address");
        let octets: Vec<u8> =
            text.split(':').map(|octet| u8::from_str_radix(octet, 16).expect("hexadecimal")).collect();
        octets.try_into().expect("six octets")
    }

    /// Sets a sysctl of this namespace, such as `net/ipv4/ip_forward`.
    #[track_caller]
    pub fn sysctl(&self, key: &str, value: &str) {
        self.enter(|| {
            fs::write(format!("/proc/sys/{key}"), value).unwrap_or_else(|error| panic!("{key}: {error}"))
        });
    }
}

fn colons(mac: [u8; 6]) -> String {
    mac.map(|octet| format!("{octet:02x}")).join(":")
}
