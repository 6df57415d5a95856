//! The API over a running service with alerts, and the people at the desk who decide about them.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use insight::geo::Places;
use journal::Reader;
use serde_json::Value;
use service::{
    Meaning, api,
    control::{Control, Right},
    observed::{Observed, SensorNow},
    portal,
    rebuild::{WAITING_MAX, rebuild},
    store::{self, Digest},
};

use crate::{host::Answer, running::Running};

/// Each of these has an alert: the first one's cannot be, the others' are of what is new.
pub(crate) const PEOPLE: usize = 6;

pub(crate) struct Desk {
    /// Ends before the folder is gone in which it writes.
    running: Running,
    pub(crate) control: Control,
    /// May decide.
    pub(crate) token: String,
    /// Reads.
    pub(crate) reader: String,
    address: SocketAddr,
    folder: tempfile::TempDir,
    is_paused: Arc<AtomicBool>,
    _runtime: tokio::runtime::Runtime,
}

impl Desk {
    pub(crate) fn open() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = folder.path().to_owned();
        let realms = vec![vec!["contoso.example".to_owned(), "CONTOSO".to_owned(), String::new()]];
        let mut meaning = Meaning { realms, ..Meaning::default() };
        meaning.detect.notices_per_day = 3;
        let is_paused = Arc::default();
        let running = Running::start(&state_dir, PEOPLE, &meaning, &is_paused);
        let control = Control::open(&state_dir).unwrap();
        let add = |name, right| control.add_token(name, right, None).unwrap().reveal().to_owned();
        let (token, reader) = (add("desk", Some(Right::Decide)), add("reports", None));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (_, meaning) = tokio::sync::watch::channel(Arc::new(meaning));
        let (_, places) = tokio::sync::watch::channel(Arc::default());
        let (_, health) = tokio::sync::watch::channel(Arc::from(crate::host::standing()));
        let (_, link) = tokio::sync::watch::channel(None);
        let sensor = Observed::default();
        sensor.note(SensorNow { name: "edge".to_owned(), ..SensorNow::default() });
        let settings =
            api::Settings { state_dir, meaning, places, health, link, sensor, administration: None };
        runtime.spawn(portal::serve(listener, settings, portal::Door::default()));
        Desk { running, control, token, reader, address, folder, is_paused, _runtime: runtime }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        let request = agent().get(self.url(path)).header("authorization", format!("Bearer {}", self.reader));
        Answer::of(request.call().unwrap())
    }

    /// The items of a list.
    pub(crate) fn list(&self, path: &str) -> Vec<Value> {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body["items"].as_array().unwrap().clone()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.posting(path, body)()
    }

    /// The same for another thread.
    pub(crate) fn posting(&self, path: &str, body: &Value) -> impl FnOnce() -> Answer + Send + 'static {
        let (url, token, body) = (self.url(path), self.token.clone(), body.to_string());
        move || post(&url, Some(&token), "application/json", &body)
    }

    pub(crate) fn post_as(&self, path: &str, token: Option<&str>, media_type: &str, body: &str) -> Answer {
        post(&self.url(path), token, media_type, body)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1/{path}", self.address)
    }

    /// The service does nothing until it goes on.
    pub(crate) fn pause(&self, is_paused: bool) {
        self.is_paused.store(is_paused, SeqCst);
    }

    /// Ends the service. The digests of its store and of the rebuild from its inputs.
    pub(crate) fn close(self) -> (Digest, Digest) {
        drop(self.running);
        let service = service::folder(self.folder.path());
        let live = Digest::of(&service.join(store::FILE)).unwrap();
        let rebuilt = self.folder.path().join("rebuilt.sqlite");
        let reader = Reader::open(self.folder.path().join("journal")).unwrap();
        let nowhere = Places::default();
        rebuild(&service, &reader, &rebuilt, live.position, &nowhere, WAITING_MAX, |_| {}).unwrap();
        (live, Digest::of(&rebuilt).unwrap())
    }
}

fn post(url: &str, token: Option<&str>, media_type: &str, body: &str) -> Answer {
    let mut request = agent().post(url).header("content-type", media_type);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    Answer::of(request.send(body).unwrap())
}

fn agent() -> ureq::Agent {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
    agent.timeout_global(Some(Duration::from_secs(60))).build().new_agent()
}
