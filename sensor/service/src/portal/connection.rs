//! Connections and their bounds: how many, and how long a handshake, a head and a body may take and be. A request is
//! whole before anybody works for it.

use std::{future::poll_fn, io, net::SocketAddr, pin::pin, sync::Arc, thread::yield_now, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::places::{Place, Places};

/// Connections at once. A reverse proxy or a few people need tens; a service may have 1,024 files open, which journal
/// and store need as well.
const CONNECTIONS_MAX: usize = 256;
/// For a TLS handshake: a few round trips.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// Longest head: request line and headers, octets. A long name and a cursor, percent-encoded, need two thousand.
const HEAD_OCTETS_MAX: usize = 16 << 10;
const HEADERS_MAX: usize = 64;
/// For a whole head to arrive, and between two requests.
const HEAD_TIME_MAX: Duration = Duration::from_secs(15);
/// Longest body of any route, octets; most take less.
const BODY_OCTETS_MAX: usize = 64 << 10;
/// For a whole body to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);
/// The wait after an accept that failed: out of file descriptors, which only time mends.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// With what TLS is spoken, the newest certificate; none: plain HTTP.
pub type Tls = Option<watch::Receiver<Arc<ServerConfig>>>;

/// Serves until the future is dropped; connections go with it.
pub(super) async fn serve(listener: TcpListener, router: Router, tls: Tls) {
    let places = Places::new(CONNECTIONS_MAX);
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!("the portal cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let place = places.take(from.ip()).await;
        let config = tls.as_ref().map(|newest| Arc::clone(&newest.borrow()));
        let connection = connection(stream, from, router.clone(), Arc::clone(&place), config);
        place.held_by(connections.spawn(step_by_step(connection)));
        yield_now();
    }
}

/// After each step, whoever waits for this core goes first. A thread that is nice only keeps its core until its slice
/// ends, a millisecond and more, and with many connections there is always a next step. Where nobody waits it is a system
/// call of a fraction of a microsecond.
async fn step_by_step<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        yield_now();
        polled
    })
    .await
}

async fn connection(
    stream: TcpStream,
    from: SocketAddr,
    router: Router,
    place: Arc<Place>,
    tls: Option<Arc<ServerConfig>>,
) {
    let ended = match tls {
        None => talk(stream, router, place).await,
        Some(config) => match timeout(HANDSHAKE_TIME_MAX, TlsAcceptor::from(config).accept(stream)).await {
            Ok(Ok(stream)) => talk(stream, router, place).await,
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("no handshake in time".to_owned()),
        },
    };
    if let Err(error) = ended {
        tracing::debug!(%from, "a connection of the portal ended: {error}");
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    place: Arc<Place>,
) -> Result<(), String> {
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, place) = (router.clone(), Arc::clone(&place));
        async move { Ok::<_, io::Error>(answer(request, router, &place).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_OCTETS_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await
        .map_err(|error| error.to_string())
}

async fn answer(request: Request<Incoming>, router: Router, place: &Place) -> Response {
    let (head, body) = request.into_parts();
    let body = match timeout(BODY_TIME_MAX, to_bytes(Body::new(body), BODY_OCTETS_MAX)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return refused(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => return refused(StatusCode::REQUEST_TIMEOUT),
    };
    let _busy = place.busy();
    let answered = router.oneshot(Request::from_parts(head, Body::from(body))).await;
    answered.unwrap_or_else(|never| match never {})
}

/// What is left of such a body is not read.
fn refused(status: StatusCode) -> Response {
    (status, [(header::CONNECTION, HeaderValue::from_static("close"))]).into_response()
}
