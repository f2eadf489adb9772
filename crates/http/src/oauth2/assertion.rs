//! Assertions of service accounts: a JWT (RFC 7519, RFC 7523) signed with RS256.

use super::OAuth2Problem;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::json;
use zaprun_core::definition::Secret;

/// How long an assertion holds. An hour is the most that Google takes.
const HOLDS: i64 = 50 * 60;
/// What a server's clock may be behind: an assertion of the future is refused.
const SKEW: i64 = 60;

/// Who signs assertions, and for whom.
pub(super) struct Signer {
    pair: RsaKeyPair,
    key_id: Option<String>,
    issuer: String,
    subject: Option<String>,
    audience: String,
    scope: Option<String>,
}

/// What a key holds, as its provider gave it.
pub(super) struct KeyFile {
    pub(super) pair: RsaKeyPair,
    pub(super) key_id: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) token_url: Option<String>,
}

/// What the claims say beside the key.
pub(super) struct Claims {
    pub(super) key_id: Option<String>,
    pub(super) issuer: String,
    pub(super) subject: Option<String>,
    pub(super) audience: String,
    pub(super) scope: Option<String>,
}

/// Google's key file.
#[derive(Deserialize)]
struct Google {
    private_key: String,
    private_key_id: Option<String>,
    client_email: Option<String>,
    token_uri: Option<String>,
}

impl KeyFile {
    /// Reads Google's JSON, or PEM.
    pub(super) fn read(text: &Secret) -> Result<KeyFile, OAuth2Problem> {
        let text = text.expose().trim();
        if !text.starts_with('{') {
            return Ok(KeyFile { pair: pair(text)?, key_id: None, issuer: None, token_url: None });
        }
        let google: Google = serde_json::from_str(text).map_err(|_| OAuth2Problem::Key)?;
        Ok(KeyFile {
            pair: pair(&google.private_key)?,
            key_id: google.private_key_id,
            issuer: google.client_email,
            token_url: google.token_uri,
        })
    }
}

fn pair(pem: &str) -> Result<RsaKeyPair, OAuth2Problem> {
    let pair = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
        Ok(PrivateKeyDer::Pkcs8(key)) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
        Ok(PrivateKeyDer::Pkcs1(key)) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        _ => return Err(OAuth2Problem::Key),
    };
    pair.map_err(|_| OAuth2Problem::Key)
}

impl Signer {
    pub(super) fn new(pair: RsaKeyPair, claims: Claims) -> Signer {
        let Claims { key_id, issuer, subject, audience, scope } = claims;
        Signer { pair, key_id, issuer, subject, audience, scope }
    }

    /// An assertion that holds from now on; `None` where this machine gives no random bytes.
    pub(super) fn sign(&self, now: Timestamp) -> Option<Secret> {
        let issued = now.as_second() - SKEW;
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        let mut claims = json!({ "iss": self.issuer, "aud": self.audience, "iat": issued, "exp": now.as_second() + HOLDS });
        let more = [("sub", &self.subject), ("scope", &self.scope)];
        for (name, value) in more.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            claims[name] = value.as_str().into();
        }
        if let Some(id) = &self.key_id {
            header["kid"] = id.as_str().into();
        }
        let encode = |part: &serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
        Some(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}
