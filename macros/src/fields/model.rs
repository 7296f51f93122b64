//! What `#[derive(Fields)]` was put on, read and checked.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Ident, LitStr, Meta, Type};

use crate::args::{Args, Form, Known, field_name, to_field_name};
use crate::diag::Diagnostics;

const ATTRIBUTE: &str = "#[canonlog(..)]";

const ON_FIELD: [Known; 4] = [
    Known { name: "rename", form: Form::Value, example: "rename = \"cart_total\"" },
    Known { name: "skip", form: Form::Word, example: "skip" },
    Known { name: "redact", form: Form::Word, example: "redact" },
    Known { name: "flatten", form: Form::Word, example: "flatten" },
];

const ON_STRUCT: [Known; 1] = [Known { name: "crate", form: Form::Path, example: "crate = path::to::canonlog" }];

/// A valid use of `#[derive(Fields)]`. Holding one means that expansion cannot fail.
pub(super) struct Fields<'i> {
    pub(super) krate: TokenStream,
    pub(super) input: &'i DeriveInput,
    /// What is recorded, in the order of the struct.
    pub(super) fields: Vec<Field<'i>>,
}

pub(super) struct Field<'i> {
    pub(super) ident: &'i Ident,
    pub(super) ty: &'i Type,
    pub(super) how: How,
}

pub(super) enum How {
    /// Under a name.
    Value(String),
    /// Under a name, without its value.
    Redacted(String),
    /// As the fields that it has itself.
    Flat,
}

impl<'i> Fields<'i> {
    pub(super) fn lower(input: &'i DeriveInput, diag: &mut Diagnostics) -> Option<Self> {
        let mut args = Args::read(attributes(&input.attrs, diag), ATTRIBUTE, &ON_STRUCT, diag);
        let krate = args.path("crate").map_or_else(|| quote!(::canonlog), |path| quote!(#path));
        let named = match &input.data {
            Data::Struct(data) => match &data.fields {
                syn::Fields::Named(named) => named,
                syn::Fields::Unnamed(_) | syn::Fields::Unit => {
                    let help = "give the fields names, or implement `canonlog::Fields` by hand";
                    diag.mistake(&input.ident, "`Fields` can be derived only where fields have names", help);
                    return None;
                }
            },
            Data::Enum(data) => {
                let help = "implement `canonlog::Fields` by hand, or derive it on a struct in each variant";
                diag.mistake(data.enum_token, "`Fields` cannot be derived for an enum", help);
                return None;
            }
            Data::Union(data) => {
                diag.mistake(data.union_token, "`Fields` cannot be derived for a union", "make it a struct");
                return None;
            }
        };
        let mut fields: Vec<Field<'i>> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for field in &named.named {
            let Some(ident) = &field.ident else { continue };
            let Some((how, place)) = how(ident, &field.attrs, diag) else { continue };
            if let How::Value(name) | How::Redacted(name) = &how {
                if names.contains(name) {
                    let what = format_args!("two fields are named `{name}`");
                    diag.mistake_at(place, what, "give one of them another name: `#[canonlog(rename = \"..\")]`");
                }
                names.push(name.clone());
            }
            fields.push(Field { ident, ty: &field.ty, how });
        }
        Some(Fields { krate, input, fields })
    }
}

/// How a field is recorded, and where its name stands; `None` if it is not.
fn how(ident: &Ident, attrs: &[Attribute], diag: &mut Diagnostics) -> Option<(How, Span)> {
    let mut args = Args::read(attributes(attrs, diag), ATTRIBUTE, &ON_FIELD, diag);
    let rename = args.text("rename", "rename = \"cart_total\"", diag).filter(|name| field_name(name, name, diag));
    let (skip, redact, flatten) = (args.word("skip"), args.word("redact"), args.word("flatten"));
    if let (Some(_), Some(redact)) = (&skip, &redact) {
        let help = "keep `skip` to leave the field out, or `redact` to hide its value";
        diag.mistake(redact, "`redact` has no effect next to `skip`", help);
    }
    if let (Some(_), Some(flatten)) = (&skip, &flatten) {
        let help = "keep `skip` to leave the field out, or `flatten` to record its fields";
        diag.mistake(flatten, "`flatten` has no effect next to `skip`", help);
    }
    if let (Some(redact), Some(_)) = (&redact, &flatten) {
        let help = "put `redact` on the fields of that type, or leave this one out with `skip`";
        diag.mistake(redact, "`redact` cannot hide what `flatten` records", help);
    }
    if let (Some(rename), true) = (&rename, skip.is_some() || flatten.is_some()) {
        let word = if skip.is_some() { "skip" } else { "flatten" };
        let what = format_args!("`rename` has no effect next to `{word}`");
        diag.mistake(rename, what, format_args!("remove `rename` or `{word}`"));
    }
    if skip.is_some() {
        return None;
    }
    let place = rename.as_ref().map_or_else(|| ident.span(), LitStr::span);
    let name = rename.map_or_else(|| own_name(ident), |name| name.value());
    let how = match (flatten, redact) {
        (Some(_), _) => How::Flat,
        (None, Some(_)) => How::Redacted(name),
        (None, None) => How::Value(name),
    };
    Some((how, place))
}

fn own_name(ident: &Ident) -> String {
    to_field_name(&ident.unraw().to_string())
}

/// The arguments of all `#[canonlog(..)]` of an item.
fn attributes(attrs: &[Attribute], diag: &mut Diagnostics) -> TokenStream {
    let mut all = TokenStream::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("canonlog")) {
        match &attr.meta {
            Meta::List(list) => {
                let tokens = &list.tokens;
                let comma = (!all.is_empty()).then(|| quote!(,));
                all.extend(quote!(#comma #tokens));
            }
            other => diag.mistake(other, "`#[canonlog]` needs arguments", "write `#[canonlog(skip)]`, or remove it"),
        }
    }
    all
}
