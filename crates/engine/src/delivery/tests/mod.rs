#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod bounds;
mod buyers;
mod chain;
mod crash;
mod desk;
mod dry;
mod engine;
mod kit;
mod lanes;
mod limits;
mod logins;
mod model;
mod orders;
mod outcomes;
mod reloads;
mod repairs;
mod steps;
mod strict;
mod switched_off;
mod trouble;
mod turns;
mod waits;
mod writes;
