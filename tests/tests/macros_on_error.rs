//! What `#[on_error]` records and returns.

use std::cell::Cell;
use std::future::ready;
use std::num::ParseIntError;
use std::pin::Pin;

use async_trait::async_trait;
use canonlog::{Context, EventType, Kind, Level, Value, begin, instrument_request, on_error, testing};
use canonlog_tests::unit::text;
use futures_util::FutureExt as _;

#[on_error(return = Vec::new())]
async fn recommend(ids: &str) -> Vec<u64> {
    let first = ready(ids).await.parse()?;
    vec![first]
}

#[test]
fn a_failure_is_an_event_of_its_own_before_that_of_the_request() {
    let line = line!() - 6;
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    let id = scope.context().request_id().expect("a record has an id");
    scope.context().enter(|| {
        assert_eq!(recommend("7").now_or_never(), Some(vec![7]));
        assert_eq!(recommend("seven").now_or_never(), Some(vec![]));
    });
    scope.finish();
    let events = capture.events();
    assert_eq!(events.len(), 2, "{events:?}");
    let (failure, request) = (&events[0], &events[1]);
    assert_eq!((failure.view().kind(), failure.view().level()), (EventType::PartialFailure, Level::Warning));
    assert_eq!(text(failure, "req_id"), id);
    assert_eq!(text(failure, "exc_type"), "core::num::error::ParseIntError");
    assert_eq!(text(failure, "exc_msg"), "invalid digit found in string");
    assert_eq!(text(failure, "exc_loc"), format!("tests/macros_on_error.rs:{line}:macros_on_error::recommend"));
    assert_eq!(text(failure, "exc_cause_loc"), text(failure, "exc_loc"));
    assert_eq!((request.view().kind(), request.view().level()), (EventType::Request, Level::Info));
    assert_eq!(text(request, "req_id"), id);
    assert_eq!(request.view().get("exc_type"), None);
}

#[test]
fn outside_a_record_the_event_has_no_request() {
    let capture = testing::capture();
    assert_eq!(recommend("seven").now_or_never(), Some(vec![]));
    let event = capture.one();
    assert_eq!(event.view().kind(), EventType::PartialFailure);
    assert_eq!(event.view().get("req_id"), None);
}

#[test]
fn the_fallback_is_evaluated_only_when_it_is_needed() {
    #[on_error(return = { asked.set(asked.get() + 1); 0 })]
    fn parse(number: &str, asked: &Cell<u8>) -> u8 {
        let asked_before = asked.get();
        assert_eq!(asked_before, 0);
        number.parse()?
    }
    let (_capture, asked) = (testing::capture(), Cell::new(0));
    assert_eq!(parse("7", &asked), 7);
    assert_eq!(asked.get(), 0);
    assert_eq!(parse("seven", &asked), 0);
    assert_eq!(asked.get(), 1);
}

#[test]
fn the_fallback_sees_the_arguments_and_not_the_names_of_the_body() {
    #[on_error(return = limit)]
    fn parse(number: &str, limit: u8) -> u8 {
        let limit = limit.checked_sub(1).ok_or("no room")?;
        number.parse::<u8>()?.min(limit)
    }
    let _capture = testing::capture();
    assert_eq!((parse("9", 5), parse("x", 5), parse("9", 0)), (4, 5, 0));
}

#[test]
fn none_is_returned_from_an_option_and_is_no_failure() {
    #[on_error(return = Some(0))]
    fn first(items: &[&str]) -> Option<u8> {
        let first = items.first()?;
        let number = first.parse::<u8>()?;
        Some(number)
    }
    let capture = testing::capture();
    assert_eq!(first(&["1"]), Some(1));
    assert_eq!(first(&[]), None);
    assert!(capture.events().is_empty());
    assert_eq!(first(&["x"]), Some(0));
    assert_eq!(capture.events().len(), 1);
}

#[test]
fn an_err_that_leaves_a_result_in_any_way_is_a_failure() {
    #[on_error(return = Ok(0))]
    async fn parse(how: &str, number: &str) -> Result<u8, ParseIntError> {
        if how == "return" {
            return number.parse();
        }
        if how == "operand" {
            let number: u8 = number.parse()?;
            return Ok(number);
        }
        if how == "loop" {
            let mut tries = 0;
            loop {
                tries += 1;
                if tries > 1 {
                    break number.parse();
                }
            }
        } else {
            number.parse()
        }
    }
    let capture = testing::capture();
    let mut lines = Vec::new();
    for how in ["return", "operand", "loop", "tail"] {
        assert_eq!(parse(how, "7").now_or_never(), Some(Ok(7)));
        assert!(capture.events().is_empty(), "{how}");
        assert_eq!(parse(how, "x").now_or_never(), Some(Ok(0)), "{how}");
        lines.push(text(&capture.one(), "exc_loc"));
        capture.clear();
    }
    lines.dedup();
    assert_eq!(lines.len(), 3, "`loop` and the tail are one expression: {lines:?}");
}

