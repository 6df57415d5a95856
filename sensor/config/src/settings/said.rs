//! What a layer says, kept so that it can be shown as long as it is in force, whatever becomes of its file meanwhile.

use std::fmt;

use toml::{
    Table, Value,
    de::{DeTable, DeValue},
};

use super::known::{PREVIOUS_FILE, SECRET_FILE};

/// Keys of a secret, in any way that a configuration gives one: that in force, then the one before.
pub(super) const SECRET_KEYS: [&str; 6] =
    ["secret", SECRET_FILE, "secret_env", "previous_secret", PREVIOUS_FILE, "previous_secret_env"];

/// A layer's tables. Of secrets it has the keys alone: no other copy of one is made.
#[derive(Clone, Default)]
pub struct Said(pub(super) Table);

impl fmt::Debug for Said {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Said(..)")
    }
}

impl Said {
    pub(crate) fn of(table: &DeTable<'_>) -> Said {
        Said(without_secrets(table))
    }
}

fn without_secrets(table: &DeTable<'_>) -> Table {
    let pairs = table.iter().map(|(key, value)| {
        let key = key.get_ref().to_string();
        let is_secret = SECRET_KEYS.contains(&key.as_str());
        let value = if is_secret { Value::Boolean(true) } else { value_of(value.get_ref()) };
        (key, value)
    });
    pairs.collect()
}

fn value_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or_else(|_| Value::String(integer.to_string()), Value::Integer),
        DeValue::Float(float) => {
            float.as_str().parse().map_or_else(|_| Value::String(float.to_string()), Value::Float)
        }
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Datetime(moment) => Value::Datetime(*moment),
        DeValue::Array(items) => Value::Array(items.iter().map(|item| value_of(item.get_ref())).collect()),
        DeValue::Table(table) => Value::Table(without_secrets(table)),
    }
}
