//! The zap language: what a person wrote, what it means, and how a record becomes requests.
//!
//! Everything here is a pure function of its input: no I/O, no clock, no environment, no output.

pub mod card;
pub mod crm;
pub mod cron;
pub mod definition;
pub mod diagnostic;
pub mod expression;
pub mod filters;
mod header;
pub mod load;
pub mod mapping;
mod outline;
pub mod path;
mod pointer;
pub mod property;
pub mod record;
pub mod reference;
pub mod rehearsal;
pub mod request;
pub mod schema;
pub mod source;
pub mod table;
pub mod template;
pub mod trigger;
pub mod value;
pub mod variables;
pub mod yaml;
pub mod zap;
