//! Text of unknown origin, made harmless for a terminal.

use std::borrow::Cow;
use std::fmt::Write;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Control characters (with them every terminal escape) and those that turn the direction of text, as `\u{1b}`. A line break
/// and a tab, too: a table has one line a row.
pub fn harmless(text: &str) -> Cow<'_, str> {
    made_harmless(text, is_harmful)
}

/// The same for a text of several lines, whose breaks and tabs stay.
pub fn harmless_lines(text: &str) -> Cow<'_, str> {
    made_harmless(text, |char| is_harmful(char) && !matches!(char, '\n' | '\t'))
}

fn made_harmless(text: &str, harms: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&harms) {
        return text.into();
    }
    let mut harmless = String::with_capacity(text.len());
    for char in text.chars() {
        if harms(char) {
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
        || matches!(char, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// How many columns of a terminal a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// As much of a text as `most` columns of a terminal take, and an ellipsis where there is more.
pub fn short(text: &str, most: usize) -> Cow<'_, str> {
    // No character is narrower than a byte is long, but for those without any width.
    if text.len() <= most || width(text) <= most {
        return text.into();
    }
    let mut taken = 0;
    let fits = |char: &char| {
        taken += char.width().unwrap_or(0);
        taken < most
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    cut.push('…');
    cut.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_escape_reaches_the_terminal() {
        assert_eq!(harmless("plain ü 漢"), "plain ü 漢");
        assert_eq!(harmless("\x1b]0;owned\x07\u{9b}31m\n"), "\\u{1b}]0;owned\\u{7}\\u{9b}31m\\n");
        assert_eq!(harmless("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(harmless("\u{61c}\u{e0041}"), "\\u{61c}\\u{e0041}");
        assert_eq!(harmless_lines("a\n\tb\r\x1b"), "a\n\tb\\r\\u{1b}");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(short("äöü", 3), "äöü");
        assert_eq!(short("äöüß", 3), "äö…");
        assert_eq!(short("漢漢漢", 5), "漢漢…");
        assert_eq!(short("漢漢漢", 6), "漢漢漢");
    }
}
