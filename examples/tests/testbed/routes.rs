//! What each route leaves in the events.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::child::{Testbed, number, text};

#[test]
fn a_request_has_its_event() {
    let testbed = Testbed::start();
    let mut client = testbed.connect();
    client.send("GET /ok?q=1 HTTP/1.1\r\nHost: a\r\nReferer: http://b/\r\nUser-Agent: ua\r\n\r\n");
    let reply = client.reply();
    assert_eq!((reply.status, reply.text().as_str()), (200, "ok"));
    let event = testbed.event();
    for (name, value) in [
        ("event_type", "request"),
        ("event_level", "info"),
        ("req_method", "GET"),
        ("req_path", "/ok"),
        ("req_referrer", "http://b/"),
        ("req_user_agent", "ua"),
        ("req_route", "/ok"),
        ("req_client_ip", "127.0.0.1"),
    ] {
        assert_eq!(text(&event, name), value, "{name}");
    }
    assert_eq!(Some(text(&event, "req_id")), reply.header("x-request-id"));
    assert!(text(&event, "resp_view").ends_with("::ok"), "{event:#?}");
    assert_eq!(event["resp_status"], json!(200));
    assert!(number(&event, "resp_time") > 0.0);
    assert!(number(&event, "resp_cpu_time") >= 0.0);
}

#[test]
fn nothing_is_carried_over_from_one_request_to_the_next() {
    let testbed = Testbed::start();
    let (_, first) = testbed.ask("/custom");
    let (_, second) = testbed.ask("/ok");
    assert_eq!(first["app_custom_event"], json!(1));
    assert_eq!(second.get("app_custom_event"), None);
    assert_ne!(first["req_id"], second["req_id"]);
}

#[test]
fn timings_of_one_key_add_up_and_failures_count() {
    let (reply, event) = Testbed::start().ask("/time");
    assert_eq!(reply.status, 200);
    let foo = number(&event, "app_foo_time");
    assert!((0.42..0.9).contains(&foo), "{foo}");
}

#[test]
fn queries_are_counted_and_repeats_told_apart() {
    let testbed = Testbed::start();
    let (reply, event) = testbed.ask("/db");
    assert_eq!(reply.status, 200);
    assert_eq!((number(&event, "db_queries"), number(&event, "db_dup_queries")), (3.0, 2.0));
    assert!(number(&event, "db_time") >= number(&event, "db_dup_time"));
    let (_, event) = testbed.ask("/n_plus_one?n=17");
    assert_eq!((number(&event, "db_queries"), number(&event, "db_dup_queries")), (18.0, 17.0));
    assert_eq!(text(&event, "db_dup_top"), "SELECT name FROM items WHERE id = ?");
    let query = "let name: String = sqlx::query_scalar(ITEM).bind(id).fetch_one(&pool).await?";
    let issued = ("src/bin/testbed/queries.rs", query, "testbed::queries::n_plus_one");
    assert_is(text(&event, "db_dup_loc"), issued.0, issued.1, issued.2);
    let (_, event) = testbed.ask("/ok");
    assert_eq!(event.get("db_queries"), None);
}

#[test]
fn a_handler_that_fails_leaves_its_error() {
    let (reply, event) = Testbed::start().ask("/boom");
    assert_eq!((reply.status, reply.text().as_str()), (500, "Oh noes!"));
    assert_eq!(event["resp_status"], json!(500));
    assert_eq!(text(&event, "event_level"), "error");
    assert!(text(&event, "exc_type").ends_with("::MyError"), "{event:#?}");
    assert_eq!(text(&event, "exc_msg"), "Oh noes!");
    let file = "src/bin/testbed/routes.rs";
    assert_is(text(&event, "exc_loc"), file, "boom()?", "testbed::routes::boom_view");
    assert_is(text(&event, "exc_cause_loc"), file, "Err(MyError(\"Oh noes!\"))", "testbed::routes::boom");
}

