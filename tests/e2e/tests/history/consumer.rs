//! A consumer: it claims and ends at random, in and outside transactions, loses its session now and then, and writes
//! down what it was told.

use crate::run::{ENTRYPOINTS, Run};
use pgqueuer_e2e::history::{Claim, End, Fate, History, Loss, Moment, Outcome};
use postgres::types::ToSql;
use postgres::{Client, Row};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use std::time::Duration;
use uuid::Uuid;

/// How long a named worker may be silent. The short one is for those that go away without a word.
const LEASE: Duration = Duration::from_secs(2);
const SHORT_LEASE: Duration = Duration::from_millis(300);

/// The session is gone. What was sent last may or may not have been done.
pub struct Gone {
    /// From when on nothing is certain: when that was sent, or when the session was killed.
    at: Moment,
}

struct Answer {
    sent: Moment,
    answered: Moment,
    rows: Vec<Row>,
}

/// What a transaction has done so far: claims by their place, and ends.
#[derive(Default)]
struct Open {
    claims: Vec<usize>,
    ends: Vec<(usize, End)>,
}

pub struct Consumer<'a> {
    run: &'a Run<'a>,
    place: usize,
    session: Client,
    /// A named worker; else the session.
    worker: Option<Uuid>,
    /// The session's name as a worker, once it has heard it.
    name: Option<u128>,
    random: StdRng,
    seen: History,
    /// The committed claims that it holds, as far as it knows, by their place among those seen.
    held: Vec<usize>,
    open: Option<Open>,
}

impl<'a> Consumer<'a> {
    pub fn new(run: &'a Run<'a>, place: usize) -> Self {
        let mut random = StdRng::seed_from_u64(run.seed + place as u64);
        let worker = (place % 2 == 1).then(|| Uuid::from_u128(random.random()));
        let session = run.connect(place);
        let seen = History::default();
        Self { run, place, session, worker, name: None, random, seen, held: vec![], open: None }
    }

    /// Works until all jobs have ended.
    pub fn work(mut self) -> History {
        let mut session = self.attach();
        while !self.run.is_over() {
            session = match session.and_then(|()| self.step()) {
                Ok(()) => Ok(()),
                Err(gone) => self.come_back(&gone),
            };
        }
        self.seen
    }

    fn connect(&mut self) {
        self.session = self.run.connect(self.place);
        self.name = None;
    }

    /// Every other named worker ties itself to its session.
    fn attach(&mut self) -> Result<(), Gone> {
        match self.worker.filter(|_| self.place % 4 == 1) {
            Some(worker) => self.ask("SELECT pgq.attach($1)", &[&worker]).map(drop),
            None => Ok(()),
        }
    }

    fn step(&mut self) -> Result<(), Gone> {
        if !self.held.is_empty() {
            return self.end_what_is_held();
        }
        match self.random.random_range(0..100) {
            0..40 => self.claim(LEASE).and_then(|()| self.end_what_is_held()),
            40..60 => self.in_a_transaction(|me| me.claim(LEASE).and_then(|()| me.end_all())),
            60..75 => self.in_a_transaction(|me| me.claim(LEASE)),
            75..85 => self.in_a_transaction(|me| {
                me.undone(|me| me.claim(LEASE))?;
                me.claim(LEASE)?;
                me.undone(Self::end_all)
            }),
            85..98 => self.claim(LEASE),
            _ => self.go_away(),
        }
    }

    fn end_what_is_held(&mut self) -> Result<(), Gone> {
        match self.random.random_range(0..10) {
            0..6 => self.end_all(),
            6..8 => self.in_a_transaction(Self::end_all),
            _ => self.in_a_transaction(|me| {
                me.undone(Self::end_all)?;
                me.end_all()
            }),
        }
    }

    /// A worker that dies, or forgets what it holds.
    fn go_away(&mut self) -> Result<(), Gone> {
        self.claim(SHORT_LEASE)?;
        let lost: Vec<usize> = self.held.drain(..).collect();
        if self.worker.is_some() {
            self.take_another_name();
            return self.attach();
        }
        let now = self.now_or_killed();
        self.lose(&lost, now, Loss::Surely);
        if self.random.random_bool(0.5) {
            return self.ask("DISCARD ALL", &[]).map(drop);
        }
        self.connect();
        Ok(())
    }

    /// The session was ended by somebody else: what it held is lost, and so is what its transaction did.
    fn come_back(&mut self, gone: &Gone) -> Result<(), Gone> {
        if let Some(open) = self.open.take() {
            self.lose(&open.claims, gone.at, Loss::Surely);
        }
        if self.worker.is_none() {
            let held: Vec<usize> = self.held.drain(..).collect();
            self.lose(&held, gone.at, Loss::Surely);
        }
        self.connect();
        self.attach()
    }

