//! Records: what the CRM's rows hold, described once.
//!
//! The description gives the typed view, the published schemas and the checks of field names.

mod customer;
mod order;
mod purchase;
mod read_set;
mod row;
mod schema;
mod shown;
mod transaction;
mod view;

pub use customer::CUSTOMER;
pub use order::{FULFILLMENT, FULFILLMENT_ITEM, ITEM, LEAD, ORDER};
pub(crate) use purchase::PURCHASE_STATUS;
pub use purchase::{PURCHASE, PURCHASE_TRANSACTION};
pub use read_set::ReadSet;
pub use row::{Moment, Row};
pub use schema::{Always, Class, Field, FieldType, Schema};
pub(crate) use shown::shown;
pub use transaction::{TRANSACTION, TRANSACTION_ITEM};
pub(crate) use view::fit;
pub use view::{RowError, view};
