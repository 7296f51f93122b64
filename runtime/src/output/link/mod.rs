//! Lines to a server that comes and goes.
//!
//! ```text
//! batch ──encode──▶ frames ──▶ socket ──▶ the server
//!                      ▲          │ lost: what was not taken whole, or never arrived, goes to the next connection
//!                      └── contact ◀── attempts on a thread of their own, with growing pauses
//! ```
//!
//! A frame counts as written once the system has taken all of it. After a piece of a frame nothing else follows on that
//! connection: no reader takes one line's beginning and another's end for a line.
//!
//! The system takes lines for a TCP connection that the server has closed already. Those that the server's system has not
//! acknowledged are kept, and sent again where the connection turns out to be dead: nobody has read them, nor will.

mod address;
mod contact;
mod frames;
mod options;
mod socket;
#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::address::AddressError;
pub(super) use self::address::{Address, host_and_port, socket_path};
use self::contact::{Connected, Contact};
use self::frames::Frames;
pub(super) use self::options::{LinkOptions, link_options};
pub(super) use self::socket::Socket;
use super::per_process::PerProcess;
use super::turn::Turn;
use super::{Batch, WriteError};
use crate::internal;
use crate::sys::clocks;

/// A batch of which so many connections in a row took nothing is given up.
const FRUITLESS: u32 = 3;
/// A server that has closed its end tells within this time whether it took what was under way.
const LAST_WORD: Duration = Duration::from_millis(200);
/// As long a flush tries to send again what did not arrive.
const FLUSH: Duration = Duration::from_secs(1);

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

/// Why a connection does not take more.
enum Stop {
    /// The time of the batch is up.
    Limit,
    /// The connection is of no more use.
    Lost(io::Error),
    /// It takes nothing any more.
    Stalled,
}

/// How far a batch has come.
struct Progress<'a> {
    batch: Batch<'a>,
    deadline: Option<Instant>,
    /// A server that takes nothing for this long is as one that is gone.
    stall: Duration,
    /// Frames that are done with: written, or too long for any connection.
    done: usize,
    refused: u64,
    too_long: Option<io::Error>,
}

impl Progress<'_> {
    fn written(&self) -> u64 {
        (self.done as u64).saturating_sub(self.refused)
    }

    fn is_at(&mut self, frames: &Frames) {
        self.done = frames.done();
        self.batch.wrote(self.written());
    }

    fn refuse(&mut self, error: io::Error) {
        self.refused += 1;
        self.too_long = Some(error);
    }

    fn fail(&self, source: io::Error) -> WriteError {
        WriteError { written: self.written(), source }
    }

    /// How long to wait for the connection now.
    fn patience(&self) -> Duration {
        self.deadline.map_or(self.stall, |deadline| deadline.saturating_duration_since(Instant::now()).min(self.stall))
    }

    /// What a wait that was in vain means.
    fn timed_out(&self) -> Stop {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Stop::Limit,
            _ => Stop::Stalled,
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
        let mut progress = Progress { batch, deadline, stall: self.options.stall, done: 0, refused: 0, too_long: None };
        let Some(mut held) = here.turn.take(batch.limit()) else {
            return Err(progress.fail(ErrorKind::TimedOut.into()));
        };
        let Held { connected, frames } = &mut *held;
        frames.begin(connected.as_ref().map(|connected| &connected.socket));
        let result = here.send_all(connected, frames, &mut progress, protocol);
        frames.end(self.address.is_tcp());
        result?;
        match progress.too_long.take() {
            Some(error) => Err(progress.fail(error)),
            None => Ok(()),
        }
    }

    /// Sends again what a connection that is dead took and the server did not.
    pub(super) fn flush(&self, protocol: &impl Protocol) -> io::Result<()> {
        if !self.address.is_tcp() || self.here.peek().is_none() {
            return Ok(());
        }
        self.write(Batch::new(&[], 0).within(FLUSH), protocol).map_err(|error| error.source)
    }

    /// Gives the connection up, so that the next line goes to a new one.
    pub(super) fn reopen(&self) -> io::Result<()> {
        let here = self.here();
        let Some(mut held) = here.turn.take(Some(Duration::from_secs(1))) else {
            return Err(ErrorKind::TimedOut.into());
        };
        let Held { connected, frames } = &mut *held;
        if let Some(given_up) = connected.take() {
            match given_up.socket.end() {
                Some(error) => here.lose(given_up, &error, LAST_WORD, frames),
                // What it took is on its way still.
                None => frames.lost(None),
            }
        }
        Ok(())
    }
}

