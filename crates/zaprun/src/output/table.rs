//! Tables of text.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement};

use crate::output::printer::Printer;
use crate::output::style::clean;

/// What a cell says besides its text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    #[default]
    Plain,
    Good,
    Bad,
    Doubtful,
    Quiet,
}

/// Columns that the last one must have to be folded; in fewer it would stand in slivers, letter below letter.
const LEAST_LAST: usize = 16;

/// Rows under headings, without lines, so that it can be read, cut and copied.
pub(crate) struct Table {
    table: comfy_table::Table,
    /// Columns of the terminal; `None` in a pipe.
    columns: Option<u16>,
}

impl Table {
    /// A table that fits the terminal; in a pipe, as wide as its contents.
    pub(crate) fn new(printer: &Printer, headings: &[&str]) -> Self {
        Self::with(printer.out().0, printer.columns(), headings)
    }

    fn with(colored: bool, columns: Option<usize>, headings: &[&str]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING);
        let columns = columns.and_then(|columns| u16::try_from(columns).ok());
        if colored {
            table.enforce_styling();
        }
        table.set_header(headings.iter().map(|heading| Cell::new(heading).add_attribute(Attribute::Bold)));
        // Only the last column, which says why, is folded: a name that is broken apart cannot be copied.
        for column in table.column_iter_mut().take(headings.len().saturating_sub(1)) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        // The text begins at the left edge, so that a path can be copied and columns can be cut.
        if let Some(first) = table.column_mut(0) {
            first.set_padding((0, 1));
        }
        // Nothing stands behind the last: a blank in bold would be the one that no longer fits the line.
        if let Some(last) =
            headings.len().checked_sub(1).filter(|at| *at > 0).and_then(|at| table.column_mut(at))
        {
            last.set_padding((1, 0));
        }
        Table { table, columns }
    }

    /// Numbers stand at the right.
    #[must_use]
    pub(crate) fn right(mut self, columns: &[usize]) -> Self {
        for column in columns {
            if let Some(column) = self.table.column_mut(*column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        self
    }

    /// A row; the texts may come from outside.
    pub(crate) fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.toned(cells.into_iter().map(|cell| (cell, Tone::Plain)));
    }

    /// A row with tones.
    pub(crate) fn toned<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = (T, Tone)>) {
        self.table.add_row(cells.into_iter().map(|(text, tone)| {
            let cell = Cell::new(clean(text.as_ref()).replace(['\n', '\t'], " "));
            match tone {
                Tone::Plain => cell,
                Tone::Good => cell.fg(Color::Green),
                Tone::Bad => cell.fg(Color::Red).add_attribute(Attribute::Bold),
                Tone::Doubtful => cell.fg(Color::Yellow),
                Tone::Quiet => cell.add_attribute(Attribute::Dim),
            }
        }));
    }

    /// The text, each line without blanks at its end.
    pub(crate) fn render(mut self) -> String {
        if let Some(columns) = self.columns.filter(|columns| self.folds_well(usize::from(*columns))) {
            self.table.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns);
        }
        self.table.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// Whether the columns before the last leave it room to be read. Where they do not, the terminal breaks the
    /// lines, which is still a text.
    fn folds_well(&self, columns: usize) -> bool {
        let widths = self.table.column_max_content_widths();
        let Some((last, others)) = widths.split_last() else { return false };
        // Two blanks between columns.
        let taken: usize = others.iter().map(|width| usize::from(*width) + 2).sum();
        columns >= taken + usize::from(*last).min(LEAST_LAST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_column_is_folded() {
        let mut table = Table::with(false, Some(42), &["zap", "why"]);
        table.row(["a-zap-with-a-long-name", "because it is so, and not otherwise"]);
        insta::assert_snapshot!(table.render(), @r"
        zap                     why
        a-zap-with-a-long-name  because it is so,
                                and not otherwise
        ");
    }

    #[test]
    fn nothing_is_folded_to_slivers() {
        let mut table = Table::with(false, Some(30), &["zap", "why"]);
        table.row(["a-zap-with-a-long-name", "because it is so"]);
        insta::assert_snapshot!(table.render(), @r"
        zap                     why
        a-zap-with-a-long-name  because it is so
        ");
    }

    #[test]
    fn a_heading_in_bold_ends_with_its_word() {
        let table = Table::with(true, Some(80), &["zap", "why"]);
        assert_eq!(table.render(), "\u{1b}[1mzap \u{1b}[0m\u{1b}[1m why\u{1b}[0m\n");
    }

    #[test]
    fn a_table_is_plain_text_in_a_pipe() {
        let mut table = Table::with(false, None, &["zap", "runs"]).right(&[1]);
        table.toned([("a\u{1b}[1mb", Tone::Bad), ("7", Tone::Plain)]);
        table.row(["new-sale", "1,234"]);
        insta::assert_snapshot!(table.render(), @r"
        zap           runs
        a\u{1b}[1mb      7
        new-sale     1,234
        ");
    }
}
