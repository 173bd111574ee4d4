//! Why a job is not running, in a sentence or two, and what would make it run. Facts in, words out.
//!
//! Several reasons can hold at once; the one that is told is the first of: gone, held, picked, not due, nothing can be
//! claimed here, paused, behind its ordering key, locked, held back, a limit, no room, nobody asks, others come first.

mod fact;

pub use fact::{Ahead, Asked, By, Due, First, Here, Hold, Holder, Last, Memory, Moment, Row};

use crate::claims::Refusal;

/// So much of an error is shown, characters.
const ERROR_MOST: usize = 200;

/// Why the job is not running. `others` tells that jobs of other producers are not shown to who asks.
pub fn sentence(id: i64, row: Option<&Row>, last: Option<&Last>, others: bool) -> String {
    match (row, last) {
        (None, None) => unknown(id, others),
        (None, Some(last)) => ended(id, last),
        (Some(row), last) => {
            if row.held {
                held(id, last)
            } else {
                live(id, row, last)
            }
        }
    }
}

fn unknown(id: i64, others: bool) -> String {
    let why = if others { "forgotten by the log, or enqueued by another role" } else { "or forgotten by the log" };
    format!("Job {id} is not known: never enqueued, rolled back, {why}.")
}

fn ended(id: i64, last: &Last) -> String {
    let Last { outcome, attempt, error, at } = last;
    let attempt = match outcome.as_str() {
        "canceled" | "deleted" => String::new(),
        _ => format!(", in attempt {}", attempt + 1),
    };
    let error = error.as_ref().map_or(String::new(), |error| format!(", with the error {}", quoted(error)));
    format!("Job {id} has ended: {outcome} at {}{attempt}{error}. To run it again, enqueue it again.", ago(at))
}

fn held(id: i64, last: Option<&Last>) -> String {
    let why = last.filter(|last| last.outcome == "failed").map_or(String::new(), |last| {
        let error = last.error.as_ref().map_or(String::new(), |error| format!(" with {}", quoted(error)));
        format!(" since {}: attempt {} failed{error}", ago(&last.at), last.attempt + 1)
    });
    format!("Job {id} is held as failed{why}. SELECT pgq.requeue('{{{id}}}') queues it again, pgq.delete removes it.")
}

fn live(id: i64, row: &Row, last: Option<&Last>) -> String {
    let Row { entrypoint, due, .. } = row;
    let holder = if let Memory::Here(here) = &row.memory { here.holder.as_ref() } else { None };
    if let Some(holder) = holder {
        return format!("Job {id} is {}. {}", picked(holder), until_free(holder));
    }
    let since = match due {
        Due::At(at) => return deferred(id, at, row, last),
        Due::Never => {
            return format!(
                "Job {id} is deferred for ever: its execute_after is infinity. SELECT pgq.reschedule('{{{id}}}') makes it due now."
            );
        }
        Due::Since(since) => ago(since),
    };
    match &row.memory {
        Memory::Absent => format!(
            "Job {id} is due since {since}, but the library pgqueuer is not preloaded, so nothing can be claimed. Add shared_preload_libraries = 'pgqueuer' to postgresql.conf and restart the server."
        ),
        Memory::Elsewhere => format!(
            "Job {id} is due since {since}, but this is a standby, which hands out nothing. Whether a worker holds the job is known on the primary only: ask there."
        ),
        _ if row.paused => format!(
            "Job {id} waits because its entrypoint is paused. SELECT pgq.resume({}) lets it run.",
            literal(entrypoint)
        ),
        Memory::Here(_) if row.behind.is_some() => row.behind.as_ref().map_or(String::new(), |first| behind(id, first)),
        Memory::Here(_) if row.locked => format!(
            "Job {id} is passed over because a transaction that is still open has locked or changed its row. It can be claimed when that has ended."
        ),
        Memory::Here(here) => here
            .refusal
            .map_or_else(|| ready(id, entrypoint, &since, here), |refusal| refused(id, entrypoint, refusal, here)),
    }
}

fn picked(holder: &Holder) -> String {
    let attempt = holder.attempt + 1;
    let since = ago(&holder.since);
    match &holder.worker {
        By::Session(process) => {
            format!("picked: attempt {attempt}, by the session with process {process} since {since}")
        }
        By::Named(uuid, heard, _) => format!(
            "picked: attempt {attempt}, by the named worker {uuid} since {since}, last heard of {} ago",
            duration(heard.away)
        ),
        By::Gone(uuid) => format!("picked: attempt {attempt}, by the worker {uuid} since {since}"),
    }
}

fn until_free(holder: &Holder) -> String {
    match (holder.state, &holder.worker) {
        (Hold::Lost, _) | (_, By::Gone(_)) => {
            "That worker is gone: the job is queued again as soon as the attempt has been counted.".to_owned()
        }
        (Hold::Open, _) => "The transaction that claimed it is still open.".to_owned(),
        (Hold::Ending, _) => "A transaction that is still open is ending the claim.".to_owned(),
        (Hold::Stands, By::Session(_)) => "It is queued again if that session ends before the job does.".to_owned(),
        (Hold::Stands, By::Named(_, _, ends)) => {
            format!("It is queued again if nothing is heard of that worker until {}.", ahead_of_us(ends))
        }
    }
}

