//! Every shape of function under each attribute: it returns what it did.

#![allow(
    clippy::duplicate_mod,
    clippy::needless_question_mark,
    clippy::ptr_arg,
    clippy::never_loop,
    clippy::useless_vec,
    reason = "a shape is what it is, and stands once"
)]

mod instrument_request;
mod on_error;
mod operation;

use futures_util::FutureExt as _;

/// Runs a future that never waits.
fn block_on<F: Future>(future: F) -> F::Output {
    future.now_or_never().expect("nothing in these shapes waits")
}
