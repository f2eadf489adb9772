//! The commands, one file each.

mod backfill;
mod check;
mod completions;
mod demo;
mod filters;
mod forget;
mod init;
mod new;
mod personal;
mod plan;
mod record;
mod reference;
mod render;
mod run;
mod runs;
mod sample;
mod sandbox;
mod schema;
mod state;
mod status;
mod test;
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
                    $(Command::$name(args) => $module::run(context, &args),)*
                }
            }
        }
    };
}

commands! {
    /// Start a project: zaprun.yaml, one zap, schemas for your editor
    Init => init;
    /// Write a new zap
    New => new;
    /// Check every file of the project, without network or secrets
    Validate => validate;
    /// Run the tests of the zaps, without network or secrets
    Test => test;
    /// Try every connection: credentials, whitelisted address, permissions, time zone
    Check => check;
    /// Show recent records that a zap would take, as the CRM has them now
    Sample => sample;
    /// Show the requests that one record makes, and what of the zap made each part
    Render => render;
    /// Show what a change would do, before it is made
    Plan => plan;
    /// Make fixtures of real records, without the people in them
    Record => record;
    /// Run the zaps until told to stop
    Run => run;
    /// Send what happened before a zap ran
    ///
    /// Reads the records that were created from one day to before another, in the account's time zone, and makes a run of each
    /// that the zap takes and has no run of yet: those from before its `start` too. What has a run is not sent again, so it can
    /// be repeated. A running engine is handed the work, and delivers what comes of it; where none runs this command reads, and
    /// the next `zaprun run` delivers. Broken off, the same command goes on where it was, and so does `zaprun run`.
    Backfill => backfill;
    /// See what happened to every event
    Runs => runs;
    /// Say how the zaps stand: counts, what waits, what needs a person
    Status => status;
    /// Take a person out of history
    Forget => forget;
    /// Copy the state, put a copy back, change the key of its secrets
    State => state;
    /// Explain the filters that expressions may use
    Filters => filters;
    /// Explain every trigger, action and record
    Reference => reference;
    /// Write the schemas of everything a person writes
    Schema => schema;
    /// Serve a stand-in of the CRM and a sink that records what arrives
    Sandbox => sandbox;
    /// See it all at work: a stand-in CRM, a sink, the example zaps, nothing to configure
    Demo => demo;
    /// Print the completions of a shell
    Completions => completions;
}
