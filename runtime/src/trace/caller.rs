//! Lines of the application from which canonlog was called, as numbers that fit a record.
//!
//! ```text
//! [1][0: 7][function: 24][line: 32]   of the innermost annotated function that runs
//! [0][file: 31][line: 32]             of a call
//! ```

use std::fmt;
use std::panic::Location;

use super::names;
use super::site::{self, At};
use crate::record::current;

const FUNCTION: u64 = 1 << 63;

/// The line of a call. It stands in the application, or in a library that calls for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller(&'static Location<'static>);

impl Caller {
    #[track_caller]
    pub(crate) fn here() -> Self {
        Caller(Location::caller())
    }

    /// The line, in a word: that of the innermost annotated function where the call stands in a library; 0 where neither is known.
    pub(crate) fn word(self) -> u64 {
        let running = running();
        let at_call = |at: At| at.is_at(self.0.file(), self.0.line());
        // There, the function's name is known too.
        if is_library(self.0.file()) || at_of(running).is_some_and(at_call) {
            return running;
        }
        u64::from(names::number(self.0.file())) << 32 | u64::from(self.0.line())
    }
}

/// The line of the innermost annotated function that runs on this thread, in a word; 0 where there is none.
pub(crate) fn running() -> u64 {
    current::ends().map_or(0, |[(fun, line), _]| FUNCTION | u64::from(fun) << 32 | u64::from(line))
}

fn at_of(word: u64) -> Option<At> {
    let fun = (word & FUNCTION != 0).then_some((word & !FUNCTION) >> 32)?;
    Some(site::of(fun as u32)?.at(word as u32))
}

#[inline]
fn is_absolute(file: &str) -> bool {
    file.starts_with('/') || file.as_bytes().get(1) == Some(&b':')
}

/// A file as it is printed: that of a crate that was downloaded begins with the crate's own folder, wherever the machine that built the
/// program keeps it.
#[inline]
pub(crate) fn printed(file: &str) -> &str {
    if is_absolute(file) { from_its_crate(file).unwrap_or(file) } else { file }
}

fn from_its_crate(file: &str) -> Option<&str> {
    // In a registry, the folder of the index stands before the crate's.
    let of_index = |mark: &str| Some(file.split_once(mark)?.1.split_once(['/', '\\'])?.1);
    let of_checkout = |mark: &str| Some(file.split_once(mark)?.1);
    of_index("/registry/src/")
        .or_else(|| of_index(r"\registry\src\"))
        .or_else(|| of_checkout("/git/checkouts/"))
        .or_else(|| of_checkout(r"\git\checkouts\"))
}

/// Whether a file is a dependency's: those of the application have paths from where it is built.
fn is_library(file: &str) -> bool {
    const LIBRARIES: [&str; 6] =
        ["/registry/src/", "/git/checkouts/", "/vendor/", r"\registry\src\", r"\git\checkouts\", r"\vendor\"];
    is_absolute(file) && (file.starts_with("/rustc/") || LIBRARIES.iter().any(|of| file.contains(of)))
}

/// The line of a word, as locations are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Line {
    Call { file: &'static str, line: u32 },
    Function(At),
}

impl Line {
    /// `None` where there is none.
    pub(crate) fn of(word: u64) -> Option<Line> {
        if word & FUNCTION != 0 {
            return at_of(word).map(Line::Function);
        }
        let (file, line) = (names::name((word >> 32) as u32), word as u32);
        (!file.is_empty()).then_some(Line::Call { file, line })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Call { file, line } => write!(f, "{file}:{line}"),
            Line::Function(at) => at.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_by_its_word() {
        let (caller, line) = (Caller::here(), line!());
        let found = Line::of(caller.word()).expect("a line of this crate");
        assert_eq!(found.to_string(), format!("{}:{line}", file!()));
        assert!(Line::of(0).is_none());
    }

    #[test]
    fn a_downloaded_file_is_printed_from_the_folder_of_its_crate() {
        for (file, expected) in [
            (
                "/home/x/.cargo/registry/src/index.example-1949cf8c6b5b557f/axum-0.8.9/src/serve/mod.rs",
                "axum-0.8.9/src/serve/mod.rs",
            ),
            (r"C:\Users\x\.cargo\registry\src\index.example-1\shop-0.1.0\src\lib.rs", r"shop-0.1.0\src\lib.rs"),
            ("/home/x/.cargo/git/checkouts/shop-1/0a1b2c3/src/lib.rs", "shop-1/0a1b2c3/src/lib.rs"),
            ("/srv/app/src/orders.rs", "/srv/app/src/orders.rs"),
            ("/registry/src/", "/registry/src/"),
            ("src/registry/src/x/y.rs", "src/registry/src/x/y.rs"),
            ("é", "é"),
            ("", ""),
        ] {
            assert_eq!(printed(file), expected);
        }
    }

    #[test]
    fn a_path_tells_what_is_a_library() {
        for file in [
            "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/core/src/ops/function.rs",
            "/home/x/.cargo/registry/src/index.example-1949cf8c6b5b557f/sqlx-core-0.9.0/src/query.rs",
            "/home/x/.cargo/git/checkouts/shop-1/src/lib.rs",
            r"C:\Users\x\.cargo\registry\src\index.example-1\shop-0.1.0\src\lib.rs",
            "/srv/app/vendor/shop/src/lib.rs",
        ] {
            assert!(is_library(file), "{file}");
        }
        for file in ["src/main.rs", "/srv/app/src/orders.rs", r"src\orders.rs", "src/registry/src.rs"] {
            assert!(!is_library(file), "{file}");
        }
    }
}
