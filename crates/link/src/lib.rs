//! Bytes and time in, bytes and events out; the peer is assumed late, lying or gone.
