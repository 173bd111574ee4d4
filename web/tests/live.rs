//! Events: a word when something changed, none while nothing does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test ends with a panic")]

mod site;

use pgqueuer_e2e::ask::{complete, dequeue, enqueue};
use pgqueuer_e2e::until::{until, until_within};
use site::{Site, site};
use std::io::{BufRead, BufReader};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The events of one viewer, as they come.
fn viewer(site: &Site) -> Receiver<String> {
    let response = ureq::get(site.url("/events")).call().unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let (sender, events) = channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(response.into_body().into_reader()).lines();
        for line in lines.map_while(Result::ok) {
            let Some(event) = line.strip_prefix("event: ") else { continue };
            if sender.send(event.to_owned()).is_err() {
                return;
            }
        }
    });
    assert_eq!(events.recv_timeout(Duration::from_secs(5)).unwrap(), "hello");
    events
}

fn next(events: &Receiver<String>) {
    until("a change is told", || events.try_recv().ok().filter(|event| event == "change"));
}

#[test]
fn what_changes_is_told_to_every_viewer() {
    let mut site = site();
    enqueue(&mut site.sql, "fetch", 1);
    let viewers = [viewer(&site), viewer(&site)];
    viewers.iter().for_each(next);
    // By a notification.
    let ids = enqueue(&mut site.sql, "fetch", 1);
    viewers.iter().for_each(next);
    // By the tick: nothing is notified of these.
    let held = dequeue(&mut site.sql, "fetch", 2);
    viewers.iter().for_each(next);
    complete(&mut site.sql, &held);
    viewers.iter().for_each(next);
    assert!(held.contains(&ids[0]));
    // By an action, to those who did not act.
    site.done("pause", &[("name", "fetch")]);
    viewers.iter().for_each(next);
}

#[test]
fn a_burst_is_one_event_or_two() {
    let mut site = site();
    let events = viewer(&site);
    next(&events);
    for _ in 0..200 {
        enqueue(&mut site.sql, "fetch", 5);
    }
    next(&events);
    let figures = || site.get("/entrypoints").body.contains(">1,000<").then_some(());
    until_within(Duration::from_secs(15), "all are counted", figures);
    assert!(events.try_iter().count() <= 6);
}

#[test]
fn while_nothing_changes_nothing_is_fetched() {
    let site = site();
    let events = viewer(&site);
    next(&events);
    // A minute is a change of its own: the charts move on.
    let quiet = events.recv_timeout(Duration::from_secs(8));
    assert!(quiet.is_err(), "{quiet:?}");
}
