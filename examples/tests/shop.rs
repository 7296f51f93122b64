//! The shop as a new user meets it: its tour, its requests, and what it says when it cannot start.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::channel;
use std::thread::spawn;
use std::time::Duration;

use canonlog_tests::logfmt;

type Event = HashMap<String, String>;

/// The shop with a home of its own and without whatever the environment asks of it.
fn shop(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
    for variable in ["XDG_DATA_HOME", "CANONLOG_LEVEL", "CANONLOG_FORMAT", "CANONLOG_OUTPUT", "DEVEL"] {
        command.env_remove(variable);
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What the program said by its end, which comes within a minute.
fn run(command: &mut Command) -> Output {
    let child = command.spawn().expect("the shop starts");
    let (pid, (done, ended)) = (child.id(), channel());
    spawn(move || done.send(child.wait_with_output()));
    match ended.recv_timeout(Duration::from_secs(60)) {
        Ok(output) => output.expect("the shop's output"),
        Err(_) => {
            end(pid, "KILL");
            panic!("the shop did not end in a minute");
        }
    }
}

/// By the shell's own `kill`: a bare system has no program of that name.
fn end(pid: u32, signal: &str) {
    let sent = Command::new("sh").arg("-c").arg(format!("kill -{signal} {pid}")).status();
    assert!(sent.expect("a shell").success());
}

fn event(line: &str) -> Event {
    logfmt::parse(line).expect("a line of the grammar").into_iter().collect()
}

/// The tour, taken once for all tests.
static TOUR: LazyLock<(Output, Vec<Event>)> = LazyLock::new(|| {
    let output = run(&mut shop(&["--tour"]));
    let stdout = std::str::from_utf8(&output.stdout).expect("text");
    let events = stdout.lines().map(event).collect();
    (output, events)
});

/// The events of the request to `path`, in the order of their lines.
fn of(path: &str) -> Vec<&'static Event> {
    let (_, events) = &*TOUR;
    let id =
        events.iter().find(|event| event.get("req_path").is_some_and(|at| at == path)).map(|event| &event["req_id"]);
    let id = id.unwrap_or_else(|| panic!("no event of {path}"));
    events.iter().filter(|event| event["req_id"] == *id).collect()
}

/// The only event of the request to `path`.
fn one(path: &str) -> &'static Event {
    let events = of(path);
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!(events[0]["event_type"], "request");
    events[0]
}

fn has(event: &Event, fields: &[(&str, &str)]) {
    for (name, value) in fields {
        assert_eq!(event.get(*name).map(String::as_str), Some(*value), "{name} in {event:#?}");
    }
}

#[test]
fn the_tour_ends_well_and_says_on_stderr_what_it_asks() {
    let (output, events) = &*TOUR;
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {stderr}", output.status);
    assert_eq!(events.len(), 11, "{events:#?}");
    for asked in ["curl http://127.0.0.1:", "HTTP/1.1 500 Internal Server Error", "/products/1?fail=1", "\"days\":3"] {
        assert!(stderr.contains(asked), "{asked} in {stderr}");
    }
}

#[test]
fn every_line_has_a_type_a_time_a_level_and_an_id_first() {
    let (output, _) = &*TOUR;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let fields = logfmt::parse(line).expect("a line of the grammar");
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).take(4).collect();
        assert_eq!(names, ["event_type", "event_time", "event_level", "req_id"], "{line}");
    }
}

#[test]
fn a_request_says_what_it_did() {
    let fields = [("event_level", "info"), ("req_method", "GET"), ("req_route", "/products"), ("resp_status", "200")];
    has(one("/products"), &fields);
    has(one("/products"), &[("app_products", "6"), ("resp_view", "shop::catalogue::list"), ("db_queries", "1")]);
}

