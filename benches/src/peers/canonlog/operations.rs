//! Requests that differ in one kind of operation, sixteen times; and operations outside a request.

use canonlog::{Context, Kind};

pub use super::pipeline::to_sink as install;

/// A request that does `work`.
#[inline(always)]
fn request(work: impl FnOnce()) {
    let scope = canonlog::begin(Kind::Request);
    scope.context().enter(work);
}

macro_rules! sixteen {
    ($operation:expr) => {{
        let operation = $operation;
        operation("key_a", 0);
        operation("key_b", 1);
        operation("key_c", 2);
        operation("key_d", 3);
        operation("key_e", 4);
        operation("key_f", 5);
        operation("key_g", 6);
        operation("key_h", 7);
        operation("key_i", 8);
        operation("key_j", 9);
        operation("key_k", 10);
        operation("key_l", 11);
        operation("key_m", 12);
        operation("key_n", 13);
        operation("key_o", 14);
        operation("key_p", 15);
    }};
}

#[inline(never)]
pub fn request_with_nothing() {
    request(|| {});
}

#[inline(never)]
pub fn request_with_integers() {
    request(|| sixteen!(|key, n: u64| Context::set(key, std::hint::black_box(1_200 + n))));
}

#[inline(never)]
pub fn request_with_texts() {
    request(|| sixteen!(|key, _: u64| Context::set(key, std::hint::black_box("business-large"))));
}

#[inline(never)]
pub fn request_with_floats() {
    request(|| sixteen!(|key, n: u64| Context::set(key, std::hint::black_box(19.99 + n as f64))));
}

#[inline(never)]
pub fn request_with_one_integer() {
    request(|| Context::set("key", std::hint::black_box(1_u64)));
}

#[inline(never)]
pub fn request_with_overwrites() {
    request(|| {
        Context::set("key", std::hint::black_box(1_u64));
        sixteen!(|_, n: u64| Context::set("key", std::hint::black_box(n)));
    });
}

#[inline(never)]
pub fn request_with_one_timer() {
    request(|| drop(Context::time("key")));
}

#[inline(never)]
pub fn request_with_timers() {
    request(|| {
        drop(Context::time("key"));
        sixteen!(|_, _: u64| drop(Context::time("key")));
    });
}

#[inline(never)]
pub fn set_outside() {
    sixteen!(|key, n: u64| Context::set(key, std::hint::black_box(n)));
}

#[inline(never)]
pub fn timer_outside() {
    sixteen!(|key, _: u64| drop(Context::time(key)));
}
