//! What the tests of gunicorn-django-canonical-logs pin, each by a test of ours; here over real sockets those that had none.
//!
//! | its tests (cases) | ours |
//! |---|---|
//! | event context: set, get, namespaces, time, sums, update, reset (10) | `context.rs`; `the_canonical_order_does_not_depend_on_who_came_first` here |
//! | hooks: registered once, called each (5) | `gdcl_instrumenters.rs`, `instrumenters.rs` |
//! | logfmt: joining, key clean-up, values, escapes (8) | `format_roundtrip`, `promises_input.rs`, the units of `format/logfmt.rs` |
//! | location of errors: own, a library's, both (3) | `macros_request.rs` (the boundary's line), `promises_exactly_one` |
//! | database: queries, duplicates, reset, arithmetic (4) | `database.rs`, `sqlx.rs` |
//! | exception: view, library, template syntax, template callable, none (5) | `macros_request.rs`, `template.rs`; over a socket here |
//! | request: ok, 404, 500, headers, fallback, times (6) | `serving_requests.rs`, `serving_bodies.rs`, `promises_exactly_one` |
//! | saturation: zeros before any sample (1) | `saturation.rs` |
//! | integration: not carried over, other id | here |
//! | integration: `g_w_count` is what was configured | here |
//! | integration: exception, template exception | here, `testbed/routes.rs` |
//! | integration: three queries, custom set, custom time | `testbed/routes.rs` |
//! | integration: the application's own instrumenter | here |
//! | integration: timeout; with its connection aborted | `serving_timeouts.rs` |
//! | integration: a static file outside the framework | `serving_bodies.rs`, `testbed/routes.rs` |
//! | integration: preserved access log, that line first | here |
//! | integration: partial failure first, same id | `testbed/routes.rs`, `macros_on_error.rs` |

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use canonlog::tower::RequestLayer;
use canonlog::{
    Combined, Context, Emitter, Guard, Instrumenter, InstrumenterError, Logfmt, Memory, Unit, instrument_request,
    register_instrumenter,
};
use canonlog_tests::client::{self, PATIENCE, Reply};
use canonlog_tests::logfmt;

/// The application's own.
#[register_instrumenter]
struct Region;

impl Instrumenter for Region {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        unit.set("region", "eu-west");
        Ok(())
    }
}

#[derive(Debug)]
struct Failed(minijinja::Error);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failed {}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

#[instrument_request]
async fn page() -> Result<String, Failed> {
    let mut env = minijinja::Environment::new();
    env.add_function("price", || -> Result<u64, minijinja::Error> {
        Err(minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, "no price"))
    });
    env.add_template("callable_exception.html", "<b>\n\n{{ price() }}\n</b>").map_err(Failed)?;
    canonlog::minijinja::render(&env, "callable_exception.html", minijinja::context! {}).map_err(Failed)
}

#[instrument_request]
async fn custom() -> &'static str {
    Context::set("custom_event", 1);
    "custom"
}

#[instrument_request]
async fn plain() -> &'static str {
    "plain"
}

struct Served {
    addr: SocketAddr,
    lines: Memory,
    _guard: Guard,
    _runtime: tokio::runtime::Runtime,
}

const WORKERS: usize = 3;

/// One server for all tests of this program, each of which asks for paths of its own: the set-up is the process's.
fn served() -> &'static Served {
    static SERVED: OnceLock<Served> = OnceLock::new();
    SERVED.get_or_init(|| {
        let lines = Memory::new();
        // Two emitters to one place: the lines of one request stand in the order of the emitters.
        let access = Emitter::new("access").format(Combined::new()).output(lines.clone());
        let canonical = Emitter::new("canonical").format(Logfmt::new()).output(lines.clone());
        let guard = canonlog::setup().emitter(access).emitter(canonical).init().expect("the only set-up");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
        let runtime = runtime.expect("a runtime");
        canonlog::saturation::workers(runtime.metrics().num_workers());
        let router = Router::new()
            .route("/page", get(page))
            .route("/custom/{test}", get(custom))
            .route("/plain/{test}", get(plain))
            .layer(RequestLayer::new());
        let listener = runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.expect("a free port");
        let addr = listener.local_addr().expect("a bound socket");
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        runtime.spawn(async move { axum::serve(listener, service).await });
        Served { addr, lines, _guard: guard, _runtime: runtime }
    })
}

