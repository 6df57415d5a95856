//! The ladder of capture modes: the best that works, each rung forced, and why the better ones did not.
//!
//! [`open`] does everything in one order, since drivers disagree about every other: query the NIC (the caller has),
//! load, attach, sockets with full fill rings, bind, check of the granted mode, test call, insert in the map, arm.
//! A failed rung is taken down in reverse before the next is tried.

use std::{
    fmt,
    os::fd::{AsFd, BorrowedFd},
};

use crate::{
    kernel::KernelRelease,
    nic::Interface,
    socket::{Binding, Options, Socket, SocketError},
};

/// Drivers whose zero-copy is worth trying. Others either have none, or one that is slower than copying (ena) or
/// that is too young.
const ZERO_COPY_DRIVERS: [&str; 6] = ["i40e", "ice", "igc", "ixgbe", "mlx5_core", "stmmac"];

/// A way to take packets, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// Program in the driver, the NIC writes into our memory.
    NativeZeroCopy,
    /// Program in the driver, the kernel copies.
    NativeCopy,
    /// Program in the generic hook: any driver, after the kernel has built its own buffer.
    SkbCopy,
}

impl Mode {
    /// All modes, best first.
    pub const ALL: [Mode; 3] = [Mode::NativeZeroCopy, Mode::NativeCopy, Mode::SkbCopy];