    /// `until` is the latest moment at which the claims are certain.
    fn lose(&mut self, claims: &[usize], until: Moment, loss: Loss) {
        for place in claims {
            let claim = &mut self.seen.claims[*place];
            claim.until = claim.until.min(until.max(claim.answered));
            // What may have been ended by a call without an answer stays uncertain.
            if claim.loss == Loss::No {
                claim.loss = if self.run.crashing && loss == Loss::Surely { Loss::Perhaps } else { loss };
            }
        }
    }

    fn ask(&mut self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Answer, Gone> {
        let sent = self.run.now();
        match self.session.query(sql, parameters) {
            Ok(rows) => Ok(Answer { sent, answered: self.run.now(), rows }),
            Err(error) => {
                let killed =
                    error.is_closed() || error.code().is_none_or(|code| ["57P01", "57P02"].contains(&code.code()));
                assert!(killed, "consumer {}: {sql}: {error:?}", self.place);
                Err(Gone { at: self.now_or_killed().min(sent) })
            }
        }
    }

    fn now_or_killed(&self) -> Moment {
        self.run.killed(self.place).unwrap_or_else(|| self.run.now())
    }

    /// It does not know what it holds: somebody else takes its place, and its lease runs out.
    fn take_another_name(&mut self) {
        self.worker = self.worker.map(|_| Uuid::from_u128(self.random.random()));
    }

    /// Claims some jobs, and waits a little where there are none.
    fn claim(&mut self, lease: Duration) -> Result<(), Gone> {
        let count = self.random.random_range(1..=ENTRYPOINTS.len());
        let names: Vec<&str> = ENTRYPOINTS.sample(&mut self.random, count).map(|entrypoint| entrypoint.name).collect();
        let most: i32 = self.random.random_range(1..=10);
        let sql = "SELECT id, attempts, worker FROM pgq.dequeue($1, $2, $3, make_interval(secs => $4))";
        let (worker, lease) = (self.worker, self.worker.map(|_| lease));
        let seconds = lease.map(|lease| lease.as_secs_f64());
        let answer = self.ask(sql, &[&names, &most, &worker, &seconds]);
        if answer.is_err() {
            self.seen.unanswered.push(worker.map(|worker| worker.as_u128()).or(self.name));
            self.take_another_name();
        }
        let answer = answer?;
        for row in &answer.rows {
            let until = lease.map_or(Moment::MAX, |lease| (answer.sent + lease).max(answer.answered));
            let place = self.seen.claims.len();
            self.name = worker.is_none().then(|| row.get::<_, Uuid>(2).as_u128());
            self.seen.claims.push(Claim {
                job: row.get(0),
                attempt: row.get(1),
                worker: row.get::<_, Uuid>(2).as_u128(),
                lease,
                sent: answer.sent,
                answered: answer.answered,
                until,
                loss: Loss::No,
                undone: false,
            });
            self.open.as_mut().map_or(&mut self.held, |open| &mut open.claims).push(place);
        }
        if answer.rows.is_empty() && self.open.is_none() {
            self.ask("CALL pgq.wait($1, '100 ms')", &[&names])?;
        }
        Ok(())
    }

    fn in_a_transaction(&mut self, act: impl FnOnce(&mut Self) -> Result<(), Gone>) -> Result<(), Gone> {
        self.ask("BEGIN", &[])?;
        self.open = Some(Open::default());
        act(self)?;
        if self.random.random_bool(0.8) { self.commit() } else { self.roll_back() }
    }

    fn commit(&mut self) -> Result<(), Gone> {
        let answer = self.ask("COMMIT", &[]);
        let open = self.open.take().unwrap_or_default();
        self.held.extend(&open.claims);
        let (sent, answered) = match &answer {
            Ok(answer) => (answer.sent, answer.answered),
            Err(gone) => (gone.at, self.run.now()),
        };
        for (place, mut end) in open.ends {
            (end.sent, end.answered) = (sent, answered);
            self.ended(place, end, answer.is_ok());
        }
        if answer.is_err() && !open.claims.is_empty() {
            self.lose(&open.claims, sent, Loss::Perhaps);
            self.held.retain(|place| !open.claims.contains(place));
            self.take_another_name();
        }
        answer.map(drop)
    }

    fn roll_back(&mut self) -> Result<(), Gone> {
        let answer = self.ask("ROLLBACK", &[]);
        let open = self.open.take().unwrap_or_default();
        self.give_back(&open.claims, answer)
    }

    /// Claims were rolled back, or the session ended in the middle of that.
    fn give_back(&mut self, claims: &[usize], answer: Result<Answer, Gone>) -> Result<(), Gone> {
        match &answer {
            Ok(answer) => self.lose(claims, answer.sent, Loss::No),
            Err(gone) => self.lose(claims, gone.at, Loss::Perhaps),
        }
        claims.iter().for_each(|place| self.seen.claims[*place].undone = true);
        answer.map(drop)
    }

    /// Acts and rolls back to where it began.
    fn undone(&mut self, act: impl FnOnce(&mut Self) -> Result<(), Gone>) -> Result<(), Gone> {
        self.ask("SAVEPOINT s", &[])?;
        let before = self.open.as_ref().map_or((0, 0), |open| (open.claims.len(), open.ends.len()));
        act(self)?;
        let answer = self.ask("ROLLBACK TO s", &[]);
        let claims = self.open.as_mut().map_or_else(Vec::new, |open| {
            open.ends.truncate(before.1);
            open.claims.split_off(before.0)
        });
        self.give_back(&claims, answer)
    }

    /// Ends everything that it holds, in several calls of several kinds.
    fn end_all(&mut self) -> Result<(), Gone> {
        let ended = self.open.iter().flat_map(|open| &open.ends).map(|(place, _)| *place);
        let ended: Vec<usize> = ended.collect();
        let open = self.open.iter().flat_map(|open| &open.claims);
        let mut mine: Vec<usize> =
            self.held.iter().chain(open).copied().filter(|place| !ended.contains(place)).collect();
        mine.shuffle(&mut self.random);
        while !mine.is_empty() {
            let some = mine.split_off(mine.len() - self.random.random_range(1..=mine.len()));
            match self.random.random_range(0..100) {
                0..35 => self.complete_many(&some)?,
                35..50 => self.finish(&some)?,
                50..55 => self.release(&some)?,
                55..60 => self.end_what_is_not_held(&some)?,
                60..75 => some.iter().try_for_each(|place| self.fail(*place))?,
                75..85 => some.iter().try_for_each(|place| self.retry(*place))?,
                _ => some.iter().try_for_each(|place| self.complete(*place))?,
            }
        }
        Ok(())
    }

    /// Carries out a call that ends claims, and reads from its answer what became of each.
    fn end(
        &mut self,
        (sql, parameters): (&str, &[&(dyn ToSql + Sync)]),
        places: &[usize],
        possible: &[Vec<Outcome>],
        read: impl Fn(&Row, &Claim) -> Option<Vec<Outcome>>,
    ) -> Result<(), Gone> {
        let answer = self.ask(sql, parameters);
        for (place, possible) in places.iter().zip(possible) {
            let Claim { job, attempt, worker, .. } = self.seen.claims[*place];
            let (sent, answered, outcomes, fate) = match &answer {
                Ok(answer) => match read(&answer.rows[0], &self.seen.claims[*place]) {
                    Some(outcomes) => (answer.sent, answer.answered, outcomes, Fate::Yes),
                    None => (answer.sent, answer.answered, possible.clone(), Fate::No),
                },
                // A transaction that is cut off has done nothing.
                Err(_) if self.open.is_some() => continue,
                Err(gone) => (gone.at, self.run.now(), possible.clone(), Fate::Unknown),
            };
            let end = End { job, attempt, worker, outcomes, sent, answered, fate };
            match &mut self.open {
                Some(open) => open.ends.push((*place, end)),
                None => self.ended(*place, end, true),
            }
        }
        answer.map(drop)
    }

    /// A call was carried out and committed; where the commit got no answer, perhaps.
    fn ended(&mut self, place: usize, mut end: End, committed: bool) {
        if !committed && end.fate == Fate::Yes {
            end.fate = Fate::Unknown;
        }
        if end.fate != Fate::No {
            self.lose(&[place], end.sent, if end.fate == Fate::Unknown { Loss::Perhaps } else { Loss::No });
        }
        if end.fate != Fate::Unknown || self.worker.is_none() {
            self.held.retain(|held| *held != place);
        }
        self.seen.ends.push(end);
    }

    /// The ids and attempts of claims.
    fn named(&self, places: &[usize]) -> (Vec<i64>, Vec<Option<i32>>) {
        places.iter().map(|place| &self.seen.claims[*place]).map(|claim| (claim.job, Some(claim.attempt))).unzip()
    }

    fn complete(&mut self, place: usize) -> Result<(), Gone> {
        let (job, worker, outcomes) = (self.seen.claims[place].job, self.worker, vec![Outcome::Successful]);
        let call: (&str, &[&(dyn ToSql + Sync)]) = ("SELECT pgq.complete($1, $2)", &[&job, &worker]);
        self.end(call, &[place], &[outcomes], |row, _| row.get::<_, bool>(0).then(|| vec![Outcome::Successful]))
    }

    fn complete_many(&mut self, places: &[usize]) -> Result<(), Gone> {
        let ((ids, attempts), worker) = (self.named(places), self.worker);
        let possible = vec![vec![Outcome::Successful]; places.len()];
        self.end(
            ("SELECT pgq.complete_many($1, $2, $3)", &[&ids, &worker, &attempts]),
            places,
            &possible,
            |row, claim| row.get::<_, Vec<i64>>(0).contains(&claim.job).then(|| vec![Outcome::Successful]),
        )
    }

    fn finish(&mut self, places: &[usize]) -> Result<(), Gone> {
        let words =
            [("successful", Outcome::Successful), ("exception", Outcome::Exception), ("failed", Outcome::Failed)];
        let ((ids, attempts), worker) = (self.named(places), self.worker);
        let chosen: Vec<_> = ids.iter().map(|_| *words.choose(&mut self.random).unwrap()).collect();
        let outcomes: Vec<&str> = chosen.iter().map(|(word, _)| *word).collect();
        let possible: Vec<Vec<Outcome>> = chosen.iter().map(|(_, outcome)| vec![*outcome]).collect();
        let call: (&str, &[&(dyn ToSql + Sync)]) =
            ("SELECT pgq.finish($1, $2, worker => $3, attempts => $4)", &[&ids, &outcomes, &worker, &attempts]);
        self.end(call, places, &possible, |row, claim| {
            let place = ids.iter().position(|id| *id == claim.job)?;
            row.get::<_, Vec<i64>>(0).contains(&claim.job).then(|| possible[place].clone())
        })
    }

    fn release(&mut self, places: &[usize]) -> Result<(), Gone> {
        let ((ids, attempts), worker) = (self.named(places), self.worker);
        let call: (&str, &[&(dyn ToSql + Sync)]) = ("SELECT pgq.release($1, $2, $3)", &[&ids, &worker, &attempts]);
        self.end(call, places, &vec![vec![]; places.len()], |row, claim| {
            row.get::<_, Vec<i64>>(0).contains(&claim.job).then(Vec::new)
        })
    }

    fn fail(&mut self, place: usize) -> Result<(), Gone> {
        let (job, worker) = (self.seen.claims[place].job, self.worker);
        let possible = vec![Outcome::Retried, Outcome::Failed, Outcome::Exception];
        let call: (&str, &[&(dyn ToSql + Sync)]) =
            ("SELECT pgq.fail($1, 'broken', worker => $2)::text", &[&job, &worker]);
        self.end(call, &[place], &[possible], |row, _| {
            row.get::<_, Option<String>>(0).map(|status| match status.as_str() {
                "queued" => vec![Outcome::Retried],
                "failed" => vec![Outcome::Failed],
                _ => vec![Outcome::Exception],
            })
        })
    }

    fn retry(&mut self, place: usize) -> Result<(), Gone> {
        let (job, attempt, worker) = (self.seen.claims[place].job, self.seen.claims[place].attempt, self.worker);
        let delay: f64 = if self.random.random_bool(0.5) { 0.0 } else { self.random.random_range(0.0..0.05) };
        let sql = "SELECT pgq.retry($1, make_interval(secs => $2), worker => $3, attempt => $4)";
        self.end((sql, &[&job, &delay, &worker, &attempt]), &[place], &[vec![Outcome::Retried]], |row, _| {
            row.get::<_, bool>(0).then(|| vec![Outcome::Retried])
        })
    }

    /// Calls that must have no effect: another attempt than the one that is held, and an attempt that has ended.
    fn end_what_is_not_held(&mut self, places: &[usize]) -> Result<(), Gone> {
        let held = places.first().map(|place| &self.seen.claims[*place]).map(|claim| (claim.job, claim.attempt + 1));
        let ended = self.seen.ends.choose(&mut self.random);
        let ended = ended.filter(|end| end.fate == Fate::Yes && !end.outcomes.is_empty());
        let ended = ended.map(|end| (end.job, end.attempt));
        for (job, attempt) in [held, ended].into_iter().flatten() {
            let worker = self.worker;
            let answer = self.ask("SELECT pgq.complete($1, $2, $3)", &[&job, &worker, &attempt])?;
            let taken: bool = answer.rows[0].get(0);
            assert!(!taken, "consumer {} completed attempt {attempt} at job {job}, which it does not hold", self.place);
        }
        Ok(())
    }
}
