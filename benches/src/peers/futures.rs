//! Futures within each other, by what is around them: nothing, canonlog, or `async-backtrace`.

use std::future::{poll_fn, ready};
use std::task::Poll;

/// How many functions there are within each other.
pub const DEPTH: u32 = 5;
/// How many awaits there are in a function.
pub const AWAITS: u32 = 16;

/// Not ready so many times.
fn pending(times: u32) -> impl Future<Output = u64> {
    let mut left = times;
    poll_fn(move |_| match left {
        0 => Poll::Ready(7),
        _ => {
            left = std::hint::black_box(left) - 1;
            Poll::Pending
        }
    })
}

macro_rules! functions {
    ($(#[$attribute:meta])* $module:ident) => {
        pub mod $module {
            use super::{pending, ready};

            /// Five functions, the innermost of which is not ready so many times.
            $(#[$attribute])*
            pub async fn nested(times: u32) -> u64 {
                second(times).await + 1
            }
            $(#[$attribute])*
            async fn second(times: u32) -> u64 {
                third(times).await + 1
            }
            $(#[$attribute])*
            async fn third(times: u32) -> u64 {
                fourth(times).await + 1
            }
            $(#[$attribute])*
            async fn fourth(times: u32) -> u64 {
                fifth(times).await + 1
            }
            $(#[$attribute])*
            async fn fifth(times: u32) -> u64 {
                pending(std::hint::black_box(times)).await
            }

            /// One await after another, each of which is ready.
            $(#[$attribute])*
            pub async fn awaits(n: u32) -> u64 {
                let mut sum = one(n).await;
                sum += one(n + 1).await;
                sum += one(n + 2).await;
                sum += one(n + 3).await;
                sum += one(n + 4).await;
                sum += one(n + 5).await;
                sum += one(n + 6).await;
                sum += one(n + 7).await;
                sum += one(n + 8).await;
                sum += one(n + 9).await;
                sum += one(n + 10).await;
                sum += one(n + 11).await;
                sum += one(n + 12).await;
                sum += one(n + 13).await;
                sum += one(n + 14).await;
                sum += one(n + 15).await;
                sum
            }

            fn one(n: u32) -> impl Future<Output = u64> {
                ready(std::hint::black_box(n).into())
            }
        }
    };
}

functions!(plain);
functions!(
    #[canonlog::operation(errors = false, frames = false)]
    timed
);
functions!(
    #[canonlog::operation(errors = false)]
    located
);
functions!(
    #[async_backtrace::framed]
    framed
);
