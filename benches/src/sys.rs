//! What the standard library does not offer: the time-stamp counter, the counting allocator, this thread's
//! context switches and processor. The only file here with `unsafe`.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Reads the time-stamp counter; on other processors than x86-64 a monotonic clock in nanoseconds.
#[inline(always)]
pub fn ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: `rdtsc` exists on every x86-64 processor, and touches no memory.
    unsafe {
        std::arch::x86_64::_rdtsc()
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        use std::sync::OnceLock;
        use std::time::Instant;
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed().as_nanos() as u64
    }
}

/// The system's allocator, which counts while [`Counting::during`] runs, over all threads.
///
/// Outside it costs one load of a flag that nobody writes.
pub struct Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

impl Counting {
    /// The allocations, and their bytes, that all threads make while `work` runs.
    pub fn during(work: impl FnOnce()) -> (u64, u64) {
        ALLOCATIONS.store(0, Ordering::SeqCst);
        BYTES.store(0, Ordering::SeqCst);
        COUNTS.store(true, Ordering::SeqCst);
        work();
        COUNTS.store(false, Ordering::SeqCst);
        (ALLOCATIONS.load(Ordering::SeqCst), BYTES.load(Ordering::SeqCst))
    }
}

#[inline(always)]
fn count(bytes: usize) {
    if COUNTS.load(Ordering::Relaxed) {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

// SAFETY: every call goes to `System` unchanged, which keeps `GlobalAlloc`'s contract; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise about `layout` is the one that `System` asks for.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as for `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System` with this `layout`, as all of ours do.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as for `dealloc`; the caller's promise about `size` is the one that `System` asks for.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// How often this thread was put aside against its will so far; 0 where the system does not say.
pub fn involuntary_switches() -> i64 {
    #[cfg(target_os = "linux")]
    {
        let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: the pointer is to a whole `rusage`, which the call fills.
        let done = unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) };
        if done == 0 {
            // SAFETY: zeroed bytes are a valid `rusage`, filled or not.
            return unsafe { usage.assume_init() }.ru_nivcsw;
        }
    }
    0
}

/// Keeps this thread on one processor; false where that is not possible.
pub fn pin(processor: usize) -> bool {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: an all-zero `cpu_set_t` is the empty set.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: the macro's function only indexes into the set, with a bound on `processor` checked by it.
        unsafe { libc::CPU_SET(processor, &mut set) };
        // SAFETY: the pointer and the size are those of `set`; 0 is the calling thread.
        let done = unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set) };
        done == 0
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = processor;
        false
    }
}
