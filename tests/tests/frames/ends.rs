//! Requests and functions that end early: cancelled, dropped, by a panic, past the room there is.

use std::pin::Pin;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use canonlog::{Kind, begin, instrument_request, operation, testing};
use futures_util::FutureExt as _;
use futures_util::future::join_all;

use super::*;

#[test]
fn a_cancelled_request_tells_where_it_was() {
    let capture = testing::capture();
    let mut future = Box::pin(joins());
    assert!(poll(future.as_mut()).is_pending());
    drop(future);
    let event = capture.one();
    assert_eq!(text(&event, "cancel_loc"), all(&[leaf_line(), other_line()]));
    assert_eq!(text(&event, "req_cancelled"), "true");
}

#[test]
fn a_request_that_was_not_polled_or_that_ended_has_no_such_place() {
    let capture = testing::capture();
    drop(chain(1));
    assert_eq!(capture.events().len(), 0);
    let mut future = Box::pin(chain(1));
    while poll(future.as_mut()).is_pending() {}
    drop(future);
    assert_eq!(text(&capture.one(), "cancel_loc"), "");
}

#[instrument_request]
async fn survives_a_panic() {
    #[operation]
    async fn fails() {
        middle(1).await;
        panic!("on purpose");
    }
    let failed = std::panic::AssertUnwindSafe(fails()).catch_unwind().await;
    assert!(failed.is_err());
    leaf(9).await; // @after_panic
}

#[instrument_request]
async fn drops_some() {
    let mut dropped = Box::pin(middle(9));
    assert!(futures_util::poll!(dropped.as_mut()).is_pending());
    drop(dropped);
    let on_another_thread = {
        let mut future = Box::pin(middle(9));
        assert!(futures_util::poll!(future.as_mut()).is_pending());
        future
    };
    thread::spawn(move || drop(on_another_thread)).join().expect("no panic");
    other().await; // @drops
}

#[test]
fn panics_and_drops_leave_nothing_behind() {
    assert_eq!(places(3, survives_a_panic()), (at("after_panic", "survives_a_panic"), leaf_line()));
    assert_eq!(places(2, drops_some()), (at("drops", "drops_some"), other_line()));
}

#[instrument_request]
async fn more_than_there_is_room_for(count: usize) {
    join_all((0..count).map(|_| leaf(1))).await;
    other().await; // @after_many
}

#[test]
fn functions_past_the_sixty_fourth_are_left_out_and_never_wrong() {
    let (loc, cause) = places(1, more_than_there_is_room_for(200));
    assert!(loc.ends_with("more_than_there_is_room_for"), "{loc}");
    assert_eq!(cause, all(&vec![leaf_line(); 3]));
    // The request's own function has one, and 63 more.
    assert!(canonlog::stats().count("frames_lost") >= 200 - 63);
    // Those that found no room have ended, and so have those that did.
    let expected = (at("after_many", "more_than_there_is_room_for"), other_line());
    assert_eq!(places(2, more_than_there_is_room_for(200)), expected);
}

#[test]
fn operations_past_the_sixty_fourth_are_timed_all_the_same() {
    let capture = testing::capture();
    let mut future = Box::pin(more_than_there_is_room_for(200));
    assert!(poll(future.as_mut()).is_pending());
    thread::sleep(Duration::from_millis(2));
    assert!(poll(future.as_mut()).is_pending());
    drop(future);
    let event = capture.one();
    assert_eq!(text(&event, "app_leaf_count"), "200");
    let Some(canonlog::Value::Duration(time)) = event.view().get("app_leaf_time") else { panic!("{event:?}") };
    // Together they are one section: its time is that of the outermost.
    assert!(time >= Duration::from_millis(2), "{time:?}");
}

#[test]
fn a_newer_request_shows_none_of_an_older_ones_frames() {
    let capture = testing::capture();
    let (old, left) = (begin(Kind::Request), mpsc::channel());
    old.enter(|| {
        let mut future: Pin<Box<dyn Future<Output = u8> + Send>> = Box::pin(middle(9));
        assert!(poll(future.as_mut()).is_pending());
        left.0.send(future).expect("it is received");
    });
    drop(old);
    let event = timeout_of(2, chain(9));
    assert_eq!(text(&event, "timeout_cause_loc"), leaf_line());
    assert_eq!(text(&event, "timeout_loc"), at("chain", "chain"));
    drop(left.1);
    assert_eq!(capture.events().len(), 1);
}
