//! A message with five fields, said by each library as its own documentation recommends; and the same at a level that nobody wants.

use std::cell::RefCell;
use std::io::BufWriter;
use std::sync::{Arc, Mutex, OnceLock};

use canonlog::{Kind, Scope};
use logforth::append::Append;
use logforth::bridge::log::LogBridge;
use logforth::layout::{Layout, LogfmtLayout};
use slog::Drain;

use super::canonlog::{make as install_canonlog, to_sink_if_wrong};
use crate::workload::{Sink, sink};

/// What a message says.
pub struct Cart {
    pub user: String,
    pub items: u64,
    pub total: f64,
    pub plan: &'static str,
    pub paid: bool,
}

impl Cart {
    pub fn example() -> Cart {
        Cart { user: "ann@shop.example".to_owned(), items: 1_204, total: 19.99, plan: "business-large", paid: true }
    }
}

/// One way of saying it.
pub struct Speaker {
    pub name: &'static str,
    /// Around the messages.
    pub inside: fn(&mut dyn FnMut()),
    pub info: fn(&Cart),
    /// At a level that is off.
    pub debug: fn(&Cart),
}

pub fn all() -> Vec<Speaker> {
    install_canonlog();
    let _ = logforth_bridge();
    vec![
        Speaker { name: "canonlog", inside: plain, info: canonlog_says::info, debug: canonlog_says::debug },
        Speaker {
            name: "canonlog, in a request",
            inside: request,
            info: canonlog_says::info,
            debug: canonlog_says::debug,
        },
        Speaker { name: "canonlog, by calls", inside: plain, info: canonlog_calls::info, debug: canonlog_calls::debug },
        Speaker {
            name: "tracing-subscriber fmt",
            inside: tracing_fmt,
            info: tracing_says::info,
            debug: tracing_says::debug,
        },
        Speaker { name: "spdlog-rs", inside: plain, info: spdlog_says::info, debug: spdlog_says::debug },
        Speaker { name: "logforth (logfmt, by `log`)", inside: plain, info: log_says::info, debug: log_says::debug },
        Speaker { name: "slog (JSON)", inside: plain, info: slog_says::info, debug: slog_says::debug },
    ]
}

/// Keeps what it says, for as long as its request goes well: in a process of its own, which has no other set-up.
pub fn kept() -> Speaker {
    to_sink_if_wrong();
    Speaker { name: KEPT, inside: request, info: canonlog_says::info, debug: canonlog_says::debug }
}

/// The name of [`kept`].
pub const KEPT: &str = "canonlog, kept in a request";

/// By name.
pub fn named(name: &str) -> Option<Speaker> {
    if name == KEPT { Some(kept()) } else { all().into_iter().find(|speaker| speaker.name == name) }
}

fn plain(run: &mut dyn FnMut()) {
    run();
}

/// In one request, whose own event is not in the figure.
fn request(run: &mut dyn FnMut()) {
    thread_local! {
        static REQUEST: RefCell<Option<Scope>> = const { RefCell::new(None) };
    }
    REQUEST.with_borrow_mut(|scope| scope.get_or_insert_with(|| canonlog::begin(Kind::Request)).enter(run));
}

fn tracing_fmt(run: &mut dyn FnMut()) {
    static TEXT: OnceLock<tracing::Dispatch> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        let fmt = tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::INFO);
        fmt.with_writer(|| Sink).finish().into()
    });
    tracing::dispatcher::with_default(text, run);
}

mod canonlog_says {
    use super::Cart;

    static SHOP: canonlog::Logger = canonlog::Logger::new("shop");

    macro_rules! say {
        ($level:ident) => {
            #[inline(never)]
            pub fn $level(cart: &Cart) {
                canonlog::$level!(SHOP, user = cart.user, items = cart.items, total = cart.total, plan = cart.plan,
                    paid = cart.paid; "checked out");
            }
        };
    }
    say!(info);
    say!(debug);
}

mod canonlog_calls {
    use super::Cart;

    static SHOP: canonlog::Logger = canonlog::Logger::new("shop");

