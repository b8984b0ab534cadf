//! The keys in use: one to seal with, up to three to open with while they change.
//!
//! The patient side (the server of the handshake) has new keys last, so when it has them both have:
//! it seals with them at once. The console seals with the old ones until the first packet under
//! the new ones has come, or the overlap is over. The old ones open for the overlap.

use crate::keys::SessionKeys;
use crate::seal::{self, Header, Opener, SealError, Sealer};
use telehand_vocab::{Mono, Span};

/// How long old keys are accepted.
pub(crate) const OVERLAP: Span = Span::from_millis(2_000);

pub(crate) struct Keyring {
    console: bool,
    pub(crate) sealer: Sealer,
    /// New keys that the peer has not used yet; used anyway from this time on.
    next: Option<(Sealer, Mono)>,
    /// The newest first; the others end.
    openers: Vec<(Opener, Option<Mono>)>,
}

impl Keyring {
    pub(crate) fn new(keys: &SessionKeys, console: bool) -> Self {
        let (sealer, opener) = seal::pair(keys, console);
        Self { console, sealer, next: None, openers: vec![(opener, None)] }
    }

    pub(crate) fn replace(&mut self, now: Mono, keys: &SessionKeys) {
        let (sealer, opener) = seal::pair(keys, self.console);
        let until = now + OVERLAP;
        for (_, end) in &mut self.openers {
            end.get_or_insert(until);
        }
        self.openers.insert(0, (opener, None));
        self.openers.truncate(3);
        if self.console {
            self.next = Some((sealer, until));
        } else {
            self.sealer = sealer;
        }
    }

    /// Drops what has ended.
    pub(crate) fn handle_timeout(&mut self, now: Mono) {
        self.openers.retain(|(_, end)| end.is_none_or(|end| now < end));
        if self.next.as_ref().is_some_and(|(_, at)| now >= *at) {
            self.take_next();
        }
    }

    /// Whether some key in use belongs to this session id.
    pub(crate) fn knows(&self, now: Mono, session: u64) -> bool {
        self.openers
            .iter()
            .any(|(opener, end)| opener.session() == session && end.is_none_or(|end| now < end))
    }

    pub(crate) fn open<'a>(
        &mut self,
        header: Header,
        datagram: &'a mut [u8],
    ) -> Result<&'a [u8], SealError> {
        let opener = self.openers.iter_mut().find(|(o, _)| o.session() == header.session);
        let (opener, _) = opener.ok_or(SealError::Forged)?;
        let body = opener.open(header, datagram)?;
        if self.next.as_ref().is_some_and(|(next, _)| next.session() == header.session) {
            self.take_next();
        }
        Ok(body)
    }

    fn take_next(&mut self) {
        if let Some((next, _)) = self.next.take() {
            self.sealer = next;
        }
    }
}
