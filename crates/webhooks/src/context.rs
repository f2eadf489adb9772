//! What a run sees of a request beside its data: headers and query, without secrets.

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::HeaderName;
use serde_json::{Map, Value};
use zaprun_core::load::is_secret_name;
use zaprun_engine::delivery::Mask;

use crate::body;

/// `{"headers": …, "query": …}`. Left out are headers that carry secrets: those by name, and the one that proves who
/// calls. What is known as a secret is hidden wherever it stands.
pub(crate) fn context(
    headers: &HeaderMap,
    query: Map<String, Value>,
    proof: Option<&HeaderName>,
    mask: &dyn Mask,
) -> Bytes {
    let mut kept = Map::new();
    for name in headers.keys() {
        if Some(name) == proof || is_secret(name.as_str()) {
            continue;
        }
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        kept.insert(name.as_str().to_owned(), Value::String(values.join(", ")));
    }
    let mut context = Map::new();
    context.insert("headers".to_owned(), Value::Object(kept));
    context.insert("query".to_owned(), Value::Object(query));
    let written = body::json(context);
    Bytes::copy_from_slice(&mask.mask(&written))
}

fn is_secret(name: &str) -> bool {
    matches!(name, "set-cookie" | "www-authenticate" | "proxy-authenticate") || is_secret_name(name)
}
