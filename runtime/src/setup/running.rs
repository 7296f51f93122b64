//! The configuration that runs, and how another one takes its place.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::config::{Config, Made, Program};
use super::error::SetupError;
use crate::emitter::Emitters;
use crate::event::names;
use crate::features;
use crate::internal::say;
use crate::pipeline::LiveEmitters;

/// The configuration that runs, with all that another one is made of.
#[derive(Debug)]
pub(super) struct Running {
    program: Program,
    state: Mutex<State>,
    pub(super) emitters: &'static Emitters,
    pub(super) drain: Duration,
}

#[derive(Debug)]
struct State {
    config: Config,
    #[cfg(feature = "signal-hook")]
    is_of_file: bool,
}

impl State {
    fn of(made: Made) -> State {
        State {
            config: made.config,
            #[cfg(feature = "signal-hook")]
            is_of_file: made.is_of_file,
        }
    }
}

impl Running {
    /// For the rest of the process.
    pub(super) fn new(program: Program, made: Made, emitters: &'static Emitters) -> &'static Running {
        let drain = made.config.time("drain").unwrap_or(Duration::from_secs(2));
        let state = Mutex::new(State::of(made));
        Box::leak(Box::new(Running { program, state, emitters, drain }))
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

    /// Reads file and environment again; with an error, all stays as it is, and stderr says so.
    pub(super) fn reload(&self) -> Result<(), SetupError> {
        // Two at once: one after the other.
        let mut state = self.state();
        let changed = self.change(&mut state);
        if let Err(error) = &changed {
            for line in error.to_string().lines() {
                say(&format!("the configuration was not loaded again, the old one goes on: {line}"));
            }
        }
        changed
    }

    fn change(&self, state: &mut State) -> Result<(), SetupError> {
        let mut made = self.program.make(std::env::vars_os(), Some(&state.config))?;
        let live = LiveEmitters::of_process();
        if made.config.is_incremental() {
            live.put(std::mem::take(&mut made.emitters))?;
        } else {
            live.replace_all(std::mem::take(&mut made.emitters))?;
        }
        names::hide(&made.redaction);
        features::configure(std::mem::take(&mut made.features));
        for key in made.config.differs_from(&state.config) {
            say(&format!("the configuration was loaded again; `{key}` counts from the next start on"));
        }
        *state = State::of(made);
        Ok(())
    }
}
