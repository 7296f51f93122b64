//! `#[derive(Fields)]`: many fields at once.

mod expand;
mod model;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::diag::Diagnostics;

pub(crate) fn run(item: TokenStream) -> TokenStream {
    let input: syn::DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut diag = Diagnostics::default();
    let model = model::Fields::lower(&input, &mut diag);
    match diag.finish(model) {
        Ok(model) => expand::expand(&model),
        Err(error) => expand::empty(&input, &error),
    }
}
