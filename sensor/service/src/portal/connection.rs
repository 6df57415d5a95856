//! Connections and their bounds: how many, how long a head may take and be. Bodies are read by the few routes that want
//! one, within the bounds of `query`.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore};

/// Connections at once; more wait in the kernel's backlog. A reverse proxy or a few people need tens.
const CONNECTIONS_MAX: usize = 256;
/// Longest head: request line and headers, octets. A long name and a cursor, percent-encoded, need two thousand.
const HEAD_OCTETS_MAX: usize = 16 << 10;
const HEADERS_MAX: usize = 64;
/// For a whole head to arrive, and between two requests.
const HEAD_TIME_MAX: Duration = Duration::from_secs(15);
/// The wait after an accept that failed: out of file descriptors, which only time mends.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves until the future is dropped; connections go with it.
pub(super) async fn serve(listener: TcpListener, router: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!("the API cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(router.clone());
        connections.spawn(async move {
            let _place = place;
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME_MAX)
                .max_headers(HEADERS_MAX)
                .max_buf_size(HEAD_OCTETS_MAX)
                .serve_connection(TokioIo::new(stream), service)
                .await;
            if let Err(error) = served {
                tracing::debug!("a connection of the API ended: {error}");
            }
        });
    }
}
