//! JSON with our own members: a `kind`, who tells it, and the message as the API has it.

use serde_json::{Value, json};

use super::{
    Source,
    told::{Told, trigger},
};
use crate::event::rfc3339;

pub(super) fn object(told: &Told<'_>, source: &Source) -> Value {
    let time = rfc3339(told.unix_ns());
    let host = &source.host;
    match told {
        Told::Notice(notice) => {
            let mut object = json!({
                "kind": "alert",
                "time": time,
                "host": host,
                "sequence": notice.sequence,
                "trigger": trigger(notice.news),
                "alert": notice.alert,
            });
            if let Some(link) = source.link(notice.alert.number) {
                object["url"] = Value::from(link);
            }
            object
        }
        Told::Activity(activity) => json!({
            "kind": "connection",
            "time": time,
            "host": host,
            "connection": activity,
        }),
        Told::Health(health) => json!({"kind": "health", "time": time, "host": host, "health": health}),
    }
}
