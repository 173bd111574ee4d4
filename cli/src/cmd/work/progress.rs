//! How far a queue is drained: a bar, for who sits at a terminal.

use super::report::Report;
use super::screen::Screen;
use crate::cmd::Context;
use indicatif::{ProgressBar, ProgressStyle};
use pgqueuer_client::Backend;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

/// How often it is counted how many there are still.
const STEP: Duration = Duration::from_secs(1);

/// Hidden where nobody would see it.
pub fn bar(is_seen: bool) -> ProgressBar {
    if !is_seen {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len}  {msg}  {elapsed}");
    style.map_or(bar.clone(), |style| bar.with_style(style))
}

/// Counts what waits, beside what was done, as long as this is kept.
pub fn watch(
    context: &Context,
    entrypoints: Vec<String>,
    report: Arc<Report>,
    screen: Arc<Screen>,
) -> AbortOnDropHandle<()> {
    let queue = context.queue.clone();
    AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            if let Ok(queued) = queue.queued(&entrypoints).await {
                let left = report.running() + u64::try_from(queued).unwrap_or(0);
                screen.bar(move |bar| bar.set_length(bar.position() + left));
            }
            sleep(STEP).await;
        }
    }))
}
