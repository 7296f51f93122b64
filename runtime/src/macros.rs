//! Macros of the `macro_rules!` kind.

/// Sets fields of the current record: `set!(cart_total = x)` writes `app_cart_total`.
///
/// The keys are known to the compiler, so that it checks them and each is found at once.
///
/// ```
/// let (total, items) = (19.99, 3);
/// canonlog::set!(cart_total = total, cart_items = items);
/// ```
#[macro_export]
macro_rules! set {
    ($($key:ident = $value:expr),+ $(,)?) => {{$({
        const _: () = $crate::__private::check_key(::core::stringify!($key));
        static KEY: $crate::__private::Key = $crate::__private::Key::new(::core::stringify!($key));
        $crate::__private::set(&KEY, $crate::ToValue::to_value(&$value));
    })+}};
}
