//! The steer program in the kernel, fed one packet at a time.

use std::{net::IpAddr, os::fd::OwnedFd};

use aya::{
    Ebpf, TestRun as _, TestRunOptions,
    maps::{Array, HashMap, LpmTrie, PerCpuArray, XskMap, lpm_trie::Key},
    programs::Xdp,
};
use rustix::net::{AddressFamily, SocketType, sockopt};
use sensor_ebpf::{Action, Config, LocalV4, LocalV6, Meta, UnknownSource, Verdict, maps, programs};

/// `enum xdp_action` of the kernel.
const XDP_DROP: u32 = 1;
const XDP_PASS: u32 = 2;
const XDP_REDIRECT: u32 = 4;

/// The loaded program with its maps, armed for frames up to 1,792 octets, without addresses, clients or a socket.
pub(crate) struct Steer {
    bpf: Ebpf,
    program: &'static str,
    socket: Option<OwnedFd>,
    /// The counters after the last run: reading them costs more than a run.
    counted: Vec<u64>,
}

/// What the program did with one packet.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) meta: Option<Meta>,
    /// The packet behind the metadata.
    pub(crate) packet: Vec<u8>,
}

impl Steer {
    pub(crate) fn load(program: &'static str) -> Steer {
        let mut bpf =
            Ebpf::load(sensor_ebpf::OBJECT).expect("loading needs CAP_BPF and CAP_NET_ADMIN: run as root");
        let xdp: &mut Xdp =
            bpf.program_mut(program).expect("the program is in the object").try_into().unwrap();
        xdp.load().expect("the verifier accepts the program");
        let mut steer = Steer { bpf, program, socket: None, counted: vec![0; Verdict::COUNT] };
        steer.configure(Config { sample_interval_ns: 0, armed: 1, frame_length_max: 1792 });
        steer
    }

    /// A program that takes port 1813 of `address` from clients in `10.0.0.0/8` (7) and `2001:db8::/32` (9).
    pub(crate) fn ready(program: &'static str) -> Steer {
        let mut steer = Steer::load(program);
        steer.listen("192.0.2.1", 1813);
        steer.listen("2001:db8::1", 1813);
        steer.client("10.0.0.0", 8, 7);
        steer.client("2001:db8::", 32, 9);
        steer.open_socket();
        steer
    }

    pub(crate) fn configure(&mut self, config: Config) {
        let mut map: Array<_, [u8; Config::LENGTH]> = self.map(maps::CONFIG);
        map.set(0, config.to_bytes(), 0).unwrap();
    }

    pub(crate) fn listen(&mut self, address: &str, port: u16) {
        let mut ports: Array<_, u64> = self.map(maps::PORTS);
        let word = u32::from(port) / 64;
        let bits = ports.get(&word, 0).unwrap();
        ports.set(word, bits | 1 << (port % 64), 0).unwrap();
        match address.parse().unwrap() {
            IpAddr::V4(address) => {
                let key = LocalV4::new(address.octets(), port.to_be_bytes()).to_bytes();
                let mut map: HashMap<_, [u8; LocalV4::LENGTH], u32> = self.map(maps::LOCAL_V4);
                map.insert(key, 0, 0).unwrap();
            }
            IpAddr::V6(address) => {
                let key = LocalV6::new(address.octets(), port.to_be_bytes()).to_bytes();
                let mut map: HashMap<_, [u8; LocalV6::LENGTH], u32> = self.map(maps::LOCAL_V6);
                map.insert(key, 0, 0).unwrap();
            }
        }
    }

    pub(crate) fn client(&mut self, address: &str, prefix_length: u32, index: u32) {
        match address.parse().unwrap() {
            IpAddr::V4(address) => {
                let mut map: LpmTrie<_, [u8; 4], u32> = self.map(maps::CLIENTS_V4);
                map.insert(&Key::new(prefix_length, address.octets()), index, 0).unwrap();
            }
            IpAddr::V6(address) => {
                let mut map: LpmTrie<_, [u8; 16], u32> = self.map(maps::CLIENTS_V6);
                map.insert(&Key::new(prefix_length, address.octets()), index, 0).unwrap();
            }
        }
    }

    /// Puts a socket with a receive ring at queue 0. A test run decides, but never hands a packet over.
    pub(crate) fn open_socket(&mut self) {
        let socket = rustix::net::socket(AddressFamily::XDP, SocketType::RAW, None)
            .expect("needs CAP_NET_RAW: run as root");
        sockopt::set_xdp_rx_ring_size(&socket, 64).unwrap();
        let mut map: XskMap<_> = self.map(maps::XSKS);
        map.set(0, std::os::fd::AsRawFd::as_raw_fd(&socket), 0).unwrap();
        self.socket = Some(socket);
    }

