//! Retention: the log's ring turns and its oldest table is emptied; failed jobs that were held for long are deleted.
//!
//! It does one step a run, so that the other duties come in between, and waits for nobody: what is in the way of a TRUNCATE
//! (a reader, a dump) is waited for some milliseconds, because everybody who reads the log waits behind it, and then asked
//! again after pauses that grow. Whoever ends a job writes another table and waits for nothing.

use super::host::{Duties, Pause};
use crate::error::Error;
use crate::job::prune;
use crate::pg::Time;
use crate::pg::spi::{Parameter, Row};
use crate::{guc, statement};
use pgqueuer_core::retention::{Ring, Step, TABLES, patience};

/// How many failed jobs one transaction deletes.
const SLICE: usize = 100;

/// When either half is needed next.
#[derive(Debug, Default)]
pub struct Pruner {
    log: Rest,
    failed: Rest,
    /// Jobs that were held since before that are deleted, or were passed over: the next slice begins there.
    from: Option<Time>,
}

/// A pause that a change of the setting ends.
#[derive(Debug, Default)]
struct Rest {
    pause: Pause,
    /// The setting that it was made with.
    retention: Option<Time>,
    /// How often in a row something was in the way.
    refused: u32,
}

impl Rest {
    fn lasts(&self, now: Time, retention: Time) -> Option<Time> {
        self.pause.lasts(now).filter(|_| self.retention == Some(retention))
    }

    /// Rests until then; where something was in the way (`None`), for longer each time.
    fn until(&mut self, until: Option<Time>, now: Time, retention: Time) -> Option<Time> {
        let until = until.unwrap_or_else(|| now.saturating_add(patience(self.refused).pause));
        self.retention = Some(retention);
        self.pause = Pause::of(now, until.saturating_sub(now));
        Some(until)
    }
}

/// Does the next step of what is due. Returns when it is needed next.
pub fn run(duties: &mut Duties, now: Time) -> Option<Time> {
    [log(duties, now), failed(duties, now)].into_iter().flatten().min()
}

fn log(duties: &mut Duties, now: Time) -> Option<Time> {
    let retention = guc::log_retention()?;
    if let Some(until) = duties.pruner.log.lasts(now, retention) {
        return Some(until);
    }
    let (mut until, refused) = (now, duties.pruner.log.refused);
    let done = duties.in_transaction(|| {
        let (ring, filled) = ring()?;
        match ring.map_or(Step::Write(Ring::new(now)), |ring| ring.next(filled, now, retention)) {
            Step::Write(ring) => write(&ring)?,
            Step::Empty(table, ring) => {
                let parameters = [number(table).into(), patience(refused).lock.into()];
                statement::EMPTY_LOG.run(&parameters, |_| Ok(()))?;
                write(&ring)?;
            }
            Step::Wait(next) => until = next,
        }
        Ok(())
    });
    let rest = &mut duties.pruner.log;
    let answer = rest.until(done.then_some(until), now, retention);
    rest.refused = if done { 0 } else { refused.saturating_add(1) };
    answer
}

/// The ring as it is written down, if it is, and which of its tables have rows.
fn ring() -> Result<(Option<Ring>, [bool; TABLES]), Error> {
    statement::LOG_RING.run(&[], |rows| {
        let mut filled = [false; TABLES];
        let mut left = [None; TABLES];
        for (row, (filled, left)) in rows.iter().zip(filled.iter_mut().zip(left.iter_mut())) {
            (*filled, *left) = (row.is(5), row.time(4));
        }
        let written = |row: Row| Some((usize::try_from(row.int(2)?).ok()?, row.time(3)?));
        let ring = rows.first().and_then(written).map(|(current, since)| Ring { current, since, left });
        Ok((ring, filled))
    })
}

fn write(ring: &Ring) -> Result<(), Error> {
    let parameters =
        [number(ring.current).into(), Parameter::time(ring.since), Parameter::times(ring.left.iter().copied())];
    statement::WRITE_LOG_RING.run(&parameters, |_| Ok(()))
}

fn number(table: usize) -> i32 {
    i32::try_from(table).unwrap_or(0)
}

fn failed(duties: &mut Duties, now: Time) -> Option<Time> {
    let retention = guc::failed_retention()?;
    if let Some(until) = duties.pruner.failed.lasts(now, retention) {
        return Some(until);
    }
    let (relation, from) = (duties.relation, duties.pruner.from.take().unwrap_or(Time::MIN));
    let (until, mut oldest, mut full) = (now.saturating_sub(retention), None, false);
    let done = duties.in_transaction(|| {
        full = prune::failed(relation, from, until, SLICE)? == SLICE;
        oldest = prune::oldest(if full { from } else { Time::MIN })?;
        Ok(())
    });
    // The last slice begins at the head again, and so meets those that were passed over.
    duties.pruner.from = oldest.filter(|oldest| full && *oldest <= until);
    // One that is held from now on is due after its retention, not before.
    let next = if full { now } else { oldest.unwrap_or(now).saturating_add(retention) };
    let in_the_way = !done || (!full && next <= now);
    let rest = &mut duties.pruner.failed;
    let answer = rest.until((!in_the_way).then_some(next.max(now)), now, retention);
    rest.refused = if in_the_way { rest.refused.saturating_add(1) } else { 0 };
    answer
}
