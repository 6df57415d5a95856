//! Characters that are not to be taken for what they are not: ends of lines, direction marks, what shows nothing.

use std::fmt::Write as _;

use serde_json::Value;

/// Whether a character shows nothing, or changes how others show.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every hidden character by its number: `<U+202E>`.
pub(super) fn visible(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for character in text.chars() {
        push_visible(&mut result, character);
    }
    result
}

pub(super) fn push_visible(result: &mut String, character: char) {
    if is_hidden(character) {
        // Writing to a string cannot fail.
        let _ = write!(result, "<U+{:04X}>", u32::from(character));
    } else {
        result.push(character);
    }
}

/// JSON in one line; hidden characters as `\u202e`, which is the same text to who reads JSON. Absent members, empty
/// objects and empty arrays are left out.
pub(super) fn json_line(value: &Value) -> String {
    let text = value.to_string();
    if !text.contains(is_hidden) {
        return text;
    }
    let mut result = String::with_capacity(text.len() + 64);
    for character in text.chars() {
        // They stand in strings alone: JSON's own signs are none of them.
        if is_hidden(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(result, "\\u{unit:04x}");
            }
        } else {
            result.push(character);
        }
    }
    result
}

/// Takes out what says nothing: nulls, and what is empty without them.
pub(super) fn without_empty(value: Value) -> Value {
    let says_something = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    match value {
        Value::Array(items) => items.into_iter().map(without_empty).filter(says_something).collect(),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, without_empty(value)));
            Value::Object(members.filter(|(_, value)| says_something(value)).collect())
        }
        value => value,
    }
}

/// All strings of a value.
pub(super) fn strings(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, texts)),
        Value::Object(members) => members.values().for_each(|value| strings(value, texts)),
        _ => {}
    }
}

/// The text of which `\` and the sign behind it stand for that sign.
pub(super) fn without_backslashes(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'r') => result.push('\n'),
                Some(other) => result.push(other),
                None => {}
            },
            _ => result.push(character),
        }
    }
    result
}
