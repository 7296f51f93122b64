//! `log` and `tracing`: what they say becomes messages, and events go to `tracing`.

use std::io;
use std::sync::{Arc, Mutex};

use canonlog::{Emitter, EmitterSet, EventType, Kind, Level, Memory, OwnedEvent, Value, begin, testing};
use log::{Log, Record};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;

use crate::{names, text, texts};
use canonlog_tests::program;

#[test]
fn a_record_of_log_is_a_message_of_its_request_with_its_fields_typed() {
    let _ = canonlog::log::install();
    let capture = testing::capture();
    begin(Kind::Request).enter(|| {
        log::warn!(target: "shop", cart = 7_u64, total = 19.5, paid = true, user = "ann", ids:? = [1, 2]; "checked out {}", 3);
    });
    let events = capture.events();
    let event = events[0].view();
    assert_eq!(event.level(), Level::Warning);
    let fields: Vec<_> = event.fields().collect();
    assert_eq!(fields[0], ("req_id", events[1].view().get("req_id").expect("an id")));
    assert_eq!(fields[1..3], [("log_name", Value::Str("shop")), ("log_msg", Value::Str("checked out 3"))]);
    assert!(matches!(fields[3], ("log_loc", Value::Str(place)) if place.starts_with(&format!("{}:", file!()))));
    assert_eq!(
        fields[4..],
        [
            ("app_cart", Value::U64(7)),
            ("app_total", Value::F64(19.5)),
            ("app_paid", Value::Bool(true)),
            ("app_user", Value::Str("ann")),
            ("app_ids", Value::Str("[1, 2]")),
        ]
    );
}

#[test]
fn traces_of_log_are_left_out_unless_they_are_asked_for() {
    let capture = testing::capture();
    let record = Record::builder().level(log::Level::Trace).args(format_args!("a trace")).build();
    canonlog::log::Bridge::new().log(&record);
    assert_eq!(capture.events().len(), 0);
    canonlog::log::Bridge::new().max_level(log::LevelFilter::Trace).log(&record);
    assert_eq!(capture.one().view().level(), Level::Debug);
}

#[test]
fn keys_that_log_made_at_run_time_are_cleaned_without_a_word() {
    let capture = testing::capture();
    let key = String::from("Cart Id");
    let pairs = [(key.as_str(), 7)];
    let record = Record::builder().level(log::Level::Info).args(format_args!("said")).key_values(&pairs).build();
    canonlog::log::Bridge::new().log(&record);
    assert_eq!(names(&capture.one()), ["log_name", "log_msg", "app_cart_id"]);
}

#[test]
fn an_event_of_tracing_is_a_message_with_its_fields_typed() {
    let capture = testing::capture();
    let error = "seven".parse::<u32>().expect_err("no number");
    tracing::subscriber::with_default(tracing_subscriber::registry().with(canonlog::tracing::layer()), || {
        begin(Kind::Job).enter(|| {
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::error!(target: "shop", { cart.id = 7_u64, kind = "big", total = 1.5, paid = false, ids = ?[1], error }, "said {}", 1);
        });
        tracing::info!(only = "fields");
    });
    let events = capture.events();
    let event = events[0].view();
    assert_eq!((event.kind(), event.level()), (EventType::Log, Level::Error));
    let fields: Vec<_> = event.fields().filter(|(name, _)| !matches!(*name, "job_id" | "log_loc")).collect();
    assert_eq!(
        fields,
        [
            ("log_name", Value::Str("shop")),
            ("log_msg", Value::Str("said 1")),
            ("app_cart_id", Value::U64(7)),
            ("app_kind", Value::Str("big")),
            ("app_total", Value::F64(1.5)),
            ("app_paid", Value::Bool(false)),
            ("app_ids", Value::Str("[1]")),
            ("exc_msg", Value::Str("invalid digit found in string")),
        ]
    );
    assert_eq!(names(&events[2])[..2], ["log_name", "log_msg"]);
    assert_eq!(text(&events[2], "log_msg").as_deref(), Some(""));
}

#[test]
fn spans_give_their_fields_to_messages_and_their_times_to_the_request_if_that_is_asked_for() {
    let capture = testing::capture();
    let clock = testing::hold_clock();
    let layer = canonlog::tracing::layer().span_fields(true).span_times(true);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let _before = tracing::info_span!("before the request", tenant = 1).entered();
        begin(Kind::Request).enter(|| {
            for _ in 0..2 {
                let span = tracing::info_span!("load", cart = 7, user = tracing::field::Empty);
                span.record("user", "ann");
                let _inside = span.enter();
                clock.advance(std::time::Duration::from_millis(4));
                tracing::info!(cart = 8, "said");
            }
        });
    });
    let events = capture.events();
    assert_eq!(names(&events[0])[4..], ["app_tenant", "app_cart", "app_user"]);
    assert_eq!(text(&events[0], "app_cart").as_deref(), Some("8"), "its own come last");
    assert_eq!(text(&events[2], "app_load_time").as_deref(), Some("0.008"));
    assert!(names(&events[2]).iter().all(|name| !name.contains("before")), "{events:?}");
}

#[test]
fn a_span_whose_name_is_no_key_is_timed_and_no_mistake_of_the_program() {
    let capture = testing::capture();
    let layer = canonlog::tracing::layer().span_times(true);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        begin(Kind::Request).enter(|| {
            drop(tracing::info_span!("shop::Cart.load").entered());
            drop(tracing::info_span!("GET /cart", otel.name = 7).entered());
        });
    });
    let names = names(&capture.one());
    assert_eq!(
        names.iter().filter(|name| name.starts_with("app_")).collect::<Vec<_>>(),
        ["app_shop__cart_load_time", "app_get__cart_time"]
    );
    assert!(!names.contains(&"canonlog_renamed_keys".to_owned()), "{names:?}");
}

