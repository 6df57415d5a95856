//! Whom to trust: the certificates of one file, or those that the host trusts.

use std::path::PathBuf;

use rustls_pki_types::{CertificateDer, pem::PemObject as _};

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
}
