//! One UDP socket per path: never blocks, never fails the loop.

use super::path::PathSpec;
use anyhow::Context as _;
use rustix::net::sockopt;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use telehand_link::session::Class;

/// Receive buffer asked for, bytes: half a second of 40 Mbit/s video.
const RECEIVE_BUFFER: usize = 4 << 20;
/// Send buffer asked for, bytes: small, so that nothing old waits in the kernel.
const SEND_BUFFER: usize = 256 << 10;

/// The traffic class in the IP header: the code point, shifted over the two ECN bits. EF for what
/// moves the arm and tells of it (RFC 3246), AF41 for pictures (RFC 2597, RFC 4594).
const fn traffic_class(class: Class) -> u8 {
    match class {
        Class::Command | Class::Control => 46 << 2,
        Class::Video => 34 << 2,
    }
}

/// The socket of one path.
pub struct PathSocket {
    socket: UdpSocket,
    local: SocketAddr,
    /// Where this path's datagrams go; moves when the peer does.
    pub remote: Option<SocketAddr>,
    marked: Option<u8>,
    /// Datagrams the system refused to send (no route, buffer full, peer's port closed).
    pub send_errors: u64,
}

impl PathSocket {
    /// Binds the local address.
    ///
    /// # Errors
    /// When the address is not one of this machine's, or its port is taken.
    pub fn open(path: &PathSpec, label: &str) -> anyhow::Result<Self> {
        let bind = || -> std::io::Result<UdpSocket> {
            let domain = Domain::for_address(path.local);
            let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
            socket.set_nonblocking(true)?;
            if path.local.is_ipv6() {
                socket.set_only_v6(true)?;
            }
            socket.bind(&path.local.into())?;
            Ok(socket.into())
        };
        let socket = bind().with_context(|| {
            format!(
                "path {label}: cannot use the local address {}. Check that it is one of this \
                 machine's (`ip addr`) and that no other program has the port",
                path.local
            )
        })?;
        let local = socket.local_addr().context("the socket has no address")?;
        enlarge(&socket);
        Ok(Self { socket, local, remote: path.remote, marked: None, send_errors: 0 })
    }

    /// The address it is bound to, with the port the system picked.
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// The next datagram waiting, if any.
    pub fn receive<'a>(&self, buffer: &'a mut [u8]) -> Option<(SocketAddr, &'a mut [u8])> {
        // ECONNREFUSED and the like tell of an earlier send; what waits behind them is still good.
        for _ in 0..8 {
            match self.socket.recv_from(buffer) {
                Ok((len, from)) => return buffer.get_mut(..len).map(|bytes| (from, bytes)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(_) => {}
            }
        }
        None
    }

    /// Sends to `to`, or else to this path's remote. A network may lose it; so may we.
    pub fn send(&mut self, to: Option<SocketAddr>, bytes: &[u8], class: Class) {
        let Some(to) = to.or(self.remote) else { return };
        self.mark(traffic_class(class));
        if self.socket.send_to(bytes, to).is_err() {
            self.send_errors += 1;
        }
    }

    fn mark(&mut self, class: u8) {
        if self.marked == Some(class) {
            return;
        }
        self.marked = Some(class);
        // A system that refuses the mark still sends.
        let _ = if self.local.is_ipv4() {
            sockopt::set_ip_tos(&self.socket, class)
        } else {
            sockopt::set_ipv6_tclass(&self.socket, u32::from(class))
        };
    }
}

impl std::os::fd::AsFd for PathSocket {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Past the system's ordinary limit where we may, up to it where not.
fn enlarge(socket: &UdpSocket) {
    if sockopt::set_socket_recv_buffer_size_force(socket, RECEIVE_BUFFER).is_err() {
        let _ = sockopt::set_socket_recv_buffer_size(socket, RECEIVE_BUFFER);
    }
    if sockopt::set_socket_send_buffer_size_force(socket, SEND_BUFFER).is_err() {
        let _ = sockopt::set_socket_send_buffer_size(socket, SEND_BUFFER);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &str) -> PathSocket {
        PathSocket::open(&text.parse().unwrap(), "test").unwrap()
    }

    #[test]
    fn l_102_a_closed_port_does_not_stop_a_socket() {
        // A port that was ours a moment ago and is closed now.
        let closed = open("127.0.0.1:0=127.0.0.1:1").local();
        let mut here = open(&format!("127.0.0.1:0={closed}"));
        for _ in 0..20 {
            here.send(None, b"anybody?", Class::Control);
        }
        let mut there = open(&format!("127.0.0.1:0={}", here.local()));
        there.send(None, b"hello", Class::Video);
        let mut buffer = [0; 64];
        let got = here.receive(&mut buffer).expect("loopback delivers before send returns");
        assert_eq!((got.0, &*got.1), (there.local(), &b"hello"[..]));
        assert!(here.receive(&mut buffer).is_none());
    }

    #[test]
    fn l_102_a_taken_or_foreign_address_is_named() {
        let first = open("127.0.0.1:0=127.0.0.1:1");
        let taken: PathSpec = first.local().to_string().parse().unwrap();
        let error = PathSocket::open(&taken, "fibre").map(|_| ()).unwrap_err();
        assert!(format!("{error:#}").contains("path fibre: cannot use"), "{error:#}");
    }
}
