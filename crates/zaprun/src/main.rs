//! The command line of zaprun.
fn main() {}