    /// The name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::NativeZeroCopy => "native zero-copy",
            Mode::NativeCopy => "native copy",
            Mode::SkbCopy => "skb copy",
        }
    }

    /// Where the program has to be.
    pub const fn hook(self) -> Hook {
        match self {
            Mode::NativeZeroCopy | Mode::NativeCopy => Hook::Driver,
            Mode::SkbCopy => Hook::Skb,
        }
    }

    /// How the sockets have to be bound.
    pub const fn binding(self) -> Binding {
        match self {
            Mode::NativeZeroCopy => Binding::ZeroCopy,
            Mode::NativeCopy | Mode::SkbCopy => Binding::Copy,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where an XDP program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// In the driver (`XDP_FLAGS_DRV_MODE`).
    Driver,
    /// Behind it, on the kernel's own buffers (`XDP_FLAGS_SKB_MODE`).
    Skb,
}

/// The XDP program of one interface. It belongs to the caller; the ladder says when what is done to it.
pub trait Program {
    /// Why a step failed, for a person: who holds the hook, what to change.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Attaches the program, exactly at this hook, redirecting nothing yet.
    fn attach(&mut self, interface: &Interface, hook: Hook) -> Result<(), Self::Error>;
    /// Puts the socket of a queue into the map that the program redirects by.
    fn insert(&mut self, queue: u32, socket: BorrowedFd<'_>) -> Result<(), Self::Error>;
    /// Lets the program redirect. Called last, when all sockets are there.
    fn arm(&mut self) -> Result<(), Self::Error>;
    /// Undoes whatever was done, in reverse: disarm, empty the map, detach. Called when a rung failed, at any step.
    fn detach(&mut self);
}

/// Why a rung was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Not among the drivers whose zero-copy is trusted.
    #[error("zero-copy is not used with driver {}", .driver.as_deref().unwrap_or("none"))]
    Driver {
        /// The interface's driver.
        driver: Option<String>,
    },
    /// The running kernel can panic when an answer is sent in copy mode.
    #[error(
        "Linux {release} can panic when it sends in copy mode: use another kernel, or answer through UDP"
    )]
    Kernel {
        /// The release.
        release: KernelRelease,
    },
    /// The program could not be attached.
    #[error("attaching the XDP program: {0}")]
    Attach(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A socket could not be opened.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// A socket could not be inserted in the map.
    #[error("inserting the socket of queue {queue} in the map: {error}")]
    Insert {
        /// The queue.
        queue: u32,
        /// The program's error.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The program could not be armed.
    #[error("arming the XDP program: {0}")]
    Arm(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What became of a rung.
#[derive(Debug)]
pub struct RungOutcome {
    /// The mode tried.
    pub mode: Mode,
    /// Taken, or why not.
    pub result: Result<(), Refusal>,
}

/// What to try.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// Modes, in the order to try.
    pub modes: &'a [Mode],
    /// Sizes of each queue's socket.
    pub options: Options,
    /// The running kernel.
    pub release: KernelRelease,
    /// Send in copy mode on kernels that can panic from it.
    pub force_copy_mode: bool,
}

/// The rung that was taken.
#[derive(Debug)]
pub struct Opened {
    /// Its mode.
    pub mode: Mode,
    /// One socket a queue, in the order of the queues from 0.
    pub sockets: Vec<Socket>,
    /// All rungs up to the one taken.
    pub rungs: Vec<RungOutcome>,
}

/// No rung worked: the kernel's own path remains.
#[derive(Debug, thiserror::Error)]
#[error("no capture mode works: {}", list(.rungs))]
pub struct NoRung {
    /// All rungs, none of them taken.
    pub rungs: Vec<RungOutcome>,
}

fn list(rungs: &[RungOutcome]) -> String {
    let reasons =
        rungs.iter().filter_map(|rung| Some(format!("{}: {}", rung.mode, rung.result.as_ref().err()?)));
    reasons.collect::<Vec<_>>().join("; ")
}

/// Takes the first rung that works, for all queues that can receive and answer.
pub fn open<P: Program>(interface: &Interface, program: &mut P, plan: &Plan<'_>) -> Result<Opened, NoRung> {
    let mut rungs = Vec::with_capacity(plan.modes.len());
    for &mode in plan.modes {
        match climb(interface, program, plan, mode) {
            Ok(sockets) => {
                rungs.push(RungOutcome { mode, result: Ok(()) });
                return Ok(Opened { mode, sockets, rungs });
            }
            Err(refusal) => rungs.push(RungOutcome { mode, result: Err(refusal) }),
        }
    }
    Err(NoRung { rungs })
}

fn climb<P: Program>(
    interface: &Interface,
    program: &mut P,
    plan: &Plan<'_>,
    mode: Mode,
) -> Result<Vec<Socket>, Refusal> {
    admissible(interface, plan, mode)?;
    // Declared before the attempt, dropped after `detach`: the program lets go of the sockets before they close.
    let mut sockets = Vec::with_capacity(interface.queues() as usize);
    match establish(interface, program, plan, mode, &mut sockets) {
        Ok(()) => Ok(sockets),
        Err(refusal) => {
            program.detach();
            Err(refusal)
        }
    }
}

/// What is known to be wrong without trying.
fn admissible(interface: &Interface, plan: &Plan<'_>, mode: Mode) -> Result<(), Refusal> {
    match mode.binding() {
        Binding::ZeroCopy => {
            let trusted =
                interface.driver.as_deref().is_some_and(|driver| ZERO_COPY_DRIVERS.contains(&driver));
            if trusted { Ok(()) } else { Err(Refusal::Driver { driver: interface.driver.clone() }) }
        }
        Binding::Copy if plan.release.copy_mode_transmit_panics() && !plan.force_copy_mode => {
            Err(Refusal::Kernel { release: plan.release })
        }
        Binding::Copy => Ok(()),
    }
}

fn establish<P: Program>(
    interface: &Interface,
    program: &mut P,
    plan: &Plan<'_>,
    mode: Mode,
    sockets: &mut Vec<Socket>,
) -> Result<(), Refusal> {
    program.attach(interface, mode.hook()).map_err(|error| Refusal::Attach(Box::new(error)))?;
    let options = Options { numa_node: plan.options.numa_node.or(interface.numa_node), ..plan.options };
    for queue in 0..interface.queues() {
        sockets.push(Socket::open(interface, queue, mode.binding(), &options)?);
    }
    for (queue, socket) in (0..).zip(sockets.iter()) {
        program
            .insert(queue, socket.as_fd())
            .map_err(|error| Refusal::Insert { queue, error: Box::new(error) })?;
    }
    program.arm().map_err(|error| Refusal::Arm(Box::new(error)))
}
