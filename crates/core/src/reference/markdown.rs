//! Markdown, as far as the reference needs it.

/// A page that is being written: blocks with an empty line between them.
pub(super) struct Doc(String);

impl Doc {
    /// A page of that title, which may hold Markdown, as below.
    pub(super) fn new(title: &str) -> Self {
        Doc(format!("# {title}\n"))
    }

    /// Heads what follows.
    pub(super) fn section(&mut self, title: &str) {
        self.block(&format!("## {title}"));
    }

    /// Heads a part of a section.
    pub(super) fn part(&mut self, title: &str) {
        self.block(&format!("### {title}"));
    }

    /// Adds a block of Markdown.
    pub(super) fn block(&mut self, text: &str) {
        self.0.push('\n');
        self.0.push_str(text.trim_end());
        self.0.push('\n');
    }

    /// Adds a list; nothing where it is empty.
    pub(super) fn list(&mut self, items: impl IntoIterator<Item = String>) {
        let lines: Vec<String> = items.into_iter().map(|item| format!("- {item}")).collect();
        if !lines.is_empty() {
            self.block(&lines.join("\n"));
        }
    }

    /// Adds a table; nothing where it has no rows.
    pub(super) fn table<const N: usize>(
        &mut self,
        head: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) {
        let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
        let rows: Vec<String> = rows.into_iter().map(|cells| line(&cells.map(|text| cell(&text)))).collect();
        if rows.is_empty() {
            return;
        }
        let head = [line(&head.map(str::to_owned)), line(&head.map(|_| "---".to_owned()))];
        self.block(&[head.as_slice(), rows.as_slice()].concat().join("\n"));
    }

    /// Adds text as it stands.
    pub(super) fn code(&mut self, language: &str, text: &str) {
        self.block(&format!("```{language}\n{}\n```", text.trim_end()));
    }

    /// The page.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// A cell ends at a bar, also within a code span.
fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

/// A code span.
pub(super) fn word(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// Code spans as a person lists them: `a`, `b` or `c`.
pub(super) fn words<'a>(texts: impl IntoIterator<Item = &'a str>, last: &str) -> String {
    let words: Vec<String> = texts.into_iter().map(word).collect();
    match words.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, others)) => format!("{} {last} {end}", others.join(", ")),
        None => String::new(),
    }
}

/// Text that is no Markdown but for its code spans.
pub(super) fn prose(text: &str) -> String {
    let part = |(at, part): (usize, &str)| match at % 2 {
        0 => part.replace('*', "\\*").replace('<', "\\<"),
        _ => part.to_owned(),
    };
    text.split('`').enumerate().map(part).collect::<Vec<_>>().join("`")
}

/// With its first letter as a capital.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The same as a sentence.
pub(super) fn sentence(text: &str) -> String {
    let mut text = capital(&prose(text));
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_markdown_does_not_become_it() {
        assert_eq!(prose("custom_* and `productN_*`"), "custom_\\* and `productN_*`");
        assert_eq!(word("a`b"), "`` a`b ``");
        assert_eq!(words(["a", "b", "c"], "or"), "`a`, `b` or `c`");
        assert_eq!(sentence("puts a mark"), "Puts a mark.");
        let mut doc = Doc::new("T");
        doc.table(["a", "b"], [["x | y".to_owned(), "two\nlines".to_owned()]]);
        doc.table(["none"], []);
        doc.list([]);
        assert_eq!(doc.finish(), "# T\n\n| a | b |\n| --- | --- |\n| x \\| y | two lines |\n");
    }
}
