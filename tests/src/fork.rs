//! Children made by `fork`, without `exec`: they go on with a copy of all that their parent has.
#![allow(unsafe_code)]

use std::time::{Duration, Instant};

/// 0 in the child, and the child's number in its parent.
pub fn fork() -> i32 {
    // SAFETY: the child only records and emits, and ends by `exit_child`; that this works after `fork` is what is tested.
    unsafe { libc::fork() }
}

/// Ends a child without running what its parent would run at its own end.
pub fn exit_child(code: i32) -> ! {
    // SAFETY: ends the process, nothing else.
    unsafe { libc::_exit(code) }
}

/// What a child ended with; none, and it is killed, if it takes longer than the limit.
pub fn wait_for(child: i32, limit: Duration) -> Option<i32> {
    let began = Instant::now();
    loop {
        let mut status = 0;
        // SAFETY: the pointer is to a live integer.
        if unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == child {
            return Some(status);
        }
        if began.elapsed() > limit {
            // SAFETY: the child was not waited for, so the number is still its own.
            unsafe { libc::kill(child, libc::SIGKILL) };
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
