//! What tests of pages share: a portal without a sensor, somebody who is signed in, and what she looks at.

use std::{
    net::IpAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::{Portal, Shared, guard::Visitor, refusing, zone::Zone};
use crate::{
    Meaning,
    alert::Alert,
    api::{Api, Settings},
    control::{Proof, Role},
    settings::{Administer, Arrivals, Change, Edit, Note, Planned, Refusal, Saved, SecretText, View},
};

pub(super) async fn portal(folder: &Path, administration: Option<Arc<dyn Administer>>) -> Shared {
    let settings = Settings {
        state_dir: folder.to_owned(),
        meaning: watch::channel(Arc::new(Meaning::default())).1,
        places: watch::channel(Arc::default()).1,
        health: watch::channel(Arc::from([])).1,
        link: watch::channel(None).1,
        sensor: Default::default(),
        administration,
    };
    Arc::new(Portal {
        api: Api::open(settings).await.unwrap(),
        passwords: Default::default(),
        throttle: Default::default(),
        refused: refusing::Counted::default(),
        doorway: None,
        is_tls: false,
    })
}

/// An administrator, who is nobody's account.
pub(super) fn visitor() -> Visitor {
    Visitor {
        account: "carol".to_owned(),
        role: Role::Administrator,
        form_token: "token".to_owned(),
        cookie: "cookie".to_owned(),
        zone: Zone::default(),
    }
}

/// An open alert.
pub(super) fn alert(number: u64) -> Alert {
    serde_json::from_value(serde_json::json!({
        "number": number, "revision": 1, "detection": "", "title": "", "severity": "low", "score": 0.0, "message": "",
        "advice": [], "first_unix_ns": 0, "last_unix_ns": 0, "changed_unix_ns": 0, "reasons": [],
        "connections": [], "connection_count": 0, "state": {"state": "open"}, "comments": [],
    }))
    .unwrap()
}

/// The cookie of a visit of a new account, as it is sent.
pub(super) fn visit(portal: &Shared, account: &str, role: Role) -> String {
    let begin = |control: &crate::control::Control| {
        control.admit(account, account, role, "a test")?;
        control.begin_visit(account, &Proof::Person(account.to_owned()), None)
    };
    let cookie = portal.api.with_control(begin).unwrap().unwrap();
    format!("vpn-sensor-visit={}", cookie.reveal())
}

/// What is answered: to a form, or without one to the look at a page.
pub(super) async fn ask(
    portal: &Shared,
    path: &str,
    headers: &[(&str, &str)],
    form: Option<&str>,
) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::builder().uri(path).header(header::HOST, "127.0.0.1:8813");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = match form {
        None => request.body(Body::empty()),
        Some(form) => request
            .method("POST")
            .header(header::ORIGIN, "http://127.0.0.1:8813")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned())),
    };
    let (head, body) = super::router(portal).oneshot(request.unwrap()).await.unwrap().into_parts();
    let text = to_bytes(body, 1 << 20).await.unwrap();
    (head.status, head.headers, String::from_utf8(text.to_vec()).unwrap())
}

/// A sensor with these settings, which takes each change and keeps it to be looked at. A set key takes something away.
#[derive(Debug)]
pub(super) struct Administered {
    pub(super) view: View,
    pub(super) made: Mutex<Vec<Change>>,
}

impl Administered {
    pub(super) fn with(view: View) -> Arc<Administered> {
        Arc::new(Administered { view, made: Mutex::default() })
    }

    pub(super) fn edits(&self) -> Vec<Edit> {
        self.made.lock().unwrap().iter().flat_map(|change| change.edits.clone()).collect()
    }
}

impl Administer for Administered {
    fn view(&self) -> Result<View, String> {
        Ok(self.view.clone())
    }

    fn change(&self, change: &Change, note: &mut Note<'_>) -> Result<Saved, Refusal> {
        let is_set = |edit: &Edit| matches!(edit, Edit::Set { .. });
        let lost = change.edits.iter().any(is_set).then(|| "the <oldest> go".to_owned());
        let planned = Planned {
            edits: vec!["a change".to_owned()],
            before: "1".to_owned(),
            after: "2".to_owned(),
            lost: lost.into_iter().collect(),
        };
        note(&planned).map_err(Refusal::Failed)?;
        self.made.lock().unwrap().push(change.clone());
        Ok(Saved { revision: planned.after, restart_needed: Vec::new() })
    }

    fn is_accounting(&self) -> bool {
        true
    }

    fn closed_because(&self) -> Option<String> {
        None
    }

    fn arrivals(&self) -> Arrivals {
        Arrivals { accounting: true, closed_because: None, addresses: Vec::new(), refused: Vec::new() }
    }

    fn try_secret(&self, _source: IpAddr, _secret: &SecretText) -> Option<bool> {
        None
    }

    fn generate(&self) -> SecretText {
        SecretText::new("generated".to_owned())
    }
}

/// What every form of a page is to be sent with.
pub(super) fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}
