//! The project's folder: where it is and which files it holds.

mod files;
mod find;
mod revision;
mod write;

pub(crate) use files::{Files, Origin, Stray, Within, fixtures};
pub(crate) use find::{PROJECT_FILE, find};
pub(crate) use revision::Repository;
pub(crate) use write::{create, replace};