/// One `GET` of a path that nobody else asks for; the answer, and its two lines: access log and canonical.
fn ask(path: &str) -> (Reply, [String; 2]) {
    let served = served();
    let before = lines_of(&served.lines.lines(), path).len();
    let reply = client::get(served.addr, path);
    let enough = |lines: &[String]| lines_of(lines, path).len() >= before + 2;
    let lines = served.lines.wait_until(enough, PATIENCE);
    let new: Vec<String> = lines_of(&lines, path).split_off(before);
    (reply, new.try_into().unwrap_or_else(|lines| panic!("two lines of {path}, not {lines:#?}")))
}

fn lines_of(lines: &[String], path: &str) -> Vec<String> {
    let ways = [format!("GET {path} HTTP/1.1"), format!("req_path=\"{path}\"")];
    lines.iter().filter(|line| ways.iter().any(|way| line.contains(way))).cloned().collect()
}

fn field(line: &str, name: &str) -> String {
    logfmt::field(line, name).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_preserved_access_log_has_its_line_before_the_canonical_one() {
    let (reply, [access, canonical]) = ask("/plain/access");
    assert_eq!(reply.status, 200);
    assert!(access.starts_with("127.0.0.1 - - ["), "{access}");
    assert!(access.contains("] \"GET /plain/access HTTP/1.1\" 200 5 \"-\" \"-\""), "{access}");
    assert!(canonical.starts_with("event_type=\"request\""), "{canonical}");
}

#[test]
fn nothing_is_carried_over_to_the_next_request_of_a_connection_and_ids_differ() {
    let (_, [_, first]) = ask("/custom/first");
    let (_, [_, second]) = ask("/plain/second");
    assert_eq!(field(&first, "app_custom_event"), "1");
    assert!(logfmt::field(&second, "app_custom_event").is_err(), "{second}");
    assert_ne!(field(&first, "req_id"), field(&second, "req_id"));
}

#[test]
fn the_line_has_the_field_of_the_applications_instrumenter() {
    let (_, [_, line]) = ask("/plain/instrumenter");
    assert_eq!(field(&line, "app_region"), "eu-west");
}

#[test]
fn a_template_that_fails_is_named_with_its_line() {
    let (reply, [access, line]) = ask("/page");
    assert_eq!(reply.status, 500);
    assert!(access.contains("\" 500 "), "{access}");
    assert_eq!(field(&line, "exc_template"), "callable_exception.html:3");
    assert!(field(&line, "exc_msg").contains("no price"), "{line}");
    assert!(field(&line, "exc_loc").contains("gdcl_behaviours.rs"), "{line}");
    assert!(line.find("exc_template").expect("there") < line.find("exc_type").expect("there"), "{line}");
    assert_eq!(field(&line, "resp_status"), "500");
}

#[test]
fn the_count_of_workers_is_what_was_configured() {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (_, [_, line]) = ask("/plain/workers");
        // Sampled once a second; zeros before the first sample.
        if field(&line, "rt_w_count") == WORKERS.to_string() {
            return;
        }
        assert!(Instant::now() < deadline, "{line}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_canonical_order_does_not_depend_on_who_came_first() {
    let (_, [_, line]) = ask("/custom/order");
    let fields = logfmt::parse(&line).expect("it follows the grammar");
    let spaces: Vec<&str> = fields.iter().filter_map(|(name, _)| name.split('_').next()).collect();
    let mut seen = spaces.clone();
    seen.dedup();
    assert_eq!(seen, ["event", "req", "app", "resp", "rt"], "{line}");
}
