//! Memory that is never given back: what lies in it may be read by any thread at any time.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};

/// A type made only of atomics, for which all bytes zero is a value.
///
/// # Safety
///
/// Every field is an atomic integer or pointer, or an array or struct of such fields; the type has no destructor.
pub(crate) unsafe trait Zeroed: Sync + 'static {}

// SAFETY: an atomic integer whose bytes are zero is the atomic 0.
unsafe impl Zeroed for std::sync::atomic::AtomicU64 {}

// SAFETY: made of `AtomicU64` alone.
unsafe impl Zeroed for crate::record::slot::Head {}

// SAFETY: made of `AtomicU64`, `AtomicU32` and `AtomicU16` alone, and of `AtomicPtr`, of which null is a value.
unsafe impl Zeroed for crate::record::slot::Body {}

/// `count` values whose bytes are all zero, for ever. The system gives the memory page by page as it is touched.
pub(crate) fn leak_zeroed<T: Zeroed>(count: usize) -> &'static [T] {
    if count == 0 || size_of::<T>() == 0 {
        return &[];
    }
    let layout = Layout::array::<T>(count).unwrap_or_else(|_| panic!("{count} slots do not fit the address space"));
    // SAFETY: the layout's size is not zero: neither `count` nor the type's size is.
    let start = unsafe { alloc_zeroed(layout) };
    if start.is_null() {
        handle_alloc_error(layout);
    }
    // SAFETY: `start` is aligned for `T` and good for `count` of them (it was allocated by that layout); zero bytes are
    // valid values (`T: Zeroed`); nothing else points there, and it is never freed, so `'static` holds; it is only
    // changed through atomics, which `&` allows.
    unsafe { std::slice::from_raw_parts(start.cast::<T>(), count) }
}
