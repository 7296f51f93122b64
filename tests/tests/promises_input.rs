//! The promises about input: whatever a request holds, its event is one line that can be read, bounded, and forges nothing.
//!
//! Each test names the failure mode it stands for (I1 to I10, I13 of the table of promises).

use std::convert::Infallible;
use std::fmt::{self, Write};
use std::time::{Duration, Instant};

use bytes::Bytes;
use canonlog::{Context, Format, Json, Kind, Logfmt, OwnedEvent, OwnedValue, Value, begin, debug, display, testing};
use canonlog_tests::logfmt;
use http_body_util::Empty;
use proptest::prelude::*;
use tower::{Layer, ServiceExt};

const VALUE_LIMIT: usize = 8 * 1024;
const EVENT_LIMIT: usize = 64 * 1024;
const FIELD_LIMIT: usize = 128;

/// The event of a request in which `work` runs.
fn request(work: impl FnOnce()) -> OwnedEvent {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.context().enter(work);
    scope.finish();
    capture.one()
}

fn line(format: &dyn Format, event: &OwnedEvent) -> String {
    let mut line = Vec::new();
    format.format(&event.view(), &mut line);
    String::from_utf8(line).expect("a line is UTF-8")
}

/// The fields of the event, read back from its line.
fn read(event: &OwnedEvent) -> Vec<(String, String)> {
    logfmt::parse(&line(&Logfmt::new(), event)).expect("a line of the grammar")
}

fn read_json(event: &OwnedEvent) -> serde_json::Map<String, serde_json::Value> {
    serde_json::from_str(&line(&Json::new(), event)).expect("a JSON object")
}

fn field(event: &OwnedEvent, name: &str) -> Option<String> {
    read(event).into_iter().find_map(|(known, value)| (known == name).then_some(value))
}

fn count(event: &OwnedEvent, name: &str) -> u64 {
    field(event, name).map_or(0, |count| count.parse().expect("a count"))
}

/// The event of a request that goes through the layer, and the id it was answered with.
fn served(request: http::request::Builder) -> (OwnedEvent, Option<String>) {
    let capture = testing::capture();
    let service = tower::service_fn(|_request: http::Request<Empty<Bytes>>| async {
        Ok::<_, Infallible>(http::Response::new(Empty::<Bytes>::new()))
    });
    let service = canonlog::tower::RequestLayer::new().layer(service);
    let request = request.body(Empty::new()).expect("a request that http accepts");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let response = runtime.block_on(service.oneshot(request)).expect("it never fails");
    let id = response.headers().get("x-request-id").map(|id| id.to_str().expect("visible ASCII").to_owned());
    drop(response);
    (capture.one(), id)
}

/// Names of users: what is not the framework's.
fn app_names(event: &OwnedEvent) -> Vec<String> {
    read(event).into_iter().map(|(name, _)| name).filter(|name| name.starts_with("app_")).collect()
}

const HOSTILE: [&str; 24] = [
    "\n",
    "\r\n",
    "\u{b}",
    "\u{c}",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{1c}\u{1d}\u{1e}\u{1f}",
    "\0",
    "\u{1b}[2J",
    "\u{7f}",
    "\u{9b}31m",
    "\u{61c}",
    "\u{200e}\u{200f}",
    "\u{202e}",
    "\u{2066}x\u{2069}",
    "\u{feff}",
    "\" req_id=\"forged",
    "\\\"",
    "\\",
    "\\n",
    "\\u0041",
    "😀\u{fffd}é",
    "\u{e000}\u{10ffff}",
];

#[test]
fn i1_no_value_splits_a_line() {
    let event = request(|| {
        for (at, text) in HOSTILE.iter().enumerate() {
            Context::set_dynamic(&format!("k{at}"), *text);
        }
    });
    for format in [&Logfmt::new() as &dyn Format, &Logfmt::new().quote_needed(), &Json::new()] {
        let line = line(format, &event);
        assert!(!line.contains(logfmt::must_be_escaped), "{line:?}");
        assert_eq!(line.lines().count(), 1);
    }
}

