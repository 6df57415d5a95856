//! `user NAME`: one person's page. Reads the store beside a running sensor or without one.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::anyhow;
use service::{
    alert::AlertRow,
    store::{PlaceRow, SessionRow, Share, Spread, UserPage, UserPart, UsualPage},
};

use super::{
    Common, Exit, Failure, audit, events,
    records::Format,
    units::{age, bytes, count},
    users,
};

/// Options of `user`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The user in any way the name is written: `alice`, `CONTOSO\alice`, `alice@contoso.example`
    name: String,
    /// How the page is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The newest so many connections
    #[arg(long, value_name = "CONNECTIONS", default_value_t = 20)]
    limit: usize,
    /// The state directory; by default the configuration's
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let config = common.load_config()?;
        let state_dir = self.state_dir.as_ref().unwrap_or(&config.state_dir);
        let key = events::key(&self.name, &config.realms, state_dir)?;
        let store = users::open(state_dir)?;
        audit::note_in(state_dir, "user.show", Some(&key), None)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
        let learning = config.meaning().detect.thresholds.learning();
        let page = store
            .at_one_moment(|store| store.user_page(&key, self.limit, learning, now))
            .map_err(anyhow::Error::new)?;
        let Some(page) = page else {
            let similar =
                store.users(&UserPart::of_key(account(&key)), None, 5).map_err(anyhow::Error::new)?;
            let names: Vec<String> = similar.into_iter().map(|user| user.user).collect();
            let hint = match names.is_empty() {
                true => "`vpn-sensor users` lists all".to_owned(),
                false => format!("there is {}; `users.realms` makes realms one", names.join(", ")),
            };
            return Err(Failure::new(
                Exit::Failed,
                anyhow!("no connection of a user {key:?} is known: {hint}"),
            ));
        };
        let mut out = BufWriter::new(io::stdout().lock());
        match self.format {
            Format::Json => {
                serde_json::to_writer(&mut out, &page).map_err(io::Error::from)?;
                writeln!(out)?;
            }
            Format::Table => write_page(&page, &mut out)?,
        }
        Ok(out.flush()?)
    }
}

/// The name without its realm.
fn account(key: &str) -> &str {
    key.rsplit_once('@').map_or(key, |(account, _)| account)
}

fn write_page(page: &UserPage, out: &mut impl Write) -> io::Result<()> {
    let user = &page.user;
    write!(out, "{}", user.user)?;
    if let Some(original) = user.original.as_ref().filter(|original| **original != user.user) {
        write!(out, "  (as sent: {original})")?;
    }
    writeln!(
        out,
        "\n{} connections, first {}, last seen {}\n",
        count(user.connections as u64),
        moment(&user.first_seen),
        moment(&user.last_seen)
    )?;
    write_alerts(&page.alerts, out)?;
    write_usual(&page.usual, out)?;
    for (title, shares) in [
        ("VPN LOCATIONS", &page.places),
        ("NETWORKS", &page.networks),
        ("ADDRESSES", &page.addresses),
        ("DEVICES", &page.devices),
        ("CLIENT SOFTWARE", &page.software),
        ("VPN SERVERS", &page.servers),
    ] {
        write_shares(title, shares, out)?;
    }
    write_sessions(&page.sessions, out)
}

/// What wants a person, in front of everything else.
fn write_alerts(alerts: &[AlertRow], out: &mut impl Write) -> io::Result<()> {
    for AlertRow { number, severity, title, first_seen, .. } in alerts {
        writeln!(out, "OPEN ALERT {number}, {}, since {}: {title}", severity.name(), moment(first_seen))?;
        writeln!(out, "  what was seen and expected: vpn-sensor alerts show {number}")?;
    }
    if alerts.is_empty() { Ok(()) } else { writeln!(out) }
}

fn write_shares(title: &str, shares: &[Share], out: &mut impl Write) -> io::Result<()> {
    if shares.is_empty() {
        return Ok(());
    }
    writeln!(out, "{title:<44}  {:>11}  {:<16}  LAST SEEN", "CONNECTIONS", "FIRST SEEN")?;
    for share in shares {
        let connections = count(share.connections as u64);
        let (first, last) = (moment(&share.first_seen), moment(&share.last_seen));
        writeln!(out, "{:<44}  {connections:>11}  {first:<16}  {last}", share.name)?;
    }
    writeln!(out)
}

