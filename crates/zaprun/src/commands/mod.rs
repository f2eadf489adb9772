//! The commands, one file each.

mod completions;

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
    /// Print the completions of a shell
    Completions => completions;
}
