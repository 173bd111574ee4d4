//! A server of HTTP that answers as it is told, and keeps what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What it does with a request.
#[derive(Debug, Clone)]
pub enum Does {
    /// Writes this, and closes the connection.
    Answers(String),
    /// The same, and keeps the connection for more.
    Keeps(String),
    /// Closes the connection without a word.
    Closes,
    /// Keeps the connection, and never answers.
    Nothing,
}

/// What it was asked.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub line: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// The number of its connection.
    pub connection: usize,
}

#[derive(Default)]
struct State {
    does: VecDeque<Does>,
    asked: Vec<Asked>,
    silent: Vec<TcpStream>,
}

/// Answers requests in their order; the last answer stays.
#[derive(Clone)]
pub struct Server {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub fn start(does: &[Does]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let state = State { does: does.iter().cloned().collect(), ..State::default() };
        let server = Self { port: listener.local_addr().unwrap().port(), state: Arc::new(Mutex::new(state)) };
        let serving = server.clone();
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().flatten().enumerate() {
                let serving = serving.clone();
                thread::spawn(move || serving.serve(connection, stream));
            }
        });
        server
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/jobs?key=1", self.port)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    fn serve(&self, connection: usize, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut stream = stream;
        while let Some(asked) = read(&mut reader, connection) {
            let does = {
                let mut state = self.state.lock().unwrap();
                state.asked.push(asked);
                let next = if state.does.len() > 1 { state.does.pop_front() } else { state.does.front().cloned() };
                next.unwrap_or(Does::Closes)
            };
            match does {
                Does::Keeps(text) => stream.write_all(text.as_bytes()).unwrap(),
                Does::Answers(text) => {
                    stream.write_all(text.as_bytes()).ok();
                    return;
                }
                Does::Closes => return,
                Does::Nothing => {
                    self.state.lock().unwrap().silent.push(stream);
                    return;
                }
            }
        }
    }
}

/// An answer with a body.
pub fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn read(reader: &mut BufReader<TcpStream>, connection: usize) -> Option<Asked> {
    let mut asked = Asked { connection, ..Asked::default() };
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        Some(line.trim_end().to_owned())
    };
    asked.line = line()?;
    while let Some(header) = line().filter(|line| !line.is_empty()) {
        let (name, value) = header.split_once(':').unwrap();
        asked.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = asked.headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    asked.body = vec![0; length];
    reader.read_exact(&mut asked.body).ok()?;
    Some(asked)
}
