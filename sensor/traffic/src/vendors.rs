//! What each vendor puts into its requests.
//!
//! Confirmed by public sources: the Microsoft attributes (MS-RNAP), F5's Tunnel-Client-Endpoint, Cisco's AV pairs, the
//! untagged Tunnel-Client-Endpoint and the VPN 3000 attributes. RRAS' session-id form, F5's and Check Point's other
//! attributes are the usual standard ones, not confirmed.
//!
//! When something happened, RRAS and ASA say by Event-Timestamp: a column of NPS' accounting, and in the ASA's requests as
//! ISE logs them. Of F5 and Check Point no source shows one. They say it by Acct-Delay-Time alone, as any client may that
//! had to wait for an answer (RFC 2866 section 5.2).

use radius::attribute::kind;

use super::{Attribute, Device, Moment, Session, Status, Vendor, people::Dice};

const MICROSOFT: u32 = 311;
const CISCO: u32 = 9;
const CISCO_VPN3000: u32 = 3076;

/// Microsoft's enterprise number and 1 (MS-RNAP 2.2.1).
pub(super) const TUNNEL_SSTP: u32 = 0x0001_3701;
/// As IKEv2 tunnels say.
pub(super) const TUNNEL_ESP: u32 = 9;
pub(super) const TUNNEL_L2TP: u32 = 3;

pub(super) fn user_name(vendor: Vendor, person: &str) -> String {
    match vendor {
        Vendor::Rras => format!("EXAMPLE\\{person}"),
        Vendor::F5 => format!("{person}@vpn.example"),
        Vendor::CheckPoint | Vendor::Asa => person.to_owned(),
    }
}

pub(super) fn nas_identifier(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Rras => "RRAS-1",
        Vendor::F5 => "bigip-1.vpn.example",
        Vendor::CheckPoint => "cp-gw-1",
        Vendor::Asa => "asa-1",
    }
}

pub(super) fn session_id(vendor: Vendor, seed: u64, number: u64) -> String {
    match vendor {
        // A small counter that begins again when the service restarts.
        Vendor::Rras => (seed % 10_000).wrapping_add(number).wrapping_add(1).to_string(),
        Vendor::F5 | Vendor::Asa => format!("{:08X}", (seed << 24).wrapping_add(number) & 0xffff_ffff),
        Vendor::CheckPoint => format!("{:016x}", Dice::new(seed, number).roll()),
    }
}

pub(super) fn attributes(session: &Session, status: Status, moment: Moment) -> Vec<Attribute> {
    let Some(status_type) = status.acct_status_type() else {
        return vec![
            Attribute::new(kind::NAS_IDENTIFIER, session.nas_identifier.as_bytes()),
            // RFC 5997 section 3: a Status-Server must carry one.
            Attribute::new(kind::MESSAGE_AUTHENTICATOR, Vec::new()),
        ];
    };
    let mut list = vec![
        Attribute::integer(kind::ACCT_STATUS_TYPE, status_type),
        Attribute::ipv4(kind::NAS_IP_ADDRESS, session.nas),
        Attribute::new(kind::NAS_IDENTIFIER, session.nas_identifier.as_bytes()),
        Attribute::new(kind::ACCT_SESSION_ID, session.session_id.as_bytes()),
        Attribute::integer(kind::ACCT_DELAY_TIME, moment.delay_s),
    ];
    if matches!(session.vendor, Vendor::Rras | Vendor::Asa) {
        list.push(Attribute::integer(kind::EVENT_TIMESTAMP, moment.unix_s));
    }
    if matches!(status, Status::AccountingOn | Status::AccountingOff) {
        return list;
    }
    list.push(Attribute::new(kind::USER_NAME, session.user.as_bytes()));
    list.push(Attribute::integer(kind::ACCT_AUTHENTIC, 1));
    // 5 Virtual: the mark of a VPN.
    list.push(Attribute::integer(kind::NAS_PORT_TYPE, 5));
    match session.vendor {
        Vendor::Rras => rras(session, &mut list),
        Vendor::F5 => f5(session, status, &mut list),
        Vendor::CheckPoint => check_point(session, &mut list),
        Vendor::Asa => asa(session, &mut list),
    }
    if status != Status::Start {
        volume(session, moment.elapsed_s, &mut list);
    }
    if status == Status::Stop {
        list.push(Attribute::integer(kind::ACCT_TERMINATE_CAUSE, session.terminate_cause));
    }
    list
}

fn framed(session: &Session, list: &mut Vec<Attribute>) {
    list.push(Attribute::integer(kind::SERVICE_TYPE, 2));
    list.push(Attribute::integer(kind::FRAMED_PROTOCOL, 1));
    list.push(Attribute::ipv4(kind::FRAMED_IP_ADDRESS, session.assigned));
    list.push(Attribute::integer(kind::NAS_PORT, port(session)));
}

fn port(session: &Session) -> u32 {
    // Ports of VPN servers are small numbers that come round again.
    (session.number % 65_536) as u32
}

