//! The one visitor over a function's body.
//!
//! ```text
//! operand?      ──▶ Rules::question         of this function; Rules::inner_question in closures and async blocks
//! return value  ──▶ Rules::exit
//! the tail      ──▶ Rules::exit             of each branch
//! bail!(..)     ──▶ Rules::failing_macro
//! ```
//!
//! Whatever it does not know it leaves alone: macros outside the list of `macros.rs`, types, patterns, constants.

pub(crate) mod frames;
mod heads;
mod macros;
mod places;
mod tail;
mod taps;
mod traced;
mod unseen;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprMacro, ExprTry, Item, Macro, Pat, Stmt, Token, Type};

pub(crate) use tail::{diverges, future_of};
pub(crate) use taps::Taps;
pub(crate) use traced::Traced;

/// What to put in the place of what a body leaves through.
pub(crate) trait Rules {
    /// The whole expression for `operand?`; the operand is already rewritten.
    fn question(&mut self, operand: Expr, token: Token![?]) -> Expr;

    /// The same in a closure or an async block, from which it leaves alone.
    fn inner_question(&mut self, operand: Expr, token: Token![?]) -> Expr {
        plain_question(operand, token)
    }

    /// The expression for a call of a macro that may leave with an error of its own making, or certainly does.
    fn failing_macro(&mut self, mac: Expr, line: Span, diverges: bool) -> Expr {
        let _ = (line, diverges);
        mac
    }

    /// The expression for a value that leaves by `return` or as the tail; `line` is where.
    fn exit(&mut self, value: Expr, line: Span) -> Expr;

    /// The value for a `return` without one, where it needs one.
    fn unit(&mut self) -> Option<Expr> {
        None
    }
}

/// Rewrites a function's body in place.
pub(crate) fn body(block: &mut Block, rules: &mut impl Rules) {
    inside(block, rules);
    leaves(block, rules);
}

/// Rewrites the tail alone.
pub(crate) fn leaves(block: &mut Block, rules: &mut impl Rules) {
    tail::leaves(block, &mut |leaf| {
        let line = last_line(&leaf);
        rules.exit(leaf, line)
    });
}

/// Rewrites `?` and `return`, and leaves the tail.
pub(crate) fn inside(block: &mut Block, rules: &mut impl Rules) {
    Visitor { rules, is_inner: false }.visit_block_mut(block);
}

/// The line of the tail of a block, or of its end.
pub(crate) fn end_line(block: &Block) -> Span {
    match block.stmts.last() {
        Some(syn::Stmt::Expr(tail, None)) => last_line(tail),
        _ => block.brace_token.span.close(),
    }
}

/// The token whose line best names an expression that leaves: the method in a chain, else the first token.
fn last_line(expr: &Expr) -> Span {
    match expr {
        Expr::MethodCall(call) => call.method.span(),
        Expr::Await(it) => match &*it.base {
            Expr::MethodCall(call) => call.method.span(),
            base => base.span(),
        },
        _ => expr.span(),
    }
}

struct Visitor<'r, R> {
    rules: &'r mut R,
    /// Whether this is in a closure or an async block.
    is_inner: bool,
}

impl<R: Rules> Visitor<'_, R> {
    fn visit_inner(&mut self, visit: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.is_inner, true);
        visit(self);
        self.is_inner = before;
    }

    fn failing(&mut self, mac: &mut ExprMacro) -> Option<Expr> {
        let diverges = macros::fails(&mac.mac).filter(|_| !self.is_inner)?;
        let line = mac.mac.path.segments.last()?.ident.span();
        visit_mut::visit_expr_macro_mut(self, mac);
        Some(self.rules.failing_macro(Expr::Macro(mac.clone()), line, diverges))
    }
}

impl<R: Rules> VisitMut for Visitor<'_, R> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::TryBlock(_) | Expr::Const(_) => {}
            Expr::Closure(it) => self.visit_inner(|inner| inner.visit_expr_mut(&mut it.body)),
            Expr::Async(it) => self.visit_inner(|inner| inner.visit_block_mut(&mut it.block)),
            Expr::Macro(it) => match self.failing(it) {
                Some(failing) => *expr = failing,
                None => visit_mut::visit_expr_macro_mut(self, it),
            },
            // What another attribute wrote.
            Expr::Block(it) if taps::is_about(&it.block) => {}
            // The length of `[x; N]` is a constant.
            Expr::Repeat(repeat) => self.visit_expr_mut(&mut repeat.expr),
            Expr::Try(it) => {
                self.visit_expr_mut(&mut it.expr);
                let operand = unparenthesised(take(&mut it.expr));
                let token = it.question_token;
                *expr = match self.is_inner {
                    true => self.rules.inner_question(operand, token),
                    false => self.rules.question(operand, token),
                };
            }
            Expr::Return(it) if !self.is_inner => {
                let line = it.return_token.span;
                match &mut it.expr {
                    Some(value) => {
                        self.visit_expr_mut(value);
                        **value = self.rules.exit(take(value), line);
                    }
                    None => it.expr = self.rules.unit().map(Box::new),
                }
            }
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }

    fn visit_stmt_mut(&mut self, stmt: &mut Stmt) {
        if let Stmt::Macro(it) = stmt {
            let mut mac = ExprMacro { attrs: it.attrs.clone(), mac: it.mac.clone() };
            if let Some(failing) = self.failing(&mut mac) {
                *stmt = Stmt::Expr(failing, it.semi_token);
                return;
            }
        }
        visit_mut::visit_stmt_mut(self, stmt);
    }

    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        macros::visit(mac, |expr| self.visit_expr_mut(expr));
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_pat_mut(&mut self, pat: &mut Pat) {
        if let Pat::Guard(it) = pat {
            self.visit_expr_mut(&mut it.guard);
        }
    }
}

/// `operand?` as it was.
pub(crate) fn plain_question(operand: Expr, token: Token![?]) -> Expr {
    Expr::Try(ExprTry { attrs: Vec::new(), expr: Box::new(operand), question_token: token })
}

fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::PLACEHOLDER)
}

/// Parentheses that were needed before `?` would be reported as unused around an argument.
fn unparenthesised(expr: Expr) -> Expr {
    match expr {
        Expr::Paren(paren) if paren.attrs.is_empty() => unparenthesised(*paren.expr),
        expr => expr,
    }
}