    macro_rules! say {
        ($level:ident) => {
            #[inline(never)]
            pub fn $level(cart: &Cart) {
                let message = SHOP.field("user", &cart.user).field("items", cart.items).field("total", cart.total);
                message.field("plan", cart.plan).field("paid", cart.paid).$level("checked out");
            }
        };
    }
    say!(info);
    say!(debug);
}

mod tracing_says {
    use super::Cart;

    macro_rules! say {
        ($level:ident) => {
            #[inline(never)]
            pub fn $level(cart: &Cart) {
                tracing::$level!(target: "shop", user = cart.user, items = cart.items, total = cart.total, plan = cart.plan,
                    paid = cart.paid, "checked out");
            }
        };
    }
    say!(info);
    say!(debug);
}

mod spdlog_says {
    use super::{Arc, Cart, OnceLock, Sink};
    use spdlog::Logger;
    use spdlog::sink::WriteSink;

    fn shop() -> &'static Logger {
        static SHOP: OnceLock<Logger> = OnceLock::new();
        SHOP.get_or_init(|| {
            let sink = Arc::new(WriteSink::builder().target(Sink).build().expect("a sink"));
            Logger::builder().name("shop").sink(sink).build().expect("a logger")
        })
    }

    macro_rules! say {
        ($level:ident) => {
            #[inline(never)]
            pub fn $level(cart: &Cart) {
                spdlog::$level!(logger: shop(), "checked out", kv: { user = cart.user.as_str(), items = cart.items,
                    total = cart.total, plan = cart.plan, paid = cart.paid });
            }
        };
    }
    say!(info);
    say!(debug);
}

mod log_says {
    use super::{Cart, logforth_bridge};

    macro_rules! say {
        ($level:ident) => {
            #[inline(never)]
            pub fn $level(cart: &Cart) {
                log::$level!(logger: logforth_bridge(), target: "shop", user = cart.user, items = cart.items, total = cart.total, plan = cart.plan,
                    paid = cart.paid; "checked out");
            }
        };
    }
    say!(info);
    say!(debug);
}

#[derive(Debug)]
struct ToSink(LogfmtLayout);

impl Append for ToSink {
    fn append(
        &self,
        record: &logforth::record::Record<'_>,
        diags: &[Box<dyn logforth::Diagnostic>],
    ) -> Result<(), logforth::Error> {
        sink(&self.0.format(record, diags)?);
        Ok(())
    }

    fn flush(&self) -> Result<(), logforth::Error> {
        Ok(())
    }
}

/// Not the process's: that is `tracing`'s, where its peers were measured before.
fn logforth_bridge() -> &'static LogBridge {
    static BRIDGE: OnceLock<LogBridge> = OnceLock::new();
    BRIDGE.get_or_init(|| {
        log::set_max_level(log::LevelFilter::Info);
        LogBridge::new(logforth::core::builder().dispatch(|d| d.append(ToSink(LogfmtLayout::default()))).build())
    })
}

mod slog_says {
    use super::{BufWriter, Cart, Drain, Mutex, OnceLock, Sink};
    use slog::{Fuse, Level, Logger, o};
    use slog_json::Json;

    fn shop() -> &'static Logger {
        static SHOP: OnceLock<Logger> = OnceLock::new();
        SHOP.get_or_init(|| {
            let json = Json::new(BufWriter::new(Sink)).add_default_keys().set_flush(true).build();
            let drain: Mutex<Fuse<Json<BufWriter<Sink>>>> = Mutex::new(json.fuse());
            Logger::root(drain.filter_level(Level::Info).fuse(), o!("logger" => "shop"))
        })
    }

    macro_rules! say {
        ($level:ident) => {
            #[inline(never)]
            pub fn $level(cart: &Cart) {
                slog::$level!(shop(), "checked out"; "user" => &cart.user, "items" => cart.items, "total" => cart.total,
                    "plan" => cart.plan, "paid" => cart.paid);
            }
        };
    }
    say!(info);
    say!(debug);
}
