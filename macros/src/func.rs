//! The function that an attribute is on.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote};
use syn::parse::{ParseStream, Parser};
use syn::visit_mut::{self, VisitMut};
use syn::{
    AttrStyle, Attribute, Block, GenericArgument, PathArguments, ReturnType, Signature, Token, Type, TypeInfer,
    TypeParamBound, Visibility, token,
};

use crate::diag::{Diagnostics, head_of};

/// A function with a body.
pub(crate) struct Func {
    pub(crate) attrs: Vec<Attribute>,
    vis: Visibility,
    defaultness: Option<Token![default]>,
    pub(crate) sig: Signature,
    pub(crate) body: Body,
}

/// A function's body.
pub(crate) enum Body {
    Parsed(Block),
    /// It does not parse: a half-typed line in an editor. Left alone, so that the user sees only the compiler's own error.
    Raw(Group),
}

/// How a function gives its result.
pub(crate) enum Shape {
    /// At once.
    Sync,
    /// `async fn`.
    Async,
    /// `-> impl Future<Output = ..>`.
    Future { output: Box<Type> },
    /// `-> Pin<Box<dyn Future<Output = ..>>>`, also what `async_trait` makes.
    Boxed { declared: Box<Type>, output: Box<Type> },
}

impl Shape {
    /// What the future gives that the function returns, if it returns one.
    pub(crate) fn output(&self) -> Option<Type> {
        match self {
            Shape::Future { output } | Shape::Boxed { output, .. } => Some((**output).clone()),
            Shape::Sync | Shape::Async => None,
        }
    }
}

impl Func {
    /// Reads the function that `macro_name` is on.
    pub(crate) fn read(item: TokenStream, macro_name: &str, diag: &mut Diagnostics) -> Option<Self> {
        let Ok(func) = parse.parse2(item.clone()) else {
            let help = "put it on a `fn` or `async fn`, with its body";
            diag.mistake(head_of(item), format_args!("`{macro_name}` is only for functions with a body"), help);
            return None;
        };
        if let Some(constness) = &func.sig.constness {
            let help = "remove `const`: nothing is recorded while the compiler runs a function";
            diag.mistake(constness, format_args!("`{macro_name}` cannot be on a `const fn`"), help);
            return None;
        }
        Some(func)
    }

    /// How the function gives its result.
    pub(crate) fn shape(&self) -> Shape {
        if self.sig.asyncness.is_some() {
            return Shape::Async;
        }
        let ReturnType::Type(_, declared) = &self.sig.output else { return Shape::Sync };
        if let Type::ImplTrait(returned) = bare(declared)
            && let Some(output) = output_of(&returned.bounds)
        {
            return Shape::Future { output: Box::new(output) };
        }
        match boxed_output(declared) {
            Some(output) => Shape::Boxed { declared: Box::new(inferred(declared)), output: Box::new(output) },
            None => Shape::Sync,
        }
    }

    /// The declared type of the result, with `_` for each `impl Trait`.
    pub(crate) fn result(&self) -> Type {
        match &self.sig.output {
            ReturnType::Default => syn::parse_quote!(()),
            ReturnType::Type(_, declared) => inferred(declared),
        }
    }

