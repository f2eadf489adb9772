//! Who is told of what, and how.

use std::str::FromStr;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, Uri};
use thiserror::Error;

use crate::state::Route;

/// How often the CRM sends what has gathered.
const BATCH: Duration = Duration::from_secs(15 * 60);

/// Static mappings of this prefix set a header.
const HEADER: &str = "header:";

/// A profile with its routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportProfile {
    /// Where it goes, `http` or `https`.
    pub url: String,
    /// What it is told of; empty for everything.
    pub routes: Vec<Route>,
    /// Time between two batches; zero sends at once.
    pub every: Duration,
    /// The profile's Export Delay, counted before the batch.
    pub delay: Duration,
    /// Your name and the CRM's token for each field; empty for all tokens under their own names.
    pub fields: Vec<(String, String)>,
    /// Static values: fields, or headers when named `header:NAME`. `header:Content-Type` of `application/json` makes
    /// a POST of JSON out of the GET, and `httpMethod` names the method.
    pub statics: Vec<(String, String)>,
}

impl ExportProfile {
    /// All routes as the CRM has them by itself: a GET with every field in the query, in batches of 15 minutes.
    pub fn to(url: impl Into<String>) -> ExportProfile {
        ExportProfile {
            url: url.into(),
            routes: Vec::new(),
            every: BATCH,
            delay: Duration::ZERO,
            fields: Vec::new(),
            statics: Vec::new(),
        }
    }

    /// Tells only of these.
    #[must_use]
    pub fn only(mut self, routes: &[Route]) -> ExportProfile {
        self.routes = routes.to_vec();
        self
    }

    /// Sends at once instead of in batches.
    #[must_use]
    pub fn at_once(mut self) -> ExportProfile {
        self.every = Duration::ZERO;
        self
    }

    /// Posts JSON.
    #[must_use]
    pub fn json(self) -> ExportProfile {
        self.set("header:Content-Type", "application/json")
    }

    /// Adds a static value.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, value: impl Into<String>) -> ExportProfile {
        self.statics.push((name.into(), value.into()));
        self
    }

    /// Whether it could ever be sent.
    ///
    /// # Errors
    /// [`ExportError::Url`], [`ExportError::Header`], [`ExportError::Method`].
    pub fn check(&self) -> Result<(), ExportError> {
        let uri: Option<Uri> = self.url.parse().ok();
        let http = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
        if !uri.as_ref().is_some_and(http) {
            return Err(ExportError::Url(self.url.clone()));
        }
        let valid = |(name, value): &(&str, &str)| {
            name.parse::<HeaderName>().is_ok() && value.parse::<HeaderValue>().is_ok()
        };
        if let Some((name, _)) = self.headers().find(|header| !valid(header)) {
            return Err(ExportError::Header(name.to_owned()));
        }
        if self.method().parse::<Method>().is_err() {
            return Err(ExportError::Method(self.method()));
        }
        Ok(())
    }

    /// Whether it is told of this.
    pub(crate) fn wants(&self, route: Route) -> bool {
        self.routes.is_empty() || self.routes.contains(&route)
    }

    /// Static headers.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.statics.iter().filter_map(|(name, value)| Some((name.strip_prefix(HEADER)?, value.as_str())))
    }

    /// Static fields.
    pub(crate) fn fixed(&self) -> impl Iterator<Item = (&str, &str)> {
        let field = |(name, _): &&(String, String)| !name.starts_with(HEADER) && name != "httpMethod";
        self.statics.iter().filter(field).map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether it posts JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.headers().any(|(name, value)| {
            name.eq_ignore_ascii_case("content-type") && value.starts_with("application/json")
        })
    }

    /// The method in capitals.
    pub(crate) fn method(&self) -> String {
        let named = self.statics.iter().find(|(name, _)| name == "httpMethod");
        let usual = if self.is_json() { "POST" } else { "GET" };
        named.map_or_else(|| usual.to_owned(), |(_, value)| value.to_uppercase())
    }
}

/// Why a profile's text could not be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportError {
    /// Not a URL of http.
    #[error("`{0}` is not a URL such as http://127.0.0.1:8080/crm")]
    Url(String),
    /// No such route.
    #[error("unknown route `{0}`")]
    Route(String),
    /// Not a header, or a value that no header takes; the value is not told.
    #[error("`{0}` is not a header with a value of one line")]
    Header(String),
    /// Not a method.
    #[error("`{0}` is not an HTTP method")]
    Method(String),
}

impl FromStr for ExportProfile {
    type Err = ExportError;

    /// Reads `URL` or `ROUTE+ROUTE=URL`.
    fn from_str(text: &str) -> Result<Self, ExportError> {
        // A URL may hold a `=` as well, but a route holds no colon.
        let (routes, url) = match text.split_once('=') {
            Some((routes, url)) if !routes.contains(':') => (routes, url),
            _ => ("", text),
        };
        let named = routes.split('+').map(str::trim).filter(|word| !word.is_empty());
        let routes: Result<Vec<Route>, ExportError> =
            named.map(|word| Route::parse(word).ok_or_else(|| ExportError::Route(word.to_owned()))).collect();
        let profile = ExportProfile::to(url.trim()).only(&routes?);
        profile.check().map(|()| profile)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]
    use super::*;

    #[test]
    fn profiles_are_read() {
        let all: ExportProfile = "http://127.0.0.1:8080/crm?key=1".parse().unwrap();
        assert_eq!((all.url.as_str(), all.routes.len()), ("http://127.0.0.1:8080/crm?key=1", 0));
        let some: ExportProfile = "new_sale+shipped=https://example.test/in".parse().unwrap();
        assert_eq!(some.routes, [Route::NewSale, Route::Shipped]);
        assert!(some.wants(Route::Shipped) && !some.wants(Route::Cancel) && all.wants(Route::Cancel));
        let fails = |text: &str| text.parse::<ExportProfile>().unwrap_err().to_string();
        assert_eq!(fails("sold=http://example.test"), "unknown route `sold`");
        for text in ["", "example.test", "ftp://example.test", "new_sale=", "http://"] {
            assert!(fails(text).contains("is not a URL"), "{text}");
        }
    }

    #[test]
    fn static_values_decide_method_and_headers() {
        let plain = ExportProfile::to("http://example.test").set("route", "sale");
        assert_eq!((plain.method(), plain.is_json()), ("GET".to_owned(), false));
        let json = plain.json().set("header:X-Key", "k");
        assert_eq!((json.method(), json.is_json()), ("POST".to_owned(), true));
        assert_eq!(json.headers().last(), Some(("X-Key", "k")));
        assert_eq!(json.fixed().collect::<Vec<_>>(), [("route", "sale")]);
        assert_eq!(json.clone().set("httpMethod", "put").method(), "PUT");
        assert_eq!(json.check(), Ok(()));
        let fails = |name, value| json.clone().set(name, value).check().unwrap_err().to_string();
        assert_eq!(fails("header:X Key", "k"), "`X Key` is not a header with a value of one line");
        assert!(!fails("header:X-Key", "secret\n").contains("secret"));
        assert_eq!(fails("httpMethod", "a b"), "`A B` is not an HTTP method");
    }
}
