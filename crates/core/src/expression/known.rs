//! What to write instead of a name that is not known and like none that is.

use super::types::Shape;

/// So many names are listed; more are looked up.
const FEW: usize = 14;

/// The members there are of what was written as `of`.
pub(crate) fn members(of: &str, shape: &Shape) -> Option<String> {
    match shape {
        Shape::Record(schema) => Some(format!("`zaprun reference {}` lists its fields", schema.name)),
        Shape::Item(schema) => {
            let names: Vec<&str> = schema.fields.iter().map(|field| field.name).collect();
            Some(format!("it has {}", listed(&names)))
        }
        Shape::Members(members) | Shape::Open(members) => {
            let names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
            Some(match (of, names.len()) {
                ("vars", 0) => "zaprun.yaml has no `vars:`; add them there".to_owned(),
                ("let", 0) => "no value of `let:` comes before this one".to_owned(),
                ("steps", 0) => "no step comes before this one".to_owned(),
                (_, 0) => format!("nothing of `{of}` is known here"),
                ("vars", _) => {
                    format!("it has {}; others are added to `vars:` of zaprun.yaml", listed(&names))
                }
                _ => format!("it has {}", listed(&names)),
            })
        }
        _ => None,
    }
}

/// The names there are, when they are few.
pub(crate) fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(FEW).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > FEW { format!("{shown} and {} more", names.len() - FEW) } else { shown }
}
