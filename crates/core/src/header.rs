//! Names of headers.

use crate::diagnostic::{Diagnostic, code};

/// Headers that frame the message or belong to one hop: another value would change where a message ends.
const RESERVED: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Why no request of an author's can carry a header of that name.
pub(crate) fn problem(name: &str) -> Option<Diagnostic> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        return Some(
            Diagnostic::new(&code::HEADER_NAME, format!("`{name}` is not a header name"))
                .help("write letters, digits and hyphens, without spaces and `:`: X-Request-Source"),
        );
    }
    let reserved = RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name));
    reserved.then(|| {
        Diagnostic::new(&code::RESERVED_HEADER, format!("the header `{name}` is set by zaprun itself"))
            .help("remove it: it says where a message goes or ends")
    })
}
