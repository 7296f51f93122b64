//! A program whose n-th `send`, `connect` or `recv` on the way to a server fails, for every n, for every output that has a server.
//!
//! The linker takes this program's functions for the C library's, as in `failing_writes`. The servers are real ones, of this process.
//! Exits with 0 if the law held in every run.

use std::io::{self, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::Duration;

use canonlog::{Emitter, EmitterSet, Framing, Journald, Output, Syslog, Tcp, Udp, UnixSocket};
use canonlog_tests::numbered::{Numbered, Read, emit, read};

const SOON: Duration = Duration::from_secs(20);
const EVENTS: u64 = 6;

/// What fails: one of the functions below.
static TARGET: AtomicUsize = AtomicUsize::new(0);
const SEND: usize = 1;
const CONNECT: usize = 2;
const RECEIVE: usize = 3;
static CALLS: AtomicUsize = AtomicUsize::new(0);
/// Which call fails; 0 for none.
static NTH: AtomicUsize = AtomicUsize::new(0);
static ERRNO: AtomicI32 = AtomicI32::new(0);
/// How many bytes that call takes; the next fails then.
static SHORT: AtomicUsize = AtomicUsize::new(0);

/// What is to become of a call.
enum Fate {
    Fails,
    /// It takes this many bytes at most.
    Takes(usize),
}

#[allow(unsafe_code)]
fn fate(function: usize) -> Fate {
    if TARGET.load(SeqCst) != function {
        return Fate::Takes(usize::MAX);
    }
    let (call, nth, short) = (CALLS.fetch_add(1, SeqCst) + 1, NTH.load(SeqCst), SHORT.load(SeqCst));
    if nth > 0 && call == nth + usize::from(short > 0) {
        // SAFETY: takes nothing, and gives the thread's place for its last error.
        let last = unsafe { libc::__errno_location() };
        // SAFETY: that place is the thread's as long as it lives.
        unsafe { *last = ERRNO.load(SeqCst) };
        return Fate::Fails;
    }
    Fate::Takes(if short > 0 && call == nth { short } else { usize::MAX })
}

/// As the system's, but for the call that is to fail.
///
/// # Safety
///
/// As the system's: `length` bytes must be readable behind the pointer.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
unsafe extern "C" fn send(fd: i32, bytes: *const libc::c_void, length: usize, flags: i32) -> isize {
    let Fate::Takes(most) = fate(SEND) else { return -1 };
    let nobody = std::ptr::null::<libc::sockaddr>();
    // SAFETY: the caller's buffer, or less of it; without an address this is `send`.
    let sent = unsafe { libc::syscall(libc::SYS_sendto, fd, bytes, length.min(most), flags, nobody, 0) };
    isize::try_from(sent).unwrap_or(-1)
}

/// As the system's, but for the call that is to fail.
///
/// # Safety
///
/// As the system's: `length` bytes must be writable behind the pointer.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
unsafe extern "C" fn recv(fd: i32, bytes: *mut libc::c_void, length: usize, flags: i32) -> isize {
    // The servers wait for what they read, and canonlog does not.
    if flags & libc::MSG_DONTWAIT != 0
        && let Fate::Fails = fate(RECEIVE)
    {
        return -1;
    }
    let nobody = std::ptr::null_mut::<libc::sockaddr>();
    // SAFETY: the caller's buffer; without an address this is `recv`.
    let got = unsafe { libc::syscall(libc::SYS_recvfrom, fd, bytes, length, flags, nobody, nobody) };
    isize::try_from(got).unwrap_or(-1)
}

/// As the system's, but for the call that is to fail.
///
/// # Safety
///
/// As the system's: an address of this length must stand behind the pointer.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
unsafe extern "C" fn connect(fd: i32, address: *const libc::sockaddr, length: libc::socklen_t) -> i32 {
    if let Fate::Fails = fate(CONNECT) {
        return -1;
    }
    // SAFETY: the caller's address.
    let connected = unsafe { libc::syscall(libc::SYS_connect, fd, address, length) };
    i32::try_from(connected).unwrap_or(-1)
}

/// A server, and what it got: each message as one line.
struct Server {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<String>,
}

/// How messages are told apart.
#[derive(Clone, Copy)]
enum Form {
    Lines,
    Counted,
}

/// What a reader makes of a connection's bytes: whole messages.
fn whole(bytes: &[u8], form: Form) -> String {
    let mut text = String::new();
    let mut rest = String::from_utf8_lossy(bytes).into_owned();
    match form {
        Form::Lines => text.push_str(&rest[..rest.rfind('\n').map_or(0, |end| end + 1)]),
        Form::Counted => {
            while let Some((length, after)) = rest.split_once(' ')
                && let Ok(length) = length.parse::<usize>()
                && after.len() >= length
            {
                text.push_str(&after[..length]);
                text.push('\n');
                rest = after[length..].to_owned();
            }
        }
    }
    text
}

impl Server {
    /// One that takes connections, one after the other or at once.
    fn of_streams<S: io::Read + Send + 'static>(
        form: Form,
        mut accept: impl FnMut() -> io::Result<S> + Send + 'static,
    ) -> Server {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut connections = Vec::new();
            loop {
                let last = stopped.load(SeqCst);
                match accept() {
                    Ok(mut stream) => connections.push(std::thread::spawn(move || {
                        let mut bytes = Vec::new();
                        let _ = stream.read_to_end(&mut bytes);
                        whole(&bytes, form)
                    })),
                    Err(_) if last => break,
                    Err(_) => std::thread::sleep(Duration::from_micros(200)),
                }
            }
            connections.into_iter().map(|connection| connection.join().unwrap_or_default()).collect()
        });
        Server { stop, thread }
    }

    /// One that takes datagrams.
    fn of_datagrams(mut receive: impl FnMut(&mut [u8]) -> io::Result<usize> + Send + 'static) -> Server {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (mut text, mut room) = (String::new(), vec![0; 1 << 16]);
            loop {
                let last = stopped.load(SeqCst);
                match receive(&mut room) {
                    Ok(len) => {
                        let datagram = String::from_utf8_lossy(&room[..len]);
                        // Of an entry of the journal, its text.
                        let message = datagram.lines().find_map(|line| line.strip_prefix("MESSAGE="));
                        text.push_str(message.unwrap_or(&datagram));
                        text.push('\n');
                    }
                    Err(_) if last => return text,
                    Err(_) => {}
                }
            }
        });
        Server { stop, thread }
    }

    fn end(self) -> String {
        self.stop.store(true, SeqCst);
        self.thread.join().unwrap_or_default()
    }
}

