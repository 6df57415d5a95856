//! A burst from datagrams to verdicts, in the order of the conformance list (R26): lengths, client, code, attributes,
//! authenticators, rate, duplicate, record. What fails a check changes nothing that a later check looks at.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use arrayvec::ArrayVec;
use journal::{BatchFull, CapturePath, NewRecord};
use md5_lanes::unprepared::{RequestCheck, verify_requests};
use radius::{Code, Framed, Rejected, Request, authenticator, record, response};

use super::{Ack, Observer, Pipeline, STATUS_HOLD_NS};
use crate::{
    capture::{BURST, Datagram, Source},
    clients::{Client, ClientIndex, Clients, Secret},
    clock::monotonic_ns,
    dedup::{Claim, Key, Slot},
    latency::Stage,
    notice::{Notice, Reason},
    verdict::Verdict,
};

/// A request from a known client, on its way through the checks.
struct Candidate<'a, R> {
    datagram: Datagram<'a>,
    number: u64,
    route: R,
    request: Request<'a>,
    client: ClientIndex,
    /// The secret that it verifies under; before that, the one to try.
    secret: &'a [u8],
    genuine: bool,
    by_previous: bool,
}

impl<R> Candidate<'_, R> {
    fn key(&self) -> Key<'_> {
        Key {
            source: self.datagram.source,
            destination: self.datagram.destination,
            code: self.request.code().into(),
            identifier: self.request.identifier(),
            authenticator: self.request.authenticator(),
        }
    }
}

impl<R: Copy, O: Observer> Pipeline<R, O> {
    /// Brings the `count` datagrams of this burst to their verdicts, or into the open batch.
    pub(super) fn burst<S: Source<Route = R>>(&mut self, source: &S, count: usize) {
        let taken_ns = monotonic_ns();
        let counters = self.counters.clone();
        let cells = counters.cells();
        let first = cells.received.get();
        cells.begin();
        cells.received.add(count as u64);
        cells.bursts.add(1);
        // The snapshot stays alive by this reference while the burst borrows from it, whatever is reloaded meanwhile.
        let clients: Arc<Clients> = self.clients.load().clone();
        let mut candidates: ArrayVec<Candidate<'_, R>, BURST> = ArrayVec::new();
        for index in 0..count {
            let number = first + index as u64;
            let datagram = source.datagram(index);
            self.observer.datagram(number, &datagram);
            let Ok(datagram) = datagram else {
                cells.count(Verdict::Malformed);
                self.observer.verdict(number, Verdict::Malformed, Some(Reason::NotADatagram));
                continue;
            };
            let waited = taken_ns.saturating_sub(datagram.arrival_monotonic_ns);
            self.latency.record(Stage::ArrivalToWorker, waited, 1);
            match examine(&datagram, &clients) {
                Ok((client, request)) => candidates.push(Candidate {
                    datagram,
                    number,
                    route: source.route(index),
                    request,
                    client,
                    secret: in_force(clients.get(client)),
                    genuine: false,
                    by_previous: false,
                }),
                Err((client, reason)) => {
                    self.refuse(number, &datagram, client.map(|client| clients.get(client)), reason);
                }
            }
        }
        verify(&mut candidates, &clients);
        let verified_ns = monotonic_ns();
        let verified = candidates.len() as u64;
        self.latency.record(Stage::Verify, verified_ns.saturating_sub(taken_ns), verified);
        self.verified_ns = verified_ns;
        for candidate in &candidates {
            self.settle(candidate, &clients, S::PATH);
        }
        cells.end();
    }

    /// One request whose authenticators are computed.
    fn settle(&mut self, candidate: &Candidate<'_, R>, clients: &Clients, path: CapturePath) {
        let client = clients.get(candidate.client);
        let state = clients.state(candidate.client);
        let refused = match candidate.request.code() {
            Code::AccountingRequest if !candidate.genuine => Some(Reason::BadAuthenticator),
            Code::StatusServer if !candidate.genuine => Some(Reason::BadMessageAuthenticator),
            Code::AccountingRequest if candidate.request.message_authenticator_offset().is_some() => {
                let right = authenticator::verify_message_authenticator(&candidate.request, candidate.secret);
                (!right).then_some(Reason::BadMessageAuthenticator)
            }
            Code::AccountingRequest if client.require_message_authenticator => {
                Some(Reason::NoMessageAuthenticator)
            }
            _ => None,
        };
        if let Some(reason) = refused {
            match reason {
                Reason::BadAuthenticator => state.note_bad_authenticator(),
                _ => state.note_bad_message_authenticator(),
            }
            return self.refuse(candidate.number, &candidate.datagram, Some(client), reason);
        }
        let now = self.verified_ns;
        state.note_genuine(candidate.datagram.arrival_unix_ns / 1_000_000_000, candidate.by_previous);
        if candidate.request.code() == Code::StatusServer {
            if !state.admit_status(now) {
                return self.refuse(candidate.number, &candidate.datagram, Some(client), Reason::RateLimited);
            }
            return self.status(candidate);
        }
        if let Some(rate) = client.max_rate
            && !state.request_limit.admit(now, rate)
        {
            return self.refuse(candidate.number, &candidate.datagram, Some(client), Reason::RateLimited);
        }
        self.account(candidate, client, path);
    }