fn deferred(id: i64, at: &Moment, row: &Row, last: Option<&Last>) -> String {
    let now = format!("SELECT pgq.reschedule('{{{id}}}') makes it due now.");
    let at = ahead_of_us(at);
    let Some(last) = last.filter(|last| last.outcome == "retried" && last.attempt + 1 == row.attempts) else {
        return format!("Job {id} is deferred until {at}. {now}");
    };
    let attempt = last.attempt + 1;
    let why = if row.failures > 0 { "failed" } else { "gave it back to be tried again" };
    let error = last.error.as_ref().map_or(String::new(), |error| format!(" with {}", quoted(error)));
    format!("Job {id} waits until {at}, to be tried again: attempt {attempt} {why}{error}. {now}")
}

fn behind(id: i64, first: &First) -> String {
    let state = match (&first.holder, &first.due) {
        (Some(holder), _) => picked(holder),
        (None, Due::At(at)) => format!("not due until {}", ahead_of_us(at)),
        (None, Due::Never) => "deferred for ever".to_owned(),
        (None, Due::Since(_)) => "queued".to_owned(),
    };
    let key = quoted(&first.key);
    let other = first.id;
    format!(
        "Job {id} waits for job {other}, the first with the ordering key {key}, which is {state}. It can be claimed when job {other} has ended or is held as failed."
    )
}

fn refused(id: i64, entrypoint: &str, refusal: Refusal, here: &Here) -> String {
    let name = literal(entrypoint);
    match refusal {
        Refusal::Resting => here.rest.as_ref().map_or_else(
            || format!("Job {id} is held back for a moment because its claims were rolled back."),
            |(count, until)| format!(
                "Job {id} is held back until {} because its claims were rolled back, {count} times in a row. It runs when its worker's transaction commits.",
                ahead_of_us(until)
            ),
        ),
        Refusal::KeyBusy => format!(
            "Job {id} waits because another job with its ordering key is picked. It can be claimed when that has ended."
        ),
        Refusal::LimitReached => format!(
            "Job {id} waits because the concurrency limit of its entrypoint is reached: {} of {} are in flight. It can be claimed when one of them ends, or when pgq.configure({name}, concurrency_limit => ...) raises the limit.",
            here.in_flight.0, here.in_flight.1
        ),
        Refusal::RateSpent => here.rate.as_ref().map_or_else(
            || format!("Job {id} waits because the rate limit of its entrypoint is spent."),
            |(claims, period, refills)| format!(
                "Job {id} waits because the rate limit of its entrypoint is spent: {claims} per {}. The next claim is possible at {}.",
                duration(*period), ahead_of_us(refills)
            ),
        ),
        Refusal::RatesFull => format!(
            "Job {id} waits because memory has no room for the rate limit of another entrypoint. It runs when one of those has made no claim for its period; pgqueuer.max_claims sizes that room."
        ),
        Refusal::Taken | Refusal::WorkerFull | Refusal::TableFull => format!(
            "Job {id} waits because memory has no room for its claim: {} of {} are taken, and the last eighth is for databases that hold little. It runs when claims end, or with a higher pgqueuer.max_claims.",
            here.room.0, here.room.1
        ),
    }
}

fn ready(id: i64, entrypoint: &str, since: &str, here: &Here) -> String {
    let call = format!("SELECT * FROM pgq.dequeue(ARRAY[{}])", literal(entrypoint));
    let waiting = match here.waiting {
        0 => String::new(),
        1 => ", and one session waits for its entrypoint".to_owned(),
        many => format!(", and {many} sessions wait for its entrypoint"),
    };
    let asked = match &here.asked {
        Asked::Never if here.waiting == 0 => {
            return format!(
                "Job {id} is due since {since}, but no worker has asked for its entrypoint since the server started. It runs when one calls {call}."
            );
        }
        Asked::Before(at) if here.waiting == 0 => {
            return format!(
                "Job {id} is due since {since}, but no worker has asked for its entrypoint since {}. It runs when one calls {call}.",
                ago(at)
            );
        }
        Asked::Since(at) | Asked::Before(at) => {
            format!("a worker last asked for its entrypoint {} ago", duration(at.away))
        }
        Asked::Never => "no worker has asked for its entrypoint yet".to_owned(),
        Asked::Unknown => {
            "whether workers ask for its entrypoint is not known, because there are more than pgqueuer.max_entrypoints"
                .to_owned()
        }
    };
    let order = match here.ahead {
        Ahead::Exactly(0) => "it is the next of its entrypoint".to_owned(),
        Ahead::Exactly(1) => "one job of its entrypoint is ahead of it".to_owned(),
        Ahead::Exactly(count) => format!("{count} jobs of its entrypoint are ahead of it"),
        Ahead::AtLeast(count) => format!("at least {count} jobs of its entrypoint are ahead of it"),
    };
    format!("Job {id} can be claimed since {since}: {order}, {asked}{waiting}.")
}

fn ago(moment: &Moment) -> String {
    format!("{} ({} ago)", moment.shown, duration(moment.away))
}

fn ahead_of_us(moment: &Moment) -> String {
    format!("{} (in {})", moment.shown, duration(moment.away))
}

/// A length of time in its two largest units, such as `3 min 5 s`.
pub fn duration(microseconds: i64) -> String {
    let milliseconds = microseconds.max(0) / 1000;
    let units = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)];
    let largest = units.iter().position(|(_, length)| milliseconds >= *length).unwrap_or(units.len() - 1);
    let mut left = milliseconds;
    let mut parts = vec![];
    for (unit, length) in units.iter().skip(largest).take(2) {
        let count = left / length;
        left %= length;
        // Milliseconds beside seconds say nothing to a person.
        if parts.is_empty() || (count > 0 && *unit != "ms") {
            parts.push(format!("{count} {unit}"));
        }
    }
    parts.join(" ")
}

/// Text of a caller's in one line, not too long.
fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(ERROR_MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(ERROR_MOST).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

/// Text as SQL writes it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
