//! Accounts of the portal, and links that set a password. Of links digests alone are kept, of passwords what argon2id makes of
//! them.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    AuditEntry, Control, ControlError, audit, now_unix_s, rfc3339,
    token::{NewToken, digest, random},
};

/// How long a link is good, seconds.
pub const LINK_S: i64 = 15 * 60;
/// Links that wait; the oldest goes.
const LINKS_MAX: i64 = 64;

/// What the audit log says of a link that gives no role.
pub const KEEPS_ROLE: &str = "keeps its role";
/// Stands for its role in a link that leaves the account the one that it has.
const KEPT: &str = "";

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sees people and alerts, and decides about alerts.
    Analyst,
    /// Settings and accounts as well.
    Administrator,
}

impl Role {
    /// One word.
    pub fn name(self) -> &'static str {
        match self {
            Role::Analyst => "analyst",
            Role::Administrator => "administrator",
        }
    }

    fn named(name: &str) -> Option<Role> {
        [Role::Analyst, Role::Administrator].into_iter().find(|role| role.name() == name)
    }
}

/// An account, without its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountRow {
    /// Its name, which the audit log says.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// RFC 3339.
    pub created: String,
    /// The last sign-in, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
}

impl Control {
    /// The role that a link made now gives its account: the one that was asked for; of an account that is there `None`
    /// where none was: it keeps its own, whatever that is when the link is used. The first account of all is an
    /// administrator's where none was asked for.
    ///
    /// # Errors
    /// [`ControlError::AccountName`]; [`ControlError::NoRole`] for a new account; [`ControlError::Sqlite`].
    pub fn role_by_link(&self, account: &str, role: Option<Role>) -> Result<Option<Role>, ControlError> {
        let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-' | b'@');
        if !(1..=64).contains(&account.len()) || !account.bytes().all(allowed) {
            return Err(ControlError::AccountName(account.to_owned()));
        }
        if role.is_some() || self.password(account)?.is_some() {
            return Ok(role);
        }
        if self.accounts()?.is_empty() {
            return Ok(Some(Role::Administrator));
        }
        Err(ControlError::NoRole(account.to_owned()))
    }

    /// Makes a link by which this account gets a password, within [`LINK_S`] and once, and the role that
    /// [`role_by_link`](Self::role_by_link) says.
    ///
    /// # Errors
    /// Those of `role_by_link`; [`ControlError::LastAdministrator`].
    pub fn add_link(&self, account: &str, role: Option<Role>) -> Result<NewToken, ControlError> {
        let link = random("");
        let now = now_unix_s();
        self.at_once(|control| {
            let role = control.role_by_link(account, role)?;
            if role.is_some_and(|role| role != Role::Administrator) {
                control.keep_an_administrator(account)?;
            }
            control.change("DELETE FROM link WHERE expires <= ?1", params![now])?;
            control.change(
                "DELETE FROM link WHERE digest NOT IN (SELECT digest FROM link ORDER BY expires DESC LIMIT ?1)",
                params![LINKS_MAX - 1],
            )?;
            control.change(
                "INSERT INTO link (digest, account, role, expires) VALUES (?1, ?2, ?3, ?4)",
                params![digest(link.reveal()), account, role.map_or(KEPT, Role::name), now + LINK_S],
            )
        })?;
        Ok(link)
    }

