//! What `#[register_instrumenter]` was given, read and checked.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, ExprUnary, Fields, Generics, Item, Lit, LitInt, LitStr, Type, UnOp};

use crate::args::{Args, Form, Known, to_field_name};
use crate::diag::{Diagnostics, head_of};
use crate::func::bare;

const MACRO: &str = "#[register_instrumenter]";

const KNOWN: [Known; 5] = [
    Known { name: "name", form: Form::Value, example: "name = \"app_version\"" },
    Known { name: "order", form: Form::Value, example: "order = 2000" },
    Known { name: "after", form: Form::Value, example: "after = \"database\"" },
    Known { name: "before", form: Form::Value, example: "before = [\"error\", \"saturation\"]" },
    Known { name: "crate", form: Form::Path, example: "crate = path::to::canonlog" },
];

/// The order of an instrumenter that says none: after the built-in ones.
const DEFAULT_ORDER: i32 = 1000;

/// A valid use of `#[register_instrumenter]`. Holding one means that expansion cannot fail.
pub(super) struct RegisterInstrumenter {
    pub(super) runtime: TokenStream,
    pub(super) name: String,
    pub(super) order: i32,
    pub(super) after: Vec<LitStr>,
    pub(super) before: Vec<LitStr>,
    pub(super) ty: TokenStream,
    /// Whether the type's name is its value: a unit struct needs no `Default`.
    pub(super) is_unit: bool,
    pub(super) place: Span,
    pub(super) item: TokenStream,
}

impl RegisterInstrumenter {
    pub(super) fn lower(args: TokenStream, item: TokenStream, diag: &mut Diagnostics) -> Option<Self> {
        let target = Target::read(&item, diag);
        let mut args = Args::read(args, MACRO, &KNOWN, diag);
        let name = args.text("name", "name = \"app_version\"", diag).filter(|name| is_name(name, diag));
        let order = args.expr("order").and_then(|order| number(&order, diag));
        let after = args.expr("after").map(|list| names("after", &list, diag));
        let before = args.expr("before").map(|list| names("before", &list, diag));
        let runtime = args.runtime();
        let Target { ty, is_unit, own_name, place } = target?;
        let (after, before) = (after.unwrap_or_default(), before.unwrap_or_default());
        let name = name.map_or_else(|| to_field_name(&own_name), |name| name.value());
        for (other, side) in after.iter().map(|n| (n, "after")).chain(before.iter().map(|n| (n, "before"))) {
            if other.value() == name {
                diag.mistake(other, format_args!("`{name}` cannot come {side} itself"), "name another instrumenter");
            }
        }
        for both in before.iter().filter(|name| after.iter().any(|other| other.value() == name.value())) {
            let what = format_args!("`{}` cannot come both before and after", both.value());
            diag.mistake(both, what, "remove it from `after` or from `before`");
        }
        let order = order.unwrap_or(DEFAULT_ORDER);
        Some(RegisterInstrumenter { runtime, name, order, after, before, ty, is_unit, place, item })
    }
}

/// What the attribute is on.
struct Target {
    ty: TokenStream,
    is_unit: bool,
    own_name: String,
    place: Span,
}

impl Target {
    fn read(item: &TokenStream, diag: &mut Diagnostics) -> Option<Self> {
        match syn::parse2(item.clone()) {
            Ok(Item::Struct(it)) => {
                no_generics(&it.generics, diag);
                let (ident, is_unit) = (&it.ident, matches!(it.fields, Fields::Unit));
                let own_name = ident.unraw().to_string();
                Some(Target { ty: quote::quote!(#ident), is_unit, own_name, place: ident.span() })
            }
            Ok(Item::Impl(it)) => {
                no_generics(&it.generics, diag);
                let is_instrumenter = it
                    .trait_
                    .as_ref()
                    .is_some_and(|(path, _)| path.segments.last().is_some_and(|last| last.ident == "Instrumenter"));
                if !is_instrumenter {
                    let what = format_args!("`{MACRO}` is only for `impl Instrumenter`");
                    match &it.trait_ {
                        Some((path, _)) => diag.mistake(path, what, "put it on the `impl Instrumenter for ..`"),
                        None => {
                            diag.mistake(&it.self_ty, what, "put it on the struct or on its `impl Instrumenter for ..`")
                        }
                    }
                    return None;
                }
                let ty = &it.self_ty;
                let own_name = match bare(ty) {
                    Type::Path(path) => path.path.segments.last().map(|last| last.ident.unraw().to_string()),
                    _ => None,
                };
                let own_name = own_name.unwrap_or_else(|| "instrumenter".to_owned());
                Some(Target { ty: quote::quote!(#ty), is_unit: false, own_name, place: ty.span() })
            }
            Ok(Item::Enum(_) | Item::Union(_)) => {
                let what = format_args!("`{MACRO}` is only for structs and `impl Instrumenter`");
                diag.mistake(head_of(item.clone()), what, "put it on the `impl Instrumenter for ..` of this type");
                None
            }
            _ => {
                let what = format_args!("`{MACRO}` is only for structs and `impl Instrumenter`");
                diag.mistake(head_of(item.clone()), what, "put it on the struct that implements `Instrumenter`");
                None
            }
        }
    }
}

fn no_generics(generics: &Generics, diag: &mut Diagnostics) {
    if !generics.params.is_empty() {
        let help = "register a type without parameters, as one instance of it is made";
        diag.mistake(&generics.params, "a generic instrumenter cannot be registered", help);
    }
}

fn is_name(name: &LitStr, diag: &mut Diagnostics) -> bool {
    crate::args::field_name(name, name, diag)
}

fn number(value: &Expr, diag: &mut Diagnostics) -> Option<i32> {
    let (negative, literal) = match value {
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => (true, &**expr),
        other => (false, other),
    };
    let number = match literal {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => signed(int, negative),
        _ => None,
    };
    if number.is_none() {
        diag.mistake(value, "`order` takes a whole number", "write `order = 2000`; lower comes first");
    }
    number
}

fn signed(int: &LitInt, negative: bool) -> Option<i32> {
    let number: i64 = int.base10_parse().ok()?;
    i32::try_from(if negative { -number } else { number }).ok()
}

fn names(argument: &str, list: &Expr, diag: &mut Diagnostics) -> Vec<LitStr> {
    let mut names = Vec::new();
    let mut one = |value: &Expr| match value {
        Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) => names.push(name.clone()),
        other => {
            let what = format_args!("`{argument}` takes names of instrumenters");
            diag.mistake(
                other,
                what,
                format_args!("write `{argument} = \"database\"` or `{argument} = [\"request\", \"database\"]`"),
            );
        }
    };
    match list {
        Expr::Array(array) => array.elems.iter().for_each(&mut one),
        single => one(single),
    }
    names
}
