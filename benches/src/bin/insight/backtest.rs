//! The sensor's own `backtest` over a past of all users, as an administrator runs it before she changes a threshold: lines
//! of JSON through its standard input, so that the past needs no room on a disk.

use std::{
    fs,
    io::{BufWriter, Read as _, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use benches::machine;
use jiff::Timestamp;

use super::{
    START_UNIX_S,
    people::{People, line},
    say,
};

const DAY_S: u64 = 86_400;
/// Connections of each user, five days apart: behind the sixth a user is learned.
const CONNECTIONS: u64 = 8;
const DAYS_BETWEEN: u64 = 5;
/// All users come within so many seconds, and go so many later.
const COMING_S: u64 = 3600;
const STAYING_S: u64 = 8 * 3600;

/// Writes the past into `backtest -`; all Starts must be scored.
pub(super) fn measure(users: u64, folder: &Path) -> anyhow::Result<()> {
    // The configuration as it comes, whatever this host has.
    let config = folder.join("backtest.toml");
    fs::write(&config, "").context("cannot write the configuration")?;
    let mut child = Command::new(end_to_end::sensor::program())
        .arg("--config")
        .arg(&config)
        .args(["backtest", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run the sensor")?;
    let pid = child.id();
    let began = Instant::now();
    let (lines, peak) = {
        let input = child.stdin.take().context("the standard input of backtest")?;
        let mut input = BufWriter::with_capacity(1 << 20, input);
        let lines = write(users, &mut input).context("backtest takes no more")?;
        input.flush().context("backtest takes no more")?;
        // It cannot end before its input does.
        (lines, machine::resident(pid)?.1)
    };
    let peak = peak.max(peak_until_end(&mut child, pid)?);
    let seconds = began.elapsed().as_secs_f64();
    let mut said = String::new();
    child.stderr.take().context("what backtest says")?.read_to_string(&mut said)?;
    let status = child.wait()?;
    ensure!(status.success(), "backtest ended with {status}: {said}");
    let starts = users * CONNECTIONS;
    ensure!(
        said.contains(&format!("{starts} Starts")),
        "backtest scored others than {starts} Starts: {said}"
    );
    let case = format!("backtest, {users} users, a month and a half, a Start and a Stop for each connection");
    say(&case, "events_per_second", "1/s", &[lines as f64 / seconds]);
    say(&case, "events", "1", &[lines as f64]);
    say(&case, "resident_peak", "B", &[peak as f64]);
    Ok(())
}

/// The most memory that the process had, octets, as far as a look before its end shows it; 0: it was over.
fn peak_until_end(child: &mut Child, pid: u32) -> anyhow::Result<u64> {
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        // At its end it has none.
        if let Ok((_, highest)) = machine::resident(pid) {
            peak = highest;
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(peak)
}

/// All lines in the order of their times; how many. One connection in ten is from a phone, through a carrier's address.
fn write(users: u64, to: &mut impl Write) -> anyhow::Result<u64> {
    let mut lines = 0;
    let begin_s = START_UNIX_S - CONNECTIONS * DAYS_BETWEEN * DAY_S;
    for connection in 0..CONNECTIONS {
        for (status, after_s) in [("Start", 0), ("Stop", STAYING_S)] {
            let begin_s = begin_s + connection * DAYS_BETWEEN * DAY_S + after_s;
            for user in 0..users {
                let time = Timestamp::from_second((begin_s + user * COMING_S / users) as i64)?;
                let is_out = (user + connection).is_multiple_of(10);
                // Of a carrier's addresses a thousand users have one each.
                let address = line(if is_out { user / 1000 } else { user });
                writeln!(
                    to,
                    "{{\"time\":\"{time}\",\"status\":\"{status}\",\"client\":\"vpn\",\"session\":\"{user:x}-{connection}\",\
                     \"user\":\"{}\",\"address\":\"{address}\",\"device\":\"LAPTOP-{user:06}\",\
                     \"software\":\"AnyConnect Windows 5.1.{}\",\"nas\":\"gateway-{}\",\"input_octets\":{}}}",
                    People::name(user),
                    user % 3,
                    user % 16,
                    (user + connection) % 977 * 1_000_000,
                )?;
                lines += 1;
            }
        }
    }
    Ok(lines)
}
