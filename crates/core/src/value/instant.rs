//! Moments with the zone they are shown in.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

/// A moment and the zone it is shown in. Equality and order go by the moment alone.
#[derive(Clone)]
pub struct Instant(Arc<ZonedDateTime>);

impl Instant {
    /// The moment `at`, shown in `zone`.
    pub fn new(at: Timestamp, zone: TimeZone) -> Self {
        Instant(Arc::new(at.to_zoned_datetime(zone)))
    }

    /// The moment.
    pub fn timestamp(&self) -> Timestamp {
        self.0.timestamp()
    }

    /// The moment as its zone's calendar and clock show it.
    pub fn zoned(&self) -> &ZonedDateTime {
        &self.0
    }

    /// The same moment shown in another zone.
    #[must_use]
    pub fn in_zone(&self, zone: TimeZone) -> Self {
        Instant(Arc::new(self.0.with_time_zone(zone)))
    }

    /// RFC 3339 in UTC with `Z` and whole seconds: `2026-09-16T18:25:31Z`.
    pub fn to_utc_text(&self) -> String {
        let utc = TimeZone::UTC.to_datetime(self.timestamp());
        let (date, time) = (utc.date(), utc.time());
        format!("{}T{:02}:{:02}:{:02}Z", Day(date), time.hour(), time.minute(), time.second())
    }
}

impl From<ZonedDateTime> for Instant {
    fn from(zoned: ZonedDateTime) -> Self {
        Instant(Arc::new(zoned))
    }
}

struct Day(jiff::civil::Date);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

/// RFC 3339 with the zone's offset and whole seconds: `2026-09-16T14:25:31-04:00`.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, time) = (self.0.date(), self.0.time());
        write!(f, "{}T{:02}:{:02}:{:02}", Day(date), time.hour(), time.minute(), time.second())?;
        let offset = self.0.offset().seconds();
        let sign = if offset < 0 { '-' } else { '+' };
        // RFC 3339 offsets have no seconds; zones had them only before standard time.
        let minutes = offset.unsigned_abs() / 60;
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Instant {
    fn eq(&self, other: &Self) -> bool {
        self.timestamp() == other.timestamp()
    }
}

impl Eq for Instant {}

impl PartialOrd for Instant {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Instant {
    fn cmp(&self, other: &Self) -> Ordering {
        self.timestamp().cmp(&other.timestamp())
    }
}
