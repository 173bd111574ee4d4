//! What `sslmode` means, in libpq's sense: encrypted or not, and whether the server must prove who it is.

use super::verify::{Proof, Verifier};
use super::words::Words;
use super::wrong;
use crate::error::{Error, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedProtocolVersion};
use std::env::home_dir;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Sets the mode, and returns what makes connections secure.
///
/// # Errors
/// [`Error::Usage`] where words do not fit together, [`Error::System`] where a file cannot be read.
pub fn choose(words: &Words, config: &mut Config) -> Result<MakeRustlsConnect> {
    let roots = Roots::of(words);
    let (mode, proof) = mode(words, &roots)?;
    config.ssl_mode(mode);
    let negotiation = [("postgres", SslNegotiation::Postgres), ("direct", SslNegotiation::Direct)];
    if let Some(negotiation) = words.one_of("sslnegotiation", &negotiation)? {
        config.ssl_negotiation(negotiation);
    }
    let roots = if proof == Proof::None { vec![] } else { roots.read()? };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(Verifier::new(proof, roots, &provider));
    let tls = ClientConfig::builder_with_provider(provider).with_protocol_versions(&versions(words)?);
    let tls = tls.map_err(|error| wrong(format!("no TLS: {error}")))?;
    let tls = tls.dangerous().with_custom_certificate_verifier(verifier);
    let mut tls = match own_certificate(words)? {
        Some((chain, key)) => tls
            .with_client_auth_cert(chain, key)
            .map_err(|error| wrong_file(format!("sslcert and sslkey do not fit: {error}")))?,
        None => tls.with_no_client_auth(),
    };
    tls.enable_sni = words.number::<u8>("sslsni")? != Some(0);
    if config.get_ssl_negotiation() == SslNegotiation::Direct {
        tls.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(MakeRustlsConnect::new(tls))
}

fn mode(words: &Words, roots: &Roots) -> Result<(SslMode, Proof)> {
    // What libpq tries second under "allow", TLS, is tried first: the rest is as under "prefer".
    let modes = [
        ("disable", (SslMode::Disable, Proof::None)),
        ("allow", (SslMode::Prefer, Proof::None)),
        ("prefer", (SslMode::Prefer, Proof::None)),
        ("require", (SslMode::Require, Proof::None)),
        ("verify-ca", (SslMode::Require, Proof::Chain)),
        ("verify-full", (SslMode::Require, Proof::ChainAndName)),
    ];
    let said = words.one_of("sslmode", &modes)?;
    match (said, roots) {
        (None | Some((_, Proof::ChainAndName)), Roots::System) => Ok((SslMode::Require, Proof::ChainAndName)),
        (Some(_), Roots::System) => Err(wrong("sslrootcert=system needs sslmode=verify-full")),
        // So it was before there was verify-ca, and libpq has kept it.
        (Some((SslMode::Require, Proof::None)), Roots::File(file)) if file.exists() => {
            Ok((SslMode::Require, Proof::Chain))
        }
        (said, _) => Ok(said.unwrap_or((SslMode::Prefer, Proof::None))),
    }
}

/// Whose signature a server's certificate must have.
enum Roots {
    System,
    File(PathBuf),
}

impl Roots {
    fn of(words: &Words) -> Self {
        match words.get("sslrootcert") {
            Some("system") => Self::System,
            Some(file) => Self::File(file.into()),
            None => Self::File(own_file("root.crt")),
        }
    }

    fn read(self) -> Result<Vec<CertificateDer<'static>>> {
        match self {
            Self::System => Ok(rustls_native_certs::load_native_certs().certs),
            Self::File(file) if !file.exists() => Err(Error::usage(
                format!("the file of root certificates {} does not exist", file.display()),
                "Name it with sslrootcert (PGSSLROOTCERT), take the system's with sslrootcert=system, or change sslmode \
                 so that the server need not prove who it is.",
            )),
            Self::File(file) => certificates(&file),
        }
    }
}

fn own_file(name: &str) -> PathBuf {
    home_dir().unwrap_or_default().join(".postgresql").join(name)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read =
        read.map_err(|error| wrong_file(format!("the certificates in {} cannot be read: {error}", file.display())))?;
    if read.is_empty() {
        return Err(wrong_file(format!("there is no certificate in {}", file.display())));
    }
    Ok(read)
}

fn wrong_file(message: String) -> Error {
    Error::usage(message, "sslrootcert, sslcert and sslkey name PEM files; without them ~/.postgresql is looked into.")
}

type OwnCertificate = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The client's own certificate: the one that was named, or else the one at its usual place.
fn own_certificate(words: &Words) -> Result<Option<OwnCertificate>> {
    let file = words.get("sslcert").map_or_else(|| own_file("postgresql.crt"), PathBuf::from);
    if !file.exists() && words.get("sslcert").is_none() {
        return Ok(None);
    }
    let chain = certificates(&file)?;
    let file = words.get("sslkey").map_or_else(|| own_file("postgresql.key"), PathBuf::from);
    check_key_file(&file)?;
    let key = PrivateKeyDer::from_pem_file(&file).map_err(|error| {
        wrong_file(format!(
            "the key in {} cannot be read (one with a passphrase is not supported): {error}",
            file.display()
        ))
    })?;
    Ok(Some((chain, key)))
}

/// As libpq has it: only the user may read it, and the group where it belongs to root.
fn check_key_file(file: &Path) -> Result<()> {
    let what = |source| Error::System { what: format!("the key file {}", file.display()), source };
    let is = std::fs::metadata(file).map_err(what)?;
    let too_many = if is.uid() == 0 { 0o027 } else { 0o077 };
    if is.mode() & too_many == 0 {
        return Ok(());
    }
    let file = file.display();
    Err(Error::usage(format!("others may read the key file {file}"), format!("chmod 600 {file}")))
}

fn versions(words: &Words) -> Result<Vec<&'static SupportedProtocolVersion>> {
    let names = [("TLSv1", 0), ("TLSv1.1", 1), ("TLSv1.2", 2), ("TLSv1.3", 3)];
    let least = words.one_of("ssl_min_protocol_version", &names)?.unwrap_or(0);
    let most = words.one_of("ssl_max_protocol_version", &names)?.unwrap_or(3);
    let versions: Vec<_> = [(2, &TLS12), (3, &TLS13)]
        .into_iter()
        .filter(|(number, _)| (least..=most).contains(number))
        .map(|(_, version)| version)
        .collect();
    if versions.is_empty() { Err(wrong("only TLSv1.2 and TLSv1.3 are supported")) } else { Ok(versions) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(dsn: &str) -> Result<(SslMode, Proof)> {
        let words = Words::of(dsn)?;
        mode(&words, &Roots::of(&words))
    }

    #[test]
    fn modes_mean_what_libpq_means() {
        let none = "sslrootcert=/nowhere";
        assert_eq!(of(none).unwrap(), (SslMode::Prefer, Proof::None));
        assert_eq!(of(&format!("{none} sslmode=require")).unwrap(), (SslMode::Require, Proof::None));
        assert_eq!(of("sslrootcert=/dev/null sslmode=require").unwrap(), (SslMode::Require, Proof::Chain));
        assert_eq!(of("sslmode=verify-full").unwrap(), (SslMode::Require, Proof::ChainAndName));
        assert_eq!(of("sslrootcert=system").unwrap(), (SslMode::Require, Proof::ChainAndName));
        assert!(of("sslrootcert=system sslmode=require").is_err());
        assert!(of("sslmode=verify").is_err());
    }
}
