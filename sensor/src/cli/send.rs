//! `send`: a test client that sends what VPN servers send, and checks the answers.

mod month;
mod summary;

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal, Write},
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ingest::capture::pcap::PcapWriter;

use super::{Common, Exit, Failure};
use traffic::{Attribute, Session, Status, Vendor};

use crate::{
    config::{ACCOUNTING_PORT, Secret},
    send::{Pace, Plan, Progress, Report, exchange},
};

/// Where a secret may be given besides a file; never on the command line, where every user of the host can read it.
const SECRET_VARIABLE: &str = "VPN_SENSOR_SECRET";

/// Options of `send`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The secret is taken from --secret-file, else from the environment variable VPN_SENSOR_SECRET, \
                        else from the configured client that the source address belongs to, else from the file that \
                        `vpn-sensor run` generated in the state directory.\n\nExit codes: 0 every request was answered \
                        rightly (with --bad-secret: none was answered), 1 not so, 2 bad usage."
)]
pub(super) struct Arguments {
    /// The accounting server; without a port 1813
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:1813")]
    to: String,
    /// The address to send from
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = address_perhaps_port)]
    source: Option<SocketAddr>,
    /// Whose VPN servers to imitate; several take turns, session by session
    #[arg(long, value_enum, value_delimiter = ',', default_value = "asa")]
    vendor: Vec<Vendor>,
    /// What to report; several are reported of each session, one after the other
    #[arg(long, value_enum, value_delimiter = ',', default_value = "start")]
    status: Vec<Status>,
    /// User-Name [default: made up]
    #[arg(long)]
    user: Option<String>,
    /// Acct-Session-Id [default: made up]
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Where the user is: the client's public address [default: made up]
    #[arg(long, value_name = "TEXT")]
    calling_station_id: Option<String>,
    /// Any attribute, by name, number or VENDOR/NUMBER, in place of all of its type; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    attribute: Vec<Attribute>,
    /// How many requests to send
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// Requests a second at most [default: as fast as the window allows]
    #[arg(long, value_parser = positive)]
    rate: Option<f64>,
    /// Requests that may wait for an answer at once; each 256 take a source port
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    window: u32,
    /// How often an unanswered request is sent again
    #[arg(long, default_value_t = 2)]
    retries: u32,
    /// Seconds to wait for an answer before sending again
    #[arg(long, default_value_t = 2.0, value_parser = positive)]
    timeout: f64,
    /// Made-up sessions follow from it [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,
    /// The file that holds the shared secret
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Sign with a wrong secret: the right result is silence
    #[arg(long)]
    bad_secret: bool,
    /// Write what is sent into this capture file, too
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Send nothing, only write the capture file
    #[arg(long, requires = "pcap")]
    pcap_only: bool,
    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    month: month::MonthArguments,
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let to = resolve(&self.to).map_err(|error| Failure::new(Exit::Usage, error))?;
        if let Some(source) = self.source
            && source.is_ipv4() != to.is_ipv4()
        {
            let mixed = anyhow::anyhow!("--source {source} and --to {to} are of two address families");
            return Err(Failure::new(Exit::Usage, mixed));
        }
        let secret = self.secret(common, to)?;
        let seed = self.seed.unwrap_or_else(|| rand::random::<u32>().into());
        if let Some(sources) = &self.month.month {
            return self.send_month(to, sources, secret, seed);
        }
        let signing = match self.bad_secret {
            true => wrong(&secret),
            false => secret.clone(),
        };
        let mut requests =
            Requests { arguments: &self, seed, secret: signing, buffer: vec![0; radius::MAX_LENGTH] };
        requests.check()?;
        let mut capture = self.pcap.as_ref().map(create_capture).transpose()?;
        if self.pcap_only {
            return self.only_write(to, &mut requests, capture);
        }
        let plan = Plan {
            to,
            sources: self.source.into_iter().collect(),
            secret,
            count: self.count,
            pace: self.rate.map_or(Pace::Window, Pace::Rate),
            window: self.window as usize,
            timeout: Duration::from_secs_f64(self.timeout),
            retries: self.retries,
        };
        let show = self.count > 1 && io::stderr().is_terminal();
        let report = exchange(
            &plan,
            |number, identifier| requests.write(number, identifier),
            |source, octets| match &mut capture {
                Some(capture) => capture.datagram(unix_ns(), source, to, octets),
                None => Ok(()),
            },
            |progress| show_progress(show, progress, plan.count),
        );
        if show {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
        let report = report.map_err(|error| anyhow::Error::new(error).context(format!("sending to {to}")))?;
        if let Some(capture) = capture {
            capture.finish()?;
        }
        self.summarize(&report, to)
    }

    fn summarize(&self, report: &Report, to: SocketAddr) -> Result<(), Failure> {
        let good = self.good(report);
        let mut out = io::stdout().lock();
        match self.json {
            true => summary::json(&mut out, report, good)?,
            false => summary::text(&mut out, report, to, self.bad_secret)?,
        }
        if good { Ok(()) } else { Err(Failure::silent(Exit::Failed)) }
    }

    fn good(&self, report: &Report) -> bool {
        match self.bad_secret {
            true => report.progress.answered == 0 && report.wrong_total() == 0,
            false => report.progress.unanswered == 0 && report.wrong_total() == 0,
        }
    }

    /// Writes the capture file without a network: addresses are those given, else made up.
    fn only_write(
        &self,
        to: SocketAddr,
        requests: &mut Requests<'_>,
        capture: Option<PcapWriter<BufWriter<File>>>,
    ) -> Result<(), Failure> {
        let Some(mut capture) = capture else { return Ok(()) };
        let made_up = match to {
            SocketAddr::V4(_) => SocketAddr::from(([192, 0, 2, 1], 0)),
            SocketAddr::V6(_) => SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 0)),
        };
        let source = self.source.unwrap_or(made_up);
        let start = unix_ns();
        for number in 0..self.count {
            // One more source port after each 256 identifiers, and a pace that a reader can tell apart.
            let port =
                if source.port() == 0 { 49_152 + (number >> 8) % 16_384 } else { source.port().into() };
            let source = SocketAddr::new(source.ip(), port as u16);
            let octets = requests.write(number, (number & 0xff) as u8)?;
            let nanoseconds = number as f64 * 1e9 / self.rate.unwrap_or(1000.0);
            capture.datagram(start.saturating_add(nanoseconds as u64), source, to, &octets)?;
        }
        capture.finish()?;
        Ok(())
    }

    fn secret(&self, common: &Common, to: SocketAddr) -> Result<Secret, Failure> {
        let usage = |message: String| Failure::new(Exit::Usage, anyhow::anyhow!(message));
        if let Some(path) = &self.secret_file {
            return Secret::read(path).map_err(usage);
        }
        if let Some(secret) = std::env::var_os(SECRET_VARIABLE) {
            let octets = std::os::unix::ffi::OsStringExt::into_vec(secret);
            return Secret::new(octets).ok_or_else(|| usage(format!("{SECRET_VARIABLE} is empty")));
        }
        let config = common.load_config()?;
        // What the server will see as our address; on the way to loopback it is loopback.
        let from = self.source.map_or(to.ip(), |source| source.ip());
        let client = config
            .clients
            .iter()
            .flat_map(|client| client.prefixes.iter().map(move |prefix| (prefix, client)))
            .filter(|(prefix, _)| prefix.contains(&from))
            .max_by_key(|(prefix, _)| prefix.prefix_len());
        if let Some((_, client)) = client {
            return Ok(client.secret.clone());
        }
        Secret::read(&config.generated_secret_path()).map_err(|error| {
            usage(format!(
                "no secret: {error}; start `vpn-sensor run` once, or give --secret-file or {SECRET_VARIABLE}"
            ))
        })
    }
}

