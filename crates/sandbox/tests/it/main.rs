//! The sandbox as a client meets it: over real HTTP on a free port.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed step fails the test")]

mod bed;
mod faults;
mod generator;
mod laws;
mod reads;
mod samples;
mod sink;
mod transport;
mod writes;
