//! The end of what a program has written, as a text that can be kept and shown.

use crate::text::harmless_lines;

/// So much of it is kept, in bytes.
const KEPT: usize = 8 * 1024;
/// So many bytes a line has that goes into a sentence.
const IN_A_SENTENCE: usize = 300;

/// The last bytes of a stream, however long that is.
#[derive(Debug, Default)]
pub struct Tail {
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Tail {
    pub fn push(&mut self, more: &[u8]) {
        let start = more.len().saturating_sub(KEPT);
        self.bytes.extend_from_slice(more.get(start..).unwrap_or_default());
        let spare = self.bytes.len().saturating_sub(KEPT);
        self.bytes.drain(..spare);
        self.is_cut |= start + spare > 0;
    }

    /// Its lines, whole ones where there are: without colours, control characters left out, what else is hidden made visible, what is no UTF-8 as U+FFFD.
    pub fn text(&self) -> String {
        let kept = match self.bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) if self.is_cut && end + 1 < self.bytes.len() => self.bytes.get(end + 1..).unwrap_or_default(),
            _ => &self.bytes,
        };
        let text = String::from_utf8_lossy(kept);
        let text = anstream::adapter::strip_str(&text).to_string();
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        harmless_lines(text.trim_matches(|char: char| char.is_whitespace() || char == '\0')).into_owned()
    }
}

/// The last line of a text in which there is anything: most programs end with what is wrong.
pub fn last_line(text: &str) -> Option<&str> {
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    (0..=line.len().min(IN_A_SENTENCE)).rev().find_map(|end| line.get(..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(parts: &[&[u8]]) -> String {
        let mut tail = Tail::default();
        parts.iter().for_each(|part| tail.push(part));
        tail.text()
    }

    #[test]
    fn however_much_is_written_the_last_lines_are_kept() {
        let lines: Vec<String> = (0..100_000).map(|n| format!("line {n}\n")).collect();
        let kept = text(&lines.iter().map(|line| line.as_bytes()).collect::<Vec<_>>());
        assert!(kept.len() <= KEPT && kept.starts_with("line ") && kept.ends_with("line 99999"), "{kept}");
        let whole = text(&[lines.concat().as_bytes()]);
        assert_eq!(whole, kept);
        assert_eq!(text(&[&vec![b'x'; 1 << 20]]).len(), KEPT, "one line without an end");
    }

    #[test]
    fn what_a_terminal_would_obey_is_made_visible_or_gone() {
        assert_eq!(text(&[b"\x1b[31mred\x1b[0m\r\n", b"10 %\r20 %\r\n\n"]), "red\n10 %\n20 %");
        assert_eq!(text(&[b"a\0b\x07 \xff \xe2\x80\xae c \x9b31m"]), "ab \u{FFFD} \\u{202e} c \u{FFFD}31m");
        assert_eq!(text(&[b"\0\0 \n"]), "");
        assert_eq!(text(&[&[0; 1 << 20], b"why\n"]), "why");
    }

    #[test]
    fn the_last_line_says_most() {
        assert_eq!(
            last_line("Traceback\n  File x\nValueError: no such address\n\n"),
            Some("ValueError: no such address")
        );
        assert_eq!(last_line(" \n"), None);
        assert_eq!(last_line(&"ü".repeat(400)).unwrap().len(), IN_A_SENTENCE);
    }
}
