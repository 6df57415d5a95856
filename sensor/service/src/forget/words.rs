//! Where a name stands whole in a text, and not as part of a longer one: `alice` in `CN=Alice,O=x`, not in `malice`,
//! `alice2`, `alice-pc`, `alice.smith` or `alice@fabrikam.example`, which are others' names.

/// Whether a match from `begin` to `end` is whole: no letter, digit or sign of a name goes on at either side.
pub(super) fn is_whole(octets: &[u8], begin: usize, end: usize) -> bool {
    let is_letter = |at: usize| octets.get(at).is_some_and(|o| o.is_ascii_alphanumeric() || !o.is_ascii());
    // A dot that ends a sentence is no part of a name.
    let before = begin.checked_sub(1).is_some_and(|at| match octets[at] {
        b'_' | b'-' | b'@' | b'\\' | b'$' => true,
        b'.' => at.checked_sub(1).is_some_and(is_letter),
        _ => is_letter(at),
    });
    let behind = octets.get(end).is_some_and(|octet| match octet {
        b'_' | b'-' | b'@' | b'\\' | b'$' => true,
        b'.' => is_letter(end + 1),
        _ => is_letter(end),
    });
    !before && !behind
}

/// `text` with `other` in the place of `name`, in any letter case, where that stands whole.
pub(crate) fn without(text: &str, name: &str, other: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = 0;
    for (at, _) in text.char_indices() {
        if at < rest {
            continue;
        }
        let Some(end) = end_of(text, at, name).filter(|end| is_whole(text.as_bytes(), at, *end)) else {
            continue;
        };
        result.push_str(&text[rest..at]);
        result.push_str(other);
        rest = end;
    }
    result.push_str(&text[rest..]);
    result
}

/// Where `name` ends if it begins at `at`.
fn end_of(text: &str, at: usize, name: &str) -> Option<usize> {
    let mut left = text[at..].char_indices();
    for wanted in name.chars() {
        let (_, found) = left.next()?;
        if found != wanted && !found.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    Some(at + left.next().map_or(text.len() - at, |(end, _)| end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_go_in_any_letter_case_and_parts_of_others_stay() {
        let forget = |text| without(text, "alice", "X");
        assert_eq!(forget("user=Alice, then ALICE."), "user=X, then X.");
        for other in [
            "malice",
            "alice2",
            "alice@fabrikam.example",
            "FABRIKAM\\alice",
            "alice.smith",
            "alice-pc",
            "a.alice",
        ] {
            assert_eq!(forget(other), other);
        }
        assert_eq!(without("straße ΑΛΕΞΗ", "αλεξη", "X"), "straße X");
        assert_eq!(without("", "alice", "X"), "");
    }
}
