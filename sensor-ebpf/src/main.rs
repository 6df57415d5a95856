//! steer: the XDP program that picks RADIUS accounting out of a NIC's traffic, before the kernel's stack sees it.
//!
//! Datagrams for us from known clients go to the AF_XDP socket of their queue, with [`Meta`] in front; those from
//! unknown sources die here and are remembered; everything else goes to the kernel's stack untouched. Nothing that
//! the program reads from a packet is trusted further than its next bounds check, and user space checks all again.
//!
//! The order of the checks is the order of their cost: a host's other traffic leaves after a few comparisons.
//! Built by `cargo xtask ebpf`; loaded and fed by `ingest::capture::steer`.
#![no_std]
#![no_main]
#![allow(
    unsafe_code,
    reason = "packets and maps are raw memory here; the kernel's verifier proves each access"
)]

use core::hint::black_box;

use aya_ebpf::{
    EbpfContext as _,
    bindings::{BPF_ANY, xdp_action},
    helpers::{bpf_ktime_get_ns, bpf_xdp_adjust_meta, bpf_xdp_get_buff_len},
    macros::{map, xdp},
    maps::{Array, HashMap, LpmTrie, LruHashMap, PerCpuArray, XskMap, lpm_trie::Key},
    programs::XdpContext,
};
use sensor_ebpf::{
    Action, Config, Flags, LocalV4, LocalV6, Meta, PORT_WORDS, UNKNOWN_SOURCES, UnknownSource, Verdict,
};

// The loader sets the sizes of the maps that depend on the host; those here are what it does not change.
#[map]
static CONFIG: Array<Config> = Array::with_max_entries(1, 0);
#[map]
static PORTS: Array<u64> = Array::with_max_entries(PORT_WORDS, 0);
#[map]
static LOCAL_V4: HashMap<LocalV4, u32> = HashMap::with_max_entries(4096, 0);
#[map]
static LOCAL_V6: HashMap<LocalV6, u32> = HashMap::with_max_entries(4096, 0);
#[map]
static CLIENTS_V4: LpmTrie<[u8; 4], u32> = LpmTrie::with_max_entries(65_536, 0);
#[map]
static CLIENTS_V6: LpmTrie<[u8; 16], u32> = LpmTrie::with_max_entries(65_536, 0);
#[map]
static UNKNOWN: LruHashMap<[u8; 16], UnknownSource> = LruHashMap::with_max_entries(UNKNOWN_SOURCES, 0);
#[map]
static SAMPLED: Array<u64> = Array::with_max_entries(1, 0);
#[map]
static XSKS: XskMap = XskMap::with_max_entries(64, 0);
#[map]
static VERDICTS: PerCpuArray<u64> = PerCpuArray::with_max_entries(Verdict::COUNT as u32, 0);

// Nothing here needs a helper that the kernel reserves for GPL programs.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 4] = *b"MIT\0";

/// For NICs and MTUs at which a packet is one buffer.
#[xdp]
fn steer(context: XdpContext) -> u32 {
    run(&context)
}

/// For MTUs at which a packet may span buffers.
#[xdp(frags)]
fn steer_frags(context: XdpContext) -> u32 {
    run(&context)
}

const ETHERNET_LENGTH: usize = 14;
const VLAN_TAG_LENGTH: usize = 4;
const VLAN_TAGS_MAX: u8 = 2;
const IPV4_LENGTH: usize = 20;
const IPV6_LENGTH: usize = 40;
const UDP_LENGTH: usize = 8;
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86DD;
/// IEEE 802.1Q customer tag.
const ETHERTYPE_VLAN: u16 = 0x8100;
/// IEEE 802.1ad service tag.
const ETHERTYPE_SERVICE_VLAN: u16 = 0x88A8;
/// Longer than any UMEM frame, and all ones.
const FRAME_LENGTH_LIMIT: usize = 0x3FFF;
const PROTOCOL_UDP: u8 = 17;
/// More-fragments flag and fragment offset (RFC 791): either set, and the datagram is not whole.
const IPV4_FRAGMENT: u16 = 0x3FFF;

