//! The project's folder: where it is and which files it holds.

mod files;
mod find;
mod write;

pub(crate) use files::{Within, read};
pub(crate) use find::{PROJECT_FILE, find};
pub(crate) use write::{create, replace};
