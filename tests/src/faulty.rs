//! A writer that fails when it is told to.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// What goes wrong at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Fails with this error of the system.
    Errno(i32),
    /// Takes nothing and says so.
    Zero,
    /// Takes only this many bytes.
    Short(usize),
    /// Takes this many bytes, and fails with this error at the next call.
    ShortThenErrno(usize, i32),
    /// Takes its time.
    Slow(Duration),
    /// Panics.
    Panic,
    /// Never returns, until [`Tape::release`].
    Stuck,
}

/// What a [`FaultyWriter`] took, and the faults it is told.
#[derive(Debug, Default)]
pub struct Tape {
    bytes: Mutex<Vec<u8>>,
    calls: AtomicUsize,
    stuck: Mutex<bool>,
    released: Condvar,
}

impl Tape {
    /// Everything taken so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Calls so far.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Lets a stuck writer go on.
    pub fn release(&self) {
        *self.stuck.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.released.notify_all();
    }
}

/// Fails at its `nth` call (the first is 1), and at no other.
#[derive(Debug)]
pub struct FaultyWriter {
    tape: Arc<Tape>,
    nth: usize,
    fault: Fault,
}

impl FaultyWriter {
    /// A writer, and what it takes.
    pub fn new(nth: usize, fault: Fault) -> (Self, Arc<Tape>) {
        let tape = Arc::new(Tape::default());
        *tape.stuck.lock().unwrap_or_else(PoisonError::into_inner) = fault == Fault::Stuck;
        (FaultyWriter { tape: Arc::clone(&tape), nth, fault }, tape)
    }

    fn take(&self, bytes: &[u8]) -> usize {
        self.tape.bytes.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        bytes.len()
    }
}

impl Write for FaultyWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let call = self.tape.calls.fetch_add(1, Ordering::SeqCst) + 1;
        match self.fault {
            Fault::ShortThenErrno(_, errno) if call == self.nth + 1 => Err(io::Error::from_raw_os_error(errno)),
            _ if call != self.nth => Ok(self.take(bytes)),
            Fault::Errno(errno) => Err(io::Error::from_raw_os_error(errno)),
            Fault::Zero => Ok(0),
            Fault::Short(most) | Fault::ShortThenErrno(most, _) => Ok(self.take(&bytes[..most.min(bytes.len())])),
            Fault::Slow(time) => {
                std::thread::sleep(time);
                Ok(self.take(bytes))
            }
            Fault::Panic => panic!("told to"),
            Fault::Stuck => {
                let stuck = self.tape.stuck.lock().unwrap_or_else(PoisonError::into_inner);
                drop(self.tape.released.wait_while(stuck, |stuck| *stuck));
                Ok(self.take(bytes))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
