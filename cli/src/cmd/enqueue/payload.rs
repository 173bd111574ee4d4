//! Payloads and headers, as they are given on the command line.

use crate::error::{Error, Result};
use serde_json::value::RawValue;
use std::io::Read;
use std::path::PathBuf;
use std::str::FromStr;

/// What to work on: a text, JSON, or bytes of a file; one of them, or nothing.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub struct Payload {
    /// A text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    payload: Option<String>,
    /// JSON, which is checked
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    json_payload: Option<String>,
    /// The bytes of a file; - is standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Payload {
    /// # Errors
    /// [`Error::Usage`] where JSON is none, [`Error::System`] where the file cannot be read.
    pub fn read(self) -> Result<Option<Vec<u8>>> {
        if let Some(json) = self.json_payload {
            let checked: Result<&RawValue, _> = serde_json::from_str(&json);
            return match checked {
                Ok(_) => Ok(Some(json.into_bytes())),
                Err(error) => Err(Error::usage(
                    format!("--json-payload is no JSON: {error}"),
                    "Quote it for the shell: --json-payload '{\"url\": \"x\"}'",
                )),
            };
        }
        match self.file {
            Some(file) => Ok(Some(bytes_of(file)?)),
            None => Ok(self.payload.map(String::into_bytes)),
        }
    }
}

fn bytes_of(file: PathBuf) -> Result<Vec<u8>> {
    let read = if file.as_os_str() == "-" {
        let mut bytes = vec![];
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(&file)
    };
    read.map_err(|source| Error::System { what: format!("--file {}", file.display()), source })
}

/// `name=value`.
#[derive(Debug, Clone)]
pub struct Header(pub String, pub String);

impl FromStr for Header {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("write name=value")?;
        Ok(Self(name.to_owned(), value.to_owned()))
    }
}
