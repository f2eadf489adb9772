//! The commands, one file each.

mod completions;
mod init;
mod sandbox;
mod schema;
mod validate;

use clap::Subcommand;

use crate::context::Context;
use crate::error::{CommandError, Exit};

/// Lists the commands once: the enum that clap reads, and what each runs.
macro_rules! commands {
    ($($(#[doc = $doc:literal])* $name:ident => $module:ident;)*) => {
        /// What to do.
        #[derive(Debug, Subcommand)]
        pub(crate) enum Command {
            $($(#[doc = $doc])* $name($module::Args),)*
        }

        impl Command {
            /// Does it.
            pub(crate) fn run(self, context: &Context) -> Result<Exit, CommandError> {
                match self {
                    $(Command::$name(args) => $module::run(context, args),)*
                }
            }
        }
    };
}

commands! {
    /// Start a project: zaprun.yaml, one zap, schemas for your editor
    Init => init;
    /// Check every file of the project, without network or secrets
    Validate => validate;
    /// Write the schemas of everything a person writes
    Schema => schema;
    /// Serve a stand-in of the CRM and a sink that records what arrives
    Sandbox => sandbox;
    /// Print the completions of a shell
    Completions => completions;
}
