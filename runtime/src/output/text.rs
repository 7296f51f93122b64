//! The values of fields as text, for outputs that name each field.

use std::cell::Cell;
use std::io::Write;

use crate::value::Value;

/// Appends a value as text, unescaped; durations are seconds to the nanosecond, as in JSON. An absent value has none.
pub(super) fn push_value(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Null => {}
        Value::Duration(time) => {
            // To a vector nothing can fail.
            let _ = write!(out, "{}.{:09}", time.as_secs(), time.subsec_nanos());
            let zeros = out.iter().rev().take(8).take_while(|digit| **digit == b'0').count();
            out.truncate(out.len() - zeros);
        }
        Value::Str(text) => out.extend_from_slice(text.as_bytes()),
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

thread_local! {
    /// Kept, so that no event allocates.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A buffer that grew longer than this is given back.
const KEPT: usize = 256 * 1024;

/// Calls `work` with an empty buffer of this thread.
pub(super) fn with_scratch<R>(work: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    let mut scratch = SCRATCH.try_with(Cell::take).unwrap_or_default();
    scratch.clear();
    let done = work(&mut scratch);
    if scratch.capacity() <= KEPT {
        let _ = SCRATCH.try_with(|kept| kept.set(scratch));
    }
    done
}

/// The end, at most `at`, where no character is cut.
pub(super) fn char_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at.min(bytes.len());
    while end > 0 && end < bytes.len() && bytes[end] & 0xC0 == 0x80 {
        end -= 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn durations_keep_every_nanosecond_and_no_zero_more_than_needed() {
        for (nanos, text) in [(0, "0.0"), (1, "0.000000001"), (16_400_000, "0.0164"), (2_000_000_000, "2.0")] {
            let mut out = b"x=".to_vec();
            push_value(&mut out, &Value::Duration(Duration::from_nanos(nanos)));
            assert_eq!(String::from_utf8_lossy(&out), format!("x={text}"));
        }
    }

    #[test]
    fn a_cut_is_between_characters() {
        let text = "aé😀".as_bytes();
        assert_eq!((0..=8).map(|at| char_end(text, at)).collect::<Vec<_>>(), [0, 1, 1, 3, 3, 3, 3, 7, 7]);
    }
}