/// The outputs that are tried, and whether they are streams.
const OUTPUTS: [(&str, bool); 8] = [
    ("tcp", true),
    ("unix", true),
    ("syslog tcp", true),
    ("syslog stream", true),
    ("udp", false),
    ("syslog udp", false),
    ("syslog datagram", false),
    ("journald", false),
];

macro_rules! quick {
    ($output:expr) => {
        Arc::new($output.map_err(|error| error.to_string())?.pauses(Duration::from_millis(1), Duration::from_millis(2)))
    };
}

fn start(name: &str, socket: &Path) -> Result<(Arc<dyn Output>, Server), String> {
    const LOOK: Duration = Duration::from_millis(2);
    let told = |error: io::Error| error.to_string();
    let _ = std::fs::remove_file(socket);
    let form = if name == "syslog tcp" { Form::Counted } else { Form::Lines };
    let (server, port) = match name {
        "tcp" | "syslog tcp" => {
            let listener = TcpListener::bind("127.0.0.1:0").map_err(told)?;
            listener.set_nonblocking(true).map_err(told)?;
            let port = listener.local_addr().map_err(told)?.to_string();
            let accept = move || {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(false).map(|()| stream)
            };
            (Server::of_streams(form, accept), port)
        }
        "unix" | "syslog stream" => {
            let listener = UnixListener::bind(socket).map_err(told)?;
            listener.set_nonblocking(true).map_err(told)?;
            let accept = move || {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(false).map(|()| stream)
            };
            (Server::of_streams(form, accept), String::new())
        }
        "udp" | "syslog udp" => {
            let server = UdpSocket::bind("127.0.0.1:0").map_err(told)?;
            server.set_read_timeout(Some(LOOK)).map_err(told)?;
            let port = server.local_addr().map_err(told)?.to_string();
            (Server::of_datagrams(move |room| server.recv(room)), port)
        }
        _ => {
            let server = UnixDatagram::bind(socket).map_err(told)?;
            server.set_read_timeout(Some(LOOK)).map_err(told)?;
            (Server::of_datagrams(move |room| server.recv(room)), String::new())
        }
    };
    let output: Arc<dyn Output> = match name {
        "tcp" => quick!(Tcp::new(&port)),
        "unix" => quick!(UnixSocket::new(socket)),
        "syslog tcp" => quick!(Syslog::tcp(&port).map(|syslog| syslog.framing(Framing::OctetCounting))),
        "udp" => quick!(Udp::new(&port)),
        "syslog udp" => quick!(Syslog::udp(&port)),
        "journald" => quick!(Journald::at(socket)),
        _ => quick!(Syslog::unix(socket)),
    };
    Ok((output, server))
}

/// One run.
#[derive(Clone, Copy, Debug)]
struct Fault {
    function: usize,
    nth: usize,
    errno: i32,
    short: usize,
}

