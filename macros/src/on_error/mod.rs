//! `#[on_error]`: a failure becomes an event of its own, and the caller gets a fallback.

mod expand;
mod hidden;
mod in_place;
mod model;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::diag::{self, Diagnostics};

pub(crate) fn run(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diagnostics::default();
    let model = model::OnError::lower(args, item.clone(), &mut diag);
    match diag.finish(model) {
        Ok(model) => expand::expand(&model),
        Err(error) => {
            let kept = model::OnError::without_arguments(item.clone()).map(|model| expand::expand(&model));
            diag::keep_item(kept.unwrap_or(item), &error)
        }
    }
}
