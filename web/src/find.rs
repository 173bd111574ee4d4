//! Lists of jobs, page after page. A page begins where the last one ended, so each costs the same, and looks at a bounded
//! number of rows: where few of many are wanted, the reader is asked to look on.

use crate::app::App;
use crate::failure::{Failure, Result};
use crate::read::{Parameter, raw};
use crate::sql;
use deadpool_postgres::Transaction;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSqlOwned, Type};

/// How many jobs a page has.
pub const PAGE: usize = 50;
/// How many rows are looked at, in an order that is theirs on disk, too.
const WINDOW: i64 = 10_000;
/// How many in an order that is not: each may be a read of its own.
const SCATTERED: i64 = 500;

/// Ids of jobs, and where the next page begins.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    pub ids: Vec<i64>,
    pub next: Option<String>,
    /// So many rows were looked at without filling the page; there are more.
    pub looked: Option<i64>,
}

/// Which jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// All, the newest first.
    Newest { queued: bool },
    /// Those of an entrypoint, by its name in the database, the next one first.
    Next { entrypoint: &'a str, queued: bool },
    /// Those that somebody holds.
    Picked { entrypoint: Option<&'a str> },
    /// Those that failed, the last one first.
    Failed { entrypoint: Option<&'a str> },
}

/// The page of jobs after `cursor`, which a page before it gave.
pub async fn find(read: &Transaction<'_>, app: &App, wanted: Wanted<'_>, cursor: Option<&str>) -> Result<Found> {
    find_some(read, app, wanted, cursor, PAGE).await
}

/// The same, in another number.
pub async fn find_some(
    read: &Transaction<'_>,
    app: &App,
    wanted: Wanted<'_>,
    cursor: Option<&str>,
    most: usize,
) -> Result<Found> {
    // One more than is shown tells whether there is another page.
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let (rows, edge) = match wanted {
        Wanted::Newest { queued } => newest(read, app, queued, limit, cursor).await?,
        Wanted::Next { entrypoint, queued } => next(read, entrypoint, queued, limit, cursor).await?,
        Wanted::Picked { entrypoint } => picked(read, app, entrypoint, limit, cursor).await?,
        Wanted::Failed { entrypoint } => failed(read, app, entrypoint, limit, cursor).await?,
    };
    let mut places: Vec<(i64, String)> = rows.iter().map(place).collect::<Result<_>>()?;
    let is_full = places.len() > most;
    places.truncate(most);
    let next = if is_full { places.last().map(|(_, cursor)| cursor.clone()) } else { None };
    let looked = edge.as_ref().filter(|_| !is_full).map(|(looked, _)| *looked);
    let edge = edge.filter(|_| !is_full).map(|(_, cursor)| cursor);
    Ok(Found { ids: places.into_iter().map(|(id, _)| id).collect(), next: next.or(edge), looked })
}

/// Rows, and how many were looked at and the last of them, where there are more behind it.
type Looked = (Vec<Row>, Option<(i64, String)>);

async fn newest(read: &Transaction<'_>, app: &App, queued: bool, limit: i64, cursor: Option<&str>) -> Result<Looked> {
    let below = cursor.map_or(Ok(i64::MAX), number)?;
    let parameters: [Parameter; 5] = [
        (&below, Type::INT8),
        (&app.options.prefix, Type::TEXT),
        (&queued, Type::BOOL),
        (&limit, Type::INT8),
        (&WINDOW, Type::INT8),
    ];
    let rows = raw(read, sql!("find_newest"), &parameters).await?;
    let edge: [Parameter; 2] = [(&below, Type::INT8), (&WINDOW, Type::INT8)];
    edge_of(read, rows, limit, WINDOW, sql!("edge_newest"), &edge).await
}

async fn next(
    read: &Transaction<'_>,
    entrypoint: &str,
    queued: bool,
    limit: i64,
    cursor: Option<&str>,
) -> Result<Looked> {
    let begin = (i64::from(i32::MAX) + 1, "infinity".to_owned(), 0);
    let (priority, due, id) = cursor.map_or(Ok::<_, Failure>(begin), |cursor| {
        let [priority, due, id] = parts(cursor)?;
        Ok((number(priority)?, due.to_owned(), number(id)?))
    })?;
    let window = if queued { SCATTERED.max(limit) } else { limit };
    let place: [Parameter; 4] =
        [(&entrypoint, Type::TEXT), (&priority, Type::INT8), (&due, Type::TEXT), (&id, Type::INT8)];
    let of: [Parameter; 3] = [(&queued, Type::BOOL), (&limit, Type::INT8), (&window, Type::INT8)];
    let rows = raw(read, sql!("find_next"), &[place.clone().as_slice(), &of].concat()).await?;
    let edge = [place.as_slice(), &[(&window as _, Type::INT8)]].concat();
    edge_of(read, rows, limit, window, sql!("edge_next"), &edge).await
}

async fn picked(
    read: &Transaction<'_>,
    app: &App,
    entrypoint: Option<&str>,
    limit: i64,
    cursor: Option<&str>,
) -> Result<Looked> {
    let below = cursor.map_or(Ok(i64::MAX), number)?;
    let parameters: [Parameter; 4] =
        [(&below, Type::INT8), (&entrypoint, Type::TEXT), (&app.options.prefix, Type::TEXT), (&limit, Type::INT8)];
    Ok((raw(read, sql!("find_picked"), &parameters).await?, None))
}

async fn failed(
    read: &Transaction<'_>,
    app: &App,
    entrypoint: Option<&str>,
    limit: i64,
    cursor: Option<&str>,
) -> Result<Looked> {
    let (since, id) = cursor.map_or(Ok::<_, Failure>(("infinity", i64::MAX)), |cursor| {
        let [since, id] = parts(cursor)?;
        Ok((since, number(id)?))
    })?;
    let place: [Parameter; 2] = [(&since, Type::TEXT), (&id, Type::INT8)];
    let of: [Parameter; 4] =
        [(&entrypoint, Type::TEXT), (&app.options.prefix, Type::TEXT), (&limit, Type::INT8), (&WINDOW, Type::INT8)];
    let rows = raw(read, sql!("find_failed"), &[place.clone().as_slice(), &of].concat()).await?;
    let edge = [place.as_slice(), &[(&WINDOW as _, Type::INT8)]].concat();
    edge_of(read, rows, limit, WINDOW, sql!("edge_failed"), &edge).await
}

/// Where a page stayed short, the last row that was looked at, if the window ended there and not the jobs.
async fn edge_of(
    read: &Transaction<'_>,
    rows: Vec<Row>,
    limit: i64,
    window: i64,
    sql: &str,
    parameters: &[Parameter<'_>],
) -> Result<Looked> {
    if rows.len() as i64 >= limit {
        return Ok((rows, None));
    }
    let edge = raw(read, sql, parameters).await?;
    let edge = edge.first().map(place).transpose()?;
    Ok((rows, edge.map(|(_, cursor)| (window, cursor))))
}

/// A job's id, and the cursor of the page that begins after it.
fn place(row: &Row) -> Result<(i64, String)> {
    let id: i64 = column(row, 0)?;
    let cursor = match row.len() {
        3 => format!("{}_{}_{id}", column::<i32>(row, 1)?, column::<String>(row, 2)?),
        2 => format!("{}_{id}", column::<String>(row, 1)?),
        _ => id.to_string(),
    };
    Ok((id, cursor))
}

pub fn column<T: FromSqlOwned>(row: &Row, index: usize) -> Result<T> {
    row.try_get(index).map_err(Failure::broken)
}

fn unreadable() -> Failure {
    Failure::bad("This page cannot be found", "Its address was cut or changed. Begin with the first page.")
}

fn number(text: &str) -> Result<i64> {
    text.parse().map_err(|_| unreadable())
}

fn parts<const N: usize>(cursor: &str) -> Result<[&str; N]> {
    let parts: Vec<&str> = cursor.split('_').collect();
    parts.try_into().map_err(|_| unreadable())
}
