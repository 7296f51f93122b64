//! An allocator that counts allocations into the current request, as people write it: it calls canonlog wherever canonlog, or
//! anybody, allocates. One test alone in its program, as there is one allocator.
#![allow(unsafe_code)] // an allocator cannot be written without

use std::alloc::{GlobalAlloc, Layout, System};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use canonlog::tower::RequestLayer;
use canonlog::{Background, Context, Emitter, File, Kind, begin, instrument_request, operation};
use canonlog_tests::logfmt;
use http::{Request, Response};
use tower::{Layer, Service};

struct Recording;

/// The allocator records from the first thing that a request allocates on.
static ON: AtomicBool = AtomicBool::new(false);

// SAFETY: everything is handed on to the system's allocator, which keeps the trait's promises; what is recorded beside it
// touches no memory of the caller's.
unsafe impl GlobalAlloc for Recording {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if ON.load(Ordering::Relaxed) {
            Context::add("allocations", 1_u64);
        }
        // SAFETY: the caller keeps the promises of `alloc`, which are the same there.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if ON.load(Ordering::Relaxed) {
            Context::current().add_in("memory", "freed", layout.size());
        }
        // SAFETY: the memory came from `alloc` above, that is from the system's allocator, with this layout.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if ON.load(Ordering::Relaxed) {
            canonlog::set!(last_growth = size);
            let _section = Context::time("growing");
        }
        // SAFETY: as for `dealloc`, and the caller keeps the promise about `size`.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Recording = Recording;

fn new_key() -> &'static str {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("key_{}", NEXT.fetch_add(1, Ordering::Relaxed)).leak()
}

#[instrument_request(fields(plan = "business"))]
async fn checkout(n: usize) -> Result<usize, std::num::ParseIntError> {
    let cx = Context::current();
    Context::set("n", n);
    Context::set(new_key(), "a name that no request had before");
    // Values that are too long, and a log that is full of what nobody refers to any more.
    for at in 0..20 {
        Context::set("text", "x".repeat(600 + at));
    }
    Context::set("long", "y".repeat(20_000));
    Context::set_dynamic(&format!("made_{n}"), canonlog::display(format_args!("{n:?}")));
    // Another thread beside it: a second log, which fills too.
    std::thread::scope(|threads| {
        threads.spawn(|| {
            cx.enter(|| {
                for at in 0..20 {
                    Context::set("beside", "z".repeat(600 + at));
                    Context::add("steps", 1_u64);
                }
            });
        });
    });
    for at in 0..20 {
        Context::set("text", "x".repeat(700 + at));
    }
    assert!(Context::get("text").is_some() && Context::get("beside").is_some());
    Context::set_timeout(Duration::from_secs(600));
    canonlog::db::record_query("select 1", Duration::from_micros(5));
    parse("7").await
}

#[operation]
async fn parse(text: &str) -> Result<usize, std::num::ParseIntError> {
    text.to_owned().parse()
}

#[derive(Clone)]
struct Shop;

impl Service<Request<usize>> for Shop {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<usize>) -> Self::Future {
        let mut task = Task::from_waker(Waker::noop());
        let answer = std::pin::pin!(checkout(*request.body())).poll(&mut task);
        assert_eq!(answer, Poll::Ready(Ok(7)));
        ready(Ok(Response::new(String::new())))
    }
}

const THREADS: usize = 4;
const REQUESTS: usize = 50;

fn serve(from: usize) {
    let mut service = RequestLayer::new().layer(Shop);
    let mut task = Task::from_waker(Waker::noop());
    for n in from..from + REQUESTS {
        let request = Request::get("/carts/42").header("x-request-id", format!("id-{n}")).body(n).expect("a request");
        let answer = std::pin::pin!(service.call(request)).poll(&mut task);
        assert!(matches!(answer, Poll::Ready(Ok(_))), "the service never waits");
        // Many at once, and one that panics.
        let jobs: Vec<_> = (0..if n % 25 == 0 { 300 } else { 0 }).map(|_| begin(Kind::Job)).collect();
        drop(jobs);
    }
}

#[test]
fn an_allocator_may_record_into_the_request_that_allocates() {
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("events.log");
        ON.store(true, Ordering::Relaxed);
        let queue = Background::new().events(64 * 1024).bytes(64 * 1024 * 1024);
        let emitter = Emitter::new("file").output(File::open(&path).expect("a file")).background(queue);
        let guard = canonlog::setup().emitter(emitter).init().expect("set up once");
        std::thread::scope(|threads| {
            for thread in 0..THREADS {
                threads.spawn(move || serve(thread * REQUESTS));
            }
        });
        assert!(guard.flush_within(Duration::from_secs(20)), "the file takes everything");
        assert_eq!(guard.shutdown(), 0);
        ON.store(false, Ordering::Relaxed);
        let _ = done.send(std::fs::read_to_string(path).expect("the file is there"));
    });
    let written = ended.recv_timeout(Duration::from_secs(60));
    // The allocator must not hang this thread too.
    ON.store(false, Ordering::Relaxed);
    let written = written.expect("it neither hangs nor panics");
    let requests = written.lines().filter(|line| logfmt::field(line, "event_type").is_ok_and(|of| of == "request"));
    let mut numbers = Vec::new();
    for line in requests {
        let field = |name: &str| logfmt::field(line, name).unwrap_or_else(|error| panic!("{error}: {line}"));
        let n: usize = field("app_n").parse().expect("a number");
        assert_eq!(field("req_id"), format!("id-{n}"));
        assert_eq!(field("app_steps"), "20");
        assert_eq!(field("app_text").len(), 719);
        assert_eq!(field("app_beside").len(), 619);
        assert_eq!(field(&format!("app_made_{n}")), n.to_string());
        let counted: u64 = field("app_allocations").parse().expect("a number");
        assert!(counted > 40, "what the request itself allocates: {counted}");
        field("memory_freed");
        numbers.push(n);
    }
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(0..THREADS * REQUESTS), "every request has its event: {}", numbers.len());
    let jobs = written.lines().filter(|line| logfmt::field(line, "event_type").is_ok_and(|of| of == "job"));
    assert_eq!(jobs.count(), THREADS * REQUESTS / 25 * 300);
}
