//! What an administrator sets in the portal, in a running sensor: changes of the document below the state directory, put
//! in force by the control loop as a SIGHUP would. Called by portal and API, from threads that may block.

use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use crossbeam::channel::{self, bounded};
use ingest::clients::{Clients, Secret};
use service::settings::{
    Administer, Arrivals, Change, Edit, Entry, Heard, List, Planned, Refusal, RefusedSource, Saved,
    SecretText, View,
};
use tokio::sync::mpsc;

use super::observe::Observed;
use crate::{
    config::{
        self, Config, ConfigError, GENERATED_CLIENT, XdpMode,
        settings::{
            Settings, discard, document_path, keep_secret, keys, layer_entries, origin_of,
            remove_unused_secrets, replace, with_document,
        },
    },
    metrics::Service as _,
};

/// How long the control loop may take to put a change in force: the answer to the browser must be within 30 s.
const PATIENCE: Duration = Duration::from_secs(20);
/// Orders that wait; there is one at a time.
const ORDERS_MAX: usize = 1;
/// Longest secret, octets: VPN servers take fewer.
const SECRET_OCTETS_MAX: usize = 256;
/// Edits of a change at most.
const EDITS_MAX: usize = 1000;

/// To the control loop: read the configuration again and say what came of it.
pub(super) struct Order {
    pub(super) answer: channel::Sender<Result<Vec<&'static str>, String>>,
}

/// The way from the portal to the configuration.
pub(super) struct Administration {
    /// As the sensor was started.
    started: Config,
    observed: Arc<Observed>,
    orders: mpsc::Sender<Order>,
    /// Held for a whole change.
    one: Mutex<()>,
}

impl fmt::Debug for Administration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Administration").finish_non_exhaustive()
    }
}

impl Administration {
    /// With the control loop's end of it.
    pub(super) fn new(
        started: &Config,
        observed: &Arc<Observed>,
    ) -> (Arc<Administration>, mpsc::Receiver<Order>) {
        let (orders, taken) = mpsc::channel(ORDERS_MAX);
        let (started, observed) = (started.clone(), Arc::clone(observed));
        (Arc::new(Administration { started, observed, orders, one: Mutex::default() }), taken)
    }

    fn state_dir(&self) -> &Path {
        &self.started.state_dir
    }

    /// The document as it is.
    fn document(&self) -> Result<(String, Settings), String> {
        let path = document_path(self.state_dir());
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        let settings = Settings::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok((text, settings))
    }

    /// Has the control loop read the configuration again.
    fn put_in_force(&self) -> Result<Vec<&'static str>, String> {
        let (answer, answered) = bounded(1);
        let stopping = || "the sensor is stopping".to_owned();
        self.orders.blocking_send(Order { answer }).map_err(|_| stopping())?;
        match answered.recv_timeout(PATIENCE) {
            Ok(answer) => answer,
            Err(channel::RecvTimeoutError::Disconnected) => Err(stopping()),
            Err(channel::RecvTimeoutError::Timeout) => {
                Err("the sensor is busy: look again in a moment whether it took the change".to_owned())
            }
        }
    }

    /// The edits with their secrets kept, of which the files are put into `kept`.
    fn edit(
        &self,
        settings: &mut Settings,
        edits: &[Edit],
        kept: &mut Vec<String>,
    ) -> Result<Vec<String>, Refusal> {
        let mut words = Vec::with_capacity(edits.len());
        for edit in edits {
            let secret = match edit {
                Edit::Secret { secret, .. } | Edit::Rotate { secret, .. } => Some(secret),
                _ => None,
            };
            if let Some(secret) = secret {
                check_secret(secret).map_err(Refusal::Invalid)?;
                let name = keep_secret(self.state_dir(), secret.reveal()).map_err(Refusal::Failed)?;
                kept.push(name);
            }
            let file = secret.and_then(|_| kept.last()).map(String::as_str);
            words.push(settings.edit(edit, file).map_err(Refusal::Invalid)?);
        }
        Ok(words)
    }

    fn try_change(
        &self,
        change: &Change,
        note: &mut dyn FnMut(&Planned) -> Result<(), String>,
        kept: &mut Vec<String>,
    ) -> Result<Saved, Refusal> {
        let (old, mut settings) = self.document().map_err(Refusal::Failed)?;
        let before = settings.revision().map_err(Refusal::Failed)?;
        if change.revision.as_ref().is_some_and(|revision| *revision != before) {
            return Err(Refusal::Changed { revision: before });
        }
        if change.edits.is_empty() || change.edits.len() > EDITS_MAX {
            return Err(Refusal::Invalid(format!("a change has 1 to {EDITS_MAX} edits")));
        }
        let edits = self.edit(&mut settings, &change.edits, kept)?;
        let (text, after) = (settings.text(), settings.revision());
        let (text, after) = (text.map_err(Refusal::Invalid)?, after.map_err(Refusal::Invalid)?);
        let file = self.started.path.as_deref();
        let checked = with_document(file, self.state_dir(), &text);
        checked.map_err(|error| Refusal::Invalid(self.words(&error)))?;
        note(&Planned { edits, before, after: after.clone() }).map_err(Refusal::Failed)?;
        replace(self.state_dir(), &text).map_err(Refusal::Failed)?;
        match self.put_in_force() {
            Ok(restart) => {
                kept.clear();
                remove_unused_secrets(self.state_dir(), &settings);
                let restart_needed = restart.into_iter().map(str::to_owned).collect();
                Ok(Saved { revision: after, restart_needed })
            }
            Err(reason) => {
                // What is not in force must not be so after the next start either.
                if let Err(error) = replace(self.state_dir(), &old) {
                    tracing::error!("a refused change of the settings stays on disk: {error}");
                    kept.clear();
                }
                Err(Refusal::Failed(reason))
            }
        }
    }

    /// What is wrong, without the places in a document that nobody wrote.
    fn words(&self, error: &ConfigError) -> String {
        let document = document_path(self.state_dir());
        let problems = error.problems.iter().map(|problem| match problem.file == document {
            true => problem.message.clone(),
            false => problem.to_string(),
        });
        problems.collect::<Vec<_>>().join("; ")
    }
}

