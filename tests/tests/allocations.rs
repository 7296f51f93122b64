//! Nothing is allocated for a request in steady state: through the layer, the macros, the context, messages, those that are kept, and a
//! file, on all threads.
//!
//! One test alone in its program, as the allocator counts for the whole process.
#![allow(unsafe_code)] // an allocator that counts cannot be written without

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context as Task, Poll, Waker};
use std::time::{Duration, Instant};

use canonlog::tower::RequestLayer;
use canonlog::{
    Combined, Context, Emitter, EventType, File, Format, Gelf, Json, Level, Logfmt, Logger, Lookback, Otlp, OwnedEvent,
    Pretty, Talisker, Template, TextLine, instrument_request, operation,
};
use http::{Request, Response};
use http_body::Body;
use tower::{Layer, Service};
use tracing_subscriber::prelude::*;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Those of this thread alone.
    static OWN: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    OWN.set(OWN.get() + 1);
}

// SAFETY: everything is handed on to the system's allocator, which keeps the trait's promises; counting touches an atomic and a cell.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the promises of `alloc`, which are the same there.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the memory came from `alloc` above, that is from the system's allocator, with this layout.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as for `dealloc`, and the caller keeps the promise about `size`.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static SHOP: Logger = Logger::new("shop");
static LIBRARY: Logger = Logger::library("library");

/// Messages by every way.
fn say(items: u64) {
    canonlog::info!(SHOP, items = items, total = 19.99, plan = "business"; "checked out {items}");
    SHOP.field("items", items).field("plan", "business").info(format_args!("checked out {items}"));
    log::info!(items = items, total = 19.99, plan = "business"; "checked out {items}");
    tracing::info!(items, total = 19.99, plan = "business", "checked out {items}");
    canonlog::debug!(LIBRARY, items = items.to_string(); "nobody wants it");
}

const MESSAGES: u64 = 4;

/// Messages that are kept until something goes wrong, by every way.
fn say_quietly(items: u64) {
    canonlog::debug!(SHOP, items = items, total = 19.99, plan = "business"; "about to check out {items}");
    SHOP.field("items", items).field("plan", "business").debug("about to check out");
    log::debug!(items = items, total = 19.99, plan = "business"; "about to check out {items}");
    tracing::debug!(items, total = 19.99, plan = "business", "about to check out {items}");
}

#[instrument_request(fields(plan = "business"))]
async fn checkout(items: u64) -> Result<u64, std::num::ParseIntError> {
    Context::set("cart_items", items);
    Context::set("cart_total", 19.99);
    canonlog::set!(currency = "EUR");
    let _section = Context::time("render");
    let price = price("1999").await?;
    canonlog::db::record_query("select price from products where id = ?1", Duration::from_micros(120));
    canonlog::db::record_query("select price from products where id = ?1", Duration::from_micros(130));
    Ok(price * items)
}

#[operation]
async fn price(text: &str) -> Result<u64, std::num::ParseIntError> {
    text.parse()
}

/// A service without allocations of its own.
#[derive(Clone)]
struct Shop;

impl Service<Request<()>> for Shop {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let items = request.uri().path().len() as u64;
        let mut task = Task::from_waker(Waker::noop());
        let Poll::Ready(Ok(sum)) = std::pin::pin!(checkout(items)).poll(&mut task) else { panic!("it never waits") };
        assert!(sum > 0);
        // An empty `String` holds no memory.
        ready(Ok(Response::new(String::new())))
    }
}

fn serve(service: &mut impl Service<Request<()>, Response = Response<impl Body>, Error = Infallible>) {
    let mut task = Task::from_waker(Waker::noop());
    let request = Request::get("/carts/42/checkout").body(()).expect("a request");
    let Poll::Ready(Ok(response)) = std::pin::pin!(service.call(request)).poll(&mut task) else {
        panic!("the service never waits")
    };
    assert_eq!(response.status(), 200);
}

const ID: http::HeaderName = http::HeaderName::from_static("x-request-id");

/// What building the request and the response costs without canonlog.
fn serve_bare() {
    let mut task = Task::from_waker(Waker::noop());
    let request = Request::get("/carts/42/checkout").body(()).expect("a request");
    std::hint::black_box(&request);
    let mut response = Response::new(String::new());
    response.headers_mut().insert(ID, http::HeaderValue::from_static("0"));
    let _ = std::hint::black_box(std::pin::pin!(ready(response)).poll(&mut task));
}