#[inline(always)]
fn run(context: &XdpContext) -> u32 {
    let verdict = steered(context).unwrap_or_else(|verdict| verdict);
    if let Some(count) = VERDICTS.get_ptr_mut(verdict as u32) {
        // SAFETY: the slot is this CPU's own, and XDP programs of one CPU do not interrupt each other.
        unsafe { *count += 1 };
    }
    match verdict.action() {
        // The socket was there a moment ago; if it left, the packet still goes to the kernel's stack.
        Action::Redirect => match XSKS.redirect(context.rx_queue_index(), xdp_action::XDP_PASS.into()) {
            Ok(action) | Err(action) => action,
        },
        Action::Drop => xdp_action::XDP_DROP,
        Action::Pass => xdp_action::XDP_PASS,
    }
}

/// The part of a packet that lies in its first buffer.
struct Packet {
    start: usize,
    end: usize,
}

impl Packet {
    /// `N` octets at `offset`, if the buffer has them.
    #[inline(always)]
    fn octets<const N: usize>(&self, offset: usize) -> Result<[u8; N], Verdict> {
        let at = self.start + offset;
        if at + N > self.end {
            return Err(Verdict::Truncated);
        }
        // SAFETY: the comparison above is the bounds check that the verifier demands for exactly this read.
        Ok(unsafe { *(at as *const [u8; N]) })
    }

    #[inline(always)]
    fn u16(&self, offset: usize) -> Result<u16, Verdict> {
        self.octets(offset).map(u16::from_be_bytes)
    }

    #[inline(always)]
    fn u8(&self, offset: usize) -> Result<u8, Verdict> {
        self.octets::<1>(offset).map(|[octet]| octet)
    }
}

/// Who a datagram is from, in the form of the unknown sources' keys, and which client that is.
struct Sender {
    address: [u8; 16],
    client_index: Option<u32>,
}

#[inline(always)]
fn steered(context: &XdpContext) -> Result<Verdict, Verdict> {
    let Some(config) = CONFIG.get(0) else { return Err(Verdict::Disarmed) };
    if config.armed == 0 {
        return Err(Verdict::Disarmed);
    }
    let packet = Packet { start: context.data(), end: context.data_end() };
    let (ethertype, vlan_tags, l3) = ethernet(&packet)?;
    match ethertype {
        ETHERTYPE_IPV4 => ipv4(context, config, &packet, vlan_tags, l3),
        ETHERTYPE_IPV6 => ipv6(context, config, &packet, vlan_tags, l3),
        _ => Err(Verdict::NotIp),
    }
}

/// The ethertype behind at most two VLAN tags, how many tags there are, and where the IP header starts.
#[inline(always)]
fn ethernet(packet: &Packet) -> Result<(u16, u8, usize), Verdict> {
    let mut offset = ETHERNET_LENGTH;
    let mut vlan_tags = 0;
    let mut ethertype = packet.u16(offset - 2)?;
    while vlan_tags < VLAN_TAGS_MAX && (ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_SERVICE_VLAN) {
        offset += VLAN_TAG_LENGTH;
        vlan_tags += 1;
        ethertype = packet.u16(offset - 2)?;
    }
    Ok((ethertype, vlan_tags, offset))
}

#[inline(always)]
fn ipv4(
    context: &XdpContext,
    config: &Config,
    packet: &Packet,
    vlan_tags: u8,
    l3: usize,
) -> Result<Verdict, Verdict> {
    let header: [u8; IPV4_LENGTH] = packet.octets(l3)?;
    if header[9] != PROTOCOL_UDP {
        return Err(Verdict::NotUdp);
    }
    // Version and header length in one: 4 and five words.
    if header[0] != 0x45 {
        return Err(if header[0] >> 4 == 4 { Verdict::Ipv4Options } else { Verdict::NotIp });
    }
    if u16::from_be_bytes([header[6], header[7]]) & IPV4_FRAGMENT != 0 {
        return Err(Verdict::Ipv4Fragment);
    }
    let udp: [u8; UDP_LENGTH] = packet.octets(l3 + IPV4_LENGTH)?;
    let our_port = our_port(&udp)?;
    let destination = [header[16], header[17], header[18], header[19]];
    // SAFETY: an entry is looked at for its presence only.
    if unsafe { LOCAL_V4.get(LocalV4::new(destination, our_port)) }.is_none() {
        return Err(Verdict::OtherAddress);
    }
    let source = [header[12], header[13], header[14], header[15]];
    let client_index = CLIENTS_V4.get(Key::new(32, source)).copied();
    let mut address = [0; 16];
    address[10] = 0xFF;
    address[11] = 0xFF;
    address[12] = source[0];
    address[13] = source[1];
    address[14] = source[2];
    address[15] = source[3];
    let ip_length = u16::from_be_bytes([header[2], header[3]]) as usize;
    let meta = Layout { l3, l4: l3 + IPV4_LENGTH, vlan_tags, flags: Flags(0) };
    for_us(context, config, packet, &Sender { address, client_index }, &udp, l3 + ip_length, &meta)
}

