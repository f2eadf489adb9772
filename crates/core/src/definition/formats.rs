//! Texts of a fixed form: each with its pattern, its words and its exact parser.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration as StdDuration;

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};

use super::{Moment, Start};

/// A form of text that definitions use.
#[derive(Debug)]
pub struct Format {
    /// Its regular expression, which also identifies it in a schema.
    pub pattern: &'static str,
    /// What it is: `a duration`.
    pub words: &'static str,
    /// What to write.
    pub help: &'static str,
    /// Why a text is not of this form; `None` when it is.
    pub check: fn(&str) -> Option<String>,
}

/// The forms that schemas refer to by their pattern.
pub static FORMATS: &[Format] = &[
    Format {
        pattern: Duration::PATTERN,
        words: "a duration",
        help: "write a whole number and its unit: 500ms, 90s, 15m, 24h or 7d",
        check: |text| text.parse::<Duration>().err(),
    },
    Format {
        pattern: Rate::PATTERN,
        words: "a rate",
        help: "write a whole number per s, m, h or d: 2/s or 60/m",
        check: |text| text.parse::<Rate>().err(),
    },
    Format {
        pattern: Start::PATTERN,
        words: "now, beginning, a date or a time",
        help: "write now, beginning, a date (2026-09-16) or a time (2026-09-16T14:00:00-04:00)",
        check: |text| text.parse::<Start>().err(),
    },
    Format {
        pattern: Moment::PATTERN,
        words: "an instant",
        help: "write a time and its offset: 2026-09-16T14:00:00-04:00, or Z for UTC",
        check: |text| text.parse::<Moment>().err(),
    },
    Format {
        pattern: Name::PATTERN,
        words: "a name",
        help: "use small letters, digits and single hyphens: new-sale-to-sheet",
        check: |text| text.parse::<Name>().err(),
    },
    Format {
        pattern: Word::PATTERN,
        words: "a name for expressions",
        help: "use letters, digits and underscores, a letter first: send_mail",
        check: |text| text.parse::<Word>().err(),
    },
    Format {
        pattern: StatePlace::PATTERN,
        words: "a place to keep the state",
        help: "write sqlite: and a path: sqlite:state/zaprun.db",
        check: |text| text.parse::<StatePlace>().err(),
    },
    Format {
        pattern: Listener::PATTERN,
        words: "an address",
        help: "write an IP address and a port: 127.0.0.1:8484",
        check: |text| text.parse::<Listener>().err(),
    },
    Format {
        pattern: HookPath::PATTERN,
        words: "a path for webhooks",
        help: "write a path of letters, digits and `-._~` between slashes: /hooks/lead-form",
        check: |text| text.parse::<HookPath>().err(),
    },
    Format {
        pattern: Network::PATTERN,
        words: "an address or a network",
        help: "write an IP address or a network: 10.0.0.7, 10.0.0.0/8",
        check: |text| text.parse::<Network>().err(),
    },
];

/// The format that a schema's pattern stands for.
pub fn format_of(pattern: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.pattern == pattern)
}

/// Reads a text through its own parser; shows it in schemas as text of a pattern.
macro_rules! written_as_text {
    ($ty:ident, $name:literal, $description:literal) => {
        impl<'de> Deserialize<'de> for $ty {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $ty {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $ty::PATTERN, "description": $description })
            }
        }
    };
}

/// A length of time, written with its unit: `500ms`, `90s`, `15m`, `24h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub StdDuration);

impl Duration {
    /// The form of a duration.
    pub const PATTERN: &'static str = "^[0-9]{1,9}(ms|s|m|h|d)$";
    /// The longest duration: ten years.
    const LONGEST: StdDuration = StdDuration::from_secs(3650 * 86_400);
}

impl FromStr for Duration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = match number.parse() {
            Ok(number) if digits <= 9 => number,
            _ => return Err(format!("`{text}` is not a duration")),
        };
        let length = match unit {
            "ms" => StdDuration::from_millis(number),
            "s" => StdDuration::from_secs(number),
            "m" => StdDuration::from_secs(number * 60),
            "h" => StdDuration::from_secs(number * 3_600),
            "d" => StdDuration::from_secs(number * 86_400),
            "" => return Err(format!("`{text}` has no unit")),
            _ => return Err(format!("`{text}` is not a duration")),
        };
        if length > Self::LONGEST {
            return Err(format!("`{text}` is longer than ten years"));
        }
        Ok(Duration(length))
    }
}

impl fmt::Display for Duration {
    /// Writes the duration in the largest unit that keeps it whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
        match units.iter().find(|(unit, _)| millis > 0 && millis.is_multiple_of(*unit)) {
            Some((unit, name)) => write!(f, "{}{name}", millis / unit),
            None => write!(f, "{millis}ms"),
        }
    }
}

