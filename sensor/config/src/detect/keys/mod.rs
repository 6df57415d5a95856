//! The key of each threshold, how it is written, what is allowed, and why it is what it is. A threshold that has no key
//! does not compile.
//!
//! | file | what lives there |
//! |---|---|
//! | `rules` | when detections speak, and what they add to the score |
//! | `model` | what the score assumes |
//! | `notices` | how often people are told |

use std::{ops::RangeInclusive, time::Duration};

use crate::{document::Section, values};

mod model;
mod notices;
mod rules;

pub(super) use model::of_model;
pub(super) use notices::of_notices;
pub(super) use rules::of;

/// One key.
pub(super) struct Key<'t> {
    pub(super) name: &'static str,
    /// What it does, and why its default is what it is.
    pub(super) reason: &'static str,
    pub(super) value: Value<'t>,
}

/// What a key holds.
pub(super) enum Value<'t> {
    /// With or without a fraction.
    Number(&'t mut f64, RangeInclusive<f64>),
    Count(&'t mut dyn Whole, RangeInclusive<u64>),
    /// Written with their unit: "5m".
    Seconds(&'t mut dyn Whole, RangeInclusive<u64>),
    /// Whole days: "45d".
    Days(&'t mut dyn Whole, RangeInclusive<u64>),
    /// Written with their unit: "5 GB".
    Octets(&'t mut dyn Whole, RangeInclusive<u64>),
}

/// A whole number of whatever width.
pub(super) trait Whole {
    fn get(&self) -> u64;
    /// `value` lies in the key's range, which this holds.
    fn set(&mut self, value: u64);
}

macro_rules! whole {
    ($($type:ty),+) => {
        $(impl Whole for $type {
            fn get(&self) -> u64 {
                u64::from(*self)
            }

            fn set(&mut self, value: u64) {
                *self = <$type>::try_from(value).unwrap_or(<$type>::MAX);
            }
        })+
    };
}

whole!(u8, u16, u32, u64);

impl Value<'_> {
    /// Takes what the section says, if it says anything.
    pub(super) fn read(self, name: &'static str, section: &Section<'_, '_>) {
        match self {
            Value::Number(number, range) => {
                if let Some(read) = section.number(name, range) {
                    *number = read;
                }
            }
            Value::Count(number, range) => {
                set(number, section.integer(name, *range.start()..*range.end() + 1));
            }
            Value::Seconds(number, range) => {
                let range = Duration::from_secs(*range.start())..=Duration::from_secs(*range.end());
                set(number, section.duration(name, range).map(|duration| duration.as_secs()));
            }
            Value::Days(number, range) => {
                set(number, section.parsed(name, |text| values::days(text, &range)));
            }
            Value::Octets(number, range) => {
                set(number, section.size(name, *range.start()..*range.end() + 1));
            }
        }
    }

    /// As it is written in the file.
    pub(super) fn shown(&self) -> String {
        match self {
            Value::Number(number, _) => number.to_string(),
            Value::Count(number, _) => number.get().to_string(),
            Value::Seconds(number, _) => quoted(values::shown(Duration::from_secs(number.get()))),
            Value::Days(number, _) => quoted(format!("{}d", number.get())),
            Value::Octets(number, _) => quoted(values::shown_size(number.get())),
        }
    }

    /// From and to, as both are written in the file.
    pub(super) fn allowed(&self) -> String {
        let whole = |range: &RangeInclusive<u64>, shown: fn(u64) -> String| {
            format!("{} to {}", shown(*range.start()), shown(*range.end()))
        };
        match self {
            Value::Number(_, range) => format!("{} to {}", range.start(), range.end()),
            Value::Count(_, range) => whole(range, |number| number.to_string()),
            Value::Seconds(_, range) => whole(range, |seconds| values::shown(Duration::from_secs(seconds))),
            Value::Days(_, range) => whole(range, |days| format!("{days}d")),
            Value::Octets(_, range) => whole(range, values::shown_size),
        }
    }
}

fn set(number: &mut dyn Whole, read: Option<u64>) {
    if let Some(read) = read {
        number.set(read);
    }
}

fn quoted(text: String) -> String {
    format!("\"{text}\"")
}

const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

fn reason(reasons: &[(&'static str, &'static str)], field: &str) -> &'static str {
    reasons.iter().find(|(name, _)| *name == field).map_or("", |(_, reason)| reason)
}
