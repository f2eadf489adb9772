//! The sandbox as a client meets it: over real HTTP on a free port.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed step fails the test")]

mod bed;
mod customers;
mod faults;
mod generator;
mod laws;
mod lost;
mod parcels;
mod push;
mod reads;
mod sales;
mod samples;
mod shop;
mod sink;
mod transport;
mod writes;
