//! Source texts and places in them.

use std::sync::Arc;

/// A file of a [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A half-open range of bytes in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// A place of `start..end` in `file`.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Span { file, start, end: end.max(start) }
    }
}

/// A 1-based line and a 1-based column counted in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// One text that was read, under the name a person knows it by.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Path relative to the project, with `/` between its parts.
    pub path: String,
    /// The whole text; empty when the file could not be decoded.
    pub text: Arc<str>,
    line_starts: Vec<usize>,
}

/// All texts of a project, so that a span can be shown to a person.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a file and gives its id.
    ///
    /// # Panics
    /// When more than four thousand million files are added.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<Arc<str>>) -> FileId {
        let text = text.into();
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        #[expect(clippy::expect_used, reason = "no machine holds 2^32 zap files")]
        let id = FileId(u32::try_from(self.files.len()).expect("fewer than 2^32 files"));
        self.files.push(SourceFile { path: path.into(), text, line_starts });
        id
    }

    /// The file of an id that this map gave out.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// The files in the order in which they were added.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0..).map(FileId).zip(&self.files)
    }

    /// The text a span covers; empty when the span lies outside the file.
    pub fn slice(&self, span: Span) -> &str {
        self.file(span.file).text.get(span.start..span.end).unwrap_or("")
    }

    /// Line and column of the span's first and last-plus-one byte.
    pub fn range(&self, span: Span) -> (Position, Position) {
        let file = self.file(span.file);
        (file.position(span.start), file.position(span.end))
    }
}

impl SourceFile {
    /// Line and column of a byte; a byte past the end counts as the end.
    pub fn position(&self, byte: usize) -> Position {
        let byte = byte.min(self.text.len());
        let line = self.line_starts.partition_point(|start| *start <= byte);
        let start = self.line_starts[line - 1];
        let column = self.text.get(start..byte).map_or(byte - start, |text| text.chars().count()) + 1;
        Position { line, column }
    }

    /// The text of a 1-based line without its line break.
    pub fn line(&self, line: usize) -> &str {
        self.text.lines().nth(line.saturating_sub(1)).unwrap_or("")
    }
}

/// The path within the project to which a path leads that is read from the folder of `file`; nothing when it leads out.
/// Both are written with `/`.
pub fn beside(file: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The same for a path that a person wrote, which must mean one file on every system: no `\` and no drive.
pub(crate) fn named_beside(file: &str, written: &str) -> Option<String> {
    if written.contains(['\\', ':']) {
        return None;
    }
    beside(file, written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_the_project() {
        assert_eq!(beside("zaps/a.yaml", "../shared/./b.yaml").as_deref(), Some("shared/b.yaml"));
        assert_eq!(beside("zaps/a.yaml", "b.yaml").as_deref(), Some("zaps/b.yaml"));
        assert_eq!(beside("zaps/a.yaml", "../../b.yaml"), None);
        assert_eq!(beside("zaps/a.yaml", "/etc/passwd"), None);
        // A link may lead to such a file; a person's path may not, it would be another file elsewhere.
        for odd in ["a:b.json", "..\\b.json"] {
            assert!(beside("zaps/a.yaml", odd).is_some());
            assert_eq!(named_beside("zaps/a.yaml", odd), None);
        }
        assert_eq!(named_beside("zaps/a.yaml", "../b.json").as_deref(), Some("b.json"));
        assert_eq!(named_beside("zaps/a.yaml", "../../b.json"), None);
        assert_eq!(named_beside("zaps/a.yaml", "/etc/passwd"), None);
    }

    #[test]
    fn positions_count_characters_from_one() {
        let mut map = SourceMap::default();
        let file = map.add("a.yaml", "a: é!\nb: 2\n");
        let at = map.slice(Span::new(file, 3, 5)).to_owned();
        assert_eq!(at, "é");
        let (start, end) = map.range(Span::new(file, 5, 6));
        assert_eq!((start.line, start.column), (1, 5));
        assert_eq!((end.line, end.column), (1, 6));
        assert_eq!(map.file(file).position(7).line, 2);
        assert_eq!(map.file(file).position(usize::MAX), Position { line: 3, column: 1 });
        assert_eq!(map.file(file).line(2), "b: 2");
    }
}
