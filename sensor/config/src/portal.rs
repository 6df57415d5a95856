//! The `[portal]` table: with what TLS is spoken, who else lets people in, and how links begin.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use policy::{
    portal::{Certificate, Identity, Oidc},
    sink,
};

use super::{Config, Secret, document::Section, secret::is_readable_by_others, sinks::read_trust};

/// The file of a made certificate and its key, in the state directory.
const MADE: &str = "portal.pem";

impl Config {
    /// With what the portal speaks TLS; none: plain HTTP, which no other host can reach.
    pub fn portal_certificate(&self) -> Option<Certificate> {
        let address = self.portal?;
        if let Some((certificate, key)) = self.portal_identity.clone() {
            return Some(Certificate::Given { certificate, key });
        }
        if address.ip().is_loopback() {
            return None;
        }
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        names.extend((!address.ip().is_unspecified()).then(|| address.ip().to_string()));
        let link = self.portal_link.as_deref().and_then(|link| link.parse::<http::Uri>().ok());
        names.extend(link.and_then(|link| link.host().map(|host| host.trim_matches(['[', ']']).to_owned())));
        Some(Certificate::Made { file: self.state_dir.join(MADE), names })
    }

    /// What the portal's addresses begin with for a browser: `portal.link` where other hosts can reach the portal, else
    /// its address; none: there is no portal.
    pub fn portal_url(&self) -> Option<String> {
        let address = self.portal?;
        let scheme = if self.portal_certificate().is_some() { "https" } else { "http" };
        if address.ip().is_loopback() {
            return Some(format!("{scheme}://{address}"));
        }
        let own = || {
            if address.ip().is_unspecified() {
                format!("{scheme}://localhost:{}", address.port())
            } else {
                format!("{scheme}://{address}")
            }
        };
        Some(self.portal_link.clone().unwrap_or_else(own))
    }

    /// Who else lets people in, and where they come back to: to `portal.link`, or the portal's address.
    pub fn portal_provider(&self) -> Option<Oidc> {
        let begin = self.portal_link.clone().or_else(|| self.portal_url())?;
        let redirect = format!("{begin}/sign-in/provider/back");
        self.portal_oidc.clone().map(|oidc| Oidc { redirect, ..oidc })
    }
}

/// An OpenID provider.
pub(super) fn read_oidc(section: Section<'_, '_>, base: &Path, warnings: &mut Vec<String>) -> Option<Oidc> {
    let wants = |key: &str| section.problem(section.span.clone(), format!("`portal.oidc` wants `{key}`"));
    let issuer = section.parsed("issuer", issuer);
    let client_id = section.string("client_id");
    let secret = section.parsed("client_secret_file", |text| {
        let path = base.join(text);
        Secret::read(&path).map(|secret| (path, secret))
    });
    let texts = |key: &'static str| -> Option<Vec<String>> {
        let list = section.list(key, |text| Ok(text.to_owned()))?;
        Some(list.into_iter().map(|(text, _)| text).collect())
    };
    let (administrators, analysts) = (texts("administrators"), texts("analysts"));
    if administrators.iter().flatten().any(|value| value == "*") {
        let span = section.place("administrators").unwrap_or_else(|| section.span.clone());
        section.problem(span, "`portal.oidc.administrators` names values; \"*\" is for `analysts`");
    }
    let scopes = texts("scopes").unwrap_or_else(|| vec!["profile".to_owned(), "email".to_owned()]);
    let claim = section.parsed("claim", claim).unwrap_or_else(|| "groups".to_owned());
    let trust = read_trust(&section, base);
    for (key, is_there) in [
        ("issuer", section.place("issuer").is_some()),
        ("client_id", section.place("client_id").is_some()),
        ("client_secret_file", section.place("client_secret_file").is_some()),
        ("administrators` or `analysts", administrators.is_some() || analysts.is_some()),
    ] {
        if !is_there {
            wants(key);
        }
    }
    section.finish();
    let (path, secret) = secret?;
    if is_readable_by_others(&path) {
        let path = path.display();
        warnings.push(format!("portal.oidc: others than its owner may read {path}; chmod 600 it"));
    }
    Some(Oidc {
        issuer: issuer?,
        client_id: client_id?.0.to_owned(),
        client_secret: sink::Secret::new(secret.octets().to_vec()),
        redirect: String::new(),
        claim,
        administrators: administrators.unwrap_or_default(),
        analysts: analysts.unwrap_or_default(),
        scopes,
        trust,
    })
}

/// Claims whose meaning the standard knows (OpenID Connect Core 2 and 5.1), but for `sub` and `email`: what people are called
/// and look like, which at many providers they write themselves, and what the token is about itself.
const NOT_DECIDING: [&str; 30] = [
    "acr",
    "address",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "birthdate",
    "birthday",
    "c_hash",
    "email_verified",
    "exp",
    "family_name",
    "gender",
    "given_name",
    "iat",
    "iss",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "nonce",
    "phone_number",
    "phone_number_verified",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
];

/// A claim by which somebody may be let in.
fn claim(text: &str) -> Result<String, String> {
    // A language may stand behind it.
    let (name, _) = text.split_once('#').unwrap_or((text, ""));
    if NOT_DECIDING.contains(&name) {
        return Err(format!(
            "{text:?} does not say who may come in: name a claim for groups or roles that the provider puts into the ID \
             token, or \"sub\", or \"email\", which counts where the provider has verified it"
        ));
    }
    Ok(text.to_owned())
}

/// Over plain HTTP anybody on the way could say who somebody is.
fn issuer(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is not an issuer such as \"https://id.contoso.example/realm\"");
    let parsed: http::Uri = text.parse().map_err(|_| wrong())?;
    let host = parsed.host().ok_or_else(wrong)?.trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    match parsed.scheme_str() {
        Some("https") => Ok(text.to_owned()),
        Some("http") if is_here => Ok(text.to_owned()),
        _ => Err(wrong()),
    }
}

/// Certificate and key, which must go together.
pub(super) fn read_identity(
    section: &Section<'_, '_>,
    base: &Path,
    warnings: &mut Vec<String>,
) -> Option<(PathBuf, PathBuf)> {
    let certificate = section.string("certificate");
    let key = section.string("key");
    let ((certificate, span), (key, _)) = match (certificate, key) {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) => return None,
        (Some((_, span)), None) => {
            section.problem(span, "`portal.certificate` wants `portal.key` as well");
            return None;
        }
        (None, Some((_, span))) => {
            section.problem(span, "`portal.key` wants `portal.certificate` as well");
            return None;
        }
    };
    let (certificate, key) = (base.join(certificate), base.join(key));
    if let Err(error) = Identity::read(&certificate, &key) {
        section.problem(span, format!("`portal.certificate`: {error}"));
    }
    if is_readable_by_others(&key) {
        let shown = key.display();
        warnings.push(format!("portal.key: others than its owner may read {shown}; chmod 600 it"));
    }
    Some((certificate, key))
}
