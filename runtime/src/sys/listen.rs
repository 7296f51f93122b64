//! How many connections wait to be accepted.
//!
//! TCP says so in `TCP_INFO`, whose "unacknowledged" count is the accept queue on a listening socket; unix sockets only through
//! the kernel's socket diagnosis. Descriptors are named by number and never kept open: a copy of a listener would keep its port
//! taken after the program has closed it. A number that was closed and given away meanwhile is read, never changed.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::io;

/// A socket, as long as its number still means it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Socket {
    pub(crate) fd: c_int,
    pub(crate) inode: u64,
}

#[cfg(not(target_os = "linux"))]
mod measure {
    use super::*;

    impl Socket {
        pub(crate) fn of(_fd: c_int) -> io::Result<Socket> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    pub(crate) fn listening() -> Vec<Socket> {
        Vec::new()
    }

    #[derive(Debug, Default)]
    pub(crate) struct Meter {}

    impl Meter {
        pub(crate) fn backlog(&mut self, _socket: Socket) -> io::Result<u32> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}

#[cfg(target_os = "linux")]
mod measure {
    use std::os::fd::{FromRawFd, OwnedFd};
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::UnixDatagram;
    use std::time::Duration;

    use super::*;

    impl Socket {
        /// The socket that this number means now.
        pub(crate) fn of(fd: c_int) -> io::Result<Socket> {
            Ok(Socket { fd, inode: std::fs::metadata(format!("/proc/self/fd/{fd}"))?.ino() })
        }
    }

    /// All listening sockets of the process, each once.
    pub(crate) fn listening() -> Vec<Socket> {
        let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
        let fds = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        // Most descriptors are told apart by one system call; only listeners cost a second one.
        let listeners = fds.filter(|fd| option(*fd, libc::SOL_SOCKET, libc::SO_ACCEPTCONN).is_ok_and(|is| is != 0));
        let mut sockets: Vec<Socket> = listeners.filter_map(|fd| Socket::of(fd).ok()).collect();
        sockets.sort_by_key(|socket| (socket.inode, socket.fd));
        sockets.dedup_by_key(|socket| socket.inode);
        sockets
    }

    /// Reads accept queues.
    #[derive(Debug, Default)]
    pub(crate) struct Meter {
        /// A socket to the kernel's socket diagnosis, made when the first unix listener is seen.
        diagnosis: Option<UnixDatagram>,
    }

    impl Meter {
        /// How many connections wait on a listener.
        ///
        /// # Errors
        ///
        /// If the socket was closed, does not listen, or is of a kind that cannot be measured.
        pub(crate) fn backlog(&mut self, socket: Socket) -> io::Result<u32> {
            if Socket::of(socket.fd)? != socket {
                return Err(io::ErrorKind::NotFound.into());
            }
            match option(socket.fd, libc::SOL_SOCKET, libc::SO_DOMAIN)? {
                libc::AF_INET | libc::AF_INET6 => tcp(socket.fd),
                libc::AF_UNIX => self.unix(socket.inode),
                _ => Err(io::ErrorKind::Unsupported.into()),
            }
        }

        fn unix(&mut self, inode: u64) -> io::Result<u32> {
            let diagnosis = match self.diagnosis.take() {
                Some(open) => open,
                None => diagnosis()?,
            };
            let inode = u32::try_from(inode).map_err(|_| io::ErrorKind::InvalidInput)?;
            diagnosis.send(&request(inode))?;
            let mut answer = [0; 1024];
            let len = diagnosis.recv(&mut answer)?;
            let backlog = queue(&answer[..len], inode);
            // After an error the socket is dropped, so that a late answer is never taken for the next one.
            self.diagnosis = backlog.is_ok().then_some(diagnosis);
            backlog
        }
    }

    fn tcp(fd: c_int) -> io::Result<u32> {
        const STATE: usize = 0;
        const LISTEN: u8 = 10;
        const UNACKED: usize = 24;
        let mut info = [0; 32];
        let len = read_option(fd, libc::IPPROTO_TCP, libc::TCP_INFO, &mut info)?;
        match info[..len].get(UNACKED..).and_then(|rest| rest.first_chunk()) {
            Some(unacked) if info[STATE] == LISTEN => Ok(u32::from_ne_bytes(*unacked)),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    const HEADER: usize = 16;
    const REQUEST: usize = 24;
    const MESSAGE: usize = 16;
    const BY_FAMILY: u16 = 20;
    const SHOW_QUEUES: u32 = 0x10;
    const QUEUES: u16 = 4;

    /// Asks for the queues of one unix socket: `nlmsghdr`, then `unix_diag_req`.
    fn request(inode: u32) -> [u8; HEADER + REQUEST] {
        let mut message = [0; HEADER + REQUEST];
        message[0..4].copy_from_slice(&((HEADER + REQUEST) as u32).to_ne_bytes());
        message[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
        message[6..8].copy_from_slice(&(libc::NLM_F_REQUEST as u16).to_ne_bytes());
        message[HEADER] = libc::AF_UNIX as u8;
        message[20..24].copy_from_slice(&u32::MAX.to_ne_bytes()); // in any state
        message[24..28].copy_from_slice(&inode.to_ne_bytes());
        message[28..32].copy_from_slice(&SHOW_QUEUES.to_ne_bytes());
        message[32..40].fill(0xff); // whatever its cookie
        message
    }

    /// Reads the answer: `nlmsghdr`, `unix_diag_msg`, then attributes, one of which holds both queue lengths.
    fn queue(answer: &[u8], inode: u32) -> io::Result<u32> {
        let word = |at: usize| answer.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_ne_bytes);
        let half = |at: usize| answer.get(at..at + 2).and_then(|half| half.try_into().ok()).map(u16::from_ne_bytes);
        let refused = || io::Error::from(io::ErrorKind::InvalidData);
        if half(4) == Some(libc::NLMSG_ERROR as u16) {
            let code = word(HEADER).ok_or_else(refused)? as i32;
            return Err(io::Error::from_raw_os_error(code.saturating_neg()));
        }
        if half(4) != Some(BY_FAMILY) || word(HEADER + 4) != Some(inode) {
            return Err(refused());
        }
        let mut at = HEADER + MESSAGE;
        while let (Some(len), Some(kind)) = (half(at), half(at + 2)) {
            if kind == QUEUES {
                return word(at + 4).ok_or_else(refused);
            }
            if len < 4 {
                break;
            }
            at += usize::from(len).next_multiple_of(4);
        }
        Err(refused())
    }

    /// A socket to the kernel's socket diagnosis, which answers at once; it is never waited for longer than a moment.
    fn diagnosis() -> io::Result<UnixDatagram> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: `socket` takes no pointers.
        let fd = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_SOCK_DIAG) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `fd` is open, as `socket` has just returned it, and nothing else owns it or closes it.
        let owned = unsafe { OwnedFd::from_raw_fd(fd) };
        // Of this type only `send`, `recv` and the time limit are used, which are the same for any datagram socket.
        let socket = UnixDatagram::from(owned);
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        Ok(socket)
    }

