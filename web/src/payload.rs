//! A payload to look at: as JSON, as text, or byte for byte.

use crate::show::visible;
use serde::de::IgnoredAny;
use std::fmt::Write;

/// How a payload is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    Json,
    Text,
    Hex,
}

impl View {
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "json" => Some(Self::Json),
            "text" => Some(Self::Text),
            "hex" => Some(Self::Hex),
            _ => None,
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
            Self::Hex => "hex",
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Text => "Text",
            Self::Hex => "Hex",
        }
    }
}

/// Bytes, of which there may be more than were read.
pub struct Payload {
    pub shown: String,
    pub view: View,
    /// The views that are possible, the most telling one first.
    pub views: Vec<View>,
}

/// The first `cut` bytes of a payload of `whole`, as `wanted` where that is possible.
pub fn payload(bytes: &[u8], whole: usize, wanted: Option<View>) -> Payload {
    let is_cut = bytes.len() < whole;
    let text = text_of(bytes, is_cut);
    let is_json = !is_cut && text.is_some_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    let views: Vec<View> = [(is_json, View::Json), (text.is_some(), View::Text), (true, View::Hex)]
        .into_iter()
        .filter_map(|(possible, view)| possible.then_some(view))
        .collect();
    let view = wanted.filter(|view| views.contains(view)).or(views.first().copied()).unwrap_or(View::Hex);
    let shown = match (view, text) {
        (View::Json, Some(text)) => visible(&indented(text)).into_owned(),
        (View::Text, Some(text)) => visible(text).into_owned(),
        _ => hex(bytes),
    };
    Payload { shown, view, views }
}

/// A cut may go through a character: what is left of it does not make the rest no text.
fn text_of(bytes: &[u8], is_cut: bool) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if is_cut && error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()
        }
        Err(_) => None,
    }
}

/// JSON with line breaks. Only white space changes: numbers, escapes and doubled keys stay as they were written.
pub fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut chars = json.chars().filter_map(outside_strings()).peekable();
    while let Some((char, in_string)) = chars.next() {
        match char {
            _ if in_string => out.push(char),
            '{' | '[' => {
                out.push(char);
                if chars.peek().is_some_and(|(next, _)| matches!(next, '}' | ']')) {
                    out.extend(chars.next().map(|(close, _)| close));
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(char);
            }
            ',' => {
                out.push(char);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            other => out.push(other),
        }
    }
    out
}

/// Deeper than that nobody reads, and white space would be most of the page.
const DEEPEST: usize = 20;

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    (0..depth.min(DEEPEST)).for_each(|_| out.push_str("  "));
}

/// Says of each character whether it is in a string, and leaves out white space that is not.
fn outside_strings() -> impl FnMut(char) -> Option<(char, bool)> {
    let (mut in_string, mut escaped) = (false, false);
    move |char| {
        if in_string {
            let ends = char == '"' && !escaped;
            escaped = char == '\\' && !escaped;
            in_string = !ends;
            return Some((char, true));
        }
        in_string = char == '"';
        (!char.is_ascii_whitespace()).then_some((char, in_string))
    }
}

/// As `xxd` shows them: the place, sixteen bytes, and what of them can be read.
fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 5);
    for (line, sixteen) in bytes.chunks(16).enumerate() {
        // Writing to a String cannot fail.
        write!(out, "{:08x}  ", line * 16).ok();
        for place in 0..16 {
            match sixteen.get(place) {
                Some(byte) => write!(out, "{byte:02x} ").ok(),
                None => write!(out, "   ").ok(),
            };
        }
        let readable = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
        out.push(' ');
        out.extend(sixteen.iter().map(readable));
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_and_nothing_else() {
        let json = r#" {"a":[1.00000000000000000001, {}, [] ,"x: {\"y\", z\\"],"a":null} "#;
        let shown = "{\n  \"a\": [\n    1.00000000000000000001,\n    {},\n    [],\n    \"x: {\\\"y\\\", z\\\\\"\n  ],\n  \"a\": null\n}";
        assert_eq!(indented(json), shown);
        assert_eq!(indented("3"), "3");
    }

    #[test]
    fn the_most_telling_view_comes_first() {
        let view = |bytes: &[u8], wanted| payload(bytes, bytes.len(), wanted).view;
        assert_eq!(view(b"{\"a\":1}", None), View::Json);
        assert_eq!(view(b"{\"a\":1}", Some(View::Text)), View::Text);
        assert_eq!(view(b"{\"a\":", None), View::Text);
        assert_eq!(view(b"\xff\x00", Some(View::Json)), View::Hex);
        // Too deep for a reader is text.
        assert_eq!(view("[".repeat(5000).as_bytes(), None), View::Text);
    }

    #[test]
    fn a_cut_through_a_character_is_no_harm() {
        let bytes = "aü".as_bytes();
        let cut = payload(&bytes[..2], bytes.len(), None);
        assert_eq!((cut.view, cut.shown.as_str()), (View::Text, "a"));
        assert_eq!(payload(&bytes[..2], 2, None).view, View::Hex);
    }

    #[test]
    fn hex_shows_each_byte() {
        assert_eq!(
            payload(b"\xffA<", 3, None).shown.trim_end(),
            format!("00000000  ff 41 3c {} .A<", "   ".repeat(13))
        );
    }
}
