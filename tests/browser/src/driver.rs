//! WebDriver (W3C) to chromedriver, a child process in the namespace of the portal.
//!
//! Spoken here over the HTTP client that is here anyway, because the published clients change what is tested beside them
//! (one turns on another order of JSON objects for all of the workspace) or have a licence that ours does not take.

use std::{
    process::{Child, Stdio},
    sync::mpsc,
    time::Duration,
};

use end_to_end::{Namespace, PATIENCE, tools::need_program, wait_until};
use serde_json::{Value, json};

/// chromedriver's port; every namespace has its own.
const PORT: u16 = 9515;
/// The slowest command is a page's load.
const COMMAND_MAX: Duration = Duration::from_secs(60);
/// A screenshot is the longest answer, octets.
const ANSWER_OCTETS_MAX: u64 = 64 << 20;
/// Under which name WebDriver hands elements out.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser and its chromedriver; both end when it is dropped.
pub(crate) struct Session {
    commands: mpsc::Sender<Command>,
    url: String,
    child: Child,
    _profile: tempfile::TempDir,
}

/// An element of the page, until another one is loaded.
pub(crate) struct Element(String);

/// How elements are looked for.
#[derive(Clone, Copy)]
pub(crate) enum By<'a> {
    Css(&'a str),
    XPath(&'a str),
}

struct Command {
    method: &'static str,
    url: String,
    body: Value,
    answer: mpsc::Sender<Result<Value, String>>,
}

impl Session {
    /// Starts chromedriver, and by it Chromium with these arguments.
    #[track_caller]
    pub(crate) fn start(namespace: &Namespace, arguments: &[&str]) -> Session {
        need_program("chromium", "chromium");
        need_program("chromedriver", "chromium-driver");
        let profile = tempfile::tempdir().expect("a folder for the browser");
        let mut command = namespace.command("chromedriver");
        command.arg(format!("--port={PORT}"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Everything that the browser writes goes with the test.
        command.env("TMPDIR", profile.path()).env("HOME", profile.path());
        // Where a test says no other zone, whatever the host's is.
        command.env("TZ", "UTC");
        let child = command.spawn().expect("chromedriver starts");
        let agent = agent();
        let commands = namespace.resident(move |command: Command| {
            let answer = ask(&agent, &command);
            let _ = command.answer.send(answer);
        });
        let url = format!("http://127.0.0.1:{PORT}/session");
        let mut session = Session { commands, url, child, _profile: profile };
        wait_until("chromedriver listens", PATIENCE, || {
            namespace.enter(|| std::net::TcpStream::connect(("127.0.0.1", PORT)).is_ok())
        });
        let begun = session.call("POST", "", capabilities(arguments));
        session.url = format!("{}/{}", session.url, begun["sessionId"].as_str().expect("a session"));
        session
    }

    /// One command; what it answers, or the message of its error.
    pub(crate) fn try_call(&self, method: &'static str, path: &str, body: Value) -> Result<Value, String> {
        let (answer, answered) = mpsc::channel();
        let command = Command { method, url: format!("{}{path}", self.url), body, answer };
        self.commands.send(command).map_err(|_| "the namespace's thread has ended")?;
        answered.recv().map_err(|_| "the namespace's thread has ended")?
    }

    #[track_caller]
    pub(crate) fn call(&self, method: &'static str, path: &str, body: Value) -> Value {
        self.try_call(method, path, body)
            .unwrap_or_else(|error| panic!("the browser: {method} {path}: {error}"))
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        self.call("GET", path, Value::Null)
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: Value) -> Value {
        self.call("POST", path, body)
    }

    /// The first element found.
    pub(crate) fn find(&self, by: By<'_>) -> Option<Element> {
        let (using, value) = match by {
            By::Css(css) => ("css selector", css),
            By::XPath(path) => ("xpath", path),
        };
        let found = self.try_call("POST", "/element", json!({"using": using, "value": value})).ok()?;
        Some(Element(found[ELEMENT].as_str()?.to_owned()))
    }

    /// Something done to an element: `click`, `clear`, `value`.
    pub(crate) fn act(&self, element: &Element, action: &str, body: Value) -> Result<Value, String> {
        self.try_call("POST", &format!("/element/{}/{action}", element.0), body)
    }

    /// What is seen of an element.
    pub(crate) fn text(&self, element: &Element) -> Option<String> {
        let text = self.try_call("GET", &format!("/element/{}/text", element.0), Value::Null).ok()?;
        text.as_str().map(str::to_owned)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // In order first: the browser is chromedriver's child and would outlive it.
        let _ = self.try_call("DELETE", "", Value::Null);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(COMMAND_MAX))
        .proxy(None)
        .build()
        .into()
}

fn ask(agent: &ureq::Agent, command: &Command) -> Result<Value, String> {
    let Command { method, url, body, .. } = command;
    let sent = match *method {
        "GET" => agent.get(url).call(),
        "DELETE" => agent.delete(url).call(),
        _ => agent.post(url).header("Content-Type", "application/json").send(body.to_string()),
    };
    let mut answer = sent.map_err(|error| error.to_string())?;
    let is_good = answer.status().is_success();
    let body = answer.body_mut().with_config().limit(ANSWER_OCTETS_MAX).read_to_string();
    let body: Value = serde_json::from_str(&body.map_err(|error| error.to_string())?)
        .map_err(|error| format!("chromedriver answers no JSON: {error}"))?;
    if is_good { Ok(body["value"].clone()) } else { Err(body["value"]["message"].to_string()) }
}

fn capabilities(more: &[&str]) -> Value {
    let mut arguments = vec![
        "--headless=new",
        // The tests run as root, where Chromium has no sandbox.
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-sync",
        "--lang=en-GB",
        "--hide-scrollbars",
    ];
    arguments.extend(more);
    json!({"capabilities": {"alwaysMatch": {
        "browserName": "chrome",
        "goog:chromeOptions": {
            "args": arguments,
            "binary": "/usr/bin/chromium",
            "perfLoggingPrefs": {"enableNetwork": true, "enablePage": false},
        },
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    }}})
}
