//! What is kept of rows, answers and errors: without card data and secrets, and where it is for people, short.

use bytes::Bytes;
use std::borrow::Cow;
use zaprun_core::card;
use zaprun_core::record::Schema;

/// Most of an answer that is kept.
const KEPT: usize = 8 * 1024;

/// Hides secrets, by their value, in what is about to be stored or reported.
pub trait Mask: Send + Sync {
    /// The same bytes with every secret replaced.
    fn mask<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]>;
}

/// Hides nothing: for programs that hold no secret.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unmasked;

impl Mask for Unmasked {
    fn mask<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        Cow::Borrowed(bytes)
    }
}

/// A row of the CRM.
pub(super) fn row(row: Bytes, schema: &'static Schema) -> Bytes {
    match card::redact(&row, Some(schema)) {
        Some(redacted) => redacted.row.into(),
        None => row,
    }
}

/// The kept part of an answer. Masked as a whole first: cut first, half a secret could stay at the edge.
pub(super) fn reply(mask: &dyn Mask, body: &Bytes) -> Option<Bytes> {
    if body.is_empty() {
        return None;
    }
    let body = &card::redact(body, None).map_or_else(|| body.clone(), |redacted| redacted.row.into());
    Some(match mask.mask(body) {
        Cow::Borrowed(same) => body.slice_ref(cut(same)),
        Cow::Owned(masked) => Bytes::copy_from_slice(cut(&masked)),
    })
}

/// What later steps read, whole. The step that comes next sees the same as one after a restart would.
pub(super) fn response(mask: &dyn Mask, json: Vec<u8>) -> Bytes {
    let json = card::redact(&json, None).map_or(json, |redacted| redacted.row);
    match mask.mask(&json) {
        Cow::Borrowed(_) => Bytes::from(json),
        Cow::Owned(masked) => Bytes::from(masked),
    }
}

/// A text for people.
pub(super) fn text(mask: &dyn Mask, text: String) -> String {
    match mask.mask(text.as_bytes()) {
        Cow::Borrowed(_) => text,
        Cow::Owned(masked) => String::from_utf8_lossy(&masked).into_owned(),
    }
}

/// At most [`KEPT`] bytes, not ending within a character where it is UTF-8.
fn cut(bytes: &[u8]) -> &[u8] {
    let Some(kept) = bytes.get(..KEPT) else { return bytes };
    match std::str::from_utf8(kept) {
        Err(error) if error.error_len().is_none() => kept.get(..error.valid_up_to()).unwrap_or(kept),
        _ => kept,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    struct Stars;

    impl Mask for Stars {
        fn mask<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
            let text = String::from_utf8_lossy(bytes);
            if text.contains("hunter2") {
                Cow::Owned(text.replace("hunter2", "***").into_bytes())
            } else {
                Cow::Borrowed(bytes)
            }
        }
    }

    #[test]
    fn little_is_kept_as_it_came() {
        let body = Bytes::from_static(b"{\"ok\":true}");
        assert_eq!(reply(&Stars, &body).unwrap(), body);
        assert_eq!(reply(&Stars, &Bytes::new()), None);
    }

    #[test]
    fn card_data_is_not_kept() {
        let body = Bytes::from_static(br#"{"note":"4111 1111 1111 1111","orderId":"A1"}"#);
        let without = br#"{"note":"[card data removed]","orderId":"A1"}"#;
        assert_eq!(reply(&Stars, &body).unwrap(), &without[..]);
        assert_eq!(response(&Stars, body.to_vec()), &without[..]);
    }

    #[test]
    fn much_is_cut_between_characters() {
        let body = Bytes::from("x".repeat(KEPT - 1) + "\u{20ac}uro");
        assert_eq!(reply(&Stars, &body).unwrap().len(), KEPT - 1);
        let binary = Bytes::from(vec![0xff_u8; KEPT + 5]);
        assert_eq!(reply(&Stars, &binary).unwrap().len(), KEPT);
    }

    #[test]
    fn a_secret_at_the_edge_leaves_no_half() {
        let body = Bytes::from("x".repeat(KEPT - 3) + "hunter2" + &"y".repeat(20));
        let kept = reply(&Stars, &body).unwrap();
        assert!(kept.ends_with(b"x***"), "{:?}", &kept[KEPT - 8..]);
        assert_eq!(text(&Stars, "as hunter2 said".to_owned()), "as *** said");
    }
}
