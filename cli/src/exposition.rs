//! What `pgq.metrics()` says, in Prometheus' text format.

use std::collections::BTreeMap;

/// A number and its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// The samples of a page, in their order. A line that cannot be read, which may be of a later version, is left out.
pub fn samples(page: &str) -> Vec<Sample> {
    page.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect()
}

fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    let rest = match rest.strip_prefix('{') {
        Some(rest) => take_labels(rest, &mut labels)?,
        None => rest,
    };
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample { name: name.to_owned(), labels, value })
}

/// `name="value",…}`, and what is behind it.
fn take_labels<'a>(mut rest: &'a str, labels: &mut BTreeMap<String, String>) -> Option<&'a str> {
    loop {
        rest = rest.trim_start_matches(',');
        if let Some(rest) = rest.strip_prefix('}') {
            return Some(rest);
        }
        let (name, quoted) = rest.split_once("=\"")?;
        let (mut value, mut escaped, mut end) = (String::new(), false, None);
        for (place, char) in quoted.char_indices() {
            match (escaped, char) {
                (true, 'n') => value.push('\n'),
                (true, other) => value.push(other),
                (false, '"') => {
                    end = Some(place);
                    break;
                }
                (false, '\\') => {}
                (false, other) => value.push(other),
            }
            escaped = !escaped && char == '\\';
        }
        rest = quoted.get(end? + 1..)?;
        labels.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_whatever_they_contain() {
        let page = "# HELP a b\na 1\nb{x=\"1\",y=\"a\\\"}\\\\\\n, b\"} 2.5\nnothing\nc{x=\"y} 3\nd NaN\n";
        let read = samples(page);
        let names: Vec<&str> = read.iter().map(|sample| sample.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "d"]);
        assert_eq!(read[1].labels["y"], "a\"}\\\n, b");
        assert_eq!((read[0].value, read[1].value), (1.0, 2.5));
    }
}
