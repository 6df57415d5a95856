//! What the journal holds, as `vpn-sensor journal dump` tells it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Namespace;
use crate::requests::kind;
use crate::sensor::Home;
use crate::tools::output;

/// One line of `journal dump`.
#[derive(Debug)]
pub struct Line(Value);

impl Line {
    /// A text field, such as `client` or `path`.
    #[track_caller]
    pub fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_else(|| panic!("no text {field:?} in {}", self.0))
    }

    /// The record's sequence number.
    #[track_caller]
    pub fn sequence(&self) -> u64 {
        self.0["seq"].as_u64().unwrap_or_else(|| panic!("no seq in {}", self.0))
    }

    /// The value of the first standard attribute with this number, as text.
    pub fn attribute(&self, kind: u8) -> Option<String> {
        let attribute = self.attributes().find(|attribute| {
            attribute["type"].as_u64() == Some(kind.into())
                && attribute.get("vendor").is_none_or(Value::is_null)
        })?;
        Some(match &attribute["value"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    /// Acct-Session-Id; empty if the request had none.
    pub fn session(&self) -> String {
        self.attribute(kind::SESSION_ID).unwrap_or_default()
    }

    /// All attributes.
    pub fn attributes(&self) -> impl Iterator<Item = &Value> {
        self.0["attributes"].as_array().into_iter().flatten()
    }

    /// The line as it was printed.
    pub fn json(&self) -> &Value {
        &self.0
    }
}

/// Everything in the journal; works beside a running sensor. Sequences must be 1, 2, 3 ... without a gap.
#[track_caller]
pub fn dump(home: &Home, namespace: &Namespace) -> Vec<Line> {
    let output = output(&mut home.command(namespace, "journal dump"));
    assert!(output.status.success(), "journal dump: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let lines: Vec<Line> =
        text.lines().map(|line| Line(serde_json::from_str(line).expect("one JSON object a line"))).collect();
    for (line, sequence) in lines.iter().zip(1..) {
        assert_eq!(line.sequence(), sequence, "a gap in the journal");
    }
    lines
}

/// How often each Acct-Session-Id is in the journal.
#[track_caller]
pub fn sessions(home: &Home, namespace: &Namespace) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in dump(home, namespace) {
        *counts.entry(line.session()).or_default() += 1;
    }
    counts
}

/// Fails unless exactly these sessions are in the journal, each once.
#[track_caller]
pub fn assert_sessions(home: &Home, namespace: &Namespace, expected: &[&str]) {
    let found = sessions(home, namespace);
    let expected: BTreeMap<String, usize> = expected.iter().map(|&session| (session.into(), 1)).collect();
    assert_eq!(found, expected, "sessions in the journal, and how often");
}

/// Runs `journal verify`; fails unless it finds the journal whole.
#[track_caller]
pub fn verify(home: &Home, namespace: &Namespace) {
    let output = output(&mut home.command(namespace, "journal verify"));
    assert!(
        output.status.success(),
        "journal verify: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
