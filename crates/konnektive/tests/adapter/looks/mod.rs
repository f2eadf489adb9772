//! Looks, each family against a CRM that shows what a test puts there.

mod abouts;
mod buyers;
mod cancels;
mod customers;
mod leads;
mod odd;
mod refunds;
mod reviews;
mod sales;
mod shipments;
mod upsales;
