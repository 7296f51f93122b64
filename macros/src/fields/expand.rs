//! What `#[derive(Fields)]` writes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{DeriveInput, GenericParam, Type, WherePredicate};

use super::model::{Field, Fields, How};

pub(super) fn expand(model: &Fields<'_>) -> TokenStream {
    let Fields { krate, input, fields } = model;
    let into = Ident::new("into", Span::mixed_site());
    let records = fields.iter().map(|Field { ident, ty, how }| {
        let span = Span::mixed_site().located_at(ty.span());
        // `self` has the hygiene of a local.
        let value = quote!(self.#ident);
        match how {
            How::Value(name) => {
                let value = quote_spanned!(span=> #krate::ToValue::to_value(&#value));
                quote!(#into(#name, #value);)
            }
            How::Redacted(name) => quote!(#into(#name, #krate::Value::Str(#krate::__private::REDACTED));),
            How::Flat => quote_spanned!(span=> #krate::Fields::record(&#value, #into);),
        }
    });
    let mut generics = input.generics.clone();
    let bounds: Vec<WherePredicate> = fields.iter().filter_map(|field| bound(krate, input, field)).collect();
    if !bounds.is_empty() {
        generics.make_where_clause().predicates.extend(bounds);
    }
    let (ident, (head, arguments, bounds)) = (&input.ident, generics.split_for_impl());
    quote! {
        #[automatically_derived]
        impl #head #krate::Fields for #ident #arguments #bounds {
            fn record(&self, #into: &mut dyn ::core::ops::FnMut(&'static str, #krate::Value<'_>)) {
                #(#records)*
            }
        }
    }
}

/// An impl without fields, beside the errors: whoever uses it gets no error of their own.
pub(super) fn empty(input: &DeriveInput, error: &syn::Error) -> TokenStream {
    let (errors, ident, (head, arguments, bounds)) =
        (error.to_compile_error(), &input.ident, input.generics.split_for_impl());
    quote! {
        #errors
        #[automatically_derived]
        impl #head ::canonlog::Fields for #ident #arguments #bounds {
            fn record(&self, _: &mut dyn ::core::ops::FnMut(&'static str, ::canonlog::Value<'_>)) {}
        }
    }
}

/// What the type of a field must be able to do, where that depends on a parameter.
fn bound(krate: &TokenStream, input: &DeriveInput, field: &Field<'_>) -> Option<WherePredicate> {
    let ty = field.ty;
    let depends = input.generics.params.iter().any(|param| match param {
        GenericParam::Type(param) => mentions(ty, &param.ident),
        GenericParam::Lifetime(_) | GenericParam::Const(_) => false,
    });
    match (&field.how, depends) {
        (How::Value(_), true) => Some(syn::parse_quote!(#ty: #krate::ToValue)),
        (How::Flat, true) => Some(syn::parse_quote!(#ty: #krate::Fields)),
        _ => None,
    }
}

fn mentions(ty: &Type, parameter: &Ident) -> bool {
    struct Find<'p> {
        parameter: &'p Ident,
        found: bool,
    }
    impl<'a> Visit<'a> for Find<'_> {
        fn visit_ident(&mut self, ident: &'a Ident) {
            self.found |= ident == self.parameter;
        }
    }
    let mut find = Find { parameter, found: false };
    find.visit_type(ty);
    find.found
}
