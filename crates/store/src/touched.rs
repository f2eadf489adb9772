//! Orders that zaprun's own steps made or changed: what happens to them next is its own doing.

use crate::writer::Tx;
use rusqlite::params;
use zaprun_engine::ports::{StoreError, Touched};

/// What is known of an order.
pub(crate) const FIND: &str = "SELECT made, depth FROM touched WHERE id = ?1";

/// Where an event comes from.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Origin {
    /// One of zaprun's own steps made the order.
    pub(crate) made: bool,
    /// How many of its writes led to what happens to the order.
    pub(crate) depth: u32,
}

/// Where what happens to an order comes from.
pub(crate) fn origin(tx: &Tx<'_>, order: Option<&str>) -> Result<Origin, StoreError> {
    let Some(order) = order else { return Ok(Origin::default()) };
    let known = tx.first(FIND, [order], |row| Ok(Origin { made: row.get(0)?, depth: row.get(1)? }))?;
    Ok(known.unwrap_or_default())
}

/// Keeps what a step did to an order.
pub(crate) fn keep(tx: &Tx<'_>, touched: &Touched) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO touched (id, made, depth) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET made = max(made, excluded.made), depth = max(depth, excluded.depth)",
        params![touched.order, touched.made, touched.depth],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::schema::plan;

    #[test]
    fn an_order_is_found_by_a_seek() -> Result<(), rusqlite::Error> {
        let plan = plan(super::FIND)?;
        assert_eq!(plan, "SEARCH touched USING PRIMARY KEY (id=?)");
        Ok(())
    }
}
