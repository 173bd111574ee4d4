//! croniter, as a process that is asked in batches.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running `oracle.py`. It ends when its input does.
#[derive(Debug)]
pub struct Oracle {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Oracle {
    /// Starts it with the Python that `tests/cron/run` has prepared.
    pub fn start() -> Oracle {
        let python = std::env::var_os("PGQUEUER_CRON_PYTHON").expect("tests/cron/run sets PGQUEUER_CRON_PYTHON");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/oracle.py");
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("Python starts");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        Oracle { questions: child.stdin.take(), child, answers }
    }

    /// The next ticks in UTC of each expression after its time, at most `count`.
    pub fn ticks(&mut self, asked: &[(String, i64)], count: usize) -> Vec<Vec<i64>> {
        // Expressions have no character that JSON escapes.
        let lines = asked.iter().map(|(expression, after)| format!("[\"{expression}\", {after}, {count}]\n"));
        let batch = lines.collect::<String>() + "\n";
        self.questions.as_mut().expect("open").write_all(batch.as_bytes()).expect("the oracle reads");
        asked.iter().map(|_| self.answer()).collect()
    }

    fn answer(&mut self) -> Vec<i64> {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the oracle answers");
        let list = line.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let ticks =
            list.unwrap_or_else(|| panic!("the oracle says: {line}")).split(", ").filter(|tick| !tick.is_empty());
        ticks.map(|tick| tick.parse().expect("a second")).collect()
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.questions = None;
        // It has ended, or is about to.
        let _ = self.child.wait();
    }
}
