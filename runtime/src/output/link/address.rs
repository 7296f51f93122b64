//! Where a server is, and how it is reached.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::socket::Socket;
use crate::sys::{clocks, socket};

/// A text or path that is no address of a server.
///
/// ```
/// let error = canonlog::Syslog::tcp("loghost").expect_err("which port?");
/// assert_eq!(error.to_string(), "`loghost` has no port; write `loghost:601`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError {
    got: String,
    problem: String,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.got, self.problem)
    }
}

impl std::error::Error for AddressError {}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::output) enum Address {
    Tcp(String),
    Udp(String),
    UnixStream(PathBuf),
    UnixDatagram(PathBuf),
    /// A socket that takes datagrams, or else one that takes a stream.
    Unix(PathBuf),
}

/// A server whose system acknowledges nothing for this long is gone.
const SILENT: Duration = Duration::from_secs(30);

/// The longest path of a unix socket: 108 bytes with the zero at its end.
const LONGEST_PATH: usize = 107;

/// Reads `host:port`; `usual` is the port to suggest where there is none.
pub(in crate::output) fn host_and_port(text: &str, usual: &str) -> Result<String, AddressError> {
    let error = |problem: String| Err(AddressError { got: shown(text), problem });
    if let Some((_, rest)) = text.split_once("://") {
        return error(format!("is a URL; write `{}`", shown(rest.trim_end_matches('/'))));
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/') {
        return error(format!("is not the name of a host and a port; write them as in `localhost:{usual}`"));
    }
    let inside = |text: &str| text.parse::<std::net::Ipv6Addr>().is_ok();
    if inside(text) {
        return error(format!("has no port; write `[{}]:{usual}`", shown(text)));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        let host = if text.is_empty() { "localhost".to_owned() } else { shown(text) };
        return error(format!("has no port; write `{host}:{usual}`"));
    };
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(host) if inside(host) => {}
        None if !host.is_empty() && !host.contains([':', '[', ']']) => {}
        None if host.is_empty() => return error(format!("has no host; write `localhost:{}`", shown(port))),
        _ => {
            return error(format!("is not the name of a host and a port; write an IPv6 address as in `[::1]:{usual}`"));
        }
    }
    match port.parse::<u16>() {
        Ok(1..) => Ok(text.to_owned()),
        _ => error(format!("has no port of 1 to 65535; write `{}:{usual}`", shown(host))),
    }
}

/// Checks the path of a unix socket. One that begins at the directory in which the program is leads there still when the program has left
/// it, unless it would be too long.
pub(in crate::output) fn socket_path(path: &Path) -> Result<PathBuf, AddressError> {
    let bytes = path.as_os_str().as_bytes();
    let problem = if bytes.is_empty() {
        "is no path; write that of a socket, as in `/dev/log`".to_owned()
    } else if bytes.contains(&0) {
        "has a zero byte in it, which no path may have".to_owned()
    } else if bytes.len() > LONGEST_PATH {
        format!("has {} bytes, and the path of a socket at most {LONGEST_PATH}; write a shorter one", bytes.len())
    } else {
        let whole = std::path::absolute(path).ok().filter(|whole| whole.as_os_str().len() <= LONGEST_PATH);
        return Ok(whole.unwrap_or_else(|| path.to_owned()));
    };
    Err(AddressError { got: shown(&path.to_string_lossy()), problem })
}

fn shown(text: &str) -> String {
    text.chars().take(128).map(|c| if c.is_control() { '?' } else { c }).collect()
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(to) | Address::Udp(to) => f.write_str(to),
            Address::UnixStream(path) | Address::UnixDatagram(path) | Address::Unix(path) => path.display().fmt(f),
        }
    }
}

impl Address {
    /// Whether the server's system says what has arrived.
    pub(super) fn is_tcp(&self) -> bool {
        matches!(self, Address::Tcp(_))
    }

    /// Reaches the server. Names are looked up and unix sockets connected to for as long as the system takes.
    pub(super) fn connect(&self, limit: Duration) -> io::Result<Socket> {
        match self {
            Address::Tcp(to) => tcp(to, limit),
            Address::Udp(to) => udp(to),
            Address::UnixStream(path) => UnixStream::connect(path).map(Socket::UnixStream),
            Address::UnixDatagram(path) => datagram(path),
            Address::Unix(path) => match datagram(path) {
                Err(error) if error.raw_os_error() == Some(libc::EPROTOTYPE) => {
                    UnixStream::connect(path).map(Socket::UnixStream)
                }
                other => other,
            },
        }
    }
}