#[test]
fn i2_i6_every_value_comes_back_unchanged_through_strict_readers() {
    let event = request(|| {
        for (at, text) in HOSTILE.iter().enumerate() {
            Context::set_dynamic(&format!("k{at}"), *text);
        }
    });
    let json = read_json(&event);
    for (at, text) in HOSTILE.iter().enumerate() {
        let name = format!("app_k{at}");
        assert_eq!(field(&event, &name).as_deref(), Some(*text));
        assert_eq!(json[&name].as_str(), Some(*text));
    }
    assert_eq!(count(&event, "canonlog_truncated"), 0);
}

#[test]
fn i3_a_key_made_at_run_time_forges_nothing() {
    let long = "k".repeat(5_000);
    let keys = ["a\" req_id=\"forged", "b=c", "d\ne", "f\u{2028}g", "2nd", "Ünï", "h i", "{", "x\0y", &long];
    let event = request(|| {
        for key in keys {
            Context::set_dynamic(key, 1);
        }
    });
    let names = app_names(&event);
    assert_eq!(names.len(), keys.len(), "{names:?}");
    for name in &names {
        let clean = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        assert!(clean && name.len() <= 4 + 64, "{name}");
    }
    assert_eq!(count(&event, "canonlog_renamed_keys"), keys.len() as u64);
    assert_ne!(field(&event, "req_id").as_deref(), Some("forged"));
}

#[test]
fn i3_the_longest_name_is_one_of_the_grammar_and_stays_whole_also_of_a_key_made_at_run_time() {
    const NAMESPACE: &str = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
    const KEY: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";
    let keys = ["1", "2"].map(|end| "k".repeat(62) + end);
    let event = request(|| {
        for key in &keys {
            Context::current().namespace(NAMESPACE).set_dynamic(key, key.as_str());
            Context::current().namespace(NAMESPACE).set_dynamic(key, 1);
            Context::current().namespace(NAMESPACE).set_dynamic(key, key.as_str());
        }
        // These two are longer than a name may be.
        Context::current().namespace(NAMESPACE).set(KEY, "cut");
        drop(Context::current().namespace(NAMESPACE).time(KEY));
    });
    for key in &keys {
        let name = format!("{NAMESPACE}_{key}");
        assert_eq!((name.len(), field(&event, &name).as_deref()), (128, Some(key.as_str())));
    }
    assert_eq!(field(&event, &format!("{NAMESPACE}_{}", &KEY[..63])).as_deref(), Some("cut"));
    assert!(field(&event, &format!("{NAMESPACE}_{}_time", &KEY[..58])).is_some());
}

#[test]
fn i3_no_key_takes_the_place_of_type_time_or_level() {
    let event = request(|| {
        for key in ["event_type", "event_time", "event_level", "req_id", "canonlog_truncated"] {
            Context::set_dynamic(key, "forged");
        }
        Context::current().namespace("event").set("type", "forged");
    });
    let fields = read(&event);
    assert_eq!(fields[0], ("event_type".to_owned(), "request".to_owned()));
    let forged = fields.iter().filter(|(_, value)| value == "forged");
    assert!(forged.clone().all(|(name, _)| name.starts_with("app_")), "{fields:?}");
    assert_eq!(forged.count(), 6);
}

#[test]
fn i4_a_key_stands_once_and_the_last_write_wins() {
    let event = request(|| {
        Context::set("cart", 1);
        Context::set("user", "ann");
        Context::set_dynamic("cart", 2);
        Context::set("cart", "three");
        Context::current().namespace("app").set("cart", 4);
    });
    assert_eq!(app_names(&event), ["app_cart", "app_user"]);
    assert_eq!(field(&event, "app_cart").as_deref(), Some("4"));
}

#[test]
fn i4_users_cannot_write_the_frameworks_namespaces() {
    let event = request(|| {
        for namespace in ["req", "resp", "exc", "db", "rt", "timeout", "job", "http", "event", "trace", "canonlog"] {
            Context::current().namespace(namespace).set("forged", namespace);
        }
    });
    assert_eq!(app_names(&event), ["app_forged"]);
    let elsewhere = read(&event).into_iter().filter(|(name, _)| name.ends_with("_forged")).count();
    assert_eq!(elsewhere, 1);
    assert_eq!(count(&event, "canonlog_renamed_keys"), 11);
}

