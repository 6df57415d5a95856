//! The portal's certificate: one that was given, or one that is made at the first start and kept.

use std::{
    fmt, fs,
    io::{self, Write as _},
    net::IpAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType, date_time_ymd};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use sha2::{Digest as _, Sha256};

/// The file of a made certificate and its key, in the state directory.
pub const MADE: &str = "portal.pem";
/// How long a made certificate is good, years: whoever accepted its fingerprint is not to be asked again.
const MADE_YEARS: i32 = 10;

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// PEM files: the certificate with those between it and its authority, and its key.
    Given {
        /// `portal.certificate`
        certificate: PathBuf,
        /// `portal.key`
        key: PathBuf,
    },
    /// Made for these names and addresses when the file is not there. It holds the key as well: 0600.
    Made {
        /// The file.
        file: PathBuf,
        /// What browsers call this host.
        names: Vec<String>,
    },
}

/// A certificate and its key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Never the key.
impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Identity").field(&self.fingerprint()).finish()
    }
}

impl Certificate {
    /// Reads it; makes it first if it is to be made.
    ///
    /// # Errors
    /// A file that cannot be read or written, or holds no certificate or key: says what to do.
    pub fn open(&self) -> Result<Identity, String> {
        match self {
            Certificate::Given { certificate, key } => read(certificate, key),
            Certificate::Made { file, names } => {
                if !file.exists() {
                    make(file, names)?;
                }
                read(file, file)
            }
        }
    }
}

impl Identity {
    /// SHA-256 of the certificate, as browsers show it.
    pub fn fingerprint(&self) -> String {
        let Some(certificate) = self.chain.first() else { return String::new() };
        let digest = Sha256::digest(certificate);
        let octets: Vec<String> = digest.iter().map(|octet| format!("{octet:02X}")).collect();
        octets.join(":")
    }

    /// What connections are taken with.
    ///
    /// # Errors
    /// A key that is not the certificate's.
    pub fn server(self) -> Result<Arc<ServerConfig>, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| error.to_string())?.with_no_client_auth();
        let mut config = config
            .with_single_cert(self.chain, self.key)
            .map_err(|error| format!("certificate and key do not go together: {error}"))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn read(certificate: &Path, key: &Path) -> Result<Identity, String> {
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| format!("cannot read {}: {error:?}", certificate.display()))?;
    if chain.is_empty() {
        return Err(format!("there is no certificate in {}; it holds PEM", certificate.display()));
    }
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| format!("there is no key in {}, which holds PEM: {error:?}", key.display()))?;
    Ok(Identity { chain, key })
}

/// Writes a new certificate that vouches for itself. Two that start at once agree on one of theirs.
fn make(file: &Path, names: &[String]) -> Result<(), String> {
    let cannot = |error: &dyn fmt::Display| format!("cannot make {}: {error}", file.display());
    let key = KeyPair::generate().map_err(|error| cannot(&error))?;
    let mut parameters = CertificateParams::default();
    for name in names {
        let name = match name.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(name.as_str().try_into().map_err(|error| cannot(&error))?),
        };
        parameters.subject_alt_names.push(name);
    }
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, "vpn-sensor portal");
    let today = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let day = |years: i32| {
        // The first of the month: also a browser whose clock is behind takes it.
        date_time_ymd(i32::from(today.year()) + years, today.month().unsigned_abs(), 1)
    };
    (parameters.not_before, parameters.not_after) = (day(0), day(MADE_YEARS));
    let certificate = parameters.self_signed(&key).map_err(|error| cannot(&error))?;
    let text = zeroize::Zeroizing::new(format!("{}{}", certificate.pem(), key.serialize_pem()));
    let new = file.with_extension(format!("new-{}", std::process::id()));
    let written = write_whole(&new, text.as_bytes()).and_then(|()| match fs::hard_link(&new, file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    // Whatever became of it, the name of the draft has served.
    let _ = fs::remove_file(&new);
    written.map_err(|error| cannot(&error))
}

fn write_whole(path: &Path, octets: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(octets)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_made_certificate_is_private_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(MADE);
        let names = ["localhost", "192.0.2.1", "2001:db8::1"].map(str::to_owned).to_vec();
        let made = Certificate::Made { file: file.clone(), names };
        let first = made.open().unwrap();
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays");
        let shown = first.fingerprint();
        assert_eq!((shown.len(), shown.matches(':').count()), (95, 31), "{shown}");
        assert!(format!("{first:?}").contains(&shown));
        assert_eq!(made.open().unwrap().fingerprint(), shown);
        first.server().unwrap();
    }

    #[test]
    fn what_is_not_a_certificate_or_not_its_key_is_refused_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let other = KeyPair::generate().unwrap();
        fs::write(path("cert.pem"), pair.cert.pem()).unwrap();
        fs::write(path("key.pem"), pair.signing_key.serialize_pem()).unwrap();
        fs::write(path("other.pem"), other.serialize_pem()).unwrap();
        fs::write(path("empty.pem"), "").unwrap();
        let given = |certificate: &str, key: &str| {
            Certificate::Given { certificate: path(certificate), key: path(key) }.open()
        };
        given("cert.pem", "key.pem").unwrap().server().unwrap();
        assert!(given("cert.pem", "other.pem").unwrap().server().unwrap_err().contains("go together"));
        for (certificate, key, named) in [
            ("empty.pem", "key.pem", "empty.pem"),
            ("cert.pem", "empty.pem", "empty.pem"),
            ("absent.pem", "key.pem", "absent.pem"),
        ] {
            let error = given(certificate, key).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }
}
