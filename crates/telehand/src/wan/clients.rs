//! Who sends into a path: one socket towards the target for each client, so that replies find the way
//! back. As a home router does it, with a bound.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use telehand_vocab::Mono;

/// The most clients of one path; a new one beyond takes the place of the one silent longest.
pub const CLIENTS_MAX: usize = 16;

/// A client and the socket that speaks for it.
#[derive(Debug)]
pub struct Client {
    /// Never used again after this client is gone.
    pub id: u64,
    pub address: SocketAddr,
    pub upstream: UdpSocket,
    heard: Mono,
}

/// The clients of one path.
#[derive(Debug)]
pub struct Clients {
    target: SocketAddr,
    list: Vec<Client>,
    next_id: u64,
}

impl Clients {
    pub const fn new(target: SocketAddr) -> Self {
        Self { target, list: Vec::new(), next_id: 0 }
    }

    /// The client at `address`, made if it is new.
    pub fn hear(&mut self, now: Mono, address: SocketAddr) -> io::Result<u64> {
        if let Some(client) = self.list.iter_mut().find(|client| client.address == address) {
            client.heard = now;
            return Ok(client.id);
        }
        let upstream = open_towards(self.target)?;
        if self.list.len() >= CLIENTS_MAX {
            let oldest = self.list.iter().enumerate().min_by_key(|(_, client)| client.heard);
            if let Some((index, _)) = oldest {
                self.list.swap_remove(index);
            }
        }
        self.next_id += 1;
        self.list.push(Client { id: self.next_id, address, upstream, heard: now });
        Ok(self.next_id)
    }

    pub fn find(&self, id: u64) -> Option<&Client> {
        self.list.iter().find(|client| client.id == id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Client> {
        self.list.iter()
    }

    pub const fn count(&self) -> usize {
        self.list.len()
    }
}

/// A socket that speaks only with `target`.
fn open_towards(target: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match target {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(target)?;
    prepare(&socket)?;
    Ok(socket)
}

/// Non-blocking, with room for bursts.
pub fn prepare(socket: &UdpSocket) -> io::Result<()> {
    const ROOM: usize = 4 * 1024 * 1024;
    socket.set_nonblocking(true)?;
    let options = socket2::SockRef::from(socket);
    // the system may grant less; it then drops earlier under bursts, as a real card does
    let _ = options.set_recv_buffer_size(ROOM);
    let _ = options.set_send_buffer_size(ROOM);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_071_clients_are_bounded_and_the_one_silent_longest_goes() {
        let target = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut clients = Clients::new(target.local_addr().unwrap());
        let address = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let first = clients.hear(Mono::from_millis(1), address(1)).unwrap();
        for port in 2..=CLIENTS_MAX as u16 {
            clients.hear(Mono::from_millis(u64::from(port)), address(port)).unwrap();
        }
        assert_eq!(clients.hear(Mono::from_millis(100), address(1)).unwrap(), first);
        clients.hear(Mono::from_millis(101), address(999)).unwrap();
        assert_eq!(clients.count(), CLIENTS_MAX);
        assert!(clients.find(first).is_some(), "heard again, so not the oldest");
        assert!(clients.iter().all(|client| client.address != address(2)), "silent longest");
    }
}
