pub fn to_sink() {}
pub fn to_file() {}
