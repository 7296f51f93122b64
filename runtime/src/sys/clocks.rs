//! Clocks below `Instant`: the time stamp counter and the CPU time of a thread. And moments to come.
#![allow(unsafe_code)]

use std::time::{Duration, Instant};

/// Who waits for longer waits for ever: a hundred years.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The moment so long after another, however long that is.
pub(crate) fn after(moment: Instant, time: Duration) -> Instant {
    moment + time.min(FOR_EVER)
}

/// The moment in so long a time, however long that is.
pub(crate) fn within(time: Duration) -> Instant {
    after(Instant::now(), time)
}

/// The processor's time stamp counter, where [`invariant_tsc`] says that it is a clock.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn tsc() -> u64 {
    // SAFETY: `_rdtsc` needs nothing but an x86 processor with the instruction, which every x86-64 one has; a kernel that
    // forbids it to programs (CR4.TSD) also takes `tsc` out of its clock sources, so `invariant_tsc` is false there and
    // this is not called.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn tsc() -> u64 {
    0
}

/// Whether the time stamp counter runs at one rate, in step on all processors, through sleep states too.
///
/// The processor must say so (CPUID 8000_0007h, EDX bit 8), and the kernel must have chosen it as its own clock, which it
/// does only after it has watched the counters of all processors agree.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(crate) fn invariant_tsc() -> bool {
    use core::arch::x86_64::__cpuid;
    #[allow(unused_unsafe)] // safe since Rust 1.94
    let cpuid = |leaf: u32| {
        // SAFETY: every x86-64 processor has CPUID.
        unsafe { __cpuid(leaf) }
    };
    const EXTENDED: u32 = 0x8000_0000;
    const POWER: u32 = 0x8000_0007;
    let invariant = cpuid(EXTENDED).eax >= POWER && cpuid(POWER).edx & (1 << 8) != 0;
    let source = std::fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    invariant && source.is_ok_and(|source| source.trim() == "tsc")
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub(crate) fn invariant_tsc() -> bool {
    false
}

/// The CPU time that the current thread has used, in nanoseconds; 0 where the system does not tell.
#[cfg(unix)]
pub(crate) fn thread_cpu_nanos() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a live, writable `timespec`, and the call keeps no pointer to it.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    if done != 0 {
        return 0;
    }
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

#[cfg(not(unix))]
pub(crate) fn thread_cpu_nanos() -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_grows_with_work() {
        let before = thread_cpu_nanos();
        let sum = (0..2_000_000_u64).fold(0, |sum: u64, n| sum.wrapping_add(std::hint::black_box(n)));
        assert!(std::hint::black_box(sum) > 0);
        assert!(thread_cpu_nanos() > before);
    }
}
