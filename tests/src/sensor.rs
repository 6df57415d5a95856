//! The sensor as a child process.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::config::{Config, METRICS};
use crate::metrics::Metrics;
use crate::{Namespace, PATIENCE, wait_for, wait_until};

/// The environment variable that names the program under test.
const PROGRAM: &str = "VPN_SENSOR_BIN";

/// The program under test: `VPN_SENSOR_BIN`, else the one in the folder that this test was built into.
#[track_caller]
pub fn program() -> PathBuf {
    let path = match std::env::var_os(PROGRAM) {
        Some(path) => PathBuf::from(path),
        // .../target/debug/deps/this-test
        None => {
            let test = std::env::current_exe().expect("the path of this test");
            test.ancestors().nth(2).expect("a build folder").join("vpn-sensor")
        }
    };
    assert!(
        path.is_file(),
        "{} is not there: build it (cargo build --bin vpn-sensor) or use `cargo xtask test`, which does",
        path.display()
    );
    path
}

/// A folder with a configuration file, the state directory and the log of one sensor; it survives the process, so that
/// a test can start the sensor on it again.
pub struct Home {
    folder: TempDir,
    state: PathBuf,
}

impl Home {
    /// A new folder with this configuration.
    pub fn new(config: &Config) -> Home {
        let folder =
            tempfile::Builder::new().prefix("vpn-sensor-test").tempdir().expect("a temporary folder");
        let state = folder.path().join("state");
        let home = Home { folder, state };
        home.configure(config);
        home
    }

    /// The same with the state directory elsewhere.
    pub fn with_state(config: &Config, state: &Path) -> Home {
        let mut home = Home::new(config);
        home.state = state.into();
        home.configure(config);
        home
    }

    /// Writes the configuration file anew.
    pub fn configure(&self, config: &Config) {
        self.configure_with(&config.render(&self.state));
    }

    /// Writes the configuration file anew, with any content, by renaming as an editor does.
    pub fn configure_with(&self, content: &str) {
        let new = self.folder.path().join("config.new");
        fs::write(&new, content).expect("write the configuration");
        fs::rename(new, self.config()).expect("rename the configuration");
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("vpn-sensor.toml")
    }

    /// The state directory.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// A file of this folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// All that sensors have logged here, over all starts.
    pub fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap_or_default()
    }

    /// A command of the product on this configuration, in a namespace.
    pub fn command(&self, namespace: &Namespace, arguments: &str) -> Command {
        let mut command = namespace.command(program());
        command.args(arguments.split_whitespace()).arg("--config").arg(self.config());
        command
    }

    /// Starts the sensor and waits until it is ready.
    #[track_caller]
    pub fn start<'a>(&'a self, namespace: &'a Namespace) -> Sensor<'a> {
        let mut sensor = self.spawn(namespace);
        sensor.wait_ready();
        sensor
    }

    /// Starts the sensor as root does who has never heard of a configuration, and waits until it is ready: without a file,
    /// its state in the usual place, which is that of this home for that process alone.
    #[track_caller]
    pub fn start_without_a_file<'a>(&'a self, namespace: &'a Namespace) -> Sensor<'a> {
        fs::create_dir_all(&self.state).expect("make the state directory");
        let mut command = namespace.command("unshare");
        command.args(["--mount", "sh", "-c"]).arg(
            "mount -t tmpfs tmpfs /var/lib && mkdir /var/lib/vpn-sensor && mount --bind \"$1\" /var/lib/vpn-sensor && \
             exec \"$2\" run",
        );
        command.arg("sh").arg(&self.state).arg(program()).env_remove("VPN_SENSOR_CONFIG");
        let mut sensor = self.spawn_command(namespace, command);
        sensor.wait_ready();
        sensor
    }

    /// Starts the sensor and does not wait.
    #[track_caller]
    pub fn spawn<'a>(&'a self, namespace: &'a Namespace) -> Sensor<'a> {
        self.spawn_command(namespace, self.command(namespace, "run"))
    }

    /// Starts a command that runs the sensor.
    #[track_caller]
    pub fn spawn_command<'a>(&'a self, namespace: &'a Namespace, mut command: Command) -> Sensor<'a> {
        let log = File::options().create(true).append(true).open(self.file("log")).expect("open the log");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a second handle")).stderr(log);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Sensor { child, home: self, namespace, frames: None }
    }

    /// Runs the sensor, which is to give up by itself; returns its exit code.
    #[track_caller]
    pub fn run_to_exit(&self, namespace: &Namespace) -> i32 {
        let mut sensor = self.spawn(namespace);
        sensor.wait_exit().code().unwrap_or_else(|| panic!("killed by a signal\n{}", self.log()))
    }
}

/// A running sensor, killed when dropped. When a test fails, what it logged is shown.
pub struct Sensor<'a> {
    child: Child,
    home: &'a Home,
    namespace: &'a Namespace,
    /// Frames of each UMEM, once it was ready.
    frames: Option<BTreeMap<(String, String), u64>>,
}

