//! Polling the CRM: which days are read, how a walk goes, and what of it is new.

mod backoff;
mod skew;
pub mod window;
