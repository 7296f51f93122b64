//! Where lines go: files that rotate, servers that come and go, and what readers of each protocol make of it.

mod files;
