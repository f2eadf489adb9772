//! Reading JSON text into values.
//!
//! A reader of our own because numbers must keep their digits (`19.90`, 23-digit ids), because hostile numbers and
//! nesting must cost nothing, and because what a zap does not read is skipped without being built ([`members`]).

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::{Decimal, MAX_DEPTH, Object, Value};

/// Why a text is not taken as JSON, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct JsonError {
    /// What is wrong, as a fragment.
    pub what: &'static str,
    /// Byte offset in the text.
    pub at: usize,
}

/// Reads one JSON text.
///
/// # Errors
/// When it is no JSON or is nested deeper than [`MAX_DEPTH`].
pub fn read(text: &str) -> Result<Value, JsonError> {
    Reader::new(text).whole()
}

/// The same, for a text of which nothing may be hidden: a name that occurs twice in one object is an error.
///
/// # Errors
/// As [`read`], and when a name occurs twice in one object.
pub fn read_unique(text: &str) -> Result<Value, JsonError> {
    Reader { unique: true, ..Reader::new(text) }.whole()
}

/// The members of the object that `text` holds, each with its value's text, which is skipped, not read: an error
/// within it is found only when it is read.
///
/// # Errors
/// When the text is no object.
pub fn members(text: &str) -> Result<Members<'_>, JsonError> {
    Items::open(text, b'{', "expected an object").map(Members)
}

/// The elements of the array that `text` holds, each as its text, skipped in the same way.
///
/// # Errors
/// When the text is no array.
pub fn elements(text: &str) -> Result<Elements<'_>, JsonError> {
    Items::open(text, b'[', "expected an array").map(Elements)
}

/// See [`members`].
pub struct Members<'a>(Items<'a>);
/// See [`elements`].
pub struct Elements<'a>(Items<'a>);

struct Items<'a> {
    reader: Reader<'a>,
    first: bool,
    done: bool,
}

impl<'a> Items<'a> {
    fn open(text: &'a str, open: u8, expected: &'static str) -> Result<Self, JsonError> {
        let mut reader = Reader::new(text);
        reader.space();
        if !reader.eat(open) {
            return Err(reader.wrong(expected));
        }
        Ok(Items { reader, first: true, done: false })
    }

    /// Moves to the next item; `false` after the last.
    fn advance(&mut self, close: u8) -> Result<bool, JsonError> {
        let more = self.reader.next_item(&mut self.first, close)?;
        if !more {
            self.done = true;
            self.reader.space();
            if self.reader.at < self.reader.bytes.len() {
                return Err(self.reader.wrong("unexpected text after the value"));
            }
        }
        Ok(more)
    }