fn counted(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    work();
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

#[test]
fn a_request_allocates_nothing_after_a_thousand() {
    const REQUESTS: u64 = 10_000;
    let folder = tempfile::tempdir().expect("a folder");
    let file = File::open(folder.path().join("events.log")).expect("a file");
    let emitter = Emitter::new("file").level(Level::Debug).output(file);
    let lookback = Lookback::new().keep_below(Level::Info);
    let guard = canonlog::setup().emitter(emitter).lookback(lookback).init().expect("set up once");
    canonlog::log::install().expect("the only logger of `log`");
    let subscriber = tracing_subscriber::registry().with(canonlog::tracing::layer());
    tracing::subscriber::set_global_default(subscriber).expect("the only one of `tracing`");
    let mut service = RequestLayer::new().layer(Shop);
    // The writer's thread must have seen every chunk before the counting begins.
    let settle = || assert!(guard.flush_within(Duration::from_secs(10)), "the file takes everything");
    for _ in 0..1_000 {
        serve(&mut service);
    }
    settle();
    let own = |work: &mut dyn FnMut()| {
        let before = OWN.get();
        work();
        OWN.get() - before
    };
    let bare = own(&mut serve_bare);
    let (mut here, before, began) = (0, OWN.get(), Instant::now());
    let all = counted(|| {
        for at in 0..REQUESTS {
            here += own(&mut || serve(&mut service));
            // Slow enough for the writer: nothing may be lost, and however busy the machine is, few chunks are in use.
            if at % 50 == 49 {
                settle();
            }
        }
    });
    let elsewhere = all - (OWN.get() - before);
    let here = here.checked_sub(bare * REQUESTS).expect("canonlog saves http nothing");
    // The first use of a further chunk of the queue may allocate, and the saturation sample once a second; a request may not.
    assert!(here < REQUESTS / 100, "{here} allocations in {REQUESTS} requests");
    let samples = began.elapsed().as_secs() + 1;
    assert!(elsewhere < REQUESTS / 100 + 25 * samples, "{elsewhere} on other threads, {samples} samples");
    const SAID: u64 = 2_000;
    let request = canonlog::begin(canonlog::Kind::Request);
    request.enter(|| (0..SAID).for_each(|_| say(3)));
    settle();
    let said = own(&mut || request.enter(|| (0..SAID).for_each(|_| say(3))));
    assert!(said < SAID / 100, "{said} allocations in {SAID} times {MESSAGES} messages");
    request.finish();
    // More than are kept at a time; a request like it has warmed up.
    let [_, kept] = [(); 2].map(|()| {
        let request = canonlog::begin(canonlog::Kind::Request);
        let kept = counted(|| {
            request.enter(|| (0..SAID).for_each(|_| say_quietly(3)));
        });
        request.finish();
        settle();
        kept
    });
    assert!(kept < SAID / 100, "{kept} allocations in {SAID} times {MESSAGES} messages that are kept");
    drop(guard);
    let written = std::fs::read_to_string(folder.path().join("events.log")).expect("the file is there");
    let (messages, requests): (Vec<&str>, Vec<&str>) =
        written.lines().partition(|line| line.contains("event_type=\"log\""));
    assert_eq!(requests.len() as u64, REQUESTS + 1_000 + 3);
    assert_eq!(requests.iter().filter(|line| line.contains(" db_dup_queries=\"2\" ")).count() as u64, REQUESTS + 1_000);
    assert_eq!(messages.len() as u64, MESSAGES * 2 * SAID);
    assert!(
        messages.iter().all(|line| line.contains(" req_id=") && line.contains(" app_items=\"3\"")),
        "{}",
        messages[0]
    );
    let formatted = format_in_every_way();
    assert!(formatted < 100, "{formatted} allocations for 22,000 lines");
}

/// What it allocates to write a message and a request in every format, a thousand times, into a buffer that has room.
fn format_in_every_way() -> u64 {
    let template = Template::new("{event_time:%F %T} {event_level:>8} {resp_time:.1} {log_msg|nothing} {*}");
    let formats: [&dyn Format; 11] = [
        &Logfmt::new(),
        &Logfmt::new().quote_needed(),
        &Json::new(),
        &Pretty::new().color(true),
        &Combined::new(),
        &Talisker::new(),
        &TextLine::new(),
        &TextLine::shell(),
        &template.expect("a template"),
        &Gelf::new(),
        &Otlp::new().service("shop"),
    ];
    let mut events = Vec::new();
    for kind in [EventType::Log, EventType::Request] {
        let mut event = OwnedEvent::new(kind, Level::Error, std::time::SystemTime::now());
        for name in ["req_id", "req_path", "log_name", "log_msg", "app_plan", "exc_type", "exc_msg", "exc_trace"] {
            event.set(name, "a \"text\"\nof two lines");
        }
        event.set("app_cart", 7);
        event.set("app_total", 19.99);
        event.set("resp_time", Duration::from_micros(16_400));
        events.push(event);
    }
    let mut line = Vec::with_capacity(4_096);
    counted(|| {
        for _ in 0..1_000 {
            for (format, event) in formats.iter().flat_map(|format| events.iter().map(move |event| (format, event))) {
                line.clear();
                format.format(&event.view(), &mut line);
            }
        }
    })
}
