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
    assert_eq!(is_send(depth::plain_0()).now_or_never(), Some(7));
    assert_eq!(is_send(depth::timed_0()).now_or_never(), Some(7));
    assert_eq!(is_send(depth::recovered_0()).now_or_never(), Some(7));
    assert_eq!(is_send(depth::bounded_0()).now_or_never(), Some(7));
}

/// 31 levels, as many as plain functions have: with one more the compiler says of those, too, that "queries overflow the depth
/// limit". Below a boundary one less, as that is a future around the function's own.
mod depth {
    use super::{instrument_request, on_error, operation, ready};

    pub(super) async fn plain_0() -> u8 {
        plain_1().await
    }
    pub(super) async fn plain_1() -> u8 {
        plain_2().await
    }
    pub(super) async fn plain_2() -> u8 {
        plain_3().await
    }
    pub(super) async fn plain_3() -> u8 {
        plain_4().await
    }
    pub(super) async fn plain_4() -> u8 {
        plain_5().await
    }
    pub(super) async fn plain_5() -> u8 {
        plain_6().await
    }
    pub(super) async fn plain_6() -> u8 {
        plain_7().await
    }
    pub(super) async fn plain_7() -> u8 {
        plain_8().await
    }
    pub(super) async fn plain_8() -> u8 {
        plain_9().await
    }
    pub(super) async fn plain_9() -> u8 {
        plain_10().await
    }
    pub(super) async fn plain_10() -> u8 {
        plain_11().await
    }
    pub(super) async fn plain_11() -> u8 {
        plain_12().await
    }
    pub(super) async fn plain_12() -> u8 {
        plain_13().await
    }
    pub(super) async fn plain_13() -> u8 {
        plain_14().await
    }
    pub(super) async fn plain_14() -> u8 {
        plain_15().await
    }
    pub(super) async fn plain_15() -> u8 {
        plain_16().await
    }
    pub(super) async fn plain_16() -> u8 {
        plain_17().await
    }
    pub(super) async fn plain_17() -> u8 {
        plain_18().await
    }
    pub(super) async fn plain_18() -> u8 {
        plain_19().await
    }
    pub(super) async fn plain_19() -> u8 {
        plain_20().await
    }
    pub(super) async fn plain_20() -> u8 {
        plain_21().await
    }
    pub(super) async fn plain_21() -> u8 {
        plain_22().await
    }
    pub(super) async fn plain_22() -> u8 {
        plain_23().await
    }
    pub(super) async fn plain_23() -> u8 {
        plain_24().await
    }
    pub(super) async fn plain_24() -> u8 {
        plain_25().await
    }
    pub(super) async fn plain_25() -> u8 {
        plain_26().await
    }
    pub(super) async fn plain_26() -> u8 {
        plain_27().await
    }
    pub(super) async fn plain_27() -> u8 {
        plain_28().await
    }
    pub(super) async fn plain_28() -> u8 {
        plain_29().await
    }
    pub(super) async fn plain_29() -> u8 {
        plain_30().await
    }
    pub(super) async fn plain_30() -> u8 {
        ready(7).await
    }

    #[operation]
    pub(super) async fn timed_0() -> u8 {
        timed_1().await
    }
    #[operation]
    pub(super) async fn timed_1() -> u8 {
        timed_2().await
    }
    #[operation]
    pub(super) async fn timed_2() -> u8 {
        timed_3().await
    }
    #[operation]
    pub(super) async fn timed_3() -> u8 {
        timed_4().await
    }
    #[operation]
    pub(super) async fn timed_4() -> u8 {
        timed_5().await
    }
    #[operation]
    pub(super) async fn timed_5() -> u8 {
        timed_6().await
    }
    #[operation]
    pub(super) async fn timed_6() -> u8 {
        timed_7().await
    }
    #[operation]
    pub(super) async fn timed_7() -> u8 {
        timed_8().await
    }
    #[operation]
    pub(super) async fn timed_8() -> u8 {
        timed_9().await
    }
    #[operation]
    pub(super) async fn timed_9() -> u8 {
        timed_10().await
    }
    #[operation]
    pub(super) async fn timed_10() -> u8 {
        timed_11().await
    }
    #[operation]
    pub(super) async fn timed_11() -> u8 {
        timed_12().await
    }
    #[operation]
    pub(super) async fn timed_12() -> u8 {
        timed_13().await
    }
    #[operation]
    pub(super) async fn timed_13() -> u8 {
        timed_14().await
    }
    #[operation]
    pub(super) async fn timed_14() -> u8 {
        timed_15().await
    }
    #[operation]
    pub(super) async fn timed_15() -> u8 {
        timed_16().await
    }
    #[operation]
    pub(super) async fn timed_16() -> u8 {
        timed_17().await
    }
    #[operation]
    pub(super) async fn timed_17() -> u8 {
        timed_18().await
    }
    #[operation]
    pub(super) async fn timed_18() -> u8 {
        timed_19().await
    }
    #[operation]
    pub(super) async fn timed_19() -> u8 {
        timed_20().await
    }
    #[operation]
    pub(super) async fn timed_20() -> u8 {
        timed_21().await
    }
    #[operation]
    pub(super) async fn timed_21() -> u8 {
        timed_22().await
    }
    #[operation]
    pub(super) async fn timed_22() -> u8 {
        timed_23().await
    }
    #[operation]
    pub(super) async fn timed_23() -> u8 {
        timed_24().await
    }
    #[operation]
    pub(super) async fn timed_24() -> u8 {
        timed_25().await
    }
    #[operation]
    pub(super) async fn timed_25() -> u8 {
        timed_26().await
    }
    #[operation]
    pub(super) async fn timed_26() -> u8 {
        timed_27().await
    }
    #[operation]
    pub(super) async fn timed_27() -> u8 {
        timed_28().await
    }
    #[operation]
    pub(super) async fn timed_28() -> u8 {
        timed_29().await
    }
    #[operation]
    pub(super) async fn timed_29() -> u8 {
        timed_30().await
    }
    #[operation]
    pub(super) async fn timed_30() -> u8 {
        ready(7).await
    }

