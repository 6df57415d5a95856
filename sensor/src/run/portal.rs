//! The thread that serves portal and API: what comes to that address takes nothing from signals, log lines and health.

use std::{net::TcpListener, sync::Arc, thread};

use ::service::{
    api,
    portal::{self, certificate},
};
use anyhow::anyhow;
use rustls::ServerConfig;
use tokio::sync::{oneshot, watch};

use crate::{
    config::Config,
    failure::{Exit, Failure},
};

/// The thread and the way to it.
pub(super) struct Portal {
    thread: Option<Serving>,
    /// With what TLS is spoken; none: plain HTTP.
    tls: Option<watch::Sender<Arc<ServerConfig>>>,
}

struct Serving {
    /// Dropped, it ends the thread.
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Portal {
    /// Opens the certificate, and makes one where none is given and other hosts can reach the portal.
    pub(super) fn open(config: &Config) -> Result<Portal, Failure> {
        let Some(wanted) = config.portal_certificate() else {
            return Ok(Portal { thread: None, tls: None });
        };
        let identity =
            certificate::open(&wanted).map_err(|error| Failure::new(Exit::Host, anyhow!(error)))?;
        let fingerprint = certificate::fingerprint(&identity);
        tracing::info!(fingerprint, "the portal speaks TLS; SHA-256 of its certificate");
        let server =
            certificate::server(identity).map_err(|error| Failure::new(Exit::Usage, anyhow!(error)))?;
        Ok(Portal { thread: None, tls: Some(watch::channel(server).0) })
    }

    /// Begins to serve.
    pub(super) fn start(&mut self, listener: TcpListener, settings: api::Settings) -> Result<(), Failure> {
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let tls = self.tls.as_ref().map(watch::Sender::subscribe);
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("portal".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let served = async {
                    portal::serve(tokio::net::TcpListener::from_std(listener)?, settings, tls).await?;
                    anyhow::Ok(())
                };
                tokio::select! {
                    served = served => if let Err(error) = served {
                        tracing::error!("nothing is answered at portal.address any more: {error}");
                    },
                    _ = stopped => {}
                }
            });
            // Questions to the store that still run end with the process.
            runtime.shutdown_background();
        })?;
        self.thread = Some(Serving { stop, thread });
        Ok(())
    }

    /// Reads the certificate again.
    pub(super) fn reload(&self, config: &Config) -> Result<(), String> {
        let (Some(tls), Some(wanted)) = (&self.tls, config.portal_certificate()) else { return Ok(()) };
        let identity = certificate::open(&wanted)?;
        let fingerprint = certificate::fingerprint(&identity);
        tls.send_replace(certificate::server(identity)?);
        tracing::info!(fingerprint, "the portal's certificate was read again");
        Ok(())
    }

    /// Ends the thread.
    pub(super) fn stop(self) {
        if let Some(Serving { stop, thread }) = self.thread {
            drop(stop);
            if thread.join().is_err() {
                tracing::error!("the portal's thread panicked");
            }
        }
    }
}
