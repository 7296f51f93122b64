//! A running thread copies its own stack, in a signal handler that does nothing else.
//!
//! The handler makes no system call, takes no lock, allocates nothing, and touches no thread-local variable: it swaps one word,
//! stores three registers and copies bytes. So it may interrupt anything.
//!
//! The signal is not sent, it comes from a timer that runs with the thread's own processor time: it finds the thread on its way
//! back to user code, and never asleep in the kernel, where its call would fail with `EINTR`, `SA_RESTART` or not. A thread that was
//! seen running and sleeps before a signal can be sent to it would be hit.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{Copy, LONGEST, Registers, handshake};
use crate::sys::slab::leak_zeroed;

/// Ignored where nobody handles it: a handler that got lost costs no process its life.
const SIGNAL: c_int = libc::SIGURG;
/// The x86-64 calling convention lets a function use so much below its stack pointer.
const RED_ZONE: u64 = 128;

/// Who may touch what follows.
static AT: AtomicU64 = AtomicU64::new(0);
static REQUESTS: AtomicU64 = AtomicU64::new(0);
/// The stack of the thread that was asked.
static LOW: AtomicU64 = AtomicU64::new(0);
static HIGH: AtomicU64 = AtomicU64::new(0);
/// What the handler found: instruction, stack and frame pointer.
static IP: AtomicU64 = AtomicU64::new(0);
static SP: AtomicU64 = AtomicU64::new(0);
static BP: AtomicU64 = AtomicU64::new(0);
/// Where the copy begins, and its length.
static BASE: AtomicU64 = AtomicU64::new(0);
static LEN: AtomicU64 = AtomicU64::new(0);
/// [`LONGEST`] bytes for the copy.
static AREA: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());

/// The beginning of a timer's `siginfo_t`, as the kernel lays it out.
#[repr(C)]
struct Fired {
    signal: i32,
    errno: i32,
    code: i32,
    _pad: i32,
    timer: i32,
    overrun: i32,
    value: u64,
    _rest: [u64; 12],
}

const _: () = assert!(size_of::<Fired>() == size_of::<libc::siginfo_t>());

extern "C" fn on_signal(_signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: with `SA_SIGINFO` the kernel passes a `siginfo_t`, which is as large as `Fired` and begins as it does where the
    // code is `SI_TIMER`; whatever else it holds is a valid value of those integers. Nobody writes it while the handler runs.
    let info = unsafe { &*info.cast::<Fired>() };
    if info.code != libc::SI_TIMER || !handshake::begin(&AT, info.value) {
        return;
    }
    // SAFETY: with `SA_SIGINFO` the kernel passes a `ucontext_t`, which nobody writes while the handler runs.
    let context = unsafe { &*context.cast::<libc::ucontext_t>() };
    let register = |number: c_int| context.uc_mcontext.gregs[number as usize].cast_unsigned();
    let sp = register(libc::REG_RSP);
    IP.store(register(libc::REG_RIP), Ordering::Relaxed);
    SP.store(sp, Ordering::Relaxed);
    BP.store(register(libc::REG_RBP), Ordering::Relaxed);
    let (low, high) = (LOW.load(Ordering::Relaxed), HIGH.load(Ordering::Relaxed));
    let mut len = 0;
    // Where the stack pointer is elsewhere (a coroutine's stack, another thread) nothing is known to be readable.
    if low < sp && sp < high && sp - low > RED_ZONE {
        let base = sp - RED_ZONE;
        len = (high - base).min(LONGEST as u64);
        BASE.store(base, Ordering::Relaxed);
        // SAFETY: `base` up to `base + len` lies in this thread's stack, of which all above the stack pointer is mapped, and
        // the red zone below it too, as `low` is the lowest usable address. `AREA` has `LONGEST` bytes, which nobody else
        // touches from `begin` to `end`. The direction flag is clear when a handler is called. An instruction and no
        // `memcpy`: the stack's owner is interrupted, and no sanitizer's shadow of it, nor a symbol's lookup, is in the way.
        unsafe {
            core::arch::asm!(
                "rep movsb",
                inout("rcx") len => _,
                inout("rsi") base => _,
                inout("rdi") AREA.load(Ordering::Relaxed) => _,
                options(nostack, preserves_flags),
            );
        }
    }
    LEN.store(len, Ordering::Relaxed);
    handshake::end(&AT, info.value);
}

/// The address of the handler that is installed for the signal; `None` for one that the kernel has.
fn handler() -> Option<usize> {
    // SAFETY: all zeros are a valid `sigaction`: the default action, an empty mask, no flags.
    let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: `now` is a live, writable `sigaction`, and no new action is given.
    let known = unsafe { libc::sigaction(SIGNAL, std::ptr::null(), &raw mut now) };
    match now.sa_sigaction {
        _ if known != 0 => Some(0),
        libc::SIG_DFL | libc::SIG_IGN => None,
        other => Some(other),
    }
}

fn ours() -> usize {
    on_signal as extern "C" fn(_, _, _) as *const () as usize
}