#[test]
fn the_checkout_has_fields_timings_and_no_card() {
    let checkout = one("/carts/7/checkout");
    has(checkout, &[("app_cart_id", "7"), ("app_cart_total", "49.0"), ("app_order_count", "1")]);
    has(checkout, &[("app_card", "[redacted]"), ("app_gift_wrapped", "false"), ("app_pay_provider", "acme")]);
    for timed in ["app_render_time", "app_order_time", "app_pay_time"] {
        assert!(checkout[timed].parse::<f64>().is_ok_and(|seconds| seconds < 30.0), "{timed} in {checkout:#?}");
    }
    let (output, _) = &*TOUR;
    assert!(!String::from_utf8_lossy(&output.stdout).contains("4111"));
}

#[test]
fn a_404_has_its_event_from_a_handler_and_from_the_router() {
    let refused = one("/products/99");
    has(refused, &[("resp_status", "404"), ("event_level", "warning"), ("exc_msg", "there is no product 99")]);
    let nowhere = one("/nowhere");
    has(nowhere, &[("resp_status", "404"), ("event_level", "warning"), ("resp_view", "-")]);
    assert!(!nowhere.contains_key("exc_type") && !nowhere.contains_key("req_route"), "{nowhere:#?}");
}

#[test]
fn a_500_has_its_error_and_the_line() {
    let failed = one("/reports/refunds");
    has(failed, &[("resp_status", "500"), ("event_level", "error"), ("exc_type", "shop::error::ShopError")]);
    assert!(failed["exc_msg"].ends_with("no such table: refunds"), "{failed:#?}");
    let (source, line) = (include_str!("../src/bin/shop/reports.rs"), failed["exc_loc"].split(':').nth(1));
    let line: usize = line.and_then(|line| line.parse().ok()).expect("a line number");
    let text = source.lines().nth(line - 1).expect("a line of the file");
    assert!(failed["exc_loc"].starts_with("src/bin/shop/reports.rs:") && text.contains("from refunds"), "{failed:#?}");
}

#[test]
fn a_partial_failure_has_the_id_of_its_request_which_succeeds() {
    let [partial, request] = of("/products/1")[..] else { panic!("two events: {:#?}", of("/products/1")) };
    has(partial, &[("event_type", "partial_failure"), ("event_level", "warning")]);
    has(partial, &[("exc_msg", "the recommendation engine is out of ideas")]);
    assert!(partial["exc_loc"].starts_with("src/bin/shop/recommendations.rs:"), "{partial:#?}");
    has(request, &[("event_type", "request"), ("event_level", "info"), ("resp_status", "200")]);
}

#[test]
fn an_n_plus_one_shows() {
    let orders = one("/orders");
    has(orders, &[("app_orders", "5"), ("db_queries", "6"), ("db_dup_queries", "5")]);
    assert!(orders["db_dup_top"].starts_with("select name from products join order_items on "), "{orders:#?}");
    let (source, line) = (include_str!("../src/bin/shop/orders.rs"), orders["db_dup_loc"].split(':').nth(1));
    let line = line.and_then(|line| source.lines().nth(line.parse::<usize>().ok()? - 1));
    assert!(line.is_some_and(|line| line.contains("sqlx::query_as(query).bind(id)")), "{orders:#?}");
}

#[test]
fn a_timeout_comes_while_it_hangs_and_then_a_late_response_but_no_request() {
    let [timeout, late] = of("/products/1/delivery")[..] else { panic!("{:#?}", of("/products/1/delivery")) };
    has(timeout, &[("event_type", "timeout"), ("event_level", "error"), ("timeout_limit", "1.000")]);
    assert!(timeout["timeout_loc"].starts_with("src/bin/shop/delivery.rs:"), "{timeout:#?}");
    assert!(!timeout.contains_key("resp_status"), "{timeout:#?}");
    has(late, &[("event_type", "late_response"), ("resp_status", "200")]);
    let times = [timeout, late].map(|event| event["resp_time"].parse::<f64>().expect("seconds"));
    assert!(times[0] < 1.5 && times[1] >= 1.5, "{times:?}");
}

#[test]
fn the_shops_own_instrumenter_adds_to_every_unit() {
    let (_, events) = &*TOUR;
    for event in events {
        // The others belong to a unit, and do not end it: a late response comes after its `timeout`.
        let ends = matches!(event["event_type"].as_str(), "request" | "timeout");
        assert_eq!(event.get("shop_release").is_some(), ends, "{event:#?}");
    }
    has(one("/products"), &[("shop_release", env!("CARGO_PKG_VERSION"))]);
}

