//! Accounts of people whom an OpenID provider knows. What ties one to its person stands beside the password, of which there
//! is none until a link sets one: that opens the account as well, for days on which the provider does not answer, and leaves
//! the person whose it is. Who has no role at the provider any more loses the account, and the password with it.

use rusqlite::{OptionalExtension as _, params};

use super::{AuditEntry, Control, ControlError, Role, audit, now_unix_s};

impl Control {
    /// Gives a person whom the provider knows the role that she has now; makes her account if there is none. Its name,
    /// which stays when she is renamed; `None` if the account of her name is another's. What changes is in the audit log as
    /// done by `provider`, with the role of before and the one of now.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub(crate) fn admit(
        &self,
        name: &str,
        credential: &str,
        role: Role,
        provider: &str,
    ) -> Result<Option<String>, ControlError> {
        let admit = || {
            let step = self.connection.unchecked_transaction()?;
            let known: Option<(String, String)> = step
                .query_row("SELECT name, role FROM account WHERE person = ?1", [credential], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            let admitted = if let Some((known, before)) = known {
                if before != role.name() {
                    step.execute("UPDATE account SET role = ?2 WHERE name = ?1", [&*known, role.name()])?;
                    step.execute("DELETE FROM link WHERE account = ?1", [&known])?;
                    audit::insert(
                        &step,
                        &entry(provider, "portal.role", &known, &words(&before, role.name())),
                    )?;
                }
                Some(known)
            } else {
                let made = step.execute(
                    "INSERT INTO account (name, role, password, person, made) VALUES (?1, ?2, '', ?3, ?4)
                     ON CONFLICT DO NOTHING",
                    params![name, role.name(), credential, now_unix_s()],
                )?;
                if made > 0 {
                    audit::insert(
                        &step,
                        &entry(provider, "portal.account", name, &words(NO_ROLE, role.name())),
                    )?;
                }
                (made > 0).then(|| name.to_owned())
            };
            step.commit()?;
            Ok(admitted)
        };
        let admitted: rusqlite::Result<_> = admit();
        admitted.map_err(|error| self.flawed(error))
    }

    /// Takes away the account of a person who has no role any more, whatever it is called, with its visits and links. Its
    /// name, if there was one. It is in the audit log as done by `provider`.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub(crate) fn dismiss(&self, credential: &str, provider: &str) -> Result<Option<String>, ControlError> {
        let mut dismissed = None;
        while let Some((name, role)) = self.account_of(credential)? {
            let step = self.connection.unchecked_transaction().map_err(|error| self.flawed(error))?;
            audit::insert(&step, &entry(provider, "portal.remove", &name, &words(&role, NO_ROLE)))
                .map_err(|error| self.flawed(error))?;
            self.remove_account(&name)?;
            step.commit().map_err(|error| self.flawed(error))?;
            dismissed.get_or_insert(name);
        }
        Ok(dismissed)
    }

    /// Its name and role.
    fn account_of(&self, credential: &str) -> Result<Option<(String, String)>, ControlError> {
        let query = "SELECT name, role FROM account WHERE person = ?1";
        self.connection
            .query_row(query, [credential], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(|error| self.flawed(error))
    }
}

/// The role of whoever has no account.
const NO_ROLE: &str = "none";

fn words(before: &str, after: &str) -> String {
    format!("{before} -> {after}")
}

