//! Where annotated functions stand, and their numbers, which fit a record's head.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::record::current;

/// One annotated function.
#[derive(Debug)]
pub struct Fun {
    file: &'static str,
    line: u32,
    module: &'static str,
    name: &'static str,
    here: fn() -> &'static str,
    number: AtomicU32,
}

/// The type's name, of a function item: its path.
pub fn name_of<T>(_: T) -> &'static str {
    std::any::type_name::<T>()
}

impl Fun {
    /// A function; `here` gives the path of a function inside a function inside it.
    pub const fn new(
        file: &'static str,
        line: u32,
        module: &'static str,
        name: &'static str,
        here: fn() -> &'static str,
    ) -> Self {
        Fun { file, line, module, name, here, number: AtomicU32::new(0) }
    }

    /// The line of the function's name.
    pub(crate) fn line(&self) -> u32 {
        self.line
    }

    /// `file.rs:line:function`.
    pub(crate) fn at(&'static self, line: u32) -> At {
        At { fun: self, line }
    }

    /// The number under which [`of`] finds it, 1 or more.
    #[inline]
    pub(crate) fn number(&'static self) -> u32 {
        match self.number.load(Ordering::Relaxed) {
            0 => self.register(),
            number => number,
        }
    }

    #[cold]
    fn register(&'static self) -> u32 {
        let _busy = current::busy();
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

    /// The crate that it is in.
    #[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
    pub(super) fn crate_name(&self) -> &'static str {
        self.module.split_once("::").map_or(self.module, |(name, _)| name)
    }

    /// Its file, from the root of its crate.
    #[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
    pub(super) fn file(&self) -> &'static str {
        self.file
    }

    /// The address of code in that file.
    #[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
    pub(super) fn address(&self) -> usize {
        self.here as usize
    }

    /// The function's path: `shop::checkout`, `<shop::Cart as shop::Load>::load`.
    pub(crate) fn path(&self) -> Path {
        // The name of a type is not stable between compilers: known ends are cut off, and without them the parts serve.
        let path = (self.here)().strip_suffix("::__canonlog_name::__canonlog_here").map(|path| {
            // The static in whose initial value the two functions stand is a part of the path.
            let mut path = path.strip_suffix("::__CANONLOG_FUN").unwrap_or(path);
            while let Some(outer) = path.strip_suffix("::{{closure}}") {
                path = outer;
            }
            path
        });
        match path {
            Some(path) => Path { module: None, name: path },
            None => Path { module: Some(self.module), name: self.name },
        }
    }
}

/// A function's path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    module: Option<&'static str>,
    name: &'static str,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(module) = self.module {
            write!(f, "{module}::")?;
        }
        f.write_str(self.name)
    }
}

impl Path {
    /// The path without formatting, where it is one text.
    pub(crate) fn as_str(&self) -> Option<&'static str> {
        self.module.is_none().then_some(self.name)
    }
}

/// A line in a function, as locations are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    fun: &'static Fun,
    line: u32,
}

impl At {
    /// The function's number, and the line.
    pub(crate) fn parts(self) -> (u32, u32) {
        (self.fun.number(), self.line)
    }

    /// Whether it is a line of this function, or of another attribute's idea of it.
    pub(crate) fn is_in(&self, fun: &Fun) -> bool {
        (self.fun.file, self.fun.line, self.fun.name) == (fun.file, fun.line, fun.name)
    }

    /// Whether it is this line, of a file that the compiler may name from the workspace's root.
    pub(crate) fn is_at(&self, file: &str, line: u32) -> bool {
        let above = file.strip_suffix(self.fun.file).filter(|_| self.line == line);
        above.is_some_and(|above| above.is_empty() || above.ends_with(['/', '\\']))
    }

    /// Whether it is the same line of the same function.
    pub(crate) fn is_same(&self, other: &At) -> bool {
        self.line == other.line && self.is_in(other.fun)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.fun.file, self.line, self.fun.path())
    }
}

static KNOWN: Mutex<Vec<&'static Fun>> = Mutex::new(Vec::new());

/// The lock on the functions, held.
pub(crate) struct Held {
    _known: MutexGuard<'static, Vec<&'static Fun>>,
}

pub(crate) fn hold() -> Held {
    Held { _known: KNOWN.lock().unwrap_or_else(PoisonError::into_inner) }
}

/// The functions from a number on, the first of which is 0.
#[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
pub(super) fn known(from: usize) -> Vec<&'static Fun> {
    let _busy = crate::record::current::busy();
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.get(from..).unwrap_or_default().to_vec()
}

/// The function of a number.
pub(crate) fn of(number: u32) -> Option<&'static Fun> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.get((number as usize).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(here: fn() -> &'static str) -> String {
        Fun::new("src/main.rs", 3, "shop", "checkout", here).path().to_string()
    }

    #[test]
    fn the_path_of_an_async_function_has_no_closure_in_it() {
        assert_eq!(
            path(|| "shop::checkout::{{closure}}::__CANONLOG_FUN::__canonlog_name::__canonlog_here"),
            "shop::checkout"
        );
    }

    #[test]
    fn a_function_is_found_by_its_number() {
        static HERE: Fun = Fun::new("src/shop.rs", 7, "shop", "checkout", || "");
        let number = HERE.number();
        assert_eq!(HERE.number(), number);
        let found = of(number).map(|fun| fun.at(fun.line()).to_string());
        assert_eq!(found.as_deref(), Some("src/shop.rs:7:shop::checkout"));
        assert!(of(0).is_none());
    }

    #[test]
    fn an_unknown_form_of_name_falls_back_to_the_module_and_the_name() {
        assert_eq!(path(|| "something else"), "shop::checkout");
    }
}
