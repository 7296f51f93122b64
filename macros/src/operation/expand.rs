//! What `#[operation]` writes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Block;

use super::model::Operation;
use crate::func::{Body, Shape};
use crate::future::{Wrap, keep_fields, record_fields};
use crate::rewrite::Traced;
use crate::rewrite::frames::Guard;
use crate::site;

pub(super) fn expand(model: &Operation) -> TokenStream {
    let Operation { runtime, name, fields, errors, frames, item } = model;
    let Body::Parsed(body) = &item.body else { return item.to_token_stream() };
    let (fun, place) = (site::fun(), site::statics(runtime, &item.sig.ident));
    let unit = site::unit();
    let count = format!("{name}_count");
    let shape = item.shape();
    let result = shape.output().unwrap_or_else(|| item.result());
    let guard = Ident::new("guard", Span::mixed_site());
    let elsewhere = Guard::Elsewhere;
    let traced = Traced { runtime, result: &result, errors: *errors, frames: *frames, guard: elsewhere };
    let import = traced.import();
    let inside = |block: &mut Block| traced.apply(block, true);
    let body = if let Some((wrap, output)) = Wrap::of(&shape, runtime, &inside) {
        let init = if fields.is_empty() {
            quote!(|| {})
        } else {
            let (kept, fields) = (Ident::new("kept", Span::mixed_site()), keep_fields(runtime, fields));
            quote!({ let #kept = #fields; move || #runtime::record_kept(#kept) })
        };
        wrap.apply(body, &quote!(#runtime::start::<#output, _, _, _>(|| &#unit, #init, #runtime::unprobed)))
    } else {
        // In place, as a wrapper would grow the future. Mixed-site: the body can neither see the guard nor shadow it.
        let mut body = body.clone();
        Traced { guard: Guard::Of(&guard), ..traced }.apply(&mut body, matches!(shape, Shape::Async));
        let (records, stmts) = (record_fields(runtime, fields), &body.stmts);
        quote! {
            let #guard = #runtime::operation(|| &#unit);
            #records
            { #(#stmts)* }
        }
    };
    let unseen = frames.unseen();
    item.with_body(&quote! {
        #import
        #place
        static #unit: #runtime::Unit = #runtime::Unit::operation(&#fun, #name, #count)#unseen;
        #body
    })
}