    /// A genuine Status-Server (RFC 5997): answered only while the journal takes records, so that clients move on to
    /// another server while it does not.
    fn status(&mut self, candidate: &Candidate<'_, R>) {
        let failed = self.shared.failed_monotonic_ns.load(Relaxed);
        let held = failed > 0 && self.verified_ns.saturating_sub(failed) < STATUS_HOLD_NS;
        if self.shared.journal.is_ready() && !held {
            self.answer_directly(candidate);
        } else {
            self.counters.cells().status_silent.add(1);
        }
        self.verdict(candidate.number, Verdict::StatusServer);
    }

    /// A genuine Accounting-Request: known, or new and recorded.
    fn account(&mut self, candidate: &Candidate<'_, R>, client: &Client, path: CapturePath) {
        let now = self.verified_ns;
        let answer_length = response::length(&candidate.request);
        if !self.make_room(candidate.request.octets().len(), answer_length) {
            // Overload. What is known is answered all the same, and nothing is entered.
            return match self.shared.duplicates.find(&self.shared.duplicates.hash(&candidate.key()), now) {
                Some(known) => self.repeat(candidate, &known),
                None => self.refuse(candidate.number, &candidate.datagram, Some(client), Reason::NoFreeBatch),
            };
        }
        let slot = match self.shared.duplicates.claim(&self.shared.duplicates.hash(&candidate.key()), now) {
            Claim::New(slot) => slot,
            Claim::Full => {
                return self.refuse(
                    candidate.number,
                    &candidate.datagram,
                    Some(client),
                    Reason::DuplicatesFull,
                );
            }
            known => return self.repeat(candidate, &known),
        };
        if self.append(candidate, client, slot, path).is_err() {
            // A batch that cannot take even one request of this size: the port was made too small.
            self.shared.duplicates.remove(slot);
            self.refuse(candidate.number, &candidate.datagram, Some(client), Reason::NoFreeBatch);
        }
    }

    /// A retransmission: answered again with the same octets once its request is recorded (RFC 5080 section 2.2.2), and
    /// met with silence before. Under `ack.when = "received"` its request was answered at once, and so is it.
    fn repeat(&mut self, candidate: &Candidate<'_, R>, known: &Claim) {
        if matches!(known, Claim::Committed) || self.shared.ack == Ack::Received {
            self.answer_directly(candidate);
        }
        self.verdict(candidate.number, Verdict::Duplicate);
    }

    /// The answer is a function of request and secret, so what is built here has the octets of the first one.
    fn answer_directly(&mut self, candidate: &Candidate<'_, R>) {
        let Candidate { request, secret, route, number, datagram, .. } = candidate;
        let fits = self.direct.push(request, secret, *route, None, *number, datagram.arrival_monotonic_ns);
        debug_assert!(fits, "room for a burst of the longest answers");
        if !fits {
            self.counters.cells().responses_dropped.add(1);
        }
    }

    /// Sees to it that the open batch and its flight can take one more. False without a free batch.
    fn make_room(&mut self, request: usize, answer: usize) -> bool {
        if let Some(batch) = &self.open {
            if batch.has_room(request) && self.flights[batch.slot()].answers.has_room(answer) {
                return true;
            }
            self.counters.cells().sealed_early.add(1);
            self.seal();
        }
        self.open = self.port.take_free();
        self.open.is_some()
    }

    /// Into the open batch, and the answer into its flight.
    fn append(
        &mut self,
        candidate: &Candidate<'_, R>,
        client: &Client,
        slot: Slot,
        path: CapturePath,
    ) -> Result<(), BatchFull> {
        let Candidate { request, secret, route, number, datagram, .. } = candidate;
        let batch = self.open.as_mut().ok_or(BatchFull)?;
        let recorded = batch.append(&NewRecord {
            arrival_unix_ns: datagram.arrival_unix_ns,
            source: datagram.source,
            destination: datagram.destination,
            path,
            client: &client.name,
            octets: request.octets(),
        })?;
        let blanked = record::blank_passwords(recorded);
        let answers = &mut self.flights[batch.slot()].answers;
        let fits = answers.push(request, secret, *route, Some(slot), *number, datagram.arrival_monotonic_ns);
        debug_assert!(fits, "`make_room` saw that the answer fits");
        let cells = self.counters.cells();
        cells.pending.add(1);
        if blanked > 0 {
            cells.passwords_blanked.add(blanked as u64);
        }
        Ok(())
    }

