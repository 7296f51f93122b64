use canonlog::register_instrumenter;

#[register_instrumenter]
fn version() {}

fn main() {}
