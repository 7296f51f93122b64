//! Servers that are slow, absent, restarted, or break off in the middle of a line.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use canonlog::{Emitter, EmitterSet, Event, Format, LossReason, Output, Syslog, Tcp, Udp, UnixSocket};
use canonlog_tests::numbered::{Numbered, emit, emit_until_written, read};

pub(super) const SOON: Duration = Duration::from_secs(20);

/// Numbered lines of some length.
pub(super) struct Padded(pub(super) usize);

impl Format for Padded {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        let start = line.len();
        Numbered.format(event, line);
        // Before the mark at the end, so that a piece of a line is none.
        let missing = self.0.saturating_sub(line.len() - start);
        line.splice(start..start, std::iter::repeat_n(b' ', missing));
    }
}

fn set(output: impl Output) -> EmitterSet {
    EmitterSet::start([Emitter::new("server").format(Numbered).output(output)]).expect("it starts")
}

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound").to_string();
    (listener, address)
}

/// Takes everything of the next connection, to its end.
fn take_all(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().expect("a client");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("text");
    text
}

#[test]
fn lines_to_a_server_over_tcp_arrive_in_their_order() {
    let (listener, address) = listener();
    let server = std::thread::spawn(move || take_all(&listener));
    let set = set(Tcp::new(&address).expect("an address"));
    (0..5_000).for_each(|n| emit(&set, n));
    assert_eq!((set.shutdown(SOON), set.written()), (0, 5_000));
    drop(set);
    let read = read(&server.join().expect("no panic"));
    assert!(read.events.into_iter().eq(0..5_000) && read.torn.is_empty());
}

#[test]
fn a_server_that_is_not_there_yet_keeps_nobody_and_is_told_what_it_missed() {
    let (taken, address) = listener();
    drop(taken);
    let millis = Duration::from_millis;
    let output = Tcp::new(&address).expect("an address").pauses(millis(5), millis(20)).wait_for_server(millis(1));
    let set = set(output);
    let began = Instant::now();
    emit(&set, 0);
    assert!(began.elapsed() < Duration::from_secs(1), "a request never waits for a server");
    assert!(set.flush(SOON));
    assert_eq!((set.written(), set.lost_by(LossReason::Io)), (0, 1));
    let listener = TcpListener::bind(&address).expect("the same port");
    let server = std::thread::spawn(move || take_all(&listener));
    emit_until_written(&set, SOON);
    let lost = set.shutdown(SOON);
    drop(set);
    let read = read(&server.join().expect("no panic"));
    assert_eq!((read.events.len(), read.reported, read.torn.len()), (1, lost, 0));
}

#[test]
fn a_server_is_waited_for_for_ever_where_that_is_wanted() {
    let (taken, address) = listener();
    drop(taken);
    let millis = Duration::from_millis;
    let output = Tcp::new(&address).expect("an address").pauses(millis(5), millis(20));
    let set = set(output.wait_for_server(Duration::MAX).connect_within(Duration::MAX));
    emit(&set, 0);
    assert!(!set.flush(millis(50)), "there is no server yet");
    let listener = TcpListener::bind(&address).expect("the same port");
    let server = std::thread::spawn(move || take_all(&listener));
    assert!(set.flush(Duration::MAX));
    assert_eq!((set.written(), set.shutdown(Duration::MAX)), (1, 0));
    drop(set);
    assert!(read(&server.join().expect("no panic")).events.into_iter().eq(0..1));
}

