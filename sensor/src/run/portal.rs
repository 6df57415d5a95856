//! The thread that serves portal and API: what comes to that address takes nothing from signals, log lines and health.

use std::{net::TcpListener, sync::Arc, thread};

use ::service::{
    api,
    portal::{self, certificate},
};
use anyhow::anyhow;
use ingest::pin::keep_current;
use policy::portal::Oidc;
use rustix::process::{getpriority_process, setpriority_process};
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
    /// Who else lets people in, until it is handed over.
    provider: Option<Oidc>,
}

/// A certificate that is good.
pub(super) struct Renewed {
    fingerprint: String,
    server: Arc<ServerConfig>,
}

struct Serving {
    /// Dropped, it ends the thread.
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Portal {
    /// Opens the certificate, and makes one where none is given and other hosts can reach the portal.
    pub(super) fn open(config: &Config) -> Result<Portal, Failure> {
        let provider = config.portal_provider();
        let Some(wanted) = config.portal_certificate() else {
            return Ok(Portal { thread: None, tls: None, provider });
        };
        let identity =
            certificate::open(&wanted).map_err(|error| Failure::new(Exit::Host, anyhow!(error)))?;
        let fingerprint = certificate::fingerprint(&identity);
        tracing::info!(fingerprint, "the portal speaks TLS; SHA-256 of its certificate");
        let server =
            certificate::server(identity).map_err(|error| Failure::new(Exit::Usage, anyhow!(error)))?;
        Ok(Portal { thread: None, tls: Some(watch::channel(server).0), provider })
    }

    /// Begins to serve, on these cores; on all that the process has if there are none.
    pub(super) fn start(
        &mut self,
        listener: TcpListener,
        settings: api::Settings,
        cores: Vec<usize>,
    ) -> Result<(), Failure> {
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let tls = self.tls.as_ref().map(watch::Sender::subscribe);
        let door = portal::Door { tls, provider: self.provider.take() };
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("portal".to_owned()).spawn(move || {
            give_way(&cores);
            runtime.block_on(async move {
                let served = async {
                    portal::serve(tokio::net::TcpListener::from_std(listener)?, settings, door).await?;
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

    /// Reads the certificate again, for [`Portal::renew`]; none where plain HTTP is spoken.
    pub(super) fn read_again(&self, config: &Config) -> Result<Option<Renewed>, String> {
        let (Some(_), Some(wanted)) = (&self.tls, config.portal_certificate()) else { return Ok(None) };
        let identity = certificate::open(&wanted)?;
        let fingerprint = certificate::fingerprint(&identity);
        Ok(Some(Renewed { fingerprint, server: certificate::server(identity)? }))
    }

    /// Speaks TLS by this certificate from the next connection on.
    pub(super) fn renew(&self, renewed: Option<Renewed>) {
        if let (Some(tls), Some(Renewed { fingerprint, server })) = (&self.tls, renewed) {
            tls.send_replace(server);
            tracing::info!(fingerprint, "the portal's certificate was read again");
        }
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

/// How much less of a busy core than others this thread gets, as `nice` counts: a tenth.
const NICE: i32 = 10;

/// Leaves the workers their cores where there are others, and lets them, the journal and the service go first where cores
/// are few; threads that this one starts inherit it.
fn give_way(cores: &[usize]) {
    if !cores.is_empty()
        && let Err(error) = keep_current(cores)
    {
        tracing::warn!("the portal's thread shares the workers' cores (sched_setaffinity: {error})");
    }
    let this = Some(rustix::thread::gettid());
    // From where all of the process are; the kernel takes 19 for more.
    let nicer = getpriority_process(this).and_then(|nice| setpriority_process(this, nice + NICE));
    if let Err(error) = nicer {
        tracing::warn!("the portal's thread is as urgent as the workers' (setpriority: {error})");
    }
}