#[test]
fn an_error_is_followed_through_three_files_from_the_crate_that_it_arose_in() {
    let testbed = Testbed::start();
    let (reply, event) = testbed.ask("/reorder?amount=7");
    assert_eq!((reply.status, reply.text().as_str(), event.get("exc_type")), (200, "7", None));
    let (reply, event) = testbed.ask("/reorder?amount=x");
    assert_eq!(reply.status, 500);
    assert_eq!(text(&event, "exc_type"), "testbed::supply::SupplyError");
    assert_eq!(text(&event, "exc_cause_type"), "core::num::error::ParseIntError");
    assert_eq!(text(&event, "exc_msg"), "nothing was ordered: invalid digit found in string");
    for (name, file, code, function) in [
        ("exc_cause_loc", "ledger.rs", "let amount = legacy::amount(amount)?", "testbed::ledger::book"),
        ("exc_trace", "supply.rs", "let booked = ledger::book(amount).await?", "testbed::supply::order"),
        ("exc_loc", "routes.rs", "let booked = supply::order(&order.amount).await?", "testbed::routes::reorder"),
    ] {
        assert_is(text(&event, name), &format!("src/bin/testbed/{file}"), code, function);
    }
}

#[test]
fn a_handler_that_panics_leaves_its_message() {
    let testbed = Testbed::start();
    let (reply, event) = testbed.ask("/panic");
    assert_eq!(reply.status, 500);
    assert_eq!(event["resp_status"], json!(500));
    assert_eq!(event["exc_panic"], json!(true));
    assert_eq!((text(&event, "exc_type"), text(&event, "exc_msg")), ("panic", "Oh noes!"));
    for name in ["exc_loc", "exc_cause_loc"] {
        let place = ("src/bin/testbed/routes.rs", "panic!(\"Oh noes!\")", "testbed::routes::panic");
        assert_is(text(&event, name), place.0, place.1, place.2);
    }
    assert_eq!(testbed.ask("/ok").0.status, 200, "it serves on");
}

#[test]
fn a_partial_failure_comes_first_with_the_id_of_its_request() {
    let testbed = Testbed::start();
    let reply = testbed.get("/partial");
    assert_eq!((reply.status, reply.text().as_str()), (200, "partial failure"));
    let (partial, request) = (testbed.event(), testbed.event());
    assert_eq!(text(&partial, "event_type"), "partial_failure");
    assert_eq!(text(&request, "event_type"), "request");
    assert_eq!(partial["req_id"], request["req_id"]);
    assert_eq!(text(&partial, "exc_msg"), "Oh noes!");
    assert_eq!(request["resp_status"], json!(200));
    assert_eq!(request.get("exc_type"), None);
}

#[test]
fn every_status_is_the_one_that_was_sent() {
    let testbed = Testbed::start();
    for code in [200, 204, 301, 304, 404, 418, 500, 503, 599] {
        let (reply, event) = testbed.ask(&format!("/status/{code}"));
        assert_eq!((reply.status, &event["resp_status"]), (code, &json!(code)));
        let level = match code {
            ..400 => "info",
            400..500 => "warning",
            _ => "error",
        };
        assert_eq!(text(&event, "event_level"), level, "{code}");
    }
    for path in ["/status/abc", "/status/99999", "/status/101"] {
        let (reply, event) = testbed.ask(path);
        assert_eq!((reply.status, &event["resp_status"]), (400, &json!(400)), "{path}");
    }
    let (reply, event) = testbed.ask("/nowhere");
    assert_eq!((reply.status, &event["resp_status"]), (404, &json!(404)));
    assert_eq!(event["resp_view"], json!(null));
}

