//! Sign-ins that were refused, in the audit log: the first of each minute with the account, all others of it in one line.
//! Anybody can make as many as he likes, and must not fill the log, or push out of it what is in it.

use std::time::Duration;

use super::{Portal, Refused, Shared, text};
use crate::{
    api::{INTERVAL, Refusals},
    control::{AuditEntry, Control},
};

/// What they are in the audit log.
const ACTION: &str = "portal.sign-in-refused";
/// Who is not known, in the audit log: no account can be called so.
pub(super) const NOBODY: &str = "?@portal";
/// Of one sort and one minute, those that have a line of their own.
const BY_THEMSELVES: u32 = 5;
/// Minutes between two looks whether lines of the audit log are too old, and before the first: a clock that is wrong as its
/// host boots has been set right by then.
const TRIMMED_EVERY: u32 = 60;
/// Between two steps of taking them out: others write as well.
const PAUSE: Duration = Duration::from_millis(200);

/// Why somebody was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The account or the password is wrong.
    Wrong,
    /// Too many wrong passwords before: this one was not looked at.
    Throttled,
    /// The provider knows who it is, and no account is for that person.
    NoAccount,
}

impl Why {
    const ALL: [Why; 3] = [Why::Wrong, Why::Throttled, Why::NoAccount];

    fn words(self) -> &'static str {
        match self {
            Why::Wrong => "wrong account or password",
            Why::Throttled => "too many wrong passwords before, this one was not looked at",
            Why::NoAccount => "known by the provider, without a role or with another's name",
        }
    }
}

/// Those of each reason, so that many of one keep none of another out of the log.
pub(super) struct Counted([Refusals; Why::ALL.len()]);

impl Default for Counted {
    fn default() -> Counted {
        Counted(Why::ALL.map(|_| Refusals::telling(BY_THEMSELVES)))
    }
}

/// Writes a line of the audit log. Blocks.
fn write(control: &Control, who: &str, details: &str) -> Result<(), crate::control::ControlError> {
    control.write_audit(&AuditEntry { who, action: ACTION, subject: None, details: Some(details) })
}

impl Portal {
    /// Somebody was refused: written down, or counted where the minute has enough of them.
    ///
    /// # Errors
    /// The audit log cannot be written.
    pub(super) async fn refuse(self: &Shared, account: &str, why: Why) -> Result<(), Refused> {
        let Some(count) = self.refused.0[why as usize].count() else { return Ok(()) };
        // What was typed as an account is anything.
        let who = format!("{}@portal", text::visible(account));
        let details = match count {
            1 => why.words().to_owned(),
            // Behind a minute whose rest nobody has written yet.
            more => format!("{}; with {} others", why.words(), more - 1),
        };
        self.control(move |portal| portal.api.with_control(|control| write(control, &who, &details))).await
    }

    /// Nobody in particular was refused, as these details say.
    ///
    /// # Errors
    /// The audit log cannot be written.
    pub(super) async fn refuse_somebody(self: &Shared, details: String) -> Result<(), Refused> {
        self.control(move |portal| portal.api.with_control(|control| write(control, NOBODY, &details))).await
    }

    /// Writes down those of the minute that is over who have no line of their own. Blocks.
    fn write_rest(&self) -> Result<(), crate::control::ControlError> {
        for why in Why::ALL {
            if let Some(count) = self.refused.0[why as usize].rest() {
                let details = format!("{count} more in a minute: {}", why.words());
                self.api.with_control(|control| write(control, NOBODY, &details))?;
            }
        }
        Ok(())
    }
}

/// What is done for the audit log each minute, until the future is dropped: the rest of those who were refused goes in, and
/// at times what is too old goes out.
pub(super) async fn every_minute(portal: Shared) {
    for minute in 0u32.. {
        if portal.control(Portal::write_rest).await.is_err() {
            tracing::error!("refused sign-ins of the last minute are not in the audit log");
        }
        let mut is_more = minute > 0 && minute.is_multiple_of(TRIMMED_EVERY);
        while is_more {
            let trim = |portal: &Portal| portal.api.with_control(|control| control.trim_audit());
            is_more = portal.control(trim).await.unwrap_or(false);
            tokio::time::sleep(PAUSE).await;
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{control::AuditRow, portal::testing};

    fn lines(portal: &Portal) -> Vec<AuditRow> {
        portal.api.with_control(|control| control.audit(100)).unwrap()
    }

    #[tokio::test]
    async fn a_stranger_makes_a_few_lines_a_minute_and_all_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let portal = testing::portal(folder.path(), None).await;
        for number in 0..40 {
            portal.refuse(&format!("nobody{number}"), Why::Wrong).await.ok().unwrap();
        }
        portal.refuse("carol\u{1b}[2J", Why::Throttled).await.ok().unwrap();
        portal.write_rest().unwrap();
        let told = lines(&portal);
        let who: Vec<&str> = told.iter().map(|row| row.who.trim_end_matches("@portal")).collect();
        assert_eq!(
            who,
            ["nobody0", "nobody1", "nobody2", "nobody3", "nobody4", "carol\u{fffd}U+001B[2J"],
            "the minute goes on; those of another reason have lines of their own"
        );
        assert!(told.iter().all(|row| row.action == ACTION));

        portal.refused.0[Why::Wrong as usize].age(INTERVAL);
        let running = tokio::spawn(every_minute(portal.clone()));
        while lines(&portal).len() == told.len() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        running.abort();
        let rest = lines(&portal).pop().unwrap();
        assert_eq!((&*rest.who, &*rest.action), (NOBODY, ACTION));
        assert_eq!(rest.details.as_deref(), Some("35 more in a minute: wrong account or password"));
    }
}
