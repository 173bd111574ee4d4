//! The page of help: the commands under headings, so that a beginner finds his way. clap has no headings for commands.

use crate::args::Cli;
use clap::{Command, CommandFactory};

/// Headings, and the commands under each.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Set up", &["install", "verify", "health", "upgrade", "import", "uninstall", "grant", "revoke", "durability"]),
    ("Jobs", &["enqueue", "jobs", "job", "failed", "requeue", "cancel", "delete", "clear"]),
    ("Entrypoints and schedules", &["configure", "pause", "resume", "schedules"]),
    ("Watch", &["backlog", "log", "workers", "stale", "listen"]),
    ("Run", &["work", "top", "web", "metrics", "mcp"]),
    ("This command", &["completions", "man", "help"]),
];

/// The command line, with its page of help.
pub fn command() -> Command {
    let mut command = Cli::command();
    command.build();
    let commands = groups(&command);
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{commands}\nOptions:\n{{options}}{{after-help}}"
    ))
}

fn groups(command: &Command) -> String {
    let mut text = String::new();
    for (heading, names) in GROUPS {
        let commands = names.iter().filter_map(|name| command.find_subcommand(name));
        let lines: Vec<String> = commands
            .map(|one| {
                format!("  {:<12} {}\n", one.get_name(), one.get_about().map(ToString::to_string).unwrap_or_default())
            })
            .collect();
        if !lines.is_empty() {
            text.push_str(&format!("\n{heading}:\n{}", lines.concat()));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_under_a_heading_and_has_examples() {
        command().debug_assert();
        let command = command();
        for one in command.get_subcommands() {
            let name = one.get_name();
            assert!(GROUPS.iter().any(|(_, names)| names.contains(&name)), "{name} is under no heading");
            let help = one.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(name == "help" || help.contains("pgq "), "{name} has no example");
        }
    }
}
