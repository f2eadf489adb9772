//! What a sandbox is started with.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use jiff::tz::TimeZone;
use thiserror::Error;

use crate::clock::Clock;
use crate::faults::FaultRule;
use crate::push::{ExportError, ExportProfile};

/// Everything that can be set when a sandbox starts. [`Config::default`] is a quiet CRM on a free port of
/// 127.0.0.1 with login and password `sandbox`.
#[derive(Clone)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The API user's login.
    pub login: String,
    /// The API user's password.
    pub password: String,
    /// IANA name of the account's zone.
    pub zone: String,
    /// Decides ids, the generated stream, type variants and chances of faults.
    pub seed: u64,
    /// Pace of the generated stream; `None` generates nothing.
    pub rate: Option<Rate>,
    /// Business events generated before the start, spread over the three days before now.
    pub history: u32,
    /// Faults in force from the start.
    pub faults: Vec<FaultRule>,
    /// Which year's form of replies to give.
    pub shape: Shape,
    /// Form of `items` in order/query.
    pub items: ItemsForm,
    /// Whether numbers, strings, flags and empties vary from row to row as contract §1.8 lists them.
    pub unstable_types: bool,
    /// `Content-Type` of the CRM's replies; clients must not depend on it.
    pub content_type: ContentType,
    /// What a page beyond the last row gives.
    pub beyond_end: BeyondEnd,
    /// Addresses allowed to call the CRM; `None` allows all.
    pub whitelist: Option<BTreeSet<IpAddr>>,
    /// Whether JSON request bodies are understood as well.
    pub json_bodies: bool,
    /// Whether prepaid orders go through without quality assurance.
    pub prepaid_skips_qa: bool,
    /// Who is told of what happens, as the CRM's export profiles do.
    pub exports: Vec<ExportProfile>,
    /// How many of the sink's latest records are kept with their bodies.
    pub sink_records: usize,
    /// Where the present comes from.
    pub clock: Clock,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            login: "sandbox".to_owned(),
            password: "sandbox".to_owned(),
            zone: "America/New_York".to_owned(),
            seed: 1,
            rate: None,
            history: 0,
            faults: Vec::new(),
            shape: Shape::Y2026,
            items: ItemsForm::Seeded,
            unstable_types: true,
            content_type: ContentType::Json,
            beyond_end: BeyondEnd::Error,
            whitelist: None,
            json_bodies: false,
            prepaid_skips_qa: false,
            exports: Vec::new(),
            sink_records: 10_000,
            clock: Clock::system(),
        }
    }
}

impl Config {
    pub(crate) fn time_zone(&self) -> Result<TimeZone, Error> {
        TimeZone::get(&self.zone).map_err(|_| Error::Zone(self.zone.clone()))
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Config")
            .field("listen", &self.listen)
            .field("zone", &self.zone)
            .field("seed", &self.seed)
            .field("rate", &self.rate)
            .field("faults", &self.faults)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

/// Which year's recorded replies the CRM imitates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// Fewer fields, all numbers of items as strings.
    Y2016,
    /// The fields of today, numbers of items as strings, `totalAmount` of order/import a number.
    Y2022,
    /// As recorded in 2026.
    #[default]
    Y2026,
}

impl FromStr for Shape {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "2016" => Ok(Shape::Y2016),
            "2022" => Ok(Shape::Y2022),
            "2026" => Ok(Shape::Y2026),
            other => Err(Error::Shape(other.to_owned())),
        }
    }
}

/// Form of `items` in rows of order/query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ItemsForm {
    /// An object keyed by the campaign product's id.
    Map,
    /// An array.
    List,
    /// Mostly the object, on some rows the array; the seed decides.
    #[default]
    Seeded,
}

/// `Content-Type` of the CRM's replies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentType {
    /// `application/json`.
    #[default]
    Json,
    /// `text/html`, as PHP says when nobody tells it otherwise.
    Html,
}

/// What a page beyond the last row gives; the contract leaves it open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BeyondEnd {
    /// The text of an empty result.
    #[default]
    Error,
    /// `SUCCESS` with an empty `data`.
    EmptyData,
}

/// A pace: so many events in so long a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    events: NonZeroU32,
    per: Duration,
}

impl Rate {
    /// This many events a second.
    pub const fn per_second(events: NonZeroU32) -> Rate {
        Rate { events, per: Duration::from_secs(1) }
    }

    /// Time between two events.
    pub fn interval(self) -> Duration {
        self.per / self.events.get()
    }
}

impl FromStr for Rate {
    type Err = Error;

    /// Reads `5/s`, `30/m`, `100/h`; a number alone is per second.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::Rate(text.to_owned());
        let (count, unit) = text.trim().split_once('/').unwrap_or((text.trim(), "s"));
        let seconds = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return Err(bad()),
        };
        let events: NonZeroU32 = count.trim().parse().map_err(|_| bad())?;
        Ok(Rate { events, per: Duration::from_secs(seconds) })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per.as_secs() {
            60 => "m",
            3600 => "h",
            _ => "s",
        };
        write!(out, "{}/{unit}", self.events)
    }
}

/// Why a sandbox could not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Not an IANA zone.
    #[error("`{0}` is not a known time zone")]
    Zone(String),
    /// An export profile that could never be sent.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Not a pace.
    #[error("`{0}` is not a rate such as 5/s or 30/m")]
    Rate(String),
    /// Not a year of which replies are known.
    #[error("`{0}` is not a known shape; there are 2016, 2022 and 2026")]
    Shape(String),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]
    use super::*;

    #[test]
    fn rates_carry_a_unit() {
        assert_eq!("5/s".parse::<Rate>().unwrap().interval(), Duration::from_millis(200));
        assert_eq!("30/m".parse::<Rate>().unwrap().interval(), Duration::from_secs(2));
        assert_eq!("2".parse::<Rate>().unwrap().to_string(), "2/s");
        for text in ["0/s", "x", "1/d", "-1/s", "", "/"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_password_is_not_in_debug() {
        let config = Config { password: "hunter2".to_owned(), ..Config::default() };
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