    #[on_error(return = 0)]
    pub(super) async fn recovered_0() -> u8 {
        recovered_1().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_1() -> u8 {
        recovered_2().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_2() -> u8 {
        recovered_3().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_3() -> u8 {
        recovered_4().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_4() -> u8 {
        recovered_5().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_5() -> u8 {
        recovered_6().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_6() -> u8 {
        recovered_7().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_7() -> u8 {
        recovered_8().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_8() -> u8 {
        recovered_9().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_9() -> u8 {
        recovered_10().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_10() -> u8 {
        recovered_11().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_11() -> u8 {
        recovered_12().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_12() -> u8 {
        recovered_13().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_13() -> u8 {
        recovered_14().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_14() -> u8 {
        recovered_15().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_15() -> u8 {
        recovered_16().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_16() -> u8 {
        recovered_17().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_17() -> u8 {
        recovered_18().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_18() -> u8 {
        recovered_19().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_19() -> u8 {
        recovered_20().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_20() -> u8 {
        recovered_21().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_21() -> u8 {
        recovered_22().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_22() -> u8 {
        recovered_23().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_23() -> u8 {
        recovered_24().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_24() -> u8 {
        recovered_25().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_25() -> u8 {
        recovered_26().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_26() -> u8 {
        recovered_27().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_27() -> u8 {
        recovered_28().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_28() -> u8 {
        recovered_29().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_29() -> u8 {
        recovered_30().await
    }
    #[on_error(return = 0)]
    pub(super) async fn recovered_30() -> u8 {
        ready(7).await
    }

    #[instrument_request]
    pub(super) async fn bounded_0() -> u8 {
        bounded_1().await
    }
    #[operation]
    pub(super) async fn bounded_1() -> u8 {
        bounded_2().await
    }
    #[operation]
    pub(super) async fn bounded_2() -> u8 {
        bounded_3().await
    }
    #[operation]
    pub(super) async fn bounded_3() -> u8 {
        bounded_4().await
    }
    #[operation]
    pub(super) async fn bounded_4() -> u8 {
        bounded_5().await
    }
    #[operation]
    pub(super) async fn bounded_5() -> u8 {
        bounded_6().await
    }
    #[operation]
    pub(super) async fn bounded_6() -> u8 {
        bounded_7().await
    }
    #[operation]
    pub(super) async fn bounded_7() -> u8 {
        bounded_8().await
    }
    #[operation]
    pub(super) async fn bounded_8() -> u8 {
        bounded_9().await
    }
    #[operation]
    pub(super) async fn bounded_9() -> u8 {
        bounded_10().await
    }
    #[operation]
    pub(super) async fn bounded_10() -> u8 {
        bounded_11().await
    }
    #[operation]
    pub(super) async fn bounded_11() -> u8 {
        bounded_12().await
    }
    #[operation]
    pub(super) async fn bounded_12() -> u8 {
        bounded_13().await
    }
    #[operation]
    pub(super) async fn bounded_13() -> u8 {
        bounded_14().await
    }
    #[operation]
    pub(super) async fn bounded_14() -> u8 {
        bounded_15().await
    }
    #[operation]
    pub(super) async fn bounded_15() -> u8 {
        bounded_16().await
    }
    #[operation]
    pub(super) async fn bounded_16() -> u8 {
        bounded_17().await
    }
    #[operation]
    pub(super) async fn bounded_17() -> u8 {
        bounded_18().await
    }
    #[operation]
    pub(super) async fn bounded_18() -> u8 {
        bounded_19().await
    }
    #[operation]
    pub(super) async fn bounded_19() -> u8 {
        bounded_20().await
    }
    #[operation]
    pub(super) async fn bounded_20() -> u8 {
        bounded_21().await
    }
    #[operation]
    pub(super) async fn bounded_21() -> u8 {
        bounded_22().await
    }
    #[operation]
    pub(super) async fn bounded_22() -> u8 {
        bounded_23().await
    }
    #[operation]
    pub(super) async fn bounded_23() -> u8 {
        bounded_24().await
    }
    #[operation]
    pub(super) async fn bounded_24() -> u8 {
        bounded_25().await
    }
    #[operation]
    pub(super) async fn bounded_25() -> u8 {
        bounded_26().await
    }
    #[operation]
    pub(super) async fn bounded_26() -> u8 {
        bounded_27().await
    }
    #[operation]
    pub(super) async fn bounded_27() -> u8 {
        bounded_28().await
    }
    #[operation]
    pub(super) async fn bounded_28() -> u8 {
        bounded_29().await
    }
    #[operation]
    pub(super) async fn bounded_29() -> u8 {
        ready(7).await
    }
}
