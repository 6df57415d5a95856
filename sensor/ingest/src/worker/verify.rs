//! The authenticators of a burst: who of the known clients' requests proves itself. Each kind of digest is computed for
//! the whole burst in one call, so that it fills the lanes. Called by the burst alone.

use std::net::SocketAddr;

use arrayvec::ArrayVec;
use md5_lanes::{Lanes, MessageCheck, Prepared, RequestCheck};
use radius::{Code, Request};

use crate::{
    capture::BURST,
    clients::{Client, ClientIndex, Clients, Secret},
    dedup::Key,
};

/// A request from a known client, on its way through the checks.
pub(super) struct Candidate<'a> {
    pub(super) request: Request<'a>,
    /// The secret that it verifies under; before that, the one to try.
    pub(super) secret: &'a Prepared,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) arrival_unix_ns: u64,
    pub(super) arrival_monotonic_ns: u64,
    /// Its place in the burst.
    pub(super) index: u32,
    pub(super) client: ClientIndex,
    /// Its Request Authenticator, or of a Status-Server its Message-Authenticator, is right.
    pub(super) genuine: bool,
    /// Its Message-Authenticator is wrong, although its Request Authenticator is right.
    pub(super) message_wrong: bool,
    pub(super) by_previous: bool,
}

impl Candidate<'_> {
    pub(super) fn key(&self) -> Key<'_> {
        Key {
            source: self.source,
            destination: self.destination,
            code: self.request.code().into(),
            identifier: self.request.identifier(),
            authenticator: self.request.authenticator(),
        }
    }

    pub(super) fn is_accounting(&self) -> bool {
        self.request.code() == Code::AccountingRequest
    }
}

/// The secret to try first: the one in force, or the only one there is. `Clients::build` saw that there is one.
pub(super) fn in_force(client: &Client) -> &Secret {
    match &client.secrets {
        [Some(secret), _] | [None, Some(secret)] => secret,
        [None, None] => unreachable!("a client without a secret is refused when the snapshot is built"),
    }
}

/// The secret of before the rotation, if there is also one in force.
fn previous(client: &Client) -> Option<&Secret> {
    match &client.secrets {
        [Some(_), Some(previous)] => Some(previous),
        _ => None,
    }
}

/// All authenticators of the burst: first under the secret in force, then those that failed under the previous secret of
/// their client, if it has one. An Accounting-Request proves itself by its Request Authenticator, and its
/// Message-Authenticator, if it has one, must be right too (R54); a Status-Server has a random Authenticator and proves
/// itself by its Message-Authenticator alone (R58).
pub(super) fn verify<'a>(lanes: &mut Lanes, candidates: &mut [Candidate<'a>], clients: &'a Clients) {
    pass(lanes, candidates, |_| true);
    let mut again = false;
    for candidate in candidates.iter_mut().filter(|candidate| !candidate.genuine) {
        if let Some(secret) = previous(clients.get(candidate.client)) {
            candidate.secret = secret.prepared();
            candidate.by_previous = true;
            again = true;
        }
    }
    if again {
        pass(lanes, candidates, |candidate| !candidate.genuine && candidate.by_previous);
    }
}

/// The digests of the chosen candidates, each kind in one call.
fn pass<'a>(lanes: &mut Lanes, candidates: &mut [Candidate<'a>], chosen: impl Fn(&Candidate<'_>) -> bool) {
    let mut places: ArrayVec<usize, BURST> = ArrayVec::new();
    let mut requests: ArrayVec<RequestCheck<'a>, BURST> = ArrayVec::new();
    // Message-Authenticators are rare: whether there is one is seen on the way.
    let mut signed: ArrayVec<usize, BURST> = ArrayVec::new();
    for (place, candidate) in candidates.iter().enumerate().filter(|(_, candidate)| chosen(candidate)) {
        if candidate.is_accounting() {
            let octets = candidate.request.octets();
            requests.push(RequestCheck { octets, secret: candidate.secret, genuine: false });
            places.push(place);
        }
        if candidate.request.message_authenticator_offset().is_some() {
            signed.push(place);
        }
    }
    lanes.verify_requests(&mut requests);
    for (place, check) in places.iter().zip(&requests) {
        candidates[*place].genuine = check.genuine;
    }
    if !signed.is_empty() {
        messages(lanes, candidates, &signed);
    }
}

/// The Message-Authenticators of the candidates at `places`, as far as they still matter.
fn messages<'a>(lanes: &mut Lanes, candidates: &mut [Candidate<'a>], places: &[usize]) {
    let mut checks: ArrayVec<MessageCheck<'a>, BURST> = ArrayVec::new();
    let mut checked: ArrayVec<usize, BURST> = ArrayVec::new();
    for &place in places {
        let candidate = &candidates[place];
        let keeps_authenticator = !candidate.is_accounting();
        if let Some(offset) = candidate.request.message_authenticator_offset()
            && (keeps_authenticator || candidate.genuine)
        {
            let (octets, secret) = (candidate.request.octets(), candidate.secret);
            checks.push(MessageCheck { octets, secret, offset, keeps_authenticator, genuine: false });
            checked.push(place);
        }
    }
    lanes.verify_messages(&mut checks);
    for (place, check) in checked.iter().zip(&checks) {
        let candidate = &mut candidates[*place];
        if candidate.is_accounting() {
            candidate.message_wrong = !check.genuine;
        } else {
            candidate.genuine = check.genuine;
        }
    }
}
