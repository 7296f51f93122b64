//! Places in the source, as numbers that fit a record's head.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// A function with an attribute of canonlog, made once in a static by the expansion.
#[derive(Debug)]
pub struct Fun {
    file: &'static str,
    line: u32,
    /// Gives the function's path; called only when an event names it.
    name: fn() -> &'static str,
    number: AtomicU32,
}

impl Fun {
    /// A place; `name` gives the function's path.
    pub const fn new(file: &'static str, line: u32, name: fn() -> &'static str) -> Self {
        Fun { file, line, name, number: AtomicU32::new(0) }
    }

    /// The file, as the compiler was given it.
    pub fn file(&self) -> &'static str {
        self.file
    }

    /// The line of the `fn`.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The function's path.
    pub fn name(&self) -> &'static str {
        (self.name)()
    }

    /// The number under which [`of`] finds it, 1 or more.
    pub(crate) fn number(&'static self) -> u32 {
        match self.number.load(Ordering::Relaxed) {
            0 => self.register(),
            number => number,
        }
    }

    #[cold]
    fn register(&'static self) -> u32 {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.number.load(Ordering::Relaxed);
        if number != 0 {
            return number;
        }
        known.push(self);
        let number = u32::try_from(known.len()).unwrap_or(u32::MAX);
        self.number.store(number, Ordering::Relaxed);
        number
    }
}

/// `file.rs:line:function`.
impl fmt::Display for Fun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.name())
    }
}

static KNOWN: Mutex<Vec<&'static Fun>> = Mutex::new(Vec::new());

/// The place of a number.
pub(crate) fn of(number: u32) -> Option<&'static Fun> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.get((number as usize).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_by_its_number() {
        static HERE: Fun = Fun::new("src/shop.rs", 7, || "shop::checkout");
        let number = HERE.number();
        assert_eq!(HERE.number(), number);
        assert_eq!(of(number).map(ToString::to_string).as_deref(), Some("src/shop.rs:7:shop::checkout"));
        assert!(of(0).is_none());
    }
}
