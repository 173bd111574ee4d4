//! `pgq.listen` and `pgq.channel`.

use crate::job::check;
use crate::pg;
use crate::pg::argument::Raw;
use crate::shmem::{memory, service};
use pgqueuer_core::channel;
use pgrx::iter::SetOfIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

/// Listens to the channels of these entrypoints from the commit on, and returns their names.
#[pg_extern(sql = false)]
fn listen(entrypoints: Option<Raw>) -> Result<SetOfIterator<'static, String>, ErrorReport> {
    let channels: Vec<String> = check::entrypoints(entrypoints)?.iter().map(|name| channel::channel(name)).collect();
    if memory::is_there() && !pg::on_standby() {
        // Whoever only listens must hear of jobs that fall due.
        service::ensure(memory::relation(pg::relation(c"job")?));
    }
    channels.iter().for_each(|channel| pg::listen(channel));
    Ok(SetOfIterator::new(channels))
}

/// The notification channel of an entrypoint.
#[pg_extern(sql = false)]
fn channel(entrypoint: Option<&str>) -> Result<String, ErrorReport> {
    Ok(channel::channel(check::entrypoint("entrypoint", entrypoint)?))
}
