//! A new life of the server: what receipts keep, and who loads them.
//!
//! A crash empties the claim table. Named workers are other processes: they live on and believe what they believed. So a
//! claim that is older than `receipt_after` is written down by the database worker, and struck out when it has ended.
//!
//! ```text
//! first call of a life, whoever makes it      database worker                     release
//! 1 take the lock of loading                  1 mark claims, committed ones only  1 fence: mark "ending"
//! 2 receipts whose row says the same attempt  2 INSERT the receipts               2 DELETE the receipt, if marked;
//! 3 enter them, marked; the life has loaded     DELETE those without a claim        waits for one being inserted
//!   only now: claim, end, look, write           COMMIT                            3 COMMIT, callback
//! ```
//!
//! A complete, a retry and a lost lease change the row: the receipt says another attempt, or there is no row. A release
//! changes nothing that lasts, so it must strike its receipt out itself.
//!
//! - `client`  a named worker: claim, complete, retry, release
//! - `server`  loading, the crash, the database worker, an operator
//!
//! One job; commits are one step here, the `protocol` module has them in full.

mod client;
mod server;

use crate::fault::Fault;
use stateright::{Model, Property};

/// Two clients, each a named worker that survives the server.
const CLIENTS: usize = 2;

/// A long claim outlives the server.
pub const KEPT: &str = "a job with a receipt is given to nobody else, is not deleted, and its worker may end it";
/// No claim is loaded whose worker has nothing to do with the job.
pub const BELIEVED: &str = "at rest a claim is one that its worker knows of";

/// Named workers, an operator, the database worker, and a server that crashes.
#[derive(Debug, Clone)]
pub struct Restart {
    /// How often each client may ask for the job.
    pub claims: u8,
    /// How often the server may crash.
    pub crashes: u8,
    /// How often the database worker writes receipts.
    pub writes: u8,
    /// How often it releases a claim whose lease has run out.
    pub sweeps: u8,
    /// Which rule is broken.
    pub fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Receipt {
    worker: usize,
    attempt: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Claim {
    worker: usize,
    attempt: u8,
    ending: bool,
    /// A receipt of it is there, or is being written.
    written: bool,
}

/// How a client ends its claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// The row goes.
    Complete,
    /// The row is of the next attempt.
    Retry,
    /// The row stays as it is.
    Release,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Idle,
    /// Has asked for the job.
    Dequeue,
    /// Has published a claim.
    LookAgain,
    /// Has asked for the end of what it believes to hold.
    Fence(End),
    /// The end has begun.
    Change(End),
    /// The commit is visible, the callback has to end the claim.
    Callback,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Client {
    /// The attempt of the job that it works on, as it believes.
    believes: Option<u8>,
    step: Step,
    claims_left: u8,
}

/// What the database worker has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Writer {
    Idle,
    /// A receipt is inserted, not committed; the claim is marked before or, with a fault, after.
    Inserting(Receipt),
    /// A receipt is deleted, not committed.
    Striking,
    /// A claim is being released: its row is locked.
    Sweeping,
    /// That is visible, the callback has to run.
    Swept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operator {
    Idle,
    /// Has locked the row, to delete the job if nobody holds it.
    Locked,
    Done,
}

/// Shared memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Memory {
    loaded: bool,
    claim: Option<Claim>,
}

/// A state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    /// The job's row: the attempts so far.
    row: Option<u8>,
    receipt: Option<Receipt>,
    memory: Memory,
    clients: [Client; CLIENTS],
    writer: Writer,
    operator: Operator,
    /// Whose claim the last crash must have left standing, as its receipt says.
    kept: Option<usize>,
    /// Something was done to a job that was kept.
    wronged: bool,
    crashes_left: u8,
    writes_left: u8,
    sweeps_left: u8,
}

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Shared memory, sessions and open transactions are gone.
    Crash,
    /// A client asks for the job.
    Dequeue(usize),
    /// A client ends what it believes to hold.
    End(usize, End),
    /// A client's session goes one step on.
    Go(usize),
    /// The database worker writes a receipt, or strikes one out.
    Write,
    /// The database worker releases the claim: its lease has run out.
    Sweep,
    /// The database worker goes one step on.
    WriterGoes,
    /// Its transaction fails.
    WriterFails,
    /// With a fault: the database worker loads the receipts when it comes to it.
    WriterLoads,
    /// The operator goes one step on with the deletion of a queued job.
    Delete,
}

