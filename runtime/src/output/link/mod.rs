//! Lines to a server that comes and goes.
//!
//! ```text
//! batch ──encode──▶ frames ──▶ socket ──▶ the server
//!                      ▲          │ lost: what was not taken whole goes to the next connection
//!                      └── contact ◀── attempts on a thread of their own, with growing pauses
//! ```
//!
//! A frame counts as written once the system has taken all of it. After a piece of a frame nothing else follows on that
//! connection: no reader takes one line's beginning and another's end for a line.

mod address;
mod contact;
mod options;
mod socket;

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::address::AddressError;
pub(super) use self::address::{Address, host_and_port, socket_path};
use self::contact::{Connected, Contact};
pub(super) use self::options::{LinkOptions, link_options};
pub(super) use self::socket::Socket;
use super::per_process::PerProcess;
use super::turn::{Turn, TurnGuard};
use super::{Batch, WriteError};
use crate::sys::clocks;

/// A server that takes nothing for this long is as one that is gone.
const STALL: Duration = Duration::from_secs(30);
/// A batch of which so many connections in a row took nothing is given up.
const FRUITLESS: u32 = 3;
/// Buffers that grew longer than this are given back.
const KEPT: usize = 1 << 20;

/// What a protocol makes of a line.
pub(super) trait Protocol {
    /// Appends the line, which comes without its end, as it is sent in a stream or as a datagram.
    fn encode(&self, line: &[u8], stream: bool, out: &mut Vec<u8>);

    /// Sends some of a stream, or one datagram.
    fn send(&self, socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
        socket.send(bytes)
    }
}

/// A way to a server.
#[derive(Debug)]
pub(super) struct Link {
    address: Address,
    options: LinkOptions,
    /// A child made by `fork` has a connection of its own: two that wrote to one would mix their frames.
    here: PerProcess<Here>,
}

#[derive(Debug)]
struct Here {
    contact: Arc<Contact>,
    turn: Turn<Held>,
}

/// What whoever writes has.
#[derive(Debug, Default)]
struct Held {
    connected: Option<Connected>,
    frames: Frames,
}

/// The lines of a batch as they are sent.
#[derive(Debug, Default)]
struct Frames {
    bytes: Vec<u8>,
    places: Vec<Range<usize>>,
}

/// Why a connection does not take more.
enum Stop {
    /// The time of the batch is up.
    Limit,
    /// The connection is of no more use.
    Lost(io::Error),
}

/// How far a batch has come.
struct Progress<'a> {
    batch: Batch<'a>,
    deadline: Option<Instant>,
    /// Frames that are done with: written, or too long for any connection.
    done: usize,
    refused: u64,
    too_long: Option<io::Error>,
}

impl Progress<'_> {
    fn written(&self) -> u64 {
        self.done as u64 - self.refused
    }

    fn wrote(&mut self, frames: usize) {
        self.done += frames;
        self.batch.wrote(self.written());
    }

    fn refuse(&mut self, error: io::Error) {
        self.done += 1;
        self.refused += 1;
        self.too_long = Some(error);
    }

    fn fail(&self, source: io::Error) -> WriteError {
        WriteError { written: self.written(), source }
    }

    /// How long to wait for the connection now.
    fn patience(&self) -> Duration {
        self.deadline.map_or(STALL, |deadline| deadline.saturating_duration_since(Instant::now()).min(STALL))
    }

    /// What a wait that was in vain means.
    fn timed_out(&self) -> Stop {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Stop::Limit,
            _ => Stop::Lost(io::Error::new(ErrorKind::BrokenPipe, "nothing was taken for 30 s")),
        }
    }
}

impl Link {
    pub(super) fn new(address: Address) -> Self {
        let options = LinkOptions::default();
        let here = PerProcess::new(Here::new(&address, options));
        Link { address, options, here }
    }

    /// The same way with other options.
    pub(super) fn with(mut self, change: impl FnOnce(&mut LinkOptions)) -> Self {
        change(&mut self.options);
        self.here = PerProcess::new(Here::new(&self.address, self.options));
        self
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    fn here(&self) -> &Here {
        self.here.get(|| Here::new(&self.address, self.options))
    }

    /// Sends the lines of a batch.
    pub(super) fn write(&self, batch: Batch<'_>, protocol: &impl Protocol) -> Result<(), WriteError> {
        let deadline = batch.limit().map(clocks::within);
        let here = self.here();
        let mut progress = Progress { batch, deadline, done: 0, refused: 0, too_long: None };
        let Some(mut held) = here.turn.take(batch.limit()) else {
            return Err(progress.fail(ErrorKind::TimedOut.into()));
        };
        let result = here.send_all(&mut held, &mut progress, protocol);
        if held.frames.bytes.capacity() > KEPT {
            held.frames = Frames::default();
        }
        result?;
        match progress.too_long.take() {
            Some(error) => Err(progress.fail(error)),
            None => Ok(()),
        }
    }

    /// Gives the connection up, so that the next line goes to a new one.
    pub(super) fn reopen(&self) -> io::Result<()> {
        let Some(mut held) = self.here().turn.take(Some(Duration::from_secs(1))) else {
            return Err(ErrorKind::TimedOut.into());
        };
        held.connected = None;
        Ok(())
    }
}

impl Here {
    fn new(address: &Address, options: LinkOptions) -> Self {
        Here { contact: Contact::new(address.clone(), options), turn: Turn::default() }
    }

