//! The project's folder: where it is and which files it holds.

mod files;
mod find;

pub(crate) use files::{Origin, Within};
pub(crate) use find::{PROJECT_FILE, find};
