//! Seconds of everything at once, over sockets: the sum must be right.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use canonlog_tests::client::Client;
use serde_json::Value;

use crate::child::{Event, Testbed, parse, text};

const CONNECTIONS: u64 = 20;
const TIME: Duration = Duration::from_secs(3);
/// The server's; some requests take longer.
const LIMIT: Duration = Duration::from_millis(250);

/// What became of one request, as its client saw it.
struct Asked {
    id: String,
    path: &'static str,
    /// None if the client went away before.
    status: Option<u16>,
    /// What it sent as `/echo`'s body or `/hop`'s value, which must be in its own event and in no other.
    mark: Option<(&'static str, String)>,
}

/// Numbers that differ by client and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Text that tries to end its value or its line.
fn hostile(dice: &mut Dice, mark: &str) -> String {
    let pieces = [
        "\n",
        "\r\n",
        "\"",
        "\\",
        "\x1b[31m",
        "\0",
        "\u{202e}",
        "\u{2028}",
        "\u{85}",
        "\" req_id=\"forged",
        "{\"a\":",
        "ä€😀",
    ];
    let mut text = format!("{mark} ");
    for _ in 0..dice.below(40) {
        text.push_str(pieces[usize::try_from(dice.below(pieces.len() as u64)).expect("small")]);
    }
    text
}

/// One client: request after request until the time is over.
fn client(addr: SocketAddr, number: u64, until: Instant) -> Vec<Asked> {
    let mut dice = Dice(number);
    let mut connection = Client::connect(addr);
    let mut asked = Vec::new();
    for nth in 0.. {
        if Instant::now() > until {
            break;
        }
        let id = format!("client-{number}-{nth}");
        let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: {id}\r\n\r\n");
        let post = |length: usize| {
            format!("POST /echo HTTP/1.1\r\nHost: a\r\nX-Request-Id: {id}\r\nContent-Length: {length}\r\n\r\n")
        };
        let (path, request, mark, stays): (_, Vec<u8>, _, _) = match dice.below(14) {
            0..3 => ("/ok", get("/ok").into(), None, true),
            3 => ("/boom", get("/boom").into(), None, true),
            4 => ("/panic", get("/panic").into(), None, true),
            5 => ("/partial", get("/partial").into(), None, true),
            6 => ("/stream", get("/stream?chunks=4&ms=2").into(), None, true),
            7 => ("/missing", get("/missing").into(), None, true),
            8 => ("/sleep", get(&format!("/sleep?ms={}", LIMIT.as_millis() * 3 / 2)).into(), None, true),
            9 => ("/hop", get(&format!("/hop?m={id}")).into(), Some(("app_m", id.clone())), true),
            10 | 11 => {
                let body = hostile(&mut dice, &id);
                let request = [post(body.len()).into_bytes(), body.clone().into_bytes()].concat();
                ("/echo", request, Some(("app_body", body)), true)
            }
            // Away in the middle of its own body, of the handler's work, of the server's body.
            12 => ("/echo", [post(100_000).into_bytes(), vec![b'x'; 1_000]].concat(), None, false),
            _ if nth % 2 == 0 => ("/sleep", get("/sleep?ms=1000").into(), None, false),
            _ => ("/stream", get("/stream?chunks=100&ms=20").into(), None, false),
        };
        connection.send(request);
        let status = if stays {
            let reply = connection.reply();
            // A panic is answered by a layer outside.
            let sent_back = (path != "/panic").then_some(id.as_str());
            assert_eq!(reply.header("x-request-id"), sent_back, "{path}");
            Some(reply.status)
        } else {
            // Some after the head, some before.
            if path == "/stream" {
                connection.head().expect("a head");
            } else {
                std::thread::sleep(Duration::from_millis(dice.below(20)));
            }
            std::mem::replace(&mut connection, Client::connect(addr)).hang_up();
            None
        };
        asked.push(Asked { id, path, status, mark });
    }
    asked
}

#[test]
fn whatever_twenty_clients_do_each_request_has_its_one_event() {
    let testbed = Testbed::start_with(|command| {
        command.args(["--format", "json"]).env("TESTBED_TIMEOUT_MS", LIMIT.as_millis().to_string());
        command.env("RUST_BACKTRACE", "0");
    });
    let addr = testbed.addr;
    let until = Instant::now() + TIME;
    let asked: Vec<Asked> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CONNECTIONS).map(|number| scope.spawn(move || client(addr, number, until))).collect();
        clients.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
    });

    // When nothing comes any more, everything that came was counted, and nothing else.
    let mut lines = Vec::new();
    let mut agreed = false;
    for _ in 0..50 {
        lines.extend(testbed.lines_until_quiet(Duration::from_millis(300)));
        let stats: Value = serde_json::from_slice(&testbed.get("/stats").body).expect("JSON");
        assert_eq!(stats["lost"], 0, "{stats}");
        agreed = stats["written"].as_u64() == Some(lines.len() as u64);
        if agreed {
            break;
        }
    }
    assert!(agreed, "the counts never agreed with the {} lines", lines.len());
    testbed.terminate();
    let (status, rest) = testbed.end();
    assert_eq!(status.code(), Some(0));
    lines.extend(rest);

    let events: Vec<Event> = lines.iter().map(|line| parse(line)).collect();
    let mut requests: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in &events {
        requests.entry(text(event, "req_id")).or_default().push(event);
    }
    let known: BTreeSet<&str> = asked.iter().map(|asked| asked.id.as_str()).collect();
    assert_eq!(known.len(), asked.len(), "the test's own ids");
    for (id, events) in &requests {
        let is_ours = known.contains(id) || events[0].get("req_path").is_some_and(|path| path == "/stats");
        assert!(is_ours, "whose is {events:#?}");
    }

    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for Asked { id, path, status, mark } in &asked {
        let Some(events) = requests.get(id.as_str()) else {
            // It left before the server had read its head.
            assert!(status.is_none() && *path != "/stream", "no event of {id}, {path}");
            *seen.entry("never arrived".to_owned()).or_default() += 1;
            continue;
        };
        let kinds: Vec<&str> = events.iter().map(|event| text(event, "event_type")).collect();
        let units: Vec<&str> = kinds.iter().copied().filter(|kind| *kind != "partial_failure").collect();
        assert!(units == ["request"] || units == ["timeout", "late_response"], "{path}: {kinds:?}");
        assert_eq!(kinds.len() - units.len(), usize::from(*path == "/partial"), "{path}: {kinds:?}");
        // A partial failure has its request's id, and nothing else of it.
        assert!(events.iter().all(|event| event.get("req_path").is_none_or(|at| at == path)), "{events:#?}");
        let last = events.last().expect("not empty");
        match status {
            Some(status) => {
                // One whose body ran over the limit has told its status in the timeout.
                let told = events.iter().find_map(|event| event.get("resp_status"));
                assert_eq!(told, Some(&Value::from(*status)), "{events:#?}");
                assert!(!last.contains_key("req_cancelled"), "{events:#?}");
            }
            None => *seen.entry(format!("{path} left")).or_default() += 1,
        }
        if let Some((name, value)) = mark {
            let marked: Vec<&str> = events.iter().filter_map(|event| event.get(*name)?.as_str()).collect();
            assert_eq!(marked, [value.as_str()], "{events:#?}");
        }
        for kind in units {
            *seen.entry(kind.to_owned()).or_default() += 1;
        }
        *seen.entry((*path).to_owned()).or_default() += 1;
    }
    // It was the load that it is meant to be.
    for what in
        ["timeout", "request", "/echo left", "/sleep left", "/stream left", "/panic", "/boom", "/hop", "/partial"]
    {
        assert!(seen.get(what).is_some_and(|count| *count > 0), "no {what} in {seen:?}");
    }
    let count = |what: &str| seen.get(what).copied().unwrap_or(0);
    assert!(count("never arrived") * 4 <= count("/echo left") + count("/sleep left"), "{seen:?}");
}
