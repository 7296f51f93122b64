//! One function after the other.

use std::pin::pin;
use std::task::Poll;

use canonlog::{instrument_request, operation};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::*;

#[test]
fn the_innermost_and_the_outermost_line_of_a_chain_are_named() {
    for polls in 1..4 {
        assert_eq!(places(polls, chain(9)), (at("chain", "chain"), leaf_line()), "after {polls} polls");
    }
}

#[test]
fn how_long_it_has_waited_is_told() {
    let event = timeout_of(2, chain(9));
    let waited: f64 = text(&event, "timeout_for").trim_end_matches('s').parse().expect("seconds");
    assert!((29.0..31.0).contains(&waited), "{waited}");
    assert_eq!(text(&event, "timeout_state"), "parked");
}

#[instrument_request]
async fn goes_on() {
    middle(2).await;
    let done = unannotated(1).await;
    assert_eq!(done, 0);
    for turn in 0..3 {
        match turn {
            0 => middle(1).await,
            1 => unannotated(1).await, // @turn
            _ => 0,
        };
    }
    other().await; // @goes_on
}

#[test]
fn what_has_ended_is_not_named_any_more() {
    let next = |polls| places(polls, goes_on());
    // `middle` waits twice; `unannotated` once by itself.
    assert_eq!(next(2).1, leaf_line());
    assert!(next(3).1.ends_with(":frames::sequence::goes_on"), "in code without annotation: the line that called it");
    assert_eq!(next(4).1, leaf_line());
    assert_eq!(next(5).1, leaf_line());
    assert_eq!(next(6), (at("turn", "goes_on"), at("turn", "goes_on")));
    assert_eq!(next(7), (at("turn", "goes_on"), leaf_line()));
    assert_eq!(next(8), (at("goes_on", "goes_on"), other_line()));
}

#[instrument_request]
async fn recurses() {
    #[operation]
    fn down(levels: u8) -> BoxFuture<'static, ()> {
        async move {
            if levels > 0 {
                down(levels - 1).await;
            }
            leaf(3).await; // @down
        }
        .boxed()
    }
    down(5).await; // @recurses
}

#[test]
fn a_function_that_calls_itself_is_told_from_itself() {
    let (loc, cause) = places(2, recurses());
    assert_eq!((loc, cause), (at("recurses", "recurses"), leaf_line()));
}

#[instrument_request]
async fn passes_a_borrow() -> usize {
    async fn length(text: &str) -> usize {
        pause(1).await;
        text.len()
    }
    // What the future borrows lives until the statement's end.
    let sum = length(&String::from("four")).await + length(&format!("{}", 12)).await;
    match length(&String::from("x")).await {
        1 => sum,
        _ => length(&String::from("y")).await,
    }
}

#[test]
fn what_a_future_borrows_lives_as_long_as_without_the_attribute() {
    let mut future = pin!(passes_a_borrow());
    let mut polls = 0;
    let sum = loop {
        polls += 1;
        if let Poll::Ready(sum) = poll(future.as_mut()) {
            break sum;
        }
    };
    assert_eq!((sum, polls), (6, 4));
}
