use canonlog::register_instrumenter;

struct Version;

#[register_instrumenter]
impl Version {
    fn call(&self) {}
}

fn main() {}
