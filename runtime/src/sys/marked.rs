//! A reference to what is never freed, and one bit, in a word.
#![allow(unsafe_code)]

use std::fmt;
use std::marker::PhantomData;
use std::ptr;

/// A `&'static T`, or none; marked, or not.
pub(crate) struct Marked<T: 'static> {
    pointer: *const T,
    _reference: PhantomData<&'static T>,
}

const MARK: usize = 1;

// SAFETY: "types that can be transferred across thread boundaries": it is a `&'static T`, which is, as `T` is `Sync`.
unsafe impl<T: Sync> Send for Marked<T> {}
// SAFETY: "types for which it is safe to share references between threads": as above; nothing in it changes through a reference.
unsafe impl<T: Sync> Sync for Marked<T> {}

impl<T> Clone for Marked<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Marked<T> {}

impl<T> fmt::Debug for Marked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Marked").field(&self.pointer).finish()
    }
}

impl<T> Marked<T> {
    /// A reference, not marked.
    #[inline(always)]
    pub(crate) fn new(reference: Option<&'static T>) -> Self {
        const { assert!(align_of::<T>() > MARK, "the lowest bit of the address is free") };
        Marked { pointer: reference.map_or(ptr::null(), ptr::from_ref), _reference: PhantomData }
    }

    #[inline(always)]
    pub(crate) fn is_marked(self) -> bool {
        self.pointer.addr() & MARK != 0
    }

    #[must_use]
    pub(crate) fn mark(self) -> Self {
        Marked { pointer: self.pointer.map_addr(|addr| addr | MARK), ..self }
    }

    #[inline(always)]
    pub(crate) fn get(self) -> Option<&'static T> {
        let pointer = self.pointer.map_addr(|addr| addr & !MARK);
        // SAFETY: "the pointer must be either null or convertible to a reference": `new` has made it of a `&'static T`, or it is
        // null; the mark, which that left free by its alignment, is taken off, and `map_addr` keeps the provenance.
        unsafe { pointer.as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_comes_back_marked_or_not() {
        static NUMBER: u32 = 7;
        for reference in [Some(&NUMBER), None] {
            let plain = Marked::new(reference);
            assert_eq!((plain.get(), plain.is_marked()), (reference, false));
            assert_eq!((plain.mark().get(), plain.mark().is_marked()), (reference, true));
        }
    }
}
