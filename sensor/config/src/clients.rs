//! The clients of a layer: `[[client]]`, with their secrets.

use std::{collections::HashMap, env, ops::Range, path::Path};

use ipnet::IpNet;

use super::{
    Client, Config, Origin, Secret,
    document::Section,
    meaning,
    read::Layer,
    secret::is_readable_by_others,
    settings::{SECRETS, is_kept_secret},
    values,
};

/// Longest client name: it is stored in each record.
const NAME_OCTETS_MAX: usize = 64;

/// Reads the clients of a layer behind those of the layers before it: all together are in force.
pub(super) fn read(top: &Section<'_, '_>, base: &Path, layer: Layer, config: &mut Config) {
    let Config { clients, warnings, .. } = config;
    let mut holders: HashMap<IpNet, (String, Origin)> = HashMap::new();
    for client in &*clients {
        let prefixes = client.prefixes.iter();
        holders.extend(prefixes.map(|prefix| (*prefix, (client.name.clone(), client.origin.clone()))));
    }
    for section in top.sections("client") {
        let origin = Origin::of(layer, section.origin());
        let prefixes = section.list("address", values::prefix);
        if prefixes.is_none() {
            section.problem(section.span.clone(), "a client wants `address`: where it sends from");
        }
        let prefixes = prefixes.unwrap_or_default();
        let name = section
            .parsed("name", client_name)
            .or_else(|| prefixes.first().map(|(prefix, _)| prefix.to_string()));
        let name = name.unwrap_or_default();
        if let Some(other) = clients.iter().find(|client| client.name == name) {
            let span = section.string("name").map_or(section.span.clone(), |(_, span)| span);
            let other = elsewhere(layer, &other.origin);
            section.problem(span, format!("there are two clients of the name {name:?}{other}"));
        }
        for (prefix, span) in &prefixes {
            if let Some((holder, other)) = holders.insert(*prefix, (name.clone(), origin.clone())) {
                let other = elsewhere(layer, &other);
                let message =
                    format!("`client.address`: {prefix} belongs to client {holder:?} already{other}");
                section.problem(span.clone(), message);
            }
        }
        let secret =
            read_secret(&section, ["secret", "secret_file", "secret_env"], base, layer, &name, warnings);
        let previous = ["previous_secret", "previous_secret_file", "previous_secret_env"];
        let previous_secret = read_secret(&section, previous, base, layer, &name, warnings);
        if let SecretSource::None = secret {
            let message =
                format!("client {name:?} has no secret: give `secret_file`, `secret_env` or `secret`");
            section.problem(section.span.clone(), message);
        }
        let vendor = section.parsed("vendor", meaning::vendor).flatten();
        let attributes = section.section("attributes").map(meaning::read_attributes).unwrap_or_default();
        let is_vpn = section.parsed("kind", meaning::is_vpn).unwrap_or(false);
        let status_server = section.boolean("status_server").unwrap_or(true);
        let require_message_authenticator = section.boolean("require_message_authenticator").unwrap_or(false);
        let max_rate = section.integer("max_rate", 1..u64::from(u32::MAX)).map(|rate| rate as u32);
        section.finish();
        if let SecretSource::Good(secret) = secret {
            clients.push(Client {
                name,
                prefixes: prefixes.into_iter().map(|(prefix, _)| prefix).collect(),
                secret,
                previous_secret: previous_secret.good(),
                vendor,
                attributes,
                is_vpn,
                status_server,
                require_message_authenticator,
                max_rate,
                origin,
            });
        }
    }
}

/// Where the other of two stands, if that is another file.
fn elsewhere(layer: Layer, other: &Origin) -> String {
    match (layer, other) {
        (Layer::Portal, Origin::File { .. }) => format!(" (in {other})"),
        _ => String::new(),
    }
}

enum SecretSource {
    /// No key names one.
    None,
    /// One is named and wrong; the problem is noted.
    Bad,
    Good(Secret),
}

impl SecretSource {
    fn good(self) -> Option<Secret> {
        match self {
            SecretSource::Good(secret) => Some(secret),
            SecretSource::None | SecretSource::Bad => None,
        }
    }
}

/// The secret from one of three keys: as it stands, from a file, from the environment.
fn read_secret(
    section: &Section<'_, '_>,
    [plain_key, file_key, environment_key]: [&'static str; 3],
    base: &Path,
    layer: Layer,
    client: &str,
    warnings: &mut Vec<String>,
) -> SecretSource {
    let plain = section.string(plain_key);
    let file = section.string(file_key);
    let environment = section.string(environment_key);
    let named: Vec<(&'static str, Range<usize>)> =
        [(plain_key, &plain), (file_key, &file), (environment_key, &environment)]
            .into_iter()
            .filter_map(|(key, value)| value.as_ref().map(|(_, span)| (key, span.clone())))
            .collect();
    let (key, span) = match named.as_slice() {
        [] => return SecretSource::None,
        [(key, span)] => (*key, span.clone()),
        [(first, _), (second, span), ..] => {
            section
                .problem(span.clone(), format!("`client.{first}` and `client.{second}` exclude each other"));
            return SecretSource::Bad;
        }
    };
    if layer == Layer::Portal {
        // Whoever may set keys in the portal must not read any file with them, and secrets stand in no document there.
        let kept = file.as_ref().is_some_and(|(name, _)| is_kept_secret(name));
        if !kept {
            section.problem(span, format!("`client.{key}`: secrets of the portal lie in {SECRETS}/"));
            return SecretSource::Bad;
        }
    }
    let secret = if let Some((text, _)) = plain {
        Secret::new(text.as_bytes().to_vec()).ok_or_else(|| "a secret must not be empty".to_owned())
    } else if let Some((name, _)) = file {
        let path = base.join(name);
        if is_readable_by_others(&path) {
            let path = path.display();
            warnings.push(format!("client {client:?}: others than its owner may read {path}; chmod 600 it"));
        }
        Secret::read(&path)
    } else if let Some((name, _)) = environment {
        match env::var_os(name).map(std::os::unix::ffi::OsStringExt::into_vec) {
            Some(octets) => {
                Secret::new(octets).ok_or_else(|| format!("the environment variable {name} is empty"))
            }
            None => Err(format!("the environment variable {name} is not set")),
        }
    } else {
        return SecretSource::None;
    };
    match secret {
        Ok(secret) => {
            if secret.is_weak() {
                let octets = secret.octets().len();
                warnings.push(format!(
                    "client {client:?}: `{key}` has {octets} octets; fewer than 16 can be guessed offline from one request"
                ));
            }
            SecretSource::Good(secret)
        }
        Err(reason) => {
            section.problem(span, format!("`client.{key}`: {reason}"));
            SecretSource::Bad
        }
    }
}

fn client_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > NAME_OCTETS_MAX || text.chars().any(char::is_control) {
        return Err(format!("a name has 1 to {NAME_OCTETS_MAX} printable octets"));
    }
    Ok(text.to_owned())
}
