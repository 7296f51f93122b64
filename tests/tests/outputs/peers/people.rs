//! What people look at logs with: lnav, with the formats of the book, and goaccess.

use std::fs;
use std::path::Path;
use std::process::Command;

use canonlog::{Combined, EventType, Format, Json, Level, Logfmt, OwnedEvent, Value};
use canonlog_tests::program::run;
use serde_json::Value as Read;

use super::{TEXTS, events, line, program, time};
use crate::sockets::SOON;

fn write(path: &Path, format: &impl Format, events: &[OwnedEvent]) {
    let lines: String = events.iter().map(|event| line(format, event) + "\n").collect();
    fs::write(path, lines).expect("a file");
}

/// What lnav finds in a file by a query.
fn lnav(format: &impl Format, events: &[OwnedEvent], query: &str) -> Option<Vec<Read>> {
    let lnav = program("lnav")?;
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("events.log");
    write(&log, format, events);
    let formats = dir.path().join("config/formats/canonlog");
    fs::create_dir_all(&formats).expect("a directory");
    let of_book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../book/src/guide/lnav/canonlog.json");
    fs::copy(of_book, formats.join("canonlog.json")).expect("a file");
    let mut command = canonlog_tests::program::command(lnav);
    command.env("HOME", dir.path()).env("TERM", "dumb").env_remove("XDG_CONFIG_HOME");
    command.arg("-I").arg(dir.path().join("config")).args(["-n", "-c"]).arg(format!(";{query}"));
    let ended = run(command.args(["-c", ":write-json-to -"]).arg(&log), SOON);
    assert!(ended.status.success() && ended.err.is_empty(), "{}", ended.err);
    let rows: Vec<Read> = serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {}", ended.out));
    assert_eq!(rows.len(), events.len(), "{}", ended.out);
    Some(rows)
}

/// Events with a unit, of all levels.
fn of_units() -> Vec<OwnedEvent> {
    let mut all = events(EventType::Log);
    for (at, (event, text)) in all.iter_mut().zip(TEXTS).enumerate() {
        event.set("req_id", format!("944e3dc1-{at}"));
        event.set("log_msg", format!("text {text}"));
    }
    all
}

#[test]
fn lnav_knows_time_level_and_unit_of_each_line_of_logfmt() {
    for format in [Logfmt::new(), Logfmt::new().quote_needed()] {
        let events = of_units();
        let query = "SELECT log_time, log_level, event_type, unit_id, log_body FROM canonlog_logfmt";
        let Some(rows) = lnav(&format, &events, query) else { return };
        for (at, (event, row)) in events.iter().zip(&rows).enumerate() {
            assert_eq!(row["log_time"], "2026-11-20 22:46:01.123", "{row}");
            assert_eq!((&row["log_level"], &row["event_type"]), (&event.view().level().as_str().into(), &"log".into()));
            assert_eq!(row["unit_id"], format!("944e3dc1-{at}"));
            let line = line(&format, event);
            assert!(row["log_body"].as_str().is_some_and(|body| !body.is_empty() && line.ends_with(body)), "{row}");
        }
    }
}

#[test]
fn lnav_knows_the_fields_of_json_and_a_message_as_it_was() {
    let mut events = of_units();
    for event in &mut events {
        // lnav takes no integer of more than 63 bits, nor the least one of 64: the line is text to it.
        let too_long =
            |value| matches!(value, Value::I64(i64::MIN)) || matches!(value, Value::U64(n) if n > i64::MAX as u64);
        let view = event.view();
        let names: Vec<String> =
            view.fields().filter(|field| too_long(field.1)).map(|field| field.0.to_owned()).collect();
        names.iter().for_each(|name| event.set(name, 0));
    }
    let query = "SELECT log_time, log_level, event_type, req_id, log_body FROM canonlog_json";
    let Some(rows) = lnav(&Json::new(), &events, query) else { return };
    for (at, (event, row)) in events.iter().zip(&rows).enumerate() {
        assert_eq!(row["log_time"], "2026-11-20 22:46:01.123", "{row}");
        assert_eq!((&row["log_level"], &row["event_type"]), (&event.view().level().as_str().into(), &"log".into()));
        assert_eq!(
            (&row["req_id"], &row["log_body"]),
            (&format!("944e3dc1-{at}").into(), &format!("text {}", TEXTS[at]).into())
        );
    }
}

