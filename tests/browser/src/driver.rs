//! chromedriver as a child process, and HTTP to it from outside its namespace.

use std::{
    process::{Child, Stdio},
    sync::{Arc, mpsc},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use end_to_end::{Namespace, PATIENCE, tools::need_program, wait_until};
use http::{Request, Response, header};
use thirtyfour::{
    error::{WebDriverError, WebDriverErrorInner, WebDriverResult},
    session::http::{Body, HttpClient},
};
use tokio::sync::oneshot;

/// chromedriver's port; every namespace has its own.
const PORT: u16 = 9515;
/// The slowest command is a page's load.
const COMMAND_MAX: Duration = Duration::from_secs(60);

/// chromedriver, killed when dropped; it takes its browsers along.
pub(crate) struct Driver {
    child: Child,
    _profile: tempfile::TempDir,
    pub(crate) client: Client,
    pub(crate) url: String,
}

impl Driver {
    pub(crate) fn start(namespace: &Namespace) -> Driver {
        need_program("chromium", "chromium");
        need_program("chromedriver", "chromium-driver");
        let profile = tempfile::tempdir().expect("a folder for the browser");
        let mut command = namespace.command("chromedriver");
        command.arg(format!("--port={PORT}")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Everything that the browser writes goes with the test.
        command.env("TMPDIR", profile.path()).env("HOME", profile.path());
        let child = command.spawn().expect("chromedriver starts");
        let driver = Driver {
            child,
            _profile: profile,
            client: Client::new(namespace),
            url: format!("http://127.0.0.1:{PORT}"),
        };
        wait_until("chromedriver listens", PATIENCE, || {
            namespace.enter(|| std::net::TcpStream::connect(("127.0.0.1", PORT)).is_ok())
        });
        driver
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Question {
    request: Request<Vec<u8>>,
    answer: oneshot::Sender<Result<Response<Bytes>, ureq::Error>>,
}

/// HTTP from a thread that lives in the browser's namespace.
#[derive(Clone)]
pub(crate) struct Client(mpsc::Sender<Question>);

impl Client {
    fn new(namespace: &Namespace) -> Client {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(COMMAND_MAX))
            .proxy(None)
            .allow_non_standard_methods(true)
            .build()
            .into();
        Client(namespace.resident(move |Question { request, answer }| {
            let _ = answer.send(ask(&agent, request));
        }))
    }
}

fn ask(agent: &ureq::Agent, request: Request<Vec<u8>>) -> Result<Response<Bytes>, ureq::Error> {
    let (parts, body) = agent.run(request)?.into_parts();
    let octets = body.into_with_config().limit(64 << 20).read_to_vec()?;
    Ok(Response::from_parts(parts, Bytes::from(octets)))
}

#[async_trait]
impl HttpClient for Client {
    async fn send(&self, request: Request<Body<'_>>) -> WebDriverResult<Response<Bytes>> {
        let (mut parts, body) = request.into_parts();
        let body = match body {
            Body::Empty => Vec::new(),
            Body::Json(value) => value.to_string().into_bytes(),
        };
        parts.headers.remove(header::CONNECTION);
        let (answer, answered) = oneshot::channel();
        let failed = |what: String| WebDriverError::from_inner(WebDriverErrorInner::HttpError(what));
        let question = Question { request: Request::from_parts(parts, body), answer };
        self.0.send(question).map_err(|_| failed("the namespace's thread has ended".into()))?;
        answered
            .await
            .map_err(|_| failed("the namespace's thread has ended".into()))?
            .map_err(|error| failed(error.to_string()))
    }

    async fn new(&self) -> Arc<dyn HttpClient> {
        Arc::new(self.clone())
    }
}