    fn settle<T>(&mut self, item: Result<Option<T>, JsonError>) -> Option<Result<T, JsonError>> {
        self.done |= item.is_err();
        item.transpose()
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<(Cow<'a, str>, &'a str), JsonError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.done {
            return None;
        }
        let item = (|| {
            if !self.0.advance(b'}')? {
                return Ok(None);
            }
            let name = self.0.reader.name()?;
            Ok(Some((name, self.0.reader.skip()?)))
        })();
        self.0.settle(item)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<&'a str, JsonError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.done {
            return None;
        }
        let item = (|| if self.0.advance(b']')? { self.0.reader.skip().map(Some) } else { Ok(None) })();
        self.0.settle(item)
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// No name may occur twice in one object.
    unique: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Reader { text, bytes: text.as_bytes(), at: 0, unique: false }
    }

    /// One value, and nothing after it.
    fn whole(mut self) -> Result<Value, JsonError> {
        let value = self.value(0)?;
        self.space();
        if self.at < self.bytes.len() {
            Err(self.wrong("unexpected text after the value"))
        } else {
            Ok(value)
        }
    }

    fn wrong(&self, what: &'static str) -> JsonError {
        JsonError { what, at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.space();
        match self.peek() {
            Some(b'"') => Ok(Value::Text(match self.string()? {
                Cow::Borrowed(text) => Arc::from(text),
                Cow::Owned(text) => Arc::from(text),
            })),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => Err(self.wrong("unexpected character")),
            None => Err(self.wrong("unexpected end")),
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, JsonError> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.wrong("unexpected character"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn deeper(&self, depth: usize) -> Result<usize, JsonError> {
        if depth >= MAX_DEPTH { Err(self.wrong("nested deeper than 64 levels")) } else { Ok(depth + 1) }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        let depth = self.deeper(depth)?;
        self.at += 1;
        let mut entries: Vec<(Arc<str>, Value)> = Vec::new();
        let mut names = HashSet::new();
        let mut first = true;
        while self.next_item(&mut first, b'}')? {
            let name = Arc::from(self.name()?);
            if self.unique && !names.insert(Arc::clone(&name)) {
                return Err(self.wrong("a name that occurs twice in one object"));
            }
            entries.push((name, self.value(depth)?));
        }
        Ok(Value::Object(Object::new(entries, None)))
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        let depth = self.deeper(depth)?;
        self.at += 1;
        let mut items = Vec::new();
        let mut first = true;
        while self.next_item(&mut first, b']')? {
            items.push(self.value(depth)?);
        }
        Ok(Value::list(items))
    }

    /// Moves past the comma to the next item, or past the closing bracket.
    fn next_item(&mut self, first: &mut bool, close: u8) -> Result<bool, JsonError> {
        self.space();
        if std::mem::take(first) {
            return Ok(!self.eat(close));
        }
        if self.eat(b',') {
            return Ok(true);
        }
        if self.eat(close) { Ok(false) } else { Err(self.wrong("expected a comma or the closing bracket")) }
    }

    fn name(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.space();
        if self.peek() != Some(b'"') {
            return Err(self.wrong("expected a name in double quotes"));
        }
        let name = self.string()?;
        self.space();
        if self.eat(b':') { Ok(name) } else { Err(self.wrong("expected a colon")) }
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _signed = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Decimal::parse(&self.text[start..self.at])
            .map(Value::Number)
            .map_err(|_| JsonError { what: "number is out of range", at: start })
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.wrong("expected a digit")) } else { Ok(()) }
    }

    /// At an opening quote. Slices lie between ASCII bytes, so they are whole characters.
    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.at += 1;
        let start = self.at;
        self.seek(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
        match self.peek() {
            Some(b'"') => {
                let text = &self.text[start..self.at];
                self.at += 1;
                Ok(Cow::Borrowed(text))
            }
            Some(b'\\') => self.escaped(start).map(Cow::Owned),
            Some(_) => Err(self.wrong("control character in a string")),
            None => Err(self.wrong("unexpected end of a string")),
        }
    }

    /// Moves to the next byte for which `special` holds, or to the end.
    #[inline]
    fn seek(&mut self, special: impl Fn(u8) -> bool) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|byte| special(*byte)).unwrap_or(rest.len());
    }

    fn escaped(&mut self, start: usize) -> Result<String, JsonError> {
        let mut text = self.text[start..self.at].to_owned();
        let mut from = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    text.push_str(&self.text[from..self.at]);
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    text.push_str(&self.text[from..self.at]);
                    self.at += 1;
                    text.push(self.escape()?);
                    from = self.at;
                }
                Some(0..0x20) => return Err(self.wrong("control character in a string")),
                Some(_) => self.at += 1,
                None => return Err(self.wrong("unexpected end of a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let escaped = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.wrong("unknown escape in a string")),
        };
        self.at += 1;
        Ok(escaped)
    }

    /// Half a surrogate pair, as a careless truncation leaves it, becomes the replacement character: the rest of
    /// the record is still good.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let unit = self.hex4()?;
        if !(0xD800..0xDC00).contains(&unit) || !self.bytes[self.at..].starts_with(b"\\u") {
            return Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let after_first = self.at;
        self.at += 2;
        let second = self.hex4()?;
        if !(0xDC00..0xE000).contains(&second) {
            self.at = after_first;
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        let code = 0x1_0000 + ((unit - 0xD800) << 10) + (second - 0xDC00);
        Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit * 16 + digit.ok_or_else(|| self.wrong("expected four hexadecimal digits"))?;
            self.at += 1;
        }
        Ok(unit)
    }

    /// Passes over one value and gives its text; looks only at strings and brackets.
    fn skip(&mut self) -> Result<&'a str, JsonError> {
        self.space();
        let start = self.at;
        let mut open = 0_usize;
        loop {
            match self.peek() {
                Some(b'"') => self.skip_string()?,
                Some(b'{' | b'[') => {
                    open += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') if open > 0 => {
                    open -= 1;
                    self.at += 1;
                }
                Some(b',' | b'}' | b']') if open == 0 => return Err(self.wrong("expected a value")),
                Some(_) if open > 0 => self.at += 1,
                Some(_) => self.skip_scalar(),
                None => return Err(self.wrong("unexpected end")),
            }
            if open == 0 {
                return Ok(&self.text[start..self.at]);
            }
        }
    }

    fn skip_scalar(&mut self) {
        while !matches!(self.peek(), None | Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn skip_string(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        loop {
            self.seek(|byte| matches!(byte, b'"' | b'\\'));
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(_) => self.at += 2,
                None => return Err(self.wrong("unexpected end of a string")),
            }
        }
    }
}
