//! The table of connections.

use maud::{Markup, html};

use super::text;
use crate::store::SessionRow;

/// Connections of anybody.
pub(super) fn table(rows: &[SessionRow]) -> Markup {
    with(rows, true)
}

/// Connections of one user, who is not said in each row.
pub(super) fn table_of_one(rows: &[SessionRow]) -> Markup {
    with(rows, false)
}

fn with(rows: &[SessionRow], says_user: bool) -> Markup {
    html! {
        @if rows.is_empty() { p { "No connections." } } @else {
            div.wide tabindex="0" role="region" aria-label="Connections" { table.stack {
                caption.unseen { "Connections, the newest first" }
                thead { tr {
                    th scope="col" { "Start" } th scope="col" { "End" }
                    @if says_user { th scope="col" { "User" } }
                    th.figure scope="col" { "Duration" } th scope="col" { "Address" } th scope="col" { "Place" }
                    th scope="col" { "Network" } th scope="col" { "Device" } th scope="col" { "Client software" }
                    th scope="col" { "VPN server" } th scope="col" { "Assigned" } th.figure scope="col" { "Volume" }
                    th scope="col" { "Why it ended" } th scope="col" { "Alert" }
                } }
                tbody { @for row in rows { (line(row, says_user)) } }
            } }
        }
    }
}

/// What the store knows of a connection that moved; said wherever places are those of connections.
pub(super) fn moved() -> Markup {
    html! { p.quiet { "Of a connection that moved: where it was last." } }
}

/// What a VPN server is called.
pub(super) fn server(row: &SessionRow) -> &str {
    row.nas_identifier.as_deref().or(row.nas_address.as_deref()).unwrap_or(&row.client)
}

fn line(row: &SessionRow, says_user: bool) -> Markup {
    let volume = row.input_octets.unwrap_or(0).saturating_add(row.output_octets.unwrap_or(0));
    let place = row.place.as_ref();
    html! {
        tr {
            td data-label="Start" { (text::moment(&row.start)) }
            td data-label="End" { @match &row.end { None => strong { "on line" }, Some(end) => (text::moment(end)) } }
            @if says_user { td data-label="User" { (text::user(row.user.as_deref())) } }
            td.figure data-label="Duration" { (text::duration(row.seconds)) }
            td data-label="Address" { (address(row.remote.as_deref())) }
            td data-label="Place" { @match place {
                Some(place) => a href={ "/connections?place=" (place.id) } { (text::stranger(&place.name)) },
                None => "\u{2013}",
            } }
            td data-label="Network" { (text::maybe(place.and_then(|place| place.network()).as_deref())) }
            td data-label="Device" { (text::device(row.device.as_deref())) }
            td data-label="Client software" { (text::maybe(row.software.as_deref())) }
            td data-label="VPN server" { (text::stranger(server(row))) }
            td data-label="Assigned" { (assigned(&row.assigned)) }
            td.figure data-label="Volume" {
                @if row.input_octets.is_some() || row.output_octets.is_some() {
                    (text::octets(u64::try_from(volume).unwrap_or(0)))
                } @else { "\u{2013}" }
            }
            td data-label="Why it ended" { (text::maybe(row.terminate_cause.as_deref().or(row.end_reason.as_deref()))) }
            td data-label="Alert" { @match row.alert { Some(alert) => a href={ "/alerts/" (alert) } { (alert) }, None => "\u{2013}" } }
        }
    }
}

/// Ways to the connections that had these addresses inside the tunnel.
fn assigned(addresses: &[String]) -> Markup {
    html! {
        @if addresses.is_empty() { "\u{2013}" }
        @for (at, address) in addresses.iter().enumerate() {
            @if at > 0 { ", " }
            a href={ "/connections?assigned=" (super::people::query_part(address)) } { (text::stranger(address)) }
        }
    }
}