#[test]
fn a_stream_is_counted_and_timed_to_its_end() {
    let testbed = Testbed::start();
    let (reply, event) = testbed.ask("/stream?chunks=3&ms=50");
    assert_eq!(reply.text(), "chunk 0\nchunk 1\nchunk 2\n");
    assert_eq!(number(&event, "resp_size"), 24.0);
    assert!(number(&event, "resp_ttfb") >= 0.05 && number(&event, "resp_time") >= 0.15, "{event:#?}");
    let (reply, event) = testbed.ask("/stream");
    assert_eq!((reply.text().as_str(), number(&event, "resp_size")), ("", 0.0));
}

#[test]
fn a_client_that_goes_away_is_told() {
    let testbed = Testbed::start();
    let mut client = testbed.connect();
    client.send_get("/sleep?ms=60000");
    // Its neighbour is served after it, so the request has been read.
    testbed.ask("/ok");
    std::thread::sleep(Duration::from_millis(50));
    client.hang_up();
    let event = testbed.event();
    assert_eq!((&event["req_cancelled"], &event["resp_status"]), (&json!(true), &json!(499)));
}

#[test]
fn the_context_goes_along_where_it_is_carried() {
    let testbed = Testbed::start();
    let (_, event) = testbed.ask("/spawn");
    for name in ["app_from_task", "app_from_blocking", "app_from_thread"] {
        assert_eq!(event[name], json!(true), "{name}");
    }
    let (_, event) = testbed.ask("/hop?m=7");
    assert_eq!(event["app_m"], json!("7"));
}

#[test]
fn a_file_beside_the_handlers_has_its_event() {
    let (reply, event) = Testbed::start().ask("/static/hello.txt");
    assert_eq!((reply.status, reply.text().as_str()), (200, "hello from a file\n"));
    assert_eq!(text(&event, "req_path"), "/static/hello.txt");
    assert_eq!((&event["resp_status"], number(&event, "resp_size")), (&json!(200), 18.0));
    assert_eq!(event.get("req_cancelled"), None);
}

#[test]
fn every_kind_of_value_arrives() {
    let (reply, event) = Testbed::start().ask("/fields");
    assert_eq!(reply.status, 200);
    assert_eq!((&event["app_true"], &event["app_false"]), (&json!(true), &json!(false)));
    assert_eq!((&event["app_i64_min"], &event["app_u64_max"]), (&json!(i64::MIN), &json!(u64::MAX)));
    assert_eq!(event["app_u128_max"], json!(u128::MAX.to_string()));
    assert_eq!(event["app_beyond_2_53"], json!((1_u64 << 53) + 1));
    assert_eq!((number(&event, "app_f64"), number(&event, "app_f64_huge")), (0.1, f64::MAX));
    assert_eq!((&event["app_nan"], &event["app_infinite"]), (&json!(null), &json!(null)));
    assert_eq!(
        (&event["app_nothing"], &event["app_empty"], &event["app_dash"]),
        (&json!(null), &json!(""), &json!("-"))
    );
    assert_eq!(event["app_duration"], json!(1.234_567));
    assert_eq!((text(&event, "app_char"), text(&event, "app_address")), ("\u{1f600}", "::1"));
    assert_eq!((text(&event, "app_display"), text(&event, "app_debug")), ("   42", "[\"a\", \"b\\n\"]"));
    assert_eq!(text(&event, "app_forged"), "x\" app_admin=\"true");
    assert_eq!(event.get("app_admin"), None);
    assert_eq!(text(&event, "app_bidi"), "\u{202e}txt.exe\u{2066}\u{200f}");
    assert_eq!(text(&event, "app_nul"), "a\0b");
    let long = text(&event, "app_long");
    assert!(long.len() <= 8 * 1024 && long.ends_with('…'), "{}", long.len());
    assert!(number(&event, "canonlog_truncated") >= 1.0 && number(&event, "canonlog_renamed_keys") >= 1.0);
}

