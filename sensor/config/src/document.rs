//! A parsed TOML document that knows where everything stands and which keys were asked for.
//!
//! A [`Section`] hands values out by key and type; whatever nobody asked for is an unknown key, so the list of known
//! keys is the reading code itself. All problems are collected: one look at the file mends them all. No message quotes
//! a line of the file, because that line may hold a secret.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    ops::{Range, RangeInclusive},
    path::Path,
    time::Duration,
};

use jiff::Timestamp;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{ConfigError, Problem, values};

/// Names sharing less than this with a known key are no misspelling of it.
const LIKENESS_MIN: f64 = 0.75;

/// The keys that a layer set, by their dotted names, and the line of each.
pub(super) type Lines = BTreeMap<String, usize>;

/// The lines of entries, by their list and their place in it.
pub(super) type EntryLines = BTreeMap<(&'static str, usize), usize>;

/// The text of a configuration file and the problems found in it.
pub(super) struct Document<'a> {
    path: &'a Path,
    text: &'a str,
    /// Keys that a layer above this one set: here they are as if they were not there.
    above: &'a Lines,
    set: RefCell<Lines>,
    entries: RefCell<EntryLines>,
    problems: RefCell<Vec<(usize, String)>>,
}

impl<'a> Document<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str, above: &'a Lines) -> Document<'a> {
        let (set, entries) = (RefCell::default(), RefCell::default());
        Document { path, text, above, set, entries, problems: RefCell::new(Vec::new()) }
    }

    /// The file and this line of it.
    pub(super) fn line(&self, line: usize) -> (&'a Path, usize) {
        (self.path, line)
    }

    /// Notes a problem at an octet of the text.
    pub(super) fn problem(&self, span: Range<usize>, message: impl Into<String>) {
        self.problems.borrow_mut().push((span.start, message.into()));
    }

    /// Whether a problem was noted.
    pub(super) fn has_problems(&self) -> bool {
        !self.problems.borrow().is_empty()
    }

    /// Line and column, both from 1, of an octet of the text. Columns count characters.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// The keys that were set when no problem was noted; else all problems in the order of the file.
    pub(super) fn finish(self) -> Result<(Lines, EntryLines), ConfigError> {
        if self.has_problems() { Err(self.into_error()) } else { Ok((self.set.take(), self.entries.take())) }
    }

    /// The problems noted, in the order of the file.
    pub(super) fn into_error(self) -> ConfigError {
        let mut problems = self.problems.take();
        problems.sort_by_key(|(offset, _)| *offset);
        let problems = problems
            .into_iter()
            .map(|(offset, message)| {
                let (line, column) = self.position(offset);
                Problem { file: self.path.to_owned(), line, column, message }
            })
            .collect();
        ConfigError { problems }
    }
}

/// One table of the document.
pub(super) struct Section<'a, 'i> {
    document: &'a Document<'a>,
    /// The dotted name before a key of this table, empty at the top.
    prefix: String,
    /// Where the table stands in the text.
    pub(super) span: Range<usize>,
    table: &'a DeTable<'i>,
    /// One of an array of tables: its keys are its own, and no other layer's.
    is_entry: bool,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a, 'i> Section<'a, 'i> {
    pub(super) fn new(document: &'a Document<'a>, prefix: &str, table: &'a Spanned<DeTable<'i>>) -> Self {
        Section {
            document,
            prefix: prefix.to_owned(),
            span: table.span(),
            table: table.get_ref(),
            is_entry: false,
            asked: RefCell::default(),
        }
    }

