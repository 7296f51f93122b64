//! `#[instrument_request]`: the record's boundary.

mod expand;
mod model;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;

use crate::diag::{self, Diagnostics};

pub(crate) fn run(args: TokenStream, item: TokenStream) -> TokenStream {
    if let Some(later) = after_on_error(&args, &item) {
        return later;
    }
    let mut diag = Diagnostics::default();
    let model = model::InstrumentRequest::lower(args, item.clone(), &mut diag);
    match diag.finish(model) {
        Ok(model) => expand::expand(&model),
        Err(error) => diag::keep_item(item, &error),
    }
}

/// The same item with this attribute below an `#[on_error]` that stands under it.
///
/// The boundary encloses the whole body, and `?` in a body that is enclosed is no longer the function's.
fn after_on_error(args: &TokenStream, item: &TokenStream) -> Option<TokenStream> {
    let read = |input: syn::parse::ParseStream<'_>| {
        let attrs = input.call(syn::Attribute::parse_outer)?;
        let rest: TokenStream = input.parse()?;
        Ok((attrs, rest))
    };
    let (attrs, rest) = read.parse2(item.clone()).ok()?;
    let is_on_error = |attr: &syn::Attribute| attr.path().segments.last().is_some_and(|last| last.ident == "on_error");
    let at = attrs.iter().rposition(is_on_error)?;
    let crate_path = crate_argument(args);
    let (before, after) = attrs.split_at(at + 1);
    Some(quote!(#(#before)* #[#crate_path::instrument_request(#args)] #(#after)* #rest))
}

/// What `crate = path` says, read without judging.
fn crate_argument(args: &TokenStream) -> TokenStream {
    let read = |input: syn::parse::ParseStream<'_>| {
        while !input.is_empty() {
            if input.peek(syn::Token![crate]) && input.peek2(syn::Token![=]) {
                input.parse::<syn::Token![crate]>()?;
                input.parse::<syn::Token![=]>()?;
                let path = input.call(syn::Path::parse_mod_style)?;
                drop(input.parse::<TokenStream>()?);
                return Ok(quote!(#path));
            }
            input.parse::<proc_macro2::TokenTree>()?;
        }
        Ok(quote!(::canonlog))
    };
    read.parse2(args.clone()).unwrap_or_else(|_| quote!(::canonlog))
}
