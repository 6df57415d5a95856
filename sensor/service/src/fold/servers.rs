//! How VPN servers are named: to sightings, and to people. Made once for each server, since it is asked at each connection.

use std::borrow::Cow;

use insight::vpn::session::{Server, ServerNumber};

/// By what sightings know a VPN server: its parts, joined by a character that no decoded text holds.
fn server_name(server: &Server) -> String {
    let address = server.address.map(|address| address.to_string()).unwrap_or_default();
    format!("{}\n{}\n{address}", server.client, server.identifier.as_deref().unwrap_or_default())
}

/// A VPN server as people know it: by its own name, else by its address, else as the configuration names the client.
pub(crate) fn server_label(server: &Server) -> Cow<'_, str> {
    match (&server.identifier, server.address) {
        (Some(identifier), _) => Cow::Borrowed(identifier),
        (None, Some(address)) => Cow::Owned(address.to_string()),
        (None, None) => Cow::Borrowed(&server.client),
    }
}

/// The names of one.
#[derive(Debug)]
struct Names {
    name: Box<str>,
    label: Box<str>,
}

/// The names of those that were asked for, by number: a number is one server's for as long as there are sessions. As many
/// as there are servers, which are bounded.
#[derive(Debug, Default)]
pub(super) struct ServerNames(Vec<Option<Names>>);

impl ServerNames {
    /// Makes its names, unless they are there.
    pub(super) fn know(&mut self, number: ServerNumber, server: &Server) {
        let at = number.0 as usize;
        if self.0.len() <= at {
            self.0.resize_with(at + 1, || None);
        }
        self.0[at].get_or_insert_with(|| Names {
            name: server_name(server).into(),
            label: server_label(server).into(),
        });
    }

    /// By what sightings know it.
    pub(super) fn name(&self, number: ServerNumber) -> Option<&str> {
        self.of(number).map(|names| &*names.name)
    }

    /// As people know it.
    pub(super) fn label(&self, number: ServerNumber) -> Option<&str> {
        self.of(number).map(|names| &*names.label)
    }

    fn of(&self, number: ServerNumber) -> Option<&Names> {
        self.0.get(number.0 as usize)?.as_ref()
    }
}
