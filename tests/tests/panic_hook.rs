//! The panic hook allocates nothing: the panic may have begun under a lock that the program's allocator takes. One test alone in
//! its program, as there is one allocator and one hook.
#![allow(unsafe_code)] // an allocator cannot be written without

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::atomic::{AtomicU64, Ordering};

use canonlog::{Context, instrument_request, operation, testing};

struct Counting;

thread_local! {
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static HEARD: AtomicU64 = AtomicU64::new(0);

fn count() {
    if IN_HOOK.try_with(Cell::get) == Ok(true) {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: everything is handed on to the system's allocator, which keeps the trait's promises; a counter is not its memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the promises of `alloc`, which are the same there.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count();
        // SAFETY: the memory came from `alloc` above, that is from the system's allocator, with this layout.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[operation]
fn breaks(what: &str) -> u8 {
    if what.len() > 1_000 {
        panic!("no {what}")
    }
    panic!("no stock")
}

#[instrument_request]
fn checkout(what: &str) -> u8 {
    Context::set("before", 1);
    catch_unwind(|| breaks(what)).unwrap_or(1);
    breaks(what)
}

#[test]
fn the_hook_allocates_nothing_and_calls_the_one_before_it() {
    // Inside canonlog's: the hook of a program that sets its own before.
    set_hook(Box::new(|_| {
        IN_HOOK.set(false);
        HEARD.fetch_add(1, Ordering::Relaxed);
    }));
    let capture = testing::capture();
    canonlog::begin(canonlog::Kind::Request).finish();
    // Outside: one that is set after.
    let canonlogs = take_hook();
    set_hook(Box::new(move |info| {
        IN_HOOK.set(true);
        canonlogs(info);
        IN_HOOK.set(false);
    }));
    let long = "x".repeat(5_000);
    for what in ["", &long] {
        assert!(catch_unwind(AssertUnwindSafe(|| checkout(what))).is_err());
        let elsewhere = what.to_owned();
        assert!(std::thread::spawn(move || checkout(&elsewhere)).join().is_err());
        assert!(catch_unwind(|| breaks(what)).is_err());
    }
    drop(capture);
    let _ = take_hook();
    assert_eq!(HEARD.load(Ordering::Relaxed), 10, "two of each request, and one outside any");
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed), 0);
}
