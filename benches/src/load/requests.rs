//! Requests built and signed before the load begins, and the answer that each must get.

use anyhow::Context as _;
use radius::{
    Code,
    attribute::kind,
    authenticator,
    build::{BuildError, RequestBuilder},
};
use traffic::{Session, Status};

use super::{Contents, numbering::IDENTIFIERS};

/// Octets of an answer without attributes.
const ANSWER_LENGTH: usize = 20;

/// What a request must be answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// An Accounting-Response under the secret.
    Response,
    /// What the bare echo makes of it: the header of an answer with the request's own Authenticator.
    Echo,
}

/// Signed requests: `variants` of each of the 256 Identifiers, and one forgery of each Identifier.
pub struct Requests {
    octets: Vec<u8>,
    list: Vec<Signed>,
    secret: Vec<u8>,
    expect: Expect,
    genuine: usize,
}

struct Signed {
    start: usize,
    end: usize,
    /// The whole answer of a server that adds nothing: what nearly all answers are, so that checking one is a
    /// comparison.
    answer: [u8; ANSWER_LENGTH],
}

impl Requests {
    /// Builds them. Another `seed` gives other requests: what was sent with one is never a repetition of what was sent
    /// with the other.
    ///
    /// # Errors
    /// When a request cannot be built.
    pub fn build(
        contents: &Contents,
        variants: u32,
        secret: &[u8],
        seed: u64,
        expect: Expect,
    ) -> anyhow::Result<Requests> {
        let genuine = variants as usize * IDENTIFIERS as usize;
        let mut requests = Requests {
            octets: Vec::new(),
            list: Vec::with_capacity(genuine + IDENTIFIERS as usize),
            secret: secret.to_vec(),
            expect,
            genuine,
        };
        let wrong = [secret, b" but wrong"].concat();
        for index in 0..genuine + IDENTIFIERS as usize {
            let signed_with = if index < genuine { secret } else { &wrong };
            let identifier = (index % IDENTIFIERS as usize) as u8;
            requests.add(contents, index as u64, identifier, signed_with, seed)?;
        }
        Ok(requests)
    }

    fn add(
        &mut self,
        contents: &Contents,
        index: u64,
        identifier: u8,
        secret: &[u8],
        seed: u64,
    ) -> anyhow::Result<()> {
        let mut buffer = [0; radius::MAX_LENGTH];
        let octets = match contents {
            Contents::Sizes(sizes) => {
                let length = sizes[index as usize % sizes.len()];
                // The session says which request of which run it is.
                start(&mut buffer[..length], identifier, seed.wrapping_add(index), secret)
            }
            Contents::Vendors(vendors) => {
                let vendor = vendors[index as usize % vendors.len()];
                let status = [Status::Start, Status::InterimUpdate, Status::Stop][(index / 4 % 3) as usize];
                let attributes = Session::made_up(vendor, seed, index).attributes(status, 1_790_000_000);
                traffic::write(&mut buffer, status, identifier, &[0; 16], &attributes, secret)
            }
        };
        let octets = octets.with_context(|| format!("building request {index}"))?;
        let mut answer = [0; ANSWER_LENGTH];
        answer[0] = Code::AccountingResponse.into();
        answer[1] = identifier;
        answer[3] = ANSWER_LENGTH as u8;
        let mut request_authenticator = [0; 16];
        request_authenticator.copy_from_slice(&octets[4..20]);
        let digest = match self.expect {
            Expect::Response => {
                authenticator::response_authenticator(&answer, &request_authenticator, &self.secret)
            }
            Expect::Echo => request_authenticator,
        };
        answer[4..].copy_from_slice(&digest);
        let start = self.octets.len();
        self.octets.extend_from_slice(octets);
        self.list.push(Signed { start, end: self.octets.len(), answer });
        Ok(())
    }

    /// Signed requests, forgeries not counted.
    pub fn genuine(&self) -> usize {
        self.genuine
    }

    /// The octets of a genuine request, by the index that [`super::Place::request`] gives.
    pub fn octets(&self, request: u32) -> &[u8] {
        let signed = &self.list[request as usize];
        &self.octets[signed.start..signed.end]
    }

    /// A request with this Identifier whose Authenticator is wrong.
    pub fn forged(&self, identifier: u8) -> &[u8] {
        self.octets((self.genuine + usize::from(identifier)) as u32)
    }

    /// Whether `answer` is an Accounting-Response to this request under our secret.
    pub fn is_answered_by(&self, request: u32, answer: &[u8]) -> bool {
        let signed = &self.list[request as usize];
        if answer == signed.answer {
            return true;
        }
        // A server may add attributes.
        let mut request_authenticator = [0; 16];
        request_authenticator.copy_from_slice(&self.octets[signed.start + 4..signed.start + 20]);
        self.expect == Expect::Response
            && answer.len() >= ANSWER_LENGTH
            && answer[..2] == signed.answer[..2]
            && usize::from(u16::from_be_bytes([answer[2], answer[3]])) == answer.len()
            && authenticator::verify_response(answer, &request_authenticator, &self.secret)
    }

