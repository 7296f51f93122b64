//! What an annotation costs a future: bytes, and levels of nesting.

use std::future::ready;

use canonlog::{instrument_request, on_error, operation};
use futures_util::FutureExt as _;

/// A body that keeps 256 bytes over an await.
macro_rules! keeps {
    ($($(#[$attr:meta])* $name:ident;)*) => {$(
        $(#[$attr])*
        async fn $name() -> usize {
            let kept = [8_u64; 32];
            ready(()).await;
            kept.iter().map(|number| *number as usize).sum()
        }
    )*};
}

keeps! {
    plain;
    #[instrument_request]
    bounded;
    #[operation]
    timed;
    #[on_error(return = 0)]
    recovered;
    #[on_error(return = 0, frames = false)]
    unseen;
}

#[test]
fn the_boundary_adds_at_most_32_bytes_to_a_future() {
    let grown = size_of_val(&bounded()) - size_of_val(&plain());
    assert!(grown <= 32, "it grew by {grown} bytes");
    assert_eq!(bounded().now_or_never(), Some(256));
}

#[test]
fn an_operation_adds_at_most_16_bytes_to_a_future() {
    let grown = size_of_val(&timed()) - size_of_val(&plain());
    assert!(grown <= 16, "it grew by {grown} bytes");
    assert_eq!(timed().now_or_never(), Some(256));
}

/// Waits in a way that only it knows.
macro_rules! waits {
    () => {
        ready(2).await
    };
}

/// The same body with a macro that may wait unseen, and one that waits for several things.
macro_rules! keeps_with_macros {
    ($($(#[$attr:meta])* $name:ident;)*) => {$(
        $(#[$attr])*
        async fn $name() -> usize {
            let kept = [8_u64; 32];
            waits!();
            while matches!(waits!(), 0 | 1) {
                ready(()).await;
            }
            kept.iter().map(|number| *number as usize).sum()
        }
    )*};
}

keeps_with_macros! {
    plain_with_macros;
    #[instrument_request]
    bounded_with_macros;
    #[operation]
    timed_with_macros;
    #[on_error(return = 0)]
    recovered_with_macros;
}

#[test]
fn a_macro_in_which_a_function_waits_unseen_adds_nothing_to_that() {
    let grown = |with: usize| with - size_of_val(&plain_with_macros());
    let grown =
        [size_of_val(&timed_with_macros()), size_of_val(&recovered_with_macros()), size_of_val(&bounded_with_macros())]
            .map(grown);
    assert!(grown[0] <= 16 && grown[1] <= 16 && grown[2] <= 32, "they grew by {grown:?} bytes");
    assert_eq!(timed_with_macros().now_or_never(), Some(256));
    assert_eq!((bounded_with_macros().now_or_never(), recovered_with_macros().now_or_never()), (Some(256), Some(256)));
}

#[test]
fn a_fallback_adds_at_most_16_bytes_to_a_future_and_nothing_without_frames() {
    let grown = size_of_val(&recovered()) - size_of_val(&plain());
    assert!(grown <= 16, "it grew by {grown} bytes");
    assert_eq!(size_of_val(&unseen()), size_of_val(&plain()));
    assert_eq!((recovered().now_or_never(), unseen().now_or_never()), (Some(256), Some(256)));
}

/// Two failures whose errors are large, one of them not `Send`.
#[on_error(return = 0)]
async fn fails_with_large_errors(fail: bool) -> u8 {
    ready(()).await;
    if fail {
        Err::<(), _>([std::ptr::null::<u8>(); 64])?;
    }
    ready(()).await;
    Err::<u8, _>([7_u8; 512])?
}

#[test]
fn errors_take_no_room_in_a_future_and_leave_it_send() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let future = is_send(fails_with_large_errors(true));
    assert!(size_of_val(&future) < 64, "{} bytes", size_of_val(&future));
    assert_eq!(future.now_or_never(), Some(0));
}

#[test]
fn annotated_functions_nest_as_deep_as_plain_ones() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    assert_eq!(is_send(depth::plain::first()).now_or_never(), Some(7));
    assert_eq!(is_send(depth::timed::first()).now_or_never(), Some(7));
    assert_eq!(is_send(depth::recovered::first()).now_or_never(), Some(7));
    assert_eq!(is_send(depth::bounded()).now_or_never(), Some(7));
}

/// 31 levels, as many as plain functions have: with one more the compiler says of those, too, that "queries overflow the depth
/// limit". Below a boundary one less, as that is a future around the function's own.
mod depth {
    use super::{instrument_request, on_error, operation, ready};

    /// Functions of which each waits for the next.
    macro_rules! nested {
        ($(#[$attr:meta])* $last:ident) => {
            $(#[$attr])*
            pub(in super::super) async fn $last() -> u8 {
                ready(7).await
            }
        };
        ($(#[$attr:meta])* $first:ident $next:ident $($rest:ident)*) => {
            $(#[$attr])*
            pub(in super::super) async fn $first() -> u8 {
                $next().await
            }
            nested! { $(#[$attr])* $next $($rest)* }
        };
    }

    macro_rules! thirty_below_the_first {
        ($($(#[$attr:meta])* $name:ident;)*) => {$(
            pub(super) mod $name {
                use super::*;

                nested! {
                    $(#[$attr])*
                    first f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19 f20 f21 f22 f23 f24 f25 f26 f27 f28 f29 f30
                }
            }
        )*};
    }

    thirty_below_the_first! {
        plain;
        #[operation]
        timed;
        #[on_error(return = 0)]
        recovered;
    }

    #[instrument_request]
    pub(super) async fn bounded() -> u8 {
        timed::f2().await
    }
}
