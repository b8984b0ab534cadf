//! Who is who: people by passkeys, machines by certificates of the alliance's own authority.

pub mod authority;
pub mod passkey;
pub mod record;
pub mod recovery;
pub mod registry;
pub mod signing;
pub mod token;
pub mod vault;