    fn verdict(&mut self, number: u64, verdict: Verdict) {
        self.counters.cells().count(verdict);
        self.observer.verdict(number, verdict, None);
    }

    /// Counts the verdict that goes with the reason and leaves a notice.
    fn refuse(&mut self, number: u64, datagram: &Datagram<'_>, client: Option<&Client>, reason: Reason) {
        let verdict = reason.verdict();
        let cells = self.counters.cells();
        cells.count(verdict);
        let notices = &self.shared.notices;
        let pushed = !notices.is_full()
            && notices.push(Notice {
                source: datagram.source,
                destination: datagram.destination,
                client: client.map(|client| client.name.clone()),
                reason,
            });
        if !pushed {
            cells.notices_lost.add(1);
        }
        self.observer.verdict(number, verdict, Some(reason));
    }
}

/// Lengths, client, code, attributes: all that can be said without a digest.
fn examine<'a>(
    datagram: &Datagram<'a>,
    clients: &Clients,
) -> Result<(ClientIndex, Request<'a>), (Option<ClientIndex>, Reason)> {
    let framed = Framed::parse(datagram.payload).map_err(|malformed| (None, Reason::Malformed(malformed)))?;
    let client = clients.lookup(datagram.source.ip()).ok_or((None, Reason::UnknownClient))?;
    if framed.code() == u8::from(Code::StatusServer) && !clients.get(client).status_server {
        return Err((Some(client), Reason::StatusServerOff));
    }
    match framed.request() {
        Ok(request) => Ok((client, request)),
        Err(Rejected::UnsupportedCode(code)) => Err((Some(client), Reason::UnsupportedCode(code))),
        Err(Rejected::Malformed(malformed)) => Err((Some(client), Reason::Malformed(malformed))),
    }
}

/// The secret to try first: the one in force, or the only one there is.
fn in_force(client: &Client) -> &[u8] {
    let secret = client.secrets.iter().flatten().next();
    secret.map_or(&[], Secret::octets)
}

/// The secret of before the rotation, if there is also one in force.
fn previous(client: &Client) -> Option<&[u8]> {
    match &client.secrets {
        [Some(_), Some(previous)] => Some(previous.octets()),
        _ => None,
    }
}

/// All Request Authenticators of the burst in one call, then those that failed once more under the previous secret of
/// their client. Status-Server has a random Authenticator and proves itself by its Message-Authenticator alone (R58).
fn verify<'a, R>(candidates: &mut [Candidate<'a, R>], clients: &'a Clients) {
    let accounting = |candidate: &Candidate<'_, R>| candidate.request.code() == Code::AccountingRequest;
    pass(candidates, accounting);
    for candidate in candidates.iter_mut().filter(|candidate| !accounting(candidate)) {
        candidate.genuine = authenticator::verify_message_authenticator(&candidate.request, candidate.secret);
    }
    let mut again = false;
    for candidate in candidates.iter_mut().filter(|candidate| !candidate.genuine) {
        if let Some(secret) = previous(clients.get(candidate.client)) {
            candidate.secret = secret;
            candidate.by_previous = true;
            if accounting(candidate) {
                again = true;
            } else {
                candidate.genuine = authenticator::verify_message_authenticator(&candidate.request, secret);
            }
        }
    }
    if again {
        pass(candidates, |candidate| accounting(candidate) && !candidate.genuine && candidate.by_previous);
    }
}

/// One batch of digests over the chosen candidates.
fn pass<R>(candidates: &mut [Candidate<'_, R>], chosen: impl Fn(&Candidate<'_, R>) -> bool) {
    let mut checks: ArrayVec<RequestCheck<'_>, BURST> = ArrayVec::new();
    let mut places: ArrayVec<usize, BURST> = ArrayVec::new();
    for (place, candidate) in candidates.iter().enumerate().filter(|(_, candidate)| chosen(candidate)) {
        checks.push(RequestCheck {
            octets: candidate.request.octets(),
            secret: candidate.secret,
            genuine: false,
        });
        places.push(place);
    }
    verify_requests(&mut checks);
    let genuine: ArrayVec<bool, BURST> = checks.iter().map(|check| check.genuine).collect();
    drop(checks);
    for (place, genuine) in places.into_iter().zip(genuine) {
        candidates[place].genuine = genuine;
    }
}
