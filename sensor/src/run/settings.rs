//! What an administrator sets in the portal, in a running sensor: changes of the document below the state directory, put
//! in force by the control loop, over the configuration file as that was last taken. Called by portal and API, from threads
//! that may block.

use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use crossbeam::channel::{self, bounded};
use ingest::{
    capture::netlink::Watch,
    clients::{Client, Clients, Secret},
};
use service::settings::{
    Administer, Arrivals, Change, Edit, Entry, Heard, List, Note, Planned, Refusal, RefusedSource, Saved,
    SecretText, View,
};
use tokio::sync::{mpsc, watch};

use super::{
    observe::Observed,
    refused::{LATELY, NOT_LET_IN},
};
use crate::{
    config::{
        self, Config, ConfigError, GENERATED_CLIENT, Origin, XdpMode,
        settings::{
            NotReplaced, Settings, check_destinations, discard, document_path, keep_secret, keys,
            layer_entries, less_kept, origin_of, remove_leftovers, remove_unused_secrets, replace,
        },
    },
    host::reachable,
    metrics::Service as _,
};

/// How long the control loop may take to put a change in force, and then to undo it: the answer to the browser must be
/// within 30 s.
const PATIENCE: [Duration; 2] = [Duration::from_secs(20), Duration::from_secs(5)];
/// Orders that wait; there is one at a time.
const ORDERS_MAX: usize = 1;
/// Longest secret, octets: VPN servers take fewer.
const SECRET_OCTETS_MAX: usize = 256;
/// Edits of a change at most.
const EDITS_MAX: usize = 1000;

/// To the control loop: read the document again and say what came of it.
pub(super) struct Order {
    pub(super) answer: channel::Sender<Result<Vec<&'static str>, String>>,
}

/// What the control loop last put in force.
pub(super) struct InForce {
    /// As it was read.
    pub(super) config: Arc<Config>,
    /// Keys that wait for a restart.
    pub(super) restart: Vec<&'static str>,
}

/// The control loop's end.
pub(super) struct Control {
    /// What is to be done.
    pub(super) orders: mpsc::Receiver<Order>,
    /// What was.
    pub(super) in_force: watch::Sender<InForce>,
}

/// The way from the portal to the configuration.
pub(super) struct Administration {
    /// As the sensor was started.
    started: Config,
    observed: Arc<Observed>,
    orders: mpsc::Sender<Order>,
    in_force: watch::Receiver<InForce>,
    /// [`PATIENCE`].
    patience: [Duration; 2],
    /// Held for a whole change.
    one: Mutex<()>,
}

impl fmt::Debug for Administration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Administration").finish_non_exhaustive()
    }
}