fn datagram(path: &Path) -> io::Result<Socket> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    Ok(Socket::UnixDatagram(socket))
}

fn tcp(to: &str, limit: Duration) -> io::Result<Socket> {
    first_of(&to.to_socket_addrs()?.collect::<Vec<_>>(), limit)
}

/// Tries each address of a name. One that nobody answers at leaves their share of the time to the others.
fn first_of(addresses: &[SocketAddr], limit: Duration) -> io::Result<Socket> {
    let mut last = no_address();
    let deadline = clocks::within(limit);
    for (at, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let others = u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
        match TcpStream::connect_timeout(address, (left / others).max(Duration::from_millis(1))) {
            // A port that nobody listens on, of those that the system gives out: it was given to this very socket.
            Ok(stream) if stream.local_addr().ok() == stream.peer_addr().ok() => {
                last = ErrorKind::ConnectionRefused.into();
            }
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                socket::give_up_after(stream.as_fd(), SILENT);
                return Ok(Socket::Tcp(stream));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn udp(to: &str) -> io::Result<Socket> {
    let mut last = no_address();
    for address in to.to_socket_addrs()? {
        let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        match UdpSocket::bind(any).and_then(|socket| socket.connect(address).map(|()| socket)) {
            Ok(socket) => return Ok(Socket::Udp(socket)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn no_address() -> io::Error {
    io::Error::new(ErrorKind::NotFound, "the name has no address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_said_with_what_to_write() {
        let cases = [
            ("loghost", "`loghost` has no port; write `loghost:514`"),
            ("", "`` has no port; write `localhost:514`"),
            (":514", "`:514` has no host; write `localhost:514`"),
            ("loghost:", "`loghost:` has no port of 1 to 65535; write `loghost:514`"),
            ("loghost:0", "`loghost:0` has no port of 1 to 65535; write `loghost:514`"),
            ("loghost:70000", "`loghost:70000` has no port of 1 to 65535; write `loghost:514`"),
            ("::1", "`::1` has no port; write `[::1]:514`"),
            ("tcp://loghost:601/", "`tcp://loghost:601/` is a URL; write `loghost:601`"),
            ("log host:1", "`log host:1` is not the name of a host and a port; write them as in `localhost:514`"),
            ("::1:x:2", "`::1:x:2` is not the name of a host and a port; write an IPv6 address as in `[::1]:514`"),
        ];
        for (text, told) in cases {
            assert_eq!(host_and_port(text, "514").expect_err(text).to_string(), told);
        }
        for text in ["loghost:514", "127.0.0.1:1", "[::1]:65535"] {
            assert_eq!(host_and_port(text, "514").as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_path_that_no_socket_can_have_is_an_error() {
        let long = "/".to_owned() + &"x".repeat(107);
        let told = |path: &str| socket_path(Path::new(path)).expect_err(path).to_string();
        assert!(told(&long).ends_with("has 108 bytes, and the path of a socket at most 107; write a shorter one"));
        assert!(told("").starts_with("`` is no path; write that of a socket"));
        assert!(told("a\0b").starts_with("`a?b` has a zero byte"));
        assert_eq!(socket_path(Path::new(&long[..107])), Ok(PathBuf::from(&long[..107])));
        // The program may leave the directory in which it is.
        let here = std::env::current_dir().expect("it is somewhere");
        assert_eq!(socket_path(Path::new("log.sock")), Ok(here.join("log.sock")));
        assert_eq!(socket_path(Path::new(&long[1..])), Ok(PathBuf::from(&long[1..])), "it would be too long");
    }

    #[test]
    fn an_address_that_nobody_answers_at_leaves_time_for_the_next() {
        let listen = || std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let (silent, there) = (listen(), listen());
        let address = |listener: &std::net::TcpListener| listener.local_addr().expect("it is bound");
        // Of one that has no room for more, nobody hears.
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address(&silent), Duration::from_millis(300)) {
            waiting.push(stream);
        }
        let both = [address(&silent), address(&there)];
        let Socket::Tcp(ref reached) = first_of(&both, Duration::from_secs(2)).expect("the second answers") else {
            panic!("it is TCP")
        };
        assert_eq!(reached.peer_addr().ok(), Some(address(&there)));
    }

    #[test]
    fn a_port_that_nobody_listens_on_is_never_connected_to_itself() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr()).expect("a port");
        for _ in 0..2_000 {
            let error = tcp(&free.to_string(), Duration::from_secs(1)).map(|_| ()).expect_err("nobody listens");
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        }
    }
}
