//! With what the portal speaks TLS, and who else lets people in.

use std::path::{Path, PathBuf};

use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use crate::sink::{Secret, Trust};

/// Where the portal's certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// PEM files: the certificate with those between it and its authority, and its key.
    Given {
        /// `portal.certificate`
        certificate: PathBuf,
        /// `portal.key`
        key: PathBuf,
    },
    /// Made for these names and addresses when the file is not there. It holds the key as well: 0600.
    Made {
        /// The file.
        file: PathBuf,
        /// What browsers call this host.
        names: Vec<String>,
    },
}

/// A certificate and its key, as they were read.
pub struct Identity {
    /// The certificate first, then those between it and its authority.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads both from PEM files, which may be one.
    ///
    /// # Errors
    /// A file that cannot be read or holds no certificate or key: names the file.
    pub fn read(certificate: &Path, key: &Path) -> Result<Identity, String> {
        let chain =
            CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chain = chain.map_err(|error| format!("cannot read {}: {error:?}", certificate.display()))?;
        if chain.is_empty() {
            return Err(format!("there is no certificate in {}; it holds PEM", certificate.display()));
        }
        let key = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| format!("there is no key in {}, which holds PEM: {error:?}", key.display()))?;
        Ok(Identity { chain, key })
    }
}

/// An OpenID provider by which people sign in.
#[derive(Debug, Clone, PartialEq)]
pub struct Oidc {
    /// Its address, as it names itself.
    pub issuer: String,
    /// Who the portal is there.
    pub client_id: String,
    /// And by what it proves that.
    pub client_secret: Secret,
    /// Where the provider sends people back to.
    pub redirect: String,
    /// The claim of the ID token that says what somebody may do: a text or a list of texts.
    pub claim: String,
    /// Values of it that make administrators.
    pub administrators: Vec<String>,
    /// Values of it that make analysts; `*`: everybody.
    pub analysts: Vec<String>,
    /// What is asked for beyond `openid`.
    pub scopes: Vec<String>,
    /// Whom the provider's certificate is to be from.
    pub trust: Trust,
}
