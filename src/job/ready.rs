//! Would `pgq.dequeue` hand out a job now? Its own choice, without a claim.

use super::candidate::{Candidate, Candidates};
use super::gate::{Gates, Terms};
use super::touched::{CLAIMABLE, Settled, XMAX};
use crate::error::Error;
use crate::lease::Caller;
use crate::pg::spi::Parameter;
use crate::pg::{self, Time};
use crate::shmem::memory;
use crate::statement;
use pgqueuer_core::claims::{QueueKey, Refusal};

/// When a row that somebody has locked is looked at again, microseconds.
const LOCKED: Time = 100_000;
/// When one looks again where a table in memory is full, microseconds: nobody tells when it is no longer.
const FULL: Time = 1_000_000;
/// How many free jobs that cannot be handed out are passed over.
const PASSED_MOST: usize = 1000;

/// What a look came to.
#[derive(Debug, Clone, Copy)]
pub enum Look {
    /// A job of this entrypoint can be claimed.
    Ready(QueueKey),
    /// None. Whatever changes that will wake who waits, but for what is to be looked at again at a time.
    Nothing(Option<Time>),
}

/// Looks.
///
/// # Errors
/// [`Error::Broken`].
pub fn look(caller: Caller, names: &[String]) -> Result<Look, Error> {
    let terms = Terms { caller, named: false, lease: None, max_in_flight: None };
    let (gates, now) = (Gates::of(&caller, names)?, pg::now());
    let mut candidates = Candidates::of(gates.open(), now, 1);
    let look = terms.find(&gates, &mut candidates, now)?;
    candidates.finish();
    Ok(look)
}

impl Terms {
    fn find(&self, gates: &Gates, candidates: &mut Candidates, now: Time) -> Result<Look, Error> {
        let mut again: Option<Time> = None;
        let mut look_again = |at: Time| again = Some(again.map_or(at, |again| again.min(at)));
        let mut passed = 0;
        while let Some((place, candidate)) = candidates.next()? {
            if passed == PASSED_MOST {
                look_again(now.saturating_add(LOCKED));
                break;
            }
            let Some((source, gate)) = gates.get(place) else { break };
            let request = self.request(source, gate, &candidate, now);
            match memory::read(|claims| claims.could_publish(&request)) {
                Some(Ok(())) if can_be_handed_out(&candidate)? => {
                    candidates.leave(place, &candidate);
                    return Ok(Look::Ready(source.queue));
                }
                Some(Ok(())) => {
                    passed += 1;
                    candidates.leave(place, &candidate);
                    look_again(now.saturating_add(LOCKED));
                }
                Some(Err(Refusal::RateSpent)) => {
                    let refills = memory::read(|claims| {
                        claims.rate_refills(&source.queue, now, gate.rate.map_or(0, |rate| rate.claims))
                    })
                    .flatten();
                    look_again(refills.unwrap_or(now.saturating_add(LOCKED)));
                    candidates.set_aside(place, candidate);
                }
                Some(Err(Refusal::LimitReached)) => {
                    // The place may have come free meanwhile.
                    if memory::change(|claims| claims.wants_place(&request)) == Some(Ok(())) {
                        look_again(now);
                    }
                    candidates.set_aside(place, candidate);
                }
                Some(Err(Refusal::RatesFull)) => {
                    look_again(now.saturating_add(FULL));
                    candidates.set_aside(place, candidate);
                }
                Some(Err(Refusal::KeyBusy | Refusal::Resting)) => {
                    passed += 1;
                    candidates.leave(place, &candidate);
                }
                Some(Err(Refusal::Taken)) => {}
                Some(Err(Refusal::WorkerFull | Refusal::TableFull)) | None => {
                    look_again(now.saturating_add(FULL));
                    break;
                }
            }
        }
        Ok(Look::Nothing(again))
    }
}

/// Whether the row is still what was seen, and nobody has locked it.
fn can_be_handed_out(candidate: &Candidate) -> Result<bool, Error> {
    let id = candidate.id;
    let Some(xmax) = look_at(id)? else { return Ok(false) };
    if xmax == 0 {
        return Ok(true);
    }
    let settled = Settled::of(&[(id, xmax)])?;
    Ok(look_at(id)?.is_some_and(|xmax| settled.is_free(id, xmax)))
}

/// Who touched the row, if it can be claimed.
fn look_at(id: i64) -> Result<Option<u32>, Error> {
    let parameters = [vec![id].into(), Parameter::time(pg::now())];
    statement::LOOK.run(&parameters, |rows| Ok(rows.first().filter(|row| row.is(CLAIMABLE)).map(|row| row.xid(XMAX))))
}