#[test]
fn the_counts_are_json() {
    let testbed = Testbed::start();
    for _ in 0..3 {
        testbed.ask("/ok");
    }
    let reply = testbed.get("/stats");
    let stats: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    // The last line may be here before it is counted.
    assert!(stats["written"].as_u64() >= Some(2), "{stats}");
    assert_eq!(stats["outputs"][0]["name"], json!("stdout"), "{stats}");
    assert_eq!(stats["outputs"][0]["lost_by_reason"]["queue_full"], json!(0), "{stats}");
    assert_eq!(stats["lost"].as_u64(), Some(0), "{stats}");
}

#[test]
fn without_a_limit_nothing_times_out() {
    let testbed = Testbed::start();
    let (_, event) = testbed.ask("/slow?ms=400");
    assert_eq!(text(&event, "event_type"), "request");
    assert!(text(&event, "resp_view").ends_with("::sleep"));
    assert!(number(&event, "resp_time") >= 0.4);
}

/// The line of the source that a `file:line:function` names, without its end.
fn line_of(loc: &str) -> String {
    let mut parts = loc.splitn(3, ':');
    let (file, line) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("a source");
    let line: usize = line.parse().expect("a number");
    source.lines().nth(line - 1).expect("a line").trim().trim_end_matches(';').to_owned()
}

/// That a location is the line with this code in it.
#[track_caller]
fn assert_is(loc: &str, file: &str, code: &str, function: &str) {
    assert_eq!(line_of(loc), code, "{loc}");
    assert!(loc.starts_with(&format!("{file}:")) && loc.ends_with(&format!(":{function}")), "{loc}");
}

#[test]
fn a_request_past_its_limit_is_a_timeout_and_then_a_late_response() {
    let mut cases = vec![("/sleep", "parked"), ("/block", "blocked"), ("/spin", "running")];
    let mut starved = 0;
    while let Some((path, state)) = cases.pop() {
        let millis = 900;
        let testbed = Testbed::with_timeout(Duration::from_millis(500));
        let mut client = testbed.connect();
        client.send_get(&format!("{path}?ms={millis}"));
        let timeout = testbed.event();
        assert_eq!(text(&timeout, "event_type"), "timeout", "{path}");
        assert_eq!(text(&timeout, "event_level"), "error");
        let time = number(&timeout, "resp_time");
        assert!(time >= 0.4, "measured, while it is still stuck: {time}");
        assert!(!text(&timeout, "timeout_loc").is_empty());
        if cfg!(target_os = "linux") {
            assert_eq!(text(&timeout, "timeout_state"), state, "{path}");
        }
        let (loc, cause) = (text(&timeout, "timeout_loc"), text(&timeout, "timeout_cause_loc"));
        let is_handlers =
            loc.starts_with("src/bin/testbed/stuck.rs:") && loc.ends_with(&format!("::stuck::{}", &path[1..]));
        assert!(is_handlers, "{timeout:#?}");
        if cfg!(all(target_os = "linux", target_arch = "x86_64")) && state != "parked" {
            if text(&timeout, "timeout_stack") == "unavailable" {
                // The thread had no processor for a tenth of a second: so it is, on a busy machine, once or twice.
                starved += 1;
                assert!(starved < 5, "{timeout:#?}");
                cases.push((path, state));
                continue;
            }
            // The line in code that knows nothing of canonlog, and the handler's line that led there.
            let (inner, called) = match state {
                "blocked" => ("legacy::wait", "call_legacy_system(pause.duration())"),
                _ => ("legacy::crunch", "crunch_numbers(pause.duration())"),
            };
            assert_eq!(line_of(loc), called, "{timeout:#?}");
            assert!(cause.starts_with("legacy/src/lib.rs:") && cause.ends_with(&format!(":{inner}")), "{timeout:#?}");
            let lines = [
                "std::thread::sleep(pause)",
                "for n in 0..200_000_u64 {",
                "sum = sum.rotate_left(5) ^ std::hint::black_box(n)",
            ];
            assert!(lines.contains(&line_of(cause).as_str()), "{cause}");
            let stack = text(&timeout, "timeout_stack");
            assert!(stack.contains(cause) && stack.ends_with(loc), "{stack}");
        }
        if state == "parked" {
            // In a `join!` inside a `select!`: both of the lines that it waits in.
            assert_eq!(line_of(loc), "tokio::select! {", "{loc}");
            let causes: Vec<&str> = cause.split(", ").collect();
            let [supplier, store] = causes[..] else { panic!("two lines: {cause}") };
            for (cause, function) in [(supplier, "simulate_waiting"), (store, "look_into_store")] {
                assert_eq!(line_of(cause), "tokio::time::sleep(pause).await", "{cause}");
                assert!(cause.ends_with(&format!(":testbed::stuck::{function}")), "{cause}");
            }
            assert!(
                (0.1..=time).contains(&number(&timeout, "timeout_for")),
                "it parks soon after its beginning: {timeout:#?}"
            );
        }
        let reply = client.reply();
        assert_eq!(reply.status, 200);
        let late = testbed.event();
        assert_eq!(text(&late, "event_type"), "late_response");
        assert_eq!(late["req_id"], timeout["req_id"]);
        assert_eq!(late["resp_status"], json!(200));
        assert!(time < number(&late, "resp_time"), "it went on");
        if state == "parked" {
            assert_eq!(late.get("poll_blocked_count"), None);
        } else {
            assert_eq!(late["poll_blocked_count"], json!(1), "{path}");
            assert!(number(&late, "poll_max_time") >= 0.9);
            // The line was seen: that of the request's last moments, or of the stack.
            let loc = text(&late, "poll_max_loc");
            let seen = ["legacy/src/lib.rs:", "src/bin/testbed/stuck.rs:"].iter().any(|file| loc.starts_with(file));
            assert!(seen && !loc.ends_with(&format!("::{}", &path[1..])), "{loc}");
        }
        testbed.assert_silent(Duration::from_millis(100));
    }
}

