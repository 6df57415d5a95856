//! A segment file as recovery walks it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    journal::codec::check(octets);
});
