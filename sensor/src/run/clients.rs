//! From the configuration's clients to the snapshot that the workers look up.

use std::sync::Arc;

use ingest::clients::{self, Clients, ClientsError, EmptySecret};

use crate::config;

/// Why no snapshot could be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    #[error(transparent)]
    Clients(#[from] ClientsError),
    #[error("a client: {0}")]
    Secret(#[from] EmptySecret),
}

/// The snapshot of these clients.
pub(crate) fn snapshot(configured: &[config::Client]) -> Result<Clients, SnapshotError> {
    let clients = configured.iter().map(client).collect::<Result<Vec<_>, _>>()?;
    Ok(Clients::build(clients)?)
}

fn client(configured: &config::Client) -> Result<clients::Client, EmptySecret> {
    let secret = |secret: &config::Secret| clients::Secret::new(secret.octets().to_vec());
    let previous = configured.previous_secret.as_ref().map(secret).transpose()?;
    Ok(clients::Client {
        name: Arc::from(configured.name.as_str()),
        secrets: [Some(secret(&configured.secret)?), previous],
        status_server: configured.status_server,
        require_message_authenticator: configured.require_message_authenticator,
        max_rate: configured.max_rate,
        prefixes: configured.prefixes.clone(),
        vendor: configured.vendor.map_or("auto", |vendor| vendor.name()).to_owned(),
    })
}
