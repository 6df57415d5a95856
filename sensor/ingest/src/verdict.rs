//! What became of a datagram: every one gets exactly one of these.

/// The outcome of one datagram. The sum over all verdicts equals the datagrams seen, once nothing is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Verdict {
    /// A genuine Accounting-Request, recorded.
    Accepted,
    /// A retransmission of a request that is recorded or being recorded.
    Duplicate,
    /// The Request Authenticator does not verify under any secret of the client (RFC 2866 section 3).
    BadAuthenticator,
    /// A Message-Authenticator is present and wrong, or required and absent (RFC 2869 section 5.14).
    BadMessageAuthenticator,
    /// No configured client holds the source address.
    UnknownClient,
    /// Not a RADIUS packet by its lengths or attributes.
    Malformed,
    /// A RADIUS packet of a code that this port does not serve.
    UnsupportedCode,
    /// A genuine Status-Server probe (RFC 5997).
    StatusServer,
    /// Over the client's configured rate.
    RateLimited,
    /// Genuine, but it could not be recorded: nothing was answered, the client retransmits.
    Overload,
}

impl Verdict {
    /// Every verdict, in the order of their indexes.
    pub const ALL: [Verdict; 10] = [
        Verdict::Accepted,
        Verdict::Duplicate,
        Verdict::BadAuthenticator,
        Verdict::BadMessageAuthenticator,
        Verdict::UnknownClient,
        Verdict::Malformed,
        Verdict::UnsupportedCode,
        Verdict::StatusServer,
        Verdict::RateLimited,
        Verdict::Overload,
    ];

    /// The name used in metrics, logs and `replay` lines.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Accepted => "accepted",
            Verdict::Duplicate => "duplicate",
            Verdict::BadAuthenticator => "bad_authenticator",
            Verdict::BadMessageAuthenticator => "bad_message_authenticator",
            Verdict::UnknownClient => "unknown_client",
            Verdict::Malformed => "malformed",
            Verdict::UnsupportedCode => "unsupported_code",
            Verdict::StatusServer => "status_server",
            Verdict::RateLimited => "rate_limited",
            Verdict::Overload => "overload",
        }
    }
}
