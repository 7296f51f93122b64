//! What `#[register_instrumenter]` writes.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::model::RegisterInstrumenter;
use crate::args::located;

pub(super) fn expand(model: &RegisterInstrumenter) -> TokenStream {
    let RegisterInstrumenter { runtime, name, order, after, before, ty, is_unit, place, item } = model;
    // A type that cannot be made, or is no instrumenter, is reported where its name stands.
    let span = Span::mixed_site().located_at(*place);
    let at = located(runtime, span);
    let make = if *is_unit {
        quote_spanned!(span=> #at::Box::new(#ty))
    } else {
        quote_spanned!(span=> #at::Box::new(<#ty as ::core::default::Default>::default()))
    };
    quote! {
        #item
        #runtime::inventory::submit! {
            #runtime::Registration {
                name: #name,
                order: #order,
                after: &[#(#after),*],
                before: &[#(#before),*],
                location: ::core::concat!(::core::file!(), ":", ::core::line!()),
                make: || #make,
            }
        }
    }
}