    /// Octets of a request in the mean.
    pub fn mean_length(&self) -> f64 {
        let genuine = &self.list[..self.genuine];
        let octets: usize = genuine.iter().map(|signed| signed.end - signed.start).sum();
        octets as f64 / self.genuine as f64
    }
}

/// Writes a Start that fills the buffer (64 octets or more): user, session and gateway, then Class attributes.
fn start<'b>(
    buffer: &'b mut [u8],
    identifier: u8,
    session: u64,
    secret: &[u8],
) -> Result<&'b [u8], BuildError> {
    let mut left = buffer.len() - (20 + 6 + 7 + 10 + 9);
    let mut request = RequestBuilder::new(buffer, Code::AccountingRequest, identifier);
    let session = format!("{:08X}", session & 0xFFFF_FFFF);
    request.integer(kind::ACCT_STATUS_TYPE, 1).text(kind::USER_NAME, "alice");
    request.text(kind::ACCT_SESSION_ID, &session).text(kind::NAS_IDENTIFIER, "gateway");
    while left > 0 {
        // Never leave a remainder of 1 or 2 octets: no attribute is that short.
        let take = if left <= 255 { left } else { 255.min(left - 3) };
        request.attribute(kind::CLASS, &[0x5A; 253][..take - 2]);
        left -= take;
    }
    request.seal(secret)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use radius::{Framed, response};
    use traffic::Vendor;

    use super::*;

    const SECRET: &[u8] = b"of the load";

    fn both() -> [Requests; 2] {
        [Contents::Sizes(vec![100, 168, 236]), Contents::Vendors(Vendor::ALL.to_vec())]
            .map(|contents| Requests::build(&contents, 3, SECRET, 7, Expect::Response).unwrap())
    }

    #[test]
    fn all_are_signed_and_no_two_have_the_same_authenticator() {
        for requests in both() {
            let mut authenticators = HashSet::new();
            for index in 0..requests.genuine() as u32 {
                let octets = requests.octets(index);
                assert_eq!(octets[1], index as u8, "the Identifier");
                assert!(authenticator::verify_request(octets, SECRET));
                authenticators.insert(octets[4..20].to_vec());
            }
            assert_eq!(authenticators.len(), 768);
            assert!(!authenticator::verify_request(requests.forged(9), SECRET));
            assert_eq!(requests.forged(9)[1], 9);
        }
        assert!((both()[0].mean_length() - 168.0).abs() < 1.0);
    }

    #[test]
    fn another_seed_repeats_nothing() {
        let of =
            |seed| Requests::build(&Contents::Sizes(vec![100]), 2, SECRET, seed, Expect::Response).unwrap();
        let (first, second) = (of(1 << 20), of(2 << 20));
        assert!((0..512).all(|index| first.octets(index) != second.octets(index)));
    }

    #[test]
    fn only_the_right_answer_passes() {
        let requests = &both()[1];
        let mut buffer = [0; 64];
        let octets = requests.octets(300);
        let request = Framed::parse(octets).unwrap().request().unwrap();
        let length = response::write(&request, SECRET, &mut buffer).unwrap();
        let answer = &buffer[..length];
        assert!(requests.is_answered_by(300, answer));
        assert!(!requests.is_answered_by(300 + 256, answer), "another request of the same Identifier");
        for at in 0..length {
            let mut bent = answer.to_vec();
            bent[at] ^= 1;
            assert!(!requests.is_answered_by(300, &bent), "octet {at}");
        }
        assert!(!requests.is_answered_by(300, &answer[..19]));
        assert!(!requests.is_answered_by(300, &[]));
        let length = response::write(&request, b"another secret", &mut buffer).unwrap();
        assert!(!requests.is_answered_by(300, &buffer[..length]));
    }

    #[test]
    fn an_echo_is_no_response() {
        let contents = Contents::Sizes(vec![100]);
        let echoed = Requests::build(&contents, 1, SECRET, 1, Expect::Echo).unwrap();
        let answered = Requests::build(&contents, 1, SECRET, 1, Expect::Response).unwrap();
        let echo = [&[5, 3, 0, 20][..], &echoed.octets(3)[4..20]].concat();
        assert!(echoed.is_answered_by(3, &echo) && !answered.is_answered_by(3, &echo));
        assert!(!echoed.is_answered_by(4, &echo));
    }

    #[test]
    fn an_answer_with_attributes_is_verified_too() {
        let requests = &both()[0];
        let mut answer = [&[5, 7, 0, 26][..], &[0; 16], &[18, 6, b'f', b'i', b'n', b'e']].concat();
        let mut request_authenticator = [0; 16];
        request_authenticator.copy_from_slice(&requests.octets(7)[4..20]);
        let digest = authenticator::response_authenticator(&answer, &request_authenticator, SECRET);
        answer[4..20].copy_from_slice(&digest);
        assert!(requests.is_answered_by(7, &answer));
        answer[22] ^= 1;
        assert!(!requests.is_answered_by(7, &answer));
    }
}
