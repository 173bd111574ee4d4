//! Which entrypoints are told: those of an application, and only so many, whatever comes to be enqueued. Each has some forty
//! numbers, which Prometheus keeps for weeks.

use super::page::escaped;
use std::collections::BTreeSet;

/// What is told of each database.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Goes off the names; entrypoints without it are not told.
    pub prefix: String,
    /// How many entrypoints at most.
    pub most: usize,
}

/// Those of one database that are told. One that is told stays so for as long as the database knows it: a counter that comes
/// and goes would seem to begin anew.
#[derive(Debug, Default)]
pub struct Choice {
    /// As they stand in the page, without the prefix.
    told: BTreeSet<String>,
    pub left_out: usize,
}

impl Choice {
    /// The lines of a page that are told.
    pub fn of(&mut self, page: &str, limits: &Limits) -> String {
        self.renew(page, limits);
        let mut told = String::with_capacity(page.len());
        for line in page.lines().filter_map(|line| self.line(line, limits)) {
            told.push_str(&line);
            told.push('\n');
        }
        told
    }

    fn renew(&mut self, page: &str, limits: &Limits) {
        let prefix = escaped(&limits.prefix);
        let known: BTreeSet<&str> =
            page.lines().filter_map(entrypoint).filter_map(|name| name.strip_prefix(prefix.as_str())).collect();
        self.told.retain(|name| known.contains(name.as_str()));
        for name in &known {
            // The empty name stands for all that the server has no room for.
            if self.told.len() < limits.most || name.is_empty() {
                self.told.insert((*name).to_owned());
            }
        }
        self.left_out = known.len() - self.told.len();
    }

    /// A line of samples as it is told; none where it is not.
    fn line(&self, line: &str, limits: &Limits) -> Option<String> {
        let Some(name) = entrypoint(line) else { return Some(line.to_owned()) };
        let short = name.strip_prefix(escaped(&limits.prefix).as_str())?;
        self.told.contains(short).then(|| line.replacen(&format!("{BEFORE}{name}\""), &format!("{BEFORE}{short}\""), 1))
    }
}

/// It is the first label wherever there is one.
const BEFORE: &str = "{entrypoint=\"";

/// The name of the entrypoint that a line is about, with its escapes.
fn entrypoint(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(line.split('{').next()?)?.strip_prefix(BEFORE)?;
    let mut escape = false;
    let end = rest.find(|char| {
        let ends = char == '"' && !escape;
        escape = char == '\\' && !escape;
        ends
    });
    rest.get(..end?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_with_their_escapes() {
        assert_eq!(
            entrypoint("a{entrypoint=\"x\\\"} 7 {entrypoint=\\\"y\\\\\",le=\"1\"} 2"),
            Some("x\\\"} 7 {entrypoint=\\\"y\\\\")
        );
        assert_eq!(entrypoint("a{of=\"{entrypoint=\\\"x\\\"}\"} 1"), None);
        assert_eq!(entrypoint("a 1"), None);
    }

    #[test]
    fn an_application_sees_its_own_under_their_short_names() {
        let limits = Limits { prefix: "a\"".into(), most: 9 };
        let page = "x{entrypoint=\"a\\\"mail\",le=\"1\"} 1\nx{entrypoint=\"b\"} 2\nx{entrypoint=\"\"} 3\ny{of=\"z\"} 4";
        let mut choice = Choice::default();
        assert_eq!(choice.of(page, &limits), "x{entrypoint=\"mail\",le=\"1\"} 1\ny{of=\"z\"} 4\n");
        assert_eq!(choice.left_out, 0);
    }

    #[test]
    fn who_was_told_first_stays_until_it_is_gone() {
        let limits = Limits { prefix: String::new(), most: 2 };
        let mut choice = Choice::default();
        let page =
            |names: &[&str]| names.iter().map(|name| format!("x{{entrypoint=\"{name}\"}} 1\n")).collect::<String>();
        choice.of(&page(&["c", "d"]), &limits);
        assert_eq!(choice.of(&page(&["", "a", "c", "d"]), &limits), page(&["", "c", "d"]));
        assert_eq!(choice.left_out, 1);
        assert_eq!(choice.of(&page(&["a", "b", "d"]), &limits), page(&["a", "d"]));
        assert_eq!(choice.left_out, 1);
    }
}
