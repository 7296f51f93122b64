//! `rt_w_count`, `rt_w_active`, `rt_backlog`: zeros at first, then the sample of the last second.
#![cfg(target_os = "linux")]

use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use canonlog::{Kind, OwnedEvent, begin};

mod common;
use common::{integer, request_sync};

fn sampled(wanted: impl Fn(&OwnedEvent) -> bool) -> OwnedEvent {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let event = request_sync(|| {});
        if wanted(&event) {
            return event;
        }
        assert!(Instant::now() < deadline, "no such sample in time; the last event was {event:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One test, as the samples are the process's.
#[test]
fn events_show_the_workers_and_the_accept_queues_of_the_process() {
    let event = request_sync(|| {});
    assert_eq!(["rt_w_count", "rt_w_active", "rt_backlog"].map(|name| integer(&event, name)), [0, 0, 0]);

    // The first unit that goes through the process's own pipeline starts the sampling.
    begin(Kind::Request).finish();
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let clients: Vec<_> =
        (0..3).map(|_| TcpStream::connect(tcp.local_addr().expect("bound")).expect("it listens")).collect();
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("shop.sock");
    let unix = UnixListener::bind(&path).expect("a free path");
    let more: Vec<_> = (0..2).map(|_| UnixStream::connect(&path).expect("it listens")).collect();

    let event = sampled(|event| integer(event, "rt_backlog") == 5);
    assert_eq!(integer(&event, "rt_w_count"), 1, "this thread");

    canonlog::saturation::watch(&unix);
    sampled(|event| integer(event, "rt_backlog") == 2);
    drop(unix);
    sampled(|event| integer(event, "rt_backlog") == 0);
    canonlog::saturation::watch(&tcp);
    canonlog::saturation::workers(7);
    sampled(|event| integer(event, "rt_backlog") == 3 && integer(event, "rt_w_count") == 7);

    let busy = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            request_sync(|| {
                while busy.load(std::sync::atomic::Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(5));
                }
            })
        });
        sampled(|event| integer(event, "rt_w_active") >= 1);
        busy.store(false, std::sync::atomic::Ordering::Relaxed);
    });
    drop((clients, more));
}
