//! TLS, in libpq's sense of `sslmode`.

use crate::pgq::{Folder, bare, ran};
use pgqueuer_e2e::ask::run;
use pgqueuer_e2e::cluster::Cluster;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

/// A certificate and its key, as PEM.
struct Pair {
    certificate: String,
    key: String,
}

/// One that signs others.
fn authority() -> (Pair, Issuer<'static, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "root");
    let certificate = params.self_signed(&key).unwrap();
    let pair = Pair { certificate: certificate.pem(), key: key.serialize_pem() };
    (pair, Issuer::new(params, key))
}

/// One for these names, and with this common name.
fn signed(by: &Issuer<KeyPair>, names: &[&str], common: &str) -> Pair {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, common);
    let certificate = params.signed_by(&key, by).unwrap();
    Pair { certificate: certificate.pem(), key: key.serialize_pem() }
}

/// A server with a certificate, which lets in nobody without TLS.
fn server(pair: &Pair, more: &[(&str, &str)], hba: &str) -> Cluster {
    let mut settings = vec![];
    let cluster = Cluster::start_in(
        |folder| {
            for (name, content) in
                [("ssl_cert_file", &*pair.certificate), ("ssl_key_file", &pair.key), ("hba_file", hba)]
                    .iter()
                    .chain(more)
            {
                let file = folder.join(name);
                write_for(folder, &file, content);
                settings.push(((*name).to_owned(), file.to_str().unwrap().to_owned()));
            }
            vec![]
        },
        &[],
    );
    run(&mut cluster.connect("postgres"), "CREATE EXTENSION pgqueuer");
    let mut settings: Vec<(&str, &str)> = settings.iter().map(|(name, file)| (name.as_str(), file.as_str())).collect();
    settings.push(("ssl", "on"));
    cluster.configure(&settings);
    cluster.stop(pgqueuer_e2e::cluster::Stop::Fast);
    cluster.begin();
    cluster
}

/// The file belongs to the account that runs the server, and nobody else may read it.
fn write_for(folder: &Path, file: &Path, content: &str) {
    std::fs::write(file, content).unwrap();
    std::fs::set_permissions(file, PermissionsExt::from_mode(0o600)).unwrap();
    let owner = std::fs::metadata(folder).unwrap();
    chown(file, Some(owner.uid()), Some(owner.gid())).unwrap();
}

const ONLY_TLS: &str = "hostssl all all all trust\n";

struct Asked<'a> {
    port: u16,
    host: &'a str,
}

impl Asked<'_> {
    /// The exit code, and what was said.
    fn ask(&self, options: &str) -> (i32, String) {
        let dsn =
            format!("host={} hostaddr=127.0.0.1 port={} user=postgres dbname=postgres {options}", self.host, self.port);
        let ran = ran(&mut bare(&["durability", "--dsn", &dsn]));
        (ran.code, ran.out + &ran.err)
    }

    #[track_caller]
    fn works(&self, options: &str) {
        assert_eq!(self.ask(options), (0, "durable\n".to_owned()), "{options}");
    }

    #[track_caller]
    fn fails(&self, options: &str, code: i32, says: &str) {
        let (got, said) = self.ask(options);
        assert!(got == code && said.contains(says), "{options}: {got} {said}");
    }
}