#[test]
fn an_error_without_a_text_has_its_type() {
    struct Silent;
    #[on_error(return = 0)]
    fn fails() -> u8 {
        Err(Silent)?
    }
    let capture = testing::capture();
    assert_eq!(fails(), 0);
    let event = capture.one();
    assert!(text(&event, "exc_type").ends_with("::Silent"));
    assert_eq!(event.view().get("exc_msg"), None);
}

#[test]
fn types_that_are_known_only_later_are_still_inferred() {
    fn double(number: u32) -> u32 {
        number * 2
    }
    #[on_error(return = 0)]
    fn parse(text: &str) -> u32 {
        let number = text.parse()?;
        let all = text.chars().map(|c| c.to_string().parse::<u32>()).collect::<Result<Vec<_>, _>>()?;
        let mut kept = Vec::new();
        for one in ["1"] {
            kept.push(one.parse()?);
        }
        double(number) + all.len() as u32 + kept.iter().sum::<u32>()
    }
    let capture = testing::capture();
    assert_eq!(parse("12"), 27);
    assert_eq!(parse("x"), 0);
    assert_eq!(text(&capture.one(), "exc_type"), "core::num::error::ParseIntError");
}

#[test]
fn question_marks_of_closures_blocks_and_functions_stay_theirs() {
    #[on_error(return = 0)]
    async fn parse(number: &str) -> u8 {
        fn inner(number: &str) -> Result<u8, ParseIntError> {
            let number = number.parse()?;
            Ok(number)
        }
        let closure = || -> Result<u8, ParseIntError> { Ok(number.parse::<u8>()? + 1) };
        let block = async { Ok::<u8, ParseIntError>(number.parse::<u8>()? + 2) };
        inner(number).unwrap_or(1) + closure().unwrap_or(1) + block.await.unwrap_or(1)
    }
    let capture = testing::capture();
    assert_eq!(parse("1").now_or_never(), Some(6));
    assert_eq!(parse("x").now_or_never(), Some(3));
    assert!(capture.events().is_empty());
}

#[test]
fn question_marks_in_the_arguments_of_known_macros_are_the_functions() {
    #[on_error(return = vec![])]
    fn parse(number: &str) -> Vec<String> {
        vec![format!("{}", number.parse::<u8>()?), format!("{n}", n = number.parse::<i8>()?)]
    }
    let capture = testing::capture();
    assert_eq!(parse("200"), Vec::<String>::new());
    assert_eq!(parse("7"), ["7", "7"]);
    assert_eq!(capture.events().len(), 1);
}

#[test]
fn a_panic_is_a_failure_where_that_is_asked_for() {
    #[on_error(return = 0, panics)]
    fn divide(by: u8) -> u8 {
        if by == 9 {
            return 9;
        }
        "8".parse::<u8>()? / by
    }
    #[on_error(return = 0, panics)]
    async fn divide_later(by: u8) -> u8 {
        tokio::task::yield_now().await;
        8 / by
    }
    let capture = testing::capture();
    assert_eq!((divide(2), divide(9), divide(0)), (4, 9, 0));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert_eq!(runtime.block_on(async { (divide_later(2).await, divide_later(0).await) }), (4, 0));
    let events = capture.events();
    assert_eq!(events.len(), 2, "{events:?}");
    for event in &events {
        assert_eq!(event.view().get("exc_panic"), Some(Value::Bool(true)));
        assert_eq!(
            (text(event, "exc_type"), text(event, "exc_msg")),
            ("panic".to_owned(), "attempt to divide by zero".to_owned())
        );
    }
}

#[test]
fn a_panic_is_left_alone_where_it_is_not_asked_for() {
    #[on_error(return = 0)]
    fn divide(by: u8) -> u8 {
        "8".parse::<u8>()? / by
    }
    let capture = testing::capture();
    assert!(std::panic::catch_unwind(|| divide(0)).is_err());
    assert!(capture.events().is_empty());
}

#[test]
fn a_method_of_an_async_trait_and_a_returned_future_have_their_fallback() {
    #[async_trait]
    trait Load {
        async fn load(&self, number: &str) -> u8;
    }
    struct Cart;
    #[async_trait]
    impl Load for Cart {
        #[on_error(return = 0)]
        async fn load(&self, number: &str) -> u8 {
            number.parse()?
        }
    }
    #[on_error(return = Ok(0))]
    fn load(number: &str) -> Pin<Box<dyn Future<Output = Result<u8, ParseIntError>> + Send>> {
        Box::pin(ready(number.parse()))
    }
    let capture = testing::capture();
    assert_eq!(Cart.load("7").now_or_never(), Some(7));
    assert_eq!(Cart.load("x").now_or_never(), Some(0));
    assert_eq!(load("7").now_or_never(), Some(Ok(7)));
    assert_eq!(load("x").now_or_never(), Some(Ok(0)));
    assert_eq!(capture.events().len(), 2);
}

