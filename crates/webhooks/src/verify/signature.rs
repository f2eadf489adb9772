//! A signature over the body's bytes: HMAC-SHA256 in the forms of Standard Webhooks, GitHub and Stripe.

use super::{CheckError, Unverified, header, same};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::{Engine, alphabet};
use hmac::{Hmac, KeyInit, Mac};
use hyper::HeaderMap;
use hyper::header::HeaderName;
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use zaprun_core::definition::{HmacCheck, HmacFormat};

/// How far the instant of signing may be from now.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// More signatures than this in one header are not looked at: senders write one for each key in use.
const MOST_SIGNATURES: usize = 10;

/// Keys are handed out with and without `=` at their end.
const KEY: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) struct Signature {
    format: HmacFormat,
    header: HeaderName,
    /// What the senders of the same kind call the two other headers, the most likely first.
    stamps: Vec<Stamps>,
    keys: Vec<Vec<u8>>,
}

/// The headers that hold a message's id and the instant it was signed at.
#[derive(Debug)]
struct Stamps {
    id: HeaderName,
    at: HeaderName,
}

/// What a request says it is signed with.
#[derive(Debug)]
pub(crate) struct Signed {
    /// What was signed before the body.
    before: Vec<u8>,
    signatures: Vec<String>,
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signature").field("format", &self.format).field("header", &self.header).finish()
    }
}

impl Signature {
    pub(super) fn of(check: &HmacCheck) -> Result<Self, CheckError> {
        let format = check.format.as_ref().map_or(HmacFormat::Standard, |format| format.value);
        let usual = match format {
            HmacFormat::Standard => "webhook-signature",
            HmacFormat::Github => "x-hub-signature-256",
            HmacFormat::Stripe => "stripe-signature",
        };
        let header = header(check.header.as_ref().map_or(usual, |header| header.value.as_str()))?;
        let keys = check.secret.value.iter().map(|secret| key(secret.expose().trim(), format));
        let keys: Vec<Vec<u8>> = keys.collect::<Result<_, _>>()?;
        if keys.is_empty() || keys.iter().any(Vec::is_empty) {
            return Err(CheckError::Empty);
        }
        let stamps = match format {
            HmacFormat::Standard => stamps(&header)?,
            HmacFormat::Github | HmacFormat::Stripe => Vec::new(),
        };
        Ok(Signature { format, header, stamps, keys })
    }

    pub(super) fn header(&self) -> &HeaderName {
        &self.header
    }

    /// What the headers say; an old signature is refused before its body is read.
    pub(super) fn claim(&self, headers: &HeaderMap, now: Timestamp) -> Result<Signed, Unverified> {
        let given = text(headers, &self.header)?;
        let signed = match self.format {
            HmacFormat::Standard => self.standard(headers, given, now)?,
            HmacFormat::Github => {
                let signature = given.strip_prefix("sha256=").ok_or(Unverified::Unreadable)?;
                Signed { before: Vec::new(), signatures: vec![signature.to_ascii_lowercase()] }
            }
            HmacFormat::Stripe => stripe(given, now)?,
        };
        if signed.signatures.is_empty() { Err(Unverified::Unreadable) } else { Ok(signed) }
    }

    /// Standard Webhooks: `v1,BASE64` of `ID.TIMESTAMP.BODY`, several of them apart by spaces.
    fn standard(&self, headers: &HeaderMap, given: &str, now: Timestamp) -> Result<Signed, Unverified> {
        let both = |stamps: &&Stamps| headers.contains_key(&stamps.id) && headers.contains_key(&stamps.at);
        let stamps = self.stamps.iter().find(both).ok_or(Unverified::Nothing)?;
        let (id, at) = (text(headers, &stamps.id)?, text(headers, &stamps.at)?);
        fresh(at, now)?;
        let signatures = given.split(' ').filter_map(|one| one.strip_prefix("v1,")).map(str::to_owned);
        Ok(Signed {
            before: format!("{id}.{at}.").into_bytes(),
            signatures: signatures.take(MOST_SIGNATURES).collect(),
        })
    }

    pub(super) fn check(&self, signed: &Signed, body: &[u8]) -> Result<(), Unverified> {
        // Every key is tried, whichever is right.
        let right = self.keys.iter().fold(false, |right, key| {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return right };
            mac.update(&signed.before);
            mac.update(body);
            let tag = mac.finalize().into_bytes();
            let written = match self.format {
                HmacFormat::Standard => STANDARD.encode(tag),
                HmacFormat::Github | HmacFormat::Stripe => hex(&tag),
            };
            signed
                .signatures
                .iter()
                .fold(right, |right, given| right | same(given.as_bytes(), written.as_bytes()))
        });
        if right { Ok(()) } else { Err(Unverified::Wrong) }
    }
}

/// The bytes of a key: Standard Webhooks writes them in base64 behind `whsec_`; the others take the text as it is.
fn key(secret: &str, format: HmacFormat) -> Result<Vec<u8>, CheckError> {
    match (format, secret.strip_prefix("whsec_")) {
        (HmacFormat::Standard, Some(encoded)) => KEY.decode(encoded).map_err(|_| CheckError::NotBase64),
        _ => Ok(secret.as_bytes().to_vec()),
    }
}

/// The headers beside that of the signature: by its own prefix (`svix-signature`, `svix-id`, `svix-timestamp`), else
/// by the standard's. They are signed, so whichever are taken, nobody can change them.
fn stamps(signature: &HeaderName) -> Result<Vec<Stamps>, CheckError> {
    let prefix = signature.as_str().strip_suffix("-signature");
    let mut all = Vec::new();
    for prefix in prefix.into_iter().chain(["webhook"]) {
        all.push(Stamps {
            id: header(&format!("{prefix}-id"))?,
            at: header(&format!("{prefix}-timestamp"))?,
        });
    }
    Ok(all)
}

/// Stripe: `t=TIMESTAMP,v1=HEX` of `TIMESTAMP.BODY`, with several `v1` while keys are exchanged.
fn stripe(given: &str, now: Timestamp) -> Result<Signed, Unverified> {
    let parts = || given.split(',').filter_map(|part| part.trim().split_once('='));
    let at = parts().find(|(name, _)| *name == "t").ok_or(Unverified::Unreadable)?.1;
    fresh(at, now)?;
    let signatures = parts().filter(|(name, _)| *name == "v1").map(|(_, hex)| hex.to_ascii_lowercase());
    Ok(Signed {
        before: format!("{at}.").into_bytes(),
        signatures: signatures.take(MOST_SIGNATURES).collect(),
    })
}

/// Whether it was signed just now.
fn fresh(written: &str, now: Timestamp) -> Result<(), Unverified> {
    if written.is_empty() || !written.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unverified::Unreadable);
    }
    let at = written.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let apart = now.duration_since(at.ok_or(Unverified::Unreadable)?).abs();
    if apart <= WINDOW { Ok(()) } else { Err(Unverified::Old) }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Unverified> {
    headers.get(name).ok_or(Unverified::Nothing)?.to_str().map_err(|_| Unverified::Unreadable)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
