//! How the figures are taken.

pub mod allocations;
pub mod batches;
pub mod errors;
pub mod futures;
pub mod instructions;
pub mod messages;
pub mod operations;
pub mod scan;
pub mod threads;

/// The middle of `values`; NaN of none.
pub fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
