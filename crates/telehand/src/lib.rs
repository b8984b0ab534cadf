//! The shell: the only room with a clock, a socket, a thread or a file; it decides nothing.

pub mod arm;
pub mod bedside;
pub mod bridge_cli;
pub mod clock;
pub mod console;
pub mod demo;
pub mod http;
pub mod keys_cli;
pub mod kinematics_cli;
pub mod net;
mod net_words;
pub mod ortho_cli;
pub mod ortho_demo;
pub mod planner;
pub mod ports;
pub mod pump;
pub mod realtime;
pub mod record_cli;
pub mod replay;
pub mod report;
pub mod site;
pub mod station;
pub mod stop;
pub mod tape;
pub mod view;
pub mod wan;

/// A number from a command line, within bounds.
fn within(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(format!("{number} is outside {least} to {most}"))
    }
}

/// Locks, also after another thread died with it: what it holds is replaced as a whole.
pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
