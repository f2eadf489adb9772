//! What is known of data of other systems: from the JSON Schema that describes it, or from samples of it.

mod combine;
mod place;
mod pointer;
mod samples;
mod schema;

pub(crate) use place::{Place, Schema, Why, Wrong};
pub(crate) use samples::of_samples;

#[cfg(test)]
mod tests;