#[inline(always)]
fn ipv6(
    context: &XdpContext,
    config: &Config,
    packet: &Packet,
    vlan_tags: u8,
    l3: usize,
) -> Result<Verdict, Verdict> {
    // The header in parts: it does not fit in the verifier's patience as one array on the stack.
    let first: [u8; 8] = packet.octets(l3)?;
    if first[0] >> 4 != 6 {
        return Err(Verdict::NotIp);
    }
    if first[6] != PROTOCOL_UDP {
        return Err(if is_extension_header(first[6]) { Verdict::Ipv6Extension } else { Verdict::NotUdp });
    }
    let source: [u8; 16] = packet.octets(l3 + 8)?;
    let destination: [u8; 16] = packet.octets(l3 + 24)?;
    let udp: [u8; UDP_LENGTH] = packet.octets(l3 + IPV6_LENGTH)?;
    let our_port = our_port(&udp)?;
    // SAFETY: an entry is looked at for its presence only.
    if unsafe { LOCAL_V6.get(LocalV6::new(destination, our_port)) }.is_none() {
        return Err(Verdict::OtherAddress);
    }
    let client_index = CLIENTS_V6.get(Key::new(128, source)).copied();
    let payload_length = u16::from_be_bytes([first[4], first[5]]) as usize;
    let meta = Layout { l3, l4: l3 + IPV6_LENGTH, vlan_tags, flags: Flags::IPV6 };
    let ip_end = l3 + IPV6_LENGTH + payload_length;
    for_us(context, config, packet, &Sender { address: source, client_index }, &udp, ip_end, &meta)
}

/// The extension headers of RFC 8200 and of the IANA registry "IPv6 Extension Header Types".
#[inline(always)]
fn is_extension_header(next_header: u8) -> bool {
    matches!(next_header, 0 | 43 | 44 | 50 | 51 | 60 | 135 | 139 | 140 | 253 | 254)
}

/// The destination port as in the header, if it is one of ours.
#[inline(always)]
fn our_port(udp: &[u8; UDP_LENGTH]) -> Result<[u8; 2], Verdict> {
    let port = u16::from_be_bytes([udp[2], udp[3]]);
    let Some(word) = PORTS.get((port >> 6).into()) else { return Err(Verdict::OtherPort) };
    if *word >> (port & 63) & 1 == 0 {
        return Err(Verdict::OtherPort);
    }
    Ok([udp[2], udp[3]])
}

/// Where a packet's parts are.
struct Layout {
    l3: usize,
    l4: usize,
    vlan_tags: u8,
    flags: Flags,
}

/// A datagram to a port and an address of ours. `ip_end`: where the IP header says that the packet ends.
#[inline(always)]
fn for_us(
    context: &XdpContext,
    config: &Config,
    packet: &Packet,
    sender: &Sender,
    udp: &[u8; UDP_LENGTH],
    ip_end: usize,
    layout: &Layout,
) -> Result<Verdict, Verdict> {
    // SAFETY: takes nothing but the clock.
    let now = unsafe { bpf_ktime_get_ns() };
    let Some(client_index) = sender.client_index else {
        remember(sender, udp, now);
        // Whatever keeps the sample from the ring: an unknown source's datagram dies.
        if !is_sample_due(config, now) {
            return Err(Verdict::UnknownClient);
        }
        let flags = layout.flags.with(Flags::UNKNOWN);
        return match to_ring(context, config, packet, udp, ip_end, layout, flags, Meta::NO_CLIENT, now) {
            Ok(()) => {
                if let Some(last) = SAMPLED.get_ptr_mut(0) {
                    // SAFETY: the array's only entry. Two CPUs may decide at once: then both sample.
                    unsafe { *last = now };
                }
                Ok(Verdict::UnknownSample)
            }
            Err(_) => Err(Verdict::UnknownClient),
        };
    };
    to_ring(context, config, packet, udp, ip_end, layout, layout.flags, client_index, now)?;
    Ok(Verdict::Steered)
}

