//! `pgq.metrics()`, read: Prometheus' text format as this queue writes it.

use std::collections::BTreeMap;

/// One number: a name, labels, a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample<'a> {
    /// Of what it is one.
    pub name: &'a str,
    /// Which one: names, and values without their escapes.
    pub labels: BTreeMap<&'a str, String>,
    /// The number itself.
    pub value: f64,
}

/// All numbers of an exposition. A line that cannot be read is left out: it may be of a later version.
pub fn samples(text: &str) -> impl Iterator<Item = Sample<'_>> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(sample)
}

fn sample(line: &str) -> Option<Sample<'_>> {
    // The value is the last word, and holds no space; a label's may. This queue writes no times behind it.
    let (series, value) = line.trim_end().rsplit_once(' ')?;
    let (name, labels) = match series.split_once('{') {
        None => (series, BTreeMap::new()),
        Some((name, rest)) => (name, labels(rest)?),
    };
    Some(Sample { name, labels, value: value.parse().ok()? })
}

/// `a="x",b="y"}`.
fn labels(mut rest: &str) -> Option<BTreeMap<&str, String>> {
    let mut labels = BTreeMap::new();
    while !rest.starts_with('}') {
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = quoted(after)?;
        labels.insert(name, value);
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    Some(labels)
}

/// A value up to its closing quote, without its escapes, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_come_back_as_they_were() {
        let text = "# HELP x y\nplain 1\nx{entrypoint=\"a\\\"} 7 {\\\\,b=\\n\",outcome=\"failed\"} 2.5\nbroken{a=\"\n";
        let read: Vec<_> = samples(text).collect();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].name, read[0].value), ("plain", 1.0));
        assert_eq!(read[1].labels["entrypoint"], "a\"} 7 {\\,b=\n");
        assert_eq!((read[1].labels["outcome"].as_str(), read[1].value), ("failed", 2.5));
    }
}
