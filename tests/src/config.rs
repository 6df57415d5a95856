//! The sensor's configuration for a test.

use std::fmt::Write as _;

use crate::wire::SENSOR_DEVICE;

/// The secret of the client that every configuration names.
pub const SECRET: &str = "a secret of twenty-some octets";
/// Where `/metrics` and `/readyz` are, in the sensor's namespace.
pub const METRICS: &str = "127.0.0.1:9813";
/// The port of the configured listening addresses.
pub const PORT: u16 = 1813;

/// A way into the sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// The kernel's UDP sockets.
    Udp,
    /// XDP and AF_XDP.
    Xdp,
}

impl Path {
    /// The configuration that opens this way.
    pub fn config(self) -> Config {
        match self {
            Path::Udp => Config::udp(),
            Path::Xdp => Config::xdp(),
        }
    }

    /// Its name in metrics and records.
    pub fn label(self) -> &'static str {
        match self {
            Path::Udp => "udp",
            Path::Xdp => "xdp",
        }
    }
}

/// Makes a test for each way into the sensor out of functions that take a [`Path`].
#[macro_export]
macro_rules! on_each_path {
    ($($name:ident),+ $(,)?) => {
        mod over_udp {
            $(#[test] fn $name() { super::$name($crate::config::Path::Udp); })+
        }
        mod over_xdp {
            $(#[test] fn $name() { super::$name($crate::config::Path::Xdp); })+
        }
    };
}

/// A configuration file's content, made of parts that a test can replace.
#[derive(Clone)]
pub struct Config {
    xdp: &'static str,
    interfaces: Vec<String>,
    listen: String,
    clients: Vec<ClientEntry>,
    more: String,
}

/// One `[[client]]`.
#[derive(Clone)]
pub struct ClientEntry {
    name: String,
    addresses: Vec<String>,
    secret: String,
    more: String,
}

impl ClientEntry {
    /// A client with one or more prefixes and a secret.
    pub fn new(name: &str, addresses: &[&str], secret: &str) -> ClientEntry {
        ClientEntry {
            name: name.into(),
            addresses: addresses.iter().map(|&address| address.into()).collect(),
            secret: secret.into(),
            more: String::new(),
        }
    }

    /// Adds a line, such as `status_server = false`.
    #[must_use]
    pub fn line(mut self, line: &str) -> ClientEntry {
        self.more.push_str(line);
        self.more.push('\n');
        self
    }
}

impl Config {
    /// The kernel's UDP sockets only. The client `nas` is the whole of the wire and loopback.
    pub fn udp() -> Config {
        Config {
            xdp: "off",
            interfaces: Vec::new(),
            listen: String::new(),
            clients: vec![ClientEntry::new(
                "nas",
                &["192.0.2.0/24", "2001:db8::/64", "127.0.0.0/8", "::1/128"],
                SECRET,
            )],
            more: String::new(),
        }
    }

    /// XDP in the driver's hook on the wire's device, no lower rung.
    pub fn xdp() -> Config {
        Config { xdp: "native", interfaces: vec![SENSOR_DEVICE.into()], ..Config::udp() }
    }

    /// Another value for `listen.xdp`.
    #[must_use]
    pub fn mode(mut self, mode: &'static str) -> Config {
        self.xdp = mode;
        self
    }

    /// Replaces the clients.
    #[must_use]
    pub fn clients(mut self, clients: &[ClientEntry]) -> Config {
        self.clients = clients.to_vec();
        self
    }

    /// Adds a line to `[listen]`, such as `ring = 512`.
    #[must_use]
    pub fn listen(mut self, line: &str) -> Config {
        self.listen.push_str(line);
        self.listen.push('\n');
        self
    }

    /// Appends lines behind everything else, such as a table.
    #[must_use]
    pub fn lines(mut self, lines: &str) -> Config {
        self.more.push_str(lines);
        self.more.push('\n');
        self
    }

    /// The file's content with this state directory.
    pub fn render(&self, state: &std::path::Path) -> String {
        let mut text = String::new();
        let quoted =
            |items: &[String]| items.iter().map(|item| format!("{item:?}")).collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "state_dir = {:?}\n", state.display().to_string());
        let _ = writeln!(text, "[listen]\naddresses = [\"0.0.0.0:{PORT}\", \"[::]:{PORT}\"]");
        let _ = writeln!(
            text,
            "xdp = {:?}\ninterfaces = [{}]\n{}",
            self.xdp,
            quoted(&self.interfaces),
            self.listen
        );
        let _ = writeln!(text, "[metrics]\naddress = {METRICS:?}\n");
        for client in &self.clients {
            let _ = writeln!(
                text,
                "[[client]]\nname = {:?}\naddress = [{}]\nsecret = {:?}\n{}",
                client.name,
                quoted(&client.addresses),
                client.secret,
                client.more
            );
        }
        text + &self.more
    }
}
