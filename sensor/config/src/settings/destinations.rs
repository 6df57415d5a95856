//! Where secrets that were set here go: to where they were given for, and nowhere else.

use policy::settings::List;
use toml::{Table, Value};

use super::{Settings, known::SECRET_FILE};

/// Refuses a change that would send a secret which is kept here to another host, or in the clear: whoever set it is
/// asked for it again. VPN servers are sent none, and so their addresses may change.
pub fn check_destinations(before: &Settings, after: &Settings) -> Result<(), String> {
    let before = before.list(List::Sink);
    for sink in after.list(List::Sink) {
        let Some(file) = text(sink, SECRET_FILE) else { continue };
        let Some(was) = before.iter().find(|was| text(was, SECRET_FILE) == Some(file)) else { continue };
        let (from, to) = (Destination::of(was), Destination::of(sink));
        if from.host != to.host || (to.is_clear && !from.is_clear) {
            let name = text(sink, "name").unwrap_or_default();
            return Err(format!(
                "sink {name:?} would send its secret to another host, or without TLS: give the secret again with this change"
            ));
        }
    }
    Ok(())
}

/// What a secret is given for.
struct Destination {
    /// With the port, as it is written.
    host: String,
    is_clear: bool,
}

impl Destination {
    fn of(sink: &Table) -> Destination {
        let url = text(sink, "url").and_then(|url| url.parse::<http::Uri>().ok());
        let host = match &url {
            Some(url) => url.authority().map_or("", http::uri::Authority::as_str),
            None => text(sink, "address").unwrap_or_default(),
        };
        let is_off = sink.get("tls").and_then(Value::as_bool) == Some(false);
        let is_clear = url.as_ref().map_or(is_off, |url| url.scheme() != Some(&http::uri::Scheme::HTTPS));
        Destination { host: host.to_ascii_lowercase(), is_clear }
    }
}

fn text<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    table.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use policy::settings::{Edit, SecretText};
    use serde_json::{Value as Json, json};

    use super::*;

    fn put(fields: &Json) -> Edit {
        let fields = fields.as_object().unwrap().clone();
        Edit::Put { list: List::Sink, name: "siem".to_owned(), fields }
    }

    #[test]
    fn a_secret_goes_where_it_was_given_for_and_nowhere_else() {
        let secret = Edit::Secret {
            list: List::Sink,
            name: "siem".to_owned(),
            secret: SecretText::new("correct-horse".to_owned()),
        };
        let hook = json!({"kind": "webhook", "url": "https://siem.example:8443/a"});
        let mail = json!({"kind": "mail", "address": "mail.example", "from": "a@b.example"});
        for (made, change, is_taken) in [
            (&hook, json!({"url": "https://SIEM.example:8443/b", "what": ["alerts"]}), true),
            (&hook, json!({"url": "https://evil.example:8443/a"}), false),
            (&hook, json!({"url": "https://siem.example:9/a"}), false),
            (&hook, json!({"url": "https://siem.example:8443@evil.example/a"}), false),
            (&hook, json!({"url": "http://siem.example:8443/a"}), false),
            (&hook, json!({"kind": "mail", "url": null, "address": "evil.example"}), false),
            (&mail, json!({"to": ["c@d.example"], "tls": true}), true),
            (&mail, json!({"address": "evil.example"}), false),
            (&mail, json!({"tls": false}), false),
        ] {
            let mut before = Settings::default();
            before.edit(&put(made), None).unwrap();
            before.edit(&secret, Some("secrets/1.secret")).unwrap();
            let mut after = before.clone();
            after.edit(&put(&change), None).unwrap();
            assert_eq!(check_destinations(&before, &after).is_ok(), is_taken, "{change}");
            after.edit(&secret, Some("secrets/2.secret")).unwrap();
            assert_eq!(check_destinations(&before, &after), Ok(()), "given again: {change}");
        }
    }
}
