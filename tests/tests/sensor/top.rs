//! `vpn-sensor top` beside a running sensor: what it prints, that it follows a sensor which goes away and comes back,
//! and that it leaves a terminal as it found it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use end_to_end::config::{ClientEntry, Config, Path, SECRET};
use end_to_end::requests::start;
use end_to_end::sensor::Home;
use end_to_end::tools::{need_program, output};
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Nas, PATIENCE, Wire, on_each_path, wait_for, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

on_each_path!(it_shows_who_sends_and_who_is_refused_and_why);

fn one_client(config: Config) -> Config {
    config.clients(&[ClientEntry::new("branch", &["192.0.2.10"], SECRET)])
}

/// The entry of a list that has these values.
#[track_caller]
fn entry<'a>(list: &'a Value, wanted: &[(&str, &str)]) -> &'a Value {
    let entries = list.as_array().expect("a list");
    let found = entries.iter().find(|entry| wanted.iter().all(|(key, value)| entry[key] == *value));
    found.unwrap_or_else(|| panic!("no entry {wanted:?} in {list:#}"))
}

fn it_shows_who_sends_and_who_is_refused_and_why(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&one_client(path.config()));
    let sensor = home.start(&wire.sensor);
    let stranger = "192.0.2.77".parse().unwrap();
    wire.add_nas_address(stranger);
    let unknown = Nas::new(&wire.nas, stranger, SENSOR_V4, SECRET);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    for index in 0..5 {
        nas.ask_once(&start(index, &format!("genuine-{index}"), SECRET));
    }
    for index in 10..13 {
        nas.send(&start(index, "forged", "not the secret of this client"));
    }
    for index in 20..24 {
        unknown.send(&start(index, "unknown", SECRET));
    }
    sensor.wait_metrics("all have arrived", |metrics| {
        metrics.verdict("bad_authenticator") == 3 && metrics.verdict("unknown_client") == 4
    });
    wait_until("the steer program's sources have been looked at", PATIENCE, || {
        let body = sensor.get("/refused").unwrap().1;
        let refused: Value = serde_json::from_str(&body).unwrap();
        let sources = refused["sources"].as_array().unwrap();
        sources.iter().any(|source| source["source"] == "192.0.2.77" && source["datagrams"] == 4)
    });

    let run = |arguments: &str| {
        let output = output(&mut home.command(&wire.sensor, arguments));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(!text.contains(SECRET), "the secret is shown:\n{text}");
        text
    };
    let line = run("top --once --json --interval 200ms");
    assert_eq!(line.lines().count(), 1, "{line}");
    let frame: Value = serde_json::from_str(&line).unwrap();
    for (verdict, total) in
        [("accepted", 5), ("bad_authenticator", 3), ("unknown_client", 4), ("malformed", 0)]
    {
        let named = entry(&frame["verdicts"], &[("verdict", verdict)]);
        assert_eq!((named["total"].as_u64(), named["per_s"].as_f64()), (Some(total), Some(0.0)), "{verdict}");
    }
    assert_eq!((&frame["received"]["total"], &frame["answered"]["total"]), (&12.into(), &5.into()));
    let client = entry(&frame["clients"], &[("client", "branch")]);
    assert_eq!((&client["genuine"]["total"], &client["bad_authenticators"]["total"]), (&5.into(), &3.into()));
    assert!(client["last_genuine_s_ago"].as_u64().is_some_and(|ago| ago < 600), "{client}");
    let wrong = entry(&frame["refused"]["sources"], &[("source", "192.0.2.10")]);
    assert_eq!((&wrong["client"], &wrong["verdict"]), (&"branch".into(), &"bad_authenticator".into()));
    assert_eq!(wrong["datagrams"], 3);
    let strange = entry(&frame["refused"]["sources"], &[("source", "192.0.2.77")]);
    assert_eq!((&strange["client"], &strange["datagrams"]), (&Value::Null, &4.into()));
    let mode = match path {
        Path::Udp => "udp",
        Path::Xdp => "native copy",
    };
    let queue = entry(&frame["queues"], &[("path", path.label()), ("mode", mode)]);
    assert!(queue["received"]["total"].as_u64() >= Some(8), "{queue}");
    assert_eq!(frame["journal"]["records"]["total"], 5);
    let total = entry(&frame["stages"], &[("stage", "total")]);
    assert_eq!((&total["requests"]["total"], &total["since_start"]["count"]), (&5.into(), &5.into()));

    let text = run("top --once --interval 200ms");
    for wanted in
        [mode, "is ready", "bad_authenticator", "branch", "check the shared secret", "no client with this"]
    {
        assert!(text.contains(wanted), "{wanted} is missing in\n{text}");
    }
    // Standard output is a pipe: without any option it ends as well.
    assert!(run("top --interval 200ms").contains("is ready"));
}

/// The lines that a command prints, as they come. Read to their end, whoever listens: a command whose pipe is closed ends.
fn lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    let output = BufReader::new(output);
    thread::spawn(move || output.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
    receiver
}