/// A way to the connections from an address.
pub(super) fn address(address: Option<&str>) -> Markup {
    match address {
        Some(address) => {
            html! { a href={ "/connections?remote=" (super::people::query_part(address)) } { (text::stranger(address)) } }
        }
        None => html! { "\u{2013}" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::PlaceRow;

    fn whole() -> SessionRow {
        SessionRow {
            number: 7,
            start: "2026-09-21T14:13:20.000000Z".to_owned(),
            start_source: "start".to_owned(),
            end: Some("2026-09-21T16:43:20.000000Z".to_owned()),
            end_reason: Some("stop".to_owned()),
            terminate_cause: Some("Idle-Timeout".to_owned()),
            last_seen: "2026-09-21T16:43:20.000000Z".to_owned(),
            seconds: 9000,
            user: Some("alice".to_owned()),
            user_original: Some("CONTOSO\\Alice".to_owned()),
            remote: Some("203.0.113.7".to_owned()),
            place: Some(PlaceRow {
                id: 3,
                name: "Lyon, FR".to_owned(),
                country: Some("FR".to_owned()),
                region: None,
                city: Some("Lyon".to_owned()),
                site: None,
                latitude: None,
                longitude: None,
                radius_km: None,
                asn: Some(3215),
                organisation: Some("Orange S.A.".to_owned()),
                kinds: Vec::new(),
            }),
            assigned: vec!["10.1.2.3".to_owned(), "2001:db8::/64".to_owned()],
            client: "gateways".to_owned(),
            nas_identifier: Some("gw1".to_owned()),
            nas_address: Some("192.0.2.10".to_owned()),
            session: "0000002A".to_owned(),
            device: Some("PC-7".to_owned()),
            software: Some("AnyConnect 5.1".to_owned()),
            operating_system: None,
            group: None,
            input_octets: Some(1 << 20),
            output_octets: Some(1 << 19),
            alert: Some(12),
            start_unix_ns: 0,
        }
    }

    /// What a reader sees of some markup.
    fn words(markup: &str) -> String {
        let outside = markup.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
        outside.collect::<String>().replace("\u{2068}", "").replace("\u{2069}", "")
    }

    /// The heading of each column with what stands below it, which a narrow page has as the label beside it.
    fn columns(page: &str) -> Vec<(String, String)> {
        let headings: Vec<String> = page
            .split("scope=\"col\">")
            .skip(1)
            .map(|rest| rest.split_once("</th>").unwrap().0.to_owned())
            .collect();
        let cells: Vec<(&str, String)> = page
            .split("data-label=\"")
            .skip(1)
            .map(|rest| {
                let (label, rest) = rest.split_once("\">").unwrap();
                (label, words(rest.split_once("</td>").unwrap().0).trim().to_owned())
            })
            .collect();
        assert_eq!(headings, cells.iter().map(|(label, _)| *label).collect::<Vec<_>>());
        headings.into_iter().zip(cells).map(|(heading, (_, text))| (heading, text)).collect()
    }

    #[test]
    fn a_row_has_all_of_a_connection_each_below_its_heading() {
        let pair = |(heading, text): (&str, &str)| (heading.to_owned(), text.to_owned());
        let shown = [
            ("Start", "2026-09-21 14:13 UTC"),
            ("End", "2026-09-21 16:43 UTC"),
            ("User", "alice"),
            ("Duration", "2 h 30 min"),
            ("Address", "203.0.113.7"),
            ("Place", "Lyon, FR"),
            ("Network", "AS3215 Orange S.A."),
            ("Device", "PC-7"),
            ("Client software", "AnyConnect 5.1"),
            ("VPN server", "gw1"),
            ("Assigned", "10.1.2.3, 2001:db8::/64"),
            ("Volume", "1.5 MiB"),
            ("Why it ended", "Idle-Timeout"),
            ("Alert", "12"),
        ];
        assert_eq!(columns(&table(&[whole()]).into_string()), shown.map(pair));
        let of_one: Vec<_> = shown.into_iter().filter(|(heading, _)| *heading != "User").map(pair).collect();
        assert_eq!(columns(&table_of_one(&[whole()]).into_string()), of_one);
    }

    #[test]
    fn what_is_not_known_of_a_connection_is_a_dash_and_not_nothing() {
        let bare = SessionRow {
            end: None,
            end_reason: None,
            terminate_cause: None,
            user: None,
            remote: None,
            place: None,
            assigned: Vec::new(),
            nas_identifier: None,
            nas_address: None,
            device: None,
            software: None,
            input_octets: None,
            output_octets: None,
            alert: None,
            ..whole()
        };
        let shown = columns(&table(&[bare]).into_string());
        let dashes = shown.iter().filter(|(_, text)| text == "\u{2013}").count();
        let said: Vec<&str> =
            shown.iter().map(|(_, text)| &**text).filter(|text| *text != "\u{2013}").collect();
        assert_eq!(said, ["2026-09-21 14:13 UTC", "on line", "2 h 30 min", "gateways"], "{shown:?}");
        assert_eq!(dashes, shown.len() - said.len());
    }
}
