//! Runs `pgq mcp` and speaks the protocol with it, a line a message, as an assistant's program does.

use crate::pgq::{Running, command};
use pgqueuer_e2e::cluster::Database;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

pub struct Assistant {
    process: Running,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    asked: i64,
}

/// What a tool answered.
#[derive(Debug)]
pub struct Told {
    pub text: String,
    pub value: Value,
    pub is_error: bool,
}

impl Told {
    /// The answer; it must be one.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(!self.is_error, "{}", self.text);
        // Clients that know no structured content read the text.
        assert_eq!(serde_json::from_str::<Value>(&self.text).unwrap(), self.value);
        self.value
    }

    /// The rows of the answer.
    #[track_caller]
    pub fn rows(self) -> Vec<Value> {
        self.ok()["rows"].as_array().unwrap().clone()
    }

    /// What the tool complained about.
    #[track_caller]
    pub fn refused(self) -> String {
        assert!(self.is_error, "{}", self.text);
        self.text
    }
}

impl Assistant {
    /// One that has introduced itself.
    pub fn start(database: &Database, args: &[&str]) -> Self {
        let mut assistant = Self::of(command(database, &[&["mcp"], args].concat()));
        let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } });
        assistant.ask("initialize", hello);
        assistant.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
        assistant
    }

    pub fn of(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("pgq starts");
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { process: Running(child), input, output, asked: 0 }
    }

    pub fn say(&mut self, line: &str) {
        self.say_bytes(line.as_bytes());
    }

    pub fn say_bytes(&mut self, line: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line).and_then(|()| input.write_all(b"\n")).unwrap();
    }

    /// The next line: a message of the protocol, and nothing else.
    #[track_caller]
    pub fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    /// The answer to a request, whole.
    #[track_caller]
    pub fn request(&mut self, method: &str, parameters: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.say(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }).to_string());
        let answer = self.hear();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    #[track_caller]
    pub fn ask(&mut self, method: &str, parameters: Value) -> Value {
        let answer = self.request(method, parameters);
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].clone()
    }

    #[track_caller]
    pub fn call(&mut self, tool: &str, arguments: Value) -> Told {
        let result = self.ask("tools/call", json!({ "name": tool, "arguments": arguments }));
        let text = result["content"][0]["text"].as_str().unwrap_or_default().to_owned();
        Told { text, value: result["structuredContent"].clone(), is_error: result["isError"] == true }
    }

    pub fn tools(&mut self) -> Vec<Value> {
        self.ask("tools/list", json!({}))["tools"].as_array().unwrap().clone()
    }

    /// Says no more, and returns how it ended, and what came on standard output and standard error.
    pub fn end(&mut self) -> (Option<i32>, String, String) {
        drop(self.input.take());
        self.rest()
    }

    /// The same for one that ends by itself.
    pub fn rest(&mut self) -> (Option<i32>, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        self.output.read_to_string(&mut out).unwrap();
        self.process.0.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (self.process.0.wait().unwrap().code(), out, err)
    }

    pub fn id(&self) -> u32 {
        self.process.0.id()
    }
}
