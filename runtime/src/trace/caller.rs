//! Lines of the application that called canonlog, as numbers that fit a record.

use std::fmt;
use std::panic::Location;

use super::names;

/// The line of a call. It stands in the application, or in a library that calls for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller(&'static Location<'static>);

impl Caller {
    #[track_caller]
    pub(crate) fn here() -> Self {
        Caller(Location::caller())
    }

    /// The line, in a word; 0 where it is not one of the application.
    pub(crate) fn word(self) -> u64 {
        let file = self.0.file();
        if is_library(file) { 0 } else { u64::from(names::number(file)) << 32 | u64::from(self.0.line()) }
    }
}

/// Whether a file is a dependency's: those of the application have paths from where it is built.
fn is_library(file: &str) -> bool {
    const LIBRARIES: [&str; 6] =
        ["/registry/src/", "/git/checkouts/", "/vendor/", r"\registry\src\", r"\git\checkouts\", r"\vendor\"];
    let is_absolute = file.starts_with('/') || file.as_bytes().get(1) == Some(&b':');
    is_absolute && (file.starts_with("/rustc/") || LIBRARIES.iter().any(|of| file.contains(of)))
}

/// The line of a word, as locations are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    file: &'static str,
    line: u32,
}

impl Line {
    /// `None` where there is none.
    pub(crate) fn of(word: u64) -> Option<Line> {
        let (file, line) = (names::name((word >> 32) as u32), word as u32);
        (!file.is_empty()).then_some(Line { file, line })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
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
        assert_eq!(Line::of(0), None);
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
