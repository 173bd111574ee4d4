//! Runs the checker, and says what it found.

use stateright::{Checker, HasDiscoveries, Model};
use std::fmt::Debug;
use std::hash::Hash;

/// Walks through all states: every invariant holds in each, and what must be reachable is reached.
///
/// # Panics
/// Where an invariant does not hold; what is printed is the shortest way there.
pub fn holds<M>(world: &str, model: &M)
where
    M: Model + Clone + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    let checker = model.clone().checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    println!("{world}: {} states", checker.unique_state_count());
    for truth in model.properties() {
        let found = checker.discovery(truth.name).is_some();
        if found != truth.expectation.discovery_is_failure() {
            continue;
        }
        if found {
            finds(world, model, truth.name);
        }
        panic!("{world}: not \"{}\"", truth.name);
    }
}

/// Walks until the invariant is broken, and prints by which steps, as few as there can be.
///
/// # Panics
/// Where the invariant holds in all states.
pub fn finds<M>(fault: &str, model: &M, truth: &'static str)
where
    M: Model + Clone + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    let mut shortest = None;
    let mut within = usize::MAX;
    // The checker walks a little further than its first finding and keeps the last: ask again for a shorter one.
    loop {
        let search =
            model.clone().checker().target_max_depth(within).finish_when(HasDiscoveries::AnyOf([truth].into()));
        let checker = search.spawn_bfs().join();
        let Some(path) = checker.discovery(truth) else { break };
        let path = path.into_vec();
        within = path.len();
        shortest = Some((path, checker.unique_state_count()));
    }
    let Some((path, states)) = shortest else { panic!("{fault}: \"{truth}\" holds in all states") };
    println!("{fault}: not \"{truth}\" after {} steps, {states} states", path.len() - 1);
    for (world, action) in path {
        let step = action.and_then(|action| model.format_step(&world, action));
        step.iter().for_each(|step| println!("    {step}"));
    }
}
