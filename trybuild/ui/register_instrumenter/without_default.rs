use canonlog::{Instrumenter, InstrumenterError, Unit, register_instrumenter};

#[register_instrumenter]
struct Version {
    number: u8,
}

impl Instrumenter for Version {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        unit.set("version", self.number);
        Ok(())
    }
}

fn main() {}
