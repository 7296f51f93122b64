use std::cell::Cell;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use super::*;

const SOON: Duration = Duration::from_secs(20);

/// Lines as they are; before some send, something happens.
struct Lines<F>(Cell<usize>, F);

impl<F: Fn(usize)> Lines<F> {
    fn with(before: F) -> Self {
        Lines(Cell::new(0), before)
    }
}

impl<F: Fn(usize)> Protocol for Lines<F> {
    fn encode(&self, line: &[u8], _: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }

    fn send(&self, socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
        (self.1)(self.0.replace(self.0.get() + 1));
        socket.send(bytes)
    }
}

fn plainly() -> Lines<impl Fn(usize)> {
    Lines::with(|_| ())
}

fn server() -> (TcpListener, Link) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = Address::Tcp(listener.local_addr().expect("it is bound").to_string());
    let millis = Duration::from_millis;
    (listener, Link::new(address).with(|options| options.pauses = (millis(1), millis(2))))
}

fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().expect("a client");
    stream.set_read_timeout(Some(SOON)).expect("a time");
    stream
}

fn write(link: &Link, text: &str, protocol: &impl Protocol) -> Result<(), WriteError> {
    link.write(Batch::new(text.as_bytes(), text.lines().count() as u64), protocol)
}

/// A server whose connection has brought a line already.
fn connected() -> (TcpListener, Link, Cell<Option<TcpStream>>) {
    let (listener, link) = server();
    let first = std::thread::scope(|scope| {
        let accepted = scope.spawn(|| accept(&listener));
        write(&link, "one\n", &plainly()).expect("a server");
        accepted.join().expect("no panic")
    });
    assert_eq!(next_line(&first), "one\n");
    (listener, link, Cell::new(Some(first)))
}

/// What comes, to its end.
fn all_of(mut stream: &TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("text");
    text
}

fn next_line(stream: &TcpStream) -> String {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("a line");
    line
}

#[test]
fn a_connection_that_the_server_closed_before_its_first_line_swallows_none() {
    let (listener, link) = server();
    let late = Batch::new(b"late\n", 1).within(Duration::ZERO);
    assert_eq!(link.write(late, &plainly()).expect_err("no time").source.kind(), ErrorKind::TimedOut);
    // The attempt goes on by itself; then nobody wants the connection for a while.
    drop(accept(&listener));
    while !link.here().contact.has_fresh() {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::scope(|scope| {
        let read = scope.spawn(|| next_line(&accept(&listener)));
        write(&link, "one\n", &plainly()).expect("a server");
        assert_eq!(read.join().expect("no panic"), "one\n");
    });
}

#[test]
fn lines_that_the_system_took_for_a_connection_that_was_closed_meanwhile_are_sent_again() {
    for at_the_end in [false, true] {
        let (listener, link, first) = connected();
        // It closes after it was asked whether it had, and before the line comes: the system takes that all the same.
        write(&link, "two\nthree\n", &Lines::with(|_| drop(first.take()))).expect("it is taken");
        std::thread::scope(|scope| {
            let read = scope.spawn(|| all_of(&accept(&listener)));
            match at_the_end {
                true => link.flush(&plainly()).expect("a server"),
                false => write(&link, "four\n", &plainly()).expect("a server"),
            }
            link.reopen().expect("nobody has it");
            let more = if at_the_end { "" } else { "four\n" };
            assert_eq!(read.join().expect("no panic"), format!("two\nthree\n{more}"));
        });
    }
}

#[test]
fn what_a_server_that_dies_had_not_taken_goes_to_the_next_and_nothing_twice() {
    let (listener, link) = server();
    let lines = |numbers: std::ops::Range<usize>| -> String { numbers.map(|n| format!("{n:099}\n")).collect() };
    let died = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        let server = scope.spawn(|| {
            let mut stream = accept(&listener);
            // As much as one that is slow has read when it is killed.
            let mut read = vec![0; 100 * 100];
            stream.read_exact(&mut read).expect("lines");
            // Until its system takes no more, nor does ours.
            let second = loop {
                let before = unread(&stream);
                std::thread::sleep(Duration::from_millis(20));
                if unread(&stream) == before && before > 0 {
                    drop(stream);
                    died.store(true, SeqCst);
                    break accept(&listener);
                }
            };
            let mut rest = String::new();
            let mut second = second;
            second.read_to_string(&mut rest).expect("text");
            (String::from_utf8(read).expect("text"), rest)
        });
        let (mut batches, mut after) = (0, 0);
        while after < 3 {
            after += usize::from(died.load(SeqCst));
            write(&link, &lines(batches * 1_000..(batches + 1) * 1_000), &plainly()).expect("it waits for the server");
            batches += 1;
        }
        link.reopen().expect("nobody has it");
        let (read, rest) = server.join().expect("no panic");
        assert_eq!(read, lines(0..100));
        let from: usize = rest.lines().next().expect("a line").parse().expect("a number");
        assert_eq!(rest, lines(from..batches * 1_000), "from one of them on each, in order");
        // What lay at the server unread is lost with it; not what lay here.
        assert!(from >= 100, "{from}");
    });
}

