//! The portal's certificate: one that was given, or one that is made at the first start and kept.

use std::{
    fmt, fs,
    io::{self, Write as _},
    net::IpAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
};

use policy::portal::{Certificate, Identity};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType, date_time_ymd};
use rustls::ServerConfig;
use sha2::{Digest as _, Sha256};

/// How long a made certificate is good, years: whoever accepted its fingerprint is not to be asked again.
const MADE_YEARS: i32 = 10;

/// Reads a certificate; makes it first if it is to be made.
///
/// # Errors
/// A file that cannot be read or written, or holds no certificate or key: says what to do.
pub fn open(certificate: &Certificate) -> Result<Identity, String> {
    match certificate {
        Certificate::Given { certificate, key } => Identity::read(certificate, key),
        Certificate::Made { file, names } => {
            if !file.exists() {
                make(file, names)?;
            }
            Identity::read(file, file)
        }
    }
}

/// SHA-256 of a certificate, as browsers show it.
pub fn fingerprint(identity: &Identity) -> String {
    let Some(certificate) = identity.chain.first() else { return String::new() };
    let digest = Sha256::digest(certificate);
    let octets: Vec<String> = digest.iter().map(|octet| format!("{octet:02X}")).collect();
    octets.join(":")
}

/// What connections are taken with.
///
/// # Errors
/// A key that is not the certificate's.
pub fn server(identity: Identity) -> Result<Arc<ServerConfig>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?.with_no_client_auth();
    let mut config = config
        .with_single_cert(identity.chain, identity.key)
        .map_err(|error| format!("certificate and key do not go together: {error}"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
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
        let file = folder.path().join("portal.pem");
        let names = ["localhost", "192.0.2.1", "2001:db8::1"].map(str::to_owned).to_vec();
        let made = Certificate::Made { file: file.clone(), names };
        let first = open(&made).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays");
        let shown = fingerprint(&first);
        assert_eq!((shown.len(), shown.matches(':').count()), (95, 31), "{shown}");
        assert_eq!(fingerprint(&open(&made).unwrap()), shown);
        server(first).unwrap();
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
            open(&Certificate::Given { certificate: path(certificate), key: path(key) })
        };
        server(given("cert.pem", "key.pem").unwrap()).unwrap();
        let apart = server(given("cert.pem", "other.pem").unwrap()).unwrap_err();
        assert!(apart.contains("go together"), "{apart}");
        for (certificate, key, named) in [
            ("empty.pem", "key.pem", "empty.pem"),
            ("cert.pem", "empty.pem", "empty.pem"),
            ("absent.pem", "key.pem", "absent.pem"),
        ] {
            let error = given(certificate, key).err().unwrap();
            assert!(error.contains(named), "{error}");
        }
    }
}
