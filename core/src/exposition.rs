//! Prometheus' text format, version 0.0.4: families of samples with their help and type, in a stable order.

use std::fmt::Write;

/// What kind of number a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, and begins at 0 with the server.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How many observations were up to each of some bounds.
    Histogram,
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A family of samples.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
}

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// A value for each label, in their order.
    pub labels: Vec<String>,
    /// What was measured.
    pub value: Value,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number.
    Whole(i64),
    /// A number.
    Number(f64),
    /// How many observations there were up to each bound and above the one before, how many above the last bound, and
    /// their sum.
    Observed(Vec<(f64, u64)>, u64, f64),
}

/// The text.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

impl Exposition {
    /// Adds a family, ordered by its labels; one without samples is left out.
    pub fn put(&mut self, metric: &Metric, mut samples: Vec<Sample>) {
        if samples.is_empty() {
            return;
        }
        samples.sort_by(|one, other| one.labels.cmp(&other.labels));
        self.line(&format!("# HELP {} {}", metric.name, escaped(metric.help, false)));
        self.line(&format!("# TYPE {} {}", metric.name, metric.kind.word()));
        for sample in samples {
            let labels =
                metric.labels.iter().copied().zip(sample.labels.iter().map(String::as_str)).collect::<Vec<_>>();
            match sample.value {
                Value::Whole(number) => self.sample(metric.name, "", &labels, None, &number.to_string()),
                Value::Number(number) => self.sample(metric.name, "", &labels, None, &shown(number)),
                Value::Observed(counts, above, sum) => self.observed(metric.name, &labels, &counts, above, sum),
            }
        }
    }

    /// The whole of it.
    pub fn text(self) -> String {
        self.text
    }

    /// Each bucket counts all that is up to its bound.
    fn observed(&mut self, name: &str, labels: &[(&str, &str)], counts: &[(f64, u64)], above: u64, sum: f64) {
        let mut total = 0;
        for (bound, count) in counts {
            total += count;
            self.sample(name, "_bucket", labels, Some(&shown(*bound)), &total.to_string());
        }
        total += above;
        self.sample(name, "_bucket", labels, Some("+Inf"), &total.to_string());
        self.sample(name, "_sum", labels, None, &shown(sum));
        self.sample(name, "_count", labels, None, &total.to_string());
    }

    fn sample(&mut self, name: &str, suffix: &str, labels: &[(&str, &str)], bound: Option<&str>, value: &str) {
        self.text.push_str(name);
        self.text.push_str(suffix);
        let labels = labels.iter().copied().chain(bound.map(|bound| ("le", bound)));
        for (place, (label, of)) in labels.clone().enumerate() {
            let before = if place == 0 { '{' } else { ',' };
            // Writing to a string cannot fail.
            let _ = write!(self.text, "{before}{label}=\"{}\"", escaped(of, true));
        }
        if labels.count() > 0 {
            self.text.push('}');
        }
        self.text.push(' ');
        self.line(value);
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }
}

/// Text as the format has it; double quotes mean something in labels only.
fn escaped(text: &str, quotes: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '"' if quotes => shown.push_str("\\\""),
            letter => shown.push(letter),
        }
    }
    shown
}

fn shown(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        (if number > 0.0 { "+Inf" } else { "-Inf" }).to_owned()
    } else {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOBS: Metric =
        Metric { name: "jobs", kind: Kind::Gauge, labels: &["entrypoint"], help: "Jobs \\ of\n\"all\" kinds." };

    fn jobs(entrypoint: &str, jobs: i64) -> Sample {
        Sample { labels: vec![entrypoint.to_owned()], value: Value::Whole(jobs) }
    }

    fn text(metric: &Metric, samples: Vec<Sample>) -> String {
        let mut exposition = Exposition::default();
        exposition.put(metric, samples);
        exposition.text()
    }

    #[test]
    fn a_family_has_its_help_and_type_once_and_a_stable_order() {
        let shown = "# HELP jobs Jobs \\\\ of\\n\"all\" kinds.\n# TYPE jobs gauge\n\
                     jobs{entrypoint=\"a\"} -2\njobs{entrypoint=\"b\"} 1\n";
        assert_eq!(text(&JOBS, vec![jobs("b", 1), jobs("a", -2)]), shown);
        assert_eq!(text(&JOBS, vec![jobs("a", -2), jobs("b", 1)]), shown);
        assert_eq!(text(&JOBS, vec![]), "");
    }

    #[test]
    fn a_label_may_hold_anything() {
        for (entrypoint, shown) in [
            ("say \"hi\"", "say \\\"hi\\\""),
            ("a\\b", "a\\\\b"),
            ("a\nb", "a\\nb"),
            ("\\n", "\\\\n"),
            ("größe 🐘\u{1}", "größe 🐘\u{1}"),
            ("} 7", "} 7"),
            ("", ""),
        ] {
            let text = text(&JOBS, vec![jobs(entrypoint, 7)]);
            assert_eq!(text.lines().last(), Some(format!("jobs{{entrypoint=\"{shown}\"}} 7").as_str()));
        }
    }

    #[test]
    fn a_metric_without_labels_has_no_braces() {
        let metric = Metric { name: "up", kind: Kind::Gauge, labels: &[], help: "Up." };
        for (value, shown) in [
            (Value::Number(0.25), "0.25"),
            (Value::Number(3.0), "3"),
            (Value::Number(f64::INFINITY), "+Inf"),
            (Value::Number(f64::NEG_INFINITY), "-Inf"),
            (Value::Number(f64::NAN), "NaN"),
            (Value::Whole(i64::MAX), "9223372036854775807"),
        ] {
            let text = text(&metric, vec![Sample { labels: vec![], value }]);
            assert_eq!(text.lines().last(), Some(format!("up {shown}").as_str()));
        }
    }

    #[test]
    fn a_bucket_counts_all_that_are_below() {
        let metric = Metric { name: "run_seconds", kind: Kind::Histogram, labels: &["e"], help: "Runs." };
        let value = Value::Observed(vec![(0.005, 2), (1.0, 3)], 4, 12.5);
        let shown = "# HELP run_seconds Runs.\n# TYPE run_seconds histogram\n\
                     run_seconds_bucket{e=\"x\",le=\"0.005\"} 2\nrun_seconds_bucket{e=\"x\",le=\"1\"} 5\n\
                     run_seconds_bucket{e=\"x\",le=\"+Inf\"} 9\nrun_seconds_sum{e=\"x\"} 12.5\nrun_seconds_count{e=\"x\"} 9\n";
        assert_eq!(text(&metric, vec![Sample { labels: vec!["x".to_owned()], value }]), shown);
    }
}
