//! Macros in the functions: those that only have the name of a known one, and those that nobody else knows.

use canonlog::{Context, instrument_request, operation};
use futures_util::FutureExt as _;
use futures_util::future::join_all;

use super::*;

mod own {
    macro_rules! join {
        ($one:expr, $other:expr) => {
            [$one, $other].join("-")
        };
    }
    macro_rules! try_join {
        ($one:literal, $other:ident) => {
            concat!($one, stringify!($other))
        };
    }
    pub(crate) use {join, try_join};
}

#[operation]
fn joins_texts(one: &str) -> String {
    own::join!(one, "b")
}

#[operation]
async fn joins_texts_and_waits(one: &str) -> String {
    let (one, two) = (own::join!(one, one), own::try_join!("b", two));
    pause(0).await;
    own::join!(one.as_str(), two)
}

#[test]
fn a_macro_that_only_has_the_name_stays_what_it_is() {
    assert_eq!(joins_texts("a"), "a-b");
    assert_eq!(joins_texts_and_waits("a").now_or_never().as_deref(), Some("a-a-btwo"));
}

/// Waits where no attribute sees it.
macro_rules! waits_unseen {
    ($polls:expr) => {
        pause($polls).await
    };
}

#[operation]
async fn goes_on_after_a_macro(polls: usize) {
    waits_unseen!(polls);
    Context::set("step", 2);
    waits_unseen!(polls); // @unseen_line
    leaf(9).await; // @after_unseen
}

#[instrument_request]
async fn around_a_macro() {
    Context::set("step", 1); // @before_macro
    let once = goes_on_after_a_macro(1);
    once.await; // @around_macro
}

#[instrument_request]
async fn joins_by_function() {
    join_all([goes_on_after_a_macro(1), goes_on_after_a_macro(2)]).await; // @by_join_all
}

#[test]
fn a_function_that_waits_in_a_macro_of_its_own_is_itself_again_afterwards() {
    let (loc, cause) = places(1, around_a_macro());
    assert_eq!(loc, at("around_macro", "around_a_macro"));
    assert!(cause.ends_with(":frames::macros::goes_on_after_a_macro"), "{cause}");
    assert_eq!(places(2, around_a_macro()).1, at("unseen_line", "goes_on_after_a_macro"));
    assert_eq!(places(3, around_a_macro()), (at("around_macro", "around_a_macro"), leaf_line()));
    let (loc, cause) = places(3, joins_by_function());
    assert_eq!(loc, at("by_join_all", "joins_by_function"));
    assert!(cause.starts_with(&leaf_line()) || cause.ends_with(&leaf_line()), "{cause}");
    assert_eq!(places(5, joins_by_function()).1, all(&[leaf_line(), leaf_line()]));
}

#[operation]
async fn goes_on_after_a_macro_in_an_if(polls: usize) {
    if polls > 0 {
        waits_unseen!(polls)
    }
    leaf(9).await;
}

#[instrument_request]
async fn around_a_macro_in_an_if() {
    goes_on_after_a_macro_in_an_if(1).await; // @around_if
}

#[test]
fn a_function_is_itself_again_also_after_a_macro_at_the_end_of_an_if() {
    assert_eq!(places(3, around_a_macro_in_an_if()), (at("around_if", "around_a_macro_in_an_if"), leaf_line()));
}
