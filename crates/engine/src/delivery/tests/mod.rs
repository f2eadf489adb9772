#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod bounds;
mod crash;
mod kit;
mod model;
mod outcomes;
mod steps;
mod trouble;
