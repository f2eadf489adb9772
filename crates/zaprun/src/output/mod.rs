//! Everything that reaches a person: data on stdout, messages on stderr.

mod printer;
mod style;
mod table;

pub(crate) use printer::Printer;
pub(crate) use style::{Paint, clean, count, thousands};
pub(crate) use table::{Table, Tone};
