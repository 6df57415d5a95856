//! Retention: what a change takes away for good, and what it must not be lowered to by a slip of the pen.

use std::time::Duration;

use serde_json::Value as Json;

use crate::{Config, values};

const MAX_AGE: &str = "journal.max_age";
/// Whoever wants less keeps nearly nothing, and says so in the configuration file.
const AGE_LEAST: Duration = Duration::from_secs(86_400);

/// What is kept no longer, or no more of, behind a change of the configuration: a sentence for each key.
pub fn less_kept(before: &Config, after: &Config) -> Vec<String> {
    let (old, new) = (&before.journal, &after.journal);
    let age = |age: Option<Duration>| age.map_or("however long".to_owned(), values::shown);
    let size = |octets: Option<u64>| octets.map_or("however much".to_owned(), values::shown_size);
    let mut lost = Vec::new();
    if after.keep < before.keep {
        lost.push(format!(
            "store.keep: connections that are over, and alerts, stay {} in place of {}; older ones go",
            values::shown(after.keep),
            values::shown(before.keep)
        ));
    }
    if new.max_age.unwrap_or(Duration::MAX) < old.max_age.unwrap_or(Duration::MAX) {
        lost.push(format!(
            "{MAX_AGE}: records stay {} in place of {}; older ones go",
            age(new.max_age),
            age(old.max_age)
        ));
    }
    if new.max_bytes.unwrap_or(u64::MAX) < old.max_bytes.unwrap_or(u64::MAX) {
        lost.push(format!(
            "journal.max_bytes: records take {} at most in place of {}; the oldest beyond it go",
            size(new.max_bytes),
            size(old.max_bytes)
        ));
    }
    if new.free_reserve_bytes > old.free_reserve_bytes {
        lost.push(format!(
            "journal.free_reserve: {} stay free in place of {}; where less is free, the oldest records go",
            values::shown_size(new.free_reserve_bytes),
            values::shown_size(old.free_reserve_bytes)
        ));
    }
    if old.keep_unread && !new.keep_unread {
        lost.push(
            "journal.keep_unread: records that the service has not read go as well when others have to"
                .to_owned(),
        );
    }
    lost
}

/// Refuses what nobody means who sets it here. The configuration file takes it, and so does a document of before.
pub(super) fn check(key: &str, value: &Json) -> Result<(), String> {
    let age = value.as_str().filter(|_| key == MAX_AGE).and_then(|text| values::duration(text).ok());
    match age {
        Some(age) if age < AGE_LEAST => Err(format!(
            "`{MAX_AGE}` must be a day at least here, and this is {}: \"m\" is minutes, and there is no unit of months; a \
             month is \"30d\". Less is for the configuration file",
            values::shown(age)
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use policy::settings::{Edit, Refusal};
    use serde_json::json;

    use super::*;
    use crate::settings::{Settings, with_document};

    fn of(document: &str) -> Config {
        with_document(None, std::path::Path::new("/var/lib/vpn-sensor"), document).unwrap()
    }

    #[test]
    fn whatever_keeps_less_is_told_and_what_keeps_more_is_not() {
        let before = of(
            "[store]\nkeep = \"400d\"\n[journal]\nmax_bytes = \"8 GiB\"\nmax_age = \"90d\"\nfree_reserve = \"1 GiB\"\nkeep_unread = true\n",
        );
        assert_eq!(less_kept(&before, &before), Vec::<String>::new());
        let after = of(
            "[store]\nkeep = \"91d\"\n[journal]\nmax_bytes = \"4 GiB\"\nmax_age = \"1h\"\nfree_reserve = \"2 GiB\"\nkeep_unread = false\n",
        );
        let lost = less_kept(&before, &after);
        let keys = [
            "store.keep",
            "journal.max_age",
            "journal.max_bytes",
            "journal.free_reserve",
            "journal.keep_unread",
        ];
        assert!(
            lost.len() == keys.len() && lost.iter().zip(keys).all(|(lost, key)| lost.starts_with(key)),
            "{lost:?}"
        );
        assert!(
            lost[0].contains("91d in place of 400d") && lost[2].contains("4 GiB at most in place of 8 GiB")
        );
        assert!(less_kept(&after, &before).is_empty(), "more is asked for once");
        let unbounded = of("");
        let lost = less_kept(&unbounded, &before);
        assert!(lost.iter().any(|lost| lost.contains("90d in place of however long")), "{lost:?}");
    }

    #[test]
    fn an_age_of_minutes_is_not_taken_for_one_of_months() {
        let set = |age: &str| {
            let edit = Edit::Set { key: MAX_AGE.to_owned(), value: json!(age) };
            Settings::default().edit(&edit, None)
        };
        for wrong in ["1m", "12m", "23h", "1439m", "0s"] {
            let Err(Refusal::Invalid(why)) = set(wrong) else { panic!("{wrong}") };
            assert!(why.contains("a day at least") && why.contains("no unit of months"), "{wrong}: {why}");
        }
        for right in ["1d", "24h", "30d"] {
            set(right).unwrap();
        }
        // Months are no length of time: the reader of configurations says so.
        assert!(values::duration("1mo").is_err());
        assert_eq!(
            of("[journal]\nmax_age = \"2h\"").journal.max_age,
            Some(Duration::from_secs(7200)),
            "of before"
        );
    }
}
