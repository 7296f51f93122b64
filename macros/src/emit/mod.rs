//! `#[emit]`: what a function returns is a message.

mod expand;
mod model;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::diag::{self, Diagnostics};

pub(crate) fn run(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diagnostics::default();
    let model = model::Emit::lower(args, item.clone(), &mut diag);
    match diag.finish(model) {
        Ok(model) => expand::expand(&model),
        Err(error) => diag::keep_item(item, &error),
    }
}
