//! What the benchmarks share: the orders, the job by hand, and the job as a zap.
//!
//! The job: of each order twelve fields become one JSON body. Both ways give the same bytes, which a test checks, so
//! that what is compared is one job.

pub mod hand;
pub mod orders;
pub mod zaps;
