//! From a message to an event: its request, its order, its troubles.

use std::fmt;

use canonlog::{
    Context, EventType, Fields, Kind, Level, Logger, ToValue, Value, begin, display, lazy, logger, testing,
};

use crate::{names, text, texts};

static LOG: Logger = Logger::new("shop");

#[test]
fn a_message_has_the_id_of_its_request_or_job_and_none_outside() {
    let capture = testing::capture();
    let request = begin(Kind::Request);
    request.enter(|| {
        LOG.info("in a request");
        let job = begin(Kind::Job);
        job.enter(|| LOG.info("in a job"));
        LOG.info("in the request again");
        job.finish();
    });
    LOG.info("outside");
    request.enter(|| assert!(Context::current().set_request_id("from-the-proxy")));
    request.enter(|| LOG.info("renamed"));
    request.finish();
    LOG.info("after it");
    let messages: Vec<_> = capture.events().into_iter().filter(|event| event.view().kind() == EventType::Log).collect();
    let [in_request, in_job, again, outside, renamed, after] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(names(in_request)[0], "req_id");
    assert_eq!(text(in_request, "req_id"), text(again, "req_id"));
    assert_eq!((names(in_job)[0].as_str(), text(in_job, "req_id")), ("job_id", None));
    assert_eq!((names(outside)[0].as_str(), names(after)[0].as_str()), ("log_name", "log_name"));
    assert_eq!(text(renamed, "req_id").as_deref(), Some("from-the-proxy"));
}

#[test]
fn messages_stand_before_their_requests_event_in_the_order_in_which_they_were_said() {
    let capture = testing::capture();
    begin(Kind::Request).enter(|| {
        for n in 0..3 {
            canonlog::info!(LOG, "{n}");
        }
    });
    let events = capture.events();
    let kinds: Vec<_> = events.iter().map(|event| event.view().kind()).collect();
    assert_eq!(kinds, [EventType::Log, EventType::Log, EventType::Log, EventType::Request]);
    assert_eq!(texts(&capture), ["0", "1", "2"]);
    assert!(events.windows(2).all(|pair| pair[0].view().time() <= pair[1].view().time()));
    assert!(events.iter().all(|event| text(event, "req_id") == text(&events[0], "req_id")));
}

#[test]
fn a_message_of_another_thread_in_the_request_has_its_id_too() {
    let capture = testing::capture();
    let request = begin(Kind::Request);
    let cx = request.context();
    // One thread has the record to itself, the other is beside it.
    request.enter(|| std::thread::scope(|scope| drop(scope.spawn(|| cx.enter(|| LOG.info("beside"))).join())));
    request.finish();
    let events = capture.events();
    assert_eq!(text(&events[0], "log_msg").as_deref(), Some("beside"));
    assert_eq!(text(&events[0], "req_id"), text(&events[1], "req_id"));
}

struct Says(&'static str);

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        LOG.field("of", display(Says("within"))).info("from a display");
        f.write_str(self.0)
    }
}

#[test]
fn a_message_within_a_message_is_counted_and_goes_nowhere() {
    let capture = testing::capture();
    let before = canonlog::stats().count("reentrant");
    LOG.field("value", display(Says("shown"))).info(format_args!("{}", Says("text")));
    let event = capture.one();
    assert_eq!(
        (text(&event, "app_value").as_deref(), text(&event, "log_msg").as_deref()),
        (Some("shown"), Some("text"))
    );
    assert!(canonlog::stats().count("reentrant") >= before + 2);
}

#[test]
fn a_message_from_a_display_that_a_request_records_is_said() {
    let capture = testing::capture();
    begin(Kind::Request).enter(|| Context::set("value", display(Says("shown"))));
    assert_eq!(texts(&capture), ["from a display"]);
    assert_eq!(text(&capture.events()[0], "app_of").as_deref(), Some("within"));
}

#[test]
fn what_fails_while_a_message_is_made_is_counted_in_it() {
    struct Fails;
    impl fmt::Display for Fails {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("begun, ")?;
            panic!("a display")
        }
    }
    let capture = testing::capture();
    LOG.field("Odd Key", display(Fails)).info(format_args!("text {Fails}"));
    LOG.field("long", "x".repeat(10_000)).info("y".repeat(9_000));
    let events = capture.events();
    assert_eq!(names(&events[0])[3..], ["app_odd_key", "canonlog_renamed_keys", "canonlog_value_errors"]);
    assert_eq!(text(&events[0], "log_msg").as_deref(), Some("text begun, "));
    assert_eq!(text(&events[1], "app_long").map(|text| text.chars().count()), Some(8_193));
    assert!(text(&events[1], "log_msg").is_some_and(|text| text.ends_with("y…")));
    assert_eq!(events[1].view().get("canonlog_truncated"), Some(Value::U64(2)));
}

