//! Whom to trust: the certificates of one file, or those that the host trusts.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// Whom to trust.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// A PEM file of certificates, and nobody else; none: whom the host trusts.
    pub ca_file: Option<PathBuf>,
}

impl Trust {
    /// The certificates. Read anew at each connection: a new file needs no restart.
    ///
    /// # Errors
    /// None can be read; says what to do.
    pub fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let Some(path) = &self.ca_file else {
            let found = rustls_native_certs::load_native_certs();
            if found.certs.is_empty() {
                return Err(
                    "the host trusts no certificate authority; install ca-certificates or set `ca_file`"
                        .to_owned(),
                );
            }
            return Ok(found.certs);
        };
        let wrong = |error| format!("cannot read certificates from {}: {error:?}", path.display());
        let certificates =
            CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let certificates = certificates.map_err(wrong)?;
        if certificates.is_empty() {
            return Err(format!("there is no certificate in {}; it holds PEM", path.display()));
        }
        Ok(certificates)
    }

    pub(super) fn client(&self) -> Result<Arc<ClientConfig>, String> {
        let mut roots = RootCertStore::empty();
        // The host's store may hold what is out of use.
        let (added, _) = roots.add_parsable_certificates(self.certificates()?);
        if added == 0 {
            return Err("none of the trusted certificates is one of an authority; check `ca_file`".to_owned());
        }
        let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let config = config.map_err(|error| error.to_string())?;
        Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    }
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
