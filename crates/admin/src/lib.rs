//! Where the program is watched: `/livez`, `/readyz`, `/metrics`.
//!
//! [`Metrics`] counts what the engine tells; [`Ready`] says whether the program can do its work; the [`Server`] answers
//! both, to those who may ask.

mod desk;
mod metrics;
mod pages;
mod ready;
mod server;
mod table;
mod world;

pub use desk::Door;
pub use metrics::Metrics;
pub use pages::metrics_page;
pub use ready::{Check, Ready};
pub use server::Server;
pub use table::{METRICS, Metric, MetricKind};
pub use world::{Backlog, Wait, World};
