//! Panics: those that leave a request, those that are caught in it, and those of tasks and threads that its context went to.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use canonlog::{Context, Kind, Level, OwnedEvent, begin, instrument_request, on_error, operation, testing};
use tokio::task::{JoinError, JoinHandle};

const SOON: Duration = Duration::from_secs(20);

fn text(event: &OwnedEvent, name: &str) -> String {
    event.view().get(name).map_or_else(String::new, |value| value.to_string())
}

fn says(event: &OwnedEvent, names: [&str; 4]) -> [String; 4] {
    names.map(|name| text(event, name))
}

/// The line of this file that ends in `// @mark`.
fn line(mark: &str) -> usize {
    let end = format!("// @{mark}");
    let at = include_str!("panics.rs").lines().position(|line| line.trim_end().ends_with(&end));
    at.expect("one line has the mark") + 1
}

/// The event of a request, and what became of its thread.
fn event_of<T>(run: impl FnOnce() -> T) -> (OwnedEvent, std::thread::Result<T>) {
    let capture = testing::capture();
    let ended = catch_unwind(AssertUnwindSafe(run));
    // Where its thread unwinds, another makes the event.
    (capture.wait_for(1, SOON).remove(0), ended)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime")
}

#[operation]
fn breaks(what: &str) -> u8 {
    panic!("no {what}") // @breaks
}

#[operation]
async fn breaks_later(what: &str) -> u8 {
    tokio::task::yield_now().await;
    panic!("no {what}") // @breaks_later
}

#[derive(Debug)]
struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part was lost")
    }
}

impl Error for Lost {}

impl From<JoinError> for Lost {
    fn from(_: JoinError) -> Self {
        Lost
    }
}

/// A task or a blocking thread that the context goes along to, and that panics.
fn started(blocking: bool) -> JoinHandle<u8> {
    let cx = Context::current();
    if blocking {
        tokio::task::spawn_blocking(move || cx.enter(|| breaks("stock")))
    } else {
        tokio::spawn(cx.scope(breaks_later("stock")))
    }
}

/// Of a library: no attribute.
fn library(texts: &[&str]) -> usize {
    texts[7].len() // @library
}

#[operation]
fn price(texts: &[&str]) -> usize {
    let price = library(texts); // @price
    price + 1
}

#[operation]
async fn price_later(texts: &[&str]) -> usize {
    tokio::task::yield_now().await;
    price(texts) // @price_later
}

fn at(mark: &str, function: &str) -> String {
    format!("tests/panics.rs:{}:panics::{function}", line(mark))
}

#[test]
fn a_panic_is_told_by_the_innermost_and_the_outermost_annotated_function_and_its_own_line() {
    #[instrument_request]
    fn checkout() -> usize {
        price(&[]) // @checkout
    }
    #[instrument_request]
    async fn checkout_later() -> usize {
        let (price, _) = tokio::join!(price_later(&[]), price_later(&["0"; 8])); // @checkout_later
        price
    }
    let runtime = runtime();
    let scope = "a_panic_is_told_by_the_innermost_and_the_outermost_annotated_function_and_its_own_line";
    for later in [false, true] {
        let (event, _) = event_of(|| if later { runtime.block_on(checkout_later()) } else { checkout() });
        let outermost = match later {
            true => at("checkout_later", &format!("{scope}::checkout_later")),
            false => at("checkout", &format!("{scope}::checkout")),
        };
        let own = format!("tests/tests/panics.rs:{}", line("library"));
        assert_eq!(
            says(&event, ["exc_type", "exc_loc", "exc_cause_loc", "exc_panic_loc"]),
            ["panic".to_owned(), outermost, at("price", "price"), own]
        );
        assert_eq!(text(&event, "exc_msg"), "index out of bounds: the len is 0 but the index is 7");
    }
}