/// What thirty days taught of the user.
fn write_usual(usual: &UsualPage, out: &mut impl Write) -> io::Result<()> {
    write!(
        out,
        "WHAT IS USUAL in the 30 days to {}: {} connections on {} days; ",
        usual.as_of,
        count(usual.connections.into()),
        usual.days
    )?;
    match &usual.not_learned {
        None => writeln!(out, "learned")?,
        Some(reason) => writeln!(out, "not learned yet ({reason})")?,
    }
    let (last_title, connections) = ("LAST SEEN", "CONNECTIONS");
    writeln!(out, "{:<10}  {:<44}  {connections:>11}  {:>4}  {last_title}", "", "", "DAYS")?;
    for (sort, values) in [
        ("country", &usual.countries),
        ("place", &usual.places),
        ("network", &usual.networks),
        ("kind", &usual.kinds),
        ("device", &usual.devices),
        ("software", &usual.software),
        ("VPN server", &usual.servers),
    ] {
        for value in values {
            let (connections, last) = (count(value.connections.into()), moment(&value.last_seen));
            writeln!(out, "{sort:<10}  {:<44}  {connections:>11}  {:>4}  {last}", value.name, value.days)?;
        }
    }
    write_spread("lasts", usual.seconds, age, out)?;
    write_spread("carries", usual.octets, |octets| bytes(octets as f64), out)?;
    if usual.displaced > 0 {
        writeln!(out, "{} values had no room: of each sort the latest seen are followed", usual.displaced)?;
    }
    writeln!(out)?;
    write_hours(&usual.hours, out)
}

fn write_spread(
    what: &str,
    spread: Option<Spread>,
    text: impl Fn(u64) -> String,
    out: &mut impl Write,
) -> io::Result<()> {
    let Some(spread) = spread else { return Ok(()) };
    writeln!(
        out,
        "{what:<10}  half up to {}, nine in ten up to {} (the last {} that ended)",
        text(spread.median),
        text(spread.nine_in_ten),
        spread.connections
    )
}

/// A line a day, a character an hour: the higher, the more often connections began in it.
fn write_hours(hours: &[u8], out: &mut impl Write) -> io::Result<()> {
    const LEVELS: [char; 8] =
        ['\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}', '\u{2588}'];
    let most = hours.iter().copied().max().unwrap_or(0).max(1);
    writeln!(out, "HOURS (UTC)    0     6     12    18")?;
    for (day, hours) in ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
        .into_iter()
        .zip(hours.chunks(24))
    {
        let bar: String = hours
            .iter()
            .map(|&count| match count {
                0 => '.',
                _ => LEVELS[(usize::from(count) * 8).div_ceil(usize::from(most)).clamp(1, 8) - 1],
            })
            .collect();
        writeln!(out, "{day:<13}  {bar}")?;
    }
    writeln!(out)
}

fn write_sessions(sessions: &[SessionRow], out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:<16}  {:>11}  {:<14}  {:<39}  {:<24}  {:<32}  {:<20}  DEVICE",
        "CONNECTIONS", "LASTED", "ENDED BY", "FROM", "PLACE", "NETWORK", "VPN SERVER"
    )?;
    for session in sessions {
        let place = session.place.as_ref();
        let network = place.and_then(PlaceRow::network);
        writeln!(
            out,
            "{:<16}  {:>11}  {:<14}  {:<39}  {:<24}  {:<32}  {:<20}  {}",
            moment(&session.start),
            age(session.seconds),
            session.end_reason.as_deref().unwrap_or("open"),
            session.remote.as_deref().unwrap_or("-"),
            place.map_or("-", |place| &place.name),
            network.as_deref().unwrap_or("-").trim_end(),
            session.nas_identifier.as_deref().or(session.nas_address.as_deref()).unwrap_or(&session.client),
            session.device.as_deref().or(session.software.as_deref()).unwrap_or("-"),
        )?;
    }
    Ok(())
}

/// Date and minute of an RFC 3339 time: what fits into a column.
fn moment(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}