impl Here {
    fn new(address: &Address, options: LinkOptions) -> Self {
        Here { contact: Contact::new(address.clone(), options), turn: Turn::default() }
    }

    fn send_all(
        &self,
        connected: &mut Option<Connected>,
        frames: &mut Frames,
        progress: &mut Progress<'_>,
        protocol: &impl Protocol,
    ) -> Result<(), WriteError> {
        let mut encoded = None;
        let mut fruitless = 0;
        loop {
            let now = match connected.take() {
                Some(now) => now,
                None if progress.batch.events() == 0 && frames.is_empty() => return Ok(()),
                None => self.contact.connected(progress.deadline).map_err(|error| progress.fail(error))?,
            };
            if let Some(error) = now.socket.end() {
                self.lose(now, &error, LAST_WORD.min(progress.patience()), frames);
                progress.is_at(frames);
                continue;
            }
            let stream = now.socket.is_stream();
            if encoded != Some(stream) {
                frames.encode(&progress.batch, stream, protocol);
                encoded = Some(stream);
            }
            let before = frames.len();
            let sent = match stream {
                true => send_stream(&now.socket, frames, progress, protocol),
                false => send_datagrams(&now.socket, frames, progress, protocol),
            };
            let error = match sent {
                Ok(()) => {
                    *connected = Some(now.used());
                    return Ok(());
                }
                // Between two frames a connection can be gone on with.
                Err(Stop::Limit) => {
                    let error = ErrorKind::TimedOut.into();
                    match frames.is_torn() {
                        false => *connected = Some(now),
                        true => {
                            self.contact.lost(now, &error);
                            frames.lost(None);
                        }
                    }
                    return Err(progress.fail(error));
                }
                Err(Stop::Stalled) => {
                    let error =
                        io::Error::new(ErrorKind::BrokenPipe, format!("nothing was taken for {:?}", progress.stall));
                    // What the system has of it does not go out any more.
                    let missing = now.socket.abort();
                    self.contact.lost(now, &error);
                    frames.lost(missing);
                    error
                }
                Err(Stop::Lost(error)) => {
                    self.lose(now, &error, Duration::ZERO, frames);
                    error
                }
            };
            progress.is_at(frames);
            fruitless = if frames.len() < before { 0 } else { fruitless + 1 };
            if fruitless == FRUITLESS {
                match frames.forget_old() {
                    0 => {}
                    lines => {
                        let text = format!("{lines} lines that count as written were not taken");
                        internal::say_of(&format!("server `{}`", self.contact.address()), &text);
                    }
                }
                return Err(progress.fail(error));
            }
        }
    }

    /// Gives a connection up of which the other end is gone.
    fn lose(&self, connected: Connected, error: &io::Error, last_word: Duration, frames: &mut Frames) {
        frames.lost(connected.socket.missing(error, last_word));
        self.contact.lost(connected, error);
    }
}

/// Sends frames one after the other.
fn send_stream(
    socket: &Socket,
    frames: &mut Frames,
    progress: &mut Progress<'_>,
    protocol: &impl Protocol,
) -> Result<(), Stop> {
    while !frames.rest().is_empty() {
        match protocol.send(socket, frames.rest()) {
            Ok(0) => return Err(Stop::Lost(ErrorKind::WriteZero.into())),
            Ok(taken) => frames.take(taken),
            Err(error) => pause(socket, error, progress)?,
        }
        progress.is_at(frames);
    }
    Ok(())
}

/// Sends each frame as a datagram.
fn send_datagrams(
    socket: &Socket,
    frames: &mut Frames,
    progress: &mut Progress<'_>,
    protocol: &impl Protocol,
) -> Result<(), Stop> {
    while let Some(frame) = frames.next() {
        let len = frame.len();
        match protocol.send(socket, frame) {
            Ok(_) => frames.take(len),
            Err(error) if error.raw_os_error() == Some(libc::EMSGSIZE) => {
                progress.refuse(error);
                frames.take(len);
            }
            Err(error) => pause(socket, error, progress)?,
        }
        progress.is_at(frames);
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
