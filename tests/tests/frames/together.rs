//! Several futures at the same time: joins, selects, collections.

use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use canonlog::{instrument_request, operation};
use futures_util::future::{join_all, select};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use futures_util::{FutureExt as _, join, try_join};

use super::*;

#[instrument_request]
async fn tries_to_join() -> Result<(), ()> {
    async fn fine(polls: usize) -> Result<u8, ()> {
        Ok(unannotated(polls).await)
    }
    try_join!(fine(9), other().map(Ok), fine(1))?; // @tries
    Ok(())
}

#[test]
fn all_branches_of_a_join_are_named() {
    for polls in 1..4 {
        assert_eq!(places(polls, joins()), (at("joins", "joins"), all(&[leaf_line(), other_line()])));
    }
}

#[test]
fn branches_that_begin_later_belong_to_the_function_that_joins() {
    let tries = at("tries", "tries_to_join");
    assert_eq!(places(1, tries_to_join()), (tries.clone(), other_line()));
    // Both of the others have gone on to `middle`.
    assert_eq!(places(2, tries_to_join()), (tries, all(&[other_line(), leaf_line(), leaf_line()])));
}

#[instrument_request]
async fn selects() {
    tokio::select! {
        biased;
        () = pending::<()>() => {}
        (kept, ()) = async { tokio::join!(middle(9), other()) } => assert_eq!(kept, 0), // @nested
        () = pause(4), if true => unreachable!("it is too late"),
        else => {}
    }
}

#[instrument_request]
async fn selects_again() {
    let mut first = true;
    loop {
        tokio::select! {
            () = leaf(1), if first => {
                first = false;
                leaf(1).await; // @handler
            }
            () = other(), if !first => break,
        }
    }
}

#[test]
fn a_join_inside_a_select_is_a_tree() {
    let (loc, cause) = places(3, selects());
    assert!(loc.ends_with(":frames::together::selects"), "{loc}");
    assert_eq!(cause, all(&[leaf_line(), other_line()]));
}

#[test]
fn what_a_selects_handler_waits_for_is_named() {
    assert_eq!(places(1, selects_again()).1, leaf_line());
    assert_eq!(places(2, selects_again()), (at("handler", "selects_again"), leaf_line()));
    let (loc, cause) = places(3, selects_again());
    assert!(loc.ends_with(":frames::together::selects_again"), "{loc}");
    assert_eq!(cause, other_line());
}

#[instrument_request]
async fn gathers(count: usize) {
    let mut all: FuturesUnordered<_> = (0..count).map(middle_or_later).collect();
    while all.next().await.is_some() {} // @gathers
}

async fn middle_or_later(number: usize) {
    if number == 1 {
        pause(1).await;
    }
    middle(2 + number).await;
}

#[instrument_request]
async fn joins_all() {
    join_all((0..3).map(|number| middle(2 + number))).await; // @joins_all
}

#[instrument_request]
async fn selects_by_function() {
    select(pin!(other()), pin!(middle(9))).await; // @by_function
}

#[test]
fn all_of_a_collection_of_futures_are_named_at_most_three() {
    let lines = |count| all(&vec![leaf_line(); count]);
    assert_eq!(places(1, gathers(3)), (at("gathers", "gathers"), lines(2)));
    assert_eq!(places(2, gathers(3)), (at("gathers", "gathers"), lines(3)));
    assert_eq!(places(2, gathers(7)), (at("gathers", "gathers"), lines(3)));
    assert_eq!(places(2, joins_all()), (at("joins_all", "joins_all"), lines(3)));
    assert_eq!(places(4, joins_all()), (at("joins_all", "joins_all"), lines(1)));
    assert_eq!(
        places(2, selects_by_function()),
        (at("by_function", "selects_by_function"), all(&[other_line(), leaf_line()]))
    );
}

#[instrument_request]
async fn oldest_first() {
    let late = async {
        pause(1).await;
        other().await;
    };
    join!(late, leaf(9));
}

#[test]
fn several_places_are_listed_by_how_long_they_wait() {
    assert_eq!(places(2, oldest_first()).1, all(&[leaf_line(), other_line()]));
}

#[operation]
async fn joins_slow_and_fast() {
    tokio::join!(pause(9), pause(1)); // @partly
}

#[operation]
async fn through_a_join() {
    joins_slow_and_fast().await;
}

/// Polls what it has by hand, and begins with another future just when the join is ready in part.
#[instrument_request]
async fn begins_another_beside_a_join() {
    let mut all: Vec<Pin<Box<dyn Future<Output = ()>>>> = vec![Box::pin(through_a_join())];
    let mut polls = 0;
    poll_fn(|task| {
        polls += 1;
        if polls == 2 {
            all.push(Box::pin(async {
                leaf(9).await;
            }));
        }
        let pending = all.iter_mut().map(|future| future.as_mut().poll(task)).filter(Poll::is_pending).count();
        if pending > 0 { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

#[test]
fn a_join_that_is_ready_in_part_is_not_the_caller_of_what_begins_beside_it() {
    let cause = places(3, begins_another_beside_a_join()).1;
    for leaf in [at("partly", "joins_slow_and_fast"), leaf_line()] {
        assert!(cause.contains(&leaf), "{leaf} in {cause}");
    }
}

#[instrument_request]
async fn joins_one_that_is_through(first: bool) {
    let (soon, never) = (pause(1), pending::<()>());
    if first {
        join!(soon, never);
    } else {
        join!(never, soon);
    }
}

#[test]
fn how_long_a_join_has_waited_is_told_also_when_one_of_its_futures_is_through() {
    for (first, polls) in [(true, 2), (false, 2), (true, 4), (false, 4)] {
        let event = timeout_of(polls, joins_one_that_is_through(first));
        let waited = text(&event, "timeout_for").trim_end_matches('s').parse::<f64>();
        assert!(waited.as_ref().is_ok_and(|waited| (29.0..31.0).contains(waited)), "{first} {polls} {waited:?}");
    }
}

#[operation]
async fn selects_of_another_crate() {
    let (mut first, mut second) = (pin!(pause(1).fuse()), pin!(leaf(9).fuse()));
    loop {
        futures_util::select! {
            () = first => middle(1).map(drop).await, // @handler_of_another
            () = second => break,
            complete => unreachable!(),
        }
    }
}

#[instrument_request]
async fn around_a_select() {
    selects_of_another_crate().await; // @around_select
}

#[test]
fn what_the_handler_of_another_crates_select_waits_for_is_named() {
    assert_eq!(places(1, around_a_select()).1, leaf_line());
    let (loc, cause) = places(2, around_a_select());
    assert_eq!(loc, at("around_select", "around_a_select"));
    // The branch, too, waits on.
    assert_eq!(cause, all(&[leaf_line(), leaf_line()]));
}