#[test]
fn a_server_must_prove_as_much_as_sslmode_says() {
    let (root, issuer) = authority();
    let (other, _) = authority();
    let cluster = server(&signed(&issuer, &["db.example.org", "127.0.0.1"], "db"), &[], ONLY_TLS);
    let folder = Folder::new();
    let root = folder.file("root.crt", &root.certificate);
    let other = folder.file("other.crt", &other.certificate);
    let port = cluster.named("postgres").host_and_port().1;
    let right = Asked { port, host: "db.example.org" };
    let wrong = Asked { port, host: "db.example.com" };

    right.fails("sslmode=disable", 3, "no encryption");
    for mode in ["", "sslmode=allow", "sslmode=prefer", "sslmode=require"] {
        wrong.works(mode);
    }
    // As libpq has it: where there are roots, "require" is "verify-ca".
    wrong.works(&format!("sslmode=require sslrootcert={root}"));
    wrong.fails(&format!("sslmode=require sslrootcert={other}"), 3, "invalid peer certificate");
    wrong.works(&format!("sslmode=verify-ca sslrootcert={root}"));
    wrong.fails(&format!("sslmode=verify-ca sslrootcert={other}"), 3, "invalid peer certificate");
    right.works(&format!("sslmode=verify-full sslrootcert={root}"));
    Asked { port, host: "127.0.0.1" }.works(&format!("sslmode=verify-full sslrootcert={root}"));
    wrong.fails(&format!("sslmode=verify-full sslrootcert={root}"), 3, "not valid for name");
    right.fails("sslmode=verify-full", 2, "root.crt does not exist");
    right.fails("sslrootcert=system", 3, "invalid peer certificate");
    right.fails("sslrootcert=system sslmode=require", 2, "verify-full");
    right.works(&format!("sslmode=verify-full sslrootcert={root} ssl_min_protocol_version=TLSv1.3"));
    right.works("channel_binding=disable");

    let dsn = format!("host=db.example.org hostaddr=127.0.0.1 port={port} user=postgres dbname=postgres");
    let mut variables = bare(&["durability", "--dsn", &dsn]);
    assert_eq!(ran(variables.env("PGSSLMODE", "verify-full").env("PGSSLROOTCERT", &root)).ok(), "durable\n");
}

#[test]
fn the_certificates_of_postgresqls_manual_are_good_enough() {
    let (root, issuer) = authority();
    // No name but the common one.
    let cluster = server(&signed(&issuer, &[], "db.example.org"), &[], ONLY_TLS);
    let folder = Folder::new();
    let root = folder.file("root.crt", &root.certificate);
    let port = cluster.named("postgres").host_and_port().1;
    Asked { port, host: "db.example.org" }.works(&format!("sslmode=verify-full sslrootcert={root}"));
    Asked { port, host: "db.example.com" }.fails(
        &format!("sslmode=verify-full sslrootcert={root}"),
        3,
        "not valid for name",
    );

    // Its own authority, which is what `openssl req -x509` makes.
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "db.example.org");
    let own = params.self_signed(&key).unwrap();
    let cluster = server(&Pair { certificate: own.pem(), key: key.serialize_pem() }, &[], ONLY_TLS);
    let own = folder.file("own.crt", own.pem());
    let port = cluster.named("postgres").host_and_port().1;
    Asked { port, host: "db.example.org" }.works(&format!("sslmode=verify-full sslrootcert={own}"));
    Asked { port, host: "db.example.org" }.fails(
        &format!("sslmode=verify-ca sslrootcert={root}"),
        3,
        "invalid peer certificate",
    );
}

#[test]
fn a_client_proves_who_it_is_by_its_certificate() {
    let (root, issuer) = authority();
    let hba = "hostssl all all all cert\n";
    let cluster = server(&signed(&issuer, &["localhost"], "db"), &[("ssl_ca_file", &root.certificate)], hba);
    let client = signed(&issuer, &[], "postgres");
    let folder = Folder::new();
    let certificate = folder.file("me.crt", &client.certificate);
    let key = folder.file("me.key", &client.key);
    let asked = Asked { port: cluster.named("postgres").host_and_port().1, host: "localhost" };
    asked.fails("sslmode=require", 3, "certificate");
    let options = format!("sslmode=require sslcert={certificate} sslkey={key}");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    asked.fails(&options, 2, "others may read the key file");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    asked.works(&options);
    let broken = folder.file("broken.crt", "nothing");
    asked.fails(&format!("sslmode=require sslcert={broken}"), 2, "there is no certificate in");
    asked.fails(&format!("sslmode=require sslcert={certificate} sslkey=/nowhere"), 1, "/nowhere");
}