fn entry<'e>(provider: &'e str, action: &'e str, account: &'e str, details: &'e str) -> AuditEntry<'e> {
    AuditEntry { who: provider, action, subject: Some(account), details: Some(details) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{NewToken, Proof, token::digest};

    /// A visit of whom the provider knows.
    fn begun(control: &Control, account: &str, person: &str) -> NewToken {
        control.begin_visit(account, &Proof::Person(person.to_owned()), None).unwrap().unwrap()
    }

    const PROVIDER: &str = "id.contoso.example@provider";

    /// What the audit log says that the provider did: what, to whom, and how.
    fn told(control: &Control) -> Vec<String> {
        let rows = control.audit(100).unwrap();
        assert!(rows.iter().all(|row| row.who == PROVIDER), "{rows:?}");
        let said = |text: Option<String>| text.unwrap_or_default();
        rows.into_iter()
            .map(|row| format!("{} {}: {}", row.action, said(row.subject), said(row.details)))
            .collect()
    }

    #[test]
    fn whatever_a_sign_in_changes_is_in_the_audit_log_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let control = Control::open(folder.path()).unwrap();
        control.admit("dora", "oidc:1", Role::Analyst, PROVIDER).unwrap();
        control.admit("dora", "oidc:1", Role::Analyst, PROVIDER).unwrap();
        control.admit("dora", "oidc:2", Role::Administrator, PROVIDER).unwrap();
        assert_eq!(
            told(&control),
            ["portal.account dora: none -> analyst"],
            "the same again, and another of her name"
        );
        control.admit("dora.renamed", "oidc:1", Role::Administrator, PROVIDER).unwrap();
        control.dismiss("oidc:2", PROVIDER).unwrap();
        control.dismiss("oidc:1", PROVIDER).unwrap();
        control.dismiss("oidc:1", PROVIDER).unwrap();
        assert_eq!(
            told(&control)[1..],
            ["portal.role dora: analyst -> administrator", "portal.remove dora: administrator -> none"]
        );
    }

    #[test]
    fn an_account_belongs_to_one_person_and_goes_with_her_role() {
        let folder = tempfile::tempdir().unwrap();
        let mut control = Control::open(folder.path()).unwrap();
        let dora = Some("dora".to_owned());
        assert_eq!(control.admit("dora", "oidc:1", Role::Analyst, PROVIDER).unwrap(), dora);
        let cookie = begun(&control, "dora", "oidc:1");
        assert_eq!(control.admit("dora", "oidc:1", Role::Administrator, PROVIDER).unwrap(), dora);
        let seen = control.visitor(cookie.reveal()).unwrap();
        assert_eq!(seen, Some(("dora".to_owned(), Role::Administrator)), "at once");
        let another = control.admit("dora", "oidc:2", Role::Administrator, PROVIDER).unwrap();
        assert_eq!(another, None, "another of her name");
        assert_eq!(control.dismiss("oidc:2", PROVIDER).unwrap(), None);
        assert_eq!(control.accounts().unwrap().len(), 1);
        let link = control.add_link("dora", Some(Role::Administrator)).unwrap();
        assert_eq!(control.dismiss("oidc:1", PROVIDER).unwrap(), dora);
        assert_eq!((control.visitor(cookie.reveal()).unwrap(), control.accounts().unwrap().len()), (None, 0));
        assert_eq!(control.link_account(link.reveal()).unwrap(), None, "no way back in");

        let link = control.add_link("carol", Some(Role::Analyst)).unwrap();
        control.redeem_link(link.reveal(), "hash").unwrap();
        let another = control.admit("carol", "oidc:3", Role::Administrator, PROVIDER).unwrap();
        assert_eq!(another, None, "she has a password");
        assert_eq!(control.accounts().unwrap()[0].role, Role::Analyst);
    }

    #[test]
    fn whoever_is_renamed_at_the_provider_keeps_her_account_and_loses_it_under_the_new_name() {
        let folder = tempfile::tempdir().unwrap();
        let control = Control::open(folder.path()).unwrap();
        control.admit("dora.fox", "oidc:1", Role::Administrator, PROVIDER).unwrap();
        let cookie = begun(&control, "dora.fox", "oidc:1");
        let link = control.add_link("dora.fox", Some(Role::Administrator)).unwrap();
        let admitted = control.admit("dora.hunter", "oidc:1", Role::Analyst, PROVIDER).unwrap();
        assert_eq!(admitted.as_deref(), Some("dora.fox"));
        let accounts = control.accounts().unwrap();
        assert_eq!((accounts.len(), &*accounts[0].name, accounts[0].role), (1, "dora.fox", Role::Analyst));
        assert_eq!(control.link_account(link.reveal()).unwrap(), None, "it has the role of before");
        // Her old name is given to another person.
        assert_eq!(control.admit("dora.fox", "oidc:2", Role::Analyst, PROVIDER).unwrap(), None);
        assert_eq!(control.dismiss("oidc:1", PROVIDER).unwrap().as_deref(), Some("dora.fox"));
        assert_eq!((control.visitor(cookie.reveal()).unwrap(), control.accounts().unwrap().len()), (None, 0));
    }

    #[test]
    fn a_link_gives_a_person_of_the_provider_a_password_and_leaves_her_account_hers() {
        let folder = tempfile::tempdir().unwrap();
        let mut control = Control::open(folder.path()).unwrap();
        let dora = Some("dora".to_owned());
        control.admit("dora", "oidc:1", Role::Analyst, PROVIDER).unwrap();
        assert_eq!(control.password("dora").unwrap().as_deref(), Some(""), "she has none");
        let link = control.add_link("dora", None).unwrap();
        assert_eq!(control.redeem_link(link.reveal(), "hash").unwrap(), dora);
        let by_password = Proof::Password("hash".to_owned());
        assert!(control.begin_visit("dora", &by_password, None).unwrap().is_some());
        assert_eq!(control.admit("dora", "oidc:1", Role::Administrator, PROVIDER).unwrap(), dora);
        begun(&control, "dora", "oidc:1");
        assert_eq!(control.password("dora").unwrap().as_deref(), Some("hash"), "both open it");
        assert_eq!(control.accounts().unwrap()[0].role, Role::Administrator, "the provider's word counts");

        assert_eq!(control.dismiss("oidc:1", PROVIDER).unwrap(), dora);
        assert!(control.accounts().unwrap().is_empty());
        assert!(control.begin_visit("dora", &by_password, None).unwrap().is_none(), "nor by her password");
    }

    #[test]
    fn what_stood_in_the_password_s_column_is_the_account_s_person() {
        let folder = tempfile::tempdir().unwrap();
        let control = Control::open(folder.path()).unwrap();
        let before = "ALTER TABLE account DROP COLUMN person; PRAGMA user_version = 7;
            INSERT INTO account (name, role, password, made) VALUES
                ('dora', 'analyst', 'oidc:1', 1), ('carol', 'administrator', '$argon2id$1', 1)";
        control.connection.execute_batch(before).unwrap();
        let cookie = "what a browser has kept";
        let visit = "INSERT INTO visit (digest, account, began, last_used) VALUES (?1, 'dora', ?2, ?2)";
        control.change(visit, params![digest(cookie), now_unix_s()]).unwrap();
        drop(control);

        let control = Control::open(folder.path()).unwrap();
        assert_eq!(control.visitor(cookie).unwrap(), Some(("dora".to_owned(), Role::Analyst)));
        let passwords = ["dora", "carol"].map(|name| control.password(name).unwrap().unwrap());
        assert_eq!(passwords, ["", "$argon2id$1"]);
        let again = control.admit("dora", "oidc:1", Role::Analyst, PROVIDER).unwrap();
        assert_eq!(again.as_deref(), Some("dora"));
        assert_eq!(control.admit("carol", "$argon2id$1", Role::Analyst, PROVIDER).unwrap(), None);
        assert_eq!(control.dismiss("oidc:1", PROVIDER).unwrap().as_deref(), Some("dora"));
    }
}
