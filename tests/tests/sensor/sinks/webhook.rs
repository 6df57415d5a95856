//! A receiver of webhooks, as one is written by the sinks' page: takes what is signed and fresh, refuses everything else.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use end_to_end::Namespace;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const SECRET: &str = "a secret of webhooks";
/// How far a timestamp may be from the clock, seconds.
const FRESH_S: u64 = 60;

/// For the sensor, as it wants secrets: its owner's alone.
pub(crate) fn write_secret(path: &Path) {
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(SECRET.as_bytes()).unwrap();
}

/// Listens in a namespace until the test's process ends.
pub(crate) struct Webhook {
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Webhook {
    pub(crate) fn start(namespace: &Namespace, address: SocketAddr) -> Webhook {
        let listener = namespace.enter(|| TcpListener::bind(address).unwrap());
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bodies);
        thread::spawn(move || {
            for stream in listener.incoming() {
                // Whoever breaks off sends again.
                let _ = answer(stream.unwrap(), &kept);
            }
        });
        Webhook { bodies }
    }

    /// Bodies of the requests that were taken, in their order.
    pub(crate) fn taken(&self) -> Vec<String> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn answer(stream: TcpStream, bodies: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match line.trim_end() {
            "" => break,
            line => headers.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        let mut pairs = headers.iter().filter_map(|line| line.split_once(':'));
        pairs.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let length = header("Content-Length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8(body).unwrap();
    let timestamp = header("X-Vpn-Sensor-Timestamp").unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let is_fresh = timestamp.parse().is_ok_and(|then: u64| then.abs_diff(now) < FRESH_S);
    let is_good = is_fresh && header("X-Vpn-Sensor-Signature") == Some(signature(&timestamp, &body));
    let status = if is_good { "204 No Content" } else { "401 Unauthorized" };
    if is_good {
        bodies.lock().unwrap_or_else(PoisonError::into_inner).push(body);
    }
    write!(reader.get_mut(), "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

fn signature(timestamp: &str, body: &str) -> String {
    let mut code = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    code.update(format!("{timestamp}.{body}").as_bytes());
    let code = code.finalize().into_bytes();
    let hexadecimal: String = code.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("sha256={hexadecimal}")
}
