//! CEF and syslog as a receiver reads them.

/// Header fields and keys of a line, as a receiver reads them.
pub(super) fn read_cef(line: &str) -> (Vec<String>, Vec<(String, String)>) {
    assert!(!line.contains(['\n', '\r']), "{line:?}");
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while fields.len() < 8 {
        match characters.next().expect("seven bars") {
            '|' => fields.push(String::new()),
            '\\' => fields.last_mut().unwrap().push(characters.next().unwrap()),
            other => fields.last_mut().unwrap().push(other),
        }
    }
    fields.pop();
    let rest: Vec<char> = characters.collect();
    // A key begins behind a space and ends with `=`; a value goes on to the next.
    let mut keys: Vec<(String, String)> = Vec::new();
    let mut text = String::new();
    let mut at = 0;
    while at < rest.len() {
        match rest[at] {
            '\\' => {
                text.push(if rest[at + 1] == 'n' { '\n' } else { rest[at + 1] });
                at += 1;
            }
            '=' => {
                let (value, key) = text.rsplit_once(' ').unwrap_or(("", &text));
                if let Some((_, last)) = keys.last_mut() {
                    *last = value.to_owned();
                }
                keys.push((key.to_owned(), String::new()));
                text.clear();
            }
            other => text.push(other),
        }
        at += 1;
    }
    keys.last_mut().unwrap().1 = text;
    (fields, keys)
}

/// Structured data of a line, its values as a receiver reads them, and the message behind it.
pub(super) fn read_syslog(line: &str) -> (Vec<&str>, Vec<String>, &str) {
    let parts: Vec<&str> = line.splitn(7, ' ').collect();
    let (header, mut rest) = (parts[..6].to_vec(), parts[6]);
    let mut values = Vec::new();
    while rest.starts_with('[') {
        let mut is_inside = false;
        let mut characters = rest.char_indices();
        let end = loop {
            match characters.next().unwrap() {
                (_, '\\') if is_inside => values
                    .last_mut()
                    .map(|value: &mut String| value.push(characters.next().unwrap().1))
                    .unwrap(),
                (_, '"') => {
                    is_inside = !is_inside;
                    values.extend(is_inside.then(String::new));
                }
                (at, ']') if !is_inside => break at,
                (_, other) if is_inside => values.last_mut().unwrap().push(other),
                _ => {}
            }
        };
        rest = &rest[end + 1..];
    }
    (header, values, rest.strip_prefix(" \u{feff}").unwrap())
}
