//! The shell: the only room with a clock, a socket, a thread or a file; it decides nothing.
