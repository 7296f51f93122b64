//! The process is stopped (SIGSTOP) or killed (SIGKILL) while requests run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use canonlog_tests::client::Client;
use canonlog_tests::logfmt;

use crate::child::{Event, Testbed, parse, text};

/// The types of the events of each request, in order.
fn by_request(events: &[Event]) -> BTreeMap<String, Vec<String>> {
    let mut requests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in events {
        requests.entry(text(event, "req_id").to_owned()).or_default().push(text(event, "event_type").to_owned());
    }
    requests
}

/// Stops it for longer than the limit while requests sleep this long; the types of the events of each.
fn stopped_while_sleeping(limit: Duration, sleep: Duration) -> Vec<Vec<String>> {
    const REQUESTS: usize = 8;
    let testbed = Testbed::with_timeout(limit);
    let mut clients: Vec<Client> = (0..REQUESTS).map(|_| testbed.connect()).collect();
    for client in &mut clients {
        client.send_get(&format!("/sleep?ms={}", sleep.as_millis()));
    }
    std::thread::sleep(limit / 5);
    testbed.signal("STOP");
    std::thread::sleep(limit * 2);
    testbed.signal("CONT");
    for client in &mut clients {
        assert_eq!(client.reply().status, 200);
    }
    drop(clients);
    testbed.terminate();
    let (status, lines) = testbed.end();
    assert_eq!(status.code(), Some(0));
    let events: Vec<Event> = lines.iter().map(|line| parse(line)).collect();
    let requests = by_request(&events);
    assert_eq!(requests.len(), REQUESTS, "{requests:?}");
    for kinds in requests.values() {
        assert!(*kinds == ["request"] || *kinds == ["timeout", "late_response"], "{requests:?}");
    }
    requests.into_values().collect()
}

#[test]
fn requests_that_ended_while_the_process_was_stopped_are_not_reported_as_stuck() {
    // On a machine with other work they may not get to their end in the time that they are given.
    let tries = (0..5).map(|_| stopped_while_sleeping(Duration::from_millis(600), Duration::from_millis(300)));
    let mut timeouts = tries.map(|requests| requests.iter().filter(|kinds| kinds.len() > 1).count());
    assert!(timeouts.any(|count| count == 0));
}

#[test]
fn requests_that_are_still_stuck_when_the_process_goes_on_time_out_once() {
    let requests = stopped_while_sleeping(Duration::from_millis(400), Duration::from_millis(2_500));
    assert!(requests.iter().all(|kinds| *kinds == ["timeout", "late_response"]), "{requests:?}");
}

#[test]
fn after_a_kill_everything_but_a_queue_full_is_in_the_file_in_whole_lines() {
    const CLIENTS: usize = 8;
    const QUEUE: usize = 8_192;
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("events.log");
    let testbed = Testbed::start_with(|command| {
        command.args(["--format", "logfmt", "--out"]).arg(&file);
    });
    let id_of = |client: &mut Client| -> Option<String> {
        let reply = client.try_reply(true).ok().filter(|reply| reply.status == 200)?;
        Some(reply.header("x-request-id").expect("every answer has one").to_owned())
    };
    let read = || std::fs::read_to_string(&file).expect("the file");

    // Answered, and written: what was in the file stays there.
    let mut early = testbed.connect();
    for _ in 0..100 {
        early.send_get("/ok");
        id_of(&mut early).expect("an answer");
    }
    let deadline = std::time::Instant::now() + canonlog_tests::client::PATIENCE;
    while read().lines().count() < 100 {
        assert!(std::time::Instant::now() < deadline, "not written in time");
        std::thread::sleep(Duration::from_millis(5));
    }

    let answered: BTreeSet<String> = std::thread::scope(|scope| {
        let addr = testbed.addr;
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(move || {
                    let mut client = Client::connect(addr);
                    let mut ids = Vec::new();
                    // Until the server is gone.
                    while client.try_send("GET /ok HTTP/1.1\r\nHost: test\r\n\r\n").is_ok() {
                        let Some(id) = id_of(&mut client) else { break };
                        ids.push(id);
                    }
                    ids
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(500));
        testbed.signal("KILL");
        clients.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
    });
    let (status, _) = testbed.end();
    assert_eq!(status.code(), None, "it was killed");

    let text = read();
    let whole = &text[..text.rfind('\n').map_or(0, |at| at + 1)];
    let ids: Vec<String> =
        whole.lines().map(|line| logfmt::field(line, "req_id").unwrap_or_else(|error| panic!("{error}"))).collect();
    let written: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(written.len(), ids.len(), "each once");
    // A client may have missed the answer to its last request.
    assert!(written.len() <= 100 + answered.len() + CLIENTS, "{} written, {} answered", written.len(), answered.len());
    let missing = answered.difference(&written).count();
    assert!(missing <= QUEUE && answered.len() > CLIENTS, "{missing} of {} answered are missing", answered.len());
}
