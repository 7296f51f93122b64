use canonlog::register_instrumenter;

#[register_instrumenter]
struct Version;

fn main() {}
