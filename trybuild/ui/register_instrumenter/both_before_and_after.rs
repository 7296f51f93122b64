use canonlog::{Instrumenter, InstrumenterError, Unit, register_instrumenter};

#[register_instrumenter(after = "database", before = ["error", "database"])]
struct Version;

impl Instrumenter for Version {
    fn call(&self, _: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        Ok(())
    }
}

fn main() {}