#[test]
fn what_hands_values_over_and_panics_costs_the_message_no_more_than_those() {
    #[derive(Debug)]
    struct Panics;
    impl fmt::Display for Panics {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("shown")
        }
    }
    impl std::error::Error for Panics {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            panic!("a source")
        }
    }
    impl ToValue for Panics {
        fn to_value(&self) -> Value<'_> {
            panic!("a value")
        }
    }
    impl Fields for Panics {
        fn record(&self, into: &mut dyn FnMut(&'static str, Value<'_>)) {
            into("first", Value::U64(1));
            panic!("fields")
        }
    }
    let capture = testing::capture();
    LOG.field("before", 1).field("panics", Panics).info("value");
    LOG.field("before", 1).field("panics", lazy(|| Panics)).info("lazy value");
    LOG.field("before", 1).fields(Panics).info("fields");
    LOG.field("before", 1).trace(&Panics).info("error");
    LOG.info("and on");
    assert_eq!(texts(&capture), ["value", "lazy value", "fields", "error", "and on"]);
    let (events, one) = (capture.events(), Some(Value::U64(1)));
    assert!(events[..4].iter().all(|event| event.view().get("app_before") == Some(Value::I64(1))));
    assert!(events[..4].iter().all(|event| event.view().get("canonlog_value_errors") == one));
    assert_eq!(events[2].view().get("app_first"), one);
    assert_eq!(text(&events[3], "exc_msg").as_deref(), Some("shown"));
}

#[test]
fn a_message_of_a_thread_that_unwinds_is_said_whole() {
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            LOG.warning(format_args!("rolled back {}", 7));
        }
    }
    let capture = testing::capture();
    let panicked = std::panic::catch_unwind(|| {
        let _guard = Guard;
        panic!("the work");
    });
    assert!(panicked.is_err());
    assert_eq!(texts(&capture), ["rolled back 7"]);
}

#[test]
fn a_message_has_no_more_fields_than_a_request() {
    let keys: Vec<&'static str> = (0..200).map(|n| &*format!("k{n}").leak()).collect();
    let capture = testing::capture();
    let log = keys.iter().fold(logger("many"), |log, key| log.bind(key, 1));
    log.info("said");
    let event = capture.one();
    assert_eq!(names(&event).iter().filter(|name| name.starts_with("app_k")).count(), 128);
    assert_eq!(event.view().get("canonlog_truncated"), Some(Value::U64(72)));
}

#[test]
fn nobody_forges_a_field_of_the_message_itself() {
    let capture = testing::capture();
    begin(Kind::Request).enter(|| {
        Context::current().namespace("log").set("msg", "forged");
        LOG.field("msg", "mine").log(Level::Info, "a\n\"b\" log_msg=\"c\"");
    });
    let events = capture.events();
    assert_eq!(text(&events[0], "log_msg").as_deref(), Some("a\n\"b\" log_msg=\"c\""));
    assert_eq!(text(&events[1], "log_msg"), None, "the namespace is the framework's");
}

#[test]
fn what_looks_like_a_secret_by_its_name_is_not_said() {
    use log::Log;
    let capture = testing::capture();
    LOG.bind("password", "hunter2").field("access_token", 4_711).info("said");
    let key = String::from("Session");
    let pairs = [(key.as_str(), "abc")];
    let record = log::Record::builder().level(log::Level::Info).args(format_args!("said")).key_values(&pairs).build();
    canonlog::log::Bridge::new().log(&record);
    let hidden = |at: usize, name: &str| text(&capture.events()[at], name);
    for (at, name) in [(0, "app_password"), (0, "app_access_token"), (1, "app_session")] {
        assert_eq!(hidden(at, name).as_deref(), Some("[redacted]"), "{name}");
    }
}

#[test]
fn a_filled_text_is_made_no_longer_than_a_value_may_be() {
    struct Endless;
    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                f.write_str("é")?;
            }
        }
    }
    let capture = testing::capture();
    let values: [(&str, &dyn canonlog::ToValue); 1] = [("much", &canonlog::display(Endless))];
    LOG.info(canonlog::message::brace("so {much}").with(&values));
    let event = capture.one();
    let said = text(&event, "log_msg").expect("a text");
    assert!(said.starts_with("so éé") && said.ends_with('…') && said.len() < 9_000, "{} bytes", said.len());
    assert_eq!(
        (text(&event, "canonlog_truncated").as_deref(), text(&event, "canonlog_value_errors")),
        (Some("1"), None)
    );
}
