//! Option words, and the nearest one for a hint.

/// Finds `given` among `allowed` and returns what stands beside it.
///
/// # Errors
/// The allowed words, nearest first, separated by commas: ready for a hint.
pub fn parse<T: Copy>(given: &str, allowed: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, value)) = allowed.iter().find(|(word, _)| *word == given) {
        return Ok(*value);
    }
    let mut words: Vec<&str> = allowed.iter().map(|(word, _)| *word).collect();
    words.sort_by_key(|word| distance(&given.to_lowercase(), word));
    Err(words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", "))
}

/// How many letters must be put in, taken out or changed to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().take(64).enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for ((b, diagonal), above) in other.iter().zip(&row).zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(a != *b)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [(&str, u8); 3] = [("raise", 0), ("skip", 1), ("replace", 2)];

    #[test]
    fn a_known_word_is_read() {
        assert_eq!(parse("skip", &WORDS), Ok(1));
    }

    #[test]
    fn the_nearest_word_comes_first() {
        assert_eq!(parse("replcae", &WORDS), Err("\"replace\", \"raise\", \"skip\"".to_owned()));
        assert_eq!(parse("Skip", &WORDS), Err("\"skip\", \"raise\", \"replace\"".to_owned()));
    }
}