/// Checks all that a packet needs to be redirected and puts the metadata in front of it. Every pointer into the
/// packet is void afterwards.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "inlined; a structure for one caller would hide nothing")]
fn to_ring(
    context: &XdpContext,
    config: &Config,
    packet: &Packet,
    udp: &[u8; UDP_LENGTH],
    ip_end: usize,
    layout: &Layout,
    flags: Flags,
    client_index: u32,
    now: u64,
) -> Result<(), Verdict> {
    // SAFETY: the context is the one the program was called with.
    let frame_length = unsafe { bpf_xdp_get_buff_len(context.ctx) } as usize;
    // Bytes behind the IP packet are padding of short Ethernet frames; bytes missing are a lie. UDP's own length may
    // not differ from what IP leaves for it: RADIUS needs no surplus area, and zero means a jumbogram.
    let udp_length = u16::from_be_bytes([udp[4], udp[5]]) as usize;
    if udp_length < UDP_LENGTH || layout.l4 + udp_length != ip_end || ip_end > frame_length {
        return Err(Verdict::BadLength);
    }
    if frame_length > config.frame_length_max as usize || frame_length > FRAME_LENGTH_LIMIT {
        return Err(Verdict::TooLong);
    }
    // Whether the first buffer ends before the frame does. The mask changes nothing after the comparison above, but
    // the verifier wants a bound where the sum is made, and the compiler would move the sum before the comparison.
    if packet.start + (black_box(frame_length) & FRAME_LENGTH_LIMIT) > packet.end {
        return Err(Verdict::MultiBuffer);
    }
    if XSKS.get(context.rx_queue_index()).is_none() {
        return Err(Verdict::NoSocket);
    }
    let meta = Meta {
        arrival_ns: now,
        magic: Meta::MAGIC,
        client_index,
        payload_length: (udp_length - UDP_LENGTH) as u16,
        flags,
        l3_offset: layout.l3 as u8,
        l4_offset: layout.l4 as u8,
        payload_offset: (layout.l4 + UDP_LENGTH) as u8,
        vlan_tags: layout.vlan_tags,
    };
    // SAFETY: the context is the one the program was called with.
    if unsafe { bpf_xdp_adjust_meta(context.ctx, -(Meta::LENGTH as i32)) } != 0 {
        return Err(Verdict::NoMetadata);
    }
    let at = context.metadata();
    if at + Meta::LENGTH > context.metadata_end() {
        return Err(Verdict::NoMetadata);
    }
    // SAFETY: the comparison above is the verifier's bounds check; the kernel keeps the packet's start, and so the
    // metadata's, aligned to at most 2, hence unaligned.
    unsafe { (at as *mut Meta).write_unaligned(meta) };
    Ok(())
}

/// Whether the last sample of an unknown source is long enough ago.
#[inline(always)]
fn is_sample_due(config: &Config, now: u64) -> bool {
    match (config.sample_interval_ns, SAMPLED.get(0)) {
        (0, _) | (_, None) => false,
        (interval, Some(last)) => now.wrapping_sub(*last) >= interval,
    }
}

/// Counts an unknown source. Bounded by the map: the least recently seen leaves.
#[inline(always)]
fn remember(sender: &Sender, udp: &[u8; UDP_LENGTH], now: u64) {
    let (last_port, our_port) = ([udp[0], udp[1]], [udp[2], udp[3]]);
    if let Some(source) = UNKNOWN.get_ptr_mut(sender.address) {
        // SAFETY: the entry stays readable until the program ends. Queues that count the same source at once may
        // lose a count here; the verdict counters are exact.
        unsafe {
            (*source).count += 1;
            (*source).last_ns = now;
            (*source).last_port = last_port;
            (*source).our_port = our_port;
        }
        return;
    }
    let source = UnknownSource { count: 1, last_ns: now, last_port, our_port, zero: 0 };
    // Fails only when another CPU holds the map's lock: then the source is remembered next time.
    let _ = UNKNOWN.insert(sender.address, source, BPF_ANY.into());
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // The verifier refuses a program in which this can be reached.
    loop {}
}
