//! The dashboard and the alerts ask for what there is.

use crate::exporter::{promtool, samples};
use crate::metrics::work;
use crate::pgq::{Folder, pgq};
use pgqueuer_e2e::ask::run;
use pgqueuer_e2e::cluster::database;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(docs(name)).unwrap()
}

fn dashboard() -> Value {
    serde_json::from_str(&read("grafana/pgqueuer.json")).unwrap()
}

/// Each expression of the dashboard as Grafana sends it, with its panel.
fn expressions() -> Vec<(String, String)> {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| {
        let title = panel["title"].as_str().unwrap().to_owned();
        panel["targets"].as_array().cloned().unwrap_or_default().into_iter().map(move |target| (title.clone(), target))
    });
    targets.map(|(title, target)| (title, target["expr"].as_str().unwrap().to_owned())).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_')
}

#[test]
fn promtool_accepts_the_alerts_and_their_tests_pass() {
    let path = |name: &str| docs(name).to_str().unwrap().to_owned();
    assert_eq!(promtool(&["check", "rules", &path("prometheus/alerts.yml")], ""), "");
    assert_eq!(promtool(&["test", "rules", &path("prometheus/alerts_test.yml")], ""), "");
    assert_eq!(promtool(&["check", "config", "--syntax-only", &path("prometheus/prometheus.yml")], ""), "");
    let (alerts, tests) = (read("prometheus/alerts.yml"), read("prometheus/alerts_test.yml"));
    let alerts: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 8);
    for alert in alerts {
        assert!(
            tests.contains(&format!("alertname: {alert}\n        exp_alerts:\n          - ")),
            "{alert} is never tested to fire"
        );
    }
}

#[test]
fn promtool_can_parse_each_expression_of_the_dashboard() {
    let folder = Folder::new();
    let mut rules = "groups:\n- name: dashboard\n  rules:\n".to_owned();
    let expressions = expressions();
    assert!(expressions.len() > 30);
    for (place, (_, expression)) in expressions.iter().enumerate() {
        let sent = expression.replace("$__rate_interval", "5m").replace("$instance", ".*").replace("$database", ".*");
        let sent = sent.replace("$entrypoint", ".*");
        assert!(!sent.contains('$'), "{sent}");
        rules += &format!("  - record: panel_{place}\n    expr: {}\n", Value::from(sent));
    }
    assert_eq!(promtool(&["check", "rules", &folder.file("rules.yml", &rules)], ""), "");
    let broken = rules.replacen("expr: \"", "expr: \"sum(", 1);
    assert_ne!(promtool(&["check", "rules", &folder.file("broken.yml", broken)], ""), "", "it finds what is wrong");
}

#[test]
fn every_metric_and_label_that_is_asked_for_is_in_a_real_scrape() {
    let database = database();
    work(&database, "fetch");
    pgq(&database, &["schedules", "add", "soon", "@daily"]).ok();
    run(&mut database.connect(), "UPDATE pgq.schedules SET last_tick = now()");
    let page = pgq(&database, &["metrics"]).ok();
    let (mut metrics, mut labels) = (BTreeSet::new(), BTreeSet::from(["instance", "job"].map(str::to_owned)));
    for series in samples(&page).into_keys() {
        let (name, rest) = series.split_once('{').unwrap();
        metrics.insert(name.to_owned());
        labels.extend(rest.split("=\"").filter_map(|part| part.rsplit(['{', ',']).next()).map(str::to_owned));
    }
    let dashboard = read("grafana/pgqueuer.json");
    let variables = dashboard.lines().filter(|line| line.contains("label_values"));
    let asked = expressions().into_iter().map(|(_, expression)| expression).collect::<Vec<_>>().join("\n");
    let asked = format!("{asked}\n{}\n{}", variables.collect::<Vec<_>>().join("\n"), read("prometheus/alerts.yml"));
    let asked_for: BTreeSet<&str> = words(&asked).filter(|word| word.starts_with("pgqueuer_")).collect();
    assert!(asked_for.len() > 20, "{asked_for:?}");
    for metric in asked_for {
        assert!(metrics.contains(metric), "{metric} is in no scrape");
    }
    // In braces and after by, on.
    let selectors =
        asked.split('{').skip(1).filter_map(|rest| rest.split('}').next()).filter(|inside| inside.contains('"'));
    let of_selectors =
        selectors.flat_map(|inside| inside.split(',')).filter_map(|matcher| matcher.split(['=', '!']).next());
    let groups = [" by (", " on ("].iter().flat_map(|word| asked.split(word).skip(1));
    let of_groups = groups.filter_map(|rest| rest.split(')').next()).flat_map(|inside| inside.split(','));
    for label in of_selectors.chain(of_groups).map(str::trim) {
        assert!(labels.contains(label) || label == "le", "{label} is no label of a scrape");
    }
}

#[test]
fn the_dashboard_can_be_imported_anywhere() {
    let dashboard = dashboard();
    assert!(dashboard["id"].is_null() && dashboard["schemaVersion"].as_i64().unwrap() >= 36);
    let variables: Vec<&str> =
        dashboard["templating"]["list"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(variables, ["datasource", "instance", "database", "entrypoint"]);
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_i64().unwrap()), "{panel}");
        let place = &panel["gridPos"];
        assert!(place["x"].as_i64().unwrap() + place["w"].as_i64().unwrap() <= 24, "{panel}");
        for target in panel["targets"].as_array().unwrap_or(&vec![]) {
            assert_eq!(target["datasource"]["uid"], "${datasource}");
        }
    }
    let titles = read("grafana/pgqueuer.json");
    for title in
        ["Throughput", "Backlog by entrypoint", "Oldest wait", "In flight", "Retries", "Workers", "Schedules", "Health"]
    {
        assert!(titles.contains(&format!("\"title\": \"{title}")), "{title}");
    }
}
