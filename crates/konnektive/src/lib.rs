//! The Konnektive (Checkout Champ) API, as far as it is read.
//!
//! - Every call is a POST form; login and password stand in its body and nowhere else (contract §1.1).
//! - The HTTP status says nothing and neither does the content type: `result` in the body decides (contract §1.3).
//! - Texts are the only error codes there are. [`classify`] is the one table of them (contract §1.4).
//! - Rows are handed on byte for byte; what they mean is for others to say.

mod classify;
mod envelope;
mod form;
mod konnektive;
mod mask;
mod probe;
mod reply;

pub use classify::{TextClass, classify, rejected_address};
pub use konnektive::{Config, ConfigError, ConfigProblem, DEFAULT_CONCURRENCY, DEFAULT_TIMEOUT, Konnektive};
pub use probe::{Access, EndpointAccess, EndpointProbe, Probe, ZoneCheck};
