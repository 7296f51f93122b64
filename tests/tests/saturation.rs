//! `rt_w_count`, `rt_w_active`, `rt_backlog`: the sample of the last second, and of the set-up before that.
#![cfg(target_os = "linux")]

use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use canonlog::{Memory, OwnedEvent};
use canonlog_tests::unit::{integer, request_sync};

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
    let shown = |event: &OwnedEvent| ["rt_w_count", "rt_w_active", "rt_backlog"].map(|name| integer(event, name));
    assert_eq!(shown(&request_sync(|| {})), [0, 0, 0], "nothing takes samples");

    let tcp = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let clients: Vec<_> =
        (0..3).map(|_| TcpStream::connect(tcp.local_addr().expect("bound")).expect("it listens")).collect();
    // The set-up takes the first sample; a listener may come after it, or before, as one that was inherited.
    let _guard = canonlog::setup().output(Memory::new()).init().expect("it can be set up");
    let event = request_sync(|| {});
    assert_eq!(shown(&event)[0], 1, "this thread has polled a record: {event:?}");
    assert_eq!(shown(&event)[2], 3, "{event:?}");

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
    assert_eq!(integer(&request_sync(|| {}), "rt_w_count"), 7, "at once");
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
