//! Everything that is tested without a window.
fn main() {}
