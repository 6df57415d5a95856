//! Open Cybersecurity Schema Framework: Detection Finding (2004), Tunnel Activity (4014), Application Error (6008).
//! Members of schema 1.7.0; who reads an older one finds what it does not know in `message` as well.
//!
//! | file | what lives there |
//! |---|---|
//! | `finding` | alerts |
//! | `tunnel` | connections |
//! | `parts` | endpoints, users, devices |
//! | `attack` | MITRE ATT&CK |

mod attack;
mod finding;
mod parts;

pub(crate) use attack::technique_name;
mod tunnel;

use serde_json::{Value, json};

use super::{
    PRODUCT, Source, VENDOR,
    escape::without_empty,
    told::{Health, Told},
};
use crate::alert::Severity;

const SCHEMA: &str = "1.7.0";

pub(super) fn event(told: &Told<'_>, source: &Source) -> Value {
    without_empty(match told {
        Told::Notice(notice) => finding::finding(notice, source),
        Told::Activity(activity) => tunnel::tunnel(activity, source),
        Told::Health(health) => error(health, source),
    })
}

/// Milliseconds since 1970 UTC.
fn ms(unix_ns: u64) -> u64 {
    unix_ns / 1_000_000
}

fn severity_id(severity: Severity) -> u8 {
    match severity {
        Severity::Informational => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
    }
}

/// Class, activity and severity, in numbers.
struct Classified {
    class: u32,
    activity: u32,
    severity: Severity,
    unix_ns: u64,
}

/// What every event has.
fn base(classified: &Classified, uid: Option<&str>, source: &Source) -> serde_json::Map<String, Value> {
    let Classified { class, activity, severity, unix_ns } = classified;
    let value = json!({
        "class_uid": class,
        "category_uid": class / 1000,
        "activity_id": activity,
        "type_uid": class * 100 + activity,
        "severity_id": severity_id(*severity),
        "time": ms(*unix_ns),
        "timezone_offset": 0,
        "metadata": {
            "version": SCHEMA,
            "uid": uid,
            "log_provider": source.host,
            "product": {"name": PRODUCT, "vendor_name": VENDOR, "version": source.version},
        },
    });
    match value {
        Value::Object(members) => members,
        _ => serde_json::Map::new(),
    }
}

fn with(mut base: serde_json::Map<String, Value>, more: Value) -> Value {
    if let Value::Object(more) = more {
        base.extend(more);
    }
    Value::Object(base)
}

fn error(health: &Health, source: &Source) -> Value {
    let severity = if health.is_over { Severity::Informational } else { health.severity };
    let classified = Classified { class: 6008, activity: 1, severity, unix_ns: health.unix_ns };
    let more = json!({
        "message": health.message,
        "status_id": if health.is_over { 1 } else { 2 },
        "status_code": health.name,
        "status_detail": health.advice.join(" "),
        "unmapped": {"about": health.about, "is_over": health.is_over},
    });
    with(base(&classified, None, source), more)
}