#[test]
fn it_shows_rates_and_follows_a_sensor_that_goes_away_and_comes_back() {
    let wire = Wire::new();
    let home = Home::new(&one_client(Config::udp()));
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let mut top = home.command(&wire.sensor, "top --json --samples 0 --interval 100ms");
    let mut top = top.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let frames = lines(top.stdout.take().unwrap());
    let errors = lines(top.stderr.take().unwrap());
    let frame = || -> Value { serde_json::from_str(&frames.recv_timeout(PATIENCE).unwrap()).unwrap() };
    frame();
    nas.ask_once(&start(1, "counted", SECRET));
    let rated = wait_for("a rate", PATIENCE, || {
        Some(frame()).filter(|frame| frame["received"]["per_s"].as_f64() > Some(0.0))
    });
    let (rate, interval) =
        (rated["received"]["per_s"].as_f64().unwrap(), rated["interval_s"].as_f64().unwrap());
    assert!((rate * interval - 1.0).abs() < 1e-6, "one request within {interval} s is not {rate} a second");
    wait_until("the client's rate", PATIENCE, || {
        // The same scrape, or the one after it.
        let frame =
            if rated["clients"][0]["genuine"]["per_s"].as_f64() > Some(0.0) { &rated } else { &frame() };
        frame["clients"][0]["genuine"]["total"] == 1
    });

    sensor.stop();
    let said = errors.iter().find(|line| line.contains("still trying"));
    assert!(said.is_some_and(|line| line.contains("127.0.0.1:9813")), "it says who does not answer");
    let sensor = home.start(&wire.sensor);
    wait_until("the new sensor's frames", PATIENCE, || frame()["received"]["total"] == 0);
    assert_eq!(top.try_wait().unwrap(), None, "it still runs");
    top.kill().unwrap();
    top.wait().unwrap();
    sensor.stop();

    let once = output(&mut home.command(&wire.sensor, "top --once"));
    assert_eq!(once.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&once.stderr).contains("is it running?"), "{once:?}");
}

/// What is done to the view once it has drawn a text.
#[derive(Clone, Copy)]
enum Act {
    Key(&'static str),
    Signal(Signal),
}

const OVERVIEW: &str = "bad_authenticator";
/// From the list of those who were refused.
const REFUSED: &str = "wrong Request Authenticator";

/// Runs it on a pseudo-terminal of 80 by 24; returns what it wrote there, from the first screen to the end.
fn on_a_terminal(environment: &str, acts: &[(&str, Act)]) -> String {
    need_program("script", "bsdutils");
    let wire = Wire::new();
    let home = Home::new(&one_client(Config::udp()));
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    nas.send(&start(1, "forged", "not the secret of this client"));
    sensor.wait_metrics("it has arrived", |metrics| metrics.verdict("bad_authenticator") == 1);

    let file = |name: &str| home.file(name).display().to_string();
    let program = end_to_end::sensor::program();
    // The shell under the pseudo-terminal tells the terminal's settings before and after.
    let inside = format!(
        "stty rows 24 cols 80; stty -a > {before}; \
         env -u NO_COLOR {environment} sh -c 'echo $$ > {pid}; exec {program} top --interval 100ms --config {config}'; \
         echo $? > {status}; stty -a > {after}",
        before = file("before"),
        after = file("after"),
        pid = file("pid"),
        status = file("status"),
        program = program.display(),
        config = home.config().display(),
    );
    let mut script: Command = wire.sensor.command("script");
    script.args(["--quiet", "--command", &inside, "/dev/null"]).env("TERM", "xterm-256color");
    let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut keys = script.stdin.take().unwrap();
    let mut drawn = script.stdout.take().unwrap();
    let (sender, octets) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = drawn.read(&mut buffer) {
            let _ = sender.send(buffer[..read].to_vec());
        }
    });
    let mut written = Vec::new();
    let mut acts = acts.iter().peekable();
    while let Ok(more) = octets.recv_timeout(PATIENCE) {
        written.extend(more);
        let text = String::from_utf8_lossy(&written);
        match acts.next_if(|(drawn, _)| text.contains(drawn)) {
            Some((_, Act::Key(key))) => keys.write_all(key.as_bytes()).unwrap(),
            Some((_, Act::Signal(signal))) => {
                let pid: i32 = fs::read_to_string(file("pid")).unwrap().trim().parse().unwrap();
                kill_process(Pid::from_raw(pid).unwrap(), *signal).unwrap();
            }
            None => {}
        }
    }
    let written = String::from_utf8_lossy(&written).into_owned();
    let missing = acts.next().map(|(missing, _)| missing);
    assert!(missing.is_none(), "{missing:?} was not drawn: {written:?}");
    wait_until("it has ended", PATIENCE, || script.try_wait().unwrap().is_some());
    assert_eq!(fs::read_to_string(file("status")).unwrap().trim(), "0");
    let [before, after] = ["before", "after"].map(|name| fs::read_to_string(file(name)).unwrap());
    assert!(before.contains("rows 24"), "{before}");
    assert_eq!(before, after, "the terminal's settings are not those from before");
    let [enter, leave] = ["\x1b[?1049h", "\x1b[?1049l"].map(|sequence| written.rfind(sequence));
    assert!(enter.is_some() && enter < leave, "the other screen is left: {written:?}");
    assert!(
        written.rfind("\x1b[?25l") < written.rfind("\x1b[?25h"),
        "the cursor is there again: {written:?}"
    );
    written
}

#[test]
fn it_draws_on_a_terminal_and_q_gives_the_terminal_back() {
    let written = on_a_terminal("", &[(OVERVIEW, Act::Key("3")), (REFUSED, Act::Key("q"))]);
    assert!(written.contains("\x1b[38;5;1;"), "a client that is refused is marked in red: {written:?}");
}

#[test]
fn a_signal_gives_the_terminal_back() {
    on_a_terminal("", &[(OVERVIEW, Act::Signal(Signal::TERM))]);
}

#[test]
fn no_color_is_respected() {
    let written = on_a_terminal("NO_COLOR=1", &[(OVERVIEW, Act::Key("3")), (REFUSED, Act::Key("q"))]);
    assert!(!written.contains("\x1b[38;"), "{written:?}");
}