#[test]
fn spans_leave_no_trace_unless_that_is_asked_for() {
    let capture = testing::capture();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(canonlog::tracing::layer()), || {
        begin(Kind::Request).enter(|| tracing::info_span!("load", cart = 7).in_scope(|| tracing::info!("said")));
    });
    for event in capture.events() {
        assert!(names(&event).iter().all(|name| !name.starts_with("app_")), "{event:?}");
    }
}

#[test]
fn a_value_that_speaks_while_its_span_records_it_is_heard() {
    struct Speaks;
    impl std::fmt::Debug for Speaks {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            tracing::info!("from within");
            f.write_str("spoke")
        }
    }
    let capture = testing::capture();
    let layer = canonlog::tracing::layer().span_fields(true);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let span = tracing::info_span!("load", cart = 7, user = tracing::field::Empty);
        span.in_scope(|| {
            span.record("user", tracing::field::debug(Speaks));
            tracing::info!("after");
        });
    });
    let events = capture.events();
    assert_eq!(text(&events[0], "log_msg").as_deref(), Some("from within"));
    assert_eq!(text(&events[1], "app_user").as_deref(), Some("spoke"));
    assert_eq!(text(&events[1], "app_cart").as_deref(), Some("7"));
}

#[test]
fn what_was_kept_goes_to_tracing_once_whoever_brings_it_out() {
    let mut command = program::command(env!("CARGO_BIN_EXE_child"));
    let ended = program::run(command.arg("tracing_lookback"), std::time::Duration::from_secs(20));
    assert_eq!(ended.code(), Some(0), "{}", ended.err);
    for said in ["own 1", "theirs 1", "loud 1", "own 2", "theirs 2", "loud 2"] {
        let times = ended.out.lines().filter(|line| line.contains(&format!(": {said}"))).count();
        assert_eq!(times, 1, "{said}: {}", ended.out);
    }
    assert_eq!(ended.out.lines().count(), 6, "{}", ended.out);
}

#[test]
fn events_of_tracing_that_nobody_wants_are_in_the_counts_of_the_status() {
    let mut command = program::command(env!("CARGO_BIN_EXE_child"));
    let ended = program::run(command.arg("tracing_status"), std::time::Duration::from_secs(20));
    let [line] = &ended.out.lines().collect::<Vec<_>>()[..] else { panic!("one status event: {ended:?}") };
    let counts = ["debug=\"1\"", "info=\"3\"", "notice=\"0\"", "warning=\"0\"", "error=\"1\"", "critical=\"0\""];
    for count in counts {
        assert!(line.contains(&format!(" status_{count}")), "{count}: {line}");
    }
}

/// What `tracing`'s own format writes.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Lines;

    fn make_writer(&'a self) -> Lines {
        self.clone()
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("text")
    }
}

fn request_event() -> OwnedEvent {
    let mut event = OwnedEvent::new(EventType::Request, Level::Error, std::time::SystemTime::UNIX_EPOCH);
    event.set("req_id", "944e3dc1");
    event.set("req_method", "GET");
    event.set("resp_status", 503);
    event.set("resp_time", std::time::Duration::from_millis(16));
    event
}

#[test]
fn events_go_to_tracing_within_the_span_in_which_they_happen_and_are_counted_as_written() {
    let lines = Lines::default();
    let set = EmitterSet::start([Emitter::new("tracing").output(canonlog::tracing::Dispatched::new()).direct()]);
    let set = set.expect("it starts");
    let fmt = tracing_subscriber::fmt::layer().with_ansi(false).without_time().with_writer(lines.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(fmt), || {
        tracing::info_span!("serve").in_scope(|| set.emit(&request_event().view()));
    });
    let text = lines.text();
    assert!(
        text.starts_with(
            "ERROR serve: canonlog: request event_type=\"request\" req_id=\"944e3dc1\" req_method=\"GET\""
        ),
        "{text}"
    );
    assert!(text.contains(" resp_status=503 resp_time=0.016 line=\"event_type="), "{text}");
    assert!(!text.contains("req_path") && text.lines().count() == 1, "{text}");
    assert_eq!((set.written(), set.lost()), (1, 0));
}

#[test]
fn what_came_from_tracing_does_not_go_back_and_what_goes_there_does_not_come_back() {
    let (lines, memory) = (Lines::default(), Memory::new());
    let fmt = tracing_subscriber::fmt::layer().with_ansi(false).without_time().with_writer(lines.clone());
    let subscriber = tracing_subscriber::registry().with(fmt).with(canonlog::tracing::layer());
    let capture = testing::capture_to([
        Emitter::new("tracing").output(canonlog::tracing::Dispatched::new()).direct(),
        Emitter::new("memory").output(memory.clone()).direct(),
    ])
    .expect("they start");
    tracing::subscriber::with_default(subscriber, || {
        begin(Kind::Request).enter(|| {
            tracing::info!("from tracing");
            canonlog::info!("from canonlog");
        });
    });
    assert_eq!(texts(&capture), ["from tracing", "from canonlog"]);
    assert_eq!(memory.lines().len(), 3, "two messages and the request: {:?}", memory.lines());
    let text = lines.text();
    let said = |what: &str| text.lines().filter(|line| line.contains(what)).count();
    assert_eq!((said("from tracing"), said("from canonlog"), text.lines().count()), (1, 1, 3), "{text}");
}
