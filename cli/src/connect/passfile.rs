//! The password file: `host:port:database:user:password` lines, of which the first that fits counts.

use super::words::Words;
use std::env::home_dir;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// Whom a password is for.
pub struct Login<'a> {
    pub host: &'a str,
    pub port: u16,
    pub database: &'a str,
    pub user: &'a str,
}

/// The lines of `passfile`, `PGPASSFILE` or `~/.pgpass`; none where others may read it, which is said.
pub fn lines(words: &Words) -> Vec<String> {
    let file = words.get("passfile").map(PathBuf::from).or_else(|| Some(home_dir()?.join(".pgpass")));
    let Some((file, text)) = file.and_then(|file| Some((file.clone(), std::fs::read_to_string(file).ok()?))) else {
        return vec![];
    };
    let others = std::fs::metadata(&file).is_ok_and(|file| file.permissions().mode() & 0o077 != 0);
    if others {
        let file = file.display();
        eprintln!("pgq: warning: the password file {file} is passed over, as others may read it: chmod 600 {file}");
        return vec![];
    }
    text.lines().map(str::to_owned).collect()
}

/// The password of a login.
pub fn find(lines: &[String], login: &Login<'_>) -> Option<String> {
    let port = login.port.to_string();
    let asked = [login.host, &port, login.database, login.user];
    lines.iter().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let fits = |(field, asked): (&String, &&str)| field == "*" || field == *asked;
        let (password, named) = fields.split_last().filter(|(_, named)| named.len() == asked.len())?;
        named.iter().zip(&asked).all(fits).then(|| password.clone())
    })
}

/// Five fields; a backslash takes the next character as it is.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        let last = fields.len() == 5;
        match (char, fields.last_mut()) {
            (':', _) if !last => fields.push(String::new()),
            ('\\', Some(field)) => field.extend(chars.next()),
            (char, Some(field)) => field.push(char),
            (_, None) => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_counts() {
        let lines: Vec<String> = [
            "# h:1:d:u:no",
            "h:2:d:u:port",
            r"h:*:d\:e:u:database",
            "h:1:d:u:yes:with\\:colons\\\\",
            "*:*:*:*:rest",
            "short:line",
        ]
        .map(str::to_owned)
        .to_vec();
        let find = |host, port, database| find(&lines, &Login { host, port, database, user: "u" });
        assert_eq!(find("h", 1, "d").unwrap(), "yes:with:colons\\");
        assert_eq!(find("h", 2, "d").unwrap(), "port");
        assert_eq!(find("h", 3, "d:e").unwrap(), "database");
        assert_eq!(find("i", 1, "d").unwrap(), "rest");
    }
}
