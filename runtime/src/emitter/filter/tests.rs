use std::time::{Duration, SystemTime};

use super::*;
use crate::event::{EventType, OwnedEvent};
use crate::level::Level;

fn event() -> OwnedEvent {
    let mut event = OwnedEvent::new(EventType::Request, Level::Error, SystemTime::UNIX_EPOCH);
    event.set("resp_status", 503);
    event.set("resp_time", Duration::from_millis(250));
    event.set("resp_view", "shop::checkout");
    event.set("app_total", -19.5);
    event.set("app_big", u64::MAX);
    event.set("app_paid", true);
    event.set("app_code", "503");
    event.set("req_referrer", Option::<&str>::None);
    event
}

fn message(name: &str, text: &str) -> OwnedEvent {
    let mut event = OwnedEvent::new(EventType::Log, Level::Info, SystemTime::UNIX_EPOCH);
    event.set("log_name", name);
    event.set("log_msg", text);
    event
}

fn passes(filter: impl Into<Filter>, event: &OwnedEvent) -> bool {
    let filter = filter.into();
    filter.check().expect("it has no mistake");
    filter.passes(&event.view())
}

fn reads(condition: &str) -> bool {
    let filter: Filter = condition.parse().unwrap_or_else(|error| panic!("{error}"));
    passes(filter, &event())
}

