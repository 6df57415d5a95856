//! A batch of any messages under any secrets through every path of this processor, against `md-5` one by one.
#![no_main]

use hmac::{Hmac, KeyInit as _, Mac as _};
use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};
use md5::{Digest as _, Md5};
use md5_lanes::{Lanes, MessageCheck, Path, Prepared, RequestCheck, ResponseSignature};

#[derive(Arbitrary, Debug)]
struct Message<'a> {
    octets: &'a [u8],
    /// Octets to lengthen it by: the fuzzer does not write thousands.
    longer: u16,
    secret: u8,
    offset: u16,
    keeps_authenticator: bool,
    /// Whether its authenticators are made right first.
    genuine: bool,
}

#[derive(Arbitrary, Debug)]
struct Batch<'a> {
    secrets: [&'a [u8]; 4],
    longer: u8,
    messages: Vec<Message<'a>>,
    /// How often the messages come, so that vectors fill.
    times: u8,
}

fn request_digest(octets: &[u8], secret: &[u8]) -> [u8; 16] {
    Md5::digest([&octets[..4], &[0; 16], &octets[20..], secret].concat()).into()
}

fn message_digest(octets: &[u8], offset: usize, keeps: bool, secret: &[u8]) -> [u8; 16] {
    let mut octets = octets.to_vec();
    octets[offset..offset + 16].fill(0);
    if !keeps {
        octets[4..20].fill(0);
    }
    let mut mac = Hmac::<Md5>::new_from_slice(secret).expect("any length");
    mac.update(&octets);
    mac.finalize().into_bytes().into()
}

fuzz_target!(|batch: Batch<'_>| {
    let mut secrets: Vec<Vec<u8>> = batch.secrets.iter().map(|secret| secret.to_vec()).collect();
    // One of them reaches over the block boundaries.
    let longer = secrets[0].len() + usize::from(batch.longer);
    secrets[0].resize(longer, 0x5A);
    let prepared: Vec<Prepared> = secrets.iter().map(|secret| Prepared::new(secret)).collect();
    let messages = batch.messages.iter().cycle().take(batch.messages.len() * (1 + usize::from(batch.times % 40)));
    let messages: Vec<(Vec<u8>, usize, &Message<'_>)> = messages
        .take(300)
        .map(|message| {
            let mut octets = message.octets.to_vec();
            octets.resize((octets.len() + usize::from(message.longer % 700)).min(4096), 0xA5);
            (octets, usize::from(message.secret) % secrets.len(), message)
        })
        .collect();
    for mut lanes in Path::ALL.into_iter().filter_map(|path| Lanes::new(path).ok()) {
        let mut signed: Vec<Vec<u8>> = messages.iter().map(|(octets, ..)| octets.clone()).collect();
        let mut responses: Vec<_> = signed
            .iter_mut()
            .zip(&messages)
            .map(|(octets, (_, secret, _))| ResponseSignature { octets, secret: &prepared[*secret] })
            .collect();
        lanes.sign_responses(&mut responses);
        for (signed, (octets, secret, _)) in signed.iter().zip(&messages) {
            if octets.len() < 20 {
                assert_eq!(signed, octets);
            } else {
                let digest = Md5::digest([octets.as_slice(), &secrets[*secret]].concat());
                assert_eq!(*signed, [&octets[..4], &digest[..], &octets[20..]].concat());
            }
        }

        let requests: Vec<Vec<u8>> = messages
            .iter()
            .map(|(octets, secret, message)| {
                let mut octets = octets.clone();
                if message.genuine && octets.len() >= 20 {
                    let digest = request_digest(&octets, &secrets[*secret]);
                    octets[4..20].copy_from_slice(&digest);
                }
                octets
            })
            .collect();
        let mut checks: Vec<_> = requests
            .iter()
            .zip(&messages)
            .map(|(octets, (_, secret, message))| RequestCheck {
                octets,
                secret: &prepared[*secret],
                genuine: !message.genuine,
            })
            .collect();
        lanes.verify_requests(&mut checks);
        for (check, (_, secret, _)) in checks.iter().zip(&messages) {
            let octets = check.octets;
            let right = octets.len() >= 20 && octets[4..20] == request_digest(octets, &secrets[*secret]);
            assert_eq!(check.genuine, right && !secrets[*secret].is_empty());
        }

        let possible = |octets: &[u8], offset: usize| offset >= 20 && offset + 16 <= octets.len();
        let packets: Vec<Vec<u8>> = messages
            .iter()
            .map(|(octets, secret, message)| {
                let (mut octets, offset) = (octets.clone(), usize::from(message.offset));
                if message.genuine && possible(&octets, offset) {
                    let digest =
                        message_digest(&octets, offset, message.keeps_authenticator, &secrets[*secret]);
                    octets[offset..offset + 16].copy_from_slice(&digest);
                }
                octets
            })
            .collect();
        let mut checks: Vec<_> = packets
            .iter()
            .zip(&messages)
            .map(|(octets, (_, secret, message))| MessageCheck {
                octets,
                secret: &prepared[*secret],
                offset: usize::from(message.offset),
                keeps_authenticator: message.keeps_authenticator,
                genuine: !message.genuine,
            })
            .collect();
        lanes.verify_messages(&mut checks);
        for (check, (_, secret, _)) in checks.iter().zip(&messages) {
            let secret = &secrets[*secret];
            let right = possible(check.octets, check.offset) && {
                let digest = message_digest(check.octets, check.offset, check.keeps_authenticator, secret);
                check.octets[check.offset..check.offset + 16] == digest
            };
            assert_eq!(check.genuine, right && !secret.is_empty());
        }
    }
});
