//! The panic hook where the first record of a process begins on a thread that panics: one test alone in its program, as there is
//! one hook.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use canonlog::{Kind, begin, testing};
use canonlog_tests::unit::text;

/// Records something while its thread unwinds.
struct Recording;

impl Drop for Recording {
    fn drop(&mut self) {
        begin(Kind::Request).finish();
    }
}

#[test]
fn a_hook_that_could_not_be_set_on_a_thread_that_panics_is_set_by_the_next_record() {
    assert!(
        catch_unwind(AssertUnwindSafe(|| {
            let _recording = Recording;
            panic!("before the hook")
        }))
        .is_err()
    );
    let capture = testing::capture();
    assert!(catch_unwind(AssertUnwindSafe(|| begin(Kind::Request).enter(|| panic!("after it")))).is_err());
    let event = capture.wait_for(1, Duration::from_secs(20)).remove(0);
    assert_eq!(text(&event, "exc_msg"), "after it");
}
