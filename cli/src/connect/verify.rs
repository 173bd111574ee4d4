//! Whether a certificate is the server's, as libpq decides it.
//!
//! Unlike a browser, libpq takes a self-signed certificate that is itself in the file of roots, and the common name of one
//! that carries no other names: the certificates that PostgreSQL's manual makes are of this kind.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::asn1::{PrintableStringRef, Utf8StringRef};
use x509_cert::der::oid::db::rfc4519::COMMON_NAME;
use x509_cert::ext::pkix::SubjectAltName;

/// What the server must prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Nothing.
    None,
    /// That somebody in the file of roots vouches for it.
    Chain,
    /// And that the name by which we call it is its own.
    ChainAndName,
}

#[derive(Debug)]
pub struct Verifier {
    proof: Proof,
    roots: Vec<CertificateDer<'static>>,
    anchors: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub fn new(proof: Proof, roots: Vec<CertificateDer<'static>>, provider: &CryptoProvider) -> Self {
        let mut anchors = RootCertStore::empty();
        anchors.add_parsable_certificates(roots.iter().cloned());
        Self { proof, roots, anchors, algorithms: provider.signature_verification_algorithms }
    }

    fn check_chain(
        &self,
        own: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        if self.roots.iter().any(|root| root == own) {
            return check_period(own, now);
        }
        let parsed = ParsedCertificate::try_from(own)?;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.anchors, between, now, self.algorithms.all)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.proof != Proof::None {
            self.check_chain(own, between, now)?;
        }
        if self.proof == Proof::ChainAndName {
            check_name(own, name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // Whoever may be anybody need not have the key, either; and an old certificate could not be read for it.
        if self.proof == Proof::None {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls12_signature(message, own, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.proof == Proof::None {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls13_signature(message, own, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn read(certificate: &CertificateDer<'_>) -> Result<Certificate, Error> {
    Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding.into())
}

fn check_period(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let period = read(certificate)?.tbs_certificate.validity;
    let seconds = |time: &x509_cert::time::Time| time.to_unix_duration().as_secs();
    if now.as_secs() < seconds(&period.not_before) {
        return Err(CertificateError::NotValidYet.into());
    }
    if now.as_secs() > seconds(&period.not_after) {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

fn check_name(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), Error> {
    let verdict = verify_server_name(&ParsedCertificate::try_from(certificate)?, name);
    match (verdict, name) {
        (Err(error), ServerName::DnsName(host)) => match common_name(certificate)? {
            Some(common) if fits(&common, host.as_ref()) => Ok(()),
            _ => Err(error),
        },
        (verdict, _) => verdict,
    }
}

/// The common name, where no other name is given.
fn common_name(certificate: &CertificateDer<'_>) -> Result<Option<String>, Error> {
    let certificate = read(certificate)?.tbs_certificate;
    if !matches!(certificate.get::<SubjectAltName>(), Ok(None)) {
        return Ok(None);
    }
    let mut parts = certificate.subject.0.iter().flat_map(|part| part.0.iter());
    let common = parts.find(|part| part.oid == COMMON_NAME).and_then(|part| {
        let utf8 = Utf8StringRef::try_from(&part.value).map(|text| text.to_string());
        utf8.or_else(|_| PrintableStringRef::try_from(&part.value).map(|text| text.to_string())).ok()
    });
    Ok(common)
}

/// A star stands for one label, the first.
fn fits(pattern: &str, host: &str) -> bool {
    if pattern.eq_ignore_ascii_case(host) {
        return true;
    }
    let (Some(pattern), Some((first, host))) = (pattern.strip_prefix("*."), host.split_once('.')) else { return false };
    !first.is_empty() && pattern.contains('.') && pattern.eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        assert!(fits("*.example.org", "db.Example.org"));
        assert!(!fits("*.example.org", "a.db.example.org"));
        assert!(!fits("*.org", "example.org"));
        assert!(!fits("db.example.org", "b.example.org"));
    }
}