#[test]
fn the_tour_speaks_json_and_pretty_too() {
    let json = run(&mut shop(&["--tour", "--format", "json"]));
    let lines: Vec<serde_json::Value> =
        json.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(parse_json).collect();
    assert_eq!(lines.len(), 11);
    assert_eq!(lines[0]["resp_status"], 200);
    let pretty = run(&mut shop(&["--tour", "--format=pretty"]));
    assert!(pretty.status.success() && pretty.stdout.len() > 1000, "{pretty:?}");
}

fn parse_json(line: &[u8]) -> serde_json::Value {
    serde_json::from_slice(line).expect("a JSON object a line")
}

#[test]
fn what_it_cannot_do_costs_one_line_and_a_code() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = taken.local_addr().expect("a bound socket").port().to_string();
    for (arguments, named) in [
        (&["--port", &port][..], port.as_str()),
        (&["--tour", "--port", &port], &port),
        (&["--prot", "1"], "`--prot`"),
        (&["--port", "99999"], "`99999`"),
        (&["--port"], "`--port`"),
        (&["--format", "xml"], "`xml`"),
        (&["--tour=1"], "`--tour=1`"),
        (&["--database", "/dev/null/shop.sqlite"], "/dev/null/shop.sqlite"),
    ] {
        let Output { status, stdout, stderr } = run(&mut shop(arguments));
        let stderr = String::from_utf8_lossy(&stderr);
        assert!(status.code().is_some_and(|code| code != 0), "{arguments:?}: {status}");
        assert!(stderr.starts_with("shop: ") && stderr.contains(named), "{arguments:?}: {stderr}");
        assert_eq!((stderr.lines().count(), stdout.len()), (1, 0), "{arguments:?}: {stderr}");
    }
    let output = run(shop(&["--tour"]).env("XDG_DATA_HOME", "/dev/null"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && stderr.lines().count() == 1, "{stderr}");
}

/// A shop that is open.
struct Open {
    child: Child,
    address: String,
}

fn open(command: &mut Command) -> Open {
    let mut child = command.spawn().expect("the shop starts");
    let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut lines = stderr.lines().map_while(Result::ok);
    let address = lines.find_map(|line| Some(line.split_once("http://")?.1.split_once(';')?.0.to_owned()));
    spawn(move || lines.for_each(drop)); // else it would write into a closed pipe
    Open { child, address: address.expect("it says where it listens") }
}

impl Open {
    /// Ends it as an operator would; what it wrote.
    fn close(mut self) -> Vec<Event> {
        end(self.child.id(), "TERM");
        let mut stdout = String::new();
        self.child.stdout.take().expect("a pipe").read_to_string(&mut stdout).expect("text");
        assert!(self.child.wait().expect("its end").success());
        stdout.lines().map(event).collect()
    }
}

#[test]
fn its_first_page_says_what_to_try() {
    let open = open(&mut shop(&["--port", "0"]));
    let mut client = canonlog_tests::client::Client::connect(open.address.parse().expect("an address"));
    client.send_get("/");
    let page = client.reply().text();
    assert!(page.contains("# a request\ncurl http://") && page.contains("/products/1/delivery?ms=1500'"), "{page}");
    drop(client);
    let events = open.close();
    has(&events[0], &[("resp_view", "shop::tour::index"), ("resp_status", "200")]);
}

#[test]
fn its_data_survive_in_the_data_directory() {
    let data = tempfile::tempdir().expect("a directory");
    for asked in 1..=2 {
        let open = open(shop(&["--port", "0"]).env("XDG_DATA_HOME", data.path()));
        let mut client = canonlog_tests::client::Client::connect(open.address.parse().expect("an address"));
        let item =
            "POST /carts/3 HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n";
        client.send(format!("{item}{{\"product\":3,\"quantity\":1}}").as_bytes());
        assert!(client.reply().text().contains(&format!("\"quantity\":{asked}")));
        drop(client);
        let events = open.close();
        assert_eq!(events.len(), 1, "{events:#?}");
        has(&events[0], &[("req_path", "/carts/3"), ("resp_status", "200")]);
    }
}

