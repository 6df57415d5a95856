//! The document, and edits of it. Knows which keys there are, and leaves to the reader of configurations what they may
//! hold: a document is sound when that takes it.

use policy::settings::{Edit, List, Refusal};
use serde_json::{Map, Value as Json};
use sha2::{Digest as _, Sha256};
use toml::{Table, Value};

use super::{kept, known};

/// Octets of the document at most: some thousand clients.
const OCTETS_MAX: usize = 4 << 20;

/// What the portal set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    table: Table,
}

impl Settings {
    /// Reads a document; an empty one is that of a new installation.
    pub fn parse(text: &str) -> Result<Settings, String> {
        // Only the message: an error's own display quotes the line.
        text.parse()
            .map(|table| Settings { table })
            .map_err(|error: toml::de::Error| error.message().to_owned())
    }

    /// As it is written.
    pub fn text(&self) -> Result<String, String> {
        let text = if self.table.is_empty() { String::new() } else { self.table.to_string() };
        if text.len() > OCTETS_MAX {
            return Err("that is too much to be set here: use the configuration file".to_owned());
        }
        Ok(text)
    }

    /// What changes with each change, and is the same for the same settings.
    pub fn revision(&self) -> Result<String, String> {
        let digest = Sha256::digest(self.text()?.as_bytes());
        Ok(digest.iter().take(8).map(|octet| format!("{octet:02x}")).collect())
    }

    /// The entries of a list.
    pub fn list(&self, list: List) -> Vec<&Table> {
        entries(&self.table, list)
    }

    /// The files of all secrets, as the document names them.
    pub fn secret_files(&self) -> Vec<String> {
        let lists = [List::Client, List::Sink];
        let tables = lists.into_iter().flat_map(|list| self.list(list));
        tables
            .flat_map(|table| {
                [known::SECRET_FILE, known::PREVIOUS_FILE].map(|key| table.get(key).and_then(Value::as_str))
            })
            .flatten()
            .map(str::to_owned)
            .collect()
    }

    /// Makes an edit, and says it in words. A secret's file, which is there already, is given as the document names it.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] and [`Refusal::Gone`]; the document is not to be used then.
    pub fn edit(&mut self, edit: &Edit, secret_file: Option<&str>) -> Result<String, Refusal> {
        match edit {
            Edit::Set { key, value } => Ok(self.set(key, value)?),
            Edit::Unset { key } => {
                check_key(key)?;
                let before = unset(&mut self.table, key);
                let before = before.ok_or_else(|| format!("`{key}` is not set here"))?;
                Ok(format!("{key}: {before} -> default"))
            }
            Edit::Add { list, name, fields } => {
                self.check_free(*list, name.trim())?;
                self.put(*list, name, fields)
            }
            Edit::Put { list, name, fields } => self.put(*list, name, fields),
            Edit::Remove { list, name } => {
                let at = self.position(*list, name)?;
                if let Some(tables) = tables(&mut self.table, *list) {
                    tables.remove(at);
                    if tables.is_empty() {
                        unset(&mut self.table, path(*list));
                    }
                }
                Ok(format!("{} {name}: removed", list.name()))
            }
            Edit::Secret { list, name, .. } => {
                let entry = self.entry(*list, name)?;
                entry.insert(known::SECRET_FILE.to_owned(), of(secret_file)?);
                entry.remove(known::PREVIOUS_FILE);
                Ok(format!("{} {name}: another secret", list.name()))
            }
            Edit::Rotate { name, replace_newest, .. } => {
                let entry = self.entry(List::Client, name)?;
                let has_two = entry.contains_key(known::PREVIOUS_FILE);
                if has_two && !replace_newest {
                    return Err(format!(
                        "client {name:?} accepts two secrets already, and VPN servers use the newest: once none uses the \
                         one before it, end that (`Accept the secret before no more`, or `end-rotation`) and do this again; \
                         or replace the newest and keep the one before it (`Replace the newest`, or `replace_newest`)"
                    )
                    .into());
                }
                let newest = entry.insert(known::SECRET_FILE.to_owned(), of(secret_file)?);
                let newest = newest.ok_or_else(|| format!("client {name:?} has no secret to replace"))?;
                if has_two {
                    return Ok(format!(
                        "client {name}: another secret in the place of the newest, the one before it accepted as well"
                    ));
                }
                entry.insert(known::PREVIOUS_FILE.to_owned(), newest);
                Ok(format!("client {name}: another secret, the one before accepted as well"))
            }
            Edit::EndRotation { name } => {
                let before = self.entry(List::Client, name)?.remove(known::PREVIOUS_FILE);
                before.ok_or_else(|| format!("client {name:?} has one secret only"))?;
                Ok(format!("client {name}: the secret before is accepted no more"))
            }
        }
    }

