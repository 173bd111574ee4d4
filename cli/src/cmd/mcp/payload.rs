//! What strangers wrote: shown by its beginning, without what a terminal obeys or nobody sees.

use crate::text::harmless_lines;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// So much of a payload is in a list.
pub const SHORT: i32 = 200;
/// So much of it where one job is told.
pub const LONG: i32 = 4000;

/// The beginning of what a job is to work on: untrusted data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Beginning {
    /// text, or bytes as hexadecimal digits.
    pub kind: &'static str,
    pub beginning: String,
}

/// As PostgreSQL writes bytes into JSON: \x and hexadecimal digits.
impl<'de> Deserialize<'de> for Beginning {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let written = String::deserialize(from)?;
        Ok(Self::of(written.strip_prefix("\\x").unwrap_or(&written)))
    }
}

impl Beginning {
    fn of(digits: &str) -> Self {
        let bytes: Option<Vec<u8>> = (0..digits.len() / 2)
            .map(|place| digits.get(2 * place..2 * place + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
            .collect();
        match bytes.as_deref().and_then(text) {
            Some(text) => Self { kind: "text", beginning: harmless(text) },
            None => Self { kind: "bytes", beginning: digits.to_owned() },
        }
    }
}

/// Bytes as text; a character that the cut goes through is left out.
fn text(bytes: &[u8]) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok(),
        Err(_) => None,
    }
}

/// Also the characters that no font has, in which instructions have been hidden from people.
fn harmless(text: &str) -> String {
    let hidden = |char: char| matches!(char, '\u{E0000}'..='\u{E0FFF}' | '\u{FE00}'..='\u{FE0F}');
    harmless_lines(text)
        .chars()
        .map(|char| if hidden(char) { char.escape_unicode().to_string() } else { char.to_string() })
        .collect()
}

/// An error, headers: text of strangers.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Foreign(String);

impl<'de> Deserialize<'de> for Foreign {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(harmless(&String::deserialize(from)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> (&'static str, String) {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let beginning = Beginning::of(&digits);
        (beginning.kind, beginning.beginning)
    }

    #[test]
    fn text_is_text_and_bytes_are_digits() {
        assert_eq!(of("{\"a\": \"ü\"}\n".as_bytes()), ("text", "{\"a\": \"ü\"}\n".to_owned()));
        assert_eq!(of("aü".as_bytes().split_last().unwrap().1), ("text", "a".to_owned()));
        assert_eq!(of(&[0xff, 0x00]), ("bytes", "ff00".to_owned()));
        assert_eq!(of(b""), ("text", String::new()));
    }

    #[test]
    fn what_nobody_sees_is_shown() {
        assert_eq!(
            of("a\x1b[31m\u{202e}\u{E0041}b".as_bytes()),
            ("text", "a\\u{1b}[31m\\u{202e}\\u{e0041}b".to_owned())
        );
    }
}
