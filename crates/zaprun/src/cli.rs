//! What a person types: types only.
//!
//! Every flag `--some-flag` is also read from the environment as `ZAPRUN_SOME_FLAG`; a test keeps it so.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, ValueEnum};

use crate::commands::Command;

/// Zapier for the Konnektive CRM, as code: keep zaps as YAML in git, check them in CI, run them anywhere
#[derive(Debug, Parser)]
#[command(
    name = "zaprun",
    version,
    propagate_version = false,
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "New here? `zaprun demo` shows the whole thing with nothing configured."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Folder that holds zaprun.yaml [default: the nearest one upward]
    #[arg(short = 'C', long, global = true, value_name = "DIR", env = "ZAPRUN_PROJECT")]
    pub(crate) project: Option<PathBuf>,

    /// Overlay to use: zaprun.ENV.yaml
    #[arg(long, global = true, value_name = "ENV", env = "ZAPRUN_ENV")]
    pub(crate) env: Option<String>,

    /// Say only what went wrong
    #[arg(short, long, global = true, env = "ZAPRUN_QUIET", value_parser = BoolishValueParser::new())]
    pub(crate) quiet: bool,

    /// Say more
    #[arg(short, long, global = true, env = "ZAPRUN_VERBOSE", conflicts_with = "quiet", value_parser = BoolishValueParser::new())]
    pub(crate) verbose: bool,

    /// Colour: on a terminal unless NO_COLOR is set, or as told
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        env = "ZAPRUN_COLOR",
        default_value = "auto",
        hide_default_value = true
    )]
    pub(crate) color: ColorChoice,
}

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    fn check(command: &clap::Command) {
        for argument in command.get_arguments() {
            let Some(flag) = argument.get_long().filter(|flag| !["help", "version"].contains(flag)) else {
                continue;
            };
            let expected = format!("ZAPRUN_{}", flag.to_uppercase().replace('-', "_"));
            assert_eq!(
                argument.get_env().and_then(|env| env.to_str()),
                Some(expected.as_str()),
                "{} --{flag}",
                command.get_name()
            );
            assert!(argument.get_help().is_some(), "{} --{flag} explains itself", command.get_name());
        }
        command.get_subcommands().for_each(check);
    }

    #[test]
    fn every_flag_is_also_an_environment_variable() {
        check(&Cli::command());
    }
}
