//! A value that every process has for itself: a forked child makes its own and never touches its parent's.
//!
//! What a lock or a thread of the parent held at the fork is held for ever in the child. So the child starts afresh.

use std::sync::OnceLock;

use crate::sys::fork;

/// A value of this process.
#[derive(Debug)]
pub(crate) struct PerProcess<T> {
    generation: u64,
    value: T,
    next: OnceLock<Box<PerProcess<T>>>,
}

impl<T> PerProcess<T> {
    /// The value of the process that calls.
    pub(crate) fn new(value: T) -> Self {
        PerProcess { generation: fork::generation(), value, next: OnceLock::new() }
    }

    /// This process's value; `make` makes it where this is a child that has none.
    #[inline]
    pub(crate) fn get(&self, make: impl FnOnce() -> T) -> &T {
        let generation = fork::generation();
        if self.generation == generation {
            return &self.value;
        }
        self.in_child(generation, make)
    }

    /// This process's value, if it has one.
    pub(crate) fn peek(&self) -> Option<&T> {
        let generation = fork::generation();
        let mut at = self;
        while at.generation != generation {
            at = at.next.get()?;
        }
        Some(&at.value)
    }

    #[cold]
    fn in_child(&self, generation: u64, make: impl FnOnce() -> T) -> &T {
        let mut at = self;
        while at.generation != generation {
            match at.next.get() {
                Some(next) => at = next,
                None => break,
            }
        }
        if at.generation == generation {
            return &at.value;
        }
        let made = at.next.get_or_init(|| {
            let value = make();
            Box::new(PerProcess { generation, value, next: OnceLock::new() })
        });
        &made.value
    }
}
