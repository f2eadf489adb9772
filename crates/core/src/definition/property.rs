//! What an author says of every run of a zap, beside what `zaprun test --cases` checks by itself.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::yaml::Spanned;

/// Something that holds of every record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Property {
    /// What it says, in a few words; no other property of the zap has the name.
    #[schemars(length(min = 1, max = 200))]
    pub name: Spanned<String>,
    /// A boolean expression over `record`, `let`, `vars`, `event`, `steps`, `outcome` (delivered, filtered or dead) and
    /// `requests`: what would be sent, a list of { step, method, url, path, query, headers, json, form, text, map }.
    pub check: Spanned<String>,
}