    fn send_all(
        &self,
        held: &mut TurnGuard<'_, Held>,
        progress: &mut Progress<'_>,
        protocol: &impl Protocol,
    ) -> Result<(), WriteError> {
        let Held { connected, frames } = &mut **held;
        let mut encoded = None;
        let mut fruitless = 0;
        loop {
            if let Some(old) = connected.take_if(|connected| connected.socket.is_closed()) {
                self.contact.lost(old, &ErrorKind::ConnectionReset.into());
            }
            let now = match connected {
                Some(now) => now,
                None => {
                    let new = self.contact.connected(progress.deadline).map_err(|error| progress.fail(error))?;
                    connected.insert(new)
                }
            };
            let stream = now.socket.is_stream();
            if encoded != Some(stream) {
                frames.encode(&progress.batch, stream, protocol);
                encoded = Some(stream);
            }
            let before = progress.done;
            let result = if stream {
                send_stream(&now.socket, frames, progress, protocol)
            } else {
                send_datagrams(&now.socket, frames, progress, protocol)
            };
            match result {
                Ok(()) => return Ok(()),
                // Between two frames a connection can be gone on with.
                Err((Stop::Limit, torn)) => {
                    let error = ErrorKind::TimedOut.into();
                    if let (true, Some(old)) = (torn, connected.take()) {
                        self.contact.lost(old, &error);
                    }
                    return Err(progress.fail(error));
                }
                Err((Stop::Lost(error), _)) => {
                    if let Some(old) = connected.take() {
                        self.contact.lost(old, &error);
                    }
                    fruitless = if progress.done > before { 0 } else { fruitless + 1 };
                    if fruitless == FRUITLESS {
                        return Err(progress.fail(error));
                    }
                }
            }
        }
    }
}

impl Frames {
    fn encode(&mut self, batch: &Batch<'_>, stream: bool, protocol: &impl Protocol) {
        self.bytes.clear();
        self.places.clear();
        for line in batch.lines() {
            let start = self.bytes.len();
            protocol.encode(line, stream, &mut self.bytes);
            self.places.push(start..self.bytes.len());
        }
    }
}

/// Sends frames one after the other; with the error, whether the last was left in its middle.
fn send_stream(
    socket: &Socket,
    frames: &Frames,
    progress: &mut Progress<'_>,
    protocol: &impl Protocol,
) -> Result<(), (Stop, bool)> {
    let Some(mut at) = frames.places.get(progress.done).map(|place| place.start) else { return Ok(()) };
    while at < frames.bytes.len() {
        let torn = at > frames.places[progress.done].start;
        match protocol.send(socket, &frames.bytes[at..]) {
            Ok(0) => return Err((Stop::Lost(ErrorKind::WriteZero.into()), torn)),
            Ok(taken) => {
                at += taken;
                let whole = frames.places[progress.done..].iter().take_while(|place| place.end <= at).count();
                progress.wrote(whole);
            }
            Err(error) => pause(socket, error, progress).map_err(|stop| (stop, torn))?,
        }
    }
    Ok(())
}

/// Sends each frame as a datagram.
fn send_datagrams(
    socket: &Socket,
    frames: &Frames,
    progress: &mut Progress<'_>,
    protocol: &impl Protocol,
) -> Result<(), (Stop, bool)> {
    while let Some(place) = frames.places.get(progress.done) {
        match protocol.send(socket, &frames.bytes[place.clone()]) {
            Ok(_) => progress.wrote(1),
            Err(error) if error.raw_os_error() == Some(libc::EMSGSIZE) => progress.refuse(error),
            Err(error) => pause(socket, error, progress).map_err(|stop| (stop, false))?,
        }
    }
    Ok(())
}

/// Waits where an error says that it is worth it.
fn pause(socket: &Socket, error: io::Error, progress: &Progress<'_>) -> Result<(), Stop> {
    let patience = progress.patience();
    match error.kind() {
        ErrorKind::Interrupted => Ok(()),
        ErrorKind::WouldBlock if socket.wait(patience) => Ok(()),
        ErrorKind::WouldBlock => Err(progress.timed_out()),
        // The system has no memory for it now; nothing tells when it has.
        _ if error.raw_os_error() == Some(libc::ENOBUFS) => {
            if patience.is_zero() {
                return Err(progress.timed_out());
            }
            std::thread::sleep(patience.min(Duration::from_millis(5)));
            Ok(())
        }
        _ => Err(Stop::Lost(error)),
    }
}
