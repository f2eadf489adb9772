//! What runs compiled zaps: polling, the ledger and delivery.
//!
//! The engine reaches the world only through [`ports`]; it opens no file and no socket itself.

pub mod ports;
