//! The shell: the only room with a clock, a socket, a thread or a file; it decides nothing.

pub mod arm;
pub mod bedside;
pub mod clock;
pub mod console;
pub mod demo;
pub mod http;
pub mod keys_cli;
pub mod kinematics_cli;
pub mod net;
pub mod pump;
pub mod realtime;
pub mod record_cli;
pub mod replay;
pub mod report;
pub mod stop;
pub mod tape;
pub mod view;
pub mod wan;