impl Administer for Administration {
    fn view(&self) -> Result<View, String> {
        let (_, settings) = self.document()?;
        let config = config::load_over(self.started.path.as_deref(), Some(self.state_dir()));
        let config = config.map_err(|error| error.to_string())?;
        let mut entries = layer_entries(&config, &settings);
        if config.clients.is_empty() {
            entries.insert(0, generated());
        }
        let clients = self.observed.ingest().clients().current();
        let heard = heard(&clients);
        for entry in entries.iter_mut().filter(|entry| entry.list == List::Client) {
            entry.heard = heard.get(&entry.name).cloned();
        }
        let mut restart_needed = self.started.needs_restart(&config);
        if self.started.listen.xdp != XdpMode::Off
            && self.started.has_generated_client()
            && !config.clients.is_empty()
        {
            // Who is on loopback alone is captured by no interface, and interfaces are opened with privileges.
            restart_needed.push("capture by XDP, where the host can");
        }
        Ok(View {
            revision: settings.revision()?,
            keys: keys(&config, &settings),
            entries,
            restart_needed: restart_needed.into_iter().map(str::to_owned).collect(),
        })
    }

    fn change(
        &self,
        change: &Change,
        note: &mut dyn FnMut(&Planned) -> Result<(), String>,
    ) -> Result<Saved, Refusal> {
        let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = Vec::new();
        let result = self.try_change(change, note, &mut kept);
        discard(self.state_dir(), &kept);
        result
    }

    fn is_accounting(&self) -> bool {
        self.observed.ingest().is_open()
    }

    fn arrivals(&self) -> Arrivals {
        let refused = self.observed.refused();
        let kept = self.observed.specimens();
        let clients = self.observed.ingest().clients().current();
        let sources = refused.sources.into_iter().map(|refused| {
            let nas = kept.nas(refused.source);
            let holder = clients.lookup(refused.source).map(|index| clients.get(index));
            let is_mended = match holder {
                Some(holder) if nas.is_some() => kept.is_proved_by(refused.source, holder),
                holder => holder.is_some() && refused.client.is_none(),
            };
            RefusedSource {
                source: refused.source,
                client: holder.map(|holder| holder.name.to_string()),
                is_mended,
                verdict: refused.verdict,
                reason: refused.reason,
                datagrams: refused.datagrams,
                first_seen: format!("{:.0}", refused.first_seen),
                last_seen: format!("{:.0}", refused.last_seen),
                can_try: nas.is_some(),
                nas: nas.flatten(),
            }
        });
        Arrivals { accounting: self.observed.ingest().is_open(), refused: sources.collect() }
    }

    fn try_secret(&self, source: IpAddr, secret: &SecretText) -> Option<bool> {
        self.observed.specimens().is_made_with(source, secret.reveal().as_bytes())
    }

    fn generate(&self) -> SecretText {
        SecretText::new(config::generated_secret())
    }
}

/// The client that there is while nobody set one.
fn generated() -> Entry {
    let address = serde_json::json!(["127.0.0.0/8", "::1"]);
    Entry {
        list: List::Client,
        name: GENERATED_CLIENT.to_owned(),
        origin: origin_of(&config::Origin::Default),
        fields: [("address".to_owned(), address)].into_iter().collect(),
        has_secret: true,
        has_previous_secret: false,
        has_weak_secret: false,
        heard: None,
    }
}

fn check_secret(secret: &SecretText) -> Result<(), String> {
    let text = secret.reveal();
    if text.is_empty() || text.len() > SECRET_OCTETS_MAX {
        return Err(format!("a secret has 1 to {SECRET_OCTETS_MAX} octets"));
    }
    if text.chars().any(char::is_control) {
        return Err("a secret that is set here has no control characters".to_owned());
    }
    Ok(())
}

fn heard(clients: &Clients) -> BTreeMap<String, Heard> {
    let moment = |secret: Option<&Secret>| {
        let second = secret.and_then(Secret::last_used_unix_s)?;
        let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        jiff::Timestamp::try_from(moment).ok().map(|moment| format!("{moment:.0}"))
    };
    let of = |(index, client): (_, &ingest::clients::Client)| {
        let state = clients.state(index);
        let [current, previous] = &client.secrets;
        let heard = Heard {
            secret_used: moment(current.as_ref()),
            previous_secret_used: moment(previous.as_ref()),
            genuine: state.genuine(),
            wrong_secret: state.bad_authenticators(),
        };
        (client.name.to_string(), heard)
    };
    clients.iter().map(of).collect()
}
