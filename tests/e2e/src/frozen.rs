//! Processes that stand still: nobody is told, their connections stay open, and nothing comes out of them.

use std::process::Command;

/// Stands still until it is dropped.
#[derive(Debug)]
#[must_use = "it goes on when this is dropped"]
pub struct Frozen(Vec<i32>);

impl Frozen {
    /// Stops these processes where they are.
    pub fn of(processes: Vec<i32>) -> Self {
        signal("-STOP", &processes);
        Self(processes)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        signal("-CONT", &self.0);
    }
}

/// Some of them may be gone.
fn signal(name: &str, processes: &[i32]) {
    let processes = processes.iter().map(i32::to_string);
    Command::new("kill").arg(name).arg("--").args(processes).output().expect("there is a kill");
}
