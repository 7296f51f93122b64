use canonlog::{Instrumenter, InstrumenterError, Unit, register_instrumenter};

#[register_instrumenter(name = "App Version")]
struct Version;

impl Instrumenter for Version {
    fn call(&self, _: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        Ok(())
    }
}

fn main() {}