#[test]
fn i5_bytes_that_are_no_text_are_replaced_and_the_rest_stays() {
    let event = request(|| Context::set("header", String::from_utf8_lossy(b"a\xff\xc3\x28b\xe2\x80")));
    assert_eq!(field(&event, "app_header").as_deref(), Some("a\u{fffd}\u{fffd}(b\u{fffd}"));
}

#[test]
fn i5_a_path_and_headers_that_are_no_text_never_panic() {
    let bytes = |bytes: &[u8]| http::HeaderValue::from_bytes(bytes).expect("a header may hold any byte but controls");
    let request = http::Request::builder()
        .uri("/caf%C3%A9/%FF%0A%22%20req_id=%22forged?secret=1")
        .header("user-agent", bytes(b"a\xff\xc3\x28b"))
        .header("referer", bytes("\u{85}é\u{2028}\"".as_bytes()));
    let (event, _) = served(request);
    assert_eq!(field(&event, "req_path").as_deref(), Some("/café/\u{fffd}\n\" req_id=\"forged"));
    assert_eq!(field(&event, "req_user_agent").as_deref(), Some("a\u{fffd}\u{fffd}(b"));
    assert_eq!(field(&event, "req_referrer").as_deref(), Some("\u{85}é\u{2028}\""));
    assert!(!line(&Logfmt::new(), &event).contains("secret"), "a query is not recorded");
}

#[test]
fn i7_a_header_of_a_megabyte_is_cut_like_any_value() {
    let (event, _) = served(http::Request::builder().header("user-agent", "x".repeat(1_048_576)));
    let agent = field(&event, "req_user_agent").expect("the cut header");
    assert!(agent.ends_with('…') && agent.len() <= VALUE_LIMIT + '…'.len_utf8(), "{} bytes", agent.len());
    assert_eq!(count(&event, "canonlog_truncated"), 1);
}

#[test]
fn i10_only_an_id_of_visible_ascii_is_taken_over() {
    let longest = "i".repeat(128);
    for good in ["a", "944e3dc1-14df-4dcd-aafe-00deea240c8b", "\"quoted\\", &longest] {
        let (event, answered) = served(http::Request::builder().header("x-request-id", good));
        assert_eq!((field(&event, "req_id").as_deref(), answered.as_deref()), (Some(good), Some(good)));
    }
    for bad in ["", "two words", "é", "tab\there", &"i".repeat(129)] {
        let value = http::HeaderValue::from_bytes(bad.as_bytes()).expect("http accepts it");
        let (event, answered) = served(http::Request::builder().header("x-request-id", value));
        let id = field(&event, "req_id").expect("an id of its own");
        assert_eq!((id.len(), answered.as_deref()), (36, Some(id.as_str())), "for {bad:?}");
    }
}

#[test]
fn i11_nothing_that_a_client_sends_decides_whether_there_is_an_event() {
    let (plain, _) = served(http::Request::get("/"));
    for (name, value) in [
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("b3", "0"),
        ("b3", "d"),
        ("x-b3-sampled", "0"),
        ("x-b3-flags", "1"),
        ("x-debug", "1"),
    ] {
        let (event, _) = served(http::Request::get("/").header(name, value));
        let names = |event: &OwnedEvent| event.view().fields().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&event), names(&plain), "{name}: {value}");
        assert_eq!(event.view().level(), plain.view().level());
    }
}

#[test]
fn i7_a_long_value_is_cut_between_characters_and_counted() {
    for (text, width) in [("x", 1), ("é", 2), ("€", 3), ("😀", 4), ("\0", 1), ("\u{2028}", 3)] {
        let whole = text.repeat(1_048_576 / width);
        let event = request(|| {
            Context::set("long", &whole);
            Context::set("short", "stays");
        });
        let value = field(&event, "app_long").expect("the cut value");
        let kept = value.strip_suffix('…').expect("the mark of a cut");
        assert!(value.len() <= VALUE_LIMIT + '…'.len_utf8(), "{} bytes", value.len());
        assert!(kept.len() > VALUE_LIMIT / 2 && whole.starts_with(kept), "{} bytes kept of {text:?}", kept.len());
        assert_eq!(count(&event, "canonlog_truncated"), 1);
        assert_eq!(field(&event, "app_short").as_deref(), Some("stays"));
    }
}

