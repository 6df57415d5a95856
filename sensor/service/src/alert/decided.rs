//! What may be written about an alert, and what came of a decision: told by the alert as it stands, so that who decided
//! second learns what the first one made of it.

use super::{Alert, COMMENT_OCTETS_MAX, COMMENTS_MAX, State};
use crate::{export::format::is_hidden, fold::Decision};

/// What came of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The alert says it.
    Taken,
    /// It may still come.
    Pending,
    /// Somebody else closed the alert before.
    Closed,
    /// There are as many comments as an alert keeps.
    Full,
}

/// What came of this decision about this alert.
pub fn effect(alert: &Alert, decision: &Decision) -> Effect {
    let Decision { unix_ns, by, verdict, comment, .. } = decision;
    let is_said = match *verdict {
        Some(verdict) => alert.state == State::Closed { verdict, by: by.clone(), unix_ns: *unix_ns },
        None => says(alert, decision),
    };
    if is_said {
        return Effect::Taken;
    }
    // One that closes the alert has that effect whether or not there is room for its comment.
    refusal(alert, verdict.is_none() && comment.is_some()).unwrap_or(Effect::Pending)
}

/// Why a decision that is made now would have no effect, or not all of it.
pub fn refusal(alert: &Alert, has_comment: bool) -> Option<Effect> {
    match alert.state {
        State::Closed { .. } => Some(Effect::Closed),
        State::Open if has_comment && alert.comments.len() >= COMMENTS_MAX => Some(Effect::Full),
        State::Open => None,
    }
}

fn says(alert: &Alert, decision: &Decision) -> bool {
    let Decision { unix_ns, by, comment, .. } = decision;
    let is_it = |text: &String| {
        alert.comments.iter().any(|one| (one.unix_ns, &one.by, &one.text) == (*unix_ns, by, text))
    };
    comment.as_ref().is_some_and(is_it)
}

/// A comment that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but space.
    #[error("a comment must not be empty: write what was found out")]
    Empty,
    /// Longer than [`COMMENT_OCTETS_MAX`].
    #[error("a comment has at most {COMMENT_OCTETS_MAX} octets, and this has {0}: shorten it")]
    Long(usize),
    /// A character that shows nothing, or changes how others show.
    #[error("a comment must not hold U+{0:04X}, which does not show: take it out")]
    Hidden(u32),
}

/// The text of a comment as it is kept: without space around it. Line feeds and tabs are let through, and the joiners
/// that some scripts are written with; other characters that do not show are refused: people read this on terminals.
///
/// # Errors
/// [`TextError`].
pub fn comment_text(text: &str) -> Result<String, TextError> {
    let text = text.trim().replace("\r\n", "\n");
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.len() > COMMENT_OCTETS_MAX {
        return Err(TextError::Long(text.len()));
    }
    let is_refused = |one: &char| is_hidden(*one) && !matches!(one, '\n' | '\t' | '\u{200c}' | '\u{200d}');
    match text.chars().find(is_refused) {
        Some(hidden) => Err(TextError::Hidden(hidden.into())),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{Comment, Verdict};

    fn alert() -> Alert {
        serde_json::from_value(serde_json::json!({
            "number": 1, "revision": 1, "detection": "", "title": "", "severity": "low", "score": 0.0, "message": "",
            "advice": [], "first_unix_ns": 0, "last_unix_ns": 0, "changed_unix_ns": 0, "reasons": [],
            "connections": [], "connection_count": 0, "state": {"state": "open"}, "comments": [],
        }))
        .unwrap()
    }

    fn decision(by: &str, verdict: Option<Verdict>, comment: Option<&str>) -> Decision {
        Decision { alert: 1, unix_ns: 7, by: by.into(), verdict, comment: comment.map(str::to_owned) }
    }

    #[test]
    fn who_decides_second_learns_it() {
        let [desk, other] = ["desk", "other"].map(|by| decision(by, Some(Verdict::Usual), None));
        let mut closed = alert();
        assert_eq!(effect(&closed, &desk), Effect::Pending);
        closed.state = State::Closed { verdict: Verdict::Usual, by: "desk".into(), unix_ns: 7 };
        assert_eq!([effect(&closed, &desk), effect(&closed, &other)], [Effect::Taken, Effect::Closed]);
        let comment = decision("desk", None, Some("asked"));
        assert_eq!(effect(&closed, &comment), Effect::Closed);
        closed.comments.push(Comment { by: "desk".into(), unix_ns: 7, text: "asked".into() });
        assert_eq!(effect(&closed, &comment), Effect::Taken);
        assert_eq!(effect(&closed, &decision("other", None, Some("asked"))), Effect::Closed);
    }

    #[test]
    fn a_full_alert_is_closed_without_another_comment() {
        let mut full = alert();
        let comment = Comment { by: "desk".into(), unix_ns: 1, text: "asked".into() };
        full.comments = vec![comment; COMMENTS_MAX];
        assert_eq!(effect(&full, &decision("desk", None, Some("asked"))), Effect::Full);
        assert_eq!([refusal(&full, true), refusal(&full, false)], [Some(Effect::Full), None]);
        assert_eq!(effect(&full, &decision("desk", Some(Verdict::Usual), Some("asked"))), Effect::Pending);
    }

    #[test]
    fn comments_show_what_they_say() {
        assert_eq!(
            comment_text(" a trip:\r\n\tLyon, نمی\u{200c}خواهم ").unwrap(),
            "a trip:\n\tLyon, نمی\u{200c}خواهم"
        );
        assert_eq!(comment_text(" \n"), Err(TextError::Empty));
        for (hidden, number) in [("a\u{1b}[2Jb", 0x1b), ("a\u{202e}b", 0x202e), ("a\0b", 0), ("a\rb", 0xd)] {
            assert_eq!(comment_text(hidden), Err(TextError::Hidden(number)));
        }
        assert!(comment_text(&"é".repeat(COMMENT_OCTETS_MAX / 2)).is_ok());
        assert_eq!(
            comment_text(&"é".repeat(COMMENT_OCTETS_MAX / 2 + 1)),
            Err(TextError::Long(COMMENT_OCTETS_MAX + 2))
        );
    }
}
