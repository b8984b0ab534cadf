//! Whole messages over a local stream: two length bytes, then the message.
//!
//! The arm's end never waits: what the other side does not take now stays in a bounded backlog.

use super::wire::push_message;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

/// Bytes kept for a reader that does not read: about ten seconds of reports.
const BACKLOG_MAX: usize = 24 << 20;
/// Bytes read at once.
const READ_MAX: usize = 64 * 1024;

/// The waiting bytes of one direction, kept while nobody is connected.
#[derive(Debug, Default)]
pub struct Backlog {
    bytes: Vec<u8>,
    sent: usize,
}

impl Backlog {
    /// Queues one message; false when there is no room and it is dropped.
    pub fn push(&mut self, message: &[u8]) -> bool {
        self.bytes.len() + message.len() <= BACKLOG_MAX && push_message(&mut self.bytes, message)
    }

    /// Whether everything was written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Writes what the stream takes now. `Err` when the other side is gone.
    pub fn flush(&mut self, stream: &mut UnixStream) -> std::io::Result<()> {
        while let Some(rest) = self.bytes.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match stream.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.sent += count,
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        if self.sent == self.bytes.len() {
            self.bytes.clear();
            self.sent = 0;
        } else if self.sent > BACKLOG_MAX / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        Ok(())
    }

    /// The reader changed: begin again at the first message that it did not get whole.
    pub fn rewind(&mut self) {
        let mut at = 0;
        while let Some(length) = length_at(&self.bytes, at) {
            let end = at + 2 + length;
            if end > self.sent {
                break;
            }
            at = end;
        }
        self.bytes.drain(..at.min(self.bytes.len()));
        self.sent = 0;
    }
}

/// Collects bytes into messages.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
}

impl Inbox {
    /// Reads what is there and calls `each` with every whole message. A blocking stream waits for
    /// the first bytes. `Ok(false)` when the other side has closed.
    pub fn read(
        &mut self,
        stream: &mut UnixStream,
        mut each: impl FnMut(&[u8]),
    ) -> std::io::Result<bool> {
        let old = self.bytes.len();
        self.bytes.resize(old + READ_MAX, 0);
        let outcome = stream.read(self.bytes.get_mut(old..).unwrap_or_default());
        self.bytes.truncate(old + outcome.as_ref().map_or(0, |count| *count));
        let mut at = 0;
        while let Some(length) = length_at(&self.bytes, at) {
            let Some(message) = self.bytes.get(at + 2..at + 2 + length) else { break };
            each(message);
            at += 2 + length;
        }
        self.bytes.drain(..at);
        match outcome {
            Ok(count) => Ok(count > 0),
            Err(e)
                if matches!(
                    e.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                Ok(true)
            }
            Err(e) => Err(e),
        }
    }
}

/// The length of the message whose two length bytes stand at `at`.
fn length_at(bytes: &[u8], at: usize) -> Option<usize> {
    let head = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(usize::from(u16::from_le_bytes(head)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_a_reader_that_comes_back() {
        let (mut here, there) = UnixStream::pair().unwrap();
        here.set_nonblocking(true).unwrap();
        let mut backlog = Backlog::default();
        let message = |n: u32| n.to_le_bytes().repeat(300);
        for n in 0..2_000 {
            assert!(backlog.push(&message(n)));
        }
        // The first reader takes some and dies; the next one gets whole messages again.
        backlog.flush(&mut here).unwrap();
        drop(there);
        backlog.rewind();
        let (mut here, mut there) = UnixStream::pair().unwrap();
        here.set_nonblocking(true).unwrap();
        there.set_nonblocking(true).unwrap();
        let (mut inbox, mut got) = (Inbox::default(), Vec::new());
        for _ in 0..10_000 {
            backlog.flush(&mut here).unwrap();
            inbox
                .read(&mut there, |m| got.push(u32::from_le_bytes(m[..4].try_into().unwrap())))
                .unwrap();
        }
        assert_eq!(got.last(), Some(&1_999));
        assert!(got.windows(2).all(|pair| pair[1] == pair[0] + 1));
    }
}