#[test]
fn true_false_closures_and_lists_are_filters() {
    let event = event();
    assert!(passes(true, &event) && !passes(false, &event));
    assert!(passes(|event: &Event<'_>| event.get("app_paid").is_some(), &event));
    assert!(passes(Vec::<Filter>::new(), &event), "an empty list lets everything pass");
    assert!(passes([true, true], &event) && !passes(vec![true, false], &event));
    let nested = [Filter::from(true), Filter::from([Filter::from([true]), Filter::from(vec![false])])];
    assert!(!passes(nested.clone(), &event));
    assert!(passes(not(nested.clone()), &event) && passes(any(nested), &event));
    assert!(!passes(any(Vec::<Filter>::new()), &event));
}

#[test]
fn names_are_exact_and_globs_are_not_and_what_has_no_name_is_called_nothing() {
    let (shop, cart, nameless) = (message("shop", ""), message("shop.cart", ""), event());
    assert!(passes(names(["x", "shop"]), &shop) && !passes(names(["shop"]), &cart));
    assert!(
        passes(globs(["x", "shop*"]), &shop) && passes(globs(["shop.*"]), &cart) && !passes(globs(["Shop*"]), &shop)
    );
    assert!(passes(globs(["*"]), &nameless) && !passes(names(["shop"]), &nameless) && passes(names([""]), &nameless));
    assert_eq!(format!("{:?}", names(["a"])), r#"log_name in [Text("a")]"#);
}

#[test]
fn fields_are_compared_by_what_they_are() {
    for (condition, want) in [
        ("resp_status >= 500", true),
        ("resp_status > 503", false),
        ("resp_status <= 503.0", true),
        ("resp_status == 503", true),
        ("resp_status == \"503\"", false),
        ("app_code == 503", false),
        ("app_code == '503'", true),
        ("app_code != 503", true),
        ("app_total < -19", true),
        ("app_total == -19.5", true),
        ("app_big == 18446744073709551615", true),
        ("app_big > 18446744073709551614", true),
        ("app_big > -1", true),
        ("resp_time == 250ms", true),
        ("resp_time < 0.3", true),
        ("resp_time > 1", false),
        ("resp_time >= 0.25s", true),
        ("resp_time < 1m", true),
        ("resp_status > 1h", false),
        ("app_paid == true", true),
        ("app_paid != false", true),
        ("app_paid == 1", false),
        ("resp_view < shop::d", true),
        ("resp_view like shop::*", true),
        ("resp_view like '*::cart'", false),
        ("resp_status like 5*", false),
        ("resp_status in [200, 503]", true),
        ("resp_status in []", false),
        ("resp_view in ['a, b', shop::checkout]", true),
        ("req_referrer", true),
        ("req_referrer == shop", false),
    ] {
        assert_eq!(reads(condition), want, "{condition}");
    }
}

#[test]
fn what_is_not_there_passes_no_comparison_but_that_of_being_another() {
    for sign in ["==", "<", "<=", ">", ">="] {
        assert!(!reads(&format!("app_none {sign} 1")), "{sign}");
    }
    assert!(reads("app_none != 1") && reads("not app_none") && !reads("app_none") && reads("not app_none in [1]"));
}

#[test]
fn types_and_levels_are_asked_as_fields_are_and_levels_by_how_much_they_matter() {
    for (condition, want) in [
        ("event_type == request", true),
        ("event_type in [log, status]", false),
        ("event_level >= notice", true),
        ("event_level == ERR", true),
        ("event_level < critical", true),
        ("event_level in [debug, info]", false),
        ("event_level like err*", true),
        ("event_level", true),
    ] {
        assert_eq!(reads(condition), want, "{condition}");
    }
    assert!(passes(field("event_level").ge(Level::Warning), &event()));
    assert!(passes(field("event_type").one_of([EventType::Job, EventType::Request]), &event()));
}

#[test]
fn and_binds_stronger_than_or_and_not_than_both() {
    for (condition, want) in [
        ("true or false and false", true),
        ("(true or false) and false", false),
        ("not false and false", false),
        ("not (false and false)", true),
        ("not not true", true),
        ("resp_status==503 and(app_paid)", true),
    ] {
        assert_eq!(reads(condition), want, "{condition}");
    }
}

#[test]
fn a_condition_that_is_wrong_says_where_and_what_was_expected() {
    let deep = "(".repeat(1_000);
    for (condition, error) in [
        ("", "``: at character 1, the condition ends where a test was expected"),
        ("resp_status >=", "at character 15, the condition ends where a value was expected"),
        ("resp_status = 500", "at character 13, `=` is no comparison; expected `==`, `!=`, `<`,"),
        ("resp_status is 500", "at character 13, `is` is no comparison; expected"),
        (
            "resp_status >= 500 an exc_type",
            "at character 20, `an` does not belong here; expected `and`, `or` or the end",
        ),
        ("(resp_status >= 500", "at character 20, the condition ends where `)` was expected"),
        ("resp_status >= 500)", "at character 19, `)` does not belong here"),
        ("500 <= resp_status", "at character 1, `500` is no name of a field"),
        ("and", "at character 1, `and` is no name of a field"),
        ("a == 'b", "at character 6, the quote ' is not closed"),
        ("é == \"b", "at character 6, the quote \" is not closed"),
        ("a in b", "at character 6, `b` does not belong here; expected `[`"),
        ("a in [b c]", "at character 9, `c` does not belong here; expected `,` or `]`"),
        ("a in [b", "at character 8, the condition ends where `]` was expected"),
        ("a > 5sec", "at character 6, `sec` is no unit of time; expected `ns`, `us`, `ms`, `s`, `m`, `h`"),
        ("a > 5.5.5", "at character 5, `5.5.5` is neither a number nor a word"),
        ("a > -5s", "at character 5, `-5s` is no length of time"),
        ("a like )", "at character 8, `)` does not belong here; expected a pattern"),
        ("event_type == reqest", "at character 15, `reqest` is no type of event; expected `request`, `job`"),
        ("event_type == reqest", "; the nearest is `request`"),
        ("x or event_level in [info, wraning]", "at character 21, `wraning` is not a level"),
        (&deep, "is more than 64 deep in parentheses"),
    ] {
        let got = condition.parse::<Filter>().expect_err("it is wrong").to_string();
        assert!(got.contains(error), "{condition}: {got}");
    }
}

#[cfg(feature = "regex")]
#[test]
fn a_pattern_is_matched_at_the_start_of_the_text() {
    let wear = message("", "I wear pants");
    assert!(!passes(pattern("pants"), &wear) && passes(pattern(".*pants"), &wear) && passes(pattern("I|pants"), &wear));
    assert!(passes(regex::Regex::new("i (?i)WEAR|I WEAR|I").expect("a pattern"), &wear));
    assert!(passes(pattern(""), &event()), "an event without a text has an empty one");
    assert!(reads("resp_view ~ '(shop|cart)::'") && !reads("resp_view ~ checkout") && !reads("resp_status ~ 5"));
    assert!(reads(r"resp_view ~ '\w+::c\w*$'"), "backslashes stay");
    let error = "resp_view ~ '(shop'".parse::<Filter>().expect_err("no pattern").to_string();
    assert_eq!(error, "`resp_view ~ '(shop'`: at character 13, `(shop` is no regular expression: unclosed group");
    assert_eq!(pattern("(").check().expect_err("none").to_string(), "`(` is no regular expression: unclosed group");
}

#[cfg(not(feature = "regex"))]
#[test]
fn without_the_feature_a_pattern_says_what_it_needs() {
    let error = "resp_view ~ shop".parse::<Filter>().expect_err("no patterns").to_string();
    assert!(error.contains("at character 11, `~` needs canonlog's feature `regex`"), "{error}");
}

#[test]
fn an_event_without_a_text_has_none_unless_a_pattern_asks() {
    let (empty, none) = (message("shop", ""), event());
    let text = || field("log_msg");
    assert!(passes(text().exists(), &empty) && !passes(text().exists(), &none));
    assert!(passes(text().eq(""), &empty) && !passes(text().eq(""), &none));
    assert!(passes(text().lt("a"), &empty) && !passes(text().lt("a"), &none));
    assert!(passes(text().one_of([""]), &empty) && !passes(text().one_of([""]), &none));
    assert!(!passes(text().ne(""), &empty) && passes(text().ne(""), &none));
    #[cfg(feature = "regex")]
    assert!(passes(pattern("$"), &none) && !passes(pattern("a"), &none));
}
