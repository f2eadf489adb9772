//! Orders that zaprun's own steps made or changed: what happens to them next is its own doing.

use crate::writer::Tx;
use rusqlite::{Connection, params};
use zaprun_engine::ports::{StoreError, Touched};

/// What is known of an order.
pub(crate) const FIND: &str = "SELECT made, depth, sold FROM touched WHERE id = ?1";

/// Where an event comes from.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Origin {
    /// One of zaprun's own steps made the order.
    pub(crate) made: bool,
    /// How many of its writes led to what happens to the order.
    pub(crate) depth: u32,
}

/// Whether any order is known.
pub(crate) fn any(conn: &Connection) -> rusqlite::Result<bool> {
    conn.prepare("SELECT 1 FROM touched LIMIT 1")?.exists([])
}

/// Where what happens to an order comes from.
pub(crate) fn origin(tx: &Tx<'_>, order: Option<&str>) -> Result<Origin, StoreError> {
    // Where no zap writes to the CRM, nothing is looked up.
    let Some(order) = order.filter(|_| *tx.touches) else { return Ok(Origin::default()) };
    let known = tx.first(FIND, [order], |row| Ok(Origin { made: row.get(0)?, depth: row.get(1)? }))?;
    Ok(known.unwrap_or_default())
}

/// Keeps what a step did to an order.
pub(crate) fn keep(tx: &mut Tx<'_>, touched: &Touched) -> Result<(), StoreError> {
    // Undone with the transaction, it costs a look-up and harms nothing.
    *tx.touches = true;
    tx.execute(
        "INSERT INTO touched (id, made, depth, sold) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET made = max(made, excluded.made), depth = max(depth, excluded.depth),
                sold = max(sold, excluded.sold)",
        params![touched.order, touched.made, touched.depth, touched.sold],
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
