//! What is known of data of other systems: from the JSON Schema that describes it, or from samples of it.

mod samples;
mod schema;

pub(crate) use samples::of_samples;
pub(crate) use schema::of_schema;

#[cfg(test)]
mod tests;
