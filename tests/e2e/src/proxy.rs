//! Stands between a client and its server, and loses what it is told to lose.

use crate::cluster::Database;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

/// What happens to a message of a client, or to its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The connection is cut before the server sees the message.
    Message,
    /// The connection is cut when the server has answered: the client never reads it.
    Answer,
    /// The server answers, the client reads nothing more, and both keep their connection.
    Silence,
    /// The server gets the message when the proxy is told to [`go_on`](Proxy::go_on), whatever the client did meanwhile.
    Late,
}

/// A proxy of a server. It ends with its value, and cuts all connections.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    database: String,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// How many connections were made.
    connections: AtomicUsize,
    /// How many messages clients have sent.
    messages: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    /// The next message with this text is lost in this way.
    rule: Option<(String, Loss)>,
    /// Nothing passes.
    is_frozen: bool,
    /// New connections are closed at once.
    refuses: bool,
    holds_late: bool,
    open: Vec<TcpStream>,
    has_ended: bool,
}

impl Proxy {
    /// Stands before the server of a database.
    pub fn before(database: &Database) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let (shared, server) = (Arc::new(Shared::default()), database.host_and_port());
        let accepting = shared.clone();
        thread::spawn(move || accept(&listener, server, &accepting));
        Self { port, database: database.name.clone(), shared }
    }

    /// How to connect through it.
    pub fn address(&self) -> String {
        format!("host=127.0.0.1 port={} user=postgres dbname={}", self.port, self.database)
    }

    /// Loses the next message in which `text` stands.
    pub fn lose(&self, text: &str, loss: Loss) {
        let mut state = self.state();
        (state.rule, state.holds_late) = (Some((text.to_owned(), loss)), true);
    }

    /// Whether that message has come.
    pub fn has_lost(&self) -> bool {
        self.state().rule.is_none()
    }

    /// Passes on the message that was to be late.
    pub fn go_on(&self) {
        self.state().holds_late = false;
        self.shared.changed.notify_all();
    }

    /// From now on nothing passes, and nobody is told; or all that has come meanwhile, and what comes.
    pub fn freeze(&self, is_frozen: bool) {
        self.state().is_frozen = is_frozen;
        self.shared.changed.notify_all();
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        let open = std::mem::take(&mut self.state().open);
        open.iter().for_each(close);
    }

    /// Takes no connections from now on, or takes them again.
    pub fn refuse(&self, refuses: bool) {
        self.state().refuses = refuses;
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(SeqCst)
    }

    /// How many messages clients have sent so far.
    pub fn messages(&self) -> usize {
        self.shared.messages.load(SeqCst)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state().has_ended = true;
        self.shared.changed.notify_all();
        self.cut();
        // Wakes whoever accepts.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics in here")
    }

    /// Waits while `held` says so.
    fn wait_while(&self, held: impl Fn(&State) -> bool) {
        let state = self.state();
        drop(self.changed.wait_while(state, |state| held(state) && !state.has_ended));
    }

    /// What is to happen to this message.
    fn loss_of(&self, message: &[u8]) -> Option<Loss> {
        let mut state = self.state();
        let (text, loss) = state.rule.as_ref()?;
        let found = message.windows(text.len()).any(|part| part == text.as_bytes()).then_some(*loss)?;
        state.rule = None;
        Some(found)
    }
}

fn accept(listener: &TcpListener, server: (&str, u16), shared: &Arc<Shared>) {
    for client in listener.incoming() {
        let Ok(client) = client else { continue };
        shared.connections.fetch_add(1, SeqCst);
        if shared.state().has_ended {
            return;
        }
        if shared.state().refuses {
            continue;
        }
        let Ok(server) = TcpStream::connect(server) else { continue };
        let (to_client, to_server) = (copy(&client), copy(&server));
        shared.state().open.extend([copy(&client), copy(&server)]);
        let loses_answers = Arc::new((AtomicBool::new(false), AtomicBool::new(false)));
        let (up, down) = (shared.clone(), shared.clone());
        let lost = loses_answers.clone();
        thread::spawn(move || requests(client, to_server, &up, &lost));
        thread::spawn(move || answers(server, to_client, &down, &loses_answers));
    }
}

/// Whether the next answer cuts the connection; whether answers are kept back.
type Lost = (AtomicBool, AtomicBool);

fn requests(mut client: TcpStream, mut server: TcpStream, shared: &Shared, lost: &Lost) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        let message = &buffer[..count];
        shared.messages.fetch_add(1, SeqCst);
        shared.wait_while(|state| state.is_frozen);
        match shared.loss_of(message) {
            Some(Loss::Message) => break,
            Some(Loss::Answer) => lost.0.store(true, SeqCst),
            Some(Loss::Silence) => lost.1.store(true, SeqCst),
            Some(Loss::Late) => shared.wait_while(|state| state.holds_late),
            None => {}
        }
        if server.write_all(message).is_err() {
            break;
        }
    }
    close(&client);
    close(&server);
}

fn answers(mut server: TcpStream, mut client: TcpStream, shared: &Shared, lost: &Lost) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = server.read(&mut buffer) {
        shared.wait_while(|state| state.is_frozen);
        if lost.0.load(SeqCst) {
            break;
        }
        if !lost.1.load(SeqCst) && client.write_all(&buffer[..count]).is_err() {
            // The client may have gone, and what it sent may still be on its way.
            lost.1.store(true, SeqCst);
        }
    }
    close(&client);
    close(&server);
}

fn copy(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("there are descriptors")
}

/// It may be closed already.
fn close(stream: &TcpStream) {
    stream.shutdown(Shutdown::Both).ok();
}
