use canonlog::register_instrumenter;

#[register_instrumenter]
enum Version {
    One,
}

fn one() -> Version {
    Version::One
}

fn main() {}
