//! Lines kept in memory, for tests.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Batch, Output, WriteError};

#[derive(Debug, Default)]
struct Kept {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

/// Keeps lines in memory. Clones share them.
///
/// ```
/// use canonlog::{Batch, Memory, Output};
///
/// let memory = Memory::new();
/// memory.clone().write(Batch::new(b"one\ntwo\n", 2)).expect("memory takes everything");
/// assert_eq!(memory.lines(), ["one", "two"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Memory {
    kept: Arc<Kept>,
}

impl Memory {
    /// Empty.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.kept.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of the lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.lock().clone()
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Forgets the lines.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// The lines so far, taken away.
    ///
    /// ```
    /// use canonlog::{Batch, Memory, Output};
    ///
    /// let memory = Memory::new();
    /// memory.write(Batch::new(b"one\n", 1)).expect("memory takes everything");
    /// assert_eq!(memory.take(), ["one"]);
    /// assert!(memory.is_empty());
    /// ```
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lock())
    }

    /// Waits until `enough` holds for the lines, at most for `limit`; then a copy of them, whether it holds or not.
    ///
    /// ```
    /// use canonlog::Memory;
    /// use std::time::Duration;
    ///
    /// let lines = Memory::new().wait_until(|lines| lines.len() > 2, Duration::from_millis(1));
    /// assert!(lines.is_empty());
    /// ```
    pub fn wait_until(&self, mut enough: impl FnMut(&[String]) -> bool, limit: Duration) -> Vec<String> {
        let waited = self.kept.more.wait_timeout_while(self.lock(), limit, |lines| !enough(lines));
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Waits until there are `count` lines, at most for `limit`; then a copy of them, however many there are.
    pub fn wait_for(&self, count: usize, limit: Duration) -> Vec<String> {
        self.wait_until(|lines| lines.len() >= count, limit)
    }
}

impl Output for Memory {
    fn name(&self) -> &str {
        "memory"
    }

    fn place(&self) -> Option<String> {
        Some(format!("memory:{:p}", Arc::as_ptr(&self.kept)))
    }

    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
        let mut lines = self.lock();
        lines.extend(batch.lines().map(|line| String::from_utf8_lossy(line).into_owned()));
        drop(lines);
        self.kept.more.notify_all();
        Ok(())
    }
}
