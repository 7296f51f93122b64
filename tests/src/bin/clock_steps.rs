//! A program whose date steps while requests run: it answers for the system's clock itself.
//!
//! The standard library asks the C library for the time, and the linker takes this program's `clock_gettime` for it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use canonlog::{Context, Kind, begin};

/// Seconds that the date is ahead of the real one.
static AHEAD: AtomicI64 = AtomicI64::new(0);

/// As the system's, but for the date.
///
/// # Safety
///
/// As the system's: the pointer must be to a `timespec` that can be written.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> i32 {
    // SAFETY: the caller's pointer is handed on; the system writes a `timespec` there or fails.
    let done = unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) };
    if done != 0 {
        return -1;
    }
    if clock == libc::CLOCK_REALTIME {
        // SAFETY: the call above has just written there.
        let time = unsafe { &mut *time };
        time.tv_sec += AHEAD.load(Ordering::SeqCst);
    }
    0
}

fn request(name: &'static str, work: impl FnOnce()) {
    let scope = begin(Kind::Request);
    scope.enter(|| {
        Context::set("name", name);
        let _section = Context::time("section");
        work();
    });
    scope.finish();
}

/// The date that canonlog reads at most a second later.
fn settle() {
    std::thread::sleep(Duration::from_millis(1_100));
}

fn main() {
    let guard = canonlog::setup().timeout(Duration::from_secs(30)).init().expect("a set-up");
    let step = |seconds: i64| move || AHEAD.store(seconds, Ordering::SeqCst);
    request("before", || {});
    request("during_a_step_of_a_day", step(86_400));
    settle();
    request("a_day_ahead", || {});
    request("during_a_step_back", step(-86_400));
    settle();
    request("a_day_behind", || {});
    request("during_a_step_to_before_1970", step(-4_000_000_000));
    settle();
    request("before_1970", || {});
    request("during_a_step_to_the_end", step(i64::from(i32::MAX) * 1_000));
    settle();
    request("far_ahead", || {});
    guard.shutdown();
}
