//! Who may do what.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How a dashboard behaves. The default asks for no login, shows everything and allows every action: for an address that
/// only trusted people reach, or behind a login of your own.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub(crate) prefix: String,
    pub(crate) title: Option<String>,
    pub(crate) read_only: bool,
    pub(crate) password: Option<Secret>,
    pub(crate) token: Option<Secret>,
    pub(crate) hosts: Option<Vec<String>>,
}

/// Why an option was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// Nothing is no secret.
    #[error("the {0} is empty")]
    Empty(&'static str),
}

impl Options {
    /// Shows only entrypoints that begin with this, and leaves it out of their names. A filter, not a wall.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// What stands beside the name in the head of each page: `staging`.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Shows no action, and refuses them.
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// Asks for this password (HTTP Basic, with any user name).
    ///
    /// # Errors
    /// Where it is empty.
    pub fn password(mut self, password: &str) -> Result<Self, OptionsError> {
        self.password = Some(Secret::of("password", password)?);
        Ok(self)
    }

    /// Lets in whoever sends this token (`Authorization: Bearer …`); beside a password, either will do.
    ///
    /// # Errors
    /// Where it is empty.
    pub fn token(mut self, token: &str) -> Result<Self, OptionsError> {
        self.token = Some(Secret::of("token", token)?);
        Ok(self)
    }

    /// Answers only under these names, whatever the port; `localhost`, `127.0.0.1` and `::1` among them where they are
    /// wanted. Without a login this keeps out a page elsewhere that has its own name point here.
    pub fn hosts<T: Into<String>>(mut self, hosts: impl IntoIterator<Item = T>) -> Self {
        self.hosts = Some(hosts.into_iter().map(Into::into).collect());
        self
    }
}

/// Kept as its hash: two hashes have one length, so comparing them tells nothing of the secret's.
#[derive(Clone)]
pub(crate) struct Secret([u8; 32]);

impl Secret {
    fn of(what: &'static str, secret: &str) -> Result<Self, OptionsError> {
        if secret.is_empty() { Err(OptionsError::Empty(what)) } else { Ok(Self(Sha256::digest(secret).into())) }
    }

    /// Takes as long for every guess.
    pub(crate) fn is(&self, guess: &[u8]) -> bool {
        let guess: [u8; 32] = Sha256::digest(guess).into();
        self.0.ct_eq(&guess).into()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}