#[test]
fn i7_a_value_at_the_limit_is_whole() {
    let whole = "x".repeat(VALUE_LIMIT);
    let event = request(|| Context::set("long", &whole));
    assert_eq!(field(&event, "app_long"), Some(whole));
    assert_eq!(count(&event, "canonlog_truncated"), 0);
}

#[test]
fn i7_fields_beyond_the_limit_are_counted() {
    let event = request(|| (0..1_000).for_each(|at| Context::set_dynamic(&format!("k{at}"), at)));
    let names = app_names(&event);
    assert_eq!(names.len(), FIELD_LIMIT);
    assert_eq!(names[127], "app_k127");
    assert_eq!(count(&event, "canonlog_truncated"), 1_000 - 128);
}

#[test]
fn i7_an_event_is_held_to_its_size_after_escaping() {
    for text in ["\0", "\"", "x", "\u{202e}", "é"] {
        let value = text.repeat(VALUE_LIMIT / text.len());
        let began = Instant::now();
        let event = request(|| {
            Context::set("small", "stays");
            (0..127).for_each(|at| Context::set_dynamic(&format!("k{at}"), &value));
        });
        let took = began.elapsed();
        for format in [&Logfmt::new() as &dyn Format, &Logfmt::new().exact_durations(), &Json::new()] {
            let line = line(format, &event);
            assert!(line.len() <= EVENT_LIMIT, "{} bytes of {text:?}", line.len());
        }
        assert!(line(&Json::new(), &event).len() > EVENT_LIMIT / 4, "more was cut than had to be");
        assert!(count(&event, "canonlog_truncated") > 0);
        assert_eq!(field(&event, "app_small").as_deref(), Some("stays"), "the longest are cut first");
        assert!(field(&event, "req_id").is_some_and(|id| id.len() == 36), "the framework's fields are never cut");
        assert!(took < Duration::from_secs(60), "bounded work, not {took:?}");
    }
}

#[test]
fn i8_numbers_keep_their_type_at_every_size() {
    let event = request(|| {
        Context::set("nan", f64::NAN);
        Context::set("inf", f64::NEG_INFINITY);
        Context::set("whole", 2.0);
        Context::set("part", 2.5);
        Context::set("zero", -0.0);
        Context::set("most", u64::MAX);
        Context::set("least", i64::MIN);
        Context::set("huge", u128::MAX);
        Context::set("none", None::<u64>);
    });
    let json = read_json(&event);
    assert!(json["app_nan"].is_null() && json["app_inf"].is_null() && json["app_none"].is_null());
    assert!(json["app_whole"].is_f64() && json["app_part"].is_f64());
    assert!(json["app_zero"].as_f64().is_some_and(|zero| zero == 0.0 && zero.is_sign_negative()));
    assert_eq!(json["app_most"].as_u64(), Some(u64::MAX));
    assert_eq!(json["app_least"].as_i64(), Some(i64::MIN));
    assert_eq!(json["app_huge"].as_str(), Some("340282366920938463463374607431768211455"));
    let texts = ["app_nan", "app_inf", "app_whole", "app_zero", "app_none"].map(|name| field(&event, name));
    assert_eq!(texts.map(|text| text.expect("a field")), ["NaN", "-inf", "2.0", "-0.0", "-"]);
}

#[test]
fn i9_no_value_is_interpreted() {
    let texts =
        ["${jndi:ldap://127.0.0.1/x}", "%n%s%p", "{} {0} {name}", "=cmd|' /C calc'!A0", "$(id)", "`id`", "%2e%2e%2f"];
    let event =
        request(|| texts.iter().enumerate().for_each(|(at, text)| Context::set_dynamic(&format!("k{at}"), *text)));
    for (at, text) in texts.iter().enumerate() {
        assert_eq!(field(&event, &format!("app_k{at}")).as_deref(), Some(*text));
    }
}

struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half of ")?;
        panic!("a display that panics");
    }
}

struct ForEver;

impl fmt::Display for ForEver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        loop {
            f.write_str("and so on ")?;
        }
    }
}

struct Nested(usize);

impl fmt::Debug for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.write_str("end") } else { f.debug_tuple("Nested").field(&Nested(self.0 - 1)).finish() }
    }
}

struct Fails;

impl fmt::Display for Fails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('f')?;
        Err(fmt::Error)
    }
}

struct Writes;

impl fmt::Display for Writes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Context::set("inner", "set while the outer is made");
        let _time = Context::time("inner");
        match Context::get("before") {
            Some(OwnedValue::Text(before)) => f.write_str(&before),
            other => write!(f, "{other:?}"),
        }
    }
}

#[test]
fn i13_a_display_that_panics_costs_its_value_only() {
    let event = request(|| {
        Context::set("before", 1);
        Context::set("bad", display(Panics));
        Context::set_dynamic("bad_too", display(Panics));
        Context::set("after", 2);
    });
    assert_eq!(count(&event, "canonlog_value_errors"), 2);
    assert_eq!(field(&event, "app_before").as_deref(), Some("1"));
    assert_eq!(field(&event, "app_after").as_deref(), Some("2"));
    assert_eq!(field(&event, "app_bad").as_deref(), Some("half of "));
    assert_eq!(field(&event, "exc_panic"), None, "it is no panic of the request");
}

#[test]
fn i13_a_display_that_never_ends_is_stopped_at_the_limit() {
    let event = request(|| Context::set("bad", display(ForEver)));
    let value = field(&event, "app_bad").expect("what there is of it");
    assert!(value.starts_with("and so on and so on ") && value.ends_with('…'));
    assert!(value.len() <= VALUE_LIMIT + '…'.len_utf8());
    assert_eq!(count(&event, "canonlog_value_errors"), 1);
}

#[test]
fn i13_a_display_that_fails_is_counted() {
    let event = request(|| Context::set("bad", display(Fails)));
    assert_eq!(field(&event, "app_bad").as_deref(), Some("f"));
    assert_eq!(count(&event, "canonlog_value_errors"), 1);
}

#[test]
fn i13_a_deep_value_is_cut_like_any_other() {
    let event = request(|| Context::set("deep", debug(Nested(2_000))));
    let value = field(&event, "app_deep").expect("what there is of it");
    assert!(value.starts_with("Nested(Nested(") && value.ends_with('…'));
    assert!(value.len() <= VALUE_LIMIT + '…'.len_utf8());
}

#[test]
fn i13_a_display_may_use_the_record_it_is_written_to() {
    let event = request(|| {
        Context::set("before", "seen");
        Context::set("outer", display(Writes));
    });
    assert_eq!(field(&event, "app_outer").as_deref(), Some("seen"));
    assert_eq!(field(&event, "app_inner").as_deref(), Some("set while the outer is made"));
    assert_eq!(count(&event, "canonlog_value_errors"), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn i2_any_text_under_any_key_comes_back(texts in prop::collection::vec((any::<String>(), any::<String>()), 0..12)) {
        let event = request(|| {
            for (at, (key, text)) in texts.iter().enumerate() {
                Context::set_dynamic(&format!("k{at}_{key}"), text);
            }
        });
        let fields = read(&event);
        let json = read_json(&event);
        let app: Vec<_> = fields.iter().filter(|(name, _)| name.starts_with("app_")).collect();
        prop_assert_eq!(app.len(), texts.len());
        for ((name, value), (_, text)) in app.iter().zip(&texts) {
            prop_assert_eq!(value, text);
            prop_assert_eq!(json[name].as_str(), Some(text.as_str()));
        }
        prop_assert!(event.view().get("req_id").is_some_and(|id| matches!(id, Value::Str(_))));
    }
}
