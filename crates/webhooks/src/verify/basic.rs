//! HTTP basic authentication.

use super::{CheckError, Unverified, same};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use zaprun_core::definition::{self, Secret};

#[derive(Debug)]
pub(super) struct Basic {
    username: String,
    password: Secret,
}

impl Basic {
    pub(super) fn of(basic: &definition::Basic) -> Result<Self, CheckError> {
        if basic.password.value.expose().is_empty() {
            return Err(CheckError::Empty);
        }
        Ok(Basic { username: basic.username.value.clone(), password: basic.password.value.clone() })
    }

    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Unverified> {
        let given = headers.get(AUTHORIZATION).ok_or(Unverified::Nothing)?.as_bytes();
        let scheme = given.get(..6).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return Err(Unverified::Unreadable);
        }
        let encoded = given.get(6..).unwrap_or_default().trim_ascii();
        let pair = STANDARD.decode(encoded).map_err(|_| Unverified::Unreadable)?;
        // A user name holds no colon, a password may.
        let colon = pair.iter().position(|byte| *byte == b':').ok_or(Unverified::Unreadable)?;
        let (username, password) = pair.split_at(colon);
        let right = same(username, self.username.as_bytes())
            & same(password.get(1..).unwrap_or_default(), self.password.expose().as_bytes());
        if right { Ok(()) } else { Err(Unverified::Wrong) }
    }
}
