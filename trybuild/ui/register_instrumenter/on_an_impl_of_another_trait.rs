use canonlog::register_instrumenter;

struct Version;

#[register_instrumenter]
impl Clone for Version {
    fn clone(&self) -> Self {
        Version
    }
}

fn main() {}
