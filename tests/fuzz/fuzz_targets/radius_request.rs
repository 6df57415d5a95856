//! A datagram as it comes from the network, through everything the worker does with it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use radius::{Framed, authenticator, record, response};

fuzz_target!(|datagram: &[u8]| {
    let Ok(framed) = Framed::parse(datagram) else { return };
    assert!(framed.octets().len() <= datagram.len());
    let Ok(request) = framed.request() else { return };
    authenticator::verify_request(request.octets(), b"secret");
    authenticator::verify_message_authenticator(&request, b"secret");
    let mut out = [0; radius::MAX_LENGTH];
    let length =
        response::write(&request, b"secret", &mut out).expect("an answer is not larger than its request");
    assert!(authenticator::verify_response(&out[..length], request.authenticator(), b"secret"));
    let mut stored = request.octets().to_vec();
    record::blank_passwords(&mut stored);
    let stored = Framed::parse(&stored).expect("lengths stay").request().expect("attributes stay");
    assert_eq!(stored.marks(), request.marks());
});
