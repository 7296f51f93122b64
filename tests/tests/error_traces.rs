//! Where an error arose, and by which lines it came to the boundary.

use std::error::Error;
use std::fmt;
use std::future::ready;
use std::num::ParseIntError;

use anyhow::Context as _;
use canonlog::{EventType, Kind, OwnedEvent, begin, instrument_request, on_error, operation, testing};
use futures_util::FutureExt as _;

fn text(event: &OwnedEvent, name: &str) -> String {
    event.view().get(name).map_or_else(String::new, |value| value.to_string())
}

/// The location of the line of this file that ends in `// @mark`.
fn at(mark: &str, function: &str) -> String {
    let is_marked = |line: &str| line.trim_end().ends_with(&format!("// @{mark}"));
    let lines: Vec<usize> = include_str!("error_traces.rs")
        .lines()
        .zip(1..)
        .filter_map(|(line, at)| is_marked(line).then_some(at))
        .collect();
    assert_eq!(lines.len(), 1, "one line is marked `{mark}`");
    format!("tests/error_traces.rs:{}:error_traces::{function}", lines[0])
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

// -- the scenarios ----------------------------------------------------------------------------------------------------

#[test]
fn an_error_is_followed_through_every_question_mark() {
    #[operation]
    async fn price(text: &str) -> Result<u8, ShopError> {
        let price = parse_later(text).await?; // @q_price
        Ok(price)
    }
    #[instrument_request]
    async fn checkout(text: &str) -> Result<u8, Box<dyn Error>> {
        let price = price(text).await?; // @q_checkout
        Ok(price)
    }
    let told = Told::of(|| outcome(checkout("x")));
    let scope = "an_error_is_followed_through_every_question_mark";
    told.came(&[
        at("parse_later", "parse_later"),
        at("q_price", &format!("{scope}::price")),
        at("q_checkout", &format!("{scope}::checkout")),
    ]);
    assert_eq!((told.says("exc_type"), told.says("exc_cause_type")), (NUMBER.to_owned(), String::new()));
    assert_eq!(told.says("exc_msg"), "no number: invalid digit found in string");
}

#[test]
fn an_error_is_followed_through_returns_and_tails() {
    #[operation]
    fn price(text: &str) -> Result<u8, ShopError> {
        if text.is_empty() {
            return parse(text); // @t_return
        }
        parse(text) // @t_tail
    }
    #[instrument_request]
    fn checkout(text: &str) -> Result<u8, ShopError> {
        match text.len() {
            7 => Ok(7),
            _ => price(text), // @t_arm
        }
    }
    let scope = "an_error_is_followed_through_returns_and_tails";
    for (input, mark) in [("", "t_return"), ("x", "t_tail")] {
        let told = Told::of(|| checkout(input));
        told.came(&[
            at("parse", "parse"),
            at(mark, &format!("{scope}::price")),
            at("t_arm", &format!("{scope}::checkout")),
        ]);
        assert_eq!((told.says("exc_type"), told.says("exc_cause_type")), (SHOP.to_owned(), NUMBER.to_owned()));
    }
}

#[test]
fn map_err_makes_another_error_of_the_same_trace() {
    #[instrument_request]
    fn checkout(text: &str) -> Result<u8, String> {
        let number = parse(text).map_err(|error| error.to_string())?; // @map_err
        Ok(number)
    }
    let told = Told::of(|| checkout("x"));
    told.came(&[at("parse", "parse"), at("map_err", "map_err_makes_another_error_of_the_same_trace::checkout")]);
    assert_eq!(
        (told.says("exc_type"), told.says("exc_cause_type")),
        ("alloc::string::String".to_owned(), NUMBER.to_owned())
    );
}

#[test]
fn a_context_is_put_around_an_error_of_the_same_trace() {
    #[operation]
    fn read(text: &str) -> anyhow::Result<u8> {
        parse_any(text).with_context(|| format!("reading `{text}`")) // @context_read
    }
    #[instrument_request]
    fn checkout(text: &str) -> anyhow::Result<u8> {
        let number = read(text).context("of the cart")?; // @context
        Ok(number)
    }
    let told = Told::of(|| checkout("x"));
    let scope = "a_context_is_put_around_an_error_of_the_same_trace";
    told.came(&[
        at("parse_any", "parse_any"),
        at("context_read", &format!("{scope}::read")),
        at("context", &format!("{scope}::checkout")),
    ]);
    assert_eq!((told.says("exc_type"), told.says("exc_msg")), (NUMBER.to_owned(), "of the cart".to_owned()));
}

#[test]
fn an_error_is_followed_through_functions_without_an_attribute() {
    fn between(text: &str) -> Result<u8, ShopError> {
        let result = parse(text);
        // Here an error of another kind comes and goes.
        let _ = library("7").map_err(ShopError::from)?;
        result
    }
    #[instrument_request]
    fn checkout(text: &str) -> Result<u8, ShopError> {
        between(text)?; // @gap
        Ok(0)
    }
    let told = Told::of(|| checkout("x"));
    told.came(&[
        at("parse", "parse"),
        at("gap", "an_error_is_followed_through_functions_without_an_attribute::checkout"),
    ]);
}

#[test]
fn an_error_that_arises_in_a_closure_or_a_block_is_found_there() {
    #[instrument_request]
    fn in_closure(items: &[&str]) -> Result<Vec<u8>, ShopError> {
        let all = items.iter().map(|item| Ok(library(item)?)); // @closure
        all.collect() // @closure_tail
    }
    #[instrument_request]
    async fn in_block(text: &str) -> Result<u8, ShopError> {
        let block = async { Ok::<u8, ShopError>(library(text)?) }; // @block
        Ok(block.await?) // @block_await
    }
    let scope = "an_error_that_arises_in_a_closure_or_a_block_is_found_there";
    let closure = format!("{scope}::in_closure");
    Told::of(|| in_closure(&["1", "x"])).came(&[at("closure", &closure), at("closure_tail", &closure)]);
    let block = format!("{scope}::in_block");
    Told::of(|| outcome(in_block("x"))).came(&[at("block", &block), at("block_await", &block)]);
}

#[test]
fn methods_of_types_and_traits_are_named_with_them() {
    trait Load {
        fn load(&self) -> Result<u8, ShopError>;
    }
    struct Cart(&'static str);
    impl Load for Cart {
        #[operation]
        fn load(&self) -> Result<u8, ShopError> {
            Ok(library(self.0)?) // @method_load
        }
    }
    impl Cart {
        #[instrument_request]
        fn open(&self) -> Result<u8, ShopError> {
            Ok(self.load()?) // @method_open
        }
    }
    let told = Told::of(|| Cart("x").open());
    let (cause, last) = (told.says("exc_cause_loc"), told.says("exc_loc"));
    let scope = "methods_of_types_and_traits_are_named_with_them";
    assert!(cause.ends_with("::Load>::load"), "{cause}");
    assert!(cause.starts_with(at("method_load", "").trim_end_matches("error_traces::")), "{cause}");
    assert_eq!(last, at("method_open", &format!("{scope}::Cart::open")));
}

#[test]
fn an_error_is_followed_through_try_join() {
    #[instrument_request]
    async fn checkout() -> Result<(u8, u8), ShopError> {
        let both = futures_util::try_join!(parse_later("1"), parse_later("x"))?; // @try_join
        Ok(both)
    }
    let told = Told::of(|| outcome(checkout()));
    told.came(&[at("parse_later", "parse_later"), at("try_join", "an_error_is_followed_through_try_join::checkout")]);
}

#[test]
fn an_error_is_found_in_the_arguments_of_a_macro() {
    #[instrument_request]
    fn checkout(text: &str) -> Result<Vec<String>, ShopError> {
        Ok(vec![
            "cart".to_owned(),
            format!("{}", parse(text)?), // @macro
        ])
    }
    let told = Told::of(|| checkout("x"));
    told.came(&[at("parse", "parse"), at("macro", "an_error_is_found_in_the_arguments_of_a_macro::checkout")]);
}

#[test]
fn a_result_that_was_kept_still_knows_its_origin() {
    #[instrument_request]
    fn checkout(text: &str) -> Result<u8, ShopError> {
        let kept = parse(text);
        let other = parse("7")?;
        let kept = kept?; // @kept
        Ok(kept + other)
    }
    #[instrument_request]
    fn wrapped(text: &str) -> Result<u8, String> {
        let kept = parse(text);
        kept.map_err(|error| error.to_string()) // @kept_wrapped
    }
    #[instrument_request]
    fn matched(text: &str) -> Result<u8, Box<ShopError>> {
        match parse(text) {
            Ok(number) => Ok(number),
            Err(error) => Err(Box::new(error)), // @kept_matched
        }
    }
    let scope = "a_result_that_was_kept_still_knows_its_origin";
    Told::of(|| checkout("x")).came(&[at("parse", "parse"), at("kept", &format!("{scope}::checkout"))]);
    Told::of(|| wrapped("x")).came(&[at("parse", "parse"), at("kept_wrapped", &format!("{scope}::wrapped"))]);
    Told::of(|| matched("x")).came(&[at("parse", "parse"), at("kept_matched", &format!("{scope}::matched"))]);
}

#[test]
fn an_error_that_was_dealt_with_is_not_the_cause_of_the_next() {
    fn other_library(text: &str) -> anyhow::Result<u8> {
        Ok(text.parse()?)
    }
    #[instrument_request]
    fn checkout(text: &str) -> anyhow::Result<u8> {
        let first = parse_any(text).unwrap_or(0);
        let second = other_library("y")?; // @unrelated
        Ok(first + second)
    }
    let told = Told::of(|| checkout("x"));
    let here = at("unrelated", "an_error_that_was_dealt_with_is_not_the_cause_of_the_next::checkout");
    assert_eq!((told.says("exc_cause_loc"), told.says("exc_loc")), (here.clone(), here));
}

#[test]
fn an_error_that_a_macro_makes_arises_at_the_macro() {
    #[operation]
    fn check(number: u8) -> anyhow::Result<u8> {
        anyhow::ensure!(number != 1, "not one");
        anyhow::ensure!(number < 7, "too many: {number}"); // @ensure
        if number == 0 {
            anyhow::bail!("none"); // @bail
        }
        Ok(number)
    }
    #[instrument_request]
    fn checkout(number: u8) -> anyhow::Result<u8> {
        let number = check(number)?; // @ensured
        library("y")?; // @passed
        Ok(number)
    }
    let scope = "an_error_that_a_macro_makes_arises_at_the_macro";
    let (check, checkout_at) = (format!("{scope}::check"), format!("{scope}::checkout"));
    Told::of(|| checkout(9)).came(&[at("ensure", &check), at("ensured", &checkout_at)]);
    Told::of(|| checkout(0)).came(&[at("bail", &check), at("ensured", &checkout_at)]);
    let told = Told::of(|| checkout(3));
    assert_eq!(told.says("exc_cause_loc"), at("passed", &checkout_at), "the checks before it were passed");

    #[instrument_request]
    fn alone() -> anyhow::Result<u8> {
        anyhow::bail!("at the boundary") // @bail_alone
    }
    let told = Told::of(alone);
    assert_eq!(told.says("exc_loc"), at("bail_alone", &format!("{scope}::alone")));
    assert_eq!((told.says("exc_type"), told.says("exc_cause_type")), ("anyhow::Error".to_owned(), String::new()));
}

#[test]
fn an_opaque_error_is_told_by_the_type_of_its_origin() {
    #[operation]
    fn load(text: &str) -> Result<u8, Box<dyn Error + Send + Sync>> {
        if text.is_empty() {
            Err(ShopError::Empty)?; // @boxed
        }
        Ok(text.parse()?)
    }
    #[instrument_request]
    fn checkout(text: &str) -> Result<u8, Box<dyn Error + Send + Sync>> {
        load(text) // @boxed_tail
    }
    let told = Told::of(|| checkout(""));
    let scope = "an_opaque_error_is_told_by_the_type_of_its_origin";
    told.came(&[at("boxed", &format!("{scope}::load")), at("boxed_tail", &format!("{scope}::checkout"))]);
    assert_eq!((told.says("exc_type"), told.says("exc_msg")), (SHOP.to_owned(), "nothing there".to_owned()));
    assert_eq!(Told::of(|| checkout("x")).says("exc_type"), NUMBER);
}

/// One of the two that are not right, as the book says.
#[test]
fn an_alternative_that_fails_too_is_taken_for_what_it_replaced() {
    #[instrument_request]
    fn checkout(text: &str) -> Result<u8, ShopError> {
        let number = parse(text).or_else(|_| library("y").map_err(ShopError::from))?; // @or_else
        Ok(number)
    }
    Told::of(|| checkout("x")).came(&[
        at("parse", "parse"),
        at("or_else", "an_alternative_that_fails_too_is_taken_for_what_it_replaced::checkout"),
    ]);
}

/// The other one.
#[test]
fn a_kept_error_of_a_library_is_taken_for_one_of_its_type_that_was_dealt_with() {
    #[instrument_request]
    fn checkout(text: &str) -> anyhow::Result<u8> {
        let kept = text.parse::<u8>().context("of a library");
        let other = parse_any(text).unwrap_or(0);
        Ok(kept? + other) // @kept_library
    }
    Told::of(|| checkout("x")).came(&[
        at("parse_any", "parse_any"),
        at("kept_library", "a_kept_error_of_a_library_is_taken_for_one_of_its_type_that_was_dealt_with::checkout"),
    ]);
}

#[test]
fn the_last_error_of_many_tries_is_told_with_the_origin_of_the_newest() {
    #[instrument_request]
    fn checkout(texts: &[&str]) -> Result<u8, ShopError> {
        let mut last = None;
        for text in texts {
            match parse(text) {
                Ok(number) => return Ok(number),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or(ShopError::Empty)) // @last
    }
    Told::of(|| checkout(&["x", "y"])).came(&[
        at("parse", "parse"),
        at("last", "the_last_error_of_many_tries_is_told_with_the_origin_of_the_newest::checkout"),
    ]);
    let told = Told::of(|| checkout(&[]));
    assert_eq!(told.says("exc_cause_loc"), told.says("exc_loc"), "no error came before this one");
}

// -- what surrounds them ----------------------------------------------------------------------------------------------

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

// -- failures that are events of their own ----------------------------------------------------------------------------

#[test]
fn a_partial_failure_is_followed_too() {
    #[on_error(return = 0)]
    fn recommend(text: &str) -> u8 {
        let number = parse(text)?; // @partial
        number + 1
    }
    #[on_error(return = Ok(0))]
    async fn recommend_later(how: &str, text: &str) -> Result<u8, ShopError> {
        if how == "return" {
            return parse(text); // @partial_return
        }
        if how == "wrap" {
            let number = parse(text).map_err(Box::new).map_err(|error| *error)?; // @partial_wrap
            return Ok(number);
        }
        parse_later(text).await // @partial_tail
    }
    #[operation]
    async fn checkout(how: &str) -> u8 {
        match how {
            "operand" => recommend("x"),
            how => recommend_later(how, "x").await.unwrap_or(9),
        }
    }
    let scope = "a_partial_failure_is_followed_too";
    for (how, mark, function, cause) in [
        ("operand", "partial", "recommend", "parse"),
        ("return", "partial_return", "recommend_later", "parse"),
        ("wrap", "partial_wrap", "recommend_later", "parse"),
        ("tail", "partial_tail", "recommend_later", "parse_later"),
    ] {
        let capture = testing::capture();
        let request = begin(Kind::Request);
        request.enter(|| assert_eq!(outcome(checkout(how)), 0));
        request.context().set_in("resp", "status", 503);
        request.finish();
        let mut events = capture.events();
        assert_eq!(events.len(), 2, "{events:?}");
        let told = Told { event: events.remove(0) };
        assert_eq!(told.event.view().kind(), EventType::PartialFailure);
        told.came(&[at(cause, cause), at(mark, &format!("{scope}::{function}"))]);
        assert_eq!(text(&events[0], "exc_handled"), "", "what was told of is not told again");
    }
}

#[test]
fn outside_a_request_a_partial_failure_has_its_own_line() {
    #[on_error(return = 0)]
    fn recommend(text: &str) -> u8 {
        let number = parse(text)?; // @outside
        number + 1
    }
    #[on_error(return = 0, errors = false)]
    fn plain(text: &str) -> u8 {
        let number = parse(text)?; // @outside_plain
        number + 1
    }
    let scope = "outside_a_request_a_partial_failure_has_its_own_line";
    for (run, mark, function) in
        [(recommend as fn(&str) -> u8, "outside", "recommend"), (plain, "outside_plain", "plain")]
    {
        let told = Told::of(|| run("x"));
        let here = at(mark, &format!("{scope}::{function}"));
        assert_eq!((told.says("exc_cause_loc"), told.says("exc_loc")), (here.clone(), here));
    }
}
