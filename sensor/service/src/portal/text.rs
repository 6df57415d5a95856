//! Words and figures on pages.

use maud::{Markup, html};

use crate::alert::Severity;

/// What a network sent: isolated, so that it turns no other text around, and with what nobody sees made visible.
pub(super) fn stranger(text: &str) -> Markup {
    html! { bdi { (visible(text)) } }
}

/// Control characters, and those that change direction or take no room, as `U+202E`.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_unseen(c) {
            shown.push_str(&format!("\u{fffd}U+{:04X}", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The same, with a dash where there is nothing.
pub(super) fn maybe(text: Option<&str>) -> Markup {
    text.map_or_else(|| html! { "\u{2013}" }, stranger)
}

/// A way to a user's page.
pub(super) fn user(key: Option<&str>) -> Markup {
    match key {
        Some(key) => html! { a href=(path(&["users", key])) { (stranger(key)) } },
        None => html! { "\u{2013}" },
    }
}

/// A way to a device's page.
pub(super) fn device(name: Option<&str>) -> Markup {
    match name {
        Some(name) => html! { a href=(path(&["devices", name])) { (stranger(name)) } },
        None => html! { "\u{2013}" },
    }
}

/// A path of these parts, whatever they hold. Handlers take names out of it by [`named`].
pub(super) fn path(parts: &[&str]) -> String {
    let mut path = String::new();
    for part in parts {
        path.push('/');
        path.push_str(&encoded(part));
        if is_of_dots(part) {
            path.push(DOTS_MARK);
        }
    }
    path
}

/// What text is in an address.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => {
                encoded.push(char::from(octet));
            }
            _ => encoded.push_str(&format!("%{octet:02X}")),
        }
    }
    encoded
}

/// What stands behind a name of dots in a path. Browsers take `.` and `..` out of paths with what is before them, however they
/// are encoded.
const DOTS_MARK: char = '~';

/// Whether this is `.` or `..`, or would be taken for it behind the mark.
fn is_of_dots(name: &str) -> bool {
    matches!(name.trim_end_matches(DOTS_MARK), "." | "..")
}

/// The name that a part of a path is about.
pub(super) fn named(part: &str) -> &str {
    part.strip_suffix(DOTS_MARK).filter(|name| is_of_dots(name)).unwrap_or(part)
}

/// A moment, RFC 3339. The script shows it in the viewer's zone; without it it is UTC.
pub(super) fn moment(rfc3339: &str) -> Markup {
    let shown = match (rfc3339.get(..10), rfc3339.get(11..16)) {
        (Some(day), Some(minute)) => format!("{day} {minute} UTC"),
        _ => rfc3339.to_owned(),
    };
    html! { time datetime=(rfc3339) title=(rfc3339) { (shown) } }
}

/// The same of ns since 1970 UTC.
pub(super) fn moment_ns(unix_ns: u64) -> Markup {
    match jiff::Timestamp::from_nanosecond(i128::from(unix_ns)) {
        Ok(time) => moment(&format!("{time:.0}")),
        Err(_) => html! { "\u{2013}" },
    }
}

/// `3 h 12 min`.
pub(super) fn duration(seconds: u64) -> String {
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// `1.2 MiB`.
pub(super) fn octets(octets: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let (mut value, mut unit) = (octets as f64, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{octets} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// A severity in its colour, and in words for those who see none.
pub(super) fn severity(severity: Severity) -> Markup {
    let name = severity.name();
    html! { span class={ "severity " (name) } { (name) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_sent_changes_nothing_but_its_own_place() {
        assert_eq!(
            stranger("<script>alert(1)</script>").into_string(),
            "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>"
        );
        assert_eq!(stranger("a\u{202e}b\nc").into_string(), "<bdi>a\u{fffd}U+202Eb\u{fffd}U+000Ac</bdi>");
        assert_eq!(path(&["users", "a/b?c#\"<é"]), "/users/a%2Fb%3Fc%23%22%3C%C3%A9");
        assert_eq!(
            user(Some("\"><b>")).into_string(),
            "<a href=\"/users/%22%3E%3Cb%3E\"><bdi>&quot;&gt;&lt;b&gt;</bdi></a>"
        );
    }

    #[test]
    fn names_of_dots_have_pages_that_browsers_find() {
        assert_eq!(path(&["users", "..", "connections.csv"]), "/users/..~/connections.csv");
        assert_eq!(path(&["devices", "."]), "/devices/.~");
        for name in ["", ".", "..", ".~", "..~", "..~~", "...", "...~", "~", "a~", "alice@contoso.example"] {
            let path = path(&["users", name]);
            assert!(!path.ends_with("/.") && !path.ends_with("/.."), "{name}");
            assert_eq!(named(path.strip_prefix("/users/").unwrap()), name);
        }
    }

    #[test]
    fn figures_have_units() {
        assert_eq!(duration(59), "59 s");
        assert_eq!(duration(3 * 3600 + 720), "3 h 12 min");
        assert_eq!(duration(90_000), "1 d 1 h");
        assert_eq!(octets(1023), "1023 B");
        assert_eq!(octets(1_258_291), "1.2 MiB");
        assert_eq!(octets(u64::MAX), "16384.0 PiB");
        assert!(moment("2026-11-23T10:00:00.000123Z").into_string().contains(">2026-11-23 10:00 UTC<"));
    }
}
