//! The server at which webhooks arrive.
//!
//! It finds out who calls ([`Check`]), makes JSON of what was sent, and hands both to the engine's
//! [`zaprun_engine::intake::Intake`]; the caller is answered 202 once what he told is durable, and can come again
//! after any other answer. All input is hostile: every size, time and number is bounded, and nothing of a request
//! whose caller is not known is kept or told.

mod answer;
mod body;
mod caller;
mod complaints;
mod context;
mod desk;
mod server;
mod verify;

pub use caller::DEFAULT_RATE;
pub use desk::{Config, Connection, Limits};
pub use ipnet::IpNet;
pub use server::{Rules, ServeError, Server};
pub use verify::{Check, CheckError};
