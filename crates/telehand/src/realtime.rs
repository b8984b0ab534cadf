//! Asking the system to run a thread first and to keep its memory in place.
//!
//! Everything here is a request: without the privilege (`CAP_SYS_NICE`, `CAP_IPC_LOCK`, or the
//! limits `rtprio` and `memlock`) the program works the same, only less punctually, and says so.

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::thread::set_current_timer_slack;
use std::num::NonZeroU64;

/// Asks for `SCHED_FIFO` at `priority` (1 to 99) and exact timers for the calling thread.
///
/// True when the scheduler granted it. Exact timers need no privilege and are set anyway.
#[must_use]
pub fn try_realtime(priority: i32) -> bool {
    // 1 ns of slack instead of the usual 50 us; if refused, waits only end a little later.
    let _ = set_current_timer_slack(NonZeroU64::new(1));
    set_fifo(priority.clamp(1, 99))
}

/// Asks that no page of this process, present or future, is ever swapped out.
#[must_use]
pub fn lock_memory() -> bool {
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE).is_ok()
}

#[expect(unsafe_code, reason = "neither std nor rustix sets a scheduling policy")]
fn set_fifo(priority: i32) -> bool {
    let param = libc::sched_param { sched_priority: priority };
    // SAFETY: `param` is a live, initialised sched_param for the length of the call; pid 0 names
    // the calling thread, so no other thread's state is touched.
    unsafe {
        libc::sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &raw const param)
            == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l_100_a_refused_or_granted_request_leaves_a_working_thread() {
        let turns = std::thread::spawn(|| (try_realtime(i32::MAX), (0..10).sum::<u32>()));
        assert_eq!(turns.join().unwrap().1, 45);
    }
}