    fn set(&mut self, key: &str, value: &Json) -> Result<String, String> {
        check_key(key)?;
        kept::check(key, value)?;
        let value = toml_of(value)?;
        let (folders, last) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = &mut self.table;
        for folder in folders.split('.').filter(|folder| !folder.is_empty()) {
            let inner = table.entry(folder).or_insert_with(|| Value::Table(Table::new()));
            table = inner.as_table_mut().ok_or_else(|| format!("`{folder}` is no table"))?;
        }
        let shown = value.to_string();
        let before = table.insert(last.to_owned(), value);
        Ok(format!("{key}: {} -> {shown}", before.map_or("default".to_owned(), |before| before.to_string())))
    }

    fn put(&mut self, list: List, name: &str, fields: &Map<String, Json>) -> Result<String, Refusal> {
        if let Some(key) = fields.keys().find(|key| key.contains("secret")) {
            return Err(format!("`{key}`: secrets are set by edits of their own").into());
        }
        if fields.contains_key("name") {
            // It would be found by another name than the one that it is called by here, or by none.
            let reason = "`name`: an entry keeps its name; take it away and make another one";
            return Err(reason.to_owned().into());
        }
        let name = name.trim();
        let found = match (list, name.is_empty()) {
            (List::Exclusion, true) => None,
            // A number names what is there: nobody calls a new one by it.
            (List::Exclusion, false) => Some(self.position(list, name)?),
            (_, true) => return Err(format!("a {} wants a name", list.name()).into()),
            (_, false) => self.position(list, name).ok(),
        };
        let tables = make_tables(&mut self.table, list)?;
        let at = match found {
            Some(at) => at,
            None => {
                let mut table = Table::new();
                if list != List::Exclusion {
                    table.insert("name".to_owned(), Value::String(name.to_owned()));
                }
                tables.push(Value::Table(table));
                tables.len() - 1
            }
        };
        let entry = tables.get_mut(at).and_then(Value::as_table_mut);
        let entry = entry.ok_or_else(damaged)?;
        for (key, value) in fields {
            if value.is_null() {
                entry.remove(key);
            } else {
                entry.insert(key.clone(), toml_of(value)?);
            }
        }
        let said: Vec<String> = fields.iter().map(|(key, value)| in_words(key, value)).collect();
        let number = (at + 1).to_string();
        let name = if name.is_empty() { &*number } else { name };
        let made = if found.is_some() { "changed" } else { "made" };
        Ok(format!("{} {name}: {made}: {}", list.name(), said.join(", ")))
    }

    /// What is new must not change what is there. Names of the file are refused when both are read together.
    fn check_free(&self, list: List, name: &str) -> Result<(), Refusal> {
        let what = list.name();
        match list {
            List::Exclusion if name.is_empty() => Ok(()),
            List::Exclusion => {
                Err("a new exclusion gets its number by itself: leave its name empty".to_owned().into())
            }
            _ if self.position(list, name).is_err() => Ok(()),
            _ => Err(format!(
                "there is a {what} of the name {name:?} already: change that one, or take another name"
            )
            .into()),
        }
    }

