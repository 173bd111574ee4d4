//! Where the server is.

use crate::args::Global;
use crate::error::{Error, Result};
use pgqueuer_client::Postgres;

/// The queue that the arguments and the environment name. Nothing connects yet.
///
/// # Errors
/// [`Error::Usage`] where none is named.
pub fn queue(global: &Global) -> Result<Postgres> {
    let Some(dsn) = &global.dsn else {
        return Err(Error::usage(
            "no server is named",
            "Pass --dsn postgresql://user@host/database, or set PGQUEUER_DSN.",
        ));
    };
    Ok(Postgres::new(dsn)?)
}
