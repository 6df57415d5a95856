//! A burst from datagrams to verdicts, in the order of the conformance list (R26): lengths, client, code, attributes,
//! authenticators, rate, duplicate, record. What fails a check changes nothing that a later check looks at.
//!
//! Each step is done for the whole burst before the next begins: the digests fill the lanes, and the cache misses of
//! one step overlap instead of being waited for one by one.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, atomic::Ordering::Relaxed},
};

use arrayvec::ArrayVec;
use journal::{BatchFull, NewRecord};
use md5_lanes::Prepared;
use radius::{Code, Framed, Marks, Rejected, Request, record, response};

use super::{
    Ack, Observer, Pipeline, STATUS_HOLD_NS,
    verify::{Candidate, in_force, verify},
};
use crate::{
    capture::{BURST, Datagram, Source},
    clients::{Client, ClientIndex, Clients},
    clock::monotonic_ns,
    dedup::{Claim, Hash, Slot},
    latency::Stage,
    notice::{Notice, Reason},
    verdict::Verdict,
};

/// A datagram as long as it says, not looked into any further.
struct Arrived<'a> {
    /// Its place in the burst.
    index: u32,
    framed: Framed<'a>,
    datagram: Datagram<'a>,
}

/// What the steps of a burst share: borrowed from the source and from the snapshot of clients for so long.
struct Burst<'a, S> {
    source: &'a S,
    clients: &'a Clients,
    /// The number of its first datagram.
    first: u64,
    /// The secrets of the answers that wait for their digest, in the order in which they were written: in the flight of
    /// the open batch, and among the direct ones.
    open_secrets: ArrayVec<&'a Prepared, BURST>,
    direct_secrets: ArrayVec<&'a Prepared, BURST>,
    /// Whether somebody wants to know of which sources requests verify.
    is_watching: bool,
    /// Genuine requests not yet counted for their client: most come in runs of one client.
    run: Option<(ClientIndex, u64)>,
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
        let snapshot: Arc<Clients> = self.clients.load().clone();
        let clients = &*snapshot;
        let arrived = self.arrive(source, first, count, taken_ns);
        let owners = owners(&arrived, clients);
        let mut candidates: ArrayVec<Candidate<'_>, BURST> = ArrayVec::new();
        for (Arrived { index, framed, datagram }, owner) in arrived.iter().zip(owners) {
            match examine(*framed, owner, clients) {
                Ok((client, request)) => candidates.push(Candidate {
                    request,
                    secret: in_force(clients.get(client)).prepared(),
                    source: datagram.source,
                    destination: datagram.destination,
                    arrival_unix_ns: datagram.arrival_unix_ns,
                    arrival_monotonic_ns: datagram.arrival_monotonic_ns,
                    index: *index,
                    client,
                    genuine: false,
                    message_wrong: false,
                    by_previous: false,
                }),
                Err(reason) => {
                    let client = owner.map(|client| clients.get(client));
                    let number = first + u64::from(*index);
                    if reason == Reason::UnknownClient && framed.code() == u8::from(Code::AccountingRequest) {
                        self.keep_specimen(datagram.source, framed.octets());
                    }
                    self.refuse(number, datagram.source, datagram.destination, client, reason);
                }
            }
        }
        verify(&mut self.lanes, &mut candidates, clients);
        let verified_ns = monotonic_ns();
        let verified = candidates.len() as u64;
        self.latency.record(Stage::Verify, verified_ns.saturating_sub(taken_ns), verified);
        self.verified_ns = verified_ns;

        let hashes = self.hash(&candidates);
        let mut burst = Burst {
            source,
            clients,
            first,
            open_secrets: ArrayVec::new(),
            direct_secrets: ArrayVec::new(),
            is_watching: self.shared.proofs.is_watching(),
            run: None,
        };
        for (candidate, hash) in candidates.iter().zip(&hashes) {
            self.settle(&mut burst, candidate, hash);
        }
        burst.count_run();
        self.sign_open(&mut burst);
        self.direct.sign(&mut self.lanes, &burst.direct_secrets);
        cells.end();
    }

    /// The datagrams of the burst that are as long as they say.
    fn arrive<'a, S: Source<Route = R>>(
        &mut self,
        source: &'a S,
        first: u64,
        count: usize,
        taken_ns: u64,
    ) -> ArrayVec<Arrived<'a>, BURST> {
        let mut arrived = ArrayVec::new();
        for index in 0..count {
            let number = first + index as u64;
            let datagram = source.datagram(index);
            self.observer.datagram(number, &datagram);
            let Ok(datagram) = datagram else {
                self.counters.cells().count(Verdict::Malformed);
                self.observer.verdict(number, Verdict::Malformed, Some(Reason::NotADatagram));
                continue;
            };
            let waited = taken_ns.saturating_sub(datagram.arrival_monotonic_ns);
            self.latency.record(Stage::ArrivalToWorker, waited, 1);
            match Framed::parse(datagram.payload) {
                Ok(framed) => arrived.push(Arrived { index: index as u32, framed, datagram }),
                Err(malformed) => {
                    let reason = Reason::Malformed(malformed);
                    self.refuse(number, datagram.source, datagram.destination, None, reason);
                }
            }
        }
        arrived
    }

    /// The keys of the burst, hashed, and their buckets on the way into the cache. Of forgeries too, whose number is
    /// then no reason to branch: what they bring near is a line that nobody reads.
    fn hash(&self, candidates: &[Candidate<'_>]) -> ArrayVec<Hash, BURST> {
        let duplicates = &self.shared.duplicates;
        let hashes: ArrayVec<Hash, BURST> =
            candidates.iter().map(|candidate| duplicates.hash(&candidate.key())).collect();
        let near = hashes.iter().fold(0, |near, hash| near ^ duplicates.touch(hash));
        // Without a use the compiler would leave the loads out.
        std::hint::black_box(near);
        hashes
    }

    /// One request whose authenticators are computed.
    fn settle<'a, S: Source<Route = R>>(
        &mut self,
        burst: &mut Burst<'a, S>,
        candidate: &Candidate<'a>,
        hash: &Hash,
    ) {
        let client = burst.clients.get(candidate.client);
        let state = burst.clients.state(candidate.client);
        let number = burst.first + u64::from(candidate.index);
        let unsigned = || candidate.request.message_authenticator_offset().is_none();
        let refused = match candidate.genuine {
            false if candidate.is_accounting() => Some(Reason::BadAuthenticator),
            false => Some(Reason::BadMessageAuthenticator),
            true if candidate.message_wrong => Some(Reason::BadMessageAuthenticator),
            true if client.require_message_authenticator && unsigned() => {
                Some(Reason::NoMessageAuthenticator)
            }
            true => None,
        };
        if let Some(reason) = refused {
            match reason {
                Reason::BadAuthenticator => {
                    burst.source.distrust(candidate.index as usize);
                    state.note_bad_authenticator();
                    self.keep_specimen(candidate.source, candidate.request.octets());
                }
                _ => state.note_bad_message_authenticator(),
            }
            return self.refuse(number, candidate.source, candidate.destination, Some(client), reason);
        }
        let now = self.verified_ns;
        let arrival_unix_s = candidate.arrival_unix_ns / 1_000_000_000;
        state.note_genuine(arrival_unix_s, candidate.by_previous);
        if let [current, previous] = &client.secrets
            && let Some(secret) = if candidate.by_previous { previous } else { current }
        {
            secret.note_used(arrival_unix_s);
        }
        burst.note_genuine(candidate.client);
        if burst.is_watching {
            self.shared.proofs.note(candidate.source.ip());
        }
        if !candidate.is_accounting() {
            if !state.admit_status(now) {
                let reason = Reason::RateLimited;
                return self.refuse(number, candidate.source, candidate.destination, Some(client), reason);
            }
            return self.status(burst, candidate);
        }
        if let Some(rate) = client.max_rate
            && !state.request_limit.admit(now, rate)
        {
            let reason = Reason::RateLimited;
            return self.refuse(number, candidate.source, candidate.destination, Some(client), reason);
        }
        self.account(burst, candidate, client, hash);
    }

    /// A genuine Status-Server (RFC 5997): answered only while the journal takes records, so that clients move on to
    /// another server while it does not.
    fn status<'a, S: Source<Route = R>>(&mut self, burst: &mut Burst<'a, S>, candidate: &Candidate<'a>) {
        let failed = self.shared.failed_monotonic_ns.load(Relaxed);
        let held = failed > 0 && self.verified_ns.saturating_sub(failed) < STATUS_HOLD_NS;
        if self.shared.journal.is_ready() && !held {
            self.answer_directly(burst, candidate);
        } else {
            self.counters.cells().status_silent.add(1);
        }
        self.verdict(burst.first + u64::from(candidate.index), Verdict::StatusServer);
    }

    /// A genuine Accounting-Request: known, or new and recorded.
    fn account<'a, S: Source<Route = R>>(
        &mut self,
        burst: &mut Burst<'a, S>,
        candidate: &Candidate<'a>,
        client: &Client,
        hash: &Hash,
    ) {
        let now = self.verified_ns;
        let number = burst.first + u64::from(candidate.index);
        let answer_length = response::length(&candidate.request);
        if !self.make_room(burst, candidate.request.octets().len(), answer_length) {
            // Overload. What is known is answered all the same, and nothing is entered.
            return match self.shared.duplicates.find(hash, now) {
                Some(known) => self.repeat(burst, candidate, &known),
                None => {
                    let reason = Reason::NoFreeBatch;
                    self.refuse(number, candidate.source, candidate.destination, Some(client), reason);
                }
            };
        }
        let slot = match self.shared.duplicates.claim(hash, now) {
            Claim::New(slot) => slot,
            Claim::Full => {
                let reason = Reason::DuplicatesFull;
                return self.refuse(number, candidate.source, candidate.destination, Some(client), reason);
            }
            known => return self.repeat(burst, candidate, &known),
        };
        if self.append(burst, candidate, client, slot).is_err() {
            // A batch that cannot take even one request of this size: the port was made too small.
            self.shared.duplicates.remove(slot);
            let reason = Reason::NoFreeBatch;
            self.refuse(number, candidate.source, candidate.destination, Some(client), reason);
        }
    }

    /// A retransmission: answered again with the same octets once its request is recorded (RFC 5080 section 2.2.2), and
    /// met with silence before. Under `ack.when = "received"` its request was answered at once, and so is it.
    fn repeat<'a, S: Source<Route = R>>(
        &mut self,
        burst: &mut Burst<'a, S>,
        candidate: &Candidate<'a>,
        known: &Claim,
    ) {
        if matches!(known, Claim::Committed) || self.shared.ack == Ack::Received {
            self.answer_directly(burst, candidate);
        }
        self.verdict(burst.first + u64::from(candidate.index), Verdict::Duplicate);
    }

    /// The answer is a function of request and secret, so what is built here has the octets of the first one.
    fn answer_directly<'a, S: Source<Route = R>>(
        &mut self,
        burst: &mut Burst<'a, S>,
        candidate: &Candidate<'a>,
    ) {
        let fits = self.direct.push(
            &candidate.request,
            burst.source.route(candidate.index as usize),
            None,
            burst.first + u64::from(candidate.index),
            candidate.arrival_monotonic_ns,
        );
        debug_assert!(fits, "room for a burst of the longest answers");
        if fits {
            burst.direct_secrets.push(candidate.secret);
        } else {
            self.counters.cells().responses_dropped.add(1);
        }
    }

    /// Sees to it that the open batch and its flight can take one more. False without a free batch.
    fn make_room<S>(&mut self, burst: &mut Burst<'_, S>, request: usize, answer: usize) -> bool {
        if let Some(batch) = &self.open {
            if batch.has_room(request) && self.flights[batch.slot()].answers.has_room(answer) {
                return true;
            }
            self.counters.cells().sealed_early.add(1);
            self.sign_open(burst);
            self.seal();
        }
        self.open = self.port.take_free();
        self.open_since_ns = self.verified_ns;
        self.open.is_some()
    }

    /// Computes the digests of the answers in the open batch's flight.
    fn sign_open<S>(&mut self, burst: &mut Burst<'_, S>) {
        if let Some(batch) = &self.open {
            self.flights[batch.slot()].answers.sign(&mut self.lanes, &burst.open_secrets);
        }
        burst.open_secrets.clear();
    }

    /// Into the open batch, and the answer into its flight.
    fn append<'a, S: Source<Route = R>>(
        &mut self,
        burst: &mut Burst<'a, S>,
        candidate: &Candidate<'a>,
        client: &Client,
        slot: Slot,
    ) -> Result<(), BatchFull> {
        let batch = self.open.as_mut().ok_or(BatchFull)?;
        let recorded = batch.append(&NewRecord {
            arrival_unix_ns: candidate.arrival_unix_ns,
            source: candidate.source,
            destination: candidate.destination,
            path: S::PATH,
            client: &client.name,
            octets: candidate.request.octets(),
        })?;
        let cells = self.counters.cells();
        if candidate.request.marks().contains(Marks::PASSWORD_PRESENT) {
            cells.passwords_blanked.add(record::blank_passwords(recorded) as u64);
        }
        let answers = &mut self.flights[batch.slot()].answers;
        let fits = answers.push(
            &candidate.request,
            burst.source.route(candidate.index as usize),
            Some(slot),
            burst.first + u64::from(candidate.index),
            candidate.arrival_monotonic_ns,
        );
        debug_assert!(fits, "`make_room` saw that the answer fits");
        burst.open_secrets.push(candidate.secret);
        cells.pending.add(1);
        Ok(())
    }

    fn verdict(&mut self, number: u64, verdict: Verdict) {
        self.counters.cells().count(verdict);
        self.observer.verdict(number, verdict, None);
    }

    /// Leaves a copy for whoever wants to try secrets on it.
    fn keep_specimen(&self, source: SocketAddr, octets: &[u8]) {
        if !self.shared.specimens.keep(source, octets) {
            self.counters.cells().specimens_lost.add(1);
        }
    }

    /// Counts the verdict that goes with the reason and leaves a notice.
    fn refuse(
        &mut self,
        number: u64,
        source: SocketAddr,
        destination: SocketAddr,
        client: Option<&Client>,
        reason: Reason,
    ) {
        let verdict = reason.verdict();
        let cells = self.counters.cells();
        cells.count(verdict);
        let notices = &self.shared.notices;
        let pushed = !notices.is_full()
            && notices.push(Notice {
                source,
                destination,
                client: client.map(|client| client.name.clone()),
                reason,
            });
        if !pushed {
            cells.notices_lost.add(1);
        }
        self.observer.verdict(number, verdict, Some(reason));
    }
}

