//! What a transaction has claimed and ended: `src/shmem/transaction.rs`.

use crate::claims::Claims;

/// What is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deed {
    /// A claim of this transaction.
    Claimed,
    /// This transaction ends a claim that its worker holds.
    Ending,
    /// This transaction removes a job that somebody holds.
    Removing,
}

/// One note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Note {
    /// What.
    pub deed: Deed,
    /// The job.
    pub job: usize,
    /// The claim's number.
    pub number: u8,
    /// The subtransaction.
    pub level: u8,
}

/// The list of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Notes(Vec<Note>);

impl Notes {
    /// All notes.
    pub fn iter(&self) -> impl Iterator<Item = &Note> {
        self.0.iter()
    }

    /// Adds a note.
    pub fn note(&mut self, deed: Deed, job: usize, number: u8, level: u8) {
        self.0.push(Note { deed, job, number, level });
    }

    /// Takes the last such note back.
    pub fn strike(&mut self, deed: Deed, job: usize, number: u8) {
        if let Some(place) = self.0.iter().rposition(|note| (note.deed, note.job, note.number) == (deed, job, number)) {
            self.0.remove(place);
        }
    }

    /// The subtransaction has committed: its notes are its parent's.
    pub fn hand_up(&mut self, level: u8) {
        self.0.iter_mut().filter(|note| note.level >= level).for_each(|note| note.level = level - 1);
    }

    /// The callback after the commit.
    pub fn carry_out(&mut self, claims: &mut Claims) {
        for note in self.0.drain(..) {
            match note.deed {
                Deed::Claimed => claims.keep(note.job, note.number),
                Deed::Ending | Deed::Removing => claims.end(note.job, note.number),
            }
        }
    }

    /// The callback after an abort: undoes the notes of a level and those below it, latest first.
    pub fn undo(&mut self, claims: &mut Claims, level: u8) {
        for note in self.0.iter().rev().filter(|note| note.level >= level) {
            match note.deed {
                Deed::Claimed => claims.end(note.job, note.number),
                Deed::Ending => claims.forget_end(note.job, note.number),
                Deed::Removing => {}
            }
        }
        self.0.retain(|note| note.level < level);
    }
}
