//! A session in the words of the wire protocol, for what no driver sends: several commands in one pipeline.

use crate::cluster::Database;
use std::io::{Read, Write};
use std::net::TcpStream;

/// A session.
pub struct Raw {
    stream: TcpStream,
}

/// What the server answers to a pipeline.
#[derive(Debug, Default)]
pub struct Answer {
    /// The tags of the commands that were carried out.
    pub done: Vec<String>,
    /// The fields of the error, each by its letter: `C` the SQLSTATE, `M` the message, `H` the hint.
    pub error: Option<Vec<(char, String)>>,
}

impl Answer {
    /// A field of the error.
    pub fn field(&self, letter: char) -> &str {
        let mut fields = self.error.iter().flatten();
        fields.find(|(name, _)| *name == letter).map_or("", |(_, text)| text)
    }
}

impl Raw {
    /// Opens a session.
    pub fn connect(database: &Database) -> Self {
        let (host, port) = database.host_and_port();
        let stream = TcpStream::connect((host, port)).expect("the server takes sessions");
        let mut session = Self { stream };
        let mut startup = 196_608_u32.to_be_bytes().to_vec();
        for word in ["user", "postgres", "database", &database.name, ""] {
            startup.extend(word.as_bytes());
            startup.push(0);
        }
        session.send(None, &startup);
        assert!(session.answer().error.is_none(), "the server trusts everybody");
        session
    }

    /// Sends statements as one pipeline: one Sync after all of them.
    pub fn pipeline(&mut self, statements: &[&str]) -> Answer {
        for statement in statements {
            let parse = [b"\0", statement.as_bytes(), b"\0\0\0"].concat();
            self.send(Some(b'P'), &parse);
            // The unnamed portal of the unnamed statement: no parameters, text everywhere.
            self.send(Some(b'B'), &[0; 8]);
            self.send(Some(b'E'), &[0; 5]);
        }
        self.send(Some(b'S'), &[]);
        self.answer()
    }

    fn send(&mut self, kind: Option<u8>, body: &[u8]) {
        let length = (body.len() + 4) as u32;
        let message: Vec<u8> = kind.into_iter().chain(length.to_be_bytes()).chain(body.iter().copied()).collect();
        self.stream.write_all(&message).expect("the server listens");
    }

    /// Reads up to the next ReadyForQuery.
    fn answer(&mut self) -> Answer {
        let mut answer = Answer::default();
        loop {
            let (kind, body) = self.message();
            match kind {
                b'C' => answer.done.push(texts(&body).concat()),
                b'E' => answer.error = Some(texts(&body).iter().filter_map(|text| field(text)).collect()),
                b'Z' => return answer,
                _ => {}
            }
        }
    }

    fn message(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head).expect("the server answers");
        let [kind, length @ ..] = head;
        let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
        self.stream.read_exact(&mut body).expect("the server answers");
        (kind, body)
    }
}

/// Texts that end with a zero each.
fn texts(body: &[u8]) -> Vec<String> {
    let texts = body.split(|byte| *byte == 0).filter(|text| !text.is_empty());
    texts.map(|text| String::from_utf8_lossy(text).into_owned()).collect()
}

fn field(text: &str) -> Option<(char, String)> {
    let letter = text.chars().next()?;
    Some((letter, text[letter.len_utf8()..].to_owned()))
}