fn rras(session: &Session, list: &mut Vec<Attribute>) {
    framed(session, list);
    list.extend([
        Attribute::tagged_integer(kind::TUNNEL_TYPE, 0, session.tunnel_type),
        Attribute::tagged_integer(kind::TUNNEL_MEDIUM_TYPE, 0, 1),
        Attribute::tagged_text(kind::TUNNEL_CLIENT_ENDPOINT, 0, &session.calling_station_id),
        Attribute::tagged_text(kind::TUNNEL_SERVER_ENDPOINT, 0, &session.nas.to_string()),
        Attribute::new(kind::CALLING_STATION_ID, session.calling_station_id.as_bytes()),
        Attribute::new(kind::CALLED_STATION_ID, session.nas.to_string()),
        Attribute::new(kind::ACCT_MULTI_SESSION_ID, session.session_id.as_bytes()),
        Attribute::integer(kind::ACCT_LINK_COUNT, 1),
        Attribute::of_vendor(MICROSOFT, 9, MICROSOFT.to_be_bytes()),
        Attribute::of_vendor(MICROSOFT, 18, *b"MSRASV5.20"),
        // 5 EAP, 13 TLS.
        Attribute::of_vendor(MICROSOFT, 23, 5u32.to_be_bytes()),
        Attribute::of_vendor(MICROSOFT, 24, 13u32.to_be_bytes()),
        Attribute::of_vendor(MICROSOFT, 56, correlation_id(session)),
    ]);
    // The client's name comes from PPP, which IKEv2 does not speak.
    if session.tunnel_type != TUNNEL_ESP {
        list.push(Attribute::of_vendor(MICROSOFT, 34, format!("MSRAS-0-{}", session.device.name)));
        list.push(Attribute::of_vendor(MICROSOFT, 35, *b"MSRASV5.20"));
    }
}

fn correlation_id(session: &Session) -> String {
    let mut dice = Dice::new(0, session.number);
    let (high, low) = (dice.roll(), dice.roll());
    let groups = (high >> 32, (high >> 16) & 0xffff, high & 0xffff, low >> 48, low & 0xffff_ffff_ffff);
    format!("{{{:08X}-{:04X}-{:04X}-{:04X}-{:012X}}}", groups.0, groups.1, groups.2, groups.3, groups.4)
}

fn f5(session: &Session, status: Status, list: &mut Vec<Attribute>) {
    list.push(Attribute::integer(kind::SERVICE_TYPE, 2));
    list.push(Attribute::new(kind::TUNNEL_CLIENT_ENDPOINT, session.calling_station_id.as_bytes()));
    // The Start is sent while the access policy runs, before the tunnel has an address.
    if status != Status::Start {
        list.push(Attribute::ipv4(kind::FRAMED_IP_ADDRESS, session.assigned));
    }
}

fn check_point(session: &Session, list: &mut Vec<Attribute>) {
    framed(session, list);
    list.push(Attribute::new(kind::CALLING_STATION_ID, session.calling_station_id.as_bytes()));
}

fn asa(session: &Session, list: &mut Vec<Attribute>) {
    framed(session, list);
    let address = &session.calling_station_id;
    let Device { name, hardware, model, platform, platform_version, agent } = &session.device;
    let mut dice = Dice::new(1, session.number);
    list.extend([
        Attribute::new(kind::CLASS, format!("CACS:{}:{:016x}", session.nas_identifier, dice.roll())),
        Attribute::new(kind::CALLED_STATION_ID, session.nas.to_string()),
        Attribute::new(kind::CALLING_STATION_ID, address.as_bytes()),
        // Without a tag octet, as the ASA sends it.
        Attribute::new(kind::TUNNEL_CLIENT_ENDPOINT, address.as_bytes()),
    ]);
    let pairs = [
        format!("mdm-tlv=device-platform={platform}"),
        format!("mdm-tlv=device-mac={hardware}"),
        format!("mdm-tlv=device-public-mac={hardware}"),
        format!("mdm-tlv=ac-user-agent={agent}"),
        // The blank at the end is the ASA's.
        format!("mdm-tlv=device-platform-version={platform_version} "),
        format!("mdm-tlv=device-type={model}"),
        format!("mdm-tlv=device-uid={name}"),
        format!("audit-session-id=c6336404{}", session.session_id.to_lowercase()),
        format!("ip:source-ip={address}"),
        "coa-push=true".to_owned(),
    ];
    list.extend(pairs.into_iter().map(|pair| Attribute::of_vendor(CISCO, 1, pair)));
    list.extend([
        Attribute::of_vendor(CISCO_VPN3000, 146, *b"STAFF-VPN"),
        // AnyConnect client over SSL, a tunnel by the client.
        Attribute::of_vendor(CISCO_VPN3000, 150, 2u32.to_be_bytes()),
        Attribute::of_vendor(CISCO_VPN3000, 151, 1u32.to_be_bytes()),
        Attribute::of_vendor(CISCO_VPN3000, 152, 3u32.to_be_bytes()),
    ]);
}

fn volume(session: &Session, elapsed_s: u32, list: &mut Vec<Attribute>) {
    let (from, to) = session.octets_per_second;
    let (from, to) = (from * u64::from(elapsed_s), to * u64::from(elapsed_s));
    let low = |octets: u64| (octets & 0xffff_ffff) as u32;
    list.extend([
        Attribute::integer(kind::ACCT_SESSION_TIME, elapsed_s),
        Attribute::integer(kind::ACCT_INPUT_OCTETS, low(from)),
        Attribute::integer(kind::ACCT_OUTPUT_OCTETS, low(to)),
        Attribute::integer(kind::ACCT_INPUT_PACKETS, low(from / 600)),
        Attribute::integer(kind::ACCT_OUTPUT_PACKETS, low(to / 1100)),
    ]);
    for (kind, octets) in [(kind::ACCT_INPUT_GIGAWORDS, from), (kind::ACCT_OUTPUT_GIGAWORDS, to)] {
        if octets >> 32 > 0 {
            list.push(Attribute::integer(kind, low(octets >> 32)));
        }
    }
}
