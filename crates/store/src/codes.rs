//! How values lie in the file: small integers for states, microseconds for instants, capped texts.

use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use uuid::Uuid;
use zaprun_engine::ports::{RunState, StepOutcome};

/// The most that is kept of a reply or of an error's words, in bytes.
pub(crate) const REPLY_CAP: usize = 8 * 1024;

/// Ledger entries without a run, by why: the value of `ledger.run`, and the tally's state.
pub(crate) const LEDGER_PRIMED: i64 = 0;
/// See [`LEDGER_PRIMED`].
pub(crate) const LEDGER_UNDATED: i64 = -1;
/// Tally of all ledger entries without a run.
pub(crate) const TALLY_PRIMED: i64 = 100;
/// Tally of those that nothing dates; they count as primed too.
pub(crate) const TALLY_UNDATED: i64 = 101;
/// Tally of the runs that only a deep sweep has made.
pub(crate) const TALLY_LATE: i64 = 102;
/// Tally of runs that were thrown away once they were over.
pub(crate) const TALLY_PRUNED: i64 = 103;

/// `run.state` of pending runs. The partial indexes and the statements spell it `0`.
pub(crate) const PENDING: i64 = 0;

/// The number of a state in the file. Never reuse one.
pub(crate) fn state_code(state: RunState) -> i64 {
    match state {
        RunState::Pending => PENDING,
        RunState::Delivered => 1,
        RunState::Filtered => 2,
        RunState::Held => 3,
        RunState::Dead => 4,
        RunState::Dropped => 5,
    }
}

/// The state of a number; `None` for numbers that no state has.
pub(crate) fn state_of(code: i64) -> Option<RunState> {
    Some(match code {
        PENDING => RunState::Pending,
        1 => RunState::Delivered,
        2 => RunState::Filtered,
        3 => RunState::Held,
        4 => RunState::Dead,
        5 => RunState::Dropped,
        _ => return None,
    })
}

/// A state as a column.
pub(crate) struct StateColumn(pub(crate) RunState);

impl FromSql for StateColumn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let code = value.as_i64()?;
        state_of(code).map(StateColumn).ok_or(FromSqlError::OutOfRange(code))
    }
}

/// A step's outcome as a column.
pub(crate) struct OutcomeColumn(pub(crate) StepOutcome);

impl ToSql for OutcomeColumn {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let code: i64 = match self.0 {
            StepOutcome::Done => 0,
            StepOutcome::Skipped => 1,
            StepOutcome::Failed => 2,
        };
        Ok(code.into())
    }
}

impl FromSql for OutcomeColumn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(OutcomeColumn(match value.as_i64()? {
            0 => StepOutcome::Done,
            1 => StepOutcome::Skipped,
            2 => StepOutcome::Failed,
            other => return Err(FromSqlError::OutOfRange(other)),
        }))
    }
}

/// An instant as a column: microseconds since 1970 UTC. What is finer is cut off, on the way in and in comparisons
/// alike, so that an instant never lies after itself.
#[derive(Clone, Copy)]
pub(crate) struct At(pub(crate) Timestamp);

impl At {
    /// An instant as it will be read back.
    pub(crate) fn kept(instant: Timestamp) -> Timestamp {
        // Cutting digits off cannot leave the range.
        Timestamp::from_microsecond(instant.as_microsecond()).unwrap_or(instant)
    }
}

impl ToSql for At {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_microsecond().into())
    }
}

impl FromSql for At {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let micros = value.as_i64()?;
        Timestamp::from_microsecond(micros).map(At).map_err(|_| FromSqlError::OutOfRange(micros))
    }
}

/// A UUID as a column: its 16 bytes.
pub(crate) struct UuidColumn(pub(crate) Uuid);

impl ToSql for UuidColumn {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
    }
}

impl FromSql for UuidColumn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let blob = value.as_blob()?;
        Uuid::from_slice(blob)
            .map(UuidColumn)
            .map_err(|_| FromSqlError::InvalidBlobSize { expected_size: 16, blob_size: blob.len() })
    }
}

/// Bytes as a column.
pub(crate) struct Blob(pub(crate) Bytes);

impl FromSql for Blob {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Blob(Bytes::copy_from_slice(value.as_blob()?)))
    }
}

/// At most [`REPLY_CAP`] bytes of a reply, not ending within a character.
pub(crate) fn capped(reply: Option<&Bytes>) -> Option<&[u8]> {
    reply.map(|bytes| {
        let Some(head) = bytes.get(..REPLY_CAP) else { return &bytes[..] };
        let whole = match std::str::from_utf8(head) {
            Err(cut) if cut.error_len().is_none() => cut.valid_up_to(),
            _ => head.len(),
        };
        head.get(..whole).unwrap_or(head)
    })
}

/// At most [`REPLY_CAP`] bytes of a text, not ending within a character.
pub(crate) fn capped_text(text: &str) -> &str {
    let mut end = text.len().min(REPLY_CAP);
    // Ends at 0 at the latest, which is a boundary.
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_survive_the_file() {
        let all = [
            RunState::Pending,
            RunState::Delivered,
            RunState::Filtered,
            RunState::Held,
            RunState::Dead,
            RunState::Dropped,
        ];
        for state in all {
            assert_eq!(state_of(state_code(state)), Some(state));
        }
        assert_eq!(state_of(6), None);
        assert_eq!(state_of(-1), None);
    }

    #[test]
    fn a_cap_never_cuts_a_character() {
        let long = "é".repeat(REPLY_CAP);
        let bytes = Bytes::from(format!("a{long}"));
        let kept = capped(Some(&bytes)).unwrap_or_default();
        assert_eq!(kept.len(), REPLY_CAP - 1);
        assert!(std::str::from_utf8(kept).is_ok());
        assert_eq!(capped_text(&format!("a{long}")).len(), REPLY_CAP - 1);
        assert_eq!(capped_text("short"), "short");
        // What is no text at all is cut by the byte.
        let raw = Bytes::from(vec![0xff; REPLY_CAP + 10]);
        assert_eq!(capped(Some(&raw)).map(<[u8]>::len), Some(REPLY_CAP));
        assert_eq!(capped(None), None);
    }
}