/// How much lies unread.
fn unread(stream: &TcpStream) -> usize {
    let mut room = vec![0; 16 << 20];
    stream.peek(&mut room).expect("bytes")
}

#[test]
fn a_server_that_takes_nothing_is_left_and_what_it_did_not_take_goes_to_the_next() {
    let (listener, link) = server();
    let link = link.with(|options| options.stall = Duration::from_secs(1));
    let line = "x".repeat(9_999) + "\n";
    std::thread::scope(|scope| {
        let server = scope.spawn(|| {
            let stuck = accept(&listener);
            let mut second = accept(&listener);
            let mut rest = String::new();
            second.read_to_string(&mut rest).expect("text");
            drop(stuck);
            rest
        });
        (0..2_000).for_each(|_| write(&link, &line, &plainly()).expect("the second takes it"));
        link.reopen().expect("nobody has it");
        let rest = server.join().expect("no panic");
        assert!(rest.lines().all(|line| line.len() == 9_999) && rest.ends_with('\n'));
        // Less than what the first one's system has taken.
        assert!((1_000..2_000).contains(&rest.lines().count()), "{}", rest.lines().count());
    });
}

/// Breaks off each time.
struct Broken;

impl Protocol for Broken {
    fn encode(&self, line: &[u8], stream: bool, out: &mut Vec<u8>) {
        plainly().encode(line, stream, out);
    }

    fn send(&self, _: &Socket, _: &[u8]) -> io::Result<usize> {
        Err(ErrorKind::ConnectionReset.into())
    }
}

#[test]
fn lines_that_no_server_takes_are_given_up_and_keep_none_of_those_after_them() {
    let (listener, link) = server();
    let first = std::thread::scope(|scope| {
        let accepted = scope.spawn(|| accept(&listener));
        link.flush(&plainly()).expect("nothing to send");
        write(&link, "one\n", &plainly()).expect("a server");
        accepted.join().expect("no panic")
    });
    assert_eq!(next_line(&first), "one\n");
    let first = Cell::new(Some(first));
    write(&link, "two\n", &Lines::with(|_| drop(first.take()))).expect("it is taken");
    let error = write(&link, "three\n", &Broken).expect_err("no connection takes it");
    assert_eq!((error.written, error.source.kind()), (0, ErrorKind::ConnectionReset));
    std::thread::scope(|scope| {
        let read = scope.spawn(|| {
            (0..FRUITLESS).for_each(|_| drop(accept(&listener)));
            next_line(&accept(&listener))
        });
        write(&link, "four\n", &plainly()).expect("a server");
        assert_eq!(read.join().expect("no panic"), "four\n");
    });
}

#[test]
fn a_server_that_talks_does_not_cost_the_last_lines() {
    let (listener, link) = server();
    let mut server = std::thread::scope(|scope| {
        let accepted = scope.spawn(|| accept(&listener));
        let line = "x".repeat(9_999) + "\n";
        (0..200).for_each(|_| write(&link, &line, &plainly()).expect("it takes it"));
        accepted.join().expect("no panic")
    });
    server.write_all(b"what a lot").expect("it takes that");
    link.reopen().expect("nobody has it");
    let mut read = Vec::new();
    server.read_to_end(&mut read).expect("no reset");
    assert_eq!(read.len(), 200 * 10_000);
}

#[test]
fn a_unix_socket_says_at_once_that_nobody_reads() {
    let path = std::env::temp_dir().join(format!("canonlog-link-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).expect("a socket");
    let link = Link::new(Address::UnixStream(path.clone())).with(|options| options.pauses.0 = Duration::from_millis(1));
    let accept = || listener.accept().expect("a client").0;
    let first = std::thread::scope(|scope| {
        let accepted = scope.spawn(accept);
        write(&link, "one\n", &plainly()).expect("a server");
        accepted.join().expect("no panic")
    });
    let mut text = [0; 4];
    (&first).read_exact(&mut text).expect("a line");
    let first = Cell::new(Some(first));
    std::thread::scope(|scope| {
        let read = scope.spawn(|| {
            let mut line = String::new();
            BufReader::new(accept()).read_line(&mut line).expect("a line");
            line
        });
        write(&link, "two\n", &Lines::with(|_| drop(first.take()))).expect("the next takes it");
        assert_eq!(read.join().expect("no panic"), "two\n");
    });
    std::fs::remove_file(&path).expect("its name");
}

#[test]
fn lines_that_a_dead_connection_took_are_sent_again_after_it_was_reopened_too() {
    let (listener, link, first) = connected();
    write(&link, "two\n", &Lines::with(|_| drop(first.take()))).expect("it is taken");
    link.reopen().expect("nobody has it");
    std::thread::scope(|scope| {
        let read = scope.spawn(|| all_of(&accept(&listener)));
        write(&link, "three\n", &plainly()).expect("a server");
        link.reopen().expect("nobody has it");
        assert_eq!(read.join().expect("no panic"), "two\nthree\n");
    });
}
