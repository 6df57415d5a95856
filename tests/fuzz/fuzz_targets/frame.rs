//! A frame as the ring delivers it: found, answered, and the answer's frame found again.
#![no_main]

use ingest::capture::frame::{Layout, ReplyHeader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|frame: &[u8]| {
    let Ok(layout) = Layout::find(frame) else { return };
    assert!(layout.payload(frame).len() <= frame.len());
    let (source, destination) = (layout.source(frame), layout.destination(frame));
    let _ = layout.checksum(frame);
    let header = ReplyHeader::to_sender_of(frame, &layout);
    let mut out = [0; 2048];
    let answer = [0x5a; 20];
    let length = header.write(&answer, &mut out).expect("a short answer fits");
    let reply = Layout::find(&out[..length]).expect("what is written can be read");
    assert_eq!(reply.payload(&out[..length]), answer);
    assert_eq!(reply.source(&out[..length]), destination);
    assert_eq!(reply.destination(&out[..length]), source);
    // Too small a frame is refused, never written beyond.
    assert!(header.write(&answer, &mut out[..length - 1]).is_none());
});
