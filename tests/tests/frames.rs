//! Where a request is, at any time: the line of the function that waits, and the outermost one above it.

use std::cell::RefCell;
use std::future::{pending, poll_fn, ready};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::task::{Context as Task, Poll, Waker};
use std::thread;
use std::time::Duration;

use canonlog::{Context, Kind, OwnedEvent, begin, instrument_request, on_error, operation, testing};
use futures_util::future::{BoxFuture, join_all, select};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use futures_util::{FutureExt as _, join, try_join};

const LIMIT: Duration = Duration::from_secs(30);

fn text(event: &OwnedEvent, name: &str) -> String {
    event.view().get(name).map_or_else(String::new, |value| value.to_string())
}

/// The location of the line of this file that ends in `// @mark`.
fn at(mark: &str, function: &str) -> String {
    let is_marked = |line: &str| line.trim_end().ends_with(&format!("// @{mark}"));
    let lines: Vec<usize> =
        include_str!("frames.rs").lines().zip(1..).filter_map(|(line, at)| is_marked(line).then_some(at)).collect();
    assert_eq!(lines.len(), 1, "one line is marked `{mark}`");
    format!("tests/frames.rs:{}:frames::{function}", lines[0])
}

fn all(places: &[String]) -> String {
    places.join(", ")
}

thread_local! {
    /// Who is to be woken before the next poll.
    static WAITING: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    WAITING.take().into_iter().for_each(Waker::wake);
    future.poll(&mut Task::from_waker(Waker::noop()))
}

/// The timeout of a request whose future has been polled so often and never was ready.
fn timeout_of<T>(polls: usize, future: impl Future<Output = T>) -> OwnedEvent {
    let capture = testing::capture();
    let mut future = pin!(limited(future));
    for _ in 0..polls {
        assert!(poll(future.as_mut()).is_pending());
    }
    assert_eq!(capture.tick_timeouts(LIMIT), 1);
    let events = capture.wait_for(1, Duration::from_secs(10));
    events.into_iter().next().expect("the timeout")
}

/// A request around what is tried, as a layer would begin it: it is no function of the application.
async fn limited<T>(future: impl Future<Output = T>) -> T {
    let scope = begin(Kind::Request);
    scope.enter(|| Context::set_timeout(LIMIT));
    scope.context().scope(future).await
}

/// Outermost and innermost.
fn places<T>(polls: usize, future: impl Future<Output = T>) -> (String, String) {
    let event = timeout_of(polls, future);
    (text(&event, "timeout_loc"), text(&event, "timeout_cause_loc"))
}

/// Not ready at its first polls.
fn pause(polls: usize) -> impl Future<Output = ()> {
    let mut left = polls + 1;
    poll_fn(move |task| {
        left -= 1;
        WAITING.with_borrow_mut(|waiting| waiting.push(task.waker().clone()));
        if left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
}

// -- what the scenarios call ------------------------------------------------------------------------------------------

#[operation]
async fn leaf(polls: usize) {
    ready(()).await;
    pause(polls).await; // @leaf
    ready(()).await;
}

#[operation]
async fn middle(polls: usize) -> u8 {
    let nothing = ready(0).await;
    leaf(polls).await; // @middle
    nothing
}

async fn unannotated(polls: usize) -> u8 {
    pause(1).await;
    middle(polls).await
}

#[operation]
async fn other() {
    pending::<()>().await; // @other
}

fn leaf_line() -> String {
    at("leaf", "leaf")
}

fn other_line() -> String {
    at("other", "other")
}

// -- one after the other ----------------------------------------------------------------------------------------------

#[instrument_request]
async fn chain(polls: usize) -> u8 {
    Context::set("step", 1);
    middle(polls).await // @chain
}

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
    assert!(next(3).1.ends_with(":frames::goes_on"), "in code without annotation: the line that called it");
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

// -- at the same time -------------------------------------------------------------------------------------------------

#[instrument_request]
async fn joins() {
    Context::set("step", 1);
    join!(leaf(9), other()); // @joins
}

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
    assert!(loc.ends_with(":frames::selects"), "{loc}");
    assert_eq!(cause, all(&[leaf_line(), other_line()]));
}

#[test]
fn what_a_selects_handler_waits_for_is_named() {
    assert_eq!(places(1, selects_again()).1, leaf_line());
    assert_eq!(places(2, selects_again()), (at("handler", "selects_again"), leaf_line()));
    let (loc, cause) = places(3, selects_again());
    assert!(loc.ends_with(":frames::selects_again"), "{loc}");
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

// -- ends -------------------------------------------------------------------------------------------------------------

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

// -- threads ----------------------------------------------------------------------------------------------------------

#[operation]
fn blocks(until: &AtomicBool) {
    while !until.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(1)); // @blocks
    }
}

