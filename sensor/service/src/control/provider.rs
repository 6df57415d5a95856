//! Accounts of people whom an OpenID provider knows. What ties one to its person stands where others keep a password's
//! digest, so that no password opens it.

use rusqlite::params;

use super::{Control, ControlError, Role, now_unix_s};

impl Control {
    /// Makes the account of a person whom the provider knows, or gives it the role that she has now; whether the
    /// account is hers.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub(crate) fn admit(&self, account: &str, credential: &str, role: Role) -> Result<bool, ControlError> {
        let admitted = self.connection.execute(
            "INSERT INTO account (name, role, password, made) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name) DO UPDATE SET role = ?2 WHERE password = ?3",
            params![account, role.name(), credential, now_unix_s()],
        );
        admitted.map(|rows| rows > 0).map_err(|error| self.flawed(error))
    }

    /// Takes away the account of a person who has no role any more, with its visits, if it is hers.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub(crate) fn dismiss(&self, account: &str, credential: &str) -> Result<(), ControlError> {
        let remove =
            "DELETE FROM visit WHERE account = (SELECT name FROM account WHERE name = ?1 AND password = ?2)";
        self.change(remove, params![account, credential])?;
        self.change("DELETE FROM account WHERE name = ?1 AND password = ?2", params![account, credential])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_belongs_to_one_person_and_goes_with_her_role() {
        let folder = tempfile::tempdir().unwrap();
        let mut control = Control::open(folder.path()).unwrap();
        assert!(control.admit("dora", "oidc:1", Role::Analyst).unwrap());
        let cookie = control.begin_visit("dora").unwrap();
        assert!(control.admit("dora", "oidc:1", Role::Administrator).unwrap());
        let seen = control.visitor(cookie.reveal()).unwrap();
        assert_eq!(seen, Some(("dora".to_owned(), Role::Administrator)), "at once");
        assert!(!control.admit("dora", "oidc:2", Role::Administrator).unwrap(), "another of her name");
        control.dismiss("dora", "oidc:2").unwrap();
        assert_eq!(control.accounts().unwrap().len(), 1);
        control.dismiss("dora", "oidc:1").unwrap();
        assert_eq!((control.visitor(cookie.reveal()).unwrap(), control.accounts().unwrap().len()), (None, 0));

        let link = control.add_link("carol", Role::Analyst).unwrap();
        control.redeem_link(link.reveal(), "hash").unwrap();
        assert!(!control.admit("carol", "oidc:3", Role::Administrator).unwrap(), "she has a password");
        assert_eq!(control.accounts().unwrap()[0].role, Role::Analyst);
    }
}
