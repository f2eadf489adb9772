//! What can go wrong with the state.

/// What went wrong with the state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another engine holds the state.
    #[error("another zaprun is running on {path}{}", .holder.as_ref().map(|h| format!(" ({h})")).unwrap_or_default())]
    Busy {
        /// The state file.
        path: String,
        /// What is known of the holder.
        holder: Option<String>,
    },
    /// The lease was lost to another engine; nothing was written.
    #[error("another zaprun took over the state; this one writes nothing more")]
    Fenced,
    /// There is no state file yet.
    #[error("no state at {path}")]
    Missing {
        /// The state file.
        path: String,
    },
    /// A newer zaprun has written the state; this one does not know all that is in it.
    #[error("{path} was written by a newer zaprun: its state has version {version}, this one knows {known}")]
    Newer {
        /// The state file.
        path: String,
        /// The version of its schema.
        version: u32,
        /// The newest version that is known here.
        known: u32,
    },
    /// An older zaprun has written the state; whoever only looks leaves it as it is.
    #[error("{path} was written by an older zaprun: its state has version {version}")]
    Older {
        /// The state file.
        path: String,
        /// The version of its schema.
        version: u32,
    },
    /// The file is not a state of zaprun, or is damaged.
    #[error("{path} cannot be used: {reason}")]
    Unusable {
        /// The state file.
        path: String,
        /// Plain words.
        reason: String,
    },
    /// The disk is full, read-only, or failed. Nothing of the operation was kept.
    #[error("the state cannot be written: {reason}")]
    Io {
        /// Plain words.
        reason: String,
    },
    /// The operation makes no sense for this state: a rename onto a name that is taken, a run that is not there or has
    /// ended. Nothing was written; asking again gives the same answer.
    #[error("{reason}")]
    Refused {
        /// Plain words.
        reason: String,
    },
}
