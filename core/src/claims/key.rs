//! What the tables are looked up by.

use crate::table::{Key, mix};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;

/// The jobs table of one database. Its object identifier changes with DROP and CREATE EXTENSION, so claims of the
/// old table never meet jobs of the new one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Relation {
    /// Object identifier of the database.
    pub database: u32,
    /// Object identifier of `pgq.job` in it.
    pub table: u32,
}

impl Relation {
    /// Whether `other` is this table; `table` 0 stands for every table of the database.
    pub fn includes(self, other: Self) -> bool {
        self.database == other.database && (self.table == 0 || self.table == other.table)
    }

    fn word(self) -> u64 {
        (u64::from(self.database) << 32) | u64::from(self.table)
    }
}

/// A job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct JobKey {
    /// Its table.
    pub relation: Relation,
    /// Its id.
    pub id: i64,
}

/// A 128-bit fingerprint of a name; two names with the same one do not occur.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Name(pub [u64; 2]);

impl Name {
    /// No name.
    pub const NONE: Self = Self([0, 0]);

    /// The fingerprint of a name made of several parts.
    pub fn of(parts: &[&str]) -> Self {
        let mut hasher = SipHasher13::new();
        for part in parts {
            hasher.write(&(part.len() as u64).to_le_bytes());
            hasher.write(part.as_bytes());
        }
        let hash = hasher.finish128();
        // Never NONE, whatever the name.
        Self([hash.h1, hash.h2 | 1])
    }
}

/// An entrypoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct QueueKey {
    /// The jobs table.
    pub relation: Relation,
    /// The entrypoint.
    pub name: Name,
}

/// An ordering key of an entrypoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct OrderKey {
    /// The jobs table.
    pub relation: Relation,
    /// Entrypoint and key.
    pub name: Name,
}

/// The two kinds of worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u64)]
pub enum WorkerKind {
    #[default]
    /// A database session: its claims live as long as it does.
    Session,
    /// A uuid of the caller's: its claims live by heartbeats.
    Named,
}

/// A worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct WorkerKey {
    /// The jobs table.
    pub relation: Relation,
    /// Session or named.
    pub kind: WorkerKind,
    /// The uuid, big-endian. A session's is made from the boot epoch and the session's number.
    pub id: [u64; 2],
}

impl WorkerKey {
    /// A session of one life of the server, with a uuid (version 8, as RFC 9562 has it) made of both numbers.
    pub fn of_session(relation: Relation, epoch: u64, session: u64) -> Self {
        let high = (epoch & !0xF000) | 0x8000;
        let low = (session & (u64::MAX >> 2)) | (1 << 63);
        Self { relation, kind: WorkerKind::Session, id: [high, low] }
    }

    /// A named worker.
    pub fn named(relation: Relation, uuid: &[u8; 16]) -> Self {
        let number = u128::from_be_bytes(*uuid);
        Self { relation, kind: WorkerKind::Named, id: [(number >> 64) as u64, number as u64] }
    }

    /// The worker's uuid.
    pub fn uuid(&self) -> [u8; 16] {
        let [high, low] = self.id;
        (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
    }
}

impl Key for Relation {
    fn hash(&self) -> u64 {
        mix(&[self.word()])
    }
}

impl Key for JobKey {
    fn hash(&self) -> u64 {
        mix(&[self.relation.word(), self.id as u64])
    }
}

impl Key for QueueKey {
    fn hash(&self) -> u64 {
        mix(&[self.relation.word(), self.name.0[0]])
    }
}

impl Key for OrderKey {
    fn hash(&self) -> u64 {
        mix(&[self.relation.word(), self.name.0[0]])
    }
}

impl Key for WorkerKey {
    fn hash(&self) -> u64 {
        mix(&[self.relation.word(), self.kind as u64, self.id[0], self.id[1]])
    }
}