    pub(crate) fn close_socket(&mut self) {
        let mut map: XskMap<_> = self.map(maps::XSKS);
        map.unset(0).unwrap();
        self.socket = None;
    }

    /// Runs the program on a frame and checks that the kernel's action, the metadata and the counters all say the
    /// same.
    pub(crate) fn run(&mut self, frame: &[u8]) -> Outcome {
        self.run_behind(&[], frame)
    }

    /// The same with foreign metadata before the frame.
    pub(crate) fn run_behind(&mut self, foreign: &[u8], frame: &[u8]) -> Outcome {
        let input = [foreign, frame].concat();
        // struct xdp_md: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex.
        let mut context_in = [0; 24];
        context_in[0..4].copy_from_slice(&(foreign.len() as u32).to_ne_bytes());
        context_in[4..8].copy_from_slice(&(input.len() as u32).to_ne_bytes());
        let mut context_out = [0; 24];
        let mut data_out = vec![0; input.len() + 256];
        let xdp: &Xdp = self.bpf.program(self.program).unwrap().try_into().unwrap();
        let result = xdp
            .test_run(TestRunOptions {
                data_in: Some(&input),
                data_out: Some(&mut data_out),
                ctx_in: Some(&context_in),
                ctx_out: Some(&mut context_out),
                ..TestRunOptions::new()
            })
            .unwrap();
        let word = |index: usize| {
            let mut word = [0; 4];
            word.copy_from_slice(&context_out[4 * index..4 * index + 4]);
            u32::from_ne_bytes(word) as usize
        };
        data_out.truncate(result.data_size_out as usize);
        let packet = data_out.split_off(word(0) - word(2));
        let meta = data_out.first_chunk().and_then(Meta::from_bytes);

        let after = self.counters();
        let changed: Vec<Verdict> = Verdict::ALL
            .into_iter()
            .flat_map(|verdict| {
                (self.counted[verdict as usize]..after[verdict as usize]).map(move |_| verdict)
            })
            .collect();
        self.counted = after;
        assert_eq!(changed.len(), 1, "one packet, one verdict: {changed:?}");
        let action = match changed[0].action() {
            Action::Redirect => XDP_REDIRECT,
            Action::Drop => XDP_DROP,
            Action::Pass => XDP_PASS,
        };
        assert_eq!(result.return_value, action, "{:?}", changed[0]);
        assert_eq!(meta.is_some(), action == XDP_REDIRECT, "{:?}", changed[0]);
        assert_eq!(packet, frame, "the packet itself stays as it is");
        Outcome { verdict: changed[0], meta, packet }
    }

    /// Nanoseconds that one run of the program takes, over many.
    pub(crate) fn nanoseconds(&mut self, frame: &[u8]) -> f64 {
        let xdp: &Xdp = self.bpf.program(self.program).unwrap().try_into().unwrap();
        let options = TestRunOptions { data_in: Some(frame), repeat: 1_000_000, ..TestRunOptions::new() };
        let nanoseconds = xdp.test_run(options).unwrap().duration.as_nanos() as f64;
        self.counted = self.counters();
        nanoseconds
    }

    pub(crate) fn unknown_sources(&mut self) -> Vec<([u8; 16], UnknownSource)> {
        let map: HashMap<_, [u8; 16], [u8; UnknownSource::LENGTH]> = self.map(maps::UNKNOWN);
        map.iter()
            .map(|entry| entry.map(|(address, value)| (address, UnknownSource::from_bytes(&value))).unwrap())
            .collect()
    }

    pub(crate) fn counters(&mut self) -> Vec<u64> {
        let map: PerCpuArray<_, u64> = self.map(maps::VERDICTS);
        assert_eq!(map.len() as usize, Verdict::COUNT);
        (0..map.len()).map(|index| map.get(&index, 0).unwrap().iter().sum()).collect()
    }

    fn map<'a, M>(&'a mut self, name: &str) -> M
    where
        M: TryFrom<&'a mut aya::maps::Map, Error = aya::maps::MapError>,
    {
        M::try_from(self.bpf.map_mut(name).expect(name)).unwrap()
    }
}

/// Both programs, each ready.
pub(crate) fn both() -> [Steer; 2] {
    [Steer::ready(programs::STEER), Steer::ready(programs::STEER_FRAGS)]
}
