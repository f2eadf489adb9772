//! Sealing what the state keeps of secrets: ChaCha20-Poly1305 under the project's `state_key`.
//!
//! A seal is a byte for its form, a nonce of 12 random bytes, and the encrypted text with its tag. The name under which
//! it is kept is authenticated with it, so that a seal which was put under another name does not open.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use zaprun_core::definition::Secret;

/// The form of seals that this version makes and opens.
const FORM: u8 = 1;
/// What a name is authenticated with besides itself, so that no seal of another program opens here.
const PURPOSE: &[u8] = b"zaprun vault 1\0";
/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// The key that seals.
#[derive(Clone)]
pub struct StateKey {
    key: Arc<LessSafeKey>,
    /// Tells it from another one without holding it.
    mark: [u8; 32],
}

impl PartialEq for StateKey {
    fn eq(&self, other: &StateKey) -> bool {
        self.mark == other.mark
    }
}

impl Eq for StateKey {}

impl fmt::Debug for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateKey(…)")
    }
}

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not 32 bytes in base64; `openssl rand -base64 32` makes one")]
pub struct NoKey;

/// Why something cannot be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key is another one, or the seal was changed.
    #[error("it was sealed under another key, or is damaged")]
    Other,
    /// A later version made it.
    #[error("a newer zaprun sealed it")]
    Newer,
    /// The operating system gives no random bytes.
    #[error("this machine gives no random bytes")]
    NoRandom,
}

impl StateKey {
    /// Reads a key: 32 bytes in base64, white space around them aside.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn parse(text: &str) -> Result<StateKey, NoKey> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| NoKey)?;
        if bytes.len() != KEY_BYTES {
            return Err(NoKey);
        }
        let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).map_err(|_| NoKey)?;
        Ok(StateKey { key: Arc::new(LessSafeKey::new(key)), mark: Sha256::digest(&bytes).into() })
    }

    /// Seals a text to be kept under a name.
    ///
    /// # Errors
    /// [`SealError::NoRandom`].
    pub fn seal(&self, name: &str, text: &Secret) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| SealError::NoRandom)?;
        let mut inner = text.expose().as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), about(name), &mut inner)
            .map_err(|_| SealError::Other)?;
        Ok([&[FORM], nonce.as_slice(), &inner].concat())
    }

    /// Opens what was sealed under this name.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open(&self, name: &str, sealed: &[u8]) -> Result<Secret, SealError> {
        let (form, rest) = sealed.split_first().ok_or(SealError::Other)?;
        if *form != FORM {
            return Err(if *form > FORM { SealError::Newer } else { SealError::Other });
        }
        let (nonce, inner) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Other)?;
        let mut inner = inner.to_vec();
        let text = self
            .key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), about(name), &mut inner)
            .map_err(|_| SealError::Other)?;
        String::from_utf8(text.to_vec()).map(Secret::from).map_err(|_| SealError::Other)
    }
}

fn about(name: &str) -> Aad<Vec<u8>> {
    Aad::from([PURPOSE, name.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const OTHER: &str = "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn a_key_is_32_bytes_in_base64() {
        assert!(StateKey::parse(&format!(" {KEY}\n")).is_ok());
        for text in ["", "AAEC", "not base64 at all!", &KEY[..40], &format!("{KEY}{KEY}")] {
            assert_eq!(StateKey::parse(text).err(), Some(NoKey), "{text}");
        }
        assert!(!format!("{:?}", StateKey::parse(KEY)).contains("AAEC"));
    }

    #[test]
    fn two_seals_of_one_text_differ() {
        let (key, text) = (StateKey::parse(KEY).unwrap(), Secret::from("token"));
        assert_ne!(key.seal("a", &text).unwrap(), key.seal("a", &text).unwrap());
    }

    #[test]
    fn what_a_later_version_sealed_is_told_apart() {
        let key = StateKey::parse(KEY).unwrap();
        let mut sealed = key.seal("a", &Secret::from("token")).unwrap();
        sealed[0] = FORM + 1;
        assert_eq!(key.open("a", &sealed), Err(SealError::Newer));
        assert_eq!(key.open("a", &[]), Err(SealError::Other));
    }

    proptest! {
        /// It opens under its key and its name as it was, and in no other way.
        #[test]
        fn a_seal_opens_only_as_it_was_made(
            text in ".{0,200}", name in "[a-z]{1,8}", other in "[a-z]{1,8}", at in any::<prop::sample::Index>(), bit in 0..8_u8,
        ) {
            let (key, wrong) = (StateKey::parse(KEY).unwrap(), StateKey::parse(OTHER).unwrap());
            let text = Secret::from(text);
            let sealed = key.seal(&name, &text).unwrap();
            prop_assert_eq!(key.open(&name, &sealed), Ok(text.clone()));
            prop_assert_eq!(wrong.open(&name, &sealed), Err(SealError::Other));
            if other != name {
                prop_assert_eq!(key.open(&other, &sealed), Err(SealError::Other));
            }
            let mut changed = sealed.clone();
            let at = at.index(changed.len());
            changed[at] ^= 1 << bit;
            prop_assert!(key.open(&name, &changed).is_err());
            prop_assert!(key.open(&name, &sealed[..at]).is_err());
            let shown = text.expose().as_bytes();
            prop_assert!(shown.len() < 4 || !sealed.windows(shown.len()).any(|window| window == shown));
        }
    }
}