    fn entry(&mut self, list: List, name: &str) -> Result<&mut Table, Refusal> {
        let at = self.position(list, name)?;
        let entry = tables(&mut self.table, list).and_then(|tables| tables.get_mut(at)?.as_table_mut());
        Ok(entry.ok_or_else(damaged)?)
    }

    fn position(&self, list: List, name: &str) -> Result<usize, Refusal> {
        let entries = self.list(list);
        let found = match list {
            List::Exclusion => name.parse::<usize>().ok().and_then(|number| number.checked_sub(1)),
            _ => entries.iter().position(|entry| entry.get("name").and_then(Value::as_str) == Some(name)),
        };
        found.filter(|at| *at < entries.len()).ok_or_else(|| {
            Refusal::Gone(format!(
                "there is no {} {name:?} that was set here, or not any more: look again; what the file sets is changed there",
                list.name()
            ))
        })
    }
}

/// What the audit log says of a field. The address of a webhook is often all that it takes to send to it.
fn in_words(key: &str, value: &Json) -> String {
    if key == "url" { format!("another {key}") } else { format!("{key} = {value}") }
}

/// The value of a dotted key of a document.
pub(super) fn value<'t>(table: &'t Table, key: &str) -> Option<&'t Value> {
    let mut parts = key.split('.');
    let first = table.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.as_table()?.get(part))
}

/// The entries of a list of a document.
pub(super) fn entries(table: &Table, list: List) -> Vec<&Table> {
    let tables = value(table, path(list)).and_then(Value::as_array);
    tables.into_iter().flatten().filter_map(Value::as_table).collect()
}

/// All lists of a document.
pub(super) const LISTS: [List; 4] = [List::Client, List::Site, List::Sink, List::Exclusion];

/// Where a list stands.
pub(super) fn path(list: List) -> &'static str {
    match list {
        List::Client => "client",
        List::Site => "site",
        List::Sink => "sink",
        List::Exclusion => "detect.exclusion",
    }
}

fn tables(table: &mut Table, list: List) -> Option<&mut Vec<Value>> {
    let mut parts = path(list).split('.');
    let first = table.get_mut(parts.next()?)?;
    parts.try_fold(first, |value, part| value.as_table_mut()?.get_mut(part))?.as_array_mut()
}

fn make_tables(table: &mut Table, list: List) -> Result<&mut Vec<Value>, String> {
    let (folder, last) = path(list).rsplit_once('.').unwrap_or(("", path(list)));
    let table = if folder.is_empty() {
        table
    } else {
        let inner = table.entry(folder).or_insert_with(|| Value::Table(Table::new()));
        inner.as_table_mut().ok_or_else(damaged)?
    };
    let tables = table.entry(last).or_insert_with(|| Value::Array(Vec::new()));
    tables.as_array_mut().ok_or_else(damaged)
}

/// Not what this module writes.
fn damaged() -> String {
    "the document of the settings is damaged: restore it from a backup, or move it away".to_owned()
}

/// Takes a key away, and tables that it leaves empty.
fn unset(table: &mut Table, key: &str) -> Option<Value> {
    let Some((first, rest)) = key.split_once('.') else { return table.remove(key) };
    let inner = table.get_mut(first)?.as_table_mut()?;
    let removed = unset(inner, rest);
    if inner.is_empty() {
        table.remove(first);
    }
    removed
}

fn check_key(key: &str) -> Result<(), String> {
    if known::names().iter().any(|name| name == key) {
        return Ok(());
    }
    Err(known::refusal(key))
}

fn toml_of(value: &Json) -> Result<Value, String> {
    Value::try_from(value).map_err(|_| format!("{value} is no value of a configuration"))
}

fn of(secret_file: Option<&str>) -> Result<Value, String> {
    secret_file.map(|name| Value::String(name.to_owned())).ok_or_else(|| "there is no secret".to_owned())
}
