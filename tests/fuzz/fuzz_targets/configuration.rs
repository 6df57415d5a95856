//! A configuration file: every mistake is an error with a place, none is a panic, and no error shows a secret.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // What the fuzzer makes up must not be read as a file of this machine.
    if text.contains("_file") {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("sensor.toml");
    let text = format!("{text}\n[[client]]\nname = \"last\"\naddress = [\"192.0.2.1\"]\nsecret = \"never-to-be-shown\"\n");
    fs::write(&path, text).expect("write it");
    match config::load(Some(&path)) {
        Ok(config) => assert!(!format!("{config:?}").contains("never-to-be-shown")),
        Err(error) => {
            assert!(!error.problems.is_empty());
            assert!(!error.to_string().contains("never-to-be-shown"), "{error}");
        }
    }
});
