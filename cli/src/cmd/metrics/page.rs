//! Families of samples as text: Prometheus' format 0.0.4, and OpenMetrics 1.0.
//!
//! A family stands in one place, whichever databases it is of. Lines of `pgq.metrics()` stay as they are but for one more
//! label: no number is read and written again.

use std::collections::BTreeMap;

/// How a page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Prometheus,
    OpenMetrics,
}

impl Format {
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// All families, in the order in which they came.
#[derive(Debug, Default)]
pub struct Page {
    families: Vec<Family>,
    places: BTreeMap<String, usize>,
}

#[derive(Debug)]
struct Family {
    name: String,
    kind: String,
    /// With its escapes.
    help: String,
    lines: Vec<String>,
}

impl Page {
    /// Adds a page of `pgq.metrics()`.
    pub fn add(&mut self, page: &str, database: &str) {
        let label = format!("database=\"{}\"", escaped(database));
        let (mut help, mut place) = ("", None);
        for line in page.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                help = rest.split_once(' ').map_or("", |(_, help)| help);
            } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
                place = Some(self.family(name, kind, help));
            } else if let Some(place) = place {
                self.put(place, labelled(line, &label));
            }
        }
    }

    /// Adds a sample of a gauge.
    pub fn gauge(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        let place = self.family(name, "gauge", help);
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        self.put(place, format!("{name}{{{}}} {value}", labels.join(",")));
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) -> usize {
        let families = &mut self.families;
        *self.places.entry(name.to_owned()).or_insert_with(|| {
            families.push(Family { name: name.into(), kind: kind.into(), help: help.into(), lines: vec![] });
            families.len() - 1
        })
    }

    fn put(&mut self, place: usize, line: String) {
        if let Some(family) = self.families.get_mut(place) {
            family.lines.push(line);
        }
    }

    pub fn text(&self, format: Format) -> String {
        let mut text = String::new();
        for family in self.families.iter().filter(|family| !family.lines.is_empty()) {
            family.write(&mut text, format);
        }
        if format == Format::OpenMetrics {
            text.push_str("# EOF\n");
        }
        text
    }
}

impl Family {
    fn write(&self, text: &mut String, format: Format) {
        let (name, kind, help) = match format {
            Format::Prometheus => (self.name.as_str(), self.kind.as_str(), self.help.clone()),
            // There, a family of counters has a name of its own, and quotes mean something everywhere.
            Format::OpenMetrics => {
                let (name, kind) = match (self.kind.as_str(), self.name.strip_suffix("_total")) {
                    ("counter", Some(short)) => (short, "counter"),
                    ("counter" | "untyped", _) => (self.name.as_str(), "unknown"),
                    (kind, _) => (self.name.as_str(), kind),
                };
                (name, kind, self.help.replace('"', "\\\""))
            }
        };
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        for line in &self.lines {
            match (format, self.kind.as_str()) {
                (Format::OpenMetrics, "histogram") => text.push_str(&with_canonical_bound(line)),
                _ => text.push_str(line),
            }
            text.push('\n');
        }
    }
}

/// A line with one more label, before its own.
fn labelled(line: &str, label: &str) -> String {
    let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap_or(line.len()));
    match rest.strip_prefix('{') {
        Some(labels) => format!("{name}{{{label},{labels}"),
        None => format!("{name}{{{label}}}{rest}"),
    }
}

/// OpenMetrics writes the bound 1 as 1.0. It is the last label.
fn with_canonical_bound(line: &str) -> String {
    let whole = || {
        let (before, rest) = line.rsplit_once("le=\"")?;
        let (bound, after) = rest.split_once('"')?;
        bound.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("{before}le=\"{bound}.0\"{after}"))
    };
    whole().unwrap_or_else(|| line.to_owned())
}

/// The value of a label.
pub fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP jobs_total Jobs.\n# TYPE jobs_total counter\njobs_total{entrypoint=\"a\"} 9223372036854775807\n\
                        # HELP up Up.\n# TYPE up gauge\nup 1\n# HELP run_seconds Runs.\n# TYPE run_seconds histogram\n\
                        run_seconds_bucket{entrypoint=\"le=\\\"\",le=\"0.5\"} 1\nrun_seconds_bucket{entrypoint=\"le=\\\"\",le=\"1\"} 2\n\
                        run_seconds_bucket{entrypoint=\"le=\\\"\",le=\"+Inf\"} 2\nrun_seconds_sum{entrypoint=\"le=\\\"\"} 1\n";

    fn page() -> Page {
        let mut page = Page::default();
        page.add(PAGE, "a\"\\\n");
        page.add("# HELP up Up.\n# TYPE up gauge\nup 1\n", "b");
        page
    }

    #[test]
    fn a_family_stands_in_one_place_whatever_databases_it_is_of() {
        let text = page().text(Format::Prometheus);
        assert_eq!(
            text.matches("# TYPE up gauge\nup{database=\"a\\\"\\\\\\n\"} 1\nup{database=\"b\"} 1\n").count(),
            1,
            "{text}"
        );
        assert!(
            text.contains("jobs_total{database=\"a\\\"\\\\\\n\",entrypoint=\"a\"} 9223372036854775807\n"),
            "{text}"
        );
        assert!(text.contains("entrypoint=\"le=\\\"\",le=\"1\"} 2\n") && !text.contains("EOF"), "{text}");
    }

    #[test]
    fn openmetrics_has_other_names_of_counters_and_bounds_and_an_end() {
        let text = page().text(Format::OpenMetrics);
        assert!(text.contains("# TYPE jobs counter\njobs_total{"), "{text}");
        assert!(text.contains("entrypoint=\"le=\\\"\",le=\"1.0\"} 2\n") && text.contains("le=\"0.5\"} 1\n"), "{text}");
        assert!(text.contains("run_seconds_sum{database=\"a\\\"\\\\\\n\",entrypoint=\"le=\\\"\"} 1\n"), "{text}");
        assert!(text.ends_with("\n# EOF\n"));
    }
}
