//! Failures that are events of their own.

use canonlog::{EventType, Kind, begin, on_error, operation, testing};

use super::*;

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
