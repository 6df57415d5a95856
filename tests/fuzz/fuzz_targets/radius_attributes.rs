//! The input is the attributes of a request whose header stands: straight into the decoder and the dictionary.
#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use radius::attribute::tlv;
use radius::{Framed, HEADER_LENGTH, MAX_LENGTH};

fuzz_target!(|attributes: &[u8]| {
    if attributes.len() > MAX_LENGTH - HEADER_LENGTH {
        return;
    }
    let mut octets = vec![0; HEADER_LENGTH];
    octets[0] = 4;
    octets[2..4].copy_from_slice(&((HEADER_LENGTH + attributes.len()) as u16).to_be_bytes());
    octets.extend(attributes);
    let framed = Framed::parse(&octets).expect("the header stands");
    let Ok(request) = framed.request() else { return };
    let on_the_wire: usize = request.attributes().map(|a| 2 + a.value.len()).sum();
    assert_eq!(on_the_wire, attributes.len());
    let mut sink = std::io::sink();
    let mut buffer = [0; MAX_LENGTH];
    for decoded in request.decoded() {
        write!(sink, "{} {:?} {}", decoded.id, decoded.name(), decoded.render()).expect("a sink takes all");
        assert_eq!(decoded.value().is_none(), decoded.fault().is_some());
        let _ = (decoded.integer(), decoded.address(), decoded.prefix());
        let joined = decoded.raw().copy_to(&mut buffer).expect("a value fits into a packet");
        if let Some(leaves) = tlv::leaves(joined, |path| path.len() < 4) {
            assert!(leaves.map(|leaf| leaf.value.len()).sum::<usize>() <= joined.len());
        }
    }
});