/// Makes sure that our handler is there; false if the program has one of its own.
fn install() -> bool {
    match handler() {
        Some(handler) => return handler == ours(),
        None if AREA.load(Ordering::Acquire).is_null() => {
            let words: &'static [AtomicU64] = leak_zeroed(LONGEST / 8);
            AREA.store(words.as_ptr().cast::<u8>().cast_mut(), Ordering::Release);
        }
        None => {}
    }
    // SAFETY: as in `handler`.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = ours();
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
    // SAFETY: `action` is a live `sigaction` whose function has the signature that `SA_SIGINFO` asks for, and does only what
    // POSIX allows in a handler.
    unsafe { libc::sigaction(SIGNAL, &raw const action, std::ptr::null_mut()) == 0 }
}

/// Nobody was asked, in this process.
pub(super) fn forget() {
    AT.store(0, Ordering::Release);
}

/// Whether the kernel sends a timer's signal from the thread's own way back to user code, as of 5.9. Before, it could find the thread
/// about to sleep.
fn is_gentle() -> bool {
    /// 0 for not known, 1 for no, 2 for yes.
    static KNOWN: AtomicU64 = AtomicU64::new(0);
    match KNOWN.load(Ordering::Relaxed) {
        0 => {
            let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
            let gentle = is_new_enough(&release);
            KNOWN.store(1 + u64::from(gentle), Ordering::Relaxed);
            gentle
        }
        known => known == 2,
    }
}

fn is_new_enough(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|number| number.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(5), Some(9))
}

/// A timer of the kernel, which goes with the processor time of one thread of this process.
struct Timer(c_int);

impl Timer {
    /// One that sends that thread the signal with the request's number as soon as it works on.
    fn start(tid: u64, request: u64) -> Option<Timer> {
        let tid = i32::try_from(tid).ok().filter(|tid| *tid > 0)?;
        // The kernel's name of the clock: the thread's number, a bit for one thread, and 2 for its time on a processor.
        let clock = !tid << 3 | 0b100 | 2;
        // SAFETY: all zeros are a valid `sigevent`.
        let mut event: libc::sigevent = unsafe { std::mem::zeroed() };
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = SIGNAL;
        event.sigev_value.sival_ptr = std::ptr::without_provenance_mut(usize::try_from(request).ok()?);
        event.sigev_notify_thread_id = tid;
        let mut id: c_int = 0;
        // SAFETY: both pointers are to live variables of the types that the kernel's call takes (its timers' names are integers).
        // A number that is no thread of this process gives `EINVAL`.
        if unsafe { libc::syscall(libc::SYS_timer_create, clock, &raw mut event, &raw mut id) } != 0 {
            return None;
        }
        let timer = Timer(id);
        let none = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let soon = libc::timespec { tv_sec: 0, tv_nsec: 1 };
        let when = libc::itimerspec { it_interval: none, it_value: soon };
        let before = std::ptr::null_mut::<libc::itimerspec>();
        // SAFETY: the timer was just made, `when` is a live `itimerspec`, and the former time is not asked for.
        let set = unsafe { libc::syscall(libc::SYS_timer_settime, timer.0, 0, &raw const when, before) } == 0;
        set.then_some(timer)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: the timer was made by this process, and is deleted once. After a fork the child has none of its parent's.
        unsafe { libc::syscall(libc::SYS_timer_delete, self.0) };
    }
}

/// Has a running thread copy its stack, which lies within the bounds; for one caller at a time. Gives up when it does not run
/// any more.
pub(super) fn copy(tid: u64, (low, high): (u64, u64), until: Instant, runs: impl Fn() -> bool) -> Option<Copy> {
    if !is_gentle() || !install() {
        return None;
    }
    let request = REQUESTS.fetch_add(1, Ordering::Relaxed) + 1;
    // A copy that is still being made by a thread that was given up on, for it does not get a processor.
    if !handshake::is_free(&AT) {
        return None;
    }
    LOW.store(low, Ordering::Relaxed);
    HIGH.store(high, Ordering::Relaxed);
    if !handshake::request(&AT, request) {
        return None;
    }
    let mut done = false;
    if let Some(_timer) = Timer::start(tid, request) {
        while !done && Instant::now() < until && runs() {
            // The kernel looks at such timers some hundred times a second.
            std::thread::sleep(Duration::from_micros(500));
            done = handshake::is_done(&AT, request);
        }
    }
    if !done && !handshake::cancel(&AT, request) {
        return None;
    }
    let len = usize::try_from(LEN.load(Ordering::Relaxed)).unwrap_or(0).min(LONGEST);
    if len == 0 {
        return None;
    }
    let mut bytes = vec![0; len];
    // SAFETY: `AREA` has `LONGEST` bytes, at least `len`, which the handler has written and nobody touches before the next
    // request; `bytes` is another allocation of `len` bytes.
    unsafe { std::ptr::copy_nonoverlapping(AREA.load(Ordering::Acquire), bytes.as_mut_ptr(), len) };
    let registers = Registers {
        ip: IP.load(Ordering::Relaxed),
        sp: SP.load(Ordering::Relaxed),
        bp: Some(BP.load(Ordering::Relaxed)),
    };
    Some(Copy { registers, base: BASE.load(Ordering::Relaxed), bytes })
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn kernels_before_5_9_are_too_old() {
        for release in ["5.9.0", "5.10.0-28-amd64\n", "6.1.0", "6.18.5-1"] {
            assert!(is_new_enough(release), "{release}");
        }
        for release in ["5.8.18", "4.4.0", "4.19.0-amd64", "5", "", "x"] {
            assert!(!is_new_enough(release), "{release}");
        }
    }
}
