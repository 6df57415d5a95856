//! The `[portal]` table: with what TLS is spoken, and how links begin.

use std::path::{Path, PathBuf};

use policy::portal::{Certificate, Identity};

use super::{Config, document::Section, secret::is_readable_by_others};

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
}

/// What is set in the portal names no file of the host.
pub(super) fn keep_within(section: &Section<'_, '_>) {
    for key in ["certificate", "key"] {
        if let Some(span) = section.given(key) {
            section.problem(span, format!("`portal.{key}` is for the configuration file alone"));
        }
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
