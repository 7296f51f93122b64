//! Long ways, requests beside each other, errors that were dealt with, functions that are left alone.

use canonlog::{EventType, Kind, begin, instrument_request, operation, testing};

use super::*;

#[test]
fn a_long_way_is_told_by_its_beginning_and_its_end() {
    #[operation]
    fn deeper(level: u8) -> Result<u8, ShopError> {
        if level == 0 {
            return parse("x");
        }
        let number = deeper(level - 1)?; // @deeper
        Ok(number)
    }
    #[instrument_request]
    fn checkout() -> Result<u8, ShopError> {
        Ok(deeper(20)?) // @deep
    }
    let told = Told::of(checkout);
    let scope = "a_long_way_is_told_by_its_beginning_and_its_end";
    let deeper = at("deeper", &format!("{scope}::deeper"));
    let known = std::iter::repeat_n(deeper, 6).collect::<Vec<_>>().join(" > ");
    assert_eq!(told.says("exc_trace"), format!("(15 more) > {known}"));
    assert_eq!(told.says("exc_cause_loc"), at("parse", "parse"));
    assert_eq!(told.says("exc_loc"), at("deep", &format!("{scope}::checkout")));
}

#[test]
fn requests_that_take_turns_on_a_thread_keep_their_errors_apart() {
    #[operation]
    async fn step(fails: bool) -> Result<u8, ShopError> {
        tokio::task::yield_now().await;
        Ok(library(if fails { "x" } else { "7" })?) // @step
    }
    #[instrument_request(fields(fails = fails))]
    async fn checkout(fails: bool) -> Result<u8, ShopError> {
        let kept = step(fails).await;
        tokio::task::yield_now().await;
        step(!fails).await.ok();
        tokio::task::yield_now().await;
        library("y")?; // @turns
        kept
    }
    let capture = testing::capture();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (first, second) = runtime.block_on(async { tokio::join!(checkout(true), checkout(false)) });
    assert!(first.is_err() && second.is_err());
    let here = at("turns", "requests_that_take_turns_on_a_thread_keep_their_errors_apart::checkout");
    for event in capture.events() {
        assert_eq!((text(&event, "exc_cause_loc"), text(&event, "exc_loc")), (here.clone(), here.clone()), "{event:?}");
    }
}

#[test]
fn a_request_that_ends_well_says_nothing_of_errors_that_were_dealt_with() {
    #[instrument_request]
    fn checkout(text: &str) -> Result<u8, ShopError> {
        Ok(parse(text).unwrap_or(0))
    }
    let told = Told::of(|| checkout("x"));
    assert!(told.event.view().fields().all(|(name, _)| !name.starts_with("exc_")), "{:?}", told.event);
}

/// A handler that makes responses of its errors.
#[operation]
fn respond(text: &str) -> u16 {
    match parse(text) {
        Ok(_) => 200,
        Err(ShopError::Number(_)) => 500,
        Err(ShopError::Empty) => 404,
    }
}

#[test]
fn an_error_that_became_a_response_is_told_as_handled() {
    for (input, status) in [("x", 500), ("7", 200)] {
        let told = Told::of(|| {
            let scope = begin(Kind::Request);
            let answered = scope.enter(|| respond(input));
            assert_eq!(answered, status);
            scope.context().set_in("resp", "status", answered);
            scope.finish();
        });
        let failed = status == 500;
        assert_eq!(told.says("exc_handled"), if failed { "true" } else { "" });
        assert_eq!(told.says("exc_cause_loc"), if failed { at("parse", "parse") } else { String::new() });
        assert_eq!(told.says("exc_type"), if failed { SHOP } else { "" });
        assert_eq!(told.says("exc_cause_type"), if failed { NUMBER } else { "" });
    }
}

#[test]
fn the_next_record_of_a_slot_begins_without_a_trace() {
    let capture = testing::capture();
    for text in ["x", "7"] {
        let scope = begin(Kind::Request);
        scope.enter(|| drop(parse(text)));
        scope.context().set_in("resp", "status", 500);
        scope.finish();
    }
    let events = capture.events();
    assert_eq!(events[1].view().kind(), EventType::Request);
    assert_eq!(text(&events[1], "exc_cause_loc"), "");
}

#[test]
fn a_function_can_be_left_as_it_is() {
    #[operation(errors = false)]
    fn plain(text: &str) -> Result<u8, ShopError> {
        Ok(library(text)?)
    }
    #[instrument_request]
    fn checkout(text: &str) -> Result<u8, ShopError> {
        plain(text) // @plain
    }
    #[instrument_request(errors = false)]
    fn nothing(text: &str) -> Result<u8, ShopError> {
        Ok(library(text)?)
    }
    let scope = "a_function_can_be_left_as_it_is";
    let told = Told::of(|| checkout("x"));
    let here = at("plain", &format!("{scope}::checkout"));
    assert_eq!((told.says("exc_cause_loc"), told.says("exc_loc")), (here.clone(), here));
    let told = Told::of(|| nothing("x"));
    assert!(told.says("exc_loc").ends_with(&format!("{scope}::nothing")), "{}", told.says("exc_loc"));
    assert_eq!(told.says("exc_type"), SHOP);
}