#[test]
fn a_restart_of_the_server_costs_nothing_where_it_had_read_everything() {
    let (listener, address) = listener();
    let set = set(Tcp::new(&address).expect("an address"));
    let (told, rounds) = mpsc::channel();
    let server = std::thread::spawn(move || {
        let mut listener = Some(listener);
        for _ in 0..5 {
            let (stream, _) = listener.take().expect("put back").accept().expect("a client");
            let mut lines = BufReader::new(stream).lines();
            let mut text = String::new();
            while read(&text).events.len() < 100 {
                text += &lines.next().expect("a line").expect("text");
                text.push('\n');
            }
            drop(lines);
            listener = Some(TcpListener::bind(&address).expect("the same port"));
            told.send(text).expect("the test waits");
        }
    });
    let mut all = String::new();
    for round in 0..5 {
        (round * 100..(round + 1) * 100).for_each(|n| emit(&set, n));
        assert!(set.flush(SOON));
        all += &rounds.recv_timeout(SOON).expect("all lines of a round");
    }
    assert_eq!((set.shutdown(SOON), set.written()), (0, 500));
    server.join().expect("no panic");
    let read = read(&all);
    assert!(read.events.iter().copied().eq(0..500), "{read:?}");
}

#[test]
fn a_connection_that_breaks_in_the_middle_of_a_line_tears_none_and_every_event_is_counted() {
    const EVENTS: u64 = 400;
    let (listener, address) = listener();
    let output = Tcp::new(&address).expect("an address").pauses(Duration::from_millis(1), Duration::from_millis(2));
    let set = EmitterSet::start([Emitter::new("tcp").format(Padded(20_000)).output(output)]).expect("it starts");
    let (stop, stopped) = mpsc::channel::<()>();
    let server = std::thread::spawn(move || {
        let mut texts = Vec::new();
        listener.set_nonblocking(true).expect("a socket");
        // Each connection is cut off after some bytes, mostly with more of them under way: a reset.
        for cut in [1, 30_000, 20_001, 19_999, 500_000, 60_000, 7].into_iter().cycle() {
            let stream = loop {
                match listener.accept() {
                    Ok((stream, _)) => break stream,
                    Err(_) if stopped.try_recv().is_err() => std::thread::sleep(Duration::from_millis(1)),
                    Err(_) => return texts,
                }
            };
            stream.set_nonblocking(false).expect("a socket");
            let mut bytes = Vec::new();
            stream.take(cut).read_to_end(&mut bytes).expect("bytes");
            texts.push(String::from_utf8(bytes).expect("text"));
        }
        texts
    });
    for n in 0..EVENTS {
        emit(&set, n);
        if n % 16 == 15 {
            assert!(set.flush(SOON));
        }
    }
    let lost = set.shutdown(SOON);
    let written = set.written();
    stop.send(()).expect("it listens");
    // Ends the last connection, which the server may be reading from.
    drop(set);
    let texts = server.join().expect("no panic");
    assert_eq!(written + lost, EVENTS);
    assert!(texts.len() > 5, "{} connections", texts.len());
    let mut seen = BTreeSet::new();
    for text in texts {
        // A reader drops a last line without its end.
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        let padded: String = whole.lines().map(|line| line.trim_start().to_owned() + "\n").collect();
        let read = read(&padded);
        assert_eq!(read.torn, Vec::<String>::new());
        assert!(whole.lines().all(|line| line.len() == 20_000));
        assert!(read.events.iter().all(|n| seen.insert(*n)), "no line twice");
    }
    assert!(seen.len() as u64 <= written && !seen.is_empty(), "{} of {written}", seen.len());
}

