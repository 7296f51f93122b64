//! Where annotated functions stand, and their numbers, which fit a record's head.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::record::current;
use crate::sys::lasting::Lasting;

/// One annotated function.
#[derive(Debug)]
pub struct Fun {
    file: &'static str,
    line: u32,
    module: &'static str,
    name: &'static str,
    here: fn() -> &'static str,
    /// Whether its frame runs whenever its body does: no macro may wait in it that only the macro knows of.
    is_whole: bool,
    number: AtomicU32,
    /// Where the name lies of the type of its future, once it is known ([`is_future_of`]).
    future: AtomicUsize,
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
        Fun { file, line, module, name, here, is_whole: true, number: AtomicU32::new(0), future: AtomicUsize::new(0) }
    }

    /// In its body are macros that may wait for something.
    #[must_use]
    pub const fn with_macros(self) -> Self {
        Fun { is_whole: false, ..self }
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
        if let Some(place) = FIRST.get(known.len() - 1) {
            place.store(Some(self));
        }
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

/// The first functions, to be found without the lock.
static FIRST: [Lasting<Fun>; 2_048] = [const { Lasting::none() }; 2_048];

/// Whether a type of this name is the future of the annotated function of this number, and of no other that calls it.
#[inline(never)]
pub(crate) fn is_future_of(name: &'static str, number: u32) -> bool {
    // Of the futures that are named in code, no `async fn`'s is.
    let Some(of) = name.strip_suffix("::{{closure}}") else { return false };
    let place = (number as usize).checked_sub(1).and_then(|at| FIRST.get(at));
    let Some(fun) = place.and_then(Lasting::load).filter(|fun| fun.is_whole) else { return false };
    let address = name.as_ptr().addr();
    if fun.future.load(Ordering::Relaxed) == address {
        return true;
    }
    let path = fun.path();
    let is_its = path.as_str().is_some_and(|path| is_instance(path.as_bytes(), of.as_bytes()));
    if is_its {
        fun.future.store(address, Ordering::Relaxed);
    }
    is_its
}

/// Whether a path is that of a function, with types in the places of its parameters: `_` in the function's, or nothing at its end.
fn is_instance(mut function: &[u8], mut path: &[u8]) -> bool {
    loop {
        match (function, path) {
            ([], []) => return true,
            // The function's own parameters, which those inside it do not have.
            ([], [b'<' | b',', more @ ..]) => path = argument(more),
            ([], b">") => return true,
            ([b'_', more @ ..], _) if matches!(more, [b'>' | b',', ..]) => (function, path) = (more, argument(path)),
            ([a, function_left @ ..], [b, path_left @ ..]) if a == b => (function, path) = (function_left, path_left),
            _ => return false,
        }
    }
}

/// What follows the first of several arguments.
fn argument(path: &[u8]) -> &[u8] {
    let mut depth = 0_u32;
    let mut before = b' ';
    let ends = path.iter().position(|byte| {
        match byte {
            b'<' | b'(' | b'[' => depth += 1,
            b',' | b'>' if depth == 0 && before != b'-' => return true,
            b'>' if before == b'-' => {}
            b'>' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = *byte;
        false
    });
    ends.map_or(&[], |ends| &path[ends..])
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
    fn the_future_of_a_function_is_known_by_its_types_name() {
        let is = |function: &str, path: &str| is_instance(function.as_bytes(), path.as_bytes());
        assert!(is("shop::pay", "shop::pay"));
        assert!(is("shop::pay", "shop::pay<alloc::vec::Vec<u8>, 3>"));
        assert!(is("shop::pay", "shop::pay<fn(u8, u8) -> u8, (u8, [u8; 3])>"));
        assert!(is("shop::Cart<_>::pay", "shop::Cart<&str>::pay"));
        assert!(is(
            "<shop::Cart<_, _> as shop::Pay>::pay",
            "<shop::Cart<(u8, u8), shop::Of<u8>> as shop::Pay>::pay<u8>"
        ));
        // Another, though it may call the function.
        for other in
            ["shop::pay2", "shop::pa", "shop::pay<u8>::{{closure}}", "shop::pay::{{closure}}", "", "shop::pay<u8>::x"]
        {
            assert!(!is("shop::pay", other), "{other}");
        }
        assert!(!is("<shop::Inner as shop::Pay>::pay", "<shop::Logged<shop::Inner> as shop::Pay>::pay"));
        assert!(!is("<shop::Cart<_> as shop::Pay>::pay", "<shop::Basket<u8> as shop::Pay>::pay"));
    }

    #[test]
    fn only_a_function_whose_frame_runs_whenever_it_does_is_polled_through() {
        let here = || "shop::pay::{{closure}}::__CANONLOG_FUN::__canonlog_name::__canonlog_here";
        static WHOLE: Fun = Fun::new(
            "src/shop.rs",
            7,
            "shop",
            "pay",
            || "shop::pay::{{closure}}::__CANONLOG_FUN::__canonlog_name::__canonlog_here",
        );
        let part: &'static Fun = Box::leak(Box::new(Fun::new("src/shop.rs", 7, "shop", "pay", here).with_macros()));
        for _ in 0..2 {
            assert!(is_future_of("shop::pay<u8>::{{closure}}", WHOLE.number()));
            assert!(!is_future_of("shop::other::{{closure}}", WHOLE.number()));
            assert!(!is_future_of("shop::pay", WHOLE.number()));
            assert!(!is_future_of("shop::pay<u8>::{{closure}}", part.number()));
            assert!(!is_future_of("shop::pay<u8>::{{closure}}", 0));
        }
    }

    #[test]
    fn an_unknown_form_of_name_falls_back_to_the_module_and_the_name() {
        assert_eq!(path(|| "something else"), "shop::checkout");
    }
}
