//! What the tests stand on.

mod business;
mod lab;
mod program;
mod server;
mod shown;
mod zaps;

pub(crate) use business::checkout;
pub(crate) use lab::{CANARIES, Lab};
pub(crate) use program::{Going, PATIENCE, Program};
pub(crate) use server::{header, serve};
pub(crate) use shown::shown;
pub(crate) use zaps::{BUYERS, CANCELLED, DECLINES, LEADS, REFUNDS, SALES};
