//! The command line of zaprun.

mod cli;
mod clock;
mod commands;
mod confirm;
mod context;
mod env;
mod error;
mod loading;
mod mask;
mod output;
mod project;
mod recall;
mod render;
mod watch;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::context::Context;
use crate::output::Printer;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout and are fine; the rest goes to stderr and is bad usage. A closed pipe
            // does not matter here.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let printer = Printer::new(&cli.global);
    let context = Context::new(cli.global, printer);
    match cli.command.run(&context) {
        Ok(exit) => exit.into(),
        Err(error) => {
            printer.error(&error);
            error.exit_code()
        }
    }
}