    /// Whose password a link sets, if it is good.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn link_account(&self, link: &str) -> Result<Option<String>, ControlError> {
        let query = "SELECT account FROM link WHERE digest = ?1 AND expires > ?2";
        self.connection
            .query_row(query, params![digest(link), now_unix_s()], |row| row.get(0))
            .optional()
            .map_err(|error| self.flawed(error))
    }

    /// Uses up a link: its account has this password now, given as argon2id's string, and the link's role if it has one,
    /// and all its visits end. Whose account of a provider it is stays. Whoever has become the only administrator since the
    /// link was made stays one. That an account got a password and another role by it is in the audit log. The account's name;
    /// `None` if the link is not good.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn redeem_link(&mut self, link: &str, password: &str) -> Result<Option<String>, ControlError> {
        let path = self.path.clone();
        let mut redeem = || {
            let step = self.connection.transaction()?;
            let now = now_unix_s();
            let query = "DELETE FROM link WHERE digest = ?1 AND expires > ?2 RETURNING account, role";
            let found: Option<(String, String)> = step
                .query_row(query, params![digest(link), now], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((account, given)) = found else { return Ok(None) };
            let query = "SELECT role, EXISTS
                    (SELECT 1 FROM account AS other WHERE other.role = ?2 AND other.name <> ?1)
                FROM account WHERE name = ?1";
            let administrator = Role::Administrator.name();
            let before: Option<(String, bool)> = step
                .query_row(query, [&*account, administrator], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let keeps =
                |(role, has_others): &(String, bool)| given == KEPT || (role == administrator && !has_others);
            let role = match &before {
                Some(before) if keeps(before) => &before.0,
                // Made for an account that went since.
                None if given == KEPT => return Ok(None),
                _ => &given,
            };
            step.execute(
                "INSERT INTO account (name, role, password, made) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (name) DO UPDATE SET password = ?3, role = ?2",
                params![account, role, password, now],
            )?;
            let who = format!("{account}@portal");
            if let Some((before, _)) = before.as_ref().filter(|(before, _)| before != role) {
                let details = format!("{before} -> {role}, by a link");
                let (subject, details) = (Some(&*account), Some(&*details));
                audit::insert(&step, &AuditEntry { who: &who, action: "portal.role", subject, details })?;
            }
            let entry = AuditEntry { who: &who, action: "portal.password-set", subject: None, details: None };
            audit::insert(&step, &entry)?;
            step.execute("DELETE FROM visit WHERE account = ?1", [&account])?;
            step.execute("DELETE FROM link WHERE account = ?1", [&account])?;
            step.commit()?;
            Ok(Some(account))
        };
        let redeemed: rusqlite::Result<_> = redeem();
        redeemed.map_err(|error| ControlError::Sqlite { path, error })
    }

    /// All accounts, by name.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn accounts(&self) -> Result<Vec<AccountRow>, ControlError> {
        let read = || {
            let query = "SELECT name, role, made, last_used FROM account ORDER BY name";
            let mut select = self.connection.prepare(query)?;
            let rows = select.query_map([], |row| {
                Ok(AccountRow {
                    name: row.get(0)?,
                    role: role(&row.get::<_, String>(1)?),
                    created: rfc3339(row.get(2)?),
                    last_used: row.get::<_, Option<i64>>(3)?.map(rfc3339),
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.flawed(error))
    }

    /// Gives an account another role, from its next page on; whether there is one. Its links are withdrawn: each brings
    /// the role along that was meant before.
    ///
    /// # Errors
    /// [`ControlError::LastAdministrator`], [`ControlError::Sqlite`].
    pub fn set_role(&self, name: &str, role: Role) -> Result<bool, ControlError> {
        let change = |connection: &Connection| {
            let count =
                connection.execute("UPDATE account SET role = ?2 WHERE name = ?1", [name, role.name()])?;
            if count > 0 {
                connection.execute("DELETE FROM link WHERE account = ?1", [name])?;
            }
            Ok(count > 0)
        };
        self.at_once(|control| {
            if role != Role::Administrator {
                control.keep_an_administrator(name)?;
            }
            change(&control.connection).map_err(|error| control.flawed(error))
        })
    }

    /// Refuses when all who may set anything are this account.
    ///
    /// # Errors
    /// [`ControlError::LastAdministrator`], [`ControlError::Sqlite`].
    pub(crate) fn keep_an_administrator(&self, name: &str) -> Result<(), ControlError> {
        let administrators = |account: &AccountRow| account.role == Role::Administrator;
        let accounts = self.accounts()?;
        let mut names =
            accounts.iter().filter(|account| administrators(account)).map(|account| &account.name);
        match (names.next(), names.next()) {
            (Some(only), None) if only == name => Err(ControlError::LastAdministrator(name.to_owned())),
            _ => Ok(()),
        }
    }

    /// Removes an account, ends its visits and withdraws its links; whether there was an account or a link.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn remove_account(&self, name: &str) -> Result<bool, ControlError> {
        self.at_once(|control| {
            control.change("DELETE FROM visit WHERE account = ?1", params![name])?;
            let remove = |table: &str| {
                control.connection.execute(table, [name]).map_err(|error| control.flawed(error))
            };
            let links = remove("DELETE FROM link WHERE account = ?1")?;
            Ok(remove("DELETE FROM account WHERE name = ?1")? + links > 0)
        })
    }

    /// What argon2id made of an account's password; empty, which it makes of none, where a person of a provider has no
    /// password. `None`: there is no such account.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub(crate) fn password(&self, account: &str) -> Result<Option<String>, ControlError> {
        let query = "SELECT password FROM account WHERE name = ?1";
        self.connection
            .query_row(query, [account], |row| row.get(0))
            .optional()
            .map_err(|error| self.flawed(error))
    }
}

/// What is not known may the least.
pub(super) fn role(name: &str) -> Role {
    Role::named(name).unwrap_or(Role::Analyst)
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;

    use super::{super::visit::tests::begun, *};

    #[test]
    fn a_link_sets_a_password_once_and_ends_the_visits_before() {
        let folder = tempfile::tempdir().unwrap();
        let mut control = Control::open(folder.path()).unwrap();
        let link = control.add_link("carol", Some(Role::Administrator)).unwrap();
        assert_eq!(control.link_account(link.reveal()).unwrap().as_deref(), Some("carol"));
        assert_eq!(control.redeem_link("another", "hash").unwrap(), None);
        assert_eq!(control.redeem_link(link.reveal(), "hash").unwrap().as_deref(), Some("carol"));
        assert_eq!(control.redeem_link(link.reveal(), "hash").unwrap(), None, "once");
        assert_eq!(control.password("carol").unwrap().as_deref(), Some("hash"));

        let cookie = begun(&control, "carol");
        let carol = Some(("carol".to_owned(), Role::Administrator));
        assert_eq!(control.visitor(cookie.reveal()).unwrap(), carol);
        assert_eq!(control.visitor("another").unwrap(), None);
        for file in fs::read_dir(crate::folder(folder.path())).unwrap() {
            let octets = fs::read(file.unwrap().path()).unwrap();
            for secret in [&link, &cookie] {
                let secret = secret.reveal().as_bytes();
                assert!(!octets.windows(secret.len()).any(|part| part == secret));
            }
        }
        let other = control.add_link("dave", Some(Role::Administrator)).unwrap();
        control.redeem_link(other.reveal(), "hash").unwrap();
        let lost = control.add_link("carol", Some(Role::Analyst)).unwrap();
        control.redeem_link(lost.reveal(), "other").unwrap();
        assert_eq!(control.visitor(cookie.reveal()).unwrap(), None, "whoever had the old password is out");
        assert_eq!(control.accounts().unwrap()[0].role, Role::Analyst);
        assert!(matches!(
            control.add_link("no name", Some(Role::Analyst)),
            Err(ControlError::AccountName(_))
        ));
    }

    #[test]
    fn a_link_is_good_for_a_quarter_of_an_hour() {
        let folder = tempfile::tempdir().unwrap();
        let mut control = Control::open(folder.path()).unwrap();
        let link = control.add_link("carol", Some(Role::Administrator)).unwrap();
        let age = |control: &Control, seconds: i64| {
            control.change("UPDATE link SET expires = expires - ?1", params![seconds]).unwrap();
        };
        age(&control, LINK_S - 60);
        assert_eq!(control.link_account(link.reveal()).unwrap().as_deref(), Some("carol"));
        age(&control, 60);
        assert_eq!(control.link_account(link.reveal()).unwrap(), None, "it is not even shown");
        assert_eq!(control.redeem_link(link.reveal(), "hash").unwrap(), None, "and sets no password");
        assert_eq!(control.password("carol").unwrap(), None);
    }

    #[test]
    fn a_role_changes_and_one_administrator_is_always_left() {
        let folder = tempfile::tempdir().unwrap();
        let mut control = Control::open(folder.path()).unwrap();
        for (name, role) in [("carol", Role::Administrator), ("dave", Role::Analyst)] {
            let link = control.add_link(name, Some(role)).unwrap();
            control.redeem_link(link.reveal(), "hash").unwrap();
        }
        let cookie = begun(&control, "dave");
        let last = control.set_role("carol", Role::Analyst);
        assert!(matches!(last, Err(ControlError::LastAdministrator(name)) if name == "carol"));
        assert!(control.set_role("dave", Role::Administrator).unwrap());
        assert_eq!(control.visitor(cookie.reveal()).unwrap().unwrap().1, Role::Administrator);
        let link = control.add_link("carol", Some(Role::Administrator)).unwrap();
        let another = control.add_link("erin", Some(Role::Analyst)).unwrap();
        assert!(control.set_role("carol", Role::Analyst).unwrap());
        assert_eq!(control.redeem_link(link.reveal(), "hash").unwrap(), None, "withdrawn with her role");
        assert!(!control.set_role("erin", Role::Analyst).unwrap(), "who is only to be");
        assert_eq!(control.link_account(another.reveal()).unwrap().as_deref(), Some("erin"));
        assert!(control.keep_an_administrator("carol").is_ok());
    }

    #[test]
    fn no_link_takes_the_role_of_the_only_administrator() {
        let folder = tempfile::tempdir().unwrap();
        let mut control = Control::open(folder.path()).unwrap();
        for name in ["carol", "dave"] {
            let link = control.add_link(name, Some(Role::Administrator)).unwrap();
            control.redeem_link(link.reveal(), "hash").unwrap();
        }
        let early = control.add_link("carol", Some(Role::Analyst)).unwrap();
        assert!(control.remove_account("dave").unwrap());
        let late = control.add_link("carol", Some(Role::Analyst));
        assert!(matches!(late, Err(ControlError::LastAdministrator(name)) if name == "carol"));
        // One that was made while there were two sets the password and nothing else.
        control.redeem_link(early.reveal(), "other").unwrap();
        assert_eq!(control.password("carol").unwrap().as_deref(), Some("other"));
        assert_eq!(control.accounts().unwrap()[0].role, Role::Administrator);
        let lost = control.add_link("carol", Some(Role::Administrator)).unwrap();
        assert_eq!(control.redeem_link(lost.reveal(), "hash").unwrap().as_deref(), Some("carol"));
    }

    pub(in crate::control) fn signed_up(control: &mut Control, name: &str, role: Role) {
        let link = control.add_link(name, Some(role)).unwrap();
        control.redeem_link(link.reveal(), "hash").unwrap();
    }

    fn role_of(control: &Control, name: &str) -> Option<Role> {
        control.accounts().unwrap().into_iter().find(|account| account.name == name).map(|found| found.role)
    }

    /// What the audit log says of roles that links changed.
    fn changes(control: &Control) -> Vec<String> {
        let rows = control.audit(100).unwrap().into_iter().filter(|row| row.action == "portal.role");
        let text = |text: Option<String>| text.unwrap_or_default();
        rows.map(|row| format!("{} {}: {}", row.who, text(row.subject), text(row.details))).collect()
    }

    #[test]
    fn a_lost_password_leaves_the_role_and_a_role_that_is_asked_for_changes_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut control = Control::open(folder.path()).unwrap();
        for (name, role) in
            [("carol", Role::Administrator), ("erin", Role::Administrator), ("dave", Role::Analyst)]
        {
            signed_up(&mut control, name, role);
        }
        for (name, role) in [("carol", Role::Administrator), ("dave", Role::Analyst)] {
            let lost = control.add_link(name, None).unwrap();
            control.redeem_link(lost.reveal(), "other").unwrap();
            assert_eq!(control.password(name).unwrap().as_deref(), Some("other"));
            assert_eq!(role_of(&control, name), Some(role), "{name}");
        }
        assert!(changes(&control).is_empty());
        signed_up(&mut control, "dave", Role::Administrator);
        signed_up(&mut control, "carol", Role::Analyst);
        assert_eq!(role_of(&control, "dave"), Some(Role::Administrator));
        assert_eq!(role_of(&control, "carol"), Some(Role::Analyst));
        let expected = [
            "dave@portal dave: analyst -> administrator, by a link",
            "carol@portal carol: administrator -> analyst, by a link",
        ];
        assert_eq!(changes(&control), expected);
    }

    #[test]
    fn a_new_account_wants_a_role_and_the_first_of_all_is_an_administrator_s() {
        let folder = tempfile::tempdir().unwrap();
        let mut control = Control::open(folder.path()).unwrap();
        let first = control.add_link("administrator", None).unwrap();
        control.redeem_link(first.reveal(), "hash").unwrap();
        assert_eq!(role_of(&control, "administrator"), Some(Role::Administrator));
        let refused = control.add_link("dave", None);
        assert!(matches!(refused, Err(ControlError::NoRole(name)) if name == "dave"));
        signed_up(&mut control, "dave", Role::Analyst);
        // It goes while a link of it waits, which must not make it again.
        let lost = control.add_link("dave", None).unwrap();
        control.connection.execute("DELETE FROM account WHERE name = 'dave'", []).unwrap();
        assert_eq!(control.redeem_link(lost.reveal(), "hash").unwrap(), None);
        assert_eq!(role_of(&control, "dave"), None);
    }

    #[test]
    fn links_and_visits_are_bounded_and_an_account_takes_its_visits_along() {
        let folder = tempfile::tempdir().unwrap();
        let mut control = Control::open(folder.path()).unwrap();
        for _ in 0..LINKS_MAX + 5 {
            control.add_link("carol", Some(Role::Analyst)).unwrap();
        }
        let count = |control: &Control, table: &str| -> i64 {
            let query = format!("SELECT count(*) FROM {table}");
            control.connection.query_row(&query, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(count(&control, "link"), LINKS_MAX);
        let link = control.add_link("carol", Some(Role::Analyst)).unwrap();
        control.redeem_link(link.reveal(), "hash").unwrap();
        assert_eq!(count(&control, "link"), 0, "a password that was set takes the other links along");
        let cookies: Vec<_> =
            (0..super::super::visit::VISITS_MAX + 5).map(|_| begun(&control, "carol")).collect();
        assert_eq!(count(&control, "visit"), super::super::visit::VISITS_MAX);
        assert!(control.remove_account("carol").unwrap() && !control.remove_account("carol").unwrap());
        assert_eq!(control.visitor(cookies.last().unwrap().reveal()).unwrap(), None);
        let link = control.add_link("carol", Some(Role::Analyst)).unwrap();
        assert!(control.remove_account("carol").unwrap());
        assert_eq!(control.link_account(link.reveal()).unwrap(), None, "withdrawn");
    }
}
