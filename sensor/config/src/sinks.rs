//! The keys that say whom alerts, connections and health messages are sent to: `[[sink]]`.

use std::{path::Path, time::Duration};

use insight::detect::Severity;
use policy::sink::{self, Format, Kind, Limits, MailSettings, Settings, Target, Trust, mailbox};

use super::{
    Config, Secret,
    document::Section,
    read::Layer,
    secret::is_readable_by_others,
    settings::{SECRETS, is_kept_secret},
};

/// Longest name: it is that of a folder.
const NAME_MAX: usize = 32;
const AGE_MIN: Duration = Duration::from_secs(60);
const AGE_MAX: Duration = Duration::from_secs(365 * 86_400);
/// An alert with all its evidence must fit, some times.
const BYTES_MIN: u64 = 1 << 20;
const BYTES_MAX: u64 = 1 << 40;

/// Where TLS to a syslog receiver is usual (RFC 5425), and a stream in the clear.
const SYSLOG_PORT: (u16, u16) = (6514, 514);
/// Where letters are handed in (RFC 6409).
const MAIL_PORT: u16 = 587;

/// Keys of some kinds alone, and those kinds.
const KEYS: [(&str, &[&str]); 9] = [
    ("path", &["file"]),
    ("address", &["syslog", "mail"]),
    ("tls", &["syslog", "mail"]),
    ("url", &["webhook"]),
    ("ca_file", &["syslog", "webhook", "mail"]),
    ("secret_file", &["webhook", "mail"]),
    ("user", &["mail"]),
    ("from", &["mail"]),
    ("to", &["mail"]),
];

/// Reads the sinks of a layer behind those of the layers before it.
pub(super) fn read(top: &Section<'_, '_>, base: &Path, layer: Layer, config: &mut Config) {
    let Config { sinks, warnings, path, entry_lines, .. } = config;
    for section in top.sections("sink") {
        let name = section.parsed("name", name);
        let other = sinks.iter().position(|sink| name.as_ref() == Some(&sink.name));
        match (&name, other, section.string("name")) {
            (Some(name), Some(other), Some((_, span))) => {
                // Of those before it, the file's alone have a line.
                let line = entry_lines.get(&("sink", other)).filter(|_| layer == Layer::Portal);
                let place =
                    line.zip(path.as_ref()).map(|(line, path)| format!(" (in {}:{line})", path.display()));
                let place = place.unwrap_or_default();
                section.problem(span, format!("there are two sinks of the name {name:?}{place}"));
            }
            (_, _, None) => {
                section.problem(section.span.clone(), "a sink wants `name`: letters, digits, - and _")
            }
            _ => {}
        }
        let kind = section.parsed("kind", kind);
        if section.place("kind").is_none() {
            section.problem(section.span.clone(), "a sink wants `kind`: file, syslog, webhook or mail");
        }
        if layer == Layer::Portal {
            keep_within(&section, kind);
        }
        let target = kind.and_then(|kind| read_target(&section, kind, base, warnings, name.as_deref()));
        let format = read_format(&section, kind);
        let what = section.list("what", what).map(|kinds| kinds.into_iter().map(|(kind, _)| kind).collect());
        if what.as_ref().is_some_and(Vec::is_empty) {
            section.problem(section.span.clone(), "`sink.what` must name a sort of messages at least");
        }
        let min_severity = section.parsed("min_severity", severity).unwrap_or_default();
        let usual = Limits::default();
        let limits = Limits {
            max_age: section.duration("max_age", AGE_MIN..=AGE_MAX).unwrap_or(usual.max_age),
            max_bytes: section.size("max_bytes", BYTES_MIN..BYTES_MAX + 1).unwrap_or(usual.max_bytes),
            // Set when all layers are read.
            ..usual
        };
        section.finish();
        if let (Some(name), Some(target)) = (name, target) {
            let what = what.unwrap_or_else(|| vec![Kind::Alert, Kind::Health]);
            sinks.push(Settings { name, target, format, what, min_severity, limits });
        }
    }
}

/// What is set in the portal names no file of the host: whoever may set sinks must not read or write any with them.
fn keep_within(section: &Section<'_, '_>, kind: Option<&str>) {
    if let Some(span) = section.place("kind").filter(|_| kind == Some("file")) {
        section.problem(span, "a sink of kind file is for the configuration file alone");
    }
    if let Some(span) = section.place("ca_file") {
        section.problem(span, "`sink.ca_file` is for the configuration file alone");
    }
    if let Some((_, span)) = section.string("secret_file").filter(|(name, _)| !is_kept_secret(name)) {
        section.problem(span, format!("`sink.secret_file`: secrets of the portal lie in {SECRETS}/"));
    }
}

