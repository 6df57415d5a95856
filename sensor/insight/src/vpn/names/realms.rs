//! Realms that mean the same, and the folding that makes one key of one user's names.

use std::{borrow::Cow, collections::HashMap, fmt};

use unicode_normalization::UnicodeNormalization;

/// Which realms mean the same. Without any, realms differ unless they differ in letter case only, and a name without a
/// realm is a user of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Realms {
    /// From each folded realm that a group names to what stands for the group in keys; none: nothing.
    named: HashMap<String, Option<String>>,
    /// What stands for the absence of a realm.
    absent: Option<String>,
    /// What stands for every realm that no group names, if a group says so.
    others: Option<Option<String>>,
}

/// Why groups of realms make no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealmsError {
    /// The realm that stands in two groups.
    pub realm: String,
}

impl fmt::Display for RealmsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the realm {:?} stands in two groups; realms that mean the same belong in one", self.realm)
    }
}

impl std::error::Error for RealmsError {}

impl Realms {
    /// Each group holds realms and domains that mean the same: `["contoso.example", "CONTOSO", ""]`. An empty one stands
    /// for names without a realm, `"*"` for every realm that no group names. The first that is neither stands for the
    /// group in keys; `["*", ""]` makes every name the same user in every realm.
    pub fn new<S: AsRef<str>>(groups: &[Vec<S>]) -> Result<Realms, RealmsError> {
        let mut realms = Realms::default();
        let mut absent_given = false;
        for group in groups {
            let names = || group.iter().map(|realm| realm.as_ref().trim().trim_end_matches('.'));
            let stands = names()
                .find(|realm| !realm.is_empty() && *realm != "*")
                .map(|realm| folded(realm).into_owned());
            for realm in names() {
                let twice = match realm {
                    "" => std::mem::replace(&mut absent_given, true),
                    "*" => realms.others.replace(stands.clone()).is_some(),
                    realm => realms.named.insert(folded(realm).into_owned(), stands.clone()).is_some(),
                };
                if twice {
                    return Err(RealmsError { realm: realm.to_owned() });
                }
                if realm.is_empty() {
                    realms.absent = stands.clone();
                }
            }
        }
        Ok(realms)
    }

    /// The key of an account in a realm.
    pub fn key(&self, account: &str, realm: Option<&str>) -> String {
        self.key_of(&Cow::Borrowed(account), realm, &Cow::Borrowed("")).into_owned()
    }

    /// The same. The account itself where it is the key, or the name that it was taken from: no memory for most names.
    pub(super) fn key_of<'a>(
        &self,
        account: &Cow<'a, str>,
        realm: Option<&str>,
        name: &Cow<'a, str>,
    ) -> Cow<'a, str> {
        let folded_realm = realm.map(folded);
        let realm = match &folded_realm {
            None => self.absent.as_deref(),
            Some(realm) => match (self.named.get(realm.as_ref()), &self.others) {
                (Some(stands), _) | (None, Some(stands)) => stands.as_deref(),
                (None, None) => Some(realm.as_ref()),
            },
        };
        let folded_account = folded(account);
        // Without a realm of its own it would be the key of another account, in the realm behind its last @.
        let is_whole = realm.is_none() && folded_account.rfind('@').is_none_or(|at| at == 0);
        if is_whole {
            return match folded_account {
                Cow::Owned(key) if key != *account => Cow::Owned(key),
                _ => account.clone(),
            };
        }
        let realm = realm.unwrap_or_default();
        let is_name = name.strip_prefix(folded_account.as_ref()).and_then(|rest| rest.strip_prefix('@'));
        if is_name == Some(realm) {
            return name.clone();
        }
        let mut key = String::with_capacity(folded_account.len() + 1 + realm.len());
        key.push_str(&folded_account);
        key.push('@');
        key.push_str(realm);
        Cow::Owned(key)
    }
}

/// Lower case, with width and composition of characters made one (NFKC), as RFC 8265 section 3.3 asks of user names
/// that are compared without letter case. The final sigma is a sigma; the dotless i stays apart, because folding it
/// would make one user of two.
fn folded(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|octet| octet.is_ascii() && !octet.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    if text.is_ascii() {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    let lower = |c: char| if c == 'ς' { 'σ'.to_lowercase() } else { c.to_lowercase() };
    let key: String = text.nfkc().flat_map(lower).nfkc().collect();
    // A wide @ that became an @ would move the place where the realm begins.
    let separators = |text: &str| text.matches('@').count();
    Cow::Owned(if separators(&key) == separators(text) {
        key
    } else {
        text.chars().flat_map(lower).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_is_of_letter_case_width_and_composition() {
        for (one, other) in [
            ("Alice", "aLICE"),
            ("Zoe\u{308}", "ZOË"),
            ("Ａｌｉｃｅ", "alice"),
            ("ΑΛΕΞΗΣ", "αλεξης"),
            ("МАРИЯ", "мария"),
        ] {
            assert_eq!(folded(one), folded(other));
        }
        assert_ne!(folded("ılker"), folded("ilker"));
        assert_ne!(folded("alice"), folded("аlice"), "a Cyrillic a is another letter");
        assert_eq!(folded("Alice＠contoso"), "alice＠contoso", "no realm");
    }

    #[test]
    fn groups_of_realms_share_a_key() {
        let realms = Realms::new(&[
            vec!["contoso.example", "CONTOSO", "", "contoso.example.onmicrosoft.example"],
            vec!["fabrikam.example.", "FABRIKAM"],
        ])
        .unwrap();
        for realm in
            [None, Some("Contoso"), Some("CONTOSO.EXAMPLE"), Some("contoso.example.onmicrosoft.example")]
        {
            assert_eq!(realms.key("Alice", realm), "alice@contoso.example", "{realm:?}");
        }
        assert_eq!(realms.key("alice", Some("fabrikam")), "alice@fabrikam.example");
        assert_eq!(realms.key("alice", Some("Elsewhere")), "alice@elsewhere");
    }

    #[test]
    fn every_realm_may_mean_the_same() {
        let realms = Realms::new(&[vec!["*", ""]]).unwrap();
        assert_eq!(realms.key("Alice", Some("CONTOSO")), "alice");
        assert_eq!(realms.key("alice", None), "alice");
        let realms = Realms::new(&[vec!["contoso.example", "*"], vec!["partner.example"]]).unwrap();
        assert_eq!(realms.key("alice", Some("whatever")), "alice@contoso.example");
        assert_eq!(realms.key("alice", Some("partner.example")), "alice@partner.example");
        assert_eq!(realms.key("alice", None), "alice");
    }

    #[test]
    fn by_default_realms_differ() {
        let realms = Realms::default();
        assert_eq!(realms.key("Alice", Some("CONTOSO")), "alice@contoso");
        assert_eq!(realms.key("Alice", None), "alice");
    }

    #[test]
    fn a_realm_in_two_groups_is_refused() {
        for twice in [["a", "A."], ["", ""], ["*", "*"]] {
            let groups = [vec![twice[0], "b"], vec![twice[1], "c"]];
            assert!(Realms::new(&groups).unwrap_err().to_string().contains("two groups"));
        }
    }
}