#[test]
fn a_panic_that_is_caught_in_the_request_is_only_counted() {
    #[instrument_request]
    fn checkout() -> u8 {
        (0..3).map(|_| catch_unwind(|| breaks("stock")).unwrap_or(1)).sum()
    }
    let (event, ended) = event_of(checkout);
    assert_eq!(ended.ok(), Some(3));
    assert_eq!(event.view().level(), Level::Info);
    assert_eq!(text(&event, "exc_panics_caught"), "3");
    let others = event.view().fields().filter(|(name, _)| name.starts_with("exc_")).count();
    assert_eq!(others, 1, "{event:?}");
}

#[test]
fn the_panic_that_leaves_the_request_is_not_among_those_that_were_caught() {
    #[instrument_request]
    fn checkout(caught: u8) -> u8 {
        (0..caught).map(|_| catch_unwind(|| breaks("stock")).unwrap_or(1)).sum::<u8>() + breaks("luck")
    }
    for (caught, count) in [(0, ""), (2, "2")] {
        let (event, ended) = event_of(|| checkout(caught));
        let payload = ended.expect_err("it panics");
        assert_eq!(payload.downcast_ref::<String>().map(String::as_str), Some("no luck"));
        assert_eq!(
            says(&event, ["exc_type", "exc_msg", "exc_panic", "exc_panics_caught"]),
            ["panic", "no luck", "true", count]
        );
        let place = format!("tests/tests/panics.rs:{}", line("breaks"));
        assert_eq!(text(&event, "exc_panic_loc"), place);
    }
}

#[test]
fn the_next_record_of_a_slot_has_none_of_the_panics_of_the_one_before() {
    let capture = testing::capture();
    for breaks_too in [true, false] {
        let scope = begin(Kind::Request);
        scope.enter(|| breaks_too.then(|| catch_unwind(|| breaks("stock")).is_err()));
        scope.finish();
    }
    let events = capture.events();
    assert_eq!(events.iter().map(|event| text(event, "exc_panics_caught")).collect::<Vec<_>>(), ["1", ""]);
}

#[test]
fn a_panic_of_a_task_or_a_thread_is_counted_in_the_request_that_it_works_for() {
    #[instrument_request]
    async fn checkout(blocking: bool) -> u8 {
        started(blocking).await.unwrap_or(7)
    }
    let runtime = runtime();
    for blocking in [false, true] {
        let (event, ended) = event_of(|| runtime.block_on(checkout(blocking)));
        assert_eq!(ended.ok(), Some(7));
        assert_eq!((text(&event, "exc_panics_caught"), event.view().get("exc_type")), ("1".to_owned(), None));
        assert_eq!(event.view().level(), Level::Info);
    }
}

#[test]
fn a_panic_of_a_task_or_a_thread_that_becomes_an_error_is_its_origin() {
    #[instrument_request]
    async fn checkout(blocking: bool) -> Result<u8, Lost> {
        let number = started(blocking).await?;
        Ok(number)
    }
    let runtime = runtime();
    for blocking in [false, true] {
        let (event, _) = event_of(|| runtime.block_on(checkout(blocking)));
        assert_eq!(
            says(&event, ["exc_type", "exc_msg", "exc_cause_type", "exc_panics_caught"]),
            ["panics::Lost", "a part was lost", "panic", "1"]
        );
        let origin = if blocking { "breaks" } else { "breaks_later" };
        assert_eq!(text(&event, "exc_cause_loc"), at(origin, origin));
    }
}

#[test]
fn a_panic_of_a_task_or_a_thread_that_goes_on_in_the_request_is_told_from_where_it_began() {
    #[instrument_request]
    async fn checkout(blocking: bool) -> u8 {
        match started(blocking).await {
            Ok(number) => number,
            Err(error) => resume_unwind(error.into_panic()),
        }
    }
    let runtime = runtime();
    for (blocking, mark) in [(false, "breaks_later"), (true, "breaks")] {
        let (event, ended) = event_of(|| runtime.block_on(checkout(blocking)));
        assert!(ended.is_err());
        assert_eq!(
            says(&event, ["exc_type", "exc_msg", "exc_panic", "exc_panics_caught"]),
            ["panic", "no stock", "true", ""]
        );
        assert_eq!(text(&event, "exc_panic_loc"), format!("tests/tests/panics.rs:{}", line(mark)));
        assert_eq!(text(&event, "exc_cause_loc"), at(mark, mark));
    }
}