#[test]
fn it_stands_on_either_side_of_instrument_request() {
    #[instrument_request]
    #[on_error(return = 0)]
    async fn above(number: &str) -> u8 {
        Context::set("seen", true);
        number.parse()?
    }
    #[on_error(return = 0)]
    #[instrument_request]
    async fn below(number: &str) -> u8 {
        Context::set("seen", true);
        number.parse()?
    }
    for run in [above("x").boxed_local(), below("x").boxed_local()] {
        let capture = testing::capture();
        assert_eq!(run.now_or_never(), Some(0));
        let events = capture.events();
        assert_eq!(events.len(), 2, "{events:?}");
        assert_eq!(events[0].view().kind(), EventType::PartialFailure);
        assert_eq!(text(&events[0], "req_id"), text(&events[1], "req_id"));
        assert_eq!(events[1].view().get("app_seen"), Some(Value::Bool(true)));
    }
}

/// As error libraries have it: the macro returns from whatever it stands in.
macro_rules! bail {
    ($($text:tt)*) => { return Err(format!($($text)*).into()) };
}

macro_rules! ensure {
    ($condition:expr, $($text:tt)*) => {
        if !$condition {
            return Err(format!($($text)*).into());
        }
    };
}

#[test]
fn what_bail_and_ensure_leave_with_is_a_failure() {
    type Parsed<'a> = Result<&'a str, Box<dyn std::error::Error>>;

    #[on_error(return = Ok("fallback"))]
    fn parse<'a>(text: &'a str, tried: &mut u8) -> Parsed<'a> {
        *tried += 1;
        ensure!(!text.is_empty(), "nothing after {tried}");
        match text {
            "x" => bail!("x is no number"),
            "y" => {
                let owned = text.to_owned();
                bail!("{}", owned + " neither");
            }
            _ => Ok(text),
        }
    }

    #[on_error(return = Ok("fallback"), panics)]
    async fn parse_later<'a>(text: &'a str) -> Parsed<'a> {
        std::future::ready(()).await;
        ensure!(text != "x", "x is no number");
        if text == "z" {
            panic!("on purpose");
        }
        let nested = || -> Parsed<'_> { bail!("of the closure") };
        if nested().is_ok() || text == "y" {
            bail!("y neither")
        }
        Ok(text)
    }

    let capture = testing::capture();
    let mut tried = 0;
    let line = line!() - 27;
    assert_eq!(parse("7", &mut tried).ok(), Some("7"));
    assert!(capture.events().is_empty());
    let mut failures = Vec::new();
    for number in ["", "x", "y"] {
        assert_eq!(parse(number, &mut tried).ok(), Some("fallback"));
        let event = capture.one();
        assert_eq!(event.view().kind(), EventType::PartialFailure);
        let loc = text(&event, "exc_loc");
        assert!(loc.ends_with(":macros_on_error::what_bail_and_ensure_leave_with_is_a_failure::parse"), "{loc}");
        let at: u32 = loc.split(':').nth(1).and_then(|line| line.parse().ok()).expect("a line");
        failures.push((text(&event, "exc_msg"), at - line));
        capture.clear();
    }
    let want = [("nothing after 2", 0), ("x is no number", 2), ("y neither", 5)];
    assert_eq!(failures, want.map(|(text, line)| (text.to_owned(), line)));

    assert_eq!(parse_later("7").now_or_never().and_then(Result::ok), Some("7"));
    for number in ["x", "y", "z"] {
        assert_eq!(parse_later(number).now_or_never().and_then(Result::ok), Some("fallback"));
    }
    let events = capture.events();
    let of = |name: &str| events.iter().map(|event| text(event, name)).collect::<Vec<_>>();
    assert_eq!(of("exc_msg"), ["x is no number", "y neither", "on purpose"]);
    assert_eq!(of("exc_type")[2], "panic");
}

#[test]
fn another_macro_that_hides_a_return_leaves_without_the_fallback() {
    macro_rules! give_up {
        ($text:literal) => {
            return Err($text)
        };
    }
    #[on_error(return = Ok(0))]
    fn parse(text: &str) -> Result<u8, &'static str> {
        if text == "x" {
            give_up!("as the macro says");
        }
        text.parse().or(Err("no number"))
    }
    let capture = testing::capture();
    assert_eq!((parse("7"), parse("y")), (Ok(7), Ok(0)));
    assert_eq!(capture.events().len(), 1);
    assert_eq!(parse("x"), Err("as the macro says"));
    assert_eq!(capture.events().len(), 1, "and without an event");
}
