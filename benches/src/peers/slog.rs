//! `slog` with `slog-json`: one record with all fields, through a buffer (its drain writes token by token).

use std::io::BufWriter;
use std::sync::Mutex;

use slog::{Drain, Fuse, Logger, info, o};
use slog_json::Json;

use super::Peer;
use super::by_hand::Sums;
use crate::workload::{Input, Sink, id, uuid, uuid_text};

struct Slog {
    log: Logger,
}

pub fn make() -> Box<dyn Peer> {
    let json = Json::new(BufWriter::new(Sink)).add_default_keys().set_flush(true).build();
    let drain: Mutex<Fuse<Json<BufWriter<Sink>>>> = Mutex::new(json.fuse());
    Box::new(Slog { log: Logger::root(drain.fuse(), o!()) })
}

impl Peer for Slog {
    #[inline(never)]
    fn request(&mut self, input: &Input) {
        let mut sums = Sums::begin();
        let id = uuid(id());
        sums.work(input);
        let (render, cache, database, total) = (sums.render(), sums.cache(), sums.database(), sums.total());
        info!(self.log, "request";
            "req_id" => uuid_text(&id),
            "req_method" => &input.method,
            "req_path" => &input.path,
            "req_referrer" => &input.referrer,
            "req_user_agent" => &input.user_agent,
            "app_cart_items" => input.cart_items,
            "app_cart_total" => input.cart_total,
            "app_plan" => input.plan,
            "app_render_time" => render,
            "app_cache_time" => cache,
            "resp_view" => input.view,
            "resp_time" => total,
            "resp_status" => input.status,
            "resp_size" => input.size,
            "db_queries" => sums.queries,
            "db_time" => database,
        );
    }
}