fn read_target(
    section: &Section<'_, '_>,
    kind: &'static str,
    base: &Path,
    warnings: &mut Vec<String>,
    name: Option<&str>,
) -> Option<Target> {
    for (key, kinds) in KEYS {
        if let Some(span) = section.place(key).filter(|_| !kinds.contains(&kind)) {
            let kinds = kinds.join(" or ");
            section.problem(span, format!("`sink.{key}` is for {kinds} alone, and this sink is a {kind}"));
        }
    }
    let wants = |key: &str, what: &str| {
        section.problem(section.span.clone(), format!("a sink of kind {kind} wants `{key}`: {what}"));
    };
    let name = name.unwrap_or_default();
    match kind {
        "file" => {
            let path = section.parsed("path", |text| match text {
                "" => Err("a path must not be empty".to_owned()),
                _ => Ok(base.join(text)),
            });
            if section.place("path").is_none() {
                wants("path", "the file that lines are appended to");
            }
            Some(Target::File { path: path? })
        }
        "syslog" => {
            let tls = read_tls(section, base);
            let port = if tls.is_some() { SYSLOG_PORT.0 } else { SYSLOG_PORT.1 };
            let (host, port) = read_address(section, port, &wants)?;
            warn_of_clear_text(tls.is_none(), &host, name, warnings);
            let host = if host.contains(':') { format!("[{host}]") } else { host };
            Some(Target::Syslog { address: format!("{host}:{port}"), tls })
        }
        "webhook" => {
            let (trust, secret) = (read_trust(section, base), read_secret(section, base, name, warnings));
            let url = section.parsed("url", url);
            if section.place("url").is_none() {
                wants("url", "where requests are sent");
            }
            if secret.is_none() && section.place("secret_file").is_none() {
                warnings.push(format!(
                    "the messages of sink {name:?} are not signed, so its receiver cannot tell who sends them: give both \
                     a secret, here in `secret_file`"
                ));
            }
            let url = url?;
            let host = url.strip_prefix("http://").map(|rest| rest.split(['/', ':']).next().unwrap_or(rest));
            warn_of_clear_text(host.is_some(), host.unwrap_or_default(), name, warnings);
            Some(Target::Webhook { url, trust, secret })
        }
        _ => read_mail(section, base, name, warnings, &wants).map(Target::Mail),
    }
}

fn read_mail(
    section: &Section<'_, '_>,
    base: &Path,
    name: &str,
    warnings: &mut Vec<String>,
    wants: &dyn Fn(&str, &str),
) -> Option<MailSettings> {
    let (tls, secret) = (read_tls(section, base), read_secret(section, base, name, warnings));
    let address = read_address(section, MAIL_PORT, wants);
    let from = section.parsed("from", mailbox);
    let to = section.list("to", mailbox);
    let user = section.string("user");
    if section.place("from").is_none() {
        wants("from", "who letters are from");
    }
    if to.as_ref().is_none_or(Vec::is_empty) && section.place("to").is_none_or(|_| to.is_some()) {
        wants("to", "who gets them");
    }
    let login = match (user, secret) {
        (Some((user, _)), Some(secret)) => Some((user.to_owned(), secret)),
        (None, None) => None,
        (Some((_, span)), None) => {
            if section.place("secret_file").is_none() {
                section.problem(span, "`sink.user` wants `secret_file`: the password");
            }
            None
        }
        (None, Some(_)) => {
            wants("user", "whose password `secret_file` holds");
            None
        }
    };
    let (host, port) = address?;
    warn_of_clear_text(tls.is_none(), &host, name, warnings);
    let to = to?.into_iter().map(|(mailbox, _)| mailbox).collect();
    Some(MailSettings { host, port, tls, from: from?, to, login })
}

/// Whom to trust, unless TLS is off.
fn read_tls(section: &Section<'_, '_>, base: &Path) -> Option<Trust> {
    let trust = read_trust(section, base);
    section.boolean("tls").unwrap_or(true).then_some(trust)
}