impl Sensor<'_> {
    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its folder.
    pub fn home(&self) -> &Home {
        self.home
    }

    /// Waits until `/readyz` says yes; fails at once when the process ends.
    #[track_caller]
    pub fn wait_ready(&mut self) {
        wait_until("the sensor is ready", PATIENCE, || {
            if let Some(status) = self.child.try_wait().expect("ask for the child") {
                panic!("the sensor ended instead of becoming ready: {status}");
            }
            self.ready()
        });
        self.frames = Some(self.metrics().frames());
    }

    /// Whether `/readyz` answers 200.
    pub fn ready(&self) -> bool {
        matches!(self.get("/readyz"), Some((200, _)))
    }

    /// GETs a path of the metrics address: status and body, `None` when nothing answers.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        get(self.namespace, METRICS, path)
    }

    /// What `/metrics` says now.
    #[track_caller]
    pub fn metrics(&self) -> Metrics {
        match self.get("/metrics") {
            Some((200, body)) => Metrics::parse(&body),
            other => panic!("/metrics: {other:?}"),
        }
    }

    /// Waits until the metrics satisfy `condition`; returns them.
    #[track_caller]
    pub fn wait_metrics(&self, description: &str, condition: impl Fn(&Metrics) -> bool) -> Metrics {
        wait_for(description, PATIENCE, || Some(self.metrics()).filter(&condition))
    }

    /// Waits until the log holds `text`.
    #[track_caller]
    pub fn wait_log(&self, text: &str) {
        wait_until(&format!("the log says {text:?}"), PATIENCE, || self.home.log().contains(text));
    }

    /// Waits until everything that arrived has its verdict, checks that the sums agree and frames are conserved;
    /// returns the metrics.
    #[track_caller]
    pub fn settled(&self) -> Metrics {
        let metrics = self.wait_metrics("every datagram has its verdict", Metrics::adds_up);
        if let Some(frames) = &self.frames {
            assert_eq!(&metrics.frames(), frames, "frames have been lost or made");
        }
        metrics
    }

    /// The same, and so many answers have left, not one more. Workers count them behind their leaving, so that whoever has
    /// the last answer may be ahead of the number.
    #[track_caller]
    pub fn answered(&self, answers: u64) -> Metrics {
        self.wait_metrics("every answer is counted", |metrics| metrics.responses() >= answers);
        let metrics = self.settled();
        assert_eq!(metrics.responses(), answers, "answers that left");
        metrics
    }

    /// Every datagram has its verdict, and what the records until now say is in the store. Others may arrive meanwhile.
    #[track_caller]
    pub fn stored(&self) -> Metrics {
        let committed = self.settled().sum("vpn_sensor_journal_watermark", &[]);
        self.wait_metrics("the store has every record", |metrics| {
            let behind = metrics.sum("vpn_sensor_service_lag_records", &[]);
            metrics.has("vpn_sensor_service_lag_records", &[])
                && metrics.sum("vpn_sensor_service_up", &[]) == 1
                && metrics.sum("vpn_sensor_journal_watermark", &[]) >= committed + behind
        })
    }

    /// Sends a signal.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("signal the sensor");
    }

    /// Waits until the process has ended.
    #[track_caller]
    pub fn wait_exit(&mut self) -> ExitStatus {
        wait_for("the sensor ends", PATIENCE, || self.child.try_wait().expect("ask for the child"))
    }

    /// kill -9.
    #[track_caller]
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        self.wait_exit();
    }

    /// SIGTERM; returns how it ended.
    #[track_caller]
    pub fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait_exit()
    }

    /// SIGHUP, then waits until the log tells its outcome by `said`.
    #[track_caller]
    pub fn reload(&self, said: &str) {
        let before = self.home.log().len();
        self.signal(Signal::HUP);
        wait_until(&format!("the log says {said:?} after SIGHUP"), PATIENCE, || {
            self.home.log().get(before..).is_some_and(|log| log.contains(said))
        });
    }

    /// A field of `/proc/PID/status`.
    #[track_caller]
    pub fn status_field(&self, field: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("/proc/PID/status");
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no {field} in /proc/PID/status")).trim().into()
    }

    /// Resident memory, bytes.
    #[track_caller]
    pub fn resident_bytes(&self) -> u64 {
        let value = self.status_field("VmRSS");
        let kibibytes: u64 = value.trim_end_matches("kB").trim().parse().expect("VmRSS in kB");
        kibibytes * 1024
    }
}

impl Drop for Sensor<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- what the sensor logged\n{}---", self.home.log());
        }
    }
}

/// GETs `http://address/path` from within a namespace: status and body, `None` when nothing answers.
pub fn get(namespace: &Namespace, address: &str, path: &str) -> Option<(u16, String)> {
    let url = format!("http://{address}{path}");
    namespace.enter(|| {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(10)))
            .proxy(None)
            .build()
            .into();
        let mut response = agent.get(&url).call().ok()?;
        let mut body = String::new();
        response.body_mut().as_reader().read_to_string(&mut body).ok()?;
        Some((response.status().as_u16(), body))
    })
}
