//! What the steer program decided about a packet.

/// The steer program's decision about one packet: each packet gets exactly one, counted per CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Verdict {
    /// To the ring: a known client's datagram for us.
    Steered = 0,
    /// To the ring: a sample of an unknown source's datagrams. The worker gives it the verdict `unknown_client`, so
    /// that it is not counted again here.
    UnknownSample = 1,
    /// Dropped: a datagram for us from a source that no client holds.
    UnknownClient = 2,
    /// Passed: the program is not armed.
    Disarmed = 3,
    /// Passed: neither IPv4 nor IPv6 behind at most two VLAN tags.
    NotIp = 4,
    /// Passed: another transport than UDP.
    NotUdp = 5,
    /// Passed: UDP to a port that is not ours.
    OtherPort = 6,
    /// Passed: our port at an address that is not ours (forwarded, broadcast, multicast).
    OtherAddress = 7,
    /// Passed: the packet, or its first buffer, ends inside its headers.
    Truncated = 8,
    /// Passed: an IPv4 header with options, or one shorter than its minimum.
    Ipv4Options = 9,
    /// Passed: an IPv4 fragment; IPv6 fragments are [`Verdict::Ipv6Extension`].
    Ipv4Fragment = 10,
    /// Passed: IPv6 with an extension header.
    Ipv6Extension = 11,
    /// Passed: a known client's datagram for us whose IP and UDP lengths contradict each other or the frame. The
    /// kernel's stack drops it.
    BadLength = 12,
    /// Passed: a known client's datagram for us in a frame longer than a UMEM frame.
    TooLong = 13,
    /// Passed: a known client's datagram for us that spans several buffers.
    MultiBuffer = 14,
    /// Passed: no AF_XDP socket serves the receive queue.
    NoSocket = 15,
    /// Passed: the driver leaves no room for metadata.
    NoMetadata = 16,
}

/// What becomes of a packet with a [`Verdict`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes to the AF_XDP socket of its queue.
    Redirect,
    /// It dies.
    Drop,
    /// It goes to the kernel's stack.
    Pass,
}

impl Verdict {
    /// Every verdict, in the order of their indexes.
    pub const ALL: [Verdict; 17] = [
        Verdict::Steered,
        Verdict::UnknownSample,
        Verdict::UnknownClient,
        Verdict::Disarmed,
        Verdict::NotIp,
        Verdict::NotUdp,
        Verdict::OtherPort,
        Verdict::OtherAddress,
        Verdict::Truncated,
        Verdict::Ipv4Options,
        Verdict::Ipv4Fragment,
        Verdict::Ipv6Extension,
        Verdict::BadLength,
        Verdict::TooLong,
        Verdict::MultiBuffer,
        Verdict::NoSocket,
        Verdict::NoMetadata,
    ];

    /// How many there are: entries of the map [`maps::VERDICTS`](crate::maps::VERDICTS).
    pub const COUNT: usize = Verdict::ALL.len();

    /// The name used in metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Steered => "steered",
            Verdict::UnknownSample => "unknown_sample",
            Verdict::UnknownClient => "unknown_client",
            Verdict::Disarmed => "pass_disarmed",
            Verdict::NotIp => "pass_not_ip",
            Verdict::NotUdp => "pass_not_udp",
            Verdict::OtherPort => "pass_other_port",
            Verdict::OtherAddress => "pass_other_address",
            Verdict::Truncated => "pass_truncated",
            Verdict::Ipv4Options => "pass_ipv4_options",
            Verdict::Ipv4Fragment => "pass_ipv4_fragment",
            Verdict::Ipv6Extension => "pass_ipv6_extension",
            Verdict::BadLength => "pass_bad_length",
            Verdict::TooLong => "pass_too_long",
            Verdict::MultiBuffer => "pass_multi_buffer",
            Verdict::NoSocket => "pass_no_socket",
            Verdict::NoMetadata => "pass_no_metadata",
        }
    }

    /// What becomes of the packet.
    #[must_use]
    pub const fn action(self) -> Action {
        match self {
            Verdict::Steered | Verdict::UnknownSample => Action::Redirect,
            Verdict::UnknownClient => Action::Drop,
            _ => Action::Pass,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_follow_the_list_and_names_say_the_action() {
        for (index, verdict) in Verdict::ALL.into_iter().enumerate() {
            assert_eq!(verdict as usize, index);
            assert_eq!(verdict.action() == Action::Pass, verdict.name().starts_with("pass_"));
        }
    }
}
