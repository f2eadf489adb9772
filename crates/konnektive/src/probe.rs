//! Whether a connection works, and what it may do: what `zaprun check` asks.

use crate::konnektive::Konnektive;
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Map, Value};
use zaprun_core::trigger::{DateRange, Endpoint, Narrowing, Query};
use zaprun_engine::ports::{Crm, DayWindow, Page, PageRequest, ReadError};

/// Rows looked at for their timestamps.
const ROWS: u32 = 25;

/// Days before today whose rows are asked for.
const DAYS: i32 = 2;

/// A row may be this much ahead of the server's clock before the zone is doubted.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Whether the account lets this machine in.
    pub access: Access,
    /// The endpoints that were asked, in the order given. After a refused login or address no further one is: repeated
    /// bad logins may lock the user (contract §1.2).
    pub endpoints: Vec<EndpointProbe>,
    /// Whether the configured zone fits what the CRM writes.
    pub zone: ZoneCheck,
    /// The password holds `&`, which the vendor asks to avoid (contract §1.2).
    pub ampersand_in_password: bool,
}

/// Whether the account lets this machine in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Login, password and address are accepted.
    Granted,
    /// Login or password is wrong.
    Credentials {
        /// The vendor's words.
        text: String,
    },
    /// This machine's address is not on the whitelist.
    Whitelist {
        /// The address to put there, as the CRM saw it.
        address: Option<String>,
        /// The vendor's words.
        text: String,
    },
    /// No endpoint gave an answer of the CRM, or none was asked.
    Unreachable,
}

/// What became of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointProbe {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Whether it can be read.
    pub access: EndpointAccess,
}

/// Whether an endpoint can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointAccess {
    /// It answered; so many rows lie in the last days.
    Readable {
        /// `totalResults`.
        recent: u64,
    },
    /// It did not.
    Refused(ReadError),
}

/// Whether the configured zone fits what the CRM writes. A zone east of the right one only makes rows look old, so that
/// it cannot be told from a quiet account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZoneCheck {
    /// No row lies in the future.
    Plausible {
        /// The newest timestamp seen, in the configured zone.
        newest: Timestamp,
        /// The server's clock at that time.
        server_time: Timestamp,
    },
    /// A row lies in the future: the account's zone is further west than the configured one is thought to be.
    Future {
        /// The timestamp as the CRM wrote it.
        written: DateTime,
        /// How far ahead of the server's clock it would be.
        ahead: SignedDuration,
    },
    /// There is no recent row to tell by.
    NoRows,
    /// The server did not tell its time.
    NoServerTime,
}

impl Konnektive {
    /// Asks each endpoint for the newest rows of the last days, and judges by the answers.
    pub async fn probe(&self, endpoints: &[Endpoint]) -> Probe {
        let mut probe = Probe {
            access: Access::Unreachable,
            endpoints: Vec::new(),
            zone: ZoneCheck::NoRows,
            ampersand_in_password: self.config.password.expose().contains('&'),
        };
        for &endpoint in endpoints {
            let answer = self.page(&self.newest(endpoint)).await;
            if let Ok(page) = &answer {
                probe.zone = self.zone(page).worse(probe.zone);
            }
            let stop = answer.as_ref().is_err_and(ReadError::stops_connection);
            if let Some(access) = access(&answer) {
                probe.access = access;
            }
            let access = match answer {
                Ok(page) => EndpointAccess::Readable { recent: page.total },
                Err(error) => EndpointAccess::Refused(error),
            };
            probe.endpoints.push(EndpointProbe { endpoint, access });
            if stop {
                break;
            }
        }
        probe
    }

    fn newest(&self, endpoint: Endpoint) -> PageRequest {
        let today = self.clock.now().to_zoned_datetime(self.config.timezone.clone()).date();
        PageRequest {
            query: Query { endpoint, seen_through: DateRange::Created, params: Vec::new() },
            narrowing: Narrowing::default(),
            window: Some(DayWindow {
                first: today.saturating_sub(DAYS.days()),
                // Where the account's zone is not what we think, its tomorrow may have begun.
                last: today.saturating_add(1.day()),
            }),
            page: 1,
            per_page: ROWS,
            ascending: false,
        }
    }

    fn zone(&self, page: &Page) -> ZoneCheck {
        let Some(written) = page.rows.iter().flat_map(|row| timestamps(row)).max() else {
            return ZoneCheck::NoRows;
        };
        let Some(server_time) = page.server_time else {
            return ZoneCheck::NoServerTime;
        };
        // A repeated local time is the earlier instant, a skipped one moves forward.
        let Ok(newest) = self.config.timezone.to_timestamp(written) else {
            return ZoneCheck::NoRows;
        };
        let ahead = newest.duration_since(server_time);
        if ahead > AHEAD {
            ZoneCheck::Future { written, ahead }
        } else {
            ZoneCheck::Plausible { newest, server_time }
        }
    }
}

impl ZoneCheck {
    /// The finding that tells more; of two equal ones this one.
    fn worse(self, other: ZoneCheck) -> ZoneCheck {
        let weight = |check: &ZoneCheck| match check {
            ZoneCheck::NoRows => 0,
            ZoneCheck::NoServerTime => 1,
            ZoneCheck::Plausible { .. } => 2,
            ZoneCheck::Future { .. } => 3,
        };
        if weight(&other) > weight(&self) { other } else { self }
    }
}

/// What an answer says of the login; `None` when the CRM itself did not speak.
fn access(answer: &Result<Page, ReadError>) -> Option<Access> {
    match answer {
        Ok(_) | Err(ReadError::Permission { .. } | ReadError::Vendor { .. } | ReadError::TooMany { .. }) => {
            Some(Access::Granted)
        }
        Err(ReadError::Credentials { text }) => Some(Access::Credentials { text: text.clone() }),
        Err(ReadError::Whitelist { address, text }) => {
            Some(Access::Whitelist { address: address.clone(), text: text.clone() })
        }
        Err(ReadError::Transport { .. }) => None,
    }
}

/// When a row was made and last changed, in the account's local time (contract §1.6).
fn timestamps(row: &[u8]) -> Vec<DateTime> {
    let Ok(row) = serde_json::from_slice::<Map<String, Value>>(row) else {
        return Vec::new();
    };
    [DateRange::Created, DateRange::Updated]
        .iter()
        .filter_map(|range| DateTime::strptime("%Y-%m-%d %H:%M:%S", row.get(range.field())?.as_str()?).ok())
        .collect()
}