#[test]
fn a_slow_reader_gets_everything() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("server.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let (mut text, mut piece) = (Vec::new(), [0; 70_000]);
        loop {
            match stream.read(&mut piece).expect("bytes") {
                0 => return String::from_utf8(text).expect("text"),
                read => text.extend_from_slice(&piece[..read]),
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let output = UnixSocket::new(&path).expect("a path");
    let set = EmitterSet::start([Emitter::new("unix").format(Padded(3_000)).output(output)]).expect("it starts");
    (0..2_000).for_each(|n| emit(&set, n));
    assert_eq!((set.shutdown(SOON), set.written()), (0, 2_000));
    drop(set);
    let text = server.join().expect("no panic");
    let read = read(&text.lines().map(|line| line.trim_start().to_owned() + "\n").collect::<String>());
    assert!(read.events.into_iter().eq(0..2_000) && read.torn.is_empty());
}

#[test]
fn a_server_that_takes_nothing_keeps_a_direct_emitter_no_longer_than_its_limit() {
    let (listener, address) = listener();
    let limit = Duration::from_millis(20);
    let emitter = Emitter::new("tcp").format(Padded(120_000)).output(Tcp::new(&address).expect("an address"));
    let set = EmitterSet::start([emitter.direct_within(limit)]).expect("it starts");
    let mut longest = Duration::ZERO;
    for n in 0..60 {
        let began = Instant::now();
        emit(&set, n);
        longest = longest.max(began.elapsed());
    }
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    assert_eq!(set.written() + set.lost(), 60);
    // A new connection takes some megabytes again.
    assert!(set.lost_by(LossReason::Blocked) > 0, "the system holds only some of them");
    drop(listener);
}

#[test]
fn a_server_that_does_not_answer_keeps_a_direct_emitter_no_longer_than_its_limit() {
    // A listener of which nobody takes connections, with room for one or two: the next are not answered at all.
    let (listener, address) = listener();
    shorten(&listener);
    let target = listener.local_addr().expect("it is bound");
    let mut filled = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&target, Duration::from_millis(100)) {
        filled.push(stream);
        assert!(filled.len() < 100);
    }
    let output = Tcp::new(&address).expect("an address").connect_within(Duration::from_millis(300));
    let emitter = Emitter::new("tcp").format(Numbered).output(output);
    let set = EmitterSet::start([emitter.direct_within(Duration::from_millis(20))]).expect("it starts");
    for n in 0..20 {
        let began = Instant::now();
        emit(&set, n);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
    assert_eq!((set.written(), set.lost()), (0, 20));
}

#[allow(unsafe_code)]
fn shorten(listener: &TcpListener) {
    use std::os::fd::AsRawFd as _;
    // SAFETY: `listen` takes numbers only; on a socket that listens it changes the length of its queue.
    assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
}

#[test]
fn a_server_that_closes_every_connection_is_not_run_over() {
    let (listener, address) = listener();
    let millis = Duration::from_millis;
    let set = set(Tcp::new(&address).expect("an address").pauses(millis(100), millis(400)));
    let accepted = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            listener.set_nonblocking(true).expect("a socket");
            while !stopped.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok(_) => drop(accepted.fetch_add(1, Ordering::SeqCst)),
                    Err(_) => std::thread::sleep(millis(1)),
                }
            }
        });
        let began = Instant::now();
        let mut events = 0;
        while began.elapsed() < millis(1_500) {
            emit(&set, events);
            events += 1;
            set.flush(SOON);
            std::thread::sleep(millis(2));
        }
        stopped.store(true, Ordering::SeqCst);
        let lost = set.shutdown(SOON);
        assert_eq!(set.written() + lost, events);
    });
    let accepted = accepted.load(Ordering::SeqCst);
    assert!((2..=20).contains(&accepted), "{accepted} connections in 1.5 s");
}

#[test]
fn datagrams_to_a_slow_reader_wait_and_a_restart_of_it_costs_none_that_was_not_taken() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("log.sock");
    let bound = UnixDatagram::bind(&path).expect("a socket");
    let set = set(Syslog::unix(&path).expect("a path").pauses(Duration::from_millis(2), Duration::from_millis(10)));
    let server = std::thread::spawn(move || {
        let (mut socket, mut texts, mut room) = (bound, Vec::new(), [0; 9_000]);
        while texts.len() < 600 {
            socket.set_read_timeout(Some(SOON)).expect("a time");
            let len = socket.recv(&mut room).expect("a datagram");
            texts.push(String::from_utf8(room[..len].to_vec()).expect("text"));
            if texts.len().is_multiple_of(100) {
                // It takes no more, and reads to the end what it has before it goes.
                std::fs::remove_file(&path).expect("its name");
                socket.shutdown(std::net::Shutdown::Read).expect("a socket");
                socket.set_nonblocking(true).expect("a socket");
                while let Ok(len @ 1..) = socket.recv(&mut room) {
                    texts.push(String::from_utf8(room[..len].to_vec()).expect("text"));
                }
                drop(socket);
                socket = UnixDatagram::bind(&path).expect("a socket");
            } else if texts.len().is_multiple_of(10) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        texts
    });
    (0..600).for_each(|n| emit(&set, n));
    let lost = set.shutdown(SOON);
    assert_eq!((set.written(), lost), (600, 0));
    drop(set);
    let texts = server.join().expect("no panic");
    let numbers: Vec<u64> = texts.iter().filter_map(|text| Some(read(text.rsplit(' ').next()?).events[0])).collect();
    assert!(numbers.into_iter().eq(0..600));
}

