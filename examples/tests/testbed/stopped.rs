//! The process is stopped (SIGSTOP), killed (SIGKILL) or told to end (SIGTERM) while requests run.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use canonlog_tests::client::{Client, PATIENCE};
use canonlog_tests::logfmt;

use crate::child::{Event, Testbed, command, parse, text, wait};

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

/// The id of the answer, if it is one.
fn answered(client: &mut Client) -> Option<String> {
    let reply = client.try_reply(true).ok().filter(|reply| reply.status == 200)?;
    Some(reply.header("x-request-id").expect("every answer has one").to_owned())
}

const CLIENTS: usize = 8;

/// Clients ask as fast as they can, until after half a second the signal ends the server; the ids of all answers.
fn answered_until(testbed: &Testbed, signal: &str) -> BTreeSet<String> {
    let addr = testbed.addr;
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(move || {
                    let mut client = Client::connect(addr);
                    let mut ids = Vec::new();
                    while client.try_send("GET /ok HTTP/1.1\r\nHost: test\r\n\r\n").is_ok() {
                        let Some(id) = answered(&mut client) else { break };
                        ids.push(id);
                    }
                    ids
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(500));
        testbed.signal(signal);
        clients.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
    })
}

/// The ids of the whole lines, each of which stands once.
fn written(file: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(file).expect("the file");
    let whole = &text[..text.rfind('\n').map_or(0, |at| at + 1)];
    let id = |line| logfmt::field(line, "req_id").unwrap_or_else(|error| panic!("{error}"));
    let ids: Vec<String> = whole.lines().map(id).collect();
    let written: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(written.len(), ids.len(), "each once");
    written
}

fn writing_to(file: &Path) -> Testbed {
    Testbed::start_with(|command| {
        command.args(["--format", "logfmt", "--out"]).arg(file);
    })
}

#[test]
fn after_a_kill_everything_but_a_queue_full_is_in_the_file_in_whole_lines() {
    const QUEUE: usize = 8_192;
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("events.log");
    let testbed = writing_to(&file);

    // Answered, and written: what was in the file stays there.
    let mut early = testbed.connect();
    for _ in 0..100 {
        early.send_get("/ok");
        answered(&mut early).expect("an answer");
    }
    let deadline = Instant::now() + PATIENCE;
    while written(&file).len() < 100 {
        assert!(Instant::now() < deadline, "not written in time");
        std::thread::sleep(Duration::from_millis(5));
    }
    let before = written(&file);

    let answered = answered_until(&testbed, "KILL");
    let (status, _) = testbed.end();
    assert_eq!(status.code(), None, "it was killed");
    let written = written(&file);
    assert!(written.is_superset(&before));
    // A client may have missed the answer to its last request.
    assert!(written.len() <= 100 + answered.len() + CLIENTS, "{} written, {} answered", written.len(), answered.len());
    let missing = answered.difference(&written).count();
    assert!(missing <= QUEUE && answered.len() > CLIENTS, "{missing} of {} answered are missing", answered.len());
}

#[test]
fn after_a_signal_to_end_under_load_everything_answered_is_in_the_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("events.log");
    let testbed = writing_to(&file);
    let answered = answered_until(&testbed, "TERM");
    let (status, _) = testbed.end();
    assert_eq!(status.code(), Some(0));
    let written = written(&file);
    assert!(answered.len() > CLIENTS && written.is_superset(&answered), "{:?}", answered.difference(&written));
    assert!(written.len() <= answered.len() + CLIENTS);
    assert!(std::fs::read_to_string(&file).expect("the file").ends_with('\n'));
}

#[test]
fn a_signal_to_end_ends_a_server_whose_stdout_nobody_reads_and_it_says_what_was_lost() {
    let mut child = command().args(["--port", "0"]).spawn().expect("the testbed starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    let addr =
        stderr.find_map(|line| Some(line.split_once("listening on http://")?.1.trim().parse().expect("an address")));
    let mut client = Client::connect(addr.expect("it listens"));
    // Far more than a pipe takes; nobody waits for it.
    const REQUESTS: usize = 1_000;
    for _ in 0..REQUESTS {
        assert_eq!(client.get("/ok").status, 200);
    }
    drop(client);
    let began = Instant::now();
    let script = format!("kill -TERM {}", child.id());
    assert!(Command::new("sh").args(["-c", &script]).status().expect("a shell").success());
    assert_eq!(wait(&mut child).code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let said: Vec<String> = stderr.filter(|line| line.starts_with("canonlog: output `stdout`: ")).collect();
    // The last word: `<n> events lost, <n> written`.
    let last = said.last().expect("it says what was lost");
    let numbers: Vec<usize> = last.split(' ').filter_map(|word| word.parse().ok()).collect();
    let mut out = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut out).expect("text");
    let whole = out.split_inclusive('\n').filter(|line| line.ends_with('\n')).count();
    assert!(
        matches!(numbers[..], [lost, written] if lost + written == REQUESTS && written <= whole),
        "{last}, {whole}"
    );
}
