//! An atomic word that several hands change: std's, or a model checker's.

use std::sync::atomic::{AtomicU64, Ordering};

/// An atomic word.
pub(crate) trait Word {
    fn load(&self) -> u64;
    fn store(&self, word: u64);
    fn exchange(&self, from: u64, to: u64) -> Result<u64, u64>;
    fn fence(order: Ordering);
}

impl Word for AtomicU64 {
    #[inline]
    fn load(&self) -> u64 {
        AtomicU64::load(self, Ordering::Acquire)
    }

    #[inline]
    fn store(&self, word: u64) {
        AtomicU64::store(self, word, Ordering::Release);
    }

    #[inline]
    fn exchange(&self, from: u64, to: u64) -> Result<u64, u64> {
        self.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
    }

    #[inline]
    fn fence(order: Ordering) {
        std::sync::atomic::fence(order);
    }
}

#[cfg(test)]
impl Word for loom::sync::atomic::AtomicU64 {
    fn load(&self) -> u64 {
        loom::sync::atomic::AtomicU64::load(self, Ordering::Acquire)
    }

    fn store(&self, word: u64) {
        loom::sync::atomic::AtomicU64::store(self, word, Ordering::Release);
    }

    fn exchange(&self, from: u64, to: u64) -> Result<u64, u64> {
        self.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
    }

    fn fence(order: Ordering) {
        loom::sync::atomic::fence(order);
    }
}
