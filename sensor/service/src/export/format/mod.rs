//! What is told to other systems, and how it is written. Pure functions: no file, no network.
//!
//! | file | what lives there |
//! |---|---|
//! | `told` | the three sorts of messages: alerts, tunnels, health |
//! | `ocsf/` | Open Cybersecurity Schema Framework, JSON |
//! | `cef` | ArcSight's Common Event Format, with the keys that SIEM rules for Defender for Identity know |
//! | `json` | our own members, as the API has them |
//! | `text` | sentences, for mail |
//! | `syslog` | the frame around any of them: RFC 5424, RFC 6587 |
//! | `escape` | characters that are not to be taken for what they are not |
//!
//! What a user, a device or a VPN server is called comes from the network: no such name may end a value, a line or a
//! message in any format. Called by `export::sinks` and `export::sink`.

mod cef;
mod escape;
mod json;
mod ocsf;
pub mod syslog;
mod text;
mod told;

#[cfg(test)]
mod tests;

use serde_json::Value;

pub(crate) use escape::is_hidden;
pub(crate) use ocsf::technique_name;
pub use policy::sink::{Format, Kind};
pub use told::{Client, Health, Told, Tunnel, TunnelActivity};

/// Who makes the product.
pub const VENDOR: &str = "VPN Sensor";
/// Its name.
pub const PRODUCT: &str = "vpn-sensor";
/// What stands in a message of which it is not known whether it arrived before.
pub const PERHAPS_TWICE: &str = "perhaps-twice";

/// Who tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// This host's name.
    pub host: String,
    /// The product's version.
    pub version: String,
    /// Where people look at alerts: `https://vpn-sensor.contoso.example`; none: messages hold no link.
    pub portal: Option<String>,
}

impl Source {
    /// This host, and the version of this build.
    pub fn here(portal: Option<String>) -> Source {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Source { host, version: env!("CARGO_PKG_VERSION").to_owned(), portal }
    }

    /// Where people look at this alert.
    fn link(&self, number: u64) -> Option<String> {
        self.portal.as_ref().map(|portal| format!("{}/alerts/{number}", portal.trim_end_matches('/')))
    }

    /// A name for this alert that no other host's has.
    fn alert_uid(&self, number: u64) -> String {
        format!("{}/alerts/{number}", self.host)
    }
}

/// The message. One line, but for [`Format::Text`].
pub fn write(format: Format, told: &Told<'_>, source: &Source) -> String {
    match format {
        Format::Ocsf => escape::json_line(&ocsf::event(told, source)),
        Format::Cef => cef::line(told, source),
        Format::Json => escape::json_line(&json::object(told, source)),
        Format::Text => text::letter(told, source),
    }
}

/// The same message with the remark that it may have arrived before.
pub fn mark_perhaps_twice(format: Format, message: &str) -> String {
    let marked = |mark: fn(&mut Value)| match serde_json::from_str(message) {
        Ok(mut value) => {
            mark(&mut value);
            escape::json_line(&value)
        }
        // Only what this program wrote comes here.
        Err(_) => message.to_owned(),
    };
    match format {
        Format::Ocsf => marked(|value| {
            if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.insert("labels".to_owned(), Value::from(vec![format!("delivery:{PERHAPS_TWICE}")]));
            }
        }),
        Format::Json => marked(|value| {
            if let Some(object) = value.as_object_mut() {
                object.insert("delivery".to_owned(), Value::from(PERHAPS_TWICE));
            }
        }),
        Format::Cef => format!("{message} cs3Label=delivery cs3={PERHAPS_TWICE}"),
        Format::Text => {
            format!("{message}\nThis message may have been sent before: its delivery was interrupted.\n")
        }
    }
}

/// All texts that a message holds, as they were before they were written: for the search of a person's names.
pub(crate) fn texts(format: Format, message: &str) -> Vec<String> {
    match format {
        Format::Ocsf | Format::Json => match serde_json::from_str(message) {
            Ok(value) => {
                let mut texts = Vec::new();
                escape::strings(&value, &mut texts);
                texts
            }
            Err(_) => vec![message.to_owned()],
        },
        Format::Cef => vec![escape::without_backslashes(message)],
        Format::Text => vec![message.to_owned()],
    }
}
