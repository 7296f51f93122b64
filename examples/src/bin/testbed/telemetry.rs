//! Where the events go, and what became of them.

use axum::Json;
use canonlog::{File, Guard, instrument_request};
use serde_json::{Map, Value, json};

use crate::Failure;
use crate::args::{Args, Format};

/// Sets canonlog up; the guard ends it.
pub(crate) fn start(args: &Args) -> Result<Guard, Failure> {
    let mut setup = match args.format {
        Format::Logfmt => canonlog::setup().format(canonlog::Logfmt::new()),
        Format::Json => canonlog::setup().format(canonlog::Json::new()),
    };
    if let Some(path) = &args.out {
        let file = File::open(path).map_err(|error| format!("cannot write to {}: {error}", path.display()))?;
        setup = setup.output(file);
    }
    // At most as many stacks of stuck requests a second.
    let guard = setup.stacks(10).init()?;
    // For log rotation: the file is opened again.
    guard.on_sighup()?;
    Ok(guard)
}

/// Events written and counted as lost, by output and reason.
#[instrument_request]
pub(crate) async fn stats() -> Json<Value> {
    let stats = canonlog::stats();
    let outputs: Vec<Value> = stats
        .outputs()
        .iter()
        .map(|output| {
            let reasons: Map<String, Value> =
                output.lost_by_reason().map(|(reason, count)| (reason.to_string(), count.into())).collect();
            json!({
                "name": output.name(),
                "written": output.written(),
                "lost": output.lost(),
                "lost_by_reason": reasons,
            })
        })
        .collect();
    let counts: Map<String, Value> = stats.counts().map(|(name, count)| (name.to_owned(), count.into())).collect();
    Json(json!({ "written": stats.written(), "lost": stats.lost(), "outputs": outputs, "counts": counts }))
}
