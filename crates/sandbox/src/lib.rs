//! A stand-in of the Konnektive CRM's API and a recording HTTP sink, in one server.
//!
//! The CRM answers as the recorded service does: the envelope, its texts, its unstable types, whole-day windows in
//! the account's zone. Where the service's behaviour is not known, the stand-in takes the reading that is harshest
//! for a client, and words of its own are marked `[stand-in wording]`. All state is in memory.
//!
//! It shares no code with the client that it tests, so that both cannot err alike.
//!
//! [`Sandbox::start`] listens; [`Control`] steers from within the process; [`Generator`] makes business happen;
//! [`ExportProfile`] tells others of it; [`FAULTS`] lists what can be made to go wrong.

mod clock;
mod config;
mod control;
mod crm;
mod faults;
mod generator;
mod money;
mod page;
mod push;
mod server;
mod sink;
pub mod state;
mod wire;

pub use clock::{Clock, ManualClock};
pub use config::{BeyondEnd, Config, ContentType, Error, ItemsForm, Rate, Shape};
pub use control::Control;
pub use crm::CrmRequest;
pub use faults::{CrmFault, FAULT_OPTIONS, FAULTS, Fault, FaultError, FaultRule, FaultSpec, SinkFault, When};
pub use generator::{Event, Generator, run_generator};
pub use money::Money;
pub use push::{ExportError, ExportProfile, Push};
pub use server::{Running, Sandbox};
pub use sink::{Received, SinkSummary};