/// Lets a call fail; how many calls there were, or what broke the law.
fn run(name: &str, stream: bool, socket: &Path, direct: bool, fault: Fault) -> Result<usize, String> {
    let (output, server) = start(name, socket)?;
    let emitter = Emitter::new("tried").format(Numbered).output(output);
    let set =
        EmitterSet::start([if direct { emitter.direct() } else { emitter }]).map_err(|error| error.to_string())?;
    ERRNO.store(fault.errno, SeqCst);
    SHORT.store(fault.short, SeqCst);
    CALLS.store(0, SeqCst);
    NTH.store(fault.nth, SeqCst);
    TARGET.store(fault.function, SeqCst);
    for n in 0..EVENTS {
        emit(&set, n);
        if n % 3 == 2 && !set.flush(SOON) {
            return Err("a flush does not end".to_owned());
        }
    }
    let calls = CALLS.load(SeqCst);
    TARGET.store(0, SeqCst);
    emit(&set, EVENTS);
    let flushed = set.flush(SOON);
    let lost = set.shutdown(SOON);
    let written = set.written();
    drop(set);
    let got = server.end();
    // Behind the header of syslog.
    let texts: String =
        got.lines().map(|line| line.split_once(" - ").map_or(line, |(_, text)| text).to_owned() + "\n").collect();
    let Read { events, reported, torn } = read(&texts);
    // What no datagram holds is the one thing that another connection does not mend.
    let mends = stream || fault.errno != libc::EMSGSIZE;
    for (holds, law) in [
        (flushed, "the flush ends"),
        (written + lost == EVENTS + 1, "answered is written and lost"),
        (events.len() as u64 == written, "what is counted as written has arrived"),
        (events.windows(2).all(|two| two[0] < two[1]), "each once, in order"),
        (reported == lost && torn.is_empty(), "what was lost is told in the stream, and nothing is torn"),
        (events.last() == Some(&EVENTS), "it goes on"),
        (lost == 0 || !mends, "another connection takes what one did not"),
    ] {
        if !holds {
            return Err(format!("not so: {law}; {written} written, {lost} lost: {got:?}"));
        }
    }
    Ok(calls)
}

fn at_every_call(name: &str, stream: bool, socket: &Path, direct: bool, fault: Fault) -> Result<usize, String> {
    for nth in 1..100 {
        let fault = Fault { nth, ..fault };
        let calls = run(name, stream, socket, direct, fault);
        if calls.map_err(|law| format!("{name}, direct {direct}, {fault:?}: {law}"))? < nth {
            return Ok(nth - 1);
        }
    }
    Err("it never ends".to_owned())
}

fn all(socket: &Path) -> Result<usize, String> {
    use libc::{EACCES, EAGAIN, ECONNREFUSED, ECONNRESET, EHOSTUNREACH, EINTR, EIO, EMFILE, EMSGSIZE, ENOBUFS, ENOENT};
    use libc::{ENOMEM, ENOTCONN, EPERM, EPIPE, ETIMEDOUT};
    let mut tried = 0;
    for (name, stream) in OUTPUTS {
        // Without a queue it is the same way but for its beginning: one of each kind will do.
        let ways: &[bool] = if matches!(name, "tcp" | "syslog datagram") { &[false, true] } else { &[false] };
        for direct in ways.iter().copied() {
            let mut faults = Vec::new();
            let mut add = |function, short, errnos: &[i32]| {
                faults.extend(errnos.iter().map(|errno| Fault { function, nth: 0, errno: *errno, short }));
            };
            add(SEND, 0, &[EPIPE, ECONNRESET, ETIMEDOUT, ENOTCONN, EHOSTUNREACH, EIO, ENOMEM, EPERM, EINTR, EAGAIN]);
            // For the journal these mean that it is too long, and it goes another way.
            if name != "journald" {
                add(SEND, 0, &[ENOBUFS, EMSGSIZE]);
            }
            if stream {
                add(SEND, 1, &[EPIPE, ECONNRESET, EINTR, EAGAIN]);
                add(SEND, 5, &[ECONNRESET, EIO, EINTR, ENOBUFS]);
            }
            add(CONNECT, 0, &[ECONNREFUSED, ETIMEDOUT, EAGAIN, ENOENT, EACCES, EMFILE]);
            if stream {
                add(RECEIVE, 0, &[ECONNRESET, ENOTCONN, EIO, EINTR]);
            }
            for fault in faults {
                tried += at_every_call(name, stream, socket, direct, fault)?;
            }
        }
    }
    Ok(tried)
}

fn main() {
    let socket = std::env::args().nth(1).unwrap_or_default();
    let told = match all(Path::new(&socket)) {
        Ok(tried) => format!("tried {tried}\n"),
        Err(law) => law + "\n",
    };
    let _ = std::io::stderr().write_all(told.as_bytes());
}