written_as_text!(Duration, "Duration", "A length of time with its unit: 500ms, 90s, 15m, 24h, 7d.");

/// So many in so long: `2/s`, `60/m`, `500/h`, `1000/d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In how long.
    pub per: StdDuration,
}

impl Rate {
    /// The form of a rate.
    pub const PATTERN: &'static str = "^[1-9][0-9]{0,5}/(s|m|h|d)$";
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a rate");
        let (count, unit) = text.split_once('/').ok_or_else(wrong)?;
        if !count.bytes().all(|byte| byte.is_ascii_digit()) || count.starts_with('0') || count.len() > 6 {
            return Err(wrong());
        }
        let count = count.parse().map_err(|_| wrong())?;
        let per = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(wrong()),
        };
        Ok(Rate { count, per: StdDuration::from_secs(per) })
    }
}

written_as_text!(Rate, "Rate", "So many in so long: 2/s, 60/m, 500/h, 1000/d.");

/// The name of a zap: small letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// The form of a zap's name.
    pub const PATTERN: &'static str = "^[a-z0-9]+(-[a-z0-9]+)*$";
    /// The most characters a name has.
    pub const LONGEST: usize = 100;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let part = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if text.len() > Self::LONGEST {
            return Err(format!("the name has more than {} characters", Self::LONGEST));
        }
        if !text.split('-').all(part) {
            return Err(format!("`{text}` is not a name for a zap"));
        }
        Ok(Name(text.to_owned()))
    }
}

written_as_text!(Name, "ZapName", "The name of a zap: small letters, digits and hyphens.");

/// A name that expressions can use: of an action, a let, a loop.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Word(String);

impl Word {
    /// The form of such a name.
    pub const PATTERN: &'static str = "^[A-Za-z_][A-Za-z0-9_]{0,99}$";

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Word {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let first = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !first
            || text.len() > 100
            || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return Err(format!("`{text}` is not a name that expressions can use"));
        }
        Ok(Word(text.to_owned()))
    }
}

written_as_text!(Word, "Word", "A name of letters, digits and underscores, a letter first.");

/// Where the state is kept: `sqlite:` and a path, relative to the project folder unless absolute.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StatePlace {
    /// The path of the SQLite file as written.
    pub path: String,
}

impl StatePlace {
    /// The form of such a place.
    pub const PATTERN: &'static str = "^sqlite:[^?#]+$";
}

impl FromStr for StatePlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Err("`postgres://` for several processes is planned and not available yet".to_owned());
        }
        match text.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() && !path.contains(['?', '#', '\n']) => {
                Ok(StatePlace { path: path.to_owned() })
            }
            _ => Err(format!("`{text}` is no place to keep the state")),
        }
    }
}

written_as_text!(StatePlace, "State", "Where runs and cursors are kept: sqlite:state/zaprun.db.");

/// An address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Listener(pub std::net::SocketAddr);

impl Listener {
    /// The form of an address.
    pub const PATTERN: &'static str = r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$";
}

impl FromStr for Listener {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Listener).map_err(|_| format!("`{text}` is not an IP address with a port"))
    }
}

written_as_text!(Listener, "Listener", "An IP address and a port: 127.0.0.1:8484.");

/// The whole path at which requests arrive.
///
/// It holds nothing that a client or a proxy writes in two ways: no escapes, no empty segments, none of dots.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HookPath(String);

impl HookPath {
    /// The form of such a path.
    pub const PATTERN: &'static str = "^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$";
    /// The most characters a path has.
    const LONGEST: usize = 200;

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HookPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for HookPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
        let segment =
            |segment: &str| !segment.is_empty() && !segment.starts_with('.') && segment.bytes().all(plain);
        if text.len() > Self::LONGEST {
            return Err(format!("the path has more than {} characters", Self::LONGEST));
        }
        match text.strip_prefix('/') {
            Some(rest) if rest.split('/').all(segment) => Ok(HookPath(text.to_owned())),
            _ => Err(format!("`{text}` is not a path for webhooks")),
        }
    }
}

written_as_text!(HookPath, "HookPath", "The whole path at which requests arrive: /hooks/lead-form.");

/// One address, or all addresses of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(pub IpNet);

impl Network {
    /// The form of such a network.
    pub const PATTERN: &'static str =
        r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)(/[0-9]{1,3})?$";
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let network = match text.contains('/') {
            true => text.parse().ok(),
            false => text.parse::<std::net::IpAddr>().ok().map(IpNet::from),
        };
        network.map(Network).ok_or_else(|| format!("`{text}` is neither an address nor a network"))
    }
}

written_as_text!(Network, "Network", "An IP address or a network: 10.0.0.7, 10.0.0.0/8.");
