//! A capture file, read to its end or to its first error.
#![no_main]

use std::{io::Cursor, path::Path};

use ingest::capture::{Source, pcap::PcapSource};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let Ok(mut source) = PcapSource::from_reader(Path::new("fuzz"), Cursor::new(file.to_vec()), &[1813]) else {
        return;
    };
    // No packet is shorter than its record's header: a file holds less than one for each octet.
    for _ in 0..=file.len() {
        let Ok(count) = source.receive() else { return };
        for index in 0..count {
            let _ = source.datagram(index);
        }
        source.release();
        if source.finished() {
            return;
        }
    }
    panic!("the file does not end");
});
