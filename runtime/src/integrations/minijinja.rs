//! `exc_template` from the errors of [`minijinja`].
//!
//! ```
//! let mut env = minijinja::Environment::new();
//! env.add_template("cart.html", "<h1>Cart</h1>\n{{ total|no_such_filter }}").ok();
//!
//! // As `env.get_template(..)?.render(..)?`, and a failure is noted: exc_template="cart.html:2"
//! let page = canonlog::minijinja::render(&env, "cart.html", minijinja::context! { total => 3 });
//! assert!(page.is_err());
//! ```

use std::error::Error as _;

use minijinja::{Environment, Error, Value};

/// Notes where in which template an error arose, as [`template_error`](crate::template_error) does.
///
/// Of an error with causes, the innermost that knows a template is taken: a line in an included or parent template stands for itself,
/// not for the `include` or `extends` that led to it.
///
/// ```
/// # fn page(env: &minijinja::Environment) -> Result<String, minijinja::Error> {
/// let page = env.get_template("cart.html")?.render(minijinja::context! { total => 3 });
/// page.inspect_err(canonlog::minijinja::note)
/// # }
/// ```
pub fn note(error: &Error) {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let chain = std::iter::once(error).chain(causes.filter_map(|cause| cause.downcast_ref::<Error>()));
    if let Some((name, line)) = chain.filter_map(|error| Some((error.name()?, error.line()?))).last() {
        crate::template_error(name, line);
    }
}

/// Renders a template, and [`note`]s a failure, also one to load or parse it.
///
/// # Errors
///
/// Those of [`Environment::get_template`] and [`Template::render`](minijinja::Template::render).
pub fn render(env: &Environment<'_>, name: &str, values: impl Into<Value>) -> Result<String, Error> {
    env.get_template(name).and_then(|template| template.render(values.into())).inspect_err(note)
}
