//! The macros that say something.

/// Says something at a level given at run time; the others, from [`debug!`](crate::debug!) to [`critical!`](crate::critical!), have
/// theirs by name.
///
/// First the logger, or without one a logger of the module's name; then fields, and behind `;` a text as `format!` takes it. Either
/// fields or text can be left out. Nothing but the level is looked at, and no value computed, where no emitter wants the message.
///
/// ```
/// use canonlog::{Level, Logger, Value, message, testing};
///
/// static SHOP: Logger = Logger::new("shop");
///
/// let capture = testing::capture();
/// let items = 3;
/// message!(Level::Info, "opened");
/// message!(Level::Info, SHOP, "checked out {items}");
/// message!(Level::Info, SHOP, cart = 7, user = "ann"; "checked out {items}, with {}", "pay");
/// message!(Level::Info, SHOP, cart = 7);
/// message!(Level::Info, SHOP.field("cart", 7), "checked out {items}");
///
/// let texts: Vec<_> = capture.events().iter().map(|event| event.view().get("log_msg").map(|text| text.to_string())).collect();
/// assert_eq!(texts[2].as_deref(), Some("checked out 3, with pay"));
/// assert_eq!(capture.events()[3].view().get("app_cart"), Some(Value::U64(7)));
/// ```
#[macro_export]
macro_rules! message {
    ($level:expr, $text:literal $(, $($args:tt)*)?) => {
        $crate::__say!($level, $crate::__here!(), []; $text $(, $($args)*)?)
    };
    ($level:expr, $($key:ident = $value:expr),+; $text:literal $(, $($args:tt)*)?) => {
        $crate::__say!($level, $crate::__here!(), [$($key = $value),+]; $text $(, $($args)*)?)
    };
    ($level:expr, $($key:ident = $value:expr),+ $(,)?) => {
        $crate::__say!($level, $crate::__here!(), [$($key = $value),+]; "")
    };
    ($level:expr, $logger:expr, $text:literal $(, $($args:tt)*)?) => {
        $crate::__say!($level, $logger, []; $text $(, $($args)*)?)
    };
    ($level:expr, $logger:expr, $($key:ident = $value:expr),+; $text:literal $(, $($args:tt)*)?) => {
        $crate::__say!($level, $logger, [$($key = $value),+]; $text $(, $($args)*)?)
    };
    ($level:expr, $logger:expr, $($key:ident = $value:expr),+ $(,)?) => {
        $crate::__say!($level, $logger, [$($key = $value),+]; "")
    };
}

/// A logger of the module's name.
#[doc(hidden)]
#[macro_export]
macro_rules! __here {
    () => {{
        static HERE: $crate::Logger = $crate::Logger::new(::std::module_path!());
        &HERE
    }};
}

/// Fields behind what there is, in one expression: temporary values live until the message is said.
#[doc(hidden)]
#[macro_export]
macro_rules! __carried {
    ($carried:expr;) => {
        $carried
    };
    ($carried:expr; $key:ident = $value:expr $(, $keys:ident = $values:expr)*) => {
        $crate::__carried!(
            $crate::__private::and(
                $carried,
                {
                    static KEY: $crate::__private::Key = $crate::__private::Key::new(::std::stringify!($key));
                    &KEY
                },
                &$value,
            );
            $($keys = $values),*
        )
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __say {
    ($level:expr, $logger:expr, [$($key:ident = $value:expr),*]; $text:literal $(, $($args:tt)*)?) => {{
        let level: $crate::Level = $level;
        if $crate::__private::heard(level) {
            // Not `let`: of `logger("shop").field(..)`, the logger must be there until it is said.
            match &$logger {
                logger => {
                    $crate::__private::Speaks::count(logger, level, $text.len());
                    if $crate::__private::Speaks::is_enabled(logger, level) {
                        $(const { $crate::__private::check_key(::std::stringify!($key)) };)*
                        $crate::__private::Speaks::say(
                            logger,
                            level,
                            (::std::file!(), ::std::line!()),
                            ::std::format_args!($text $(, $($args)*)?),
                            &$crate::__carried!($crate::message::Nothing; $($key = $value),*),
                        );
                    }
                }
            };
        }
    }};
}

// A macro that writes macros cannot write their `$` on stable Rust, unless it is given one.
macro_rules! levels {
    ($d:tt $($name:ident $level:ident $what:literal;)*) => {$(
        #[doc = concat!("Says something at [`Level::", stringify!($level), "`](crate::Level::", stringify!($level), "): ", $what, ".")]
        ///
        /// With a logger or without, with fields or without, and with a text as `format!` takes it; see [`message!`](crate::message!).
        ///
        /// ```
        /// static SHOP: canonlog::Logger = canonlog::Logger::new("shop");
        ///
        /// let items = 3;
        #[doc = concat!("canonlog::", stringify!($name), "!(SHOP, cart = 7; \"checked out {items}\");")]
        #[doc = concat!("canonlog::", stringify!($name), "!(\"{items} items\");")]
        /// ```
        #[macro_export]
        macro_rules! $name {
            ($d($d args:tt)+) => { $crate::message!($crate::Level::$level, $d($d args)+) };
        }
    )*};
}

levels! {
    $
    debug Debug "detail for whoever looks for a fault";
    info Info "the normal course";
    notice Notice "normal, but worth a look";
    warning Warning "something was refused, or done with less than was asked for";
    error Error "a unit of work failed";
    critical Critical "the process itself is in danger";
}
