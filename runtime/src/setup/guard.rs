//! Ends canonlog in order.

use std::io;
use std::time::{Duration, Instant};

use super::config::Config;
use super::error::SetupError;
use super::running::Running;
use crate::internal;
use crate::monitor::status;
use crate::pipeline::{LiveEmitters, reporter};
use crate::sys::clocks;

/// Ends canonlog in order: dropped at the end of `main`, it writes what the queues hold, for at most the time set by
/// [`Setup::drain`](crate::Setup::drain), and says on stderr what was lost.
///
/// ```
/// let guard = canonlog::setup().init()?;
/// // ... the program ...
/// guard.shutdown();
/// # Ok::<(), canonlog::SetupError>(())
/// ```
#[must_use = "canonlog is shut down when the guard is dropped: bind it to a name in `main`"]
#[derive(Debug)]
pub struct Guard {
    running: &'static Running,
    ended: bool,
}

impl Guard {
    pub(super) fn new(running: &'static Running) -> Self {
        Guard { running, ended: false }
    }

    /// Waits until every event so far is written or counted as lost; false if that takes longer than the time to drain.
    ///
    /// ```
    /// let guard = canonlog::setup().init()?;
    /// canonlog::begin(canonlog::Kind::Job).finish();
    /// assert!(guard.flush());
    /// assert_eq!(canonlog::stats().written(), 1);
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn flush(&self) -> bool {
        self.flush_within(self.running.drain())
    }

    /// As [`flush`](Guard::flush), with a limit of its own.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let guard = canonlog::setup().init()?;
    /// canonlog::begin(canonlog::Kind::Job).finish();
    /// assert!(guard.flush_within(Duration::MAX), "however long it takes");
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn flush_within(&self, limit: Duration) -> bool {
        let until = clocks::within(limit);
        reporter::flush(limit) & self.running.emitters().flush(until.saturating_duration_since(Instant::now()))
    }

    /// Opens files again, after they were moved away.
    ///
    /// ```
    /// let guard = canonlog::setup().init()?;
    /// guard.reopen()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What the system says of the first that cannot be opened; all others are, and that one goes on with what it had.
    pub fn reopen(&self) -> io::Result<()> {
        self.running.emitters().reopen()
    }

    /// The emitters, to be changed while the program runs.
    ///
    /// ```
    /// let guard = canonlog::setup().init()?;
    /// guard.emitters().set_level("default", canonlog::Level::Error)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn emitters(&self) -> LiveEmitters {
        LiveEmitters::of_process()
    }

    /// The configuration that holds: what file, environment and program say, and what holds without a word. Its `Display` is TOML.
    ///
    /// ```
    /// let guard = canonlog::setup().init()?;
    /// assert!(guard.config().to_string().contains("[emitters.default]"));
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn config(&self) -> Config {
        self.running.config()
    }

    /// Reads the file of the configuration and the environment again. All of it is checked first: with an error nothing changes, and
    /// stderr says so too.
    ///
    /// The emitters of the file take the place of all that there are, but for those that the program brought to the set-up; with
    /// `incremental = true` they are added, or replace those of their names. Features, `status` events and what is never recorded are
    /// decided anew; so are limits, timeouts and the like, for requests that begin from then on.
    ///
    /// ```
    /// let guard = canonlog::setup().init()?;
    /// guard.reload()?;
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As of [`Setup::init`](crate::Setup::init).
    pub fn reload(&self) -> Result<(), SetupError> {
        self.running.reload(None)
    }

    /// As [`reload`](Guard::reload), with this configuration in place of that of the file; later reloads have it, too. For programs that
    /// have it in a file of their own.
    ///
    /// ```
    /// # #[cfg(feature = "config")] {
    /// use canonlog::{Config, Level, LevelFilter};
    ///
    /// let guard = canonlog::setup().init()?;
    /// guard.reconfigure(Config::parse("level = 'error'").expect("it is right"))?;
    /// assert_eq!(guard.emitters().get("default").map(|emitter| emitter.minimum()), Some(LevelFilter::Error));
    /// # }
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As of [`Setup::init`](crate::Setup::init).
    pub fn reconfigure(&self, config: Config) -> Result<(), SetupError> {
        self.running.reload(Some(config))
    }

    /// Ends canonlog now: how many events were lost, in all. Later events are written at once, without a queue.
    ///
    /// ```
    /// let guard = canonlog::setup().init()?;
    /// assert_eq!(guard.shutdown(), 0);
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn shutdown(mut self) -> u64 {
        self.end()
    }

    fn end(&mut self) -> u64 {
        if std::mem::replace(&mut self.ended, true) {
            return 0;
        }
        let until = clocks::within(self.running.drain());
        // A quarter is left to the outputs, however stuck an instrumenter is.
        if !reporter::flush(self.running.drain() / 4 * 3) {
            let lost = reporter::give_up();
            if lost > 0 {
                internal::say(&format!("{lost} units lost at the shutdown: instrumenters did not come to their end"));
            }
        }
        if status::is_on() {
            // So that it counts as written what is.
            self.running.emitters().flush(until.saturating_duration_since(Instant::now()) / 2);
            status::end();
        }
        self.running.emitters().shutdown(until.saturating_duration_since(Instant::now()))
    }

    /// From now on, a SIGHUP reads the file of the configuration again, if there is one, and opens files again. Installs a signal handler and starts a thread; call it once.
    ///
    /// # Errors
    ///
    /// No handler or no thread could be made.
    #[cfg(feature = "signal-hook")]
    pub fn on_sighup(&self) -> io::Result<()> {
        let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGHUP])?;
        let running = self.running;
        std::thread::Builder::new().name("canonlog-sighup".to_owned()).spawn(move || {
            for _ in signals.forever() {
                if running.is_of_file() {
                    // It says itself what is wrong.
                    let _ = running.reload(None);
                }
                if let Err(error) = running.emitters().reopen() {
                    internal::say_of("SIGHUP", &format!("reopening: {error}"));
                }
            }
        })?;
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.end();
    }
}
