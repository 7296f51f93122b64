use canonlog::register_instrumenter;

#[register_instrumenter]
struct Version<T>(T);

fn one() -> Version<u8> {
    let version = Version(1);
    let Version(_) = &version;
    version
}

fn main() {}
