//! A compiled webhook trigger.

/// A trigger that requests reach.
#[derive(Debug, Clone)]
pub struct WebhookTrigger {
    /// Name of the connection.
    pub connection: String,
    /// The whole path.
    pub path: String,
    /// Who calls.
    pub preset: Option<Preset>,
}

/// A caller whose requests are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// An export profile of the CRM.
    Konnektive,
}
