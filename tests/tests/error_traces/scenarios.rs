//! The ways by which an error may come: in all but two, the origin is exact.

use std::error::Error;

use anyhow::Context as _;
use canonlog::{Context, instrument_request, operation};

use super::*;

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
    assert!(cause.starts_with(at("method_load", "").trim_end_matches("error_traces::scenarios::")), "{cause}");
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

#[test]
fn an_error_is_followed_through_combinators() {
    #[operation]
    fn check(number: u8) -> Result<u8, ShopError> {
        if number > 7 {
            return Err(ShopError::Empty); // @check
        }
        Ok(number)
    }
    #[instrument_request]
    fn and_then(text: &str) -> Result<u8, ShopError> {
        let number = parse(text).and_then(check).map(|number| number + 1)?; // @and_then
        Ok(number)
    }
    #[instrument_request]
    fn or_else(text: &str) -> Result<u8, ShopError> {
        parse(text).or_else(|_| check(9)) // @or_checked
    }
    #[instrument_request]
    fn ok_or(text: &str) -> Result<char, ShopError> {
        let first = text.chars().next().ok_or(ShopError::Empty)?; // @ok_or
        Ok(first)
    }
    #[instrument_request]
    fn collect(texts: &[&str]) -> Result<Vec<u8>, ShopError> {
        let all = texts.iter().map(|text| parse(text)).collect::<Result<Vec<_>, _>>()?; // @collect
        Ok(all)
    }
    let scope = "an_error_is_followed_through_combinators";
    let (check, function) = (at("check", &format!("{scope}::check")), |name| format!("{scope}::{name}"));
    Told::of(|| and_then("x")).came(&[at("parse", "parse"), at("and_then", &function("and_then"))]);
    Told::of(|| and_then("9")).came(&[check.clone(), at("and_then", &function("and_then"))]);
    Told::of(|| or_else("x")).came(&[check, at("or_checked", &function("or_else"))]);
    Told::of(|| collect(&["1", "x"])).came(&[at("parse", "parse"), at("collect", &function("collect"))]);
    let told = Told::of(|| ok_or(""));
    let here = at("ok_or", &function("ok_or"));
    assert_eq!((told.says("exc_cause_loc"), told.says("exc_loc")), (here.clone(), here));
    assert_eq!((told.says("exc_type"), told.says("exc_cause_type")), (SHOP.to_owned(), String::new()));
}

#[test]
fn reports_of_eyre_are_followed_as_any_error() {
    use eyre::WrapErr as _;

    #[operation]
    fn read(text: &str) -> eyre::Result<u8> {
        eyre::ensure!(!text.is_empty(), "no text"); // @eyre_ensure
        let number = library(text).wrap_err("of a library")?; // @eyre_read
        if number > 7 {
            eyre::bail!("too many"); // @eyre_bail
        }
        Ok(number)
    }
    #[instrument_request]
    fn checkout(text: &str) -> eyre::Result<u8> {
        read(text).wrap_err_with(|| format!("reading `{text}`")) // @eyre_checkout
    }
    let scope = "reports_of_eyre_are_followed_as_any_error";
    for (input, mark) in [("", "eyre_ensure"), ("x", "eyre_read"), ("9", "eyre_bail")] {
        let told = Told::of(|| checkout(input));
        told.came(&[at(mark, &format!("{scope}::read")), at("eyre_checkout", &format!("{scope}::checkout"))]);
        // A report hides what it was made of, also from the line that makes it.
        assert_eq!(told.says("exc_type"), "eyre::Report");
        assert_eq!(told.says("exc_msg"), format!("reading `{input}`"));
    }
}

#[test]
fn an_error_is_followed_out_of_a_task_and_a_thread_that_the_context_went_along_to() {
    #[instrument_request]
    async fn checkout(text: &'static str) -> Result<u8, ShopError> {
        let task = tokio::spawn(Context::current().scope(parse_later(text)));
        task.await.expect("no panic") // @spawned
    }
    #[instrument_request]
    async fn blocking(text: &'static str) -> Result<u8, ShopError> {
        let cx = Context::current();
        let thread = tokio::task::spawn_blocking(move || cx.enter(|| parse(text)));
        let number = thread.await.expect("no panic")?; // @blocking
        Ok(number)
    }
    let scope = "an_error_is_followed_out_of_a_task_and_a_thread_that_the_context_went_along_to";
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let told = Told::of(|| runtime.block_on(checkout("x")));
    told.came(&[at("parse_later", "parse_later"), at("spawned", &format!("{scope}::checkout"))]);
    let told = Told::of(|| runtime.block_on(blocking("x")));
    told.came(&[at("parse", "parse"), at("blocking", &format!("{scope}::blocking"))]);
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
