//! Questions to the HTTP API of a running sensor, and decisions.

use serde_json::Value;

use crate::Namespace;

/// Where the sensor answers by default, in its namespace.
const API: &str = "http://127.0.0.1:8813/api/v1";

/// GETs a path of the API from within the sensor's namespace: status and body.
pub fn ask(namespace: &Namespace, path: &str, token: Option<&str>) -> (u16, Value) {
    namespace.enter(|| {
        let mut request = agent().get(format!("{API}/{path}"));
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        answer(request.call().expect("an answer"))
    })
}

/// POSTs JSON to a path of the API.
pub fn post(namespace: &Namespace, path: &str, token: &str, body: &Value) -> (u16, Value) {
    namespace.enter(|| {
        let request = agent().post(format!("{API}/{path}")).header("Content-Type", "application/json");
        let request = request.header("Authorization", format!("Bearer {token}"));
        answer(request.send(body.to_string()).expect("an answer"))
    })
}

/// The same with PATCH.
pub fn patch(namespace: &Namespace, path: &str, token: &str, body: &Value) -> (u16, Value) {
    namespace.enter(|| {
        let request = agent().patch(format!("{API}/{path}")).header("Content-Type", "application/json");
        let request = request.header("Authorization", format!("Bearer {token}"));
        answer(request.send(body.to_string()).expect("an answer"))
    })
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into()
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> (u16, Value) {
    let body = response.body_mut().read_to_string().expect("a body");
    (response.status().as_u16(), serde_json::from_str(&body).unwrap_or(Value::Null))
}