/// The blocks of the README in this language.
fn readme(language: &str) -> Vec<&'static str> {
    let blocks = include_str!("../../README.md").split("\n```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(language)).collect()
}

#[test]
fn the_readme_shows_the_shop_as_it_is() {
    let shop = include_str!("../src/bin/shop/cart.rs");
    let code = readme("rust\n")[0];
    assert!(code.lines().count() > 10 && shop.contains(code), "no part of the shop: {code}");

    let line = readme("text\n")[0].trim().replace('\n', " ");
    let shown = logfmt::parse(&line).expect("a line of the grammar");
    let names: Vec<&str> = shown.iter().map(|(name, _)| name.as_str()).collect();
    let (output, _) = &*TOUR;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let real = stdout.lines().find(|line| line.contains("/carts/7/checkout")).expect("the checkout's line");
    let real = logfmt::parse(real).expect("a line of the grammar");
    assert_eq!(names, real.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());

    let (_, events) = &*TOUR;
    for line in readme("text\n")[1].trim().lines() {
        let shown = logfmt::parse(line).expect("fields of the grammar");
        let has_all = |event: &Event| shown.iter().all(|(name, value)| event.get(name) == Some(value));
        assert!(shown.len() > 1 && events.iter().any(has_all), "no event of the tour has these: {line}");
    }
}

#[test]
fn the_book_shows_the_lines_of_the_tour() {
    let (_, events) = &*TOUR;
    // What depends on the machine: times, and whether a poll was slow.
    let lasting = |event: &Event| {
        let fields = event.iter().filter(|(name, _)| !name.starts_with("poll_"));
        let changes =
            |name: &str| name.ends_with("_time") || name.starts_with("rt_") || matches!(name, "req_id" | "timeout_for");
        let value = |name: &str, value: &str| if changes(name) { String::new() } else { value.to_owned() };
        fields.map(|(name, text)| (name.clone(), value(name, text))).collect::<Event>()
    };
    let mut shown = 0;
    for line in include_str!("../../book/src/guide/shop.md").lines().filter(|line| line.starts_with("event_type=")) {
        let line = lasting(&event(line));
        assert!(events.iter().any(|event| lasting(event) == line), "no line of the tour: {line:#?}");
        shown += 1;
    }
    assert!(shown >= 6, "{shown}");
}

#[test]
fn a_file_with_every_key_is_honoured() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config/canonlog.toml");
    let output = run(shop(&["--tour", "--config", file]).current_dir(folder.path()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| {
        std::fs::read_to_string(folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let out = String::from_utf8(output.stdout).expect("text");
    let events: Vec<Event> = out.lines().map(event).collect();
    let requests = events.iter().filter(|event| event["event_type"] == "request").count();
    assert!(requests > 5 && events.iter().all(|event| event["event_level"] != "debug"), "{out}");
    let paid = events.iter().find(|event| event.contains_key("app_card")).expect("somebody paid");
    assert_eq!(paid["app_card"], "[redacted]");
    let archive = read("shop-archive.log");
    assert!(archive.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{archive}");
    assert_eq!(read("shop-access.log").lines().count(), requests);
    assert!(read("shop-debug.log").lines().count() >= events.len());
    let err = String::from_utf8(output.stderr).expect("text");
    assert!(err.contains("ERROR") || err.contains("error"), "errors are told to people: {err}");
}

#[test]
fn a_file_with_a_mistake_is_named_with_its_line_and_nothing_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("canonlog.toml"), "timeout = '1s'\n[emitters.a]\nfromat = 'json'\n")
        .expect("written");
    // Without an argument, it is the file that lies where the program starts.
    let output = run(shop(&["--tour"]).current_dir(folder.path()));
    let err = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(
        err.starts_with("shop: canonlog.toml: line 3: `emitters.a.fromat` is no key of the configuration; "),
        "{err}"
    );
    assert!(err.ends_with("; the nearest is `format`\n") && output.stdout.is_empty(), "{err}");
}