pub(super) fn read_trust(section: &Section<'_, '_>, base: &Path) -> Trust {
    let ca_file = section.parsed("ca_file", |text| {
        let trust = Trust { ca_file: Some(base.join(text)) };
        trust.certificates().map(|_| trust)
    });
    ca_file.unwrap_or_default()
}

fn read_secret(
    section: &Section<'_, '_>,
    base: &Path,
    name: &str,
    warnings: &mut Vec<String>,
) -> Option<sink::Secret> {
    section
        .parsed("secret_file", |text| {
            let path = base.join(text);
            Secret::read(&path).map(|secret| (path, secret))
        })
        .map(|(path, secret)| {
            if is_readable_by_others(&path) {
                let path = path.display();
                warnings.push(format!("sink {name:?}: others than its owner may read {path}; chmod 600 it"));
            }
            sink::Secret::new(secret.octets().to_vec())
        })
}

fn read_address(section: &Section<'_, '_>, port: u16, wants: &dyn Fn(&str, &str)) -> Option<(String, u16)> {
    if section.place("address").is_none() {
        wants("address", "its host, and its port where that is not the usual one");
    }
    section.parsed("address", |text| host_and_port(text, port))
}

fn read_format(section: &Section<'_, '_>, kind: Option<&'static str>) -> Format {
    let usual = match kind {
        Some("syslog") => Format::Cef,
        Some("mail") => Format::Text,
        _ => Format::Json,
    };
    let format = section.parsed("format", |text| match text {
        _ if kind == Some("mail") => Err("letters are sentences; leave it out".to_owned()),
        "ocsf" => Ok(Format::Ocsf),
        "cef" => Ok(Format::Cef),
        "json" => Ok(Format::Json),
        _ => Err(format!("{text:?} is none of \"ocsf\", \"cef\", \"json\"")),
    });
    format.unwrap_or(usual)
}

fn warn_of_clear_text(is_clear: bool, host: &str, name: &str, warnings: &mut Vec<String>) {
    let is_here =
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if is_clear && !is_here {
        warnings.push(format!(
            "sink {name:?}: messages name people and go to {host} in the clear; use TLS where it can be had"
        ));
    }
}

fn name(text: &str) -> Result<String, String> {
    let is_sound = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_');
    if text.is_empty() || text.len() > NAME_MAX || !text.chars().all(is_sound) {
        return Err(format!("a name has 1 to {NAME_MAX} letters, digits, - and _"));
    }
    Ok(text.to_owned())
}

fn kind(text: &str) -> Result<&'static str, String> {
    ["file", "syslog", "webhook", "mail"]
        .into_iter()
        .find(|kind| *kind == text)
        .ok_or_else(|| format!("{text:?} is none of \"file\", \"syslog\", \"webhook\", \"mail\""))
}

fn what(text: &str) -> Result<Kind, String> {
    Kind::ALL
        .into_iter()
        .find(|kind| kind.name() == text)
        .ok_or_else(|| format!("{text:?} is none of \"alerts\", \"connections\", \"health\""))
}

fn severity(text: &str) -> Result<Severity, String> {
    match text {
        "informational" => Ok(Severity::Informational),
        "low" => Ok(Severity::Low),
        "medium" => Ok(Severity::Medium),
        "high" => Ok(Severity::High),
        _ => Err(format!("{text:?} is none of \"informational\", \"low\", \"medium\", \"high\"")),
    }
}

/// `siem.contoso.example`, with or without a port; an IPv6 address with a port in brackets.
fn host_and_port(text: &str, usual: u16) -> Result<(String, u16), String> {
    let wrong = || format!("{text:?} is not a host with a port; write it as \"siem.contoso.example:6514\"");
    let (host, port) = match text.parse::<std::net::IpAddr>() {
        Ok(address) => (address.to_string(), usual),
        Err(_) => match text.rsplit_once(':') {
            Some((host, port)) => (host.to_owned(), port.parse().map_err(|_| wrong())?),
            None => (text.to_owned(), usual),
        },
    };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let is_sound = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '.' | '_' | ':');
    if host.is_empty() || port == 0 || !host.chars().all(is_sound) {
        return Err(wrong());
    }
    Ok((host, port))
}

fn url(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is not an address such as \"https://siem.contoso.example/hook\"");
    let parsed: http::Uri = text.parse().map_err(|_| wrong())?;
    let is_sound = matches!(parsed.scheme_str(), Some("http" | "https")) && parsed.host().is_some();
    if is_sound { Ok(text.to_owned()) } else { Err(wrong()) }
}
