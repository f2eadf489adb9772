//! The push side: export profiles that post what happened to a URL (contract §6, §8.9).
//!
//! [`ExportProfile`] says to whom and how, `outbox` keeps what waits, `payload` fills the fields in at the time of
//! sending, and `run` sends until the receiver answers 2xx.

mod outbox;
mod payload;
mod profile;
mod run;

pub use outbox::Push;
pub(crate) use outbox::{Outbox, Waiting};
pub use profile::{ExportError, ExportProfile};
pub(crate) use run::run;
