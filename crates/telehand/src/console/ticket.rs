//! The session grant that this console holds, and the key that it is bound to.

use crate::arm::admission::Asks;
use crate::arm::{Shows, challenge};
use anyhow::{Context, Result, bail};
use std::path::Path;
use telehand_alliance::cbor;
use telehand_alliance::entity::session::GrantRole;
use telehand_alliance::grant::{KeyPair, Signer, Token, thumbprint};
use telehand_alliance::ids::{Hash32, PersonId};

/// A grant with its key.
pub struct Ticket {
    bytes: Vec<u8>,
    token: Token,
    person: PersonId,
    key: KeyPair,
}

impl Ticket {
    /// From two files: the grant as the hub gave it, and the key as 64 hexadecimal digits. `None`
    /// without them.
    ///
    /// # Errors
    /// When a file cannot be read or the grant is not for this key.
    pub fn read(grant: Option<&Path>, key: Option<&Path>) -> Result<Option<Self>> {
        let (Some(grant), Some(key)) = (grant, key) else { return Ok(None) };
        let bytes = std::fs::read(grant)
            .with_context(|| format!("cannot read the session grant {}", grant.display()))?;
        let token = Token::parse(&bytes)
            .with_context(|| format!("{} is no session grant", grant.display()))?;
        let text = std::fs::read_to_string(key)
            .with_context(|| format!("cannot read the console's key {}", key.display()))?;
        let seed = Hash32::from_hex(text.trim())
            .with_context(|| format!("{} is not a key: 64 hexadecimal digits", key.display()))?;
        let key = KeyPair::from_seed(&seed.0);
        if thumbprint(&key.public_key()) != token.claims().console_key {
            bail!(
                "the grant {} is bound to another console's key. The arm would refuse it. Ask for \
                 a grant for this console",
                grant.display()
            );
        }
        let mut controls = token.claims().people.iter().filter(|(_, r)| **r == GrantRole::Control);
        let Some((person, _)) = controls.next() else {
            bail!("the grant {} lets nobody control; ask for another", grant.display());
        };
        Ok(Some(Self { person: person.clone(), bytes, token, key }))
    }

    /// The answer to the arm.
    pub fn show(&self, asks: &Asks) -> Option<Vec<u8>> {
        let challenge = challenge(asks, &self.token, &self.person);
        let proof = challenge.answer(&self.key).ok()?;
        let shows = Shows { grant: self.bytes.clone(), person: self.person.clone(), proof };
        cbor::to_vec(&shows).ok()
    }
}
