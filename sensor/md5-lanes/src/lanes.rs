//! What may be called: three kinds of digests, each a batch at a time.

use std::fmt;

use crate::{
    Path, Prepared, Unavailable,
    jobs::{Messages, Requests, Responses},
    order::BATCH,
    scalar,
    schedule::{self, Scratch},
};

/// Batches below this go one by one: a vector costs as much with one message in it as with all lanes full, about as
/// much as two messages one by one (measured by the bench `digest`, and on Zen 5: two to three).
const FEW: usize = 3;

/// One Accounting-Request to check.
#[derive(Clone, Copy, Debug)]
pub struct RequestCheck<'a> {
    /// The packet: exactly Length octets. Fewer than 20 are never genuine.
    pub octets: &'a [u8],
    /// The client's secret; under an empty one nothing is genuine.
    pub secret: &'a Prepared,
    /// Out: whether the Authenticator field is what the secret makes it. What it held before does not matter.
    pub genuine: bool,
}

/// One response to sign.
#[derive(Debug)]
pub struct ResponseSignature<'a> {
    /// The whole response, exactly Length octets, with the Authenticator of its request in octets 4 to 20. The call
    /// replaces these by the Response Authenticator. Fewer than 20 octets are left as they are.
    pub octets: &'a mut [u8],
    /// The client's secret.
    pub secret: &'a Prepared,
}

/// One Message-Authenticator to check.
#[derive(Clone, Copy, Debug)]
pub struct MessageCheck<'a> {
    /// The packet: exactly Length octets.
    pub octets: &'a [u8],
    /// The client's secret; under an empty one nothing is genuine.
    pub secret: &'a Prepared,
    /// Where the 16 octets of the attribute's value begin. They count as zero. Not genuine if they do not lie between
    /// the header and the packet's end.
    pub offset: usize,
    /// Whether the Authenticator field counts as it stands (Status-Server, RFC 5997 section 3) and not as zeros
    /// (Accounting-Request).
    pub keeps_authenticator: bool,
    /// Out: whether the value is what the secret makes it. What it held before does not matter.
    pub genuine: bool,
}

/// The lanes of one worker: the path and its memory, which is allocated here once and never again.
///
/// Batches may have any size, also none, and mix lengths and secrets; each result is independent of the others. Only
/// lengths shape what is executed: digests are compared in constant time. Octets of secrets stay in the memory until
/// they are overwritten by the next batch; it is wiped on drop.
pub struct Lanes {
    path: Path,
    engine: Engine,
    digests: Box<[[u8; 16]; BATCH]>,
}

enum Engine {
    Scalar,
    #[cfg(target_arch = "aarch64")]
    Neon(crate::neon::Neon, Box<Scratch<{ crate::neon::LANES }>>),
    #[cfg(target_arch = "x86_64")]
    Avx2(crate::x86::avx2::Avx2, Box<Scratch<{ crate::x86::avx2::LANES }>>),
    #[cfg(target_arch = "x86_64")]
    Avx512(crate::x86::avx512::Avx512, Box<Scratch<{ crate::x86::avx512::LANES }>>),
}

impl Engine {
    fn new(path: Path) -> Option<Engine> {
        match path {
            Path::Scalar => Some(Engine::Scalar),
            #[cfg(target_arch = "aarch64")]
            Path::Neon => Some(Engine::Neon(crate::neon::Neon::detect()?, Scratch::new())),
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => Some(Engine::Avx2(crate::x86::avx2::Avx2::detect()?, Scratch::new())),
            #[cfg(target_arch = "x86_64")]
            Path::Avx512 => Some(Engine::Avx512(crate::x86::avx512::Avx512::detect()?, Scratch::new())),
            #[allow(unreachable_patterns, reason = "the other architectures' paths")]
            _ => None,
        }
    }
}

/// Runs the schedule over the engine's kernel; `$few` where there is none, or where it would not pay.
macro_rules! run {
    ($lanes:ident, $count:expr, $job:expr, $few:expr) => {
        match &mut $lanes.engine {
            Engine::Scalar => $few,
            _ if $count < FEW => $few,
            #[cfg(target_arch = "aarch64")]
            Engine::Neon(kernel, scratch) => schedule::run(*kernel, scratch, $count, $job),
            #[cfg(target_arch = "x86_64")]
            Engine::Avx2(kernel, scratch) => schedule::run(*kernel, scratch, $count, $job),
            #[cfg(target_arch = "x86_64")]
            Engine::Avx512(kernel, scratch) => schedule::run(*kernel, scratch, $count, $job),
        }
    };
}

impl Lanes {
    /// Lanes of this path.
    pub fn new(path: Path) -> Result<Lanes, Unavailable> {
        let engine = Engine::new(path).ok_or(Unavailable(path))?;
        Ok(Lanes { path, engine, digests: Box::new([[0; 16]; BATCH]) })
    }

    /// Lanes of the fastest path of this processor.
    pub fn best() -> Lanes {
        let path = Path::best();
        // What is the best has been detected; were it gone, scalar is always there.
        match Lanes::new(path) {
            Ok(lanes) => lanes,
            Err(Unavailable(_)) => {
                Lanes { path: Path::Scalar, engine: Engine::Scalar, digests: Box::new([[0; 16]; BATCH]) }
            }
        }
    }

    /// The path they work by.
    pub fn path(&self) -> Path {
        self.path
    }

    /// Sets [`genuine`](RequestCheck::genuine) of every check.
    pub fn verify_requests(&mut self, checks: &mut [RequestCheck<'_>]) {
        for checks in checks.chunks_mut(BATCH) {
            run!(self, checks.len(), &mut Requests { checks }, {
                for check in checks {
                    check.genuine = scalar::request(check.octets, check.secret.octets());
                }
            });
        }
    }

    /// Puts the Response Authenticator into every response.
    pub fn sign_responses(&mut self, responses: &mut [ResponseSignature<'_>]) {
        for responses in responses.chunks_mut(BATCH) {
            let digests = &mut *self.digests;
            run!(self, responses.len(), &mut Responses { responses, digests }, {
                for (response, digest) in responses.iter().zip(&mut *digests) {
                    *digest = scalar::response(response.octets, response.secret.octets());
                }
            });
            for (response, digest) in responses.iter_mut().zip(&*self.digests) {
                if let Some(authenticator) = response.octets.get_mut(4..scalar::HEADER) {
                    authenticator.copy_from_slice(digest);
                }
            }
        }
    }

    /// Sets [`genuine`](MessageCheck::genuine) of every check.
    pub fn verify_messages(&mut self, checks: &mut [MessageCheck<'_>]) {
        for checks in checks.chunks_mut(BATCH) {
            run!(self, checks.len(), &mut Messages { checks }, {
                for check in checks {
                    check.genuine = scalar::message(check);
                }
            });
        }
    }
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").field("path", &self.path).finish_non_exhaustive()
    }
}
