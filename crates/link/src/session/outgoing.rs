//! Sealed packets on their way out, most urgent first. Buffers are used again.

use std::collections::VecDeque;

/// How urgent a datagram is; the shell marks it so (DSCP).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Commands: expedited forwarding (RFC 3246).
    Command = 0,
    /// States, probes, reports and messages: expedited forwarding too; they are few and small.
    Control = 1,
    /// Pictures: assured forwarding, AF41 (RFC 2597, RFC 4594 section 4.3).
    Video = 2,
}

/// Where a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmit {
    /// The path's number.
    pub path: usize,
    /// How urgent it is.
    pub class: Class,
}

#[derive(Debug)]
struct Packet {
    bytes: Vec<u8>,
    next: usize,
    end: usize,
}

/// The queues. A packet in them goes out of the paths `next..end` as the same bytes.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    commands: VecDeque<Packet>,
    control: VecDeque<Packet>,
    spare: Vec<Vec<u8>>,
}

/// More than this means that nobody sends: the oldest are dropped.
const QUEUE_MAX: usize = 1_024;

impl Outgoing {
    /// An empty buffer.
    pub(crate) fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    pub(crate) fn give_back(&mut self, mut bytes: Vec<u8>) {
        bytes.clear();
        if self.spare.len() < 16 {
            self.spare.push(bytes);
        }
    }

    /// Queues a sealed packet for these paths.
    pub(crate) fn push(&mut self, bytes: Vec<u8>, paths: std::ops::Range<usize>, class: Class) {
        let queue = if class == Class::Command { &mut self.commands } else { &mut self.control };
        queue.push_back(Packet { bytes, next: paths.start, end: paths.end });
        if queue.len() > QUEUE_MAX {
            queue.pop_front();
        }
    }

    /// The most urgent datagram, into `out`.
    pub(crate) fn pop(&mut self, out: &mut Vec<u8>) -> Option<Transmit> {
        let (queue, class) = if self.commands.is_empty() {
            (&mut self.control, Class::Control)
        } else {
            (&mut self.commands, Class::Command)
        };
        let packet = queue.front_mut()?;
        out.clear();
        out.extend_from_slice(&packet.bytes);
        let path = packet.next;
        packet.next += 1;
        if packet.next >= packet.end
            && let Some(done) = queue.pop_front()
        {
            self.give_back(done.bytes);
        }
        Some(Transmit { path, class })
    }
}
