//! The lines of `replay`: one a datagram, in the order of the file, printed once its verdict is known.

use std::{
    collections::VecDeque,
    iter,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use ingest::{
    capture::{Datagram, FrameError, pcap::Defect},
    notice::Reason,
    verdict::Verdict,
    worker::Observer,
};
use radius::{Framed, Request, attribute::kind, dictionary};
use serde::Serialize;

/// One datagram and what became of it.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    /// From 1.
    n: u64,
    src: Option<SocketAddr>,
    id: Option<u8>,
    verdict: Option<&'static str>,
    nas: Option<String>,
    status: Option<String>,
    user: Option<String>,
    error: Option<String>,
}

impl Line {
    /// The datagram's number, if it was recorded.
    pub(super) fn accepted(&self) -> Option<u64> {
        (self.verdict == Some(Verdict::Accepted.name())).then_some(self.n)
    }
}

/// Lines that wait for a verdict: at most those of one burst, because `replay` lets the journal finish after each.
#[derive(Debug, Default)]
pub(super) struct Lines {
    waiting: VecDeque<Line>,
    verdicts: [u64; Verdict::ALL.len()],
}

impl Lines {
    /// How often each verdict was given, in the order of [`Verdict::ALL`].
    pub(super) fn verdicts(&self) -> &[u64; Verdict::ALL.len()] {
        &self.verdicts
    }

    /// Adds what only the source knows of datagrams that are not whole.
    pub(super) fn explain(&mut self, defects: &[Defect]) {
        for defect in defects {
            if let Some(line) = self.find(defect.route.number) {
                line.src = Some(defect.route.source);
                line.error = Some(defect.kind.to_string());
            }
        }
    }

    /// Takes the lines up to the first one without a verdict.
    pub(super) fn ready(&mut self) -> impl Iterator<Item = Line> {
        iter::from_fn(|| self.waiting.pop_front_if(|line| line.verdict.is_some()))
    }

    fn find(&mut self, n: u64) -> Option<&mut Line> {
        let first = self.waiting.front()?.n;
        self.waiting.get_mut(usize::try_from(n.checked_sub(first)?).ok()?)
    }
}

impl Observer for Lines {
    fn datagram(&mut self, number: u64, datagram: &Result<Datagram<'_>, FrameError>) {
        let mut line = Line {
            n: number + 1,
            src: None,
            id: None,
            verdict: None,
            nas: None,
            status: None,
            user: None,
            error: None,
        };
        if let Ok(datagram) = datagram {
            line.src = Some(datagram.source);
            // The identifier is shown even of what is no RADIUS packet otherwise: it helps to find it in the capture.
            line.id = datagram.payload.get(1).copied();
            if let Ok(request) = Framed::parse(datagram.payload)
                .map_err(|_| ())
                .and_then(|framed| framed.request().map_err(|_| ()))
            {
                line.nas = nas(&request);
                line.status = request.status_type().map(|status| {
                    let name = dictionary::value_name(kind::ACCT_STATUS_TYPE, status);
                    name.map_or_else(|| status.to_string(), str::to_owned)
                });
                line.user = request.first(kind::USER_NAME).map(|user| dictionary::escaped(user).to_string());
            }
        }
        self.waiting.push_back(line);
    }

    fn verdict(&mut self, number: u64, verdict: Verdict, reason: Option<Reason>) {
        self.verdicts[verdict as usize] += 1;
        if let Some(line) = self.find(number + 1) {
            line.verdict = Some(verdict.name());
            line.error = match (verdict, reason) {
                (_, Some(reason)) => Some(reason.to_string()),
                (Verdict::Duplicate, None) => {
                    Some("a retransmission of a request that is recorded".to_owned())
                }
                _ => None,
            };
        }
    }
}

/// Who the request says sent it: identifier, else address.
fn nas(request: &Request<'_>) -> Option<String> {
    let v4 =
        |octets: &[u8]| <[u8; 4]>::try_from(octets).ok().map(|octets| Ipv4Addr::from(octets).to_string());
    let v6 =
        |octets: &[u8]| <[u8; 16]>::try_from(octets).ok().map(|octets| Ipv6Addr::from(octets).to_string());
    request
        .first(kind::NAS_IDENTIFIER)
        .map(|name| dictionary::escaped(name).to_string())
        .or_else(|| request.first(kind::NAS_IP_ADDRESS).and_then(v4))
        .or_else(|| request.first(kind::NAS_IPV6_ADDRESS).and_then(v6))
}
