//! What a macro says when it is misused.
//!
//! Every mistake is collected, so that one build reports them all. Each has two lines: what is wrong, and after `help:`
//! what to write instead.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};

/// Collects mistakes.
#[derive(Default)]
pub(crate) struct Diagnostics {
    error: Option<syn::Error>,
}

impl Diagnostics {
    /// Notes a mistake at the tokens that the user must change.
    pub(crate) fn mistake(&mut self, at: impl ToTokens, what: impl Display, help: impl Display) {
        self.syntax(syn::Error::new_spanned(at, format_args!("{what}\nhelp: {help}")));
    }

    /// Notes a mistake at a place that has no tokens of its own.
    pub(crate) fn mistake_at(&mut self, span: Span, what: impl Display, help: impl Display) {
        self.syntax(syn::Error::new(span, format_args!("{what}\nhelp: {help}")));
    }

    /// Notes what the parser of Rust itself had to say.
    pub(crate) fn syntax(&mut self, error: syn::Error) {
        match &mut self.error {
            Some(first) => first.combine(error),
            None => self.error = Some(error),
        }
    }

    /// Whether there was any mistake so far.
    pub(crate) fn has_mistakes(&self) -> bool {
        self.error.is_some()
    }

    /// The model, or all mistakes.
    pub(crate) fn finish<T>(self, model: Option<T>) -> Result<T, syn::Error> {
        match (self.error, model) {
            (Some(error), _) => Err(error),
            (None, Some(model)) => Ok(model),
            (None, None) => Err(syn::Error::new(Span::call_site(), "this macro could not read what it is on")),
        }
    }
}

/// The user's item as it was, beside the errors: whoever uses the item gets no error of their own.
pub(crate) fn keep_item(item: TokenStream, error: &syn::Error) -> TokenStream {
    let errors = error.to_compile_error();
    quote!(#errors #item)
}

/// The first tokens of an item, without attributes and visibility: `struct Cart`.
pub(crate) fn head_of(item: TokenStream) -> TokenStream {
    let mut tokens = item.into_iter().peekable();
    let mut head = TokenStream::new();
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => drop(tokens.next()),
            TokenTree::Ident(word) if word == "pub" => {
                drop(tokens.next_if(|next| matches!(next, TokenTree::Group(_))));
            }
            _ => {
                head.extend([token]);
                head.extend(tokens.next_if(|next| matches!(next, TokenTree::Ident(_))));
                break;
            }
        }
    }
    head
}

/// The known name nearest to a misspelt one, if it is near.
pub(crate) fn nearest<'k>(got: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let limit = (got.chars().count() / 3).max(1);
    let near = known.into_iter().map(|name| (distance(got, name), name)).min();
    // Two neighbours swapped (`nmae`) are two changes: allowed in any word.
    near.filter(|(far, _)| *far <= limit.max(2) && *far < got.chars().count()).map(|(_, name)| name)
}

/// How many characters to insert, remove or replace.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(from != *to)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_its_neighbour_and_a_strange_one_none() {
        assert_eq!(nearest("nmae", ["kind", "name"]), Some("name"));
        assert_eq!(nearest("field", ["fields", "name"]), Some("fields"));
        assert_eq!(nearest("colour", ["kind", "name"]), None);
        assert_eq!(nearest("x", ["kind", "name"]), None);
    }

    #[test]
    fn the_head_of_an_item_is_its_keyword_and_name() {
        let head = head_of(quote!(
            #[doc = "a"]
            pub(crate) struct Cart {
                id: u8,
            }
        ));
        assert_eq!(head.to_string(), "struct Cart");
    }

    #[test]
    fn several_mistakes_become_several_errors() {
        let mut diag = Diagnostics::default();
        diag.mistake(quote!(a), "one", "first");
        diag.mistake(quote!(b), "two", "second");
        let error = diag.finish(Some(())).expect_err("mistakes were noted");
        assert_eq!(
            error.into_iter().map(|e| e.to_string()).collect::<Vec<_>>(),
            ["one\nhelp: first", "two\nhelp: second"]
        );
    }
}
