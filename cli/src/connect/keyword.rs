//! `keyword=value keyword='quoted value'`, as libpq reads it.

use super::words::Pair;
use super::wrong;
use crate::error::Result;
use std::iter::Peekable;
use std::str::Chars;

/// The pairs of a text, in their order.
///
/// # Errors
/// [`Error::Usage`](crate::error::Error::Usage), which does not repeat the text: it may hold a password.
pub fn read(text: &str) -> Result<Vec<Pair>> {
    let mut chars = text.chars().peekable();
    let mut pairs = vec![];
    loop {
        while chars.next_if(|char| char.is_whitespace()).is_some() {}
        if chars.peek().is_none() {
            return Ok(pairs);
        }
        let number = pairs.len() + 1;
        let word = until(&mut chars, |char| char == '=' || char.is_whitespace());
        while chars.next_if(|char| char.is_whitespace()).is_some() {}
        if chars.next() != Some('=') {
            return Err(wrong(format!("in the connection string, option {number} is no keyword=value")));
        }
        while chars.next_if(|char| char.is_whitespace()).is_some() {}
        let value = if chars.next_if_eq(&'\'').is_some() { quoted(&mut chars, number)? } else { plain(&mut chars) };
        pairs.push((word, value));
    }
}

fn until(chars: &mut Peekable<Chars>, end: impl Fn(char) -> bool) -> String {
    std::iter::from_fn(|| chars.next_if(|char| !end(*char))).collect()
}

/// Up to white space; a backslash takes the next character as it is.
fn plain(chars: &mut Peekable<Chars>) -> String {
    let mut value = String::new();
    while let Some(char) = chars.next_if(|char| !char.is_whitespace()) {
        value.extend(if char == '\\' { chars.next() } else { Some(char) });
    }
    value
}

/// Up to the closing quote.
fn quoted(chars: &mut Peekable<Chars>, number: usize) -> Result<String> {
    let mut value = String::new();
    loop {
        match chars.next() {
            Some('\'') => return Ok(value),
            Some('\\') => value.extend(chars.next()),
            Some(char) => value.push(char),
            None => return Err(wrong(format!("in the connection string, option {number} lacks its closing quote"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        read(text).unwrap()
    }

    #[test]
    fn reads_what_libpq_reads() {
        let pair = |word: &str, value: &str| (word.to_owned(), value.to_owned());
        assert_eq!(pairs("  host = 'a b'\tport=1"), [pair("host", "a b"), pair("port", "1")]);
        assert_eq!(
            pairs(r"password='it\'s' user=a\ b dbname=''"),
            [pair("password", "it's"), pair("user", "a b"), pair("dbname", "")]
        );
        assert_eq!(pairs(""), []);
    }

    #[test]
    fn no_error_repeats_what_may_be_a_password() {
        for text in ["password=my secret host=x", "password='secret", "secret"] {
            let error = read(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
