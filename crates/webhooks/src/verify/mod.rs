//! Who calls.

mod basic;
mod signature;
mod token;

use hyper::HeaderMap;
use hyper::header::HeaderName;
use jiff::Timestamp;
use subtle::ConstantTimeEq;
use zaprun_core::definition::Verify;

use basic::Basic;
use signature::{Signature, Signed};
use token::Token;

/// How a caller proves who it is.
#[derive(Debug)]
pub struct Check(Way);

#[derive(Debug)]
enum Way {
    Signature(Signature),
    Token(Token),
    Basic(Basic),
    Open,
}

/// Why callers cannot be checked as the project says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// Whoever leaves it empty too would be let in.
    #[error("the secret is empty")]
    Empty,
    /// A secret that begins with `whsec_` goes on in base64.
    #[error("the secret begins with `whsec_`, and what follows is not base64")]
    NotBase64,
    /// HTTP knows no such header.
    #[error("`{name}` is not a header name")]
    Header {
        /// The name.
        name: String,
    },
}

/// Why a caller is not known. Never says more to the caller than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unverified {
    /// A header that should prove it is not there.
    #[error("no signature, token or password came with it")]
    Nothing,
    /// It cannot be read.
    #[error("its signature, or the time it was signed at, cannot be read")]
    Unreadable,
    /// It was signed too long ago, or in the future.
    #[error("it was signed more than five minutes ago, or this machine's clock is wrong")]
    Old,
    /// It is not right.
    #[error("its signature, token or password is wrong")]
    Wrong,
}

/// What the head of a request says of its caller.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It proves it.
    Proven,
    /// The body must show it.
    Signed(Signed),
}

impl Check {
    /// The check that a project asks for.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn of(verify: &Verify) -> Result<Check, CheckError> {
        Ok(Check(match verify {
            Verify::Hmac(hmac) => Way::Signature(Signature::of(hmac)?),
            Verify::Token(token) => Way::Token(Token::of(token)?),
            Verify::Basic(basic) => Way::Basic(Basic::of(basic)?),
            Verify::None => Way::Open,
        }))
    }

    /// What the head of a request proves, before its body is read.
    pub(crate) fn head(&self, headers: &HeaderMap, now: Timestamp) -> Result<Claim, Unverified> {
        match &self.0 {
            Way::Signature(signature) => signature.claim(headers, now).map(Claim::Signed),
            Way::Token(token) => token.check(headers).map(|()| Claim::Proven),
            Way::Basic(basic) => basic.check(headers).map(|()| Claim::Proven),
            Way::Open => Ok(Claim::Proven),
        }
    }

    /// Whether the body bears the claim out.
    pub(crate) fn body(&self, claim: &Claim, body: &[u8]) -> Result<(), Unverified> {
        match (&self.0, claim) {
            (Way::Signature(signature), Claim::Signed(signed)) => signature.check(signed, body),
            _ => Ok(()),
        }
    }

    /// Whether only a body can be signed, so that a request without one proves nothing.
    pub(crate) fn needs_body(&self) -> bool {
        matches!(self.0, Way::Signature(_))
    }

    /// The header that carries the proof, which is kept nowhere.
    pub(crate) fn header(&self) -> Option<&HeaderName> {
        match &self.0 {
            Way::Signature(signature) => Some(signature.header()),
            Way::Token(token) => Some(token.header()),
            Way::Basic(_) | Way::Open => None,
        }
    }

    /// What an answer of 401 asks for.
    pub(crate) fn challenge(&self) -> Option<&'static str> {
        matches!(self.0, Way::Basic(_)).then_some("Basic realm=\"zaprun\", charset=\"UTF-8\"")
    }
}

fn header(name: &str) -> Result<HeaderName, CheckError> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| CheckError::Header { name: name.to_owned() })
}

/// Whether two texts are the same; how long it takes tells nothing of what they hold.
fn same(a: &[u8], b: &[u8]) -> bool {
    use sha2::Digest;
    // Of the digests, since comparing the texts themselves would tell their length.
    sha2::Sha256::digest(a).ct_eq(&sha2::Sha256::digest(b)).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

    use zaprun_core::definition::Project;
    use zaprun_core::load::{File, Input, load};
    use zaprun_core::variables::Lookup;

    use super::*;

    struct Env(&'static str);

    impl Lookup for Env {
        fn variable(&self, _: &str) -> Option<String> {
            Some(self.0.to_owned())
        }

        fn file(&self, _: &str) -> Result<String, String> {
            Err("no such file".to_owned())
        }
    }

    fn project(verify: &str, secret: &'static str) -> Project {
        let text = format!("version: 1\nconnections: {{ push: {{ type: webhook, verify: {verify} }} }}\n");
        let file = File { path: "zaprun.yaml".to_owned(), content: Ok(text.into_bytes()) };
        let input =
            Input { project: file, overlays: Vec::new(), zaps: Vec::new(), tables: Vec::new(), env: None };
        load(&input, Some(&Env(secret))).project.unwrap().definition
    }

    fn made(verify: &str, secret: &'static str) -> Result<Check, CheckError> {
        let project = project(verify, secret);
        let connection = project.connections.get("push").unwrap();
        let zaprun_core::definition::Connection::Webhook(webhook) = &connection.value else { unreachable!() };
        Check::of(&webhook.verify.value)
    }

    #[test]
    fn a_secret_that_lets_everybody_in_is_none() {
        for verify in [
            "{ hmac: { secret: \"${S}\" } }",
            "{ hmac: { secret: [\"${S}\", \"${S}\"], format: github } }",
            "{ token: { header: X-Token, value: \"${S}\" } }",
            "{ basic: { username: a, password: \"${S}\" } }",
        ] {
            assert_eq!(made(verify, "").unwrap_err(), CheckError::Empty, "{verify}");
            assert!(made(verify, "s3cret").is_ok(), "{verify}");
        }
        assert_eq!(made("{ hmac: { secret: \"${S}\" } }", "whsec_").unwrap_err(), CheckError::Empty);
    }

    #[test]
    fn a_key_is_base64_behind_its_prefix() {
        let standard = "{ hmac: { secret: \"${S}\" } }";
        assert_eq!(made(standard, "whsec_not base64").unwrap_err(), CheckError::NotBase64);
        assert!(made(standard, "whsec_YWI=").is_ok() && made(standard, "whsec_YWI").is_ok());
        // Stripe's keys begin so too, and are taken as they are.
        assert!(made("{ hmac: { secret: \"${S}\", format: stripe } }", "whsec_not base64").is_ok());
    }

    #[test]
    fn secrets_are_not_shown() {
        for verify in [
            "{ hmac: { secret: \"${S}\" } }",
            "{ token: { header: X-Token, value: \"${S}\" } }",
            "{ basic: { username: a, password: \"${S}\" } }",
        ] {
            let shown = format!("{:?}", made(verify, "s3cret-value").unwrap());
            assert!(!shown.contains("s3cret-value"), "{shown}");
        }
    }
}