struct Requests<'a> {
    arguments: &'a Arguments,
    seed: u64,
    secret: Secret,
    buffer: Vec<u8>,
}

impl Requests<'_> {
    /// Says at once, as bad usage, when the given values do not fit into a request.
    fn check(&mut self) -> Result<(), Failure> {
        let kinds = self.arguments.vendor.len() * self.arguments.status.len();
        for number in 0..self.arguments.count.min(kinds as u64) {
            self.write(number, 0).map_err(|error| Failure::new(Exit::Usage, error))?;
        }
        Ok(())
    }

    fn write(&mut self, number: u64, identifier: u8) -> io::Result<Vec<u8>> {
        let arguments = self.arguments;
        let (statuses, vendors) = (arguments.status.len() as u64, arguments.vendor.len() as u64);
        let status = arguments.status[(number % statuses) as usize];
        let number = number / statuses;
        let vendor = arguments.vendor[(number % vendors) as usize];
        let mut session = Session::made_up(vendor, self.seed, number);
        for (field, given) in [
            (&mut session.user, &arguments.user),
            (&mut session.session_id, &arguments.session),
            (&mut session.calling_station_id, &arguments.calling_station_id),
        ] {
            if let Some(given) = given {
                field.clone_from(given);
            }
        }
        let now_s = u32::try_from(unix_ns() / 1_000_000_000).unwrap_or(u32::MAX);
        let mut attributes = session.attributes(status, now_s);
        traffic::overlay(&mut attributes, &arguments.attribute);
        let random = rand::random::<[u8; 16]>();
        traffic::write(&mut self.buffer, status, identifier, &random, &attributes, self.secret.octets())
            .map(<[u8]>::to_vec)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
    }
}

/// Another secret than `secret`.
fn wrong(secret: &Secret) -> Secret {
    let longer = [secret.octets(), b"-wrong"].concat();
    Secret::new(longer).unwrap_or_else(|| secret.clone())
}

fn create_capture(path: &PathBuf) -> Result<PcapWriter<BufWriter<File>>, Failure> {
    File::create(path)
        .and_then(|file| PcapWriter::new(BufWriter::new(file)))
        .map_err(|error| anyhow::Error::new(error).context(path.display().to_string()).into())
}

fn show_progress(show: bool, progress: &Progress, count: u64) {
    if show {
        let Progress { sent, answered, unanswered, repeated } = progress;
        let _ = write!(
            io::stderr(),
            "\r\x1b[K{sent} of {count} sent, {answered} answered, {unanswered} given up, {repeated} repeated"
        );
    }
}

fn unix_ns() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

fn resolve(to: &str) -> anyhow::Result<SocketAddr> {
    if let Ok(address) = to.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, ACCOUNTING_PORT));
    }
    let with_port = if to.contains(':') { to.to_owned() } else { format!("{to}:{ACCOUNTING_PORT}") };
    let mut found = with_port.to_socket_addrs().map_err(|error| anyhow::anyhow!("--to {to}: {error}"))?;
    found.next().ok_or_else(|| anyhow::anyhow!("--to {to}: no address"))
}

fn address_perhaps_port(text: &str) -> Result<SocketAddr, String> {
    let alone = text.trim_matches(['[', ']']).parse::<IpAddr>().map(|address| SocketAddr::new(address, 0));
    alone.or_else(|_| text.parse()).map_err(|_| "write an IP address, perhaps with a port".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    // A day and a thousand million: far beyond use, far from what a Duration cannot hold.
    text.parse()
        .ok()
        .filter(|number| *number > 0.0 && *number <= 1e9)
        .ok_or_else(|| "write a number above 0".to_owned())
}

#[cfg(test)]
mod tests;
