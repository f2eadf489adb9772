//! What went wrong on the line, in words that hold no secret.
//!
//! The texts of the client's errors are not passed on: they print the URL, and a base URL may end in a secret. What is
//! said is chosen here by the kind of the error, of TLS too, whose library names its own types.

use crate::guard::Refused;
use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

/// A duration as a person writes it: `30s`, `4m`, `1h`, `250ms`.
pub fn duration_text(duration: Duration) -> String {
    let (seconds, millis) = (duration.as_secs(), duration.subsec_millis());
    match (seconds, millis) {
        (_, 1..) => format!("{}ms", duration.as_millis()),
        (0, 0) => "0s".to_owned(),
        (s, 0) if s % 3600 == 0 => format!("{}h", s / 3600),
        (s, 0) if s % 60 == 0 => format!("{}m", s / 60),
        (s, 0) => format!("{s}s"),
    }
}

/// Why no connection came about. The flag says whether another try may help.
pub(crate) fn no_connection(error: &reqwest::Error, connect_timeout: Duration) -> (String, bool) {
    if let Some(refused) = causes(error).find_map(|cause| cause.downcast_ref::<Refused>()) {
        return (refused.to_string(), false);
    }
    if error.is_timeout() {
        return (format!("no connection within {}", duration_text(connect_timeout)), true);
    }
    if error.is_dns() {
        return ("the host's name cannot be resolved".to_owned(), true);
    }
    if let Some(text) = tls(error) {
        return (format!("TLS failed: {text}"), true);
    }
    match io_kind(error) {
        Some(kind) => (format!("no connection: {kind}"), true),
        None => ("no connection".to_owned(), true),
    }
}

/// Why there is no answer, or no end of one, though the request may have left.
pub(crate) fn no_answer(error: &reqwest::Error) -> String {
    if let Some(text) = tls(error) {
        return format!("TLS failed: {text}");
    }
    let deepest = causes(error).last().map(ToString::to_string).unwrap_or_default();
    // Only to choose between our own words; the text itself is not shown.
    if deepest.contains("parse") || deepest.contains("invalid HTTP") {
        return "the answer is not HTTP".to_owned();
    }
    match io_kind(error) {
        Some(kind) => format!("the connection was cut: {kind}"),
        None => "the connection was cut".to_owned(),
    }
}

/// The errors below one, the nearest first. An I/O error hides the one it carries from `source`, so that one is asked
/// for as well.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        match carried {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

fn tls(error: &(dyn Error + 'static)) -> Option<String> {
    tls_words(error)
}

/// Why TLS failed and what to do about it, where an error is one of TLS or comes from one.
pub fn tls_words(error: &(dyn Error + 'static)) -> Option<String> {
    causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()).map(handshake)
}

fn handshake(error: &rustls::Error) -> String {
    use rustls::Error as E;
    match error {
        E::InvalidCertificate(problem) => certificate(problem),
        E::InvalidMessage(_) => {
            "what answers does not speak TLS; write http:// if that is meant, or the port that speaks TLS"
                .to_owned()
        }
        E::AlertReceived(alert) => alerted(*alert),
        E::PeerIncompatible(_) => {
            "the server speaks neither TLS 1.2 nor 1.3 in a way that is safe".to_owned()
        }
        E::NoCertificatesPresented => "the server shows no certificate".to_owned(),
        E::PeerMisbehaved(_) | E::DecryptError => "the server does not keep to TLS".to_owned(),
        // From the verifier of the machine, in the machine's words.
        E::General(words) => words.clone(),
        _ => "the handshake came to no end".to_owned(),
    }
}

fn certificate(problem: &rustls::CertificateError) -> String {
    use rustls::CertificateError as C;
    match problem {
        C::Expired | C::ExpiredContext { .. } => "the server's certificate has expired",
        C::NotValidYet | C::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet; look at this machine's clock"
        }
        C::NotValidForName | C::NotValidForNameContext { .. } => {
            "the server's certificate is for another host name"
        }
        C::Revoked => "the server's certificate was revoked",
        C::UnknownIssuer => {
            "this machine does not trust whoever signed the server's certificate; an authority of your own goes \
             into `ca_file:` of the connection"
        }
        // Only to choose between our own words; the text itself is not shown.
        C::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "the server shows the certificate of an authority (self-signed) as its own; give it one for its host \
             name, and name the authority that signed it in `ca_file:` of the connection"
        }
        _ => "the server's certificate cannot be used",
    }
    .to_owned()
}

fn alerted(alert: rustls::AlertDescription) -> String {
    use rustls::AlertDescription as A;
    match alert {
        A::ProtocolVersion | A::HandshakeFailure | A::InsufficientSecurity => {
            "the server speaks neither TLS 1.2 nor 1.3 in a way that is safe"
        }
        A::UnrecognisedName => "the server does not serve this host name",
        A::CertificateRequired | A::BadCertificate | A::UnknownCA | A::AccessDenied => {
            "the server wants a certificate of the caller, and zaprun has none"
        }
        _ => "the server broke the handshake off",
    }
    .to_owned()
}

fn io_kind(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .map(std::io::Error::kind)
        .find(|kind| *kind != ErrorKind::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No text holds the name of a type.
    #[test]
    fn tls_fails_in_words() {
        use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, OtherError};
        #[derive(Debug, thiserror::Error)]
        #[error("CaUsedAsEndEntity")]
        struct CaUsedAsEndEntity;
        let own = CertificateError::Other(OtherError(std::sync::Arc::new(CaUsedAsEndEntity)));
        let cases = [
            (Error::InvalidCertificate(own), "`ca_file:`"),
            (Error::InvalidCertificate(CertificateError::UnknownIssuer), "`ca_file:`"),
            (Error::InvalidCertificate(CertificateError::Expired), "has expired"),
            (Error::InvalidCertificate(CertificateError::BadSignature), "cannot be used"),
            (Error::InvalidMessage(InvalidMessage::InvalidContentType), "http://"),
            (Error::AlertReceived(AlertDescription::HandshakeFailure), "TLS 1.2"),
            (Error::AlertReceived(AlertDescription::InternalError), "broke"),
            (Error::EncryptError, "no end"),
        ];
        for (error, words) in cases {
            let text = tls_words(&std::io::Error::other(error.clone())).unwrap_or_default();
            assert!(text.contains(words), "{error:?}: {text}");
            let type_name = |word: &str| word.chars().filter(|c| c.is_ascii_uppercase()).count() > 1;
            let odd =
                text.split(|c: char| !c.is_alphanumeric()).find(|word| type_name(word) && *word != "TLS");
            assert_eq!(odd, None, "{text}");
        }
        assert_eq!(tls_words(&std::io::Error::other("x")), None);
    }

    #[test]
    fn durations_read_as_they_are_written() {
        for (millis, text) in [
            (0, "0s"),
            (250, "250ms"),
            (1500, "1500ms"),
            (30_000, "30s"),
            (90_000, "90s"),
            (240_000, "4m"),
            (7_200_000, "2h"),
        ] {
            assert_eq!(duration_text(Duration::from_millis(millis)), text);
        }
    }
}
