//! Start and end of the process, and the sum of what it wrote.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use canonlog_tests::client::{Client, PATIENCE};
use canonlog_tests::program::{self, Ended};
use serde_json::json;

use crate::child::{Testbed, command, parse, text};

#[test]
fn what_it_cannot_do_costs_one_line_and_a_code() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = taken.local_addr().expect("a bound socket").port().to_string();
    for (args, named) in [
        (vec!["--port", port.as_str()], port.as_str()),
        (vec!["--prot", "1"], "--prot"),
        (vec!["--port", "x"], "`x`"),
        (vec!["--format", "xml"], "`xml`"),
        (vec!["--port", "0", "--out", "/nowhere/at/all.log"], "/nowhere/at/all.log"),
    ] {
        let Ended { status, out: stdout, err: stderr } = program::run(command().args(&args), PATIENCE);
        assert!(!status.success() && status.code().is_some(), "{args:?} {status}");
        assert_eq!(stdout, "", "{args:?}");
        assert!(stderr.contains(named) && stderr.trim_end().lines().count() == 1, "{args:?} {stderr}");
    }
    let Ended { status, err: stderr, .. } = program::run(command().env("TESTBED_TIMEOUT_MS", "soon"), PATIENCE);
    assert!(!status.success() && stderr.contains("TESTBED_TIMEOUT_MS"), "{stderr}");
}

#[test]
fn a_signal_to_end_lets_requests_end_and_writes_their_events() {
    let testbed = Testbed::start();
    let mut client = testbed.connect();
    client.send_get("/sleep?ms=400");
    assert_eq!(testbed.get("/ok").status, 200);
    std::thread::sleep(Duration::from_millis(100));
    testbed.terminate();
    assert_eq!(client.reply().text(), "slept");
    drop(client);
    let (status, lines) = testbed.end();
    assert_eq!(status.code(), Some(0));
    let paths: Vec<String> = lines.iter().map(|line| text(&parse(line), "req_path").to_owned()).collect();
    assert_eq!(paths, ["/ok", "/sleep"]);
}

#[test]
fn what_is_still_in_flight_at_the_end_has_its_event() {
    let testbed = Testbed::start();
    let mut stuck: Vec<Client> = (0..3).map(|_| testbed.connect()).collect();
    for client in &mut stuck {
        client.send_get("/sleep?ms=60000");
    }
    let mut blocked = testbed.connect();
    blocked.send_get("/stream?chunks=1000&ms=100");
    blocked.head().expect("a head");
    std::thread::sleep(Duration::from_millis(100));
    testbed.terminate();
    let began = Instant::now();
    let (status, lines) = testbed.end();
    assert_eq!(status.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let mut ends: Vec<(String, u64)> = lines
        .iter()
        .map(|line| parse(line))
        .map(|event| {
            assert_eq!(event["req_cancelled"], json!(true), "{event:#?}");
            (text(&event, "req_path").to_owned(), event["resp_status"].as_u64().expect("a status"))
        })
        .collect();
    ends.sort();
    assert_eq!(
        ends,
        [("/sleep", 499), ("/sleep", 499), ("/sleep", 499), ("/stream", 200)]
            .map(|(path, status)| (path.to_owned(), status))
    );
}

#[test]
fn events_go_to_the_file_and_stdout_stays_empty() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("events.log");
    let testbed = Testbed::start_with(|command| {
        command.arg("--out").arg(&file);
    });
    assert_eq!(testbed.get("/ok").status, 200);
    testbed.terminate();
    let (status, lines) = testbed.end();
    assert_eq!((status.code(), lines), (Some(0), Vec::new()));
    let written = std::fs::read_to_string(&file).expect("the file");
    assert!(written.starts_with("event_type=\"request\" event_time=\"") && written.ends_with("\"\n"), "{written}");
    assert_eq!(written.lines().count(), 1);
}

#[test]
fn answered_is_written() {
    const CLIENTS: usize = 4;
    const REQUESTS: usize = 100;
    let testbed = Testbed::start();
    let addr = testbed.addr;
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(move || {
                let mut client = Client::connect(addr);
                for n in 0..REQUESTS {
                    let path = ["/ok", "/custom", "/status/404", "/hop?m=1"][n % 4];
                    assert!(client.get(path).status < 500);
                }
            });
        }
    });
    let stats: serde_json::Value = serde_json::from_slice(&testbed.get("/stats").body).expect("JSON");
    testbed.terminate();
    let (status, lines) = testbed.end();
    assert_eq!(status.code(), Some(0));
    assert_eq!(stats["lost"], json!(0));
    let mut ids: Vec<String> = lines.iter().map(|line| text(&parse(line), "req_id").to_owned()).collect();
    assert_eq!(ids.len(), CLIENTS * REQUESTS + 1);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), CLIENTS * REQUESTS + 1, "each once");
}
