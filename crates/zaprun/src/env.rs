//! The environment, read in this one place. Flags come from it through their own `ZAPRUN_…` names, which clap reads.

use std::path::PathBuf;

/// A variable of a project. `None` when it is not set or is not text.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// `NO_COLOR` is set to anything (no-color.org).
pub(crate) fn no_color() -> bool {
    is_set("NO_COLOR")
}

/// The terminal can neither colour nor redraw.
pub(crate) fn dumb_terminal() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Whether requests leave through a proxy.
pub(crate) fn has_proxy(tls: bool) -> bool {
    let names = if tls { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    names.into_iter().chain(["ALL_PROXY", "all_proxy"]).any(is_set)
}

/// The folder the program was started in.
///
/// # Errors
/// When it is gone or closed to us.
pub(crate) fn current_dir() -> std::io::Result<PathBuf> {
    std::env::current_dir()
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}
