//! Ports for programs that will be started, and started again, a moment from now.

use anyhow::{Result, bail};
use std::net::{TcpListener, UdpSocket};
use std::ops::Range;

/// Where Linux says from which port on it gives ports to outgoing connections.
const EPHEMERAL: &str = "/proc/sys/net/ipv4/ip_local_port_range";
/// Where that begins on a Linux that nobody has configured.
const EPHEMERAL_FROM: u16 = 32_768;
/// Ports below the ephemeral ones that are looked at.
const SPAN: u16 = 12_000;

/// `count` ports of the loopback address that are free for TCP and UDP now.
///
/// None of them is one that the system gives to outgoing connections: such a port may be taken by
/// anybody between now and the moment a process that was killed is started again.
pub fn free(count: usize) -> Result<Vec<u16>> {
    let range = below_ephemeral();
    let mut held = Vec::new();
    let mut free = Vec::new();
    // Two demos that start at once begin looking at different places.
    let first = ring_start(range.len());
    for step in 0..range.len() {
        if free.len() == count {
            break;
        }
        let port = range.start + ((first + step) % range.len()) as u16;
        if let (Ok(tcp), Ok(udp)) =
            (TcpListener::bind(("127.0.0.1", port)), UdpSocket::bind(("127.0.0.1", port)))
        {
            held.push((tcp, udp));
            free.push(port);
        }
    }
    if free.len() < count {
        bail!(
            "{count} ports are needed, {} of {}..{} are free; close other programs and try again",
            free.len(),
            range.start,
            range.end
        );
    }
    Ok(free)
}

fn below_ephemeral() -> Range<u16> {
    let first = std::fs::read_to_string(EPHEMERAL)
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .filter(|first| *first > SPAN + 1024)
        .unwrap_or(EPHEMERAL_FROM);
    first - SPAN..first
}

/// Somewhere in a ring of `length` places, another one for every process and moment.
fn ring_start(length: usize) -> usize {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id()) as usize % length.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_different_and_not_given_to_outgoing_connections() {
        let mut ports = free(20).unwrap_or_default();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 20);
        let range = below_ephemeral();
        assert!(ports.iter().all(|port| range.contains(port)), "{ports:?}");
    }
}
