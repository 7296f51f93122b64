//! Whatever a client sends: one line each, nothing forged, nothing lost.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::child::{Testbed, text};

/// Text as attackers send it, and any other.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\\".to_vec()),
        Just(b"\x1b[31m".to_vec()),
        Just(b"\0".to_vec()),
        Just("\u{202e}\u{2066}\u{2028}\u{2029}\u{85}\u{feff}".as_bytes().to_vec()),
        Just(b"\xff\xfe\xc3\x28".to_vec()),
        Just(b"\" app_admin=\"true".to_vec()),
        Just(b"\nevent_type=\"request\" req_id=\"forged\"".to_vec()),
        "[a-z ]{1,8}".prop_map(String::into_bytes),
        any::<char>().prop_map(|c| c.to_string().into_bytes()),
        proptest::collection::vec(any::<u8>(), 1..8),
    ];
    proptest::collection::vec(piece, 1..12).prop_map(|pieces| pieces.concat())
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02x}")).collect()
}

#[test]
fn bodies_queries_paths_and_headers_come_back_unchanged_in_one_event() {
    let testbed = Testbed::start();
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let cases = (hostile(), hostile(), hostile());
    runner
        .run(&cases, |(body, value, agent)| {
            // What a header can hold at all.
            let agent: Vec<u8> = agent.into_iter().filter(|byte| *byte >= 0x20 && *byte != 0x7f).collect();
            let mut request =
                format!("POST /echo?v={} HTTP/1.1\r\nHost: a\r\nUser-Agent: x", escaped(&value)).into_bytes();
            request.extend_from_slice(&agent);
            request.extend_from_slice(format!("x\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
            request.extend_from_slice(&body);
            let mut client = testbed.connect();
            client.send(request);
            prop_assert_eq!(client.reply().body, body.clone());

            let event = testbed.event();
            prop_assert_eq!(text(&event, "app_body"), String::from_utf8_lossy(&body));
            prop_assert_eq!(text(&event, "app_v"), String::from_utf8_lossy(&value));
            let agent = [b"x", agent.as_slice(), b"x"].concat();
            prop_assert_eq!(text(&event, "req_user_agent"), String::from_utf8_lossy(&agent));
            prop_assert_eq!(event.get("app_admin"), None);
            prop_assert_ne!(text(&event, "req_id"), "forged");
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    testbed.assert_silent(std::time::Duration::from_millis(50));
}

#[test]
fn a_value_that_does_not_fit_is_cut_and_counted() {
    let testbed = Testbed::start();
    let body = "é\n".repeat(350_000);
    let mut client = testbed.connect();
    client.send(format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    assert_eq!(client.reply().body.len(), body.len());
    let line = testbed.line();
    assert!(line.len() <= 64 * 1024, "{}", line.len());
    let event = crate::child::parse(&line);
    let kept = text(&event, "app_body");
    let whole = kept.strip_suffix('…').expect("marked as cut");
    assert!(body.starts_with(whole) && kept.len() <= 8 * 1024, "{}", kept.len());
    assert!(event["canonlog_truncated"].as_u64() >= Some(1));
}

#[test]
fn more_fields_than_fit_are_counted() {
    let testbed = Testbed::start();
    let query: Vec<String> = (0..1_000).map(|n| format!("k{n}={n}")).collect();
    let (reply, event) = testbed.ask(&format!("/echo?{}", query.join("&")));
    assert_eq!(reply.status, 200);
    let kept = event.keys().filter(|name| name.starts_with("app_")).count();
    assert!((100..=128).contains(&kept), "{kept}");
    assert!(event["canonlog_truncated"].as_u64() >= Some(1));
    assert_eq!(event["resp_status"], json!(200));
}

#[test]
fn keys_from_outside_forge_nothing() {
    let testbed = Testbed::start();
    let (_, event) = testbed.ask("/echo?event_type=x&resp_status=1&%22%20a=2&A%20B=3&=4&1=5&%0a=6");
    assert_eq!((&event["event_type"], &event["resp_status"]), (&json!("request"), &json!(200)));
    assert_eq!(event["app_a_b"], json!("3"));
    let clean = |name: &String| name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    assert!(event.keys().all(clean), "{event:#?}");
}