#[test]
fn a_panic_that_was_made_a_response_of_is_told_as_handled() {
    for (status, told) in [(500, ["panic", "no stock", "true", "1"]), (200, ["", "", "", "1"])] {
        let (event, _) = event_of(|| {
            let scope = begin(Kind::Request);
            scope.enter(|| assert!(catch_unwind(|| breaks("stock")).is_err()));
            scope.context().set_in("resp", "status", status);
            scope.finish();
        });
        assert_eq!(says(&event, ["exc_type", "exc_msg", "exc_handled", "exc_panics_caught"]), told);
        assert_eq!(event.view().get("exc_panic"), None);
        let place = if status == 500 { format!("tests/tests/panics.rs:{}", line("breaks")) } else { String::new() };
        assert_eq!(text(&event, "exc_panic_loc"), place);
        assert_eq!(text(&event, "exc_cause_loc"), if status == 500 { at("breaks", "breaks") } else { String::new() });
    }
}

#[test]
fn a_panic_that_a_fallback_stands_in_for_is_told_there_and_not_again() {
    #[on_error(return = 7, panics)]
    fn recommend() -> usize {
        price(&[])
    }
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.enter(|| assert_eq!(recommend(), 7));
    scope.context().set_in("resp", "status", 503);
    scope.finish();
    let [partial, request] = &capture.events()[..] else { panic!("two events") };
    assert_eq!(text(partial, "exc_cause_loc"), at("price", "price"));
    assert_eq!(text(partial, "exc_panic_loc"), format!("tests/tests/panics.rs:{}", line("library")));
    assert_eq!((text(request, "exc_panics_caught"), request.view().get("exc_type")), ("1".to_owned(), None));
}

#[test]
fn without_frames_a_panic_is_told_by_its_place_and_the_handler() {
    #[operation(frames = false)]
    fn unseen() -> u8 {
        panic!("no stock") // @unseen
    }
    #[instrument_request(frames = false)]
    #[rustfmt::skip]
    fn checkout() -> u8 { // @handler
        unseen()
    }
    let (event, _) = event_of(checkout);
    let place = format!("tests/tests/panics.rs:{}", line("unseen"));
    let handler = at("handler", "without_frames_a_panic_is_told_by_its_place_and_the_handler::checkout");
    assert_eq!(
        says(&event, ["exc_msg", "exc_loc", "exc_cause_loc", "exc_panic_loc"]),
        ["no stock".to_owned(), handler, place.clone(), place]
    );
}

#[test]
fn a_panic_of_a_thread_beside_the_one_that_has_the_request_is_its_too() {
    let (event, ended) = event_of(|| {
        let scope = begin(Kind::Request);
        let cx = scope.context();
        scope.enter(|| assert!(std::thread::spawn(move || cx.enter(|| breaks("stock"))).join().is_err()));
        scope.context().set_in("resp", "status", 500);
        scope.finish();
    });
    assert!(ended.is_ok());
    assert_eq!(
        says(&event, ["exc_type", "exc_msg", "exc_handled", "exc_panics_caught"]),
        ["panic", "no stock", "true", "1"]
    );
}

#[test]
fn a_panic_outside_is_nobodys() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    let elsewhere = std::thread::spawn(|| breaks("stock"));
    assert!(elsewhere.join().is_err());
    scope.finish();
    assert!(capture.one().view().fields().all(|(name, _)| !name.starts_with("exc_")));
}
