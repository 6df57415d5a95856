//! TLS to whom a sink trusts.

use std::sync::Arc;

use policy::sink::Trust;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, ring},
};

/// Connections to whom `trust` trusts.
pub(super) fn client(trust: &Trust) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    // The host's store may hold what is out of use.
    let (added, _) = roots.add_parsable_certificates(trust.certificates()?);
    if added == 0 {
        return Err("none of the trusted certificates is one of an authority; check `ca_file`".to_owned());
    }
    let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
