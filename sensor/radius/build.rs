//! Makes constant tables of the vendors' dictionaries, `dictionary/*.txt`; `src/dictionary/mod.rs` includes what this
//! writes. One file a vendor: facts (numbers, names, types), as vendors and the FreeRADIUS project publish them, in the
//! shortest form that people can read and diff. `#` begins a comment. A file holds
//!
//! ```text
//! vendor 9 Cisco                      Private Enterprise Number, the name people know the vendor by
//! 1 text Cisco-AVPair                 the vendor's type, how to read the value, name
//! 195 integer Cisco-Disconnect-Cause
//!   0 No-Reason                       an enumerated value of the attribute above
//! ```
//!
//! with types and values in rising order. A vendor whose sub-attributes are not laid out like everybody's has a first
//! line only. What breaks these rules stops the build with file and line.

use std::{
    env,
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=dictionary");
    let mut files: Vec<PathBuf> =
        fs::read_dir("dictionary")?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.sort();
    let mut vendors = Vec::with_capacity(files.len());
    for file in &files {
        vendors.push(vendor(file, &fs::read_to_string(file)?)?);
    }
    vendors.sort();
    let mut out = format!("static VENDORS: [Vendor; {}] = [\n", vendors.len());
    for (at, (number, text)) in vendors.iter().enumerate() {
        if at > 0 && vendors[at - 1].0 == *number {
            return Err(format!("two files describe vendor {number}").into());
        }
        out.push_str(text);
    }
    out.push_str("];\n");
    out.push_str(&places(&vendors)?);
    let path = Path::new(&env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?).join("vendors.rs");
    Ok(fs::write(path, out)?)
}

/// The vendors' places in `VENDORS` by number, for a look-up without a search: an open-addressed table, half empty or more.
/// `src/dictionary/mod.rs` has the same hash.
fn places(vendors: &[(u32, String)]) -> Result<String, String> {
    const SLOTS: usize = 512;
    if vendors.len() > SLOTS / 2 || vendors.len() >= usize::from(u8::MAX) {
        return Err("more vendors than VENDOR_PLACES has room for: double its slots".to_owned());
    }
    let mut slots = [u8::MAX; SLOTS];
    for (place, (number, _)) in vendors.iter().enumerate() {
        let mut slot = (number.wrapping_mul(0x9E37_79B1) >> 23) as usize;
        while slots[slot] != u8::MAX {
            slot = (slot + 1) % SLOTS;
        }
        slots[slot] = u8::try_from(place).map_err(|error| error.to_string())?;
    }
    Ok(format!("static VENDOR_PLACES: [u8; {SLOTS}] = {slots:?};\n"))
}

/// The vendor's number and the Rust text of its table.
fn vendor(file: &Path, text: &str) -> Result<(u32, String), String> {
    let wrong = |line: usize, what: &str| format!("{}:{line}: {what}", file.display());
    let mut vendor = None;
    let mut out = String::new();
    // The last type and the last value of its list.
    let (mut kind, mut value) = (None::<u8>, None::<u32>);
    for (line, full) in text.lines().enumerate().map(|(line, text)| (line + 1, text)) {
        let content = full.split('#').next().unwrap_or_default();
        let words: Vec<&str> = content.split_whitespace().collect();
        match words[..] {
            [] => {}
            ["vendor", number, ref name @ ..] if vendor.is_none() && !name.is_empty() => {
                let number: u32 = number.parse().map_err(|_| wrong(line, "no enterprise number"))?;
                vendor = Some(number);
                let name = name.join(" ");
                let _ = write!(out, "Vendor {{ number: {number}, name: {name:?}, attributes: &[");
            }
            _ if vendor.is_none() => return Err(wrong(line, "the first line wants `vendor NUMBER NAME`")),
            [number, name] if content.starts_with(' ') && kind.is_some() => {
                let number: u32 = number.parse().map_err(|_| wrong(line, "no value"))?;
                if value.is_some_and(|last| last >= number) {
                    return Err(wrong(line, "values do not rise"));
                }
                value = Some(number);
                let _ = write!(out, "({number}, {name:?}),");
            }
            [number, kind_of_value, name] if !content.starts_with(' ') => {
                let number: u8 = number.parse().map_err(|_| wrong(line, "a type is 0 to 255"))?;
                if kind.is_some_and(|last| last >= number) {
                    return Err(wrong(line, "types do not rise"));
                }
                let variant = variant(kind_of_value).ok_or_else(|| wrong(line, "unknown kind of value"))?;
                if kind.is_some() {
                    out.push_str("]),");
                }
                (kind, value) = (Some(number), None);
                let _ = write!(out, "\n    entry({number}, {name:?}, Type::{variant}, &[");
            }
            _ => return Err(wrong(line, "wants `TYPE KIND NAME`, or below it `  VALUE NAME`")),
        }
    }
    if kind.is_some() {
        out.push_str("]),");
    }
    out.push_str("] },\n");
    Ok((vendor.ok_or_else(|| wrong(1, "empty"))?, out))
}

fn variant(kind_of_value: &str) -> Option<&'static str> {
    Some(match kind_of_value {
        "text" => "Text",
        "octets" => "Octets",
        "hidden" => "Hidden",
        "integer" => "Integer",
        "integer64" => "Integer64",
        "time" => "Time",
        "ipv4" => "Ipv4",
        "ipv6" => "Ipv6",
        "ipv6-prefix" => "Ipv6Prefix",
        "interface-id" => "InterfaceId",
        "tagged-text" => "TaggedText",
        "tagged-integer" => "TaggedInteger",
        "tlv" => "Tlv",
        _ => return None,
    })
}