/// Requests as an access log has them: each text as referrer and agent.
fn requests() -> Vec<OwnedEvent> {
    let texts = TEXTS.into_iter().filter(|text| !text.trim().is_empty());
    let request = |(at, text): (usize, &str)| {
        let mut event = OwnedEvent::new(EventType::Request, Level::Info, time());
        event.set("req_method", ["GET", "POST", "DELETE"][at % 3]);
        event.set("req_path", format!("/{at}/{text}"));
        event.set("req_client_ip", ["192.0.2.7", "2001:db8::7"][at % 2]);
        event.set("req_referrer", format!("https://shop.example/{text}"));
        event.set("req_user_agent", format!("agent {text}"));
        event.set("resp_status", [200, 204, 302, 404, 499, 500][at % 6]);
        event.set("resp_size", 100 + at);
        event
    };
    texts.enumerate().map(request).collect()
}

#[test]
fn lnav_reads_every_field_of_the_access_log() {
    let mut requests = requests();
    // Of this one nothing is known.
    requests.push(OwnedEvent::new(EventType::Request, Level::Info, time()));
    let query = "SELECT c_ip, cs_method, cs_uri_stem, sc_status, sc_bytes, cs_referer, cs_user_agent FROM access_log";
    let Some(rows) = lnav(&Combined::new(), &requests, query) else { return };
    for (event, row) in requests.iter().zip(&rows) {
        let view = event.view();
        let escaped = |name: &str| view.get(name).map_or("-".to_owned(), |value| escape(&value.to_string()));
        assert_eq!(row["cs_referer"], escaped("req_referrer"), "{row}");
        assert_eq!(row["cs_user_agent"], escaped("req_user_agent"), "{row}");
        assert_eq!(row["c_ip"], view.get("req_client_ip").map_or("-".to_owned(), |value| value.to_string()));
        let number = |name: &str| match view.get(name) {
            Some(Value::U64(number)) => number,
            Some(Value::I64(number)) => number.unsigned_abs(),
            _ => 0,
        };
        assert_eq!((&row["sc_status"], &row["sc_bytes"]), (&number("resp_status").into(), &number("resp_size").into()));
    }
}

#[test]
fn goaccess_counts_requests_statuses_and_bytes_of_the_access_log() {
    let Some(goaccess) = program("goaccess") else { return };
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("access.log");
    let requests = requests();
    write(&log, &Combined::new(), &requests);
    let mut command = Command::new(goaccess);
    command.arg(&log).args(["--log-format=COMBINED", "--no-global-config", "-o"]).arg(dir.path().join("report.json"));
    let out = command.env("HOME", dir.path()).output().expect("it runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let report = fs::read_to_string(dir.path().join("report.json")).expect("a report");
    let report: Read = serde_json::from_str(&report).unwrap_or_else(|error| panic!("{error}: {report}"));
    let count = requests.len() as u64;
    let general = &report["general"];
    assert_eq!((&general["valid_requests"], &general["failed_requests"]), (&count.into(), &0.into()), "{general}");
    assert_eq!(general["bandwidth"], (0..count).map(|at| 100 + at).sum::<u64>());
    for (at, status) in [200, 204, 302, 404, 499, 500].into_iter().enumerate() {
        let all = report["status_codes"]["data"].as_array().expect("a list");
        let mut items = all.iter().filter_map(|class| class["items"].as_array()).flatten();
        let found = items.find(|item| item["data"].as_str().is_some_and(|text| text.starts_with(&status.to_string())));
        let expected = (at as u64..count).step_by(6).count();
        assert_eq!(found.map(|item| &item["hits"]["count"]), Some(&expected.into()), "{status}");
    }
}

/// A text with the escapes of an access log.
fn escape(text: &str) -> String {
    let mut line = Vec::new();
    canonlog::push_escaped(&mut line, text);
    String::from_utf8(line).expect("UTF-8").replace("\\\"", "\\u0022")
}
