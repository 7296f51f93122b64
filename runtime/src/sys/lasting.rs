//! A reference to what is never freed, in an atomic.
#![allow(unsafe_code)]

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A `&'static T`, or none.
#[derive(Debug)]
pub(crate) struct Lasting<T: 'static>(AtomicPtr<T>);

impl<T> Lasting<T> {
    pub(crate) const fn none() -> Lasting<T> {
        Lasting(AtomicPtr::new(ptr::null_mut()))
    }

    pub(crate) const fn of(reference: &'static T) -> Lasting<T> {
        Lasting(AtomicPtr::new(ptr::from_ref(reference).cast_mut()))
    }
}

impl<T: Sync> Lasting<T> {
    #[inline(always)]
    pub(crate) fn load(&self) -> Option<&'static T> {
        let reference = self.0.load(Ordering::Acquire);
        // SAFETY: "the pointer must be either null or convertible to a reference": it is null, as in memory that nobody has
        // written, or what `of` or `store` made of a `&'static T`, which stays valid for reads of any thread, as `T` is `Sync`, and is
        // never lent as unique. What it refers to was made before `store`, whose `Release` this `Acquire` reads, or
        // before this value, which no other thread has without being told of it.
        unsafe { reference.as_ref() }
    }

    #[inline(always)]
    pub(crate) fn store(&self, reference: Option<&'static T>) {
        let pointer = reference.map_or(ptr::null(), ptr::from_ref);
        self.0.store(pointer.cast_mut(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_comes_back_as_it_was_stored() {
        static NUMBER: u32 = 7;
        let place = Lasting::none();
        assert_eq!(place.load(), None);
        place.store(Some(&NUMBER));
        assert_eq!(place.load(), Some(&7));
        place.store(None);
        assert_eq!(place.load(), None);
    }
}
