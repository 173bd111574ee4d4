//! A pseudo-terminal with the command in it, and what stands on its screen.

use crate::pgq::bare;
use pgqueuer_e2e::cluster::Database;
use pgqueuer_e2e::until::until;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::{Arc, Mutex};

pub const ORDINARY: (u16, u16) = (80, 24);

/// A terminal, and the program that runs in it. Dropped, the program is ended.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    /// Open, so that the terminal outlives the program.
    _slave: Box<dyn SlavePty + Send>,
    pub child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    seen: Arc<Mutex<Seen>>,
    /// Its modes before the program began.
    modes: String,
}

struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
}

/// The program `pgq top`, told of this database and of nothing else.
pub fn top(database: &Database<'_>, arguments: &[&str]) -> CommandBuilder {
    program(database, env!("CARGO_BIN_EXE_pgq"), &[&["top"], arguments].concat())
}

/// Another program in the same circumstances.
pub fn program(database: &Database<'_>, name: &str, arguments: &[&str]) -> CommandBuilder {
    let mut command = CommandBuilder::new(name);
    command.args(arguments);
    command.env_clear();
    for (name, value) in bare(&[]).get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.env("PGQUEUER_DSN", database.address());
    command.env("TERM", "xterm-256color");
    // Otherwise it is begun in its home, which is nowhere.
    command.cwd(std::env::temp_dir());
    command
}

fn size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

/// How much of it is no half of a picture that is still being drawn.
fn until_frame_under_way(bytes: &[u8]) -> usize {
    let last = |mark: &[u8]| bytes.windows(mark.len()).rposition(|window| window == mark);
    match (last(b"\x1b[?2026h"), last(b"\x1b[?2026l")) {
        (Some(begin), end) if end.is_none_or(|end| end < begin) => begin,
        _ => bytes.len(),
    }
}

fn whole(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).expect("a terminal has a size")
}

impl Terminal {
    /// Of so many columns and lines.
    pub fn start(command: CommandBuilder, columns_and_lines: (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(size(columns_and_lines)).unwrap();
        let modes = modes(&*pair.master);
        let child = pair.slave.spawn_command(command).unwrap();
        let (columns, lines) = columns_and_lines;
        let parser = vt100::Parser::new(whole(lines), whole(columns), 0);
        let seen = Arc::new(Mutex::new(Seen { parser, bytes: vec![] }));
        let (mut reader, kept) = (pair.master.try_clone_reader().unwrap(), seen.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 65536];
            let mut pending = vec![];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                pending.extend(&buffer[..count]);
                let mut seen = kept.lock().unwrap();
                seen.bytes.extend(&buffer[..count]);
                let whole = until_frame_under_way(&pending);
                seen.parser.process(&pending[..whole]);
                pending.drain(..whole);
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Self { master: pair.master, _slave: pair.slave, child, writer, seen, modes }
    }

    pub fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
    }

    /// What stands there, line by line.
    pub fn screen(&self) -> String {
        self.seen.lock().unwrap().parser.screen().contents()
    }

    /// Everything that was ever written.
    pub fn bytes(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().bytes).into_owned()
    }

    pub fn with_screen<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.seen.lock().unwrap().parser.screen())
    }

    /// Waits until this stands there.
    #[track_caller]
    pub fn shows(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// Waits until a line of this name is chosen.
    #[track_caller]
    pub fn chooses(&self, name: &str) -> String {
        let is_chosen = |line: &str| line.starts_with('>') && line.split_whitespace().nth(1) == Some(name);
        self.until(&format!("{name} is chosen"), |screen| screen.lines().any(is_chosen))
    }

    /// Goes to a list, and waits for its rows.
    #[track_caller]
    pub fn goes_to(&mut self, key: &str, list: &str) -> String {
        self.press(key);
        self.shows(&format!("─ {list}"))
    }

    /// Waits until this does not stand there any more.
    #[track_caller]
    pub fn hides(&self, text: &str) -> String {
        self.until(&format!("no {text}"), |screen| !screen.contains(text))
    }

    #[track_caller]
    pub fn until(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let mut last = String::new();
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until(what, || {
                last = self.screen();
                is_so(&last).then(|| last.clone())
            })
        }));
        seen.unwrap_or_else(|_| panic!("not there: {what}\n{last}"))
    }

    pub fn resize(&self, columns_and_lines: (u16, u16)) {
        let (columns, lines) = columns_and_lines;
        self.seen.lock().unwrap().parser.screen_mut().set_size(whole(lines), whole(columns));
        self.master.resize(size(columns_and_lines)).unwrap();
    }

    /// Sends the program a signal by its name.
    pub fn signal(&self, name: &str) {
        signal(self.child.process_id().unwrap(), name);
    }

    /// Waits for the end of the program, and returns its exit code.
    pub fn ended(&mut self) -> u32 {
        until("the program ends", || self.child.try_wait().unwrap()).exit_code()
    }

    /// The terminal is as it was before.
    #[track_caller]
    pub fn is_given_back(&self) {
        self.is_ordinary();
        assert_eq!(modes(&*self.master), self.modes);
    }

    /// Nothing is left of a screen: waits for the last words, which the program may have written as it ended.
    #[track_caller]
    pub fn is_ordinary(&self) {
        until("the alternate screen is left, and the cursor shown", || {
            self.with_screen(|screen| !screen.alternate_screen() && !screen.hide_cursor()).then_some(())
        });
    }

    #[track_caller]
    pub fn is_taken(&self) {
        until("the alternate screen", || self.with_screen(vt100::Screen::alternate_screen).then_some(()));
        assert_ne!(modes(&*self.master), self.modes);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// How the terminal treats what is typed.
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a terminal has modes"))
}

pub fn signal(process: u32, name: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {process}")]).status().unwrap();
    assert!(sent.success());
}
