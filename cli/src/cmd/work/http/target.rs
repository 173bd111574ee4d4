//! Where jobs are posted to, and with which headers.

use crate::error::{Error, Result};
use http_body_util::Full;
use hyper::Uri;
use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long one address of a name may take to be connected to, and how long an idle connection is kept.
const CONNECT: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(30);

/// Where to, as it was given.
#[derive(Debug)]
pub struct Given<'a> {
    pub url: &'a str,
    pub headers: &'a Headers,
}

/// Headers of the user's.
#[derive(Debug, clap::Args)]
pub struct Headers {
    /// A header of each request of --http; may be given more than once
    #[arg(long = "header", value_name = "NAME: VALUE")]
    lines: Vec<String>,
    /// More of them, a line each; for secrets, which everybody on this machine could read among the arguments
    #[arg(long = "header-file", value_name = "FILE")]
    file: Option<PathBuf>,
}

/// The variable for the same.
const VARIABLE: &str = "PGQUEUER_HTTP_HEADERS";

/// Where to.
pub struct Target {
    pub url: Uri,
    /// For errors: without what may be a secret.
    pub name: String,
    pub headers: HeaderMap,
    pub client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Target {
    pub fn new(given: &Given) -> Result<Self> {
        let url = url(given.url)?;
        let name = format!(
            "{}://{}{}",
            url.scheme_str().unwrap_or_default(),
            url.authority().map_or("", |at| at.as_str()),
            url.path()
        );
        let headers = given.headers.read()?;
        let client = client(url.scheme_str() == Some("https"))?;
        Ok(Self { url, name, headers, client })
    }
}

fn url(text: &str) -> Result<Uri> {
    let wrong = |what: &str| Err(Error::usage(format!("--http: {what}"), "Write --http https://example.org/jobs"));
    let url: Uri = match text.parse() {
        Ok(url) => url,
        Err(error) => return wrong(&format!("this is no URL: {error}")),
    };
    match (url.scheme_str(), url.authority()) {
        (Some("http" | "https"), Some(at)) if at.as_str().contains('@') => Err(Error::usage(
            "--http: a user and a password are not taken from the URL",
            "Write the header \"Authorization: Basic …\" into a file, and pass --header-file.",
        )),
        (Some("http" | "https"), Some(_)) => Ok(url),
        _ => wrong("this is no URL of http or https"),
    }
}

impl Headers {
    /// Whether there are any among the arguments.
    pub fn are_given(&self) -> bool {
        !self.lines.is_empty() || self.file.is_some()
    }

    fn read(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        let text = match &self.file {
            Some(file) => std::fs::read_to_string(file)
                .map_err(|source| Error::System { what: format!("cannot read {}", file.display()), source })?,
            None => String::new(),
        };
        let variable = match std::env::var(VARIABLE) {
            Err(std::env::VarError::NotUnicode(_)) => return Err(wrong_header(VARIABLE)),
            variable => variable.unwrap_or_default(),
        };
        let of = |text: &str, whence: &'static str| -> Vec<_> {
            text.lines().filter(|line| !line.trim().is_empty()).map(|line| (line.to_owned(), whence)).collect()
        };
        let given = self.lines.iter().map(|line| (line.clone(), "--header"));
        for (line, whence) in of(&variable, VARIABLE).into_iter().chain(of(&text, "--header-file")).chain(given) {
            let (name, value) = header(&line).ok_or_else(|| wrong_header(whence))?;
            headers.insert(name, value);
        }
        Ok(headers)
    }
}

fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    let mut value = HeaderValue::from_str(value.trim()).ok()?;
    value.set_sensitive(true);
    Some((name.trim().parse().ok()?, value))
}

/// Never the line itself: it may be a secret.
fn wrong_header(whence: &str) -> Error {
    Error::usage(format!("{whence}: a line is no header"), "Write NAME: VALUE, as in Authorization: Bearer 123")
}

/// For `https` the authorities of this machine count, or those in the file that `SSL_CERT_FILE` names.
fn client(is_secure: bool) -> Result<Client<HttpsConnector<HttpConnector>, Full<Bytes>>> {
    let mut roots = RootCertStore::empty();
    if is_secure {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(Error::usage(
                "--http: this machine knows no authority for certificates",
                "Install ca-certificates, or name a file of them in SSL_CERT_FILE.",
            ));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = tls.map_err(|error| Error::usage(format!("no TLS: {error}"), "Post to http://."))?;
    let tls = tls.with_root_certificates(roots).with_no_client_auth();
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT));
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(connector);
    let mut client = Client::builder(TokioExecutor::new());
    Ok(client.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).build(connector))
}
