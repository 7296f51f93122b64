//! What was ordered: the third file, which calls the crate in which the error arises.

use std::num::ParseIntError;

use canonlog::operation;

#[operation]
pub(crate) async fn book(amount: &str) -> Result<u64, ParseIntError> {
    let amount = legacy::amount(amount)?;
    Ok(amount)
}
