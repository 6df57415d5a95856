//! Visits: what a cookie of the portal stands for. Of cookies digests alone are kept.

use rusqlite::{OptionalExtension as _, params};

use super::{
    AuditEntry, Control, ControlError, Role,
    account::role,
    now_unix_s,
    token::{NewToken, digest, random},
};

/// A visit ends when nothing was asked for so long, seconds: a screen that was left is found by others.
pub const IDLE_S: i64 = 30 * 60;
/// And so long behind its beginning, seconds: a day's work.
pub const VISIT_S: i64 = 12 * 3600;
/// `last_used` of a visit is written at most this often, seconds: each write costs a sync.
const LAST_USED_S: i64 = 60;
/// Visits of one account at once; the oldest ends.
pub(super) const VISITS_MAX: i64 = 16;

/// By what somebody comes in, as it was checked.
#[derive(Debug, Clone)]
pub(crate) enum Proof {
    /// A password: what argon2id had made of the account's.
    Password(String),
    /// The provider says who she is: the person whose account it is.
    Person(String),
}

impl Control {
    /// Begins a visit of an account, if what was checked still opens it: what its cookie says. A password takes a moment to
    /// be looked at, and whoever resets it meanwhile must not let in who has the one before. The audit log says `action`, where
    /// there is one. `None`: nothing was done.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub(crate) fn begin_visit(
        &self,
        account: &str,
        proof: &Proof,
        action: Option<&str>,
    ) -> Result<Option<NewToken>, ControlError> {
        let (cookie, now) = (random(""), now_unix_s());
        let (column, checked) = match proof {
            Proof::Password(digest) => ("password", digest),
            Proof::Person(person) => ("person", person),
        };
        let insert = format!(
            "INSERT INTO visit (digest, account, began, last_used)
             SELECT ?1, name, ?3, ?3 FROM account WHERE name = ?2 AND {column} = ?4"
        );
        self.at_once(|control| {
            let begun =
                control.connection.execute(&insert, params![digest(cookie.reveal()), account, now, checked]);
            if begun.map_err(|error| control.flawed(error))? == 0 {
                return Ok(None);
            }
            control.change(
                "DELETE FROM visit WHERE began <= ?1 OR last_used <= ?2",
                params![now - VISIT_S, now - IDLE_S],
            )?;
            control.change(
                "DELETE FROM visit WHERE account = ?1 AND digest <> ?3 AND digest NOT IN
                     (SELECT digest FROM visit WHERE account = ?1 AND digest <> ?3 ORDER BY last_used DESC LIMIT ?2)",
                params![account, VISITS_MAX - 1, digest(cookie.reveal())],
            )?;
            control.change("UPDATE account SET last_used = ?2 WHERE name = ?1", params![account, now])?;
            if let Some(action) = action {
                let who = format!("{account}@portal");
                control.note(&AuditEntry { who: &who, action, subject: None, details: None })?;
            }
            Ok(Some(cookie))
        })
    }

    /// Whose visit a cookie stands for, if it goes on.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub(crate) fn visitor(&self, cookie: &str) -> Result<Option<(String, Role)>, ControlError> {
        let (digest, now) = (digest(cookie), now_unix_s());
        let found: Option<(String, String, i64)> = self
            .connection
            .query_row(
                "SELECT name, role, visit.last_used FROM visit JOIN account ON name = account
                 WHERE digest = ?1 AND began > ?2 AND visit.last_used > ?3",
                params![digest, now - VISIT_S, now - IDLE_S],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .optional()
            .map_err(|error| self.flawed(error))?;
        let Some((account, role_name, last_used)) = found else { return Ok(None) };
        if now - last_used >= LAST_USED_S || now < last_used {
            self.change("UPDATE visit SET last_used = ?2 WHERE digest = ?1", params![digest, now])?;
        }
        Ok(Some((account, role(&role_name))))
    }

    /// Ends a visit.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub(crate) fn end_visit(&self, cookie: &str) -> Result<(), ControlError> {
        self.change("DELETE FROM visit WHERE digest = ?1", params![digest(cookie)])
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{super::account::tests::signed_up, *};

    /// A visit with the password that the account has.
    pub(in crate::control) fn begun(control: &Control, account: &str) -> NewToken {
        let proof = Proof::Password(control.password(account).unwrap().unwrap());
        control.begin_visit(account, &proof, None).unwrap().unwrap()
    }

    #[test]
    fn a_password_that_was_reset_while_it_was_looked_at_begins_no_visit() {
        let folder = tempfile::tempdir().unwrap();
        let mut control = Control::open(folder.path()).unwrap();
        signed_up(&mut control, "carol", Role::Administrator);
        let checked = Proof::Password(control.password("carol").unwrap().unwrap());
        let lost = control.add_link("carol", None).unwrap();
        control.redeem_link(lost.reveal(), "other").unwrap();
        assert!(control.begin_visit("carol", &checked, Some("portal.sign-in")).unwrap().is_none());
        let count = |table: &str| -> i64 {
            let query = format!("SELECT count(*) FROM {table}");
            control.connection.query_row(&query, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(count("visit"), 0);
        assert_eq!(control.accounts().unwrap()[0].last_used, None);
        let said =
            |action: &str| control.audit(100).unwrap().iter().filter(|row| row.action == action).count();
        assert_eq!((said("portal.password-set"), said("portal.sign-in")), (2, 0));
        let now = Proof::Password("other".to_owned());
        assert!(control.begin_visit("carol", &now, Some("portal.sign-in")).unwrap().is_some());
        assert_eq!((count("visit"), said("portal.sign-in")), (1, 1));
        for nobody in [Proof::Person("other".to_owned()), Proof::Person(String::new())] {
            assert!(control.begin_visit("carol", &nobody, None).unwrap().is_none(), "{nobody:?}");
        }
    }

    #[test]
    fn a_visit_ends_when_idle_and_at_the_end_of_the_day() {
        let folder = tempfile::tempdir().unwrap();
        let mut control = Control::open(folder.path()).unwrap();
        let link = control.add_link("carol", Some(Role::Analyst)).unwrap();
        control.redeem_link(link.reveal(), "hash").unwrap();
        let cookie = begun(&control, "carol");
        let age = |began: i64, last_used: i64| {
            let change = "UPDATE visit SET began = began - ?1, last_used = last_used - ?2";
            control.change(change, params![began, last_used]).unwrap();
        };
        age(VISIT_S - 60, IDLE_S - 60);
        assert!(control.visitor(cookie.reveal()).unwrap().is_some(), "and now it was used");
        age(0, IDLE_S + 1);
        assert_eq!(control.visitor(cookie.reveal()).unwrap(), None, "idle");
        age(120, -IDLE_S - 1);
        assert_eq!(control.visitor(cookie.reveal()).unwrap(), None, "the day is over");
    }
}
