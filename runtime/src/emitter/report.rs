//! The `dropped` event: what was lost before the lines that follow it.

use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use crate::event::{Content, EventType, order};
use crate::format::{Format, rfc3339};
use crate::level::Level;
use crate::output::{Report, Reporter};
use crate::value::Value;

/// Writes `dropped` events for one output, in the first of its formats that has a line for them.
pub(super) struct Reports {
    pub(super) output: String,
    formats: Mutex<Vec<Arc<dyn Format>>>,
}

impl Reports {
    pub(super) fn new(output: String, formats: Vec<Arc<dyn Format>>) -> Reports {
        Reports { output, formats: Mutex::new(formats) }
    }

    /// Those that there were: what they are made of may be a user's, and ends where the caller likes.
    pub(super) fn set_formats(&self, formats: Vec<Arc<dyn Format>>) -> Vec<Arc<dyn Format>> {
        std::mem::replace(&mut *self.formats.lock().unwrap_or_else(PoisonError::into_inner), formats)
    }

    /// The formats as they are now. Whoever has the lock has it for a moment; but in the child of a fork it may be held for ever.
    fn formats(&self) -> Vec<Arc<dyn Format>> {
        for _ in 0..10_000 {
            match self.formats.try_lock() {
                Ok(formats) => return formats.clone(),
                Err(TryLockError::Poisoned(formats)) => return formats.into_inner().clone(),
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            }
        }
        Vec::new()
    }
}

impl Reporter for Reports {
    fn report(&self, report: &Report, line: &mut Vec<u8>) -> bool {
        let mut content = Content::new();
        content.reset(EventType::Dropped, Level::Error, report.to);
        let (from, to) = (rfc3339(report.from), rfc3339(report.to));
        let text = |time: &'_ [u8]| String::from_utf8_lossy(time).into_owned();
        let (from, to) = (text(&from), text(&to));
        let fields = [
            ("dropped_output", Value::Str(&self.output)),
            ("dropped_reason", Value::Str(report.reason.as_str())),
            ("dropped_count", Value::U64(report.count)),
            ("dropped_from", Value::Str(&from)),
            ("dropped_to", Value::Str(&to)),
        ];
        for (name, value) in fields {
            content.push_text(name, order(name), true, value);
        }
        self.formats().iter().any(|format| {
            // A line of its own: a format may do to what stands before it what it likes.
            let mut made = Vec::new();
            if super::foreign::format(&**format, &content.view(), &mut made).is_err() {
                return false;
            }
            line.extend_from_slice(&made);
            !made.is_empty()
        })
    }
}