#[instrument_request]
fn handles(until: &AtomicBool) {
    Context::set("step", 1);
    Context::set_timeout(LIMIT);
    blocks(until); // @handles
}

#[test]
fn a_function_that_is_not_async_is_named_while_it_runs() {
    let capture = testing::capture();
    let (pipeline, done) = (capture.pipeline(), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let request = pipeline.begin(Kind::Request);
            request.enter(|| handles(&done));
        });
        while capture.tick_timeouts(LIMIT) == 0 {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(20));
        done.store(true, Ordering::Relaxed);
    });
    let event = &capture.wait_for(1, Duration::from_secs(10))[0];
    // Found in the first moment, it may not have come to the line yet.
    assert!(text(event, "timeout_cause_loc").contains("tests/frames.rs:"), "{event:?}");
}

#[instrument_request]
async fn spawns(tasks: &mut Vec<BoxFuture<'static, u8>>) {
    let cx = Context::current();
    tasks.push(cx.scope(middle(9)).boxed());
    tasks.push(cx.scope(unannotated(9)).boxed());
    poll_on_another_thread(&mut tasks[0]);
    other().await; // @spawns
}

/// While this thread is inside the record.
fn poll_on_another_thread(task: &mut BoxFuture<'static, u8>) {
    thread::scope(|scope| {
        let polled = scope.spawn(|| assert!(poll(task.as_mut()).is_pending()));
        polled.join().expect("no panic");
    });
}

#[test]
fn the_tasks_of_a_request_are_seen_too_wherever_they_are_polled() {
    let capture = testing::capture();
    let (mut tasks, spawned) = (Vec::new(), at("spawns", "spawns"));
    {
        let mut request = pin!(limited(spawns(&mut tasks)));
        assert!(poll(request.as_mut()).is_pending());
        assert_eq!(capture.tick_timeouts(LIMIT), 1);
        let event = &capture.wait_for(1, Duration::from_secs(10))[0];
        let causes = text(event, "timeout_cause_loc");
        assert!(causes == all(&[leaf_line(), other_line()]) || causes == all(&[other_line(), leaf_line()]), "{causes}");
        assert!([spawned, at("middle", "middle")].contains(&text(event, "timeout_loc")), "{event:?}");
    }
    assert_eq!(tasks.len(), 2);
}

#[test]
fn a_task_is_seen_that_goes_on_where_nobody_else_is_inside() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.enter(|| Context::set_timeout(LIMIT));
    let mut task = scope.context().scope(unannotated(9)).boxed();
    // First beside the claim, then with it.
    scope.enter(|| poll_on_another_thread(&mut task));
    assert!(poll(task.as_mut()).is_pending());
    assert_eq!(capture.tick_timeouts(LIMIT), 1);
    let event = &capture.wait_for(1, Duration::from_secs(10))[0];
    assert_eq!(text(event, "timeout_cause_loc"), leaf_line());
    drop(task);
    drop(scope);
    assert_eq!(capture.wait_for(2, Duration::from_secs(10)).len(), 2);
}

// -- switches ---------------------------------------------------------------------------------------------------------

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

// -- macros of the same names -----------------------------------------------------------------------------------------

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

// -- macros that only they know -----------------------------------------------------------------------------------------

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
    assert!(cause.ends_with(":frames::goes_on_after_a_macro"), "{cause}");
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

// -- a join that is ready in part ----------------------------------------------------------------------------------------

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