#[test]
fn a_request_that_keeps_its_thread_and_succeeds_tells_at_which_line_it_did() {
    let testbed = Testbed::start();
    let annotated = [("/block", "legacy::ask(pause)"), ("/spin", "legacy::compute(pause)")];
    let within = [("/block", "legacy::wait"), ("/spin", "legacy::crunch")];
    // The debug information is read for the first of them, which may take longer than the request.
    for (round, millis) in [("first", 300), ("then", 600)] {
        for ((path, code), (_, inner)) in annotated.into_iter().zip(within) {
            let (reply, event) = testbed.ask(&format!("{path}?ms={millis}"));
            assert_eq!((reply.status, text(&event, "event_type")), (200, "request"));
            assert_eq!(event["poll_blocked_count"], json!(1));
            let loc = text(&event, "poll_max_loc");
            let has_stacks = cfg!(all(target_os = "linux", target_arch = "x86_64"));
            if loc.starts_with("legacy/src/lib.rs:") {
                assert!(has_stacks && loc.ends_with(&format!(":{inner}")), "{loc}");
            } else {
                assert!(round == "first" || !has_stacks, "{loc}");
                assert_eq!(line_of(loc), code, "{loc}");
                assert!(loc.starts_with("src/bin/testbed/stuck.rs:"), "{loc}");
            }
        }
    }
}

#[test]
fn a_stuck_request_whose_client_gave_up_is_one_timeout() {
    let testbed = Testbed::with_timeout(Duration::from_millis(300));
    let mut client = testbed.connect();
    client.send_get("/sleep?ms=10000");
    let timeout = testbed.event();
    assert_eq!(text(&timeout, "event_type"), "timeout");
    client.hang_up();
    let late = testbed.event();
    assert_eq!((text(&late, "event_type"), &late["req_cancelled"]), ("late_response", &json!(true)));
    testbed.assert_silent(Duration::from_millis(100));
}
