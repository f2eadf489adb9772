//! A fixed token in a header.

use super::{CheckError, Unverified, header, same};
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderName};
use zaprun_core::definition::{Secret, TokenCheck};

#[derive(Debug)]
pub(super) struct Token {
    header: HeaderName,
    values: Vec<Secret>,
}

impl Token {
    pub(super) fn of(check: &TokenCheck) -> Result<Self, CheckError> {
        let values: Vec<Secret> = check.value.value.iter().cloned().collect();
        if values.is_empty() || values.iter().any(|value| value.expose().trim().is_empty()) {
            return Err(CheckError::Empty);
        }
        Ok(Token { header: header(&check.header.value)?, values })
    }

    pub(super) fn header(&self) -> &HeaderName {
        &self.header
    }

    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Unverified> {
        let given = headers.get(&self.header).ok_or(Unverified::Nothing)?.as_bytes();
        let bare = if self.header == AUTHORIZATION { without_scheme(given) } else { given };
        // Every value is looked at, whichever is right.
        let right = self.values.iter().fold(false, |right, value| {
            let value = value.expose().trim().as_bytes();
            right | same(given, value) | same(bare, value)
        });
        if right { Ok(()) } else { Err(Unverified::Wrong) }
    }
}

/// `Bearer TOKEN` without its first word.
fn without_scheme(given: &[u8]) -> &[u8] {
    match given.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case(b"bearer ") => {
            given.get(7..).unwrap_or_default().trim_ascii()
        }
        _ => given,
    }
}
