//! A lock with a limit: who writes to an output that several threads write to directly.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A value for one at a time.
#[derive(Debug)]
pub(super) struct Turn<T> {
    /// Absent while somebody has it.
    value: Mutex<Option<T>>,
    back: Condvar,
}

/// Has the value; gives it back when dropped.
#[derive(Debug)]
pub(super) struct TurnGuard<'a, T> {
    turn: &'a Turn<T>,
    value: Option<T>,
}

impl<T: Default> Default for Turn<T> {
    /// A value to be taken.
    fn default() -> Self {
        Turn::new(T::default())
    }
}

impl<T> Turn<T> {
    pub(super) fn new(value: T) -> Self {
        Turn { value: Mutex::new(Some(value)), back: Condvar::new() }
    }

    /// Waits for the value, for ever without a limit.
    pub(super) fn take(&self, limit: Option<Duration>) -> Option<TurnGuard<'_, T>> {
        let mut held = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        held = match limit {
            None => self.back.wait_while(held, |held| held.is_none()).unwrap_or_else(PoisonError::into_inner),
            Some(limit) => {
                let waited = self.back.wait_timeout_while(held, limit, |held| held.is_none());
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        held.take().map(|value| TurnGuard { turn: self, value: Some(value) })
    }
}

impl<T> Drop for TurnGuard<'_, T> {
    fn drop(&mut self) {
        *self.turn.value.lock().unwrap_or_else(PoisonError::into_inner) = self.value.take();
        self.turn.back.notify_one();
    }
}

impl<T> Deref for TurnGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.value.as_ref().expect("a guard has the value until it is dropped")
    }
}

impl<T> DerefMut for TurnGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("a guard has the value until it is dropped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_made_by_default_can_be_taken() {
        assert_eq!(Turn::<u8>::default().take(Some(Duration::ZERO)).as_deref(), Some(&0));
    }

    #[test]
    fn a_turn_is_waited_for_no_longer_than_the_limit() {
        let turn = Turn::new(7);
        let held = turn.take(None).expect("nobody has it");
        assert!(turn.take(Some(Duration::from_millis(5))).is_none());
        drop(held);
        assert_eq!(turn.take(Some(Duration::ZERO)).as_deref(), Some(&7));
    }
}
