//! Objects that several classes share. Members without a value are null here and left out at the end.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::export::format::Client;

/// `alice@contoso.example` is alice of contoso.example.
pub(super) fn user(key: &str) -> Value {
    match key.rsplit_once('@') {
        Some((name, domain)) if !name.is_empty() && !domain.is_empty() => {
            json!({"name": name, "domain": domain, "uid": key})
        }
        _ => json!({"name": key, "uid": key}),
    }
}

/// The client's end: it has an address or a name at least.
pub(super) fn source_endpoint(client: &Client, device: Option<&str>) -> Value {
    let system = json!({"number": client.asn, "name": client.organisation});
    let is_system = client.asn.is_some() || client.organisation.is_some();
    let is_nobody = client.address.is_none() && device.is_none();
    json!({
        "ip": client.address,
        "name": if is_nobody { Some("unknown") } else { device },
        "location": location(client),
        "autonomous_system": is_system.then_some(system),
        "isp": client.organisation,
    })
}

/// None without a country, region or city: the schema wants one.
fn location(client: &Client) -> Option<Value> {
    let Client { place, country, region, city, latitude, longitude, radius_km, .. } = client;
    if country.is_none() && region.is_none() && city.is_none() {
        return None;
    }
    let accuracy = radius_km.map(|radius| format!("{radius} km"));
    Some(json!({
        "desc": place, "country": country, "region": region, "city": city,
        "lat": latitude, "long": longitude, "horizontal_accuracy": accuracy,
    }))
}

/// The VPN server: the connection's other end, and who reports it.
pub(super) fn server_endpoint(name: Option<&str>, address: Option<IpAddr>) -> Value {
    json!({"name": name.unwrap_or("unknown"), "ip": address})
}

pub(super) fn server_device(name: Option<&str>, address: Option<IpAddr>) -> Value {
    json!({"name": name.unwrap_or("unknown"), "ip": address, "type_id": 99, "type": "VPN server"})
}

/// The user's device: what sort of one is not told.
pub(super) fn device(name: &str) -> Value {
    json!({"name": name, "type_id": 0})
}

/// Sorts of observables that others search for.
#[derive(Clone, Copy)]
pub(super) enum Observable {
    Hostname = 1,
    Address = 2,
    UserName = 4,
}

pub(super) fn observable(sort: Observable, name: &str, value: Option<String>) -> Option<Value> {
    value.map(|value| json!({"type_id": sort as u8, "name": name, "value": value}))
}
