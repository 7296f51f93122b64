//! Where an error arose, and by which lines it came to the boundary.

use std::error::Error;
use std::fmt;
use std::future::ready;
use std::num::ParseIntError;

use canonlog::{OwnedEvent, operation, testing};
use canonlog_tests::marked;
use canonlog_tests::marked::Marked;
use canonlog_tests::unit::text;
use futures_util::FutureExt as _;

mod arising;
mod around;
mod partial;
mod scenarios;

const FILES: Marked = marked!("error_traces": "main.rs", "arising.rs", "around.rs", "partial.rs", "scenarios.rs");

/// The location of the line of these files that ends in `// @mark`.
fn at(mark: &str, function: &str) -> String {
    FILES.at(mark, function)
}

/// What the event of one request says of its error.
struct Told {
    event: OwnedEvent,
}

impl Told {
    fn of<T>(run: impl FnOnce() -> T) -> Told {
        let capture = testing::capture();
        run();
        Told { event: capture.one() }
    }

    fn says(&self, name: &str) -> String {
        text(&self.event, name)
    }

    /// Cause, the lines between, and the line at the boundary.
    #[track_caller]
    fn came(&self, way: &[String]) {
        let [first, between @ .., last] = way else { panic!("a way of at least two lines") };
        assert_eq!(
            (self.says("exc_cause_loc"), self.says("exc_trace"), self.says("exc_loc")),
            (first.clone(), between.join(" > "), last.clone()),
            "{:?}",
            self.event
        );
    }
}

fn outcome<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("it does not wait")
}

// -- what the scenarios call ------------------------------------------------------------------------------------------

#[derive(Debug)]
enum ShopError {
    Number(ParseIntError),
    Empty,
}

impl fmt::Display for ShopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShopError::Number(error) => write!(f, "no number: {error}"),
            ShopError::Empty => f.write_str("nothing there"),
        }
    }
}

impl Error for ShopError {}

impl From<ParseIntError> for ShopError {
    fn from(error: ParseIntError) -> Self {
        ShopError::Number(error)
    }
}

const NUMBER: &str = "core::num::error::ParseIntError";
const SHOP: &str = "error_traces::ShopError";

/// Of a library: no attribute.
fn library(text: &str) -> Result<u8, ParseIntError> {
    text.parse()
}

#[operation]
fn parse(text: &str) -> Result<u8, ShopError> {
    let number = library(text)?; // @parse
    Ok(number)
}

#[operation]
async fn parse_later(text: &str) -> Result<u8, ShopError> {
    ready(()).await;
    Ok(library(text)?) // @parse_later
}

#[operation]
fn parse_any(text: &str) -> anyhow::Result<u8> {
    let number = library(text)?; // @parse_any
    Ok(number)
}
