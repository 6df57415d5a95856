//! Letters: through which server, from whom, to whom.

pub use lettre::message::Mailbox;

use super::{Secret, Trust};

/// A person's address: `security@contoso.example`, or with a name in front.
///
/// # Errors
/// It is none.
pub fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| format!("{text:?} is no mail address such as \"security@contoso.example\""))
}

/// A server and whom it sends to.
#[derive(Debug, Clone, PartialEq)]
pub struct MailSettings {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Over TLS, and whom to trust; none: in the clear.
    pub tls: Option<Trust>,
    /// Who it is from.
    pub from: Mailbox,
    /// Who gets it.
    pub to: Vec<Mailbox>,
    /// Who logs in; none: nobody does.
    pub login: Option<(String, Secret)>,
}