/// The client of each datagram, and what the way of its request reads of it on its way into the cache. With 100,000
/// clients two fifths of a request's time went into waiting for one line after the other (bench `scale`).
fn owners(arrived: &[Arrived<'_>], clients: &Clients) -> [Option<ClientIndex>; BURST] {
    let sources: ArrayVec<IpAddr, BURST> =
        arrived.iter().map(|arrived| arrived.datagram.source.ip()).collect();
    let mut owners = [None; BURST];
    clients.lookup_all(&sources, &mut owners[..sources.len()]);
    let near = owners.iter().flatten().fold(0, |near, &client| near ^ clients.bring_near(client));
    // Without a use the compiler would leave the loads out.
    std::hint::black_box(near);
    owners
}

/// Client, code, attributes: all that can be said without a digest.
#[inline]
fn examine<'a>(
    framed: Framed<'a>,
    owner: Option<ClientIndex>,
    clients: &Clients,
) -> Result<(ClientIndex, Request<'a>), Reason> {
    let client = owner.ok_or(Reason::UnknownClient)?;
    if framed.code() == u8::from(Code::StatusServer) && !clients.get(client).status_server {
        return Err(Reason::StatusServerOff);
    }
    match framed.request() {
        Ok(request) => Ok((client, request)),
        Err(Rejected::UnsupportedCode(code)) => Err(Reason::UnsupportedCode(code)),
        Err(Rejected::Malformed(malformed)) => Err(Reason::Malformed(malformed)),
    }
}

impl<S> Burst<'_, S> {
    fn note_genuine(&mut self, client: ClientIndex) {
        match &mut self.run {
            Some((of, count)) if *of == client => *count += 1,
            _ => {
                self.count_run();
                self.run = Some((client, 1));
            }
        }
    }

    /// All workers share the counter of a client, so that it is written once for a run of requests.
    fn count_run(&mut self) {
        if let Some((client, count)) = self.run.take() {
            self.clients.state(client).count_genuine(count);
        }
    }
}
