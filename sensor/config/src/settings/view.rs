//! What is set and by whom, as the portal shows it: secrets never, and what the file sets with its line.

use std::collections::HashSet;

use policy::settings::{self as shown, Entry, Key, Layer, List};
use serde_json::{Map, Value as Json};
use toml::{Table, Value};

use super::{
    Settings,
    document::{LISTS, entries, value},
    known::{self, Known},
    said::SECRET_KEYS,
};
use crate::{Config, Origin, Secret, values};

/// The same in the portal's words.
pub fn origin_of(origin: &Origin) -> shown::Origin {
    match origin {
        Origin::Default => shown::Origin { layer: Layer::Default, file: None, line: None },
        Origin::Portal => shown::Origin { layer: Layer::Portal, file: None, line: None },
        Origin::File { path, line } => {
            let file = Some(path.display().to_string());
            shown::Origin { layer: Layer::File, file, line: Some(*line) }
        }
    }
}

/// Every single key with its value in this configuration.
pub fn keys(config: &Config) -> Vec<Key> {
    let key = |Known { name, page, kind, default, allowed, about }: Known| {
        let origin = config.origin(&name);
        let set = match origin {
            Origin::File { .. } => value(&config.file_says.0, &name),
            Origin::Portal => value(&config.portal_says.0, &name),
            Origin::Default => None,
        };
        Key {
            value: set.map_or_else(|| default.clone(), text),
            key: name,
            page,
            kind,
            default,
            allowed,
            about: about.to_owned(),
            origin: origin_of(&origin),
        }
    };
    known::all().into_iter().map(key).collect()
}

/// Every entry of both layers: those of this configuration's file first, then those of the document, which edits change.
pub fn layer_entries(config: &Config, settings: &Settings) -> Vec<Entry> {
    let weak: HashSet<&str> = config
        .clients
        .iter()
        .filter(|client| {
            [Some(&client.secret), client.previous_secret.as_ref()].into_iter().flatten().any(Secret::is_weak)
        })
        .map(|client| client.name.as_str())
        .collect();
    let mut all = Vec::new();
    for list in LISTS {
        for (index, table) in entries(&config.file_says.0, list).into_iter().enumerate() {
            let path = config.path.clone().unwrap_or_default();
            let line = config.entry_lines.get(&(list.name(), index)).copied().unwrap_or(1);
            all.push(entry(list, index, table, &Origin::File { path, line }));
        }
        for (index, table) in settings.list(list).into_iter().enumerate() {
            all.push(entry(list, index, table, &Origin::Portal));
        }
    }
    for entry in all.iter_mut().filter(|entry| entry.list == List::Client) {
        entry.has_weak_secret = weak.contains(entry.name.as_str());
    }
    all
}

fn entry(list: List, index: usize, table: &Table, origin: &Origin) -> Entry {
    let has = |keys: &[&str]| keys.iter().any(|key| table.contains_key(*key));
    let first_address = || {
        let address = table.get("address").and_then(Value::as_array).and_then(|all| all.first());
        address.and_then(Value::as_str).map(str::to_owned)
    };
    let name = match list {
        List::Exclusion => Some((index + 1).to_string()),
        _ => table.get("name").and_then(Value::as_str).map(str::to_owned).or_else(first_address),
    };
    let fields = table.iter().filter(|(key, _)| !SECRET_KEYS.contains(&key.as_str()));
    let fields: Map<String, Json> = fields
        .filter_map(|(key, value)| Some((key.clone(), serde_json::to_value(plain(value)).ok()?)))
        .collect();
    let ends = match list {
        List::Exclusion => table.get("until").and_then(|until| values::moment(&text(until)).ok()),
        _ => None,
    };
    Entry {
        list,
        name: name.unwrap_or_default(),
        origin: origin_of(origin),
        fields,
        has_secret: has(&SECRET_KEYS[..3]),
        has_previous_secret: has(&SECRET_KEYS[3..]),
        has_weak_secret: false,
        heard: None,
        ends: ends.map(|moment| moment.to_string()),
    }
}

/// Dates as text: in JSON they have no form of their own.
fn plain(value: &Value) -> Value {
    match value {
        Value::Datetime(moment) => Value::String(moment.to_string()),
        other => other.clone(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
