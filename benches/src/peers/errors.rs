//! Functions that fail, or could, by what is around them: nothing, canonlog, or `tracing` with `err`.

use std::fmt;

/// How many `?` there are in a function.
pub const QUESTIONS: f64 = 16.0;
/// How many functions an error leaves.
pub const FRAMES: u32 = 8;

#[derive(Debug)]
pub struct Wrong;

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wrong")
    }
}

impl std::error::Error for Wrong {}

/// Of a library.
#[inline(never)]
fn step(n: u64) -> Result<u64, Wrong> {
    if std::hint::black_box(n) == u64::MAX { Err(Wrong) } else { Ok(n) }
}

macro_rules! functions {
    ($(#[$attribute:meta])* $module:ident) => {
        pub mod $module {
            use super::{Wrong, step};

            /// Sixteen times what may fail, and does not.
            $(#[$attribute])*
            #[inline(never)]
            pub fn succeeds(n: u64) -> Result<u64, Wrong> {
                let mut sum = step(n)?;
                sum += step(n + 1)?;
                sum += step(n + 2)?;
                sum += step(n + 3)?;
                sum += step(n + 4)?;
                sum += step(n + 5)?;
                sum += step(n + 6)?;
                sum += step(n + 7)?;
                sum += step(n + 8)?;
                sum += step(n + 9)?;
                sum += step(n + 10)?;
                sum += step(n + 11)?;
                sum += step(n + 12)?;
                sum += step(n + 13)?;
                sum += step(n + 14)?;
                sum += step(n + 15)?;
                Ok(sum)
            }

            /// Fails in the innermost of so many calls.
            $(#[$attribute])*
            #[inline(never)]
            pub fn fails(calls: u32) -> Result<u64, Wrong> {
                if calls == 1 {
                    let n = step(u64::MAX)?;
                    return Ok(n);
                }
                let n = fails(std::hint::black_box(calls - 1))?;
                Ok(n + 1)
            }
        }
    };
}

functions!(
    #[canonlog::operation(errors = false)]
    timed
);
functions!(
    #[canonlog::operation]
    followed
);
functions!(
    #[tracing::instrument(skip_all)]
    spanned
);
functions!(
    #[tracing::instrument(skip_all, err)]
    reported
);
