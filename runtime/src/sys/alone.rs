//! A value that one thread has at a time, for so short a time that nobody waits for it in the kernel.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

/// A value that one thread has at a time. To have it costs one write that processors must agree on, where a mutex costs two.
#[derive(Debug)]
pub(crate) struct Alone<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: whoever touches the value has set `taken`, which only one thread can at a time (`Taken`); what the one before has written
// is seen by the next, as `taken` is given back with a release store, and set with an acquire. So the value is only handed from
// thread to thread, which `T: Send` allows.
unsafe impl<T: Send> Sync for Alone<T> {}

impl<T> Alone<T> {
    pub(crate) const fn new(value: T) -> Alone<T> {
        Alone { taken: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// The value; none while somebody has it.
    #[inline]
    pub(crate) fn take(&self) -> Option<Taken<'_, T>> {
        // Not `then_some`: what is made only to be dropped would give the value back.
        (!self.taken.swap(true, Ordering::Acquire)).then(|| Taken { of: self, lends: PhantomData })
    }
}

/// The value of an [`Alone`], until this is dropped.
#[derive(Debug)]
pub(crate) struct Taken<'a, T> {
    of: &'a Alone<T>,
    /// Who shares this shares the value, so that must be `Sync` for it, as with a borrow; an `Alone` is so without.
    lends: PhantomData<&'a mut T>,
}

impl<T> Deref for Taken<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: `take` made this one alone, so nobody else has a reference; the pointer of an `UnsafeCell` is valid for as long as
        // the cell is borrowed, which this does.
        unsafe { &*self.of.value.get() }
    }
}

impl<T> DerefMut for Taken<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and this is borrowed mutably.
        unsafe { &mut *self.of.value.get() }
    }
}

impl<T> Drop for Taken<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.of.taken.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_threads_share_while_it_is_taken_is_what_they_may_share() {
        /// There are two of these for what is `Sync`, so that none is chosen.
        trait Shared<A> {
            fn is() {}
        }
        impl<T: ?Sized> Shared<()> for T {}
        impl<T: ?Sized + Sync> Shared<u8> for T {}
        <Taken<'_, Cell<u8>> as Shared<_>>::is();
        fn assert_sync<T: Sync>() {}
        assert_sync::<Alone<Cell<u8>>>();
        assert_sync::<Taken<'_, u8>>();
    }

    #[test]
    fn one_thread_at_a_time_has_it_and_the_next_sees_what_it_did() {
        static COUNT: Alone<[u64; 2]> = Alone::new([0; 2]);
        const TIMES: u64 = if cfg!(miri) { 50 } else { 5_000 };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut left = TIMES;
                    while left > 0 {
                        if let Some(mut count) = COUNT.take() {
                            assert_eq!(count[0], count[1]);
                            *count = count.map(|count| count + 1);
                            left -= 1;
                        } else {
                            std::thread::yield_now();
                        }
                    }
                });
            }
        });
        let count = COUNT.take().expect("nobody has it");
        assert!(COUNT.take().is_none());
        assert_eq!(*count, [4 * TIMES; 2]);
    }
}
