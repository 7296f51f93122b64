//! Reaching a server, on a thread of its own: neither a name that nobody answers for nor a host that is gone keeps a request.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::address::Address;
use super::options::LinkOptions;
use super::socket::Socket;
use crate::sys::clocks;

/// A connection that lasted this long was a good one: the next attempt follows without a pause.
const STEADY: Duration = Duration::from_secs(1);

/// A socket, and when it was had.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) socket: Socket,
    since: Instant,
    /// Whether it took lines.
    used: bool,
}

impl Connected {
    /// It took lines.
    pub(super) fn used(self) -> Self {
        Connected { used: true, ..self }
    }
}

/// What is known of the way to a server.
#[derive(Debug)]
struct State {
    /// Had by an attempt, and not yet taken.
    fresh: Option<Connected>,
    /// When the attempt began that is under way.
    running: Option<Instant>,
    /// No attempt before.
    not_before: Instant,
    /// Attempts, and short connections, that failed in a row.
    failures: u32,
    /// When the server was lost, or was first wanted.
    lost_at: Option<Instant>,
    error: Option<(ErrorKind, String)>,
}

/// The way to a server.
#[derive(Debug)]
pub(super) struct Contact {
    address: Address,
    options: LinkOptions,
    state: Mutex<State>,
    changed: Condvar,
}

impl Contact {
    pub(super) fn new(address: Address, options: LinkOptions) -> Arc<Self> {
        let now = Instant::now();
        let state = State { fresh: None, running: None, not_before: now, failures: 0, lost_at: None, error: None };
        Arc::new(Contact { address, options, state: Mutex::new(state), changed: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection: at once if there is one, else after an attempt, for which the caller waits no longer than until `deadline`.
    pub(super) fn connected(self: &Arc<Self>, deadline: Option<Instant>) -> io::Result<Connected> {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            if let Some(connected) = state.fresh.take() {
                state.error = None;
                return Ok(connected);
            }
            let lost_at = *state.lost_at.get_or_insert(now);
            let until = match state.running {
                None if now >= state.not_before => {
                    self.begin_attempt(&mut state, now);
                    continue;
                }
                // Lines wait for an attempt, though not for ever.
                Some(began) => clocks::after(began, self.options.connect),
                // For the end of a pause only while the server has not been gone for long.
                None if state.not_before <= clocks::after(lost_at, self.options.hold) => state.not_before,
                None => return Err(self.error(&state)),
            };
            let late = deadline.is_some_and(|deadline| deadline < until);
            let until = deadline.map_or(until, |deadline| deadline.min(until));
            if now >= until {
                return Err(if late { ErrorKind::TimedOut.into() } else { self.error(&state) });
            }
            let waited = self.changed.wait_timeout(state, until - now);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn error(&self, state: &State) -> io::Error {
        let (kind, text) = match &state.error {
            Some((kind, text)) => (*kind, text.as_str()),
            None => (ErrorKind::NotConnected, "no answer"),
        };
        // That a request waited too long is another fault.
        let kind = if kind == ErrorKind::TimedOut { ErrorKind::NotConnected } else { kind };
        io::Error::new(kind, format!("cannot reach `{}`: {text}", self.address))
    }

    fn begin_attempt(self: &Arc<Self>, state: &mut State, now: Instant) {
        state.running = Some(now);
        let contact = Arc::clone(self);
        let attempt = move || {
            let result = contact.address.connect(contact.options.connect);
            contact.end_attempt(&mut contact.lock(), result);
        };
        // Not joined: it ends by itself, however long the system takes to look up a name.
        if let Err(error) = std::thread::Builder::new().name("canonlog-connect".to_owned()).spawn(attempt) {
            self.end_attempt(state, Err(error));
        }
    }

    fn end_attempt(&self, state: &mut State, result: io::Result<Socket>) {
        state.running = None;
        match result {
            // The server may close it before anybody takes it: whoever does looks.
            Ok(socket) => state.fresh = Some(Connected { socket, since: Instant::now(), used: false }),
            Err(error) => self.fail(state, &error),
        }
        self.changed.notify_all();
    }

    fn fail(&self, state: &mut State, error: &io::Error) {
        state.failures = state.failures.saturating_add(1);
        state.not_before = clocks::within(self.options.pause(state.failures));
        state.error = Some((error.kind(), error.to_string()));
    }

    /// The server's address.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Gives a connection up.
    pub(super) fn lost(&self, connected: Connected, error: &io::Error) {
        let mut state = self.lock();
        let now = Instant::now();
        let was_steady = now.duration_since(connected.since) >= STEADY;
        if was_steady || connected.used {
            state.lost_at = Some(now);
        }
        if was_steady {
            state.failures = 0;
            state.not_before = now;
            state.error = Some((error.kind(), error.to_string()));
        } else {
            self.fail(&mut state, error);
        }
    }

    /// Whether there is a connection that nobody has taken.
    #[cfg(test)]
    pub(super) fn has_fresh(&self) -> bool {
        self.lock().fresh.is_some()
    }
}
