//! Tells the runtime where a body is.
//!
//! ```text
//! statement;    ──▶ line(N); statement;              if it calls something
//! future.await  ──▶ match IntoFuture::into_future(future) { awaited => awaiting_at(pin!(awaited), N).await }
//! join!(a, b)   ──▶ join!(Argument::of(a).together(N), Argument::of(b).together(N))
//! ```
//!
//! unknown!(..); ──▶ unknown!(..); frame.back();    in an `async fn`, if it may wait for something; and so after a `join!`
//!
//! The future lies beside what waits for it, not in it: so it nests as deep as without. As in `.await` itself, a `match` keeps what
//! the future borrows until the statement's end. Closures and async blocks run elsewhere and stay as they are.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Arm, BinOp, Block, Expr, ExprBinary, ExprCall, ExprLit, ExprMatch, Item, Lit, Local, Macro, Pat, Path, Stmt, Token,
    Type, token,
};

use super::macros::{self, Part};
use super::{heads, last_line, take, taps, unseen};
use crate::args::Frames;
use crate::func::{Body, Func};
use crate::site;

/// The statement that makes a frame for a function that is not timed.
pub(crate) fn guard(runtime: &TokenStream, frames: Frames) -> Option<TokenStream> {
    let (fun, guard) = (site::fun(), guard_ident());
    frames.frames.then(|| quote!(let #guard = #runtime::frame(&#fun);))
}

/// The same, and nothing if another of canonlog's attributes on the function makes a frame, or has made one.
pub(crate) fn unless_of_another(frames: Frames, item: &Func) -> Frames {
    let to_come = item.attrs.iter().filter_map(|attr| attr.path().segments.last());
    let is_to_come = to_come.into_iter().any(|last| last.ident == "operation" || last.ident == "instrument_request");
    let unit = |stmt: &Stmt| matches!(stmt, Stmt::Item(Item::Static(it)) if it.ident == site::unit());
    let is_there = matches!(&item.body, Body::Parsed(body) if body.stmts.iter().any(unit));
    if is_to_come || is_there { Frames { frames: false, lines: false } } else { frames }
}

/// The name of that guard.
fn guard_ident() -> Ident {
    Ident::new("frame", Span::mixed_site())
}

/// Where a body finds its frame.
#[derive(Clone, Copy)]
pub(crate) enum Guard<'m> {
    /// In a guard of this name.
    Of(&'m Ident),
    /// In that of [`guard`].
    Own,
    /// Elsewhere: it keeps it itself.
    Elsewhere,
}

/// Rewrites a body in place.
pub(crate) fn apply(runtime: &TokenStream, frames: Frames, is_async: bool, guard: Guard<'_>, body: &mut Block) {
    if !frames.frames {
        return;
    }
    let frame = (is_async && unseen::in_block(body)).then(|| match guard {
        Guard::Of(guard) => guard.clone(),
        Guard::Own => guard_ident(),
        Guard::Elsewhere => Ident::new("frame_here", Span::mixed_site()),
    });
    let mut lines =
        Lines { runtime, lines: frames.lines, is_async, frame: frame.as_ref(), unseen: false, last: None, told: 0 };
    lines.visit_block_mut(body);
    if let Some(frame) = frame.filter(|_| matches!(guard, Guard::Elsewhere)) {
        body.stmts.insert(0, syn::parse_quote!(let #frame = #runtime::here();));
    }
}

struct Lines<'m> {
    runtime: &'m TokenStream,
    lines: bool,
    is_async: bool,
    /// The function's frame, where it may wait unseen.
    frame: Option<&'m Ident>,
    /// Whether it may in the statement that is visited.
    unseen: bool,
    /// The line told last, where it is known.
    last: Option<u32>,
    /// How often a line was told.
    told: usize,
}

impl Lines<'_> {
    /// What it may come to or not: afterwards the line told last is not known, if another was told there.
    fn apart(&mut self, visit: impl FnOnce(&mut Self)) {
        let (before, told) = (self.last, self.told);
        visit(self);
        self.last = before.filter(|_| self.told == told || self.last == before);
    }

    /// The statement by which the function runs again that may have waited unseen.
    fn back(&self) -> Option<Stmt> {
        self.frame.map(|frame| syn::parse_quote!(#frame.back();))
    }

    /// The same after something in which it may.
    fn back_after(&self, expr: Option<&Expr>) -> Option<Stmt> {
        self.back().filter(|_| expr.is_some_and(unseen::in_expr))
    }

    fn tell(&mut self, line: u32) {
        self.told += 1;
        self.last = (line != 0).then_some(line);
    }
}

impl Lines<'_> {
    fn visit_any_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Closure(_) | Expr::Async(_) | Expr::Const(_) | Expr::TryBlock(_) => {}
            Expr::Repeat(repeat) => self.visit_expr_mut(&mut repeat.expr),
            Expr::Await(it) => {
                let line = last_line(&it.base);
                self.visit_expr_mut(&mut it.base);
                if !taps::is_ours(&it.base) {
                    let (runtime, base, number) = (self.runtime, take(&mut it.base), site::line(line));
                    let span = Span::mixed_site().located_at(it.await_token.span);
                    let awaited = Ident::new("awaited", span);
                    // The user's own tokens: an `await` outside of an `async fn` is reported as without the attribute.
                    let (dot, keyword) = (it.dot_token, it.await_token);
                    let pinned = quote_spanned!(span=> ::core::pin::pin!(#awaited));
                    let awaiting = if number != 0 && self.last == Some(number) {
                        quote_spanned!(span=> #runtime::awaiting(#pinned))
                    } else {
                        self.tell(number);
                        quote_spanned!(span=> #runtime::awaiting_at(#pinned, #number))
                    };
                    let wait = quote_spanned!(span=> #awaiting #dot #keyword);
                    let back = self.back().filter(|_| self.unseen);
                    // Made of parts, as parsing it again takes its time.
                    let arm = Arm {
                        attrs: Vec::new(),
                        pat: Pat::Verbatim(awaited.to_token_stream()),
                        fat_arrow_token: Token![=>](span),
                        body: Box::new(Expr::Verbatim(back.map_or(wait.clone(), |back| quote!({ #back #wait })))),
                        comma: Some(Token![,](span)),
                    };
                    *expr = Expr::Match(ExprMatch {
                        attrs: Vec::new(),
                        match_token: Token![match](span),
                        expr: Box::new(Expr::Call(ExprCall {
                            attrs: Vec::new(),
                            func: Box::new(Expr::Verbatim(
                                quote_spanned!(span=> ::core::future::IntoFuture::into_future),
                            )),
                            paren_token: token::Paren(span),
                            args: [base].into_iter().collect(),
                        })),
                        brace_token: token::Brace(span),
                        arms: vec![arm],
                    });
                }
            }
            // Asked again after each turn, in which it has come to other lines.
            Expr::While(_) => {
                self.last = None;
                visit_mut::visit_expr_mut(self, expr);
                self.last = None;
            }
            // It may come this way or not.
            Expr::Binary(ExprBinary { op: BinOp::And(_) | BinOp::Or(_), left, right, .. }) => {
                self.visit_expr_mut(left);
                self.apart(|this| this.visit_expr_mut(right));
            }
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }
}

impl VisitMut for Lines<'_> {
    fn visit_block_mut(&mut self, block: &mut Block) {
        if taps::is_about(block) {
            return;
        }
        let braces = block.brace_token.span;
        let is_of_one_line = site::line(braces.open()) == site::line(braces.close());
        let (before, already) = (self.last, self.told);
        self.last = self.last.filter(|last| is_of_one_line && *last == site::line(braces.open()));
        let mut stmts = Vec::with_capacity(block.stmts.len());
        let stmts_of_block = std::mem::take(&mut block.stmts);
        let last = stmts_of_block.len().saturating_sub(1);
        for (at, mut stmt) in stmts_of_block.into_iter().enumerate() {
            if let Some(told) = told(&stmt) {
                self.tell(told);
                stmts.push(stmt);
                continue;
            }
            let start = start(&stmt);
            let (number, span) = (site::line(start), Span::mixed_site().located_at(start));
            if self.lines && self.last != Some(number) && calls(&stmt) {
                let runtime = self.runtime;
                let line = Expr::Verbatim(quote_spanned!(span=> #runtime::line(#number)));
                stmts.push(Stmt::Expr(line, Some(Token![;](span))));
                self.tell(number);
            }
            let back = self.back().filter(|_| unseen::in_stmt(&stmt));
            let around = std::mem::replace(&mut self.unseen, back.is_some());
            self.visit_stmt_mut(&mut stmt);
            self.unseen = around;
            let is_value =
                matches!(stmt, Stmt::Expr(_, None)) || matches!(&stmt, Stmt::Macro(it) if it.semi_token.is_none());
            let is_tail = at == last && is_value;
            stmts.push(stmt);
            stmts.extend(back.filter(|_| !is_tail));
        }
        block.stmts = stmts;
        self.last = before.filter(|_| self.told == already || self.last == before);
    }

    fn visit_local_mut(&mut self, local: &mut Local) {
        let back = self.back_after(local.init.as_ref().filter(|init| init.diverge.is_some()).map(|init| &*init.expr));
        visit_mut::visit_local_mut(self, local);
        if let Some((back, (_, other))) = back.zip(local.init.as_mut().and_then(|init| init.diverge.as_mut())) {
            heads::before(other, &back);
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        let back = self.back_after(heads::head(expr));
        self.visit_any_expr_mut(expr);
        if let Some(back) = back {
            heads::put_after(expr, &back);
        }
    }

    fn visit_arm_mut(&mut self, arm: &mut Arm) {
        self.apart(|this| visit_mut::visit_arm_mut(this, arm));
    }

    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        let runtime = self.runtime;
        let number = mac.path.segments.last().map_or(0, |last| site::line(last.ident.span()));
        let is_known = self.is_async && macros::visit_together(mac, &mut |expr, part| {
            self.visit_expr_mut(expr);
            match (part, self.back()) {
                (Part::Future, _) if !taps::is_ours(expr) => {
                    let (span, future) = (Span::mixed_site().located_at(expr.span()), take(expr));
                    *expr =
                        syn::parse_quote_spanned!(span=> #runtime::Argument::of(#future).__canonlog_together(#number));
                }
                (Part::Code, Some(back)) => heads::before(expr, &back),
                _ => {}
            }
        })
        .is_some();
        if !is_known {
            macros::visit(mac, |expr| self.visit_expr_mut(expr));
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

/// Where a statement begins. To ask all of it for its span takes as long as to print it.
fn start(stmt: &Stmt) -> Span {
    match stmt {
        Stmt::Local(local) if local.attrs.is_empty() => local.let_token.span,
        Stmt::Macro(it) if it.attrs.is_empty() => it.mac.path.span(),
        Stmt::Expr(expr, _) => start_of(expr),
        stmt => stmt.span(),
    }
}

fn start_of(expr: &Expr) -> Span {
    match expr {
        Expr::Assign(it) if it.attrs.is_empty() => start_of(&it.left),
        Expr::Await(it) if it.attrs.is_empty() => start_of(&it.base),
        Expr::Binary(it) if it.attrs.is_empty() => start_of(&it.left),
        Expr::Call(it) if it.attrs.is_empty() => start_of(&it.func),
        Expr::If(it) if it.attrs.is_empty() => it.if_token.span,
        Expr::Loop(it) if it.attrs.is_empty() && it.label.is_none() => it.loop_token.span,
        Expr::Match(it) if it.attrs.is_empty() => it.match_token.span,
        Expr::MethodCall(it) if it.attrs.is_empty() => start_of(&it.receiver),
        Expr::Return(it) if it.attrs.is_empty() => it.return_token.span,
        Expr::Try(it) if it.attrs.is_empty() => start_of(&it.expr),
        expr => expr.span(),
    }
}

/// The line that a statement of another attribute tells.
fn told(stmt: &Stmt) -> Option<u32> {
    let Stmt::Expr(expr @ Expr::Call(call), Some(_)) = stmt else { return None };
    match call.args.first() {
        Some(Expr::Lit(ExprLit { lit: Lit::Int(line), .. })) if is_line(expr) => line.base10_parse().ok(),
        _ => None,
    }
}

/// Whether it tells a line.
fn is_line(expr: &Expr) -> bool {
    let Expr::Call(call) = expr else { return false };
    let is_line = |path: &Path| path.segments.last().is_some_and(|last| last.ident == "line");
    taps::is_ours(expr) && matches!(&*call.func, Expr::Path(path) if is_line(&path.path))
}

/// Whether a statement calls something, where it could be stuck.
fn calls(stmt: &Stmt) -> bool {
    struct Find(bool);
    impl<'a> Visit<'a> for Find {
        fn visit_expr(&mut self, expr: &'a Expr) {
            match expr {
                Expr::Call(_) | Expr::MethodCall(_) | Expr::Macro(_) | Expr::Await(_) => self.0 = true,
                Expr::Closure(_) | Expr::Async(_) => {}
                _ => visit::visit_expr(self, expr),
            }
        }
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            match stmt {
                Stmt::Macro(_) => self.0 = true,
                Stmt::Item(_) => {}
                stmt => visit::visit_stmt(self, stmt),
            }
        }
    }
    let mut find = Find(false);
    find.visit_stmt(stmt);
    find.0
}
