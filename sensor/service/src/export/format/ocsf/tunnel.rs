//! Tunnel Activity (4014): a connection is opened, renewed, closed.

use serde_json::{Value, json};

use super::{
    Classified, base, ms,
    parts::{self, Observable, observable},
    with,
};
use crate::{
    alert::Severity,
    export::format::{
        Source,
        text::sentence,
        told::{Tunnel, TunnelActivity},
    },
};

const CLASS: u32 = 4014;

pub(super) fn tunnel(activity: &TunnelActivity, source: &Source) -> Value {
    let TunnelActivity { client, server_address, .. } = activity;
    let number = match activity.what {
        Tunnel::Open => 1,
        Tunnel::Close => 2,
        Tunnel::Renew => 3,
    };
    let classified = Classified {
        class: CLASS,
        activity: number,
        severity: Severity::Informational,
        unix_ns: activity.unix_ns,
    };
    let (server, device) = (activity.server.as_deref(), activity.device.as_deref());
    let mut assigned = activity.assigned.iter();
    let observables = [
        observable(Observable::Address, "src_endpoint.ip", client.address.map(|address| address.to_string())),
        observable(Observable::UserName, "user.name", activity.user.clone()),
        observable(Observable::Hostname, "src_endpoint.name", activity.device.clone()),
        observable(Observable::Address, "tunnel_interface.ip", assigned.next().map(ToString::to_string)),
    ];
    let is_closed = activity.what == Tunnel::Close;
    let traffic = traffic(activity);
    let more = json!({
        "message": sentence(activity),
        "start_time": ms(activity.start_unix_ns),
        "end_time": is_closed.then(|| ms(activity.unix_ns)),
        "duration": is_closed.then(|| ms(activity.unix_ns.saturating_sub(activity.start_unix_ns))),
        "status_id": 1,
        "status_detail": activity.terminate_cause,
        "user": activity.user.as_deref().map(parts::user),
        "src_endpoint": parts::source_endpoint(client, device),
        "dst_endpoint": parts::server_endpoint(server, *server_address),
        "device": parts::server_device(server, *server_address),
        "session": {
            "uid": activity.session_id,
            "created_time": ms(activity.start_unix_ns),
            "is_remote": true,
            "is_vpn": true,
            "expiration_reason": activity.end_reason,
        },
        "tunnel_interface": activity.assigned.first().map(|ip| json!({"ip": ip, "type_id": 4})),
        "tunnel_type_id": 0,
        "cumulative_traffic": traffic,
        // Others than the last have none: who adds them up gets the connection's total.
        "traffic": traffic.as_ref().filter(|_| is_closed),
        "observables": observables,
        "unmapped": {
            "user_original": activity.user_original,
            "software": activity.software,
            "assigned": (activity.assigned.len() > 1).then_some(&activity.assigned),
        },
    });
    with(base(&classified, None, source), more)
}

/// Out of the client is out, as the schema has it.
fn traffic(activity: &TunnelActivity) -> Option<Value> {
    let (out, into) = (activity.input_octets, activity.output_octets);
    if out.is_none() && into.is_none() {
        return None;
    }
    let both = out.unwrap_or(0).saturating_add(into.unwrap_or(0));
    Some(json!({"bytes_out": out, "bytes_in": into, "bytes": both}))
}
