//! The Konnektive (Checkout Champ) API, as far as it is read and written.
//!
//! - Every call is a POST form; login and password stand in its body and nowhere else (contract §1.1).
//! - The HTTP status says nothing and neither does the content type: `result` in the body decides (contract §1.3).
//! - Texts are the only error codes there are. [`classify`] is the one table of them (contract §1.4).
//! - Rows are handed on byte for byte, but for the secrets that rows of customers hold; what they mean is for others to
//!   say.
//! - A write is sent once. Only the CRM's own words settle it; whatever else comes back leaves it open, and a look at
//!   what the CRM shows says what became of it.

mod answer;
mod classify;
mod envelope;
mod find;
mod form;
mod konnektive;
mod look;
mod mask;
mod outcome;
mod probe;
mod reply;
mod scrub;
mod trial;

pub use answer::recalled;
pub use classify::{TextClass, classify, rejected_address};
pub use konnektive::{Config, ConfigError, ConfigProblem, DEFAULT_CONCURRENCY, DEFAULT_TIMEOUT, Konnektive};
pub use look::reads_of_look;
pub use probe::{Access, EndpointAccess, EndpointProbe, Probe, ZoneCheck};
pub use trial::{WriteAccess, WriteProbe};
