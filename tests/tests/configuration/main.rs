//! What the file, the environment and the program say together.

mod reload;
