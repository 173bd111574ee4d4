//! Text of unknown origin, made harmless for a terminal.

use std::borrow::Cow;
use std::fmt::Write;

/// Control characters (with them every terminal escape) and those that turn the direction of text, as `\u{1b}`. A line break
/// and a tab, too: a table has one line a row.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return text.into();
    }
    let mut harmless = String::with_capacity(text.len());
    for char in text.chars() {
        if is_harmful(char) {
            // Writing to a String cannot fail.
            write!(harmless, "{}", char.escape_default()).ok();
        } else {
            harmless.push(char);
        }
    }
    harmless.into()
}

fn is_harmful(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// The first `most` characters, and an ellipsis where there are more.
pub fn short(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => text.into(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_escape_reaches_the_terminal() {
        assert_eq!(harmless("plain ü 漢"), "plain ü 漢");
        assert_eq!(harmless("\x1b]0;owned\x07\u{9b}31m\n"), "\\u{1b}]0;owned\\u{7}\\u{9b}31m\\n");
        assert_eq!(harmless("a\u{202e}b"), "a\\u{202e}b");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(short("äöü", 3), "äöü");
        assert_eq!(short("äöü", 2), "äö…");
    }
}
