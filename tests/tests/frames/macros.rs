//! Macros in the functions: those that only have the name of a known one, and those that nobody else knows.

use canonlog::{Context, instrument_request, on_error, operation};
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

/// Waits where no attribute sees it, in the head of an expression.
macro_rules! given_unseen {
    ($value:expr) => {{
        pause(1).await;
        $value
    }};
}

#[operation]
fn takes(number: u8) -> bool {
    number == 1
}

#[operation]
async fn goes_on_in_an_arm() {
    match given_unseen!(1) {
        0 => {}
        number if takes(number) && middle(0).await == 0 => leaf(9).await,
        _ => {}
    }
}

#[operation]
async fn goes_on_in_a_guard() {
    match given_unseen!(1) {
        0 => {}
        number if middle(9).await == number => {}
        _ => {}
    }
}

#[operation]
async fn goes_on_in_an_if_let() {
    if let Some(()) = given_unseen!(Some(())) {
        leaf(9).await;
    }
}

#[operation]
async fn goes_on_in_an_else() {
    if given_unseen!(false) {
    } else if takes(1) {
        leaf(9).await;
    }
}

#[operation]
async fn goes_on_in_a_loop() {
    while let Some(()) = given_unseen!(Some(())) {
        leaf(9).await;
    }
}

#[operation]
async fn goes_on_in_another_loop() {
    for _turn in given_unseen!(0..1) {
        leaf(9).await;
    }
}

#[operation]
async fn goes_on_in_a_let_else() {
    let Some(()) = given_unseen!(None) else {
        leaf(9).await;
        return;
    };
}

#[operation]
async fn goes_on_in_a_condition() -> bool {
    given_unseen!(true) && middle(9).await == 0
}

#[operation]
async fn goes_on_in_the_same_statement() -> (u8, u8) {
    (given_unseen!(1), middle(9).await)
}

#[on_error(return = false)]
async fn goes_on_in_an_arm_with_a_fallback() -> bool {
    match given_unseen!(Ok::<_, ()>(1))? {
        0 => true,
        _ => middle(9).await == 0,
    }
}

#[on_error(return = false, panics)]
async fn goes_on_in_an_arm_where_panics_are_caught() -> bool {
    match given_unseen!(Ok::<_, ()>(1))? {
        0 => true,
        _ => middle(9).await == 0,
    }
}

#[instrument_request]
async fn goes_on_in_an_arm_of_its_own() {
    match given_unseen!(1) {
        0 => {}
        _ => leaf(9).await,
    }
}

#[instrument_request]
async fn around_arms<T>(future: impl Future<Output = T>) {
    future.await;
}

#[test]
fn what_runs_after_a_head_that_has_waited_in_a_macro_is_called_by_the_function() {
    // Else the function would be a place of its own, beside what it has called.
    macro_rules! leaf_is_the_only_place {
        ($($function:ident)*) => {$(
            assert_eq!(places(2, around_arms($function())).1, leaf_line(), stringify!($function));
        )*};
    }
    leaf_is_the_only_place!(
        goes_on_in_an_arm goes_on_in_a_guard goes_on_in_an_if_let goes_on_in_an_else goes_on_in_a_loop
        goes_on_in_another_loop goes_on_in_a_let_else goes_on_in_a_condition goes_on_in_the_same_statement
        goes_on_in_an_arm_with_a_fallback goes_on_in_an_arm_where_panics_are_caught
    );
    assert_eq!(places(2, goes_on_in_an_arm_of_its_own()).1, leaf_line());
}
