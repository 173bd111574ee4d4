//! Jobs of the old queue, some at a time: what is looked at, and the rest as it came.

use pgqueuer_client::Result;
use std::error::Error as StdError;
use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// What `import_jobs.sql` takes of a page, in its order.
pub const TYPES: [Type; 10] = [
    Type::TEXT_ARRAY,
    Type::BYTEA_ARRAY,
    Type::INT4_ARRAY,
    Type::TIMESTAMPTZ_ARRAY,
    Type::TEXT_ARRAY,
    Type::JSONB_ARRAY,
    Type::TIMESTAMPTZ_ARRAY,
    Type::INT4_ARRAY,
    Type::TIMESTAMPTZ_ARRAY,
    Type::JSONB_ARRAY,
];

/// A value on its way from server to server: nothing is lost, whatever it is.
#[derive(Debug)]
pub struct AsItIs(Option<Vec<u8>>);

/// Some jobs, in the order of their ids.
pub struct Page {
    pub jobs: Vec<Job>,
    /// How many are picked by workers that were heard of lately.
    pub alive: i64,
    /// For those without trouble, what [`TYPES`] says.
    pub arguments: Vec<AsItIs>,
}

pub struct Job {
    pub id: i64,
    pub entrypoint: String,
    pub was: String,
    /// Why it cannot be moved.
    pub trouble: Option<String>,
    /// Where it counts: not of one that is held.
    pub dedupe_key: Option<String>,
}

impl Page {
    /// Reads the row of `import_read.sql`; none where there are no more jobs.
    ///
    /// # Errors
    /// Those of the answer: it is not what was asked for..
    pub fn read(row: &Row) -> Result<Option<Self>> {
        let Some(ids) = row.try_get::<_, Option<Vec<i64>>>("all_ids")? else { return Ok(None) };
        let entrypoints: Vec<String> = row.try_get("all_entrypoints")?;
        let was: Vec<String> = row.try_get("all_was")?;
        let troubles: Vec<Option<String>> = row.try_get("all_troubles")?;
        let keys: Vec<Option<String>> = row.try_get("all_keys")?;
        let first = row.len().saturating_sub(TYPES.len());
        let arguments = (first..row.len()).map(|place| row.try_get(place)).collect::<Result<_, _>>()?;
        let jobs = ids.into_iter().zip(entrypoints).zip(was).zip(troubles).zip(keys);
        let job = |((((id, entrypoint), was), trouble), dedupe_key)| Job { id, entrypoint, was, trouble, dedupe_key };
        Ok(Some(Self { jobs: jobs.map(job).collect(), alive: row.try_get("alive")?, arguments }))
    }

    /// The id above which the next page begins.
    pub fn last(&self) -> i64 {
        self.jobs.last().map_or(i64::MAX, |job| job.id)
    }

    /// Those that can be moved.
    pub fn movable(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| job.trouble.is_none())
    }
}

impl<'a> FromSql<'a> for AsItIs {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(Some(raw.to_vec())))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl ToSql for AsItIs {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        let Some(raw) = &self.0 else { return Ok(IsNull::Yes) };
        out.extend_from_slice(raw);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
