//! A receiver of webhooks: keeps what it gets, checks signatures, answers what it is told to.

use std::{
    collections::VecDeque,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

pub(crate) const SECRET: &[u8] = b"a secret of webhooks";

#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) body: String,
    pub(crate) content_type: String,
    pub(crate) is_marked: bool,
    pub(crate) status: u16,
}

#[derive(Default)]
pub(crate) struct Inbox {
    pub(crate) requests: Mutex<Vec<Request>>,
    /// What to answer the next requests; then 200.
    pub(crate) answers: Mutex<VecDeque<u16>>,
    /// Before each answer.
    pub(crate) delay: Mutex<Duration>,
}

impl Inbox {
    /// Bodies of the requests that were answered with success.
    pub(crate) fn taken(&self) -> String {
        let requests = self.requests.lock().unwrap();
        requests
            .iter()
            .filter(|request| request.status == 200)
            .map(|request| request.body.clone() + "\n")
            .collect()
    }
}

async fn take(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: String) -> StatusCode {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    // As a receiver in any language would do it.
    let timestamp = header("X-Vpn-Sensor-Timestamp").unwrap();
    let mut code = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
    code.update(format!("{timestamp}.{body}").as_bytes());
    let code: String = code.finalize().into_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
    let is_signed = header("X-Vpn-Sensor-Signature") == Some(format!("sha256={code}"));
    let status = match is_signed {
        true => inbox.answers.lock().unwrap().pop_front().unwrap_or(200),
        false => 401,
    };
    let request = Request {
        body,
        content_type: header("Content-Type").unwrap(),
        is_marked: header("X-Vpn-Sensor-Delivery").is_some_and(|value| value == "perhaps-twice"),
        status,
    };
    inbox.requests.lock().unwrap().push(request);
    let delay = *inbox.delay.lock().unwrap();
    tokio::time::sleep(delay).await;
    StatusCode::from_u16(status).unwrap()
}

/// Serves until the test ends.
pub(crate) fn serve(address: SocketAddr) -> (SocketAddr, Arc<Inbox>) {
    let listener = TcpListener::bind(address).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let inbox = Arc::new(Inbox::default());
    let app = Router::new().route("/hook", post(take)).with_state(Arc::clone(&inbox));
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
    });
    (address, inbox)
}

/// An address that nobody listens on.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
