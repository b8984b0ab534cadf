//! Who is who: people by passkeys, machines by certificates of the alliance's own authority.

pub mod authority;
pub mod signing;
pub mod token;