    /// The value of `key`, whatever its type, unless a layer above set it.
    fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'i>>> {
        let value = self.table_of(key)?;
        if self.is_entry {
            return Some(value);
        }
        let name = self.name(key);
        if self.document.above.contains_key(&name) {
            return None;
        }
        let (line, _) = self.document.position(value.span().start);
        self.document.set.borrow_mut().insert(name, line);
        Some(value)
    }

    /// The table or tables of `key`: all layers together make them.
    fn table_of(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.asked.borrow_mut().push(key);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// The file and the line in which the table begins.
    pub(super) fn origin(&self) -> (&'a Path, usize) {
        self.document.line(self.line())
    }

    /// The name of a key as a person writes it: `listen.addresses`.
    pub(super) fn name(&self, key: &str) -> String {
        if self.prefix.is_empty() { key.to_owned() } else { format!("{}.{key}", self.prefix) }
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'i>>, wanted: &str) {
        let found = value.get_ref().type_str();
        let name = self.name(key);
        self.document.problem(value.span(), format!("`{name}` wants {wanted}, not {}", with_article(found)));
    }

    /// The line in which the table begins, from 1.
    pub(super) fn line(&self) -> usize {
        self.document.position(self.span.start).0
    }

    /// Notes a problem about this section.
    pub(super) fn problem(&self, span: Range<usize>, message: impl Into<String>) {
        self.document.problem(span, message);
    }

    /// Where the value of `key` stands, whatever it is; none where there is no such key.
    pub(super) fn place(&self, key: &'static str) -> Option<Range<usize>> {
        self.value(key).map(Spanned::span)
    }

    /// The string under `key` and where it stands.
    pub(super) fn string(&self, key: &'static str) -> Option<(&'a str, Range<usize>)> {
        let value = self.value(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(key, value, "a string");
        }
        Some((text?, value.span()))
    }

    /// The string under `key`, read by `parse`; its error becomes a problem.
    pub(super) fn parsed<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let (text, span) = self.string(key)?;
        self.accept(key, span, parse(text))
    }

    /// The strings of the array under `key`, each read by `parse`.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<(T, Range<usize>)>> {
        let value = self.value(key)?;
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "an array of strings");
            return None;
        };
        let mut parsed = Vec::with_capacity(items.len());
        for item in items.iter() {
            match item.get_ref().as_str() {
                Some(text) => {
                    let item_value = self.accept(key, item.span(), parse(text));
                    parsed.extend(item_value.map(|value| (value, item.span())));
                }
                None => self.wrong_type(key, item, "strings"),
            }
        }
        Some(parsed)
    }

    /// The lists of strings of the array under `key`.
    pub(super) fn groups(&self, key: &'static str) -> Option<Vec<Vec<&'a str>>> {
        let value = self.value(key)?;
        let wanted = "an array of arrays of strings";
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, wanted);
            return None;
        };
        let mut groups = Vec::with_capacity(items.len());
        for item in items.iter() {
            let texts =
                item.get_ref().as_array().map(|texts| texts.iter().map(|text| text.get_ref().as_str()));
            match texts.and_then(Iterator::collect) {
                Some(group) => groups.push(group),
                None => self.wrong_type(key, item, wanted),
            }
        }
        Some(groups)
    }

    /// The true or false under `key`.
    pub(super) fn boolean(&self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(key, value, "true or false");
        }
        flag
    }

    /// The whole number under `key`, which lies in `range`.
    pub(super) fn integer(&self, key: &'static str, range: Range<u64>) -> Option<u64> {
        let value = self.value(key)?;
        if value.get_ref().as_integer().is_none() {
            self.wrong_type(key, value, "a whole number");
            return None;
        }
        self.accept(key, value.span(), integer_within(value.get_ref(), &range))
    }

    /// The power of two under `key`, which lies in `range`.
    pub(super) fn power_of_two(&self, key: &'static str, range: Range<u64>) -> Option<u64> {
        let number = self.integer(key, range)?;
        let power = number.is_power_of_two().then_some(number);
        let span = self.value(key)?.span();
        self.accept(key, span, power.ok_or_else(|| format!("must be a power of two, {number} is none")))
    }

    /// The whole numbers of the array under `key`, which lie in `range`.
    pub(super) fn integers(&self, key: &'static str, range: Range<u64>) -> Option<Vec<u64>> {
        let value = self.value(key)?;
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "an array of whole numbers");
            return None;
        };
        let mut numbers = Vec::with_capacity(items.len());
        for item in items.iter() {
            if item.get_ref().is_integer() {
                numbers.extend(self.accept(key, item.span(), integer_within(item.get_ref(), &range)));
            } else {
                self.wrong_type(key, item, "whole numbers");
            }
        }
        Some(numbers)
    }

    /// A size in bytes: a whole number of bytes, or a string such as "64 MiB".
    pub(super) fn size(&self, key: &'static str, range: Range<u64>) -> Option<u64> {
        let value = self.value(key)?;
        let size = match value.get_ref() {
            DeValue::String(text) => values::size(text),
            DeValue::Integer(_) => integer_within(value.get_ref(), &(0..u64::MAX)),
            _ => {
                self.wrong_type(key, value, "a size such as \"64 MiB\"");
                return None;
            }
        };
        let size = size.and_then(|size| {
            if range.contains(&size) {
                Ok(size)
            } else {
                Err(format!("must lie between {} and {} bytes", range.start, range.end - 1))
            }
        });
        self.accept(key, value.span(), size)
    }

    /// A length of time such as "30s" or "90d".
    pub(super) fn duration(&self, key: &'static str, range: RangeInclusive<Duration>) -> Option<Duration> {
        self.parsed(key, |text| {
            let duration = values::duration(text)?;
            if range.contains(&duration) {
                Ok(duration)
            } else {
                let (least, most) = (values::shown(*range.start()), values::shown(*range.end()));
                Err(format!("must lie between {least} and {most}"))
            }
        })
    }

    /// The number under `key`, with or without a fraction, which lies in `range`.
    pub(super) fn number(&self, key: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        let value = self.value(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(integer) => {
                i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|number| number as f64)
            }
            DeValue::Float(float) => float.as_str().parse().ok(),
            _ => {
                self.wrong_type(key, value, "a number");
                return None;
            }
        };
        // Neither infinity nor what is no number lies in any range.
        let number = number.filter(|number| range.contains(number));
        let wrong = || format!("must lie between {} and {}", range.start(), range.end());
        self.accept(key, value.span(), number.ok_or_else(wrong))
    }

    /// The moment under `key`, as TOML has it or as a string: a date is over when its day is, in UTC.
    pub(super) fn moment(&self, key: &'static str) -> Option<Timestamp> {
        let value = self.value(key)?;
        let moment = match value.get_ref() {
            DeValue::Datetime(moment) => values::moment(&moment.to_string()),
            DeValue::String(text) => values::moment(text),
            _ => {
                self.wrong_type(key, value, "a date or a date-time");
                return None;
            }
        };
        self.accept(key, value.span(), moment)
    }

    /// The table under `key`.
    pub(super) fn section(&self, key: &'static str) -> Option<Section<'a, 'i>> {
        let value = self.table_of(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Section {
                document: self.document,
                prefix: self.name(key),
                span: value.span(),
                table,
                is_entry: self.is_entry,
                asked: RefCell::default(),
            }),
            _ => {
                self.wrong_type(key, value, &format!("a table: [{}]", self.name(key)));
                None
            }
        }
    }

    /// The tables of the array under `key`: `[[key]]`.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Section<'a, 'i>> {
        let Some(value) = self.table_of(key) else { return Vec::new() };
        let wanted = format!("an array of tables: [[{}]]", self.name(key));
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, &wanted);
            return Vec::new();
        };
        let mut sections = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            if !self.is_entry {
                let (line, _) = self.document.position(item.span().start);
                self.document.entries.borrow_mut().insert((key, index), line);
            }
            match item.get_ref() {
                DeValue::Table(table) => sections.push(Section {
                    document: self.document,
                    prefix: self.name(key),
                    span: item.span(),
                    table,
                    is_entry: true,
                    asked: RefCell::default(),
                }),
                _ => self.wrong_type(key, item, &wanted),
            }
        }
        sections
    }

    /// Ends the reading of this table: keys that nobody asked for are problems.
    pub(super) fn finish(self) {
        let asked = self.asked.take();
        for (key, _) in self.table.iter() {
            let name = key.get_ref().as_ref();
            if asked.contains(&name) {
                continue;
            }
            let mut message = format!("unknown key `{}`", self.name(name));
            if let Some(nearest) = nearest(name, &asked) {
                message.push_str(&format!(", did you mean `{}`?", self.name(nearest)));
            }
            self.document.problem(key.span(), message);
        }
    }

    fn accept<T>(&self, key: &str, span: Range<usize>, value: Result<T, String>) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(reason) => {
                self.document.problem(span, format!("`{}`: {reason}", self.name(key)));
                None
            }
        }
    }
}

fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    known
        .iter()
        .map(|&key| (strsim::jaro_winkler(&name, key), key))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, key)| key)
}

fn integer_within(value: &DeValue<'_>, range: &Range<u64>) -> Result<u64, String> {
    value
        .as_integer()
        .and_then(|integer| u64::from_str_radix(integer.as_str(), integer.radix()).ok())
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("must lie between {} and {}", range.start, range.end - 1))
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}
