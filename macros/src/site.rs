//! Where a function stands: the static that expansions hand to the runtime.

use std::path::Path;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// The name of the static. Items have no hygiene, so it is one that nobody else writes.
pub(crate) fn fun() -> Ident {
    Ident::new("__CANONLOG_FUN", Span::mixed_site())
}

/// The name of the static of a function that is a boundary, or timed.
pub(crate) fn unit() -> Ident {
    Ident::new("__CANONLOG_UNIT", Span::mixed_site())
}

/// The static that says where a function stands.
pub(crate) fn statics(runtime: &TokenStream, name: &Ident) -> TokenStream {
    let (fun, file, line, text) = (fun(), file(name.span()), line(name.span()), name.to_string());
    quote! {
        static #fun: #runtime::Fun = #runtime::Fun::new(#file, #line, ::core::module_path!(), #text, {
            fn __canonlog_name() -> &'static str {
                fn __canonlog_here() {}
                #runtime::name_of(__canonlog_here)
            }
            __canonlog_name
        });
    }
}

/// The line of a token as the user wrote it; 0 where no compiler runs this (unit tests).
pub(crate) fn line(span: Span) -> u32 {
    if !proc_macro::is_available() {
        return 0;
    }
    u32::try_from(span.unwrap().line()).unwrap_or(u32::MAX)
}

/// The file, relative to the crate that is being compiled, so that no path of the machine gets into the binary.
fn file(span: Span) -> TokenStream {
    if !proc_macro::is_available() {
        return quote!(::core::file!());
    }
    let file = span.unwrap().file();
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let file = in_crate(&file, &root);
    quote!(#file)
}

/// `file` without the part of it that leads to `root`. The compiler names files from the workspace's root or from `/`.
fn in_crate<'f>(file: &'f str, root: &str) -> &'f str {
    let parts: Vec<_> = Path::new(root).components().collect();
    (0..parts.len())
        .map(|from| parts[from..].iter().collect::<std::path::PathBuf>())
        .find_map(|end| Path::new(file).strip_prefix(end).ok())
        .and_then(Path::to_str)
        .unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::in_crate;

    #[test]
    fn a_file_is_named_from_its_crate() {
        assert_eq!(in_crate("examples/src/bin/shop.rs", "/home/me/canonlog/examples"), "src/bin/shop.rs");
        assert_eq!(in_crate("src/main.rs", "/home/me/shop"), "src/main.rs");
        assert_eq!(in_crate("/home/me/shop/src/main.rs", "/home/me/shop"), "src/main.rs");
        assert_eq!(in_crate("crates/a/src/lib.rs", "/home/me/x/crates/a"), "src/lib.rs");
    }
}
