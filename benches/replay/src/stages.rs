//! Each stage of a request's way by itself, over the same frames as the whole way: where the nanoseconds go. A stage
//! finds its input as the stage before leaves it, 256 requests at a time, as in the worker.

use std::{
    hint::black_box,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use ingest::{
    capture::{
        BURST, bring_near,
        frame::{Layout, ReplyHeader},
    },
    clients::Clients,
    dedup::{Claim, Duplicates, Hash, Key},
    latency::{self, Stage},
};
use journal::{Batch, CapturePath, NewRecord, Options, Outcome, RealStorage, Retention};
use md5_lanes::{Lanes, Prepared, RequestCheck, ResponseSignature};
use radius::{Framed, Request, response};

use super::frames::{Frames, HEADERS, client_secret};

/// The stages in the order of a request's way.
pub const STAGES: [&str; 9] =
    ["receive", "parse", "lookup", "verify", "duplicates", "append", "sign", "respond", "commit"];

/// What each stage works on, made once.
pub struct Stages {
    frames: Frames,
    secrets: Vec<Prepared>,
    clients: Clients,
    duplicates: Duplicates,
    lanes: Lanes,
    port: journal::Port,
    writer: journal::Writer<RealStorage>,
    recorder: latency::Recorder,
    answers: Vec<u8>,
    /// Varies the authenticators, so that no pass claims what an earlier one has.
    pass: u64,
    now_ns: u64,
    next: usize,
}

/// Rung by the writer; whoever waits here looks by himself.
struct Silent;

impl journal::Wake for Silent {
    fn wake(&self) {}
}

impl Stages {
    /// Over the same frames and clients as the replay; the journal goes to `folder`.
    ///
    /// # Errors
    /// The disk's.
    pub fn new(
        folder: &std::path::Path,
        clients: Clients,
        frames: Frames,
        lanes: Lanes,
    ) -> anyhow::Result<Stages> {
        let storage = RealStorage::create(folder)?;
        let options = Options {
            segment_bytes: 16 << 20,
            retention: Retention { max_bytes: 48 << 20, free_reserve_bytes: 0, ..Retention::default() },
            ..Options::default()
        };
        let mut opened = journal::open(storage, options).map_err(|error| anyhow::anyhow!("{error}"))?;
        let port = opened.writer.port(64, Arc::new(Silent));
        let secrets = (0..clients.len()).map(|number| Prepared::new(&client_secret(number))).collect();
        Ok(Stages {
            frames,
            secrets,
            clients,
            duplicates: Duplicates::new(1 << 20, Duration::from_secs(30)),
            lanes,
            port,
            writer: opened.writer,
            recorder: latency::pair().0,
            answers: vec![0; BURST * 2048],
            pass: 0,
            now_ns: 1 << 40,
            next: 0,
        })
    }

    /// The next burst: places of its frames.
    fn burst(&mut self) -> std::ops::Range<usize> {
        let start = self.next;
        let end = (start + BURST).min(self.frames.len());
        self.next = if end == self.frames.len() { 0 } else { end };
        start..end
    }

    /// Runs one stage over `bursts` bursts, whose frames are as near as `receive` leaves them; returns nanoseconds a
    /// request.
    ///
    /// # Errors
    /// When a stage does not come to its result.
    pub fn run(&mut self, stage: &str, bursts: usize) -> anyhow::Result<f64> {
        let mut requests = 0;
        let mut elapsed = Duration::ZERO;
        for _ in 0..bursts {
            let burst = self.burst();
            requests += burst.len();
            if stage != "receive" {
                self.receive(burst.clone());
            }
            if matches!(stage, "verify" | "sign") {
                // As `lookup` leaves them.
                let secrets = burst.clone().map(|index| &self.secrets[self.frames.clients[index]]);
                black_box(secrets.fold(0, |near, secret| near ^ secret.bring_near()));
            }
            let began = Instant::now();
            match stage {
                "receive" => self.receive(burst),
                "parse" => self.parse(burst)?,
                "lookup" => self.lookup(burst)?,
                "verify" => self.verify(burst)?,
                "duplicates" => self.claim(burst)?,
                "append" => self.append(burst)?,
                "sign" => self.sign(burst)?,
                "respond" => self.respond(burst)?,
                "commit" => self.commit(burst)?,
                other => anyhow::bail!("there is no stage {other}"),
            }
            elapsed += began.elapsed();
        }
        Ok(elapsed.as_nanos() as f64 / requests as f64)
    }

    fn request(&self, index: usize) -> anyhow::Result<Request<'_>> {
        Ok(Framed::parse(&self.frames.frame(index)[HEADERS..])?.request()?)
    }

    /// Frames brought near and their datagrams found.
    fn receive(&self, burst: std::ops::Range<usize>) {
        let near = burst.clone().fold(0, |near, index| near ^ bring_near(self.frames.frame(index)));
        black_box(near);
        for index in burst {
            let _ = black_box(Layout::find(self.frames.frame(index)));
        }
    }

    fn parse(&self, burst: std::ops::Range<usize>) -> anyhow::Result<()> {
        for index in burst {
            black_box(self.request(index)?);
        }
        Ok(())
    }

    fn lookup(&self, burst: std::ops::Range<usize>) -> anyhow::Result<()> {
        let source = |index| {
            let frame = self.frames.frame(index);
            IpAddr::from([frame[26], frame[27], frame[28], frame[29]])
        };
        let sources: Vec<IpAddr> = burst.map(source).collect();
        let mut found = vec![None; sources.len()];
        self.clients.lookup_all(&sources, &mut found);
        let mut near = 0;
        for client in found {
            near ^= self.clients.bring_near(client.context("a client's address")?);
        }
        black_box(near);
        Ok(())
    }

    fn verify(&mut self, burst: std::ops::Range<usize>) -> anyhow::Result<()> {
        let mut checks: Vec<RequestCheck<'_>> = Vec::with_capacity(BURST);
        for index in burst {
            let octets = &self.frames.frame(index)[HEADERS..];
            checks.push(RequestCheck {
                octets,
                secret: &self.secrets[self.frames.clients[index]],
                genuine: false,
            });
        }
        self.lanes.verify_requests(&mut checks);
        anyhow::ensure!(checks.iter().all(|check| check.genuine), "a genuine request did not verify");
        Ok(())
    }

    fn claim(&mut self, burst: std::ops::Range<usize>) -> anyhow::Result<()> {
        self.pass += 1;
        self.now_ns += 50_000;
        let destination = "192.0.2.1:1813".parse()?;
        let mut hashes: Vec<Hash> = Vec::with_capacity(BURST);
        for index in burst {
            let request = &self.frames.frame(index)[HEADERS..];
            let mut authenticator: [u8; 16] = request[4..20].try_into()?;
            authenticator[..8].copy_from_slice(&(self.pass << 16 | index as u64).to_ne_bytes());
            hashes.push(self.duplicates.hash(&Key {
                source: destination,
                destination,
                code: 4,
                identifier: request[1],
                authenticator: &authenticator,
            }));
        }
        black_box(hashes.iter().fold(0, |near, hash| near ^ self.duplicates.touch(hash)));
        for hash in &hashes {
            match self.duplicates.claim(hash, self.now_ns) {
                Claim::New(slot) => self.duplicates.commit(slot, self.now_ns),
                other => anyhow::bail!("a new request is {other:?}"),
            }
        }
        Ok(())
    }

    fn fill(&mut self, burst: std::ops::Range<usize>) -> anyhow::Result<Batch> {
        let mut batch = self.port.take_free().context("a free batch")?;
        let destination = "192.0.2.1:1813".parse()?;
        for index in burst {
            batch.append(&NewRecord {
                arrival_unix_ns: 1_790_000_000_000_000_000,
                source: destination,
                destination,
                path: CapturePath::Xdp,
                client: "vpn-000001",
                octets: &self.frames.frame(index)[HEADERS..],
            })?;
        }
        Ok(batch)
    }

    fn append(&mut self, burst: std::ops::Range<usize>) -> anyhow::Result<()> {
        let batch = self.fill(burst)?;
        self.port.give_back(batch);
        Ok(())
    }

    /// Answers written and signed.
    fn sign(&mut self, burst: std::ops::Range<usize>) -> anyhow::Result<()> {
        let mut signatures: Vec<ResponseSignature<'_>> = Vec::with_capacity(BURST);
        for (octets, index) in self.answers.chunks_mut(2048).zip(burst) {
            let request = Framed::parse(&self.frames.frame(index)[HEADERS..])?.request()?;
            let length =
                response::write_unsigned(&request, octets).map_err(|error| anyhow::anyhow!("{error}"))?;
            let secret = &self.secrets[self.frames.clients[index]];
            signatures.push(ResponseSignature { octets: &mut octets[..length], secret });
        }
        self.lanes.sign_responses(&mut signatures);
        Ok(())
    }

    /// The way back kept, the answer's frame written, both latencies recorded.
    fn respond(&mut self, burst: std::ops::Range<usize>) -> anyhow::Result<()> {
        let answer = [5; 20];
        for (out, index) in self.answers.chunks_mut(2048).zip(burst) {
            let frame = self.frames.frame(index);
            let layout = Layout::find(frame)?;
            let header = black_box(ReplyHeader::to_sender_of(frame, &layout));
            header.write(&answer, out).context("an answer fits")?;
            self.recorder.record(Stage::ArrivalToWorker, 40_000 + index as u64, 1);
            self.recorder.record(Stage::Total, 90_000 + index as u64, 1);
        }
        Ok(())
    }

    /// What `append` does, and then the writer's part: sealed, written, synced, given back.
    fn commit(&mut self, burst: std::ops::Range<usize>) -> anyhow::Result<()> {
        let batch = self.fill(burst)?;
        self.port.submit(batch);
        // As often as in the whole: one commit for so many bursts.
        if self.port.free() + super::BURSTS_PER_COMMIT <= 64 {
            self.writer.turn();
            while let Some((batch, outcome)) = self.port.completed() {
                anyhow::ensure!(outcome != Outcome::Failed, "the journal could not write");
                self.port.give_back(batch);
            }
        }
        Ok(())
    }
}
