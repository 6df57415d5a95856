//! A state directory with a past, a sensor on it, somebody who is signed in.

use std::{
    env,
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use benches::past;
use end_to_end::metrics::Metrics;
use journal::Reader;
use service::{
    Meaning,
    live::{Live, Retention},
};

use super::{audit, company::Company};

const PORTAL: &str = "127.0.0.1:18813";
const METRICS: &str = "127.0.0.1:19813";
const ACCOUNTING: &str = "127.0.0.1:11813";
const SECRET: &str = "of no worth at all";
const PASSWORD: &str = "for this bench alone";
/// For a start on a large store.
const PATIENCE: Duration = Duration::from_secs(120);

/// A child that does not outlive the bench.
pub(super) struct Ended(Vec<Child>);

impl Drop for Ended {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn program() -> PathBuf {
    let beside = env::current_exe().unwrap_or_default().with_file_name("vpn-sensor");
    env::var_os("VPN_SENSOR_BIN").map_or(beside, PathBuf::from)
}

fn configuration(home: &Path) -> PathBuf {
    home.join("sensor.toml")
}

/// Makes the past, unless it is there. Returns the seconds that the rebuild took.
pub(super) fn prepare(home: &Path, users: u64, sessions: u64) -> anyhow::Result<Option<f64>> {
    fs::create_dir_all(home)?;
    fs::write(home.join("secret"), SECRET)?;
    fs::set_permissions(home.join("secret"), fs::Permissions::from_mode(0o600))?;
    let state = home.join("state");
    let text = format!(
        "state_dir = {state:?}\n[listen]\naddresses = [{ACCOUNTING:?}]\nxdp = \"off\"\n[metrics]\naddress = {METRICS:?}\n\
         [portal]\naddress = {PORTAL:?}\n[[client]]\nname = \"bench\"\naddress = [\"127.0.0.0/8\"]\n\
         secret_file = {:?}\n",
        home.join("secret")
    );
    fs::write(configuration(home), text)?;
    let store = state.join("service/store.sqlite");
    if state.join("service/whole").exists() {
        audit::fill(&state, users)?;
        return Ok(None);
    }
    let mut company = Company::new(users, sessions, jiff::Timestamp::now().as_second() as u64);
    let journal = state.join("journal");
    eprintln!("writing {} records", 2 * sessions);
    past::write(&journal, 2 * sessions, || company.next())?;
    // What the records mean is an input of its own.
    let retention = Retention { max_octets: u64::MAX, max_age: None };
    let reader = Reader::open(&journal)?;
    let config = vpn_sensor::config::Config::built_in();
    let places = Arc::new(vpn_sensor::places::Sources::of(&config).open()?);
    drop(Live::open(&state, &reader, &Meaning::default(), places, retention, false)?);
    let began = Instant::now();
    eprintln!("making the store");
    let mut rebuild = Command::new(program());
    rebuild.arg("rebuild").arg("--config").arg(configuration(home)).stdout(Stdio::null());
    let status = rebuild.status().with_context(|| format!("cannot run {rebuild:?}"))?;
    ensure!(status.success(), "the rebuild: {status}");
    let seconds = began.elapsed().as_secs_f64();
    for old in ["old", "old-wal", "old-shm"] {
        // There may be none.
        let _ = fs::remove_file(store.with_extension(format!("sqlite.{old}")));
    }
    audit::fill(&state, users)?;
    File::create(state.join("service/whole"))?;
    Ok(Some(seconds))
}

/// The sensor.
pub(super) struct Host {
    home: PathBuf,
    agent: ureq::Agent,
    _sensor: Ended,
}

/// Somebody who is signed in.
pub(super) struct Browser<'h> {
    agent: &'h ureq::Agent,
    cookie: String,
}

impl Host {
    pub(super) fn start(home: &Path) -> anyhow::Result<Host> {
        let log = home.join("log");
        let sensor = Command::new(program())
            .arg("run")
            .arg("--config")
            .arg(configuration(home))
            .stderr(File::create(&log)?)
            .spawn()
            .context("cannot start the sensor")?;
        let mut sensor = Ended(vec![sensor]);
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(30)))
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .into();
        let host = |sensor| Host { home: home.to_owned(), agent: agent.clone(), _sensor: sensor };
        let began = Instant::now();
        loop {
            let body = agent.get(format!("http://{METRICS}/metrics")).call().ok();
            let body = body.and_then(|mut body| body.body_mut().read_to_string().ok());
            if body.is_some_and(|body| Metrics::parse(&body).sum("vpn_sensor_service_up", &[]) == 1) {
                return Ok(host(sensor));
            }
            let is_gone = sensor.0[0].try_wait()?.is_some();
            if is_gone || began.elapsed() > PATIENCE {
                bail!("the sensor does not start:\n{}", fs::read_to_string(&log)?);
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// By a link, as an administrator does.
    pub(super) fn sign_in(&self) -> anyhow::Result<Browser<'_>> {
        let mut link = Command::new(program());
        link.args(["portal", "link", "--account", "bench", "--role", "administrator", "--config"])
            .arg(configuration(&self.home));
        let output = link.output()?;
        let url = String::from_utf8(output.stdout)?;
        let form = [("account", "bench"), ("password", PASSWORD), ("again", PASSWORD)];
        let request = self.agent.post(url.lines().next().context("no link")?);
        let answer = request.header("origin", format!("http://{PORTAL}")).send_form(form)?;
        let cookie = answer.headers().get("set-cookie").and_then(|value| value.to_str().ok());
        let cookie =
            cookie.and_then(|value| value.split(';').next()).context("the sign-in gave no cookie")?;
        Ok(Browser { agent: &self.agent, cookie: cookie.to_owned() })
    }

    /// VPN servers whose sessions begin and end, so many requests a second together.
    pub(super) fn changes(&self, rate: u32) -> anyhow::Result<Ended> {
        let send = |seed: u32| {
            Command::new(program())
                .args([
                    "send", "--to", ACCOUNTING, "--vendor", "rras", "--vendor", "asa", "--status", "start",
                ])
                .args(["--status", "stop", "--count", "100000000", "--window", "200", "--retries", "100"])
                .args(["--timeout", "1", "--rate", &rate.to_string(), "--seed", &seed.to_string()])
                .arg("--secret-file")
                .arg(self.home.join("secret"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
        };
        Ok(Ended(vec![send(1)?]))
    }

    /// Waits until the service has taken what was recorded before.
    pub(super) fn await_service(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        while self.metric("vpn_sensor_service_up")? != 1.0
            || self.metric("vpn_sensor_service_lag_records")? > 0.0
        {
            ensure!(began.elapsed() < PATIENCE, "the service has not caught up within {PATIENCE:?}");
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    pub(super) fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let body = self.agent.get(format!("http://{METRICS}/metrics")).call()?.body_mut().read_to_string()?;
        Ok(Metrics::parse(&body).sum(name, &[]) as f64)
    }
}

impl Browser<'_> {
    /// A page's text.
    pub(super) fn text(&self, path: &str) -> anyhow::Result<String> {
        let request = self.agent.get(format!("http://{PORTAL}{path}")).header("cookie", &self.cookie);
        let mut answer = request.call()?;
        ensure!(answer.status() == 200, "{path}: {}", answer.status());
        Ok(answer.body_mut().read_to_string()?)
    }

    /// Sends the form of a page that adds something, with what the form hides.
    pub(super) fn send(&self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<()> {
        let page = self.text(path)?;
        let form = page.split("<form class=\"narrow\"").nth(1).with_context(|| format!("{path}: no form"))?;
        let hidden = form.split("<input type=\"hidden\" name=\"").skip(1).filter_map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"")?;
            Some((name, rest.split('"').next()?))
        });
        let request = self.agent.post(format!("http://{PORTAL}{path}")).header("cookie", &self.cookie);
        let request = request.header("origin", format!("http://{PORTAL}"));
        let mut answer = request.send_form(hidden.chain(fields.iter().copied()))?;
        let said = answer.body_mut().read_to_string()?;
        ensure!(answer.status() == 303, "{path}: {} {said}", answer.status());
        Ok(())
    }

    /// A page; its length as it came.
    pub(super) fn get(&self, path: &str) -> anyhow::Result<usize> {
        let request = self.agent.get(format!("http://{PORTAL}{path}"));
        let mut answer = request.header("cookie", &self.cookie).header("accept-encoding", "gzip").call()?;
        let page = answer.body_mut().with_config().limit(64 << 20).read_to_vec()?;
        // What alone was found is opened at once.
        ensure!(
            matches!(answer.status().as_u16(), 200 | 303),
            "{path}: {} {}",
            answer.status(),
            String::from_utf8_lossy(&page)
        );
        Ok(page.len())
    }
}
