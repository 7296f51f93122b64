//! Macros that hide a `return`: `bail!` and `ensure!`, known by their names.
//!
//! What they expand to is not seen here, so it leaves a closure around the macro alone, whose error then leaves by `?`:
//!
//! ```text
//! bail!("no room")           ──▶  match attempt::<Result, Never>(|| bail!("no room"))? {}
//! ensure!(room, "no room");  ──▶  attempt::<Result, ()>(|| { ensure!(room, "no room"); Ok(()) })?;
//! ```

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, Item, Macro, Pat, Stmt, Token, Type};

/// Rewrites each such macro of the function itself; `result` is what the function returns.
pub(super) fn exits(body: &mut Block, runtime: &TokenStream, result: &Type) {
    Hidden { runtime, result }.visit_block_mut(body);
}

struct Hidden<'m> {
    runtime: &'m TokenStream,
    result: &'m Type,
}

impl Hidden<'_> {
    fn rewritten(&self, mac: &Macro) -> Option<Expr> {
        let Hidden { runtime, result } = self;
        let name = &mac.path.segments.last()?.ident;
        if !(name == "bail" || name == "ensure") || has_exits(mac) {
            return None;
        }
        let span = Span::mixed_site().located_at(name.span());
        Some(if name == "bail" {
            syn::parse_quote_spanned!(span=> match #runtime::attempt::<#result, #runtime::Never>(|| #mac)? {})
        } else {
            let done = quote_spanned!(span=> ::core::result::Result::Ok(()));
            syn::parse_quote_spanned!(span=> #runtime::attempt::<#result, ()>(|| { #mac; #done })?)
        })
    }
}

impl VisitMut for Hidden<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            // What they leave is not this function.
            Expr::Closure(_) | Expr::Async(_) | Expr::TryBlock(_) | Expr::Const(_) => {}
            Expr::Macro(it) => {
                if let Some(rewritten) = self.rewritten(&it.mac) {
                    *expr = rewritten;
                }
            }
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }

    fn visit_stmt_mut(&mut self, stmt: &mut Stmt) {
        match stmt {
            Stmt::Macro(it) => {
                if let Some(rewritten) = self.rewritten(&it.mac) {
                    *stmt = Stmt::Expr(rewritten, it.semi_token);
                }
            }
            _ => visit_mut::visit_stmt_mut(self, stmt),
        }
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_pat_mut(&mut self, pat: &mut Pat) {
        if let Pat::Guard(it) = pat {
            self.visit_expr_mut(&mut it.guard);
        }
    }
}

/// Whether an argument leaves the function by itself, or waits, which it cannot do in a closure.
fn has_exits(mac: &Macro) -> bool {
    struct Find(bool);
    impl Visit<'_> for Find {
        fn visit_expr(&mut self, expr: &Expr) {
            match expr {
                Expr::Try(_) | Expr::Await(_) | Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => self.0 = true,
                Expr::Closure(_) | Expr::Async(_) => {}
                _ => visit::visit_expr(self, expr),
            }
        }
    }
    let args = mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
    args.map_or(true, |args| {
        let mut find = Find(false);
        args.iter().for_each(|arg| find.visit_expr(arg));
        find.0
    })
}
