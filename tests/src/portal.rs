//! The portal of a running sensor, as a browser without a script uses it.

use std::sync::Mutex;

use crate::{
    Namespace, PATIENCE,
    sensor::{Home, program},
    tools::output,
    wait_until,
};

const PORTAL: &str = "http://127.0.0.1:8813";
const PASSWORD: &str = "correct horse battery";

/// One browser in the sensor's namespace, without a script.
pub struct Browser<'n> {
    namespace: &'n Namespace,
    cookie: Mutex<String>,
}

/// What was answered.
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// Where it leads to.
    pub location: String,
    /// The page.
    pub text: String,
}

impl Page {
    /// What the first form field of this name holds.
    pub fn value(&self, name: &str) -> &str {
        let (_, rest) = self.text.split_once(&format!("name=\"{name}\" value=\"")).expect("a form");
        rest.split_once('"').unwrap().0
    }

    /// What is shown once.
    pub fn secret(&self) -> &str {
        let (_, rest) = self.text.split_once("<code class=\"secret\">").expect("a secret");
        rest.split_once('<').unwrap().0
    }
}

/// Where on the portal a link that was printed or shown leads.
pub fn path_of(link: &str) -> &str {
    link.trim().strip_prefix(PORTAL).expect("a link to this portal")
}

impl Browser<'_> {
    /// Somebody new, by the link that `portal link` printed.
    pub fn signed_in<'n>(namespace: &'n Namespace, link: &str) -> Browser<'n> {
        let browser = Browser::stranger(namespace);
        let page =
            browser.post(path_of(link), &[("account", "x"), ("password", PASSWORD), ("again", PASSWORD)]);
        assert_eq!(page.status, 303, "{}", page.text);
        // Of a first start there is none for a second, and pages say so.
        wait_until("the service has made its store", PATIENCE, || browser.get("/").status != 503);
        browser
    }

    /// Somebody who never was here.
    pub fn stranger(namespace: &Namespace) -> Browser<'_> {
        Browser { namespace, cookie: Mutex::default() }
    }

    /// Opens a page.
    pub fn get(&self, path: &str) -> Page {
        self.namespace.enter(|| {
            let request = agent().get(format!("{PORTAL}{path}")).header("cookie", self.cookie());
            self.keep(request.call().expect("a page"))
        })
    }

    /// Sends a form.
    pub fn post(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let request = agent().post(format!("{PORTAL}{path}")).header("origin", PORTAL);
        let request = request.header("cookie", self.cookie());
        self.namespace.enter(|| self.keep(request.send_form(form.iter().copied()).expect("a page")))
    }

    fn cookie(&self) -> String {
        self.cookie.lock().unwrap().clone()
    }

    /// Fills in the form of a page, as it was loaded.
    pub fn submit(&self, page: &Page, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut form = vec![("token", page.value("token")), ("revision", page.value("revision"))];
        form.extend(fields);
        self.post(path, &form)
    }

    fn keep(&self, mut answer: ureq::http::Response<ureq::Body>) -> Page {
        let text = answer.body_mut().read_to_string().unwrap();
        let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap());
        if let Some((cookie, _)) = header("set-cookie").split_once(';') {
            *self.cookie.lock().unwrap() = cookie.to_owned();
        }
        Page { status: answer.status().as_u16(), location: header("location").to_owned(), text }
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
    config.timeout_global(Some(PATIENCE)).build().into()
}

/// What `portal link` prints.
pub fn link(home: &Home, namespace: &Namespace, account: &str, role: &str) -> String {
    let mut command = namespace.command(program());
    command.args(["portal", "link", "--account", account, "--role", role, "--state-dir"]).arg(home.state());
    let output = output(&mut command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