    /// One integer option of a socket.
    fn option(fd: c_int, level: c_int, name: c_int) -> io::Result<c_int> {
        let mut value = [0; 4];
        match read_option(fd, level, name, &mut value)? {
            4 => Ok(c_int::from_ne_bytes(value)),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Reads an option into `value`, and says how many of its bytes were filled.
    fn read_option(fd: c_int, level: c_int, name: c_int, value: &mut [u8]) -> io::Result<usize> {
        let mut len = libc::socklen_t::try_from(value.len()).unwrap_or(libc::socklen_t::MAX);
        let (into, filled) = (value.as_mut_ptr(), &raw mut len);
        // SAFETY: `into` points to `len` writable bytes and `filled` to a writable `socklen_t`, both alive during the call, and
        // the kernel writes at most `len` bytes; a number that is no socket, or not open, is refused with an error.
        let outcome = unsafe { libc::getsockopt(fd, level, name, into.cast(), filled) };
        if outcome == 0 { Ok(value.len().min(len as usize)) } else { Err(io::Error::last_os_error()) }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_answer_that_is_cut_anywhere_is_an_error_and_not_a_panic() {
            let mut answer = vec![0; HEADER + MESSAGE];
            answer[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
            answer[20..24].copy_from_slice(&7_u32.to_ne_bytes());
            answer.extend([5_u16.to_ne_bytes(), 6_u16.to_ne_bytes()].concat());
            answer.extend([1, 0, 0, 0]); // an attribute of one byte, and its padding
            answer.extend([12_u16.to_ne_bytes(), QUEUES.to_ne_bytes()].concat());
            answer.extend(3_u32.to_ne_bytes());
            assert_eq!(queue(&answer, 7).expect("whole"), 3);
            assert!(queue(&answer, 8).is_err(), "another socket's");
            for len in 0..answer.len() {
                assert!(queue(&answer[..len], 7).is_err(), "cut at {len}");
            }
        }

        #[test]
        fn the_kernel_says_no_where_there_is_no_such_socket() {
            let error = Meter::default().unix(u64::from(u32::MAX)).expect_err("no such inode");
            assert!(matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::Unsupported), "{error}");
        }
    }
}

pub(crate) use measure::{Meter, listening};

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    fn backlog(fd: c_int) -> io::Result<u32> {
        Meter::default().backlog(Socket::of(fd)?)
    }

    #[test]
    fn connections_that_nobody_accepted_are_the_backlog_of_a_tcp_listener() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let clients: Vec<_> = (0..5).map(|_| TcpStream::connect(address).expect("it listens")).collect();
        assert_eq!(backlog(listener.as_raw_fd()).expect("measured"), 5);
        let (_accepted, _) = listener.accept().expect("one waits");
        assert_eq!(backlog(listener.as_raw_fd()).expect("measured"), 4);
        drop(clients);
    }

    #[test]
    fn connections_that_nobody_accepted_are_the_backlog_of_a_unix_listener() {
        let dir = std::env::temp_dir().join(format!("canonlog-listen-{}", std::process::id()));
        let listener = UnixListener::bind(&dir).expect("a free path");
        let clients: Vec<_> = (0..3).map(|_| UnixStream::connect(&dir).expect("it listens")).collect();
        let measured = backlog(listener.as_raw_fd());
        std::fs::remove_file(&dir).expect("it was made");
        assert_eq!(measured.expect("measured"), 3);
        drop(clients);
    }

    #[test]
    fn connected_and_closed_sockets_have_no_backlog() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let client = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
        assert!(backlog(client.as_raw_fd()).is_err());
        let socket = Socket::of(listener.as_raw_fd()).expect("open");
        drop(listener);
        assert!(Meter::default().backlog(socket).is_err());
    }

    #[test]
    fn a_listener_is_found_once_however_many_descriptors_it_has() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let copy = listener.try_clone().expect("room for a descriptor");
        let inode = Socket::of(listener.as_raw_fd()).expect("open").inode;
        assert_eq!(listening().iter().filter(|socket| socket.inode == inode).count(), 1);
        drop(copy);
    }
}
