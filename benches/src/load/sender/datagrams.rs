//! Ordinary UDP sockets, one a source, `sendmmsg` and `recvmmsg`.

use std::{
    io,
    mem::MaybeUninit,
    net::{IpAddr, SocketAddr, UdpSocket},
    os::fd::AsFd as _,
};

use rustix::event::{Timespec, epoll};

use super::{Answer, Sender, monotonic_ns};
use crate::load::mmsg::Batch;

/// One connected socket a source.
pub struct Datagrams {
    sockets: Vec<UdpSocket>,
    ready: rustix::fd::OwnedFd,
    /// What waits to be sent, all from the one source.
    waiting: Batch,
    source: u32,
    received: Batch,
}

impl Datagrams {
    /// Opens `flows` sockets to `server`, spread over these local addresses. To be called in the namespace that they
    /// are to be in.
    ///
    /// # Errors
    /// What the kernel refuses: descriptors, ports.
    pub fn open(server: SocketAddr, from: &[IpAddr], flows: u32) -> io::Result<Datagrams> {
        let ready = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut sockets = Vec::with_capacity(flows as usize);
        for flow in 0..flows {
            let socket = UdpSocket::bind((from[flow as usize % from.len()], 0))?;
            socket.connect(server)?;
            socket.set_nonblocking(true)?;
            // Room for the answers to a storm; the kernel cuts it to what it allows.
            let _ = rustix::net::sockopt::set_socket_recv_buffer_size(&socket, 1 << 20);
            epoll::add(&ready, &socket, epoll::EventData::new_u64(u64::from(flow)), epoll::EventFlags::IN)?;
            sockets.push(socket);
        }
        Ok(Datagrams { sockets, ready, waiting: Batch::new(), source: 0, received: Batch::new() })
    }
}

impl Sender for Datagrams {
    fn send(&mut self, flow: u32, octets: &[u8]) -> io::Result<bool> {
        if flow != self.source || self.waiting.is_full() {
            self.flush()?;
            if !self.waiting.is_empty() {
                return Ok(false);
            }
            self.source = flow;
        }
        self.waiting.push(octets);
        Ok(true)
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.waiting.is_empty() {
            match self.waiting.send(self.sockets[self.source as usize].as_fd(), false) {
                Ok(true) => {}
                Ok(false) => break,
                // The echo of an earlier datagram that nobody took: it counts as lost.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn receive(&mut self, take: &mut dyn FnMut(Answer<'_>)) -> io::Result<usize> {
        let mut events = [const { MaybeUninit::uninit() }; 64];
        let (ready, _) = epoll::wait(&self.ready, &mut events, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?;
        let mut count = 0;
        for event in ready {
            let flow = event.data.u64() as u32;
            match self.received.receive(&self.sockets[flow as usize], false) {
                Ok(_) => {}
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::ConnectionRefused => continue,
                    _ => return Err(error),
                },
            }
            let at_ns = monotonic_ns();
            for index in 0..self.received.len() {
                take(Answer { flow, octets: self.received.get(index), at_ns });
            }
            count += self.received.len();
        }
        Ok(count)
    }
}
