//! The claims in hand: what runs, what is to be finished, and whom to tell when a claim is lost.

use crate::backend::Claim;
use crate::job::Job;
use crate::telemetry;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::SetOnce;
use tokio_util::sync::CancellationToken;

/// All claims of a worker, by job.
#[derive(Default)]
pub(super) struct Hand(Mutex<State>);

#[derive(Default)]
struct State {
    claims: HashMap<i64, Held>,
    /// Numbers claims: a job that was given back comes again in the same attempt.
    next: u64,
}

#[derive(Clone)]
struct Held {
    number: u64,
    attempt: i32,
    canceled: CancellationToken,
    /// Set when its handler has ended, whatever came of it.
    over: Arc<SetOnce<()>>,
}

impl Held {
    /// Whether its handler runs and has not been told to end.
    fn runs(&self) -> bool {
        !self.over.initialized() && !self.canceled.is_cancelled()
    }
}

/// A claim as its task knows it.
#[derive(Clone)]
pub(super) struct Grip {
    pub claim: Claim,
    number: u64,
    /// Tells the handler that nobody waits for it any more.
    pub canceled: CancellationToken,
    over: Arc<SetOnce<()>>,
    /// The handler of an earlier claim on this job, which was lost, still runs until this is set.
    pub earlier: Option<Arc<SetOnce<()>>>,
}

/// What was in hand at a moment.
pub(super) struct Snapshot(Vec<(i64, u64)>);

impl Snapshot {
    pub(super) fn ids(&self) -> Vec<i64> {
        self.0.iter().map(|(id, _)| *id).collect()
    }
}

impl Hand {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A job was claimed. An older claim on it is lost: the server gives no job away twice.
    pub(super) fn take(&self, job: &Job) -> Grip {
        let mut state = self.state();
        state.next += 1;
        let (canceled, over) = (CancellationToken::new(), Arc::new(SetOnce::new()));
        let held = Held { number: state.next, attempt: job.attempts, canceled: canceled.clone(), over: over.clone() };
        let number = held.number;
        let earlier = state.claims.insert(job.id, held).map(|earlier| {
            earlier.canceled.cancel();
            earlier.over
        });
        if earlier.is_none() {
            telemetry::in_hand(1.0);
        }
        Grip { claim: Claim { id: job.id, attempt: job.attempts }, number, canceled, over, earlier }
    }

    /// The handler has ended.
    pub(super) fn over(&self, grip: &Grip) {
        // It is the only one who sets it.
        grip.over.set(()).ok();
    }

    /// The claim is finished, or lost and over.
    pub(super) fn leave(&self, grip: &Grip) {
        let mut state = self.state();
        if state.claims.get(&grip.claim.id).is_some_and(|held| held.number == grip.number) {
            state.claims.remove(&grip.claim.id);
            telemetry::in_hand(-1.0);
        }
    }

    /// The queue says that these jobs are not ours any more, whichever claim it was.
    pub(super) fn canceled(&self, ids: &[i64]) {
        let state = self.state();
        ids.iter().filter_map(|id| state.claims.get(id)).for_each(|held| held.canceled.cancel());
    }

    /// Of what was in hand at that moment, these are not ours any more.
    pub(super) fn lost(&self, then: &Snapshot, ids: &[i64]) -> usize {
        let ids: HashSet<_> = ids.iter().collect();
        let state = self.state();
        let lost = then.0.iter().filter(|(id, _)| ids.contains(id));
        let held = lost.filter_map(|(id, number)| state.claims.get(id).filter(|held| held.number == *number));
        held.filter(|held| held.runs()).map(|held| held.canceled.cancel()).count()
    }

    /// Nothing that runs is ours any more, as far as we know. What has ended may still be finished in time. Returns the
    /// claims.
    pub(super) fn give_up(&self) -> Vec<Claim> {
        let state = self.state();
        let running = state.claims.iter().filter(|(_, held)| held.runs());
        running
            .map(|(id, held)| {
                held.canceled.cancel();
                Claim { id: *id, attempt: held.attempt }
            })
            .collect()
    }

    /// The jobs of those of these claims in whose place there is a newer one.
    pub(super) fn stale(&self, grips: &[Grip]) -> HashSet<i64> {
        let state = self.state();
        let is_newer = |grip: &&Grip| state.claims.get(&grip.claim.id).is_some_and(|held| held.number != grip.number);
        grips.iter().filter(is_newer).map(|grip| grip.claim.id).collect()
    }

    /// What is in hand, lost or not.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot(self.state().claims.iter().map(|(id, held)| (*id, held.number)).collect())
    }

    /// What is still ours.
    pub(super) fn claims(&self) -> Vec<Claim> {
        let state = self.state();
        let ours = state.claims.iter().filter(|(_, held)| !held.canceled.is_cancelled());
        ours.map(|(id, held)| Claim { id: *id, attempt: held.attempt }).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state().claims.is_empty()
    }
}

impl Drop for Hand {
    /// A life that ends without an answer of the queue leaves claims behind.
    fn drop(&mut self) {
        let left = self.state().claims.len();
        (0..left).for_each(|_| telemetry::in_hand(-1.0));
    }
}
