//! What is not to be seen, and functions of more than one attribute.

use std::future::ready;

use canonlog::{Context, instrument_request, on_error, operation};
use futures_util::join;

use super::*;

#[instrument_request(frames = false)]
async fn without_frames() {
    leaf(9).await;
}

#[operation(frames = false)]
async fn unseen() {
    leaf(9).await;
}

#[instrument_request]
async fn around_unseen() {
    unseen().await; // @around
}

#[instrument_request(lines = false)]
async fn without_lines() {
    let _nothing = ready(1).await; // @awaits_count
    Context::set("step", 1);
    join!(leaf(9)); // @joins_count
}

#[test]
fn what_shall_not_be_seen_is_not() {
    assert_eq!(places(1, without_frames()), (leaf_line(), leaf_line()));
    assert_eq!(places(1, around_unseen()), (at("around", "around_unseen"), leaf_line()));
    assert_eq!(places(1, without_lines()), (at("joins_count", "without_lines"), leaf_line()));
}

#[on_error(return = ())]
async fn recovers() {
    leaf(1).await;
    pause(9).await; // @recovers
    Err::<(), _>("never")?;
}

#[operation]
#[on_error(return = ())]
async fn two_attributes() {
    recovers().await;
    Err::<(), _>("never")?;
}

#[on_error(return = ())]
#[operation]
async fn two_attributes_turned_around() {
    two_attributes().await;
    Err::<(), _>("never")?;
}

#[instrument_request]
async fn around_fallback() {
    two_attributes_turned_around().await; // @around_fallback
}

#[test]
fn functions_with_a_fallback_are_seen_too() {
    let outermost = at("around_fallback", "around_fallback");
    assert_eq!(places(1, around_fallback()), (outermost.clone(), leaf_line()));
    assert_eq!(places(2, around_fallback()), (outermost, at("recovers", "recovers")));
}
