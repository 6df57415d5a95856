//! Many MD5s at once: Request Authenticators and Response Authenticators (RFC 2866 section 3) and Message-Authenticators
//! (RFC 2869 section 5.14) of a whole burst in one call. The worker hands over what it has; nothing else calls this.
//! Knows where the Authenticator lies and nothing more of RADIUS; does no I/O.
//!
//! A digest cannot be made faster by wide registers, but many independent ones can: each lane of a vector works on
//! another message. Messages are read where they lie, in the ring or the journal; no packet is copied. See
//! [`Lanes`] for what may be called, `schedule` for how messages come into lanes, `kernel` for what a path consists of.
//!
//! `unsafe` is left to the loads and stores of the kernels and to the calls into code for a processor that was detected.
//!
//! # The limit, and what is reached
//!
//! Zen 4 executes 512-bit instructions in two halves on four ports of 256 bits. Measured with independent instructions,
//! in cycles each: `vpaddd` and `vpternlogd` 0.5, `vprold` 1, unpacks 0.67, `vshufi64x2` 1, an unaligned load 1.5, a
//! store 2. The six instructions of a step take 3.0 cycles with their operands from memory, which is all four ports
//! busy: 12 cycles for a block of a message, and 2 more for the 64 shuffles of the transposition. `md-5` takes 388.
//! So 28 times is the end on this processor for long messages, with nothing but rounds.
//!
//! Reached there (3.7 GHz, bench `digest`, ratios to `md-5` one by one on the same packets in the same rounds):
//!
//! | 1024 in a batch | cycles a message | `avx512` | `avx2` |
//! |---|---|---|---|
//! | 200 octets | 100 (four blocks: limit 56) | 15.5 | 10.2 |
//! | 400 octets | 158 | 16.7 | 10.8 |
//! | 120 to 400 octets, secrets of 8 to 64 | 143 | 13.9 | 8.5 |
//! | the same, 64 in a batch | 194 | 10.3 | 7.4 |
//! | 200 octets, Message-Authenticator | 172 | 15.7 | 9.9 |
//!
//! The rounds alone run at 13.8 cycles a block, with the transposition in their gaps 16.3, in a batch 19. Of the 100
//! cycles the rounds are 60, transposition, loads and composing 17, ordering 6, comparing and handing out results 8,
//! the schedule between two turns 9. What was tried and was slower: rounds expanded without loops (13.0 and 15.3 alone,
//! but with all else 110 cycles for the 200 octets: more code than the first-level cache), rounds as calls with the
//! other work between them (112), ends of messages composed in memory (8 cycles a block more than in registers).
//!
//! Zen 5 has twice the ports for 512 bits and twice the latency: four vectors interleaved are meant for it.

mod jobs;
mod kernel;
mod lanes;
#[cfg(target_arch = "aarch64")]
mod neon;
mod order;
mod path;
mod portable;
mod prepared;
mod rounds;
mod scalar;
mod schedule;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use lanes::{Lanes, MessageCheck, RequestCheck, ResponseSignature};
pub use path::{Path, Unavailable, UnknownPath};
pub use prepared::Prepared;
