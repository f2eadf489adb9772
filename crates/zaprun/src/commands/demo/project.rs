//! The project that the demo runs: the example zaps of this repository, its sinks pointed at the sandbox.

use zaprun_core::load::{File, Input, Overlay};
use zaprun_core::variables::Lookup;

const PROJECT: &str = include_str!("../../../../../zaprun.yaml");

/// What differs from a real account: the stand-in may be asked often.
const OVERLAY: &str = "connections: { crm: { rate: 100/s } }\n";

/// The example zaps whose whole way a demo can show: they watch the CRM, and are done at once.
const ZAPS: &[(&str, &str)] = &[
    (
        "zaps/accounting/refund-to-books.yaml",
        include_str!("../../../../../zaps/accounting/refund-to-books.yaml"),
    ),
    (
        "zaps/chat/declined-card-to-chat.yaml",
        include_str!("../../../../../zaps/chat/declined-card-to-chat.yaml"),
    ),
    (
        "zaps/data-sources/new-sale-to-sheet.yaml",
        include_str!("../../../../../zaps/data-sources/new-sale-to-sheet.yaml"),
    ),
];

/// The project's files.
pub(super) fn input() -> Input {
    let file = |path: &str, text: &str| File { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) };
    Input {
        project: file("zaprun.yaml", PROJECT),
        overlays: vec![Overlay { env: "demo".to_owned(), file: file("zaprun.demo.yaml", OVERLAY) }],
        zaps: ZAPS.iter().map(|(path, text)| file(path, text)).collect(),
        tables: Vec::new(),
        env: Some("demo".to_owned()),
    }
}

/// Values of the project's variables: every address is the sandbox.
pub(super) struct Sandboxed {
    /// The stand-in's address.
    pub(super) crm: String,
    /// The sink's address.
    pub(super) sink: String,
}

impl Lookup for Sandboxed {
    fn variable(&self, name: &str) -> Option<String> {
        Some(match name {
            "KONNEKTIVE_URL" => self.crm.clone(),
            "KONNEKTIVE_LOGIN_ID" | "KONNEKTIVE_PASSWORD" => "sandbox".to_owned(),
            _ => match name.split_once("_URL").or_else(|| name.split_once("_WEBHOOK")) {
                // SHEET_URL is the sink's part /sheet, and so on.
                Some((what, _)) => {
                    format!("{}/{}", self.sink, what.trim_end_matches("_WEBHOOK").to_lowercase())
                }
                None => format!("demo-{}", name.to_lowercase()),
            },
        })
    }

    fn file(&self, path: &str) -> Result<String, String> {
        Err(format!("the demo has no file {path}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use std::path::Path;

    use super::*;
    use crate::loading::load_input;

    #[test]
    fn the_demos_zaps_are_example_zaps_and_valid() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let files = crate::project::Origin::files(&crate::project::Within::new(&repository));
        for (path, _) in ZAPS {
            assert!(files.zaps.iter().any(|file| file.path == *path), "{path}");
        }

        let values =
            Sandboxed { crm: "http://127.0.0.1:1".to_owned(), sink: "http://127.0.0.1:1/sink".to_owned() };
        let loading = load_input(&input(), Some(&values));
        assert_eq!(loading.findings, []);
        assert_eq!(loading.zaps.len(), ZAPS.len());
    }

    #[test]
    fn addresses_lead_to_the_sandbox() {
        let values = Sandboxed { crm: "crm".to_owned(), sink: "sink".to_owned() };
        assert_eq!(values.variable("SHEET_URL").unwrap(), "sink/sheet");
        assert_eq!(values.variable("CHAT_WEBHOOK_URL").unwrap(), "sink/chat");
        assert_eq!(values.variable("BOOKS_TOKEN").unwrap(), "demo-books_token");
        assert!(values.file("x").is_err());
    }
}