#[test]
fn a_datagram_that_no_server_would_take_is_counted_and_the_others_are_sent() {
    struct Growing;
    impl Format for Growing {
        fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
            let long = event.get("app_n") == Some(canonlog::Value::U64(1));
            Padded(if long { 100_000 } else { 10 }).format(event, line);
        }
    }
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("it is bound").to_string();
    // No datagram of UDP is that long.
    let output = Syslog::udp(&address).expect("an address").max_message(1 << 20);
    let set = EmitterSet::start([Emitter::new("udp").format(Growing).output(output)]).expect("it starts");
    (0..3).for_each(|n| emit(&set, n));
    assert_eq!((set.shutdown(SOON), set.written()), (1, 2));
    let mut room = [0; 9_000];
    server.set_read_timeout(Some(SOON)).expect("a time");
    for expected in ["<0>", "<2>"] {
        let len = server.recv(&mut room).expect("a datagram");
        assert!(room[..len].ends_with(expected.as_bytes()));
    }
}

#[test]
fn over_udp_nobody_listening_ends_nothing() {
    let nobody = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let millis = Duration::from_millis;
    let output = Syslog::udp(&nobody.to_string()).expect("an address").pauses(millis(1), millis(5));
    let set = set(output.wait_for_server(Duration::ZERO));
    for n in 0..20 {
        emit(&set, n);
        assert!(set.flush(SOON));
    }
    let lost = set.shutdown(SOON);
    assert_eq!(set.written() + lost, 20);
    assert!(lost > 0, "the system says that nobody is there");
}

#[test]
fn each_line_is_a_datagram_and_one_that_is_too_long_is_counted() {
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port");
    server.set_read_timeout(Some(SOON)).expect("a time");
    let address = server.local_addr().expect("it is bound").to_string();
    let mut room = vec![0; 1 << 16];
    let short = set(Udp::new(&address).expect("an address"));
    for n in 0..50 {
        emit(&short, n);
        assert!(short.flush(SOON));
        let len = server.recv(&mut room).expect("a datagram");
        assert_eq!(room[..len], *format!("<{n}>").as_bytes());
    }
    assert_eq!((short.shutdown(SOON), short.written()), (0, 50));
    for (output, lost) in
        [(Udp::new(&address).expect("an address"), 1), (Udp::new(&address).expect("an address").chunked(), 0)]
    {
        let long = EmitterSet::start([Emitter::new("udp").format(Padded(100_000)).output(output)]).expect("it starts");
        emit(&long, 7);
        assert_eq!((long.shutdown(SOON), long.lost_by(LossReason::Io)), (lost, lost));
    }
    let mut whole = Vec::new();
    let mut ids = BTreeSet::new();
    for number in 0..13 {
        let len = server.recv(&mut room).expect("a datagram");
        assert!(len <= 8_192);
        assert_eq!((&room[..2], &room[10..12]), (&[0x1e, 0x0f][..], &[number, 13][..]));
        ids.insert(room[2..10].to_vec());
        whole.extend_from_slice(&room[12..len]);
    }
    assert!(whole.len() == 100_000 && whole.ends_with(b" <7>") && ids.len() == 1);
}
