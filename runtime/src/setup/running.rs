//! The configuration that runs, and how another one takes its place.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::config::{Config, Made, Program, Source};
use super::error::SetupError;
use crate::emitter::Emitters;
use crate::event::names;
use crate::features;
use crate::internal::{guarded, say};
use crate::monitor::status;
use crate::output::PerProcess;
use crate::pipeline::{LiveEmitters, Parts};

/// The configuration that runs, with all that another one is made of.
#[derive(Debug)]
pub(super) struct Running {
    /// Locked for a moment at a time.
    state: Mutex<State>,
    /// Held by a reload while what is the program's own is made; a forked child does not wait for its parent's.
    reloading: PerProcess<Mutex<()>>,
    pub(super) parts: &'static Parts,
    /// In nanoseconds: asked for without a lock, as a reload may take its time.
    drain: AtomicU64,
}

#[derive(Debug)]
struct State {
    program: Program,
    config: Config,
    #[cfg(feature = "signal-hook")]
    is_of_file: bool,
}

impl State {
    fn of(program: Program, made: Made) -> State {
        State {
            program,
            config: made.config,
            #[cfg(feature = "signal-hook")]
            is_of_file: made.is_of_file,
        }
    }
}

fn drain_of(made: &Made) -> u64 {
    let drain = made.config.time("drain").unwrap_or(Duration::from_secs(2));
    u64::try_from(drain.as_nanos()).unwrap_or(u64::MAX)
}

impl Running {
    /// For the rest of the process.
    pub(super) fn new(program: Program, made: Made, parts: &'static Parts) -> &'static Running {
        let drain = AtomicU64::new(drain_of(&made));
        let state = Mutex::new(State::of(program, made));
        Box::leak(Box::new(Running { state, reloading: PerProcess::new(Mutex::default()), parts, drain }))
    }

    pub(super) fn emitters(&self) -> &'static Emitters {
        &self.parts.emitters
    }

    /// How long a shutdown waits for the outputs.
    pub(super) fn drain(&self) -> Duration {
        Duration::from_nanos(self.drain.load(Ordering::Relaxed))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of the configuration.
    pub(super) fn config(&self) -> Config {
        self.state().config.clone()
    }

    /// Whether there is a file to be read again.
    #[cfg(feature = "signal-hook")]
    pub(super) fn is_of_file(&self) -> bool {
        self.state().is_of_file
    }

    /// Reads file and environment again, or has this configuration in place of the file; with an error, all stays as it is, and stderr
    /// says so.
    pub(super) fn reload(&self, given: Option<Config>) -> Result<(), SetupError> {
        // Two at once: one after the other.
        let _only = self.reloading.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        let (mut program, before) = {
            let state = self.state();
            (state.program.clone(), state.config.clone())
        };
        if let Some(config) = given {
            program.source = Source::Given(config);
        }
        let changed = self.change(program, &before);
        if let Err(error) = &changed {
            for line in error.to_string().lines() {
                say(&format!("the configuration was not loaded again, the old one goes on: {line}"));
            }
        }
        changed
    }

    fn change(&self, program: Program, before: &Config) -> Result<(), SetupError> {
        let mut made = program.make(std::env::vars_os(), Some(before))?;
        let live = LiveEmitters::of_process();
        if made.config.is_incremental() {
            live.put(std::mem::take(&mut made.emitters))?;
        } else {
            live.replace_all(std::mem::take(&mut made.emitters))?;
        }
        names::hide(&made.redaction);
        features::configure(std::mem::take(&mut made.features));
        self.parts.tune(made.settings, std::mem::take(&mut made.message_fields));
        status::configure(std::mem::take(&mut made.statuses));
        self.drain.store(drain_of(&made), Ordering::Relaxed);
        let old = std::mem::replace(&mut *self.state(), State::of(program, made));
        // It may hold emitters of the program's.
        let _ = guarded(move || drop(old));
        Ok(())
    }
}
