//! Tells those who LISTEN: one notification for all commits since the last. The transaction has nothing to lose, so it
//! waits for no flush.

use super::host::{AFTER_FAILURE, Duties, Pause};
use crate::guc::{self, Notify};
use crate::pg::{self, Time};
use crate::shmem::memory;
use pgqueuer_core::claims::Channel;

/// The least time between two rounds, microseconds: what comes in between is told together.
const APART: Time = 5_000;
/// How many channels one transaction notifies.
const SLICE: usize = 64;

/// Notifies. Returns when it is needed next.
pub fn run(duties: &mut Duties, now: Time) -> Option<Time> {
    let relation = duties.relation;
    if let Some(until) = duties.notified.lasts(now) {
        return Some(until);
    }
    if memory::read(|claims| claims.has_channels(relation)) != Some(true) {
        return None;
    }
    let again = now.saturating_add(APART);
    duties.notified = Pause::of(now, APART);
    let mut channels = [Channel::default(); SLICE];
    let taken = memory::change(|claims| claims.take_channels(relation, &mut channels, again)).unwrap_or(0);
    if guc::notify() != Notify::off {
        let told = duties.in_transaction(|| {
            let names = channels.iter().take(taken).filter_map(|channel| std::str::from_utf8(channel.name()).ok());
            names.for_each(|name| pg::notify(name, ""));
            Ok(())
        });
        if !told {
            memory::change(|claims| claims.put_channels_back(relation));
            duties.notified = Pause::of(now, AFTER_FAILURE);
            return duties.notified.lasts(now);
        }
    }
    // Looks once more, so that no commit of a burst need wake it.
    Some(again)
}
