//! Expansions as people read them.

use proc_macro2::TokenStream;

/// The items of an expansion, formatted.
pub(crate) fn pretty(expansion: TokenStream) -> String {
    let text = expansion.to_string();
    match syn::parse2(expansion) {
        Ok(file) => prettyplease::unparse(&file),
        Err(error) => format!("{error} in\n{text}"),
    }
}
