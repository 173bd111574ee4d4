//! Standard output and standard error, written by a thread of its own: a reader who does not read holds up what writes, and
//! never the worker, which must say in time that it lives.

use crate::text::harmless;
use indicatif::ProgressBar;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

/// So many pieces may wait to be written, each of at most [`PIECE`].
const WAITING: usize = 64;
/// In bytes.
pub const PIECE: usize = 64 * 1024;

/// Where something goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

struct Piece(What, OwnedSemaphorePermit);

enum What {
    Text(Stream, Vec<u8>),
    /// The bar is drawn by whoever writes: it would be held up by a reader who does not read, too.
    Bar(Box<dyn FnOnce(&ProgressBar) + Send>),
}

/// Takes what is to be written.
pub struct Screen {
    /// None: nothing more is taken.
    sender: Mutex<Option<Sender<Piece>>>,
    room: Arc<Semaphore>,
    thread: JoinHandle<()>,
}

impl Screen {
    /// `bar` stands below what is written, until the end.
    pub fn new(bar: ProgressBar) -> Self {
        let (sender, receiver) = channel();
        let thread = thread::spawn(move || {
            write(&receiver, &bar);
            bar.finish_and_clear();
        });
        Self { sender: Mutex::new(Some(sender)), room: Arc::new(Semaphore::new(WAITING)), thread }
    }

    /// Waits until there is room.
    pub async fn write(&self, stream: Stream, bytes: Vec<u8>) {
        if let Ok(room) = self.room.clone().acquire_owned().await {
            self.send(Piece(What::Text(stream, bytes), room));
        }
    }

    /// Drops it where there is no room.
    pub fn try_write(&self, stream: Stream, bytes: Vec<u8>) {
        if let Ok(room) = self.room.clone().try_acquire_owned() {
            self.send(Piece(What::Text(stream, bytes), room));
        }
    }

    /// Moves the bar, where there is room.
    pub fn bar(&self, change: impl FnOnce(&ProgressBar) + Send + 'static) {
        if let Ok(room) = self.room.clone().try_acquire_owned() {
            self.send(Piece(What::Bar(Box::new(change)), room));
        }
    }

    /// A sentence for people, where there is room.
    pub fn say(&self, sentence: &str) {
        self.try_write(Stream::Err, format!("{}\n", harmless(sentence)).into_bytes());
    }

    fn send(&self, piece: Piece) {
        if let Some(sender) = self.sender.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            sender.send(piece).ok();
        }
    }

    /// Takes nothing more, and waits until all is written.
    pub async fn close(&self) {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        while !self.thread.is_finished() {
            sleep(Duration::from_millis(2)).await;
        }
    }
}

/// A reader who is gone is no reason to end: the jobs are what counts.
fn write(pieces: &Receiver<Piece>, bar: &ProgressBar) {
    for Piece(what, room) in pieces {
        match what {
            What::Text(Stream::Out, bytes) => bar.suspend(|| put(io::stdout().lock(), &bytes)),
            What::Text(Stream::Err, bytes) => bar.suspend(|| put(io::stderr().lock(), &bytes)),
            What::Bar(change) => change(bar),
        }
        drop(room);
    }
}

fn put(mut to: impl Write, bytes: &[u8]) {
    to.write_all(bytes).and_then(|()| to.flush()).ok();
}
