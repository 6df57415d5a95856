//! Requests that the tests send. Each is told apart by its Acct-Session-Id, so that a record can be found again.

use radius::Code;
use radius::build::RequestBuilder;

/// Acct-Status-Type, the values that tests use (RFC 2866 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 1
    Start = 1,
    /// 2
    Stop = 2,
    /// 3
    Interim = 3,
    /// 7
    On = 7,
    /// 8
    Off = 8,
}

/// Attribute numbers used by tests.
pub mod kind {
    /// User-Name
    pub const USER_NAME: u8 = 1;
    /// User-Password
    pub const USER_PASSWORD: u8 = 2;
    /// NAS-Identifier
    pub const NAS_IDENTIFIER: u8 = 32;
    /// Proxy-State
    pub const PROXY_STATE: u8 = 33;
    /// Acct-Status-Type
    pub const STATUS_TYPE: u8 = 40;
    /// Acct-Session-Id
    pub const SESSION_ID: u8 = 44;
}

/// An Accounting-Request of a session, sealed with `secret`.
pub fn accounting(status: Status, identifier: u8, session: &str, secret: &str) -> Vec<u8> {
    with(status, identifier, session, secret, |_| {})
}

/// A Start of a session, sealed with `secret`.
pub fn start(identifier: u8, session: &str, secret: &str) -> Vec<u8> {
    accounting(Status::Start, identifier, session, secret)
}

/// An Accounting-Request with more attributes behind the usual ones.
pub fn with(
    status: Status,
    identifier: u8,
    session: &str,
    secret: &str,
    more: impl FnOnce(&mut RequestBuilder<'_>),
) -> Vec<u8> {
    let mut buffer = [0; radius::MAX_LENGTH];
    let mut builder = RequestBuilder::new(&mut buffer, Code::AccountingRequest, identifier);
    builder.integer(kind::STATUS_TYPE, status as u32);
    builder.text(kind::SESSION_ID, session).text(kind::NAS_IDENTIFIER, "gateway");
    if !matches!(status, Status::On | Status::Off) {
        builder.text(kind::USER_NAME, "alice@contoso.example");
    }
    more(&mut builder);
    builder.seal(secret.as_bytes()).expect("a request that fits").to_vec()
}

/// A request of exactly `length` octets: padded with attributes of an unassigned type.
pub fn of_length(length: usize, identifier: u8, session: &str, secret: &str) -> Vec<u8> {
    let used = start(identifier, session, secret).len();
    with(Status::Start, identifier, session, secret, |builder| {
        let mut missing = length - used;
        while missing > 0 {
            // Never leave a rest too small for an attribute.
            let take = if missing > 255 { (missing - 2).min(255) } else { missing };
            assert!(take >= 2, "a length that attributes can fill");
            builder.attribute(223, &vec![0xa5; take - 2]);
            missing -= take;
        }
    })
}

/// A Status-Server with a Message-Authenticator (RFC 5997).
pub fn status_server(identifier: u8, secret: &str) -> Vec<u8> {
    let mut buffer = [0; radius::MAX_LENGTH];
    let mut builder = RequestBuilder::new(&mut buffer, Code::StatusServer, identifier);
    builder.authenticator(&[identifier ^ 0x5a; 16]).message_authenticator();
    builder.seal(secret.as_bytes()).expect("a request that fits").to_vec()
}
