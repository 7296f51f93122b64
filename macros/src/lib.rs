//! The attribute and derive macros of canonlog.
//!
//! Use them through the crate `canonlog`, which re-exports each: what they expand to names `::canonlog` (or what
//! `crate = path` says), never this crate.

mod args;
mod diag;
mod emit;
mod fields;
mod func;
mod future;
mod instrument_request;
mod on_error;
mod operation;
mod register_instrumenter;
mod rewrite;
mod site;
#[cfg(test)]
mod snapshot;

use proc_macro::TokenStream;

/// Makes a function the boundary of a record: one event tells what it did.
///
/// Where no record is current, one begins at the call (of an `async fn`: at the first poll) and its event is written at the end.
/// Inside a record, as below `RequestLayer`, the outermost function gives it its `resp_view`; further ones count and time
/// themselves as `#[operation]` does. An `Err` is recorded as `exc_type` and `exc_msg`, with the lines by which it came (`exc_cause_loc`,
/// `exc_trace`, `exc_loc`); the function returns it unchanged.
///
/// | argument | means |
/// |---|---|
/// | `name = "cart_load"` | the `resp_view`, instead of the function's path |
/// | `kind = "job"` | always a record of its own, `job_*` instead of `req_*`; inside another record that one is its `job_parent` |
/// | `fields(cart_id = cart.id)` | `app_cart_id`, evaluated when the function begins |
/// | `timeout = "2s"` | the time limit, counted from the beginning of the record; `"off"` for none |
/// | `request = req` | the argument that holds an `http::Request`, for `req_*` where no layer read it |
/// | `errors = false` | the body stays as it is: errors are not followed through it |
/// | `crate = path` | where canonlog is, if not at `::canonlog` |
///
/// It is for sync and `async` functions, methods and generics, and for functions that return `impl Future`,
/// `Pin<Box<dyn Future>>` or are made by `async_trait`: there the record begins at the first poll of what they return.
///
/// ```
/// use canonlog::instrument_request;
///
/// #[instrument_request(fields(cart_id = id), timeout = "2s")]
/// fn load_cart(id: &str) -> Result<u64, std::num::ParseIntError> {
///     Ok(id.parse()?)
/// }
///
/// assert_eq!(load_cart("7"), Ok(7)); // resp_view="shop::load_cart" app_cart_id="7"
/// assert!(load_cart("seven").is_err()); // exc_type="core::num::error::ParseIntError" exc_msg="invalid digit found in string"
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
/// | `errors = false` | the body stays as it is: errors are not followed through it |
/// | `crate = path` | where canonlog is, if not at `::canonlog` |
///
/// ```
/// use canonlog::operation;
///
/// #[operation(tags(table = "carts"))]
/// async fn load(id: u64) -> Option<u64> {
///     (id > 0).then_some(id) // app_load_time="0.004" app_load_count="1" app_load_table="carts"
/// }
/// ```
#[proc_macro_attribute]
pub fn operation(args: TokenStream, item: TokenStream) -> TokenStream {
    operation::run(args.into(), item.into()).into()
}

/// Turns a failure into a `partial_failure` event, and returns a fallback instead.
///
/// The signature stays what it says. In a function that returns a `Result`, the fallback is a `Result` too, and an `Err` that
/// leaves by `?`, `return` or at the end is a failure. In any other function the body may use `?` on a `Result` all the same,
/// and still ends in the declared type. In one that returns an `Option`, `?` on `None` returns `None`, which is no failure.
///
/// | argument | means |
/// |---|---|
/// | `return = Vec::new()` | the fallback; evaluated only when it is needed, with the arguments that the body has not moved |
/// | `panics` | a panic is a failure too |
/// | `errors = false` | errors are not followed through the function |
/// | `crate = path` | where canonlog is, if not at `::canonlog` |
///
/// `?` in closures, async blocks and nested functions stays theirs, as does one in a macro that is not known to evaluate its
/// arguments in place. `bail!(..)` and `ensure!(..)` are known by their names, in a function that returns a `Result`: the `Err` that
/// they leave with is a failure. Any other macro that hides a `return` leaves with what it says, without the fallback.
///
/// ```
/// use canonlog::on_error;
///
/// #[on_error(return = Vec::new())]
/// fn recommend(ids: &str) -> Vec<u64> {
///     let first = ids.parse()?;
///     vec![first, first + 1]
/// }
///
/// assert_eq!(recommend("7"), [7, 8]);
/// assert!(recommend("seven").is_empty()); // event_type="partial_failure" exc_type="core::num::error::ParseIntError"
/// ```
#[proc_macro_attribute]
pub fn on_error(args: TokenStream, item: TokenStream) -> TokenStream {
    on_error::run(args.into(), item.into()).into()
}