impl World {
    fn locked(&self) -> bool {
        self.operator == Operator::Locked || self.writer == Writer::Sweeping
    }

    /// Whether the transaction that made the claim is open.
    fn open(&self) -> bool {
        self.memory.claim.is_some_and(|claim| self.clients[claim.worker].step == Step::LookAgain)
    }

    fn at_rest(&self) -> bool {
        let clients = self.clients.iter().all(|client| client.step == Step::Idle);
        clients && self.writer == Writer::Idle && self.operator != Operator::Locked
    }
}

impl Model for Restart {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let client = Client { believes: None, step: Step::Idle, claims_left: self.claims };
        vec![World {
            row: Some(0),
            receipt: None,
            memory: Memory { loaded: false, claim: None },
            clients: [client; CLIENTS],
            writer: Writer::Idle,
            operator: Operator::Idle,
            kept: None,
            wronged: false,
            crashes_left: self.crashes,
            writes_left: self.writes,
            sweeps_left: self.sweeps,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (number, client) in world.clients.iter().enumerate() {
            if client.step != Step::Idle {
                actions.push(Action::Go(number));
                continue;
            }
            if client.claims_left > 0 {
                actions.push(Action::Dequeue(number));
            }
            if client.believes.is_some() {
                actions.extend([End::Complete, End::Retry, End::Release].map(|end| Action::End(number, end)));
            }
        }
        if world.writer != Writer::Idle {
            actions.push(Action::WriterGoes);
            actions.extend((world.writer != Writer::Swept).then_some(Action::WriterFails));
        } else {
            actions.extend((world.writes_left > 0).then_some(Action::Write));
            actions.extend((world.sweeps_left > 0).then_some(Action::Sweep));
            actions.extend((self.fault == Fault::LoadedInOwnTime).then_some(Action::WriterLoads));
        }
        actions.extend((world.operator != Operator::Done).then_some(Action::Delete));
        actions.extend((world.crashes_left > 0).then_some(Action::Crash));
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        match action {
            Action::Crash => world.crash(),
            Action::Dequeue(number) => {
                world.clients[number].claims_left -= 1;
                world.clients[number].step = Step::Dequeue;
            }
            Action::End(number, end) => world.clients[number].step = Step::Fence(end),
            Action::Go(number) => self.go(&mut world, number)?,
            Action::Write => self.write(&mut world)?,
            Action::Sweep => self.sweep(&mut world)?,
            Action::WriterGoes => Self::writer_goes(&mut world),
            Action::WriterFails => world.writer_fails(),
            Action::WriterLoads => world.load(self.fault),
            Action::Delete => self.delete(&mut world)?,
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(KEPT, |_, world: &World| !world.wronged),
            Property::always(BELIEVED, |_, world: &World| {
                let known = |claim: Claim| world.clients[claim.worker].believes == Some(claim.attempt) && !claim.ending;
                !world.at_rest() || world.memory.claim.is_none_or(known)
            }),
            Property::sometimes("a claim outlives a crash", |_, world: &World| {
                world.kept.is_some() && world.memory.claim.is_some()
            }),
            Property::sometimes("a young claim does not", |model, world: &World| {
                let believes = world.clients.iter().any(|client| client.believes.is_some());
                world.crashes_left < model.crashes && believes && world.memory.loaded && world.memory.claim.is_none()
            }),
        ]
    }

    fn format_step(&self, world: &World, action: Action) -> Option<String> {
        Some(match action {
            Action::Go(number) => format!("Go({number}) from {:?}", world.clients[number].step),
            Action::WriterGoes => format!("WriterGoes from {:?}", world.writer),
            action => format!("{action:?}"),
        })
    }
}
