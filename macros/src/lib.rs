//! The attribute and derive macros of canonlog.
//!
//! Use them through the crate `canonlog`, which re-exports each: what they expand to names `::canonlog` (or what
//! `crate = path` says), never this crate.

mod args;
mod diag;
mod func;
mod future;
mod instrument_request;
mod operation;
mod rewrite;
mod site;
#[cfg(test)]
mod snapshot;

use proc_macro::TokenStream;

/// Makes a function the boundary of a record: one event tells what it did.
///
/// Where no record is current, one begins at the call (of an `async fn`: at the first poll) and its event is written at the end.
/// Inside a record, as below `RequestLayer`, the outermost function gives it its `resp_view`; further ones count and time
/// themselves as `#[operation]` does. An `Err` is recorded as `exc_type`, `exc_msg`, `exc_loc` and `exc_cause_loc`; the
/// function returns it unchanged.
///
/// | argument | means |
/// |---|---|
/// | `name = "cart_load"` | the `resp_view`, instead of the function's path |
/// | `kind = "job"` | always a record of its own, `job_*` instead of `req_*`; inside another record that one is its `job_parent` |
/// | `fields(cart_id = cart.id)` | `app_cart_id`, evaluated when the function begins |
/// | `timeout = "2s"` | the time limit, counted from the beginning of the record; `"off"` for none |
/// | `request = req` | the argument that holds an `http::Request`, for `req_*` where no layer read it |
/// | `crate = path` | where canonlog is, if not at `::canonlog` |
///
/// It is for sync and `async` functions, methods and generics, and for functions that return `impl Future`,
/// `Pin<Box<dyn Future>>` or are made by `async_trait`: there the record begins at the first poll of what they return.
///
/// ```ignore
/// use canonlog::instrument_request;
///
/// #[instrument_request(fields(cart_id = id), timeout = "2s")]
/// async fn load_cart(id: u64) -> Result<Cart, LoadError> {
///     Ok(fetch(id).await?)
/// }
/// ```
#[proc_macro_attribute]
pub fn instrument_request(args: TokenStream, item: TokenStream) -> TokenStream {
    instrument_request::run(args.into(), item.into()).into()
}

/// Times and counts a function: `app_<name>_time`, summed over its calls, and `app_<name>_count`.
///
/// A call that ends by an error, a panic or because its future was dropped counts too. A function that calls itself is timed once.
///
/// | argument | means |
/// |---|---|
/// | `name = "cart_load"` | the prefix of its fields, instead of the function's name |
/// | `fields(cart_id = cart.id)` | `app_cart_id`, evaluated when the function begins |
/// | `tags(table = "carts")` | `app_<name>_table`, for values of which there are few |
/// | `crate = path` | where canonlog is, if not at `::canonlog` |
///
/// ```ignore
/// use canonlog::operation;
///
/// #[operation(tags(table = "carts"))]
/// async fn load(id: u64) -> Cart {
///     fetch(id).await
/// }
/// ```
#[proc_macro_attribute]
pub fn operation(args: TokenStream, item: TokenStream) -> TokenStream {
    operation::run(args.into(), item.into()).into()
}
