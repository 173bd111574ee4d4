//! What the client has to say while it works: that a server is away, that a claim is lost. To standard error.

use super::screen::{Screen, Stream};
use crate::text::harmless;
use std::io;
use std::sync::Arc;
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

/// From now on. Warnings; all that the worker does where one asks twice to hear more.
pub fn begin(verbose: u8, screen: Arc<Screen>) {
    let most = if verbose > 1 { Level::DEBUG } else { Level::WARN };
    let filter = tracing_subscriber::EnvFilter::new(format!("pgqueuer_client={most},pgq={most}"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .with_writer(ToScreen(screen));
    // Set before by nobody.
    subscriber.try_init().ok();
}

/// Drops what finds no room: it is written in the middle of the worker's own work.
struct ToScreen(Arc<Screen>);

struct Line<'a>(&'a Screen, Vec<u8>);

impl<'a> MakeWriter<'a> for ToScreen {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Line(&self.0, vec![])
    }
}

impl io::Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.1);
        let line = format!("{}  {}\n", chrono::Local::now().format("%H:%M:%S"), harmless(text.trim()));
        self.0.try_write(Stream::Err, line.into_bytes());
    }
}