    /// The function with another body.
    pub(crate) fn with_body(&self, body: &impl ToTokens) -> TokenStream {
        let Func { attrs, vis, defaultness, sig, .. } = self;
        let is_outer = |attr: &&Attribute| matches!(attr.style, AttrStyle::Outer);
        let (outer, inner) = (attrs.iter().filter(is_outer), attrs.iter().filter(|attr| !is_outer(attr)));
        quote!(#(#outer)* #vis #defaultness #sig { #(#inner)* #body })
    }
}

fn parse(input: ParseStream<'_>) -> syn::Result<Func> {
    let mut attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    let defaultness = input.parse()?;
    let sig = input.parse()?;
    if !input.peek(token::Brace) {
        return Err(input.error("expected a body"));
    }
    let Ok(TokenTree::Group(group)) = input.parse() else { return Err(input.error("expected a body")) };
    let inside = |input: ParseStream<'_>| Ok((input.call(Attribute::parse_inner)?, input.call(Block::parse_within)?));
    let body = match inside.parse2(group.stream()) {
        Ok((inner, stmts)) => {
            attrs.extend(inner);
            Body::Parsed(Block { brace_token: token::Brace { span: group.delim_span() }, stmts })
        }
        Err(_) => Body::Raw(group),
    };
    Ok(Func { attrs, vis, defaultness, sig, body })
}

impl ToTokens for Func {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.body {
            Body::Parsed(block) => {
                let stmts = &block.stmts;
                tokens.append_all(self.with_body(&quote!(#(#stmts)*)));
            }
            Body::Raw(group) => tokens.append_all(self.with_body(&group.stream())),
        }
    }
}

/// A type without invisible groups (from `macro_rules!`) and parentheses around it.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        _ => ty,
    }
}

/// The `Output` that the bounds of a future name.
fn output_of<'b>(bounds: impl IntoIterator<Item = &'b TypeParamBound>) -> Option<Type> {
    bounds.into_iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last().filter(|last| last.ident == "Future")?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return Some(syn::parse_quote!(())) };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(inferred(&assoc.ty)),
            _ => None,
        })
    })
}

/// The output of `Pin<Box<dyn Future<Output = ..>>>`, `BoxFuture<..>` and `LocalBoxFuture<..>`.
fn boxed_output(ty: &Type) -> Option<Type> {
    let types = |ty: &Type| -> Option<(String, Vec<Type>)> {
        let Type::Path(path) = bare(ty) else { return None };
        let last = path.path.segments.last()?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        let types = arguments.args.iter().filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty.clone()),
            _ => None,
        });
        Some((last.ident.to_string(), types.collect()))
    };
    let (name, arguments) = types(ty)?;
    let [inner] = arguments.as_slice() else { return None };
    match name.as_str() {
        "BoxFuture" | "LocalBoxFuture" => Some(inferred(inner)),
        "Pin" => {
            let (name, arguments) = types(inner)?;
            match (name.as_str(), arguments.as_slice()) {
                ("Box", [object]) => match bare(object) {
                    Type::TraitObject(object) => output_of(&object.bounds),
                    _ => None,
                },
                _ => None,
            }
        }
        _ => None,
    }
}

/// A type as a body can name it: `_` for each `impl Trait`, which only a signature can name.
fn inferred(ty: &Type) -> Type {
    struct Infer;
    impl VisitMut for Infer {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            if let Type::ImplTrait(it) = ty {
                *ty = Type::Infer(TypeInfer { attrs: Vec::new(), underscore_token: Token![_](it.impl_token.span) });
            }
            visit_mut::visit_type_mut(self, ty);
        }
    }
    let mut ty = ty.clone();
    Infer.visit_type_mut(&mut ty);
    ty
}

/// Whether a declared type can be a `Result` at all: aliases have any name, so only what is certainly none is excluded.
pub(crate) fn may_fail(ty: &Type) -> bool {
    const NEVER: [&str; 32] = [
        "Vec", "String", "Option", "Box", "Rc", "Arc", "Cow", "HashMap", "BTreeMap", "HashSet", "BTreeSet", "VecDeque",
        "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32",
        "f64", "str", "Duration", "Instant", "Self",
    ];
    match bare(ty) {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| !NEVER.iter().any(|name| last.ident == name)),
        Type::Macro(_) => true,
        _ => false,
    }
}

/// Whether a declared type is an `Option` by its name.
pub(crate) fn is_option(ty: &Type) -> bool {
    matches!(bare(ty), Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option"))
}

/// Whether a declared type is `!`.
pub(crate) fn is_never(ty: &Type) -> bool {
    matches!(bare(ty), Type::Never(_))
}

/// Whether a declared type is `()`.
pub(crate) fn is_unit(ty: &Type) -> bool {
    matches!(bare(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
}