impl Administration {
    /// With the control loop's end of it. What a crash left of a change is taken away.
    pub(super) fn new(started: &Config, observed: &Arc<Observed>) -> (Arc<Administration>, Control) {
        remove_leftovers(&started.state_dir);
        let (orders, taken) = mpsc::channel(ORDERS_MAX);
        let (started, observed) = (started.clone(), Arc::clone(observed));
        let first = InForce { config: Arc::new(started.clone()), restart: Vec::new() };
        let (told, in_force) = watch::channel(first);
        let one = Mutex::default();
        let administration = Administration { started, observed, orders, in_force, patience: PATIENCE, one };
        (Arc::new(administration), Control { orders: taken, in_force: told })
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

    /// The next turn of the control loop: nothing is written that would have to wait for another one.
    fn turn(&self) -> Result<mpsc::Permit<'_, Order>, String> {
        self.orders.try_reserve().map_err(|error| match error {
            mpsc::error::TrySendError::Full(()) => {
                "the sensor is busy with a change before this one: try again in a moment".to_owned()
            }
            mpsc::error::TrySendError::Closed(()) => stopping(),
        })
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
            let words_of_it = match edit {
                Edit::Rotate { name, secret, replace_newest: false } if self.has_unused_newest(name) => {
                    let (name, secret) = (name.clone(), secret.clone());
                    settings.edit(&Edit::Rotate { name, secret, replace_newest: true }, file)
                }
                edit => settings.edit(edit, file),
            };
            words.push(words_of_it?);
        }
        Ok(words)
    }

    /// Whether a client has two secrets in force, of which the newest never proved a request: nobody loses anything with it.
    fn has_unused_newest(&self, name: &str) -> bool {
        let clients = self.observed.ingest().clients().current();
        clients.iter().any(|(_, client)| *client.name == *name && self.is_newest_unused(client))
    }

    fn is_newest_unused(&self, client: &Client) -> bool {
        let [Some(newest), Some(_)] = &client.secrets else { return false };
        // Of one that was there at the start nobody knows: who used it before is not remembered.
        let secret = |config: &Config| {
            let client = config.clients.iter().find(|other| *other.name == *client.name);
            client.map(|client| client.secret.octets().to_vec())
        };
        newest.last_used_unix_s().is_none() && secret(&self.in_force.borrow().config) != secret(&self.started)
    }

    fn heard(&self, clients: &Clients) -> BTreeMap<String, Heard> {
        let moment = |secret: Option<&Secret>| {
            let second = secret.and_then(Secret::last_used_unix_s)?;
            let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
            jiff::Timestamp::try_from(moment).ok().map(|moment| format!("{moment:.0}"))
        };
        let of = |(index, client): (_, &Client)| {
            let state = clients.state(index);
            let [current, previous] = &client.secrets;
            let heard = Heard {
                secret_used: moment(current.as_ref()),
                previous_secret_used: moment(previous.as_ref()),
                genuine: state.genuine(),
                wrong_secret: state.bad_authenticators(),
                is_newest_unused: self.is_newest_unused(client),
            };
            (client.name.to_string(), heard)
        };
        clients.iter().map(of).collect()
    }

    fn try_change(
        &self,
        change: &Change,
        note: &mut Note<'_>,
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
        let document = settings.clone();
        let edits = self.edit(&mut settings, &change.edits, kept)?;
        check_destinations(&document, &settings).map_err(Refusal::Invalid)?;
        let (text, after) = (settings.text(), settings.revision());
        let (text, after) = (text.map_err(Refusal::Invalid)?, after.map_err(Refusal::Invalid)?);
        let in_force = Arc::clone(&self.in_force.borrow().config);
        let checked = in_force.over_document(self.state_dir(), &text);
        let checked = checked.map_err(|error| Refusal::Invalid(self.words(&error)))?;
        let lost = less_kept(&in_force, &checked);
        let turn = self.turn().map_err(Refusal::Failed)?;
        let planned = Planned { edits, before, after, lost };
        note(&planned).map_err(Refusal::Failed)?;
        let [patience, _] = self.patience;
        let reason = match replace(self.state_dir(), &text) {
            Ok(()) => match put_in_force(turn, patience) {
                Ok(restart) => {
                    kept.clear();
                    remove_unused_secrets(self.state_dir(), &settings);
                    let restart_needed = restart.into_iter().map(str::to_owned).collect();
                    return Ok(Saved { revision: planned.after, restart_needed });
                }
                Err(reason) => reason,
            },
            Err(NotReplaced { reason, is_in_doubt }) => {
                drop(turn);
                if !is_in_doubt {
                    self.note_undone(&planned, &reason, true, note);
                    return Err(Refusal::Failed(reason));
                }
                reason
            }
        };
        let is_undone = self.undo(&old, kept);
        self.note_undone(&planned, &reason, is_undone, note);
        Err(Refusal::Failed(reason))
    }

    /// Puts the document before back, and in force again: what was reported as not made must not be so now, however late the
    /// control loop came to it, nor after the next start. Whether the document before is there.
    fn undo(&self, old: &str, kept: &mut Vec<String>) -> bool {
        if let Err(NotReplaced { reason, .. }) = replace(self.state_dir(), old) {
            tracing::error!(
                "a change of the settings that was refused may be in force after the next start: {reason}"
            );
            // Either document may be the one that is read then: the secrets of both stay.
            kept.clear();
            return false;
        }
        let [_, patience] = self.patience;
        // Where there is no turn, one waits that has not begun: it will read what was put back.
        let again = self.turn().map_or(Ok(Vec::new()), |turn| put_in_force(turn, patience));
        if let Err(reason) = again {
            tracing::error!("the settings before a refused change are not in force again yet: {reason}");
        }
        true
    }

    /// The audit log said what would be done.
    fn note_undone(&self, planned: &Planned, reason: &str, is_undone: bool, note: &mut Note<'_>) {
        let Planned { before, after, .. } = planned.clone();
        let (what, now) = match is_undone {
            true => ("not made", before),
            false => ("not in force, and it cannot be undone", after.clone()),
        };
        let edits = vec![format!("{what}: {reason}")];
        let undone = Planned { edits, before: after, after: now, lost: Vec::new() };
        if let Err(error) = note(&undone) {
            tracing::error!(
                "the audit log names a change of the settings that was not made: {reason}; {error}"
            );
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
        let (config, mut restart_needed) = {
            let InForce { config, restart } = &*self.in_force.borrow();
            (Arc::clone(config), restart.clone())
        };
        let mut entries = layer_entries(&config, &settings);
        let is_generated = config.clients.iter().any(|client| client.origin == Origin::Default);
        if is_generated {
            entries.insert(0, generated());
        }
        let clients = self.observed.ingest().clients().current();
        let heard = self.heard(&clients);
        for entry in entries.iter_mut().filter(|entry| entry.list == List::Client) {
            entry.heard = heard.get(&entry.name).cloned();
        }
        if self.started.listen.xdp != XdpMode::Off && self.started.has_generated_client() && !is_generated {
            // Who is on loopback alone is captured by no interface, and interfaces are opened with privileges.
            restart_needed.push("capture by XDP, where the host can");
        }
        Ok(View {
            revision: settings.revision()?,
            keys: keys(&config),
            entries,
            restart_needed: restart_needed.into_iter().map(str::to_owned).collect(),
        })
    }

    fn change(&self, change: &Change, note: &mut Note<'_>) -> Result<Saved, Refusal> {
        let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = Vec::new();
        let result = self.try_change(change, note, &mut kept);
        discard(self.state_dir(), &kept);
        result
    }

    fn is_accounting(&self) -> bool {
        self.observed.ingest().is_open()
    }

    fn closed_because(&self) -> Option<String> {
        self.observed.ingest().closed_because()
    }

    fn arrivals(&self) -> Arrivals {
        let refused = self.observed.refused();
        let kept = self.observed.specimens();
        let clients = self.observed.ingest().clients().current();
        let now = refused.now;
        let sources = refused.sources.into_iter().filter(|refused| {
            let seconds = now.duration_since(refused.last_seen).as_secs();
            NOT_LET_IN.iter().any(|verdict| verdict.name() == refused.verdict)
                && seconds < LATELY.as_secs().cast_signed()
        });
        let sources = sources.map(|refused| {
            let nas = kept.nas(refused.source);
            let holder = clients.lookup(refused.source).map(|index| clients.get(index));
            // Either the secret was changed here, or the VPN server's was.
            let is_mended = match holder {
                Some(_) if refused.is_mended => true,
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
        let config = Arc::clone(&self.in_force.borrow().config);
        // Where the kernel does not say what the host holds, the pages say "an address of this host".
        let held = Watch::open().and_then(|mut watch| watch.addresses()).unwrap_or_default();
        let held: Vec<IpAddr> = held.into_iter().map(|held| held.address).collect();
        // One lock at a time.
        let (accounting, closed_because) = (self.is_accounting(), self.closed_because());
        Arrivals {
            accounting,
            closed_because,
            addresses: reachable(&config.listen.addresses, &held),
            refused: sources.collect(),
        }
    }

    fn try_secret(&self, source: IpAddr, secret: &SecretText) -> Option<bool> {
        self.observed.specimens().is_made_with(source, secret.reveal().as_bytes())
    }

    fn generate(&self) -> SecretText {
        SecretText::new(config::generated_secret())
    }
}

fn stopping() -> String {
    "the sensor is stopping: try again when it runs".to_owned()
}

/// Has the control loop read the document again.
fn put_in_force(turn: mpsc::Permit<'_, Order>, patience: Duration) -> Result<Vec<&'static str>, String> {
    let (answer, answered) = bounded(1);
    turn.send(Order { answer });
    match answered.recv_timeout(patience) {
        Ok(answer) => answer,
        Err(channel::RecvTimeoutError::Disconnected) => Err(stopping()),
        Err(channel::RecvTimeoutError::Timeout) => {
            Err("the sensor is too busy to take it: try again in a moment".to_owned())
        }
    }
}

/// The client that there is while nobody set one.
fn generated() -> Entry {
    let address = serde_json::json!(["127.0.0.0/8", "::1"]);
    Entry {
        list: List::Client,
        name: GENERATED_CLIENT.to_owned(),
        origin: origin_of(&Origin::Default),
        fields: [("address".to_owned(), address)].into_iter().collect(),
        has_secret: true,
        has_previous_secret: false,
        has_weak_secret: false,
        heard: None,
        ends: None,
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

#[cfg(test)]
mod tests;