/// Says what a function returns: a message with the fields of the value, whenever the function is left with it.
///
/// The function returns a `Logger`, a `Message`, a struct that derives `Fields`, or a `Result` of one of these, of which an `Err` is not
/// said; what the caller gets stays what it was. It is for sync and `async` functions and methods, and for those that return a future.
///
/// | argument | means |
/// |---|---|
/// | `debug`, `info`, `notice`, `warning`, `error`, `critical` | the level of the message; one of them is needed |
/// | `text = "checked out"` | its text; empty unless given |
/// | `logger = SHOP` | a static logger, for what has none of its own; else one of the module's name |
/// | `crate = path` | where canonlog is, if not at `::canonlog` |
///
/// ```
/// use canonlog::{Fields, Logger, emit};
///
/// static SHOP: Logger = Logger::new("shop");
///
/// #[derive(Fields)]
/// struct Receipt {
///     cart_id: u64,
///     total: f64,
/// }
///
/// #[emit(info, text = "checked out", logger = SHOP)]
/// fn check_out(cart_id: u64) -> Receipt {
///     Receipt { cart_id, total: 19.99 } // log_name="shop" log_msg="checked out" app_cart_id="7" app_total="19.99"
/// }
///
/// assert_eq!(check_out(7).total, 19.99);
/// ```
#[proc_macro_attribute]
pub fn emit(args: TokenStream, item: TokenStream) -> TokenStream {
    emit::run(args.into(), item.into()).into()
}

/// Registers an instrumenter, so that it is found wherever its crate is linked.
///
/// On a unit struct the instance is the struct itself. Any other struct, and the type of an `impl Instrumenter for ..`, is made
/// by its `Default`.
///
/// | argument | means |
/// |---|---|
/// | `name = "app_version"` | the name by which others refer to it; else the type's name in lower case, words joined by `_` |
/// | `order = 2000` | lower comes first; 1000 unless given, after the built-in ones |
/// | `after = "database"`, `after = ["a", "b"]` | those that come before it |
/// | `before = "saturation"` | those that come after it |
/// | `crate = path` | where canonlog is, if not at `::canonlog` |
///
/// ```
/// use canonlog::{Instrumenter, InstrumenterError, Unit, register_instrumenter};
///
/// #[register_instrumenter(after = "database")]
/// struct AppVersion;
///
/// impl Instrumenter for AppVersion {
///     fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
///         unit.set("version", env!("CARGO_PKG_VERSION"));
///         Ok(())
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn register_instrumenter(args: TokenStream, item: TokenStream) -> TokenStream {
    register_instrumenter::run(args.into(), item.into()).into()
}

/// Makes a struct something to record whole: each field under its name.
///
/// | `#[canonlog(..)]` on a field | means |
/// |---|---|
/// | `rename = "cart_total"` | another name |
/// | `skip` | it is left out |
/// | `redact` | its name, without its value |
/// | `flatten` | the fields of a struct that derives `Fields` itself |
///
/// On the struct: `#[canonlog(crate = path)]`.
///
/// ```
/// use canonlog::{Context, Fields};
///
/// #[derive(Fields)]
/// struct Cart {
///     #[canonlog(rename = "cart_id")]
///     id: u64,
///     total: f64,
///     #[canonlog(redact)]
///     card: String,
/// }
///
/// let cart = Cart { id: 7, total: 19.99, card: "4111".to_owned() };
/// Context::record(&cart); // app_cart_id="7" app_total="19.99" app_card="[redacted]"
/// ```
#[proc_macro_derive(Fields, attributes(canonlog))]
pub fn fields(item: TokenStream) -> TokenStream {
    fields::run(item.into()).into()
}
