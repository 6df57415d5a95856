//! Debian's rsyslogd as a receiver over TLS.

use std::{
    fs::{self, File},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Child,
};

use end_to_end::{Namespace, PATIENCE, tools::need_program, wait_until};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;

/// Where RFC 5425 has it.
pub(crate) const PORT: u16 = 6514;

/// A running rsyslogd in a namespace; ended when dropped.
pub(crate) struct Rsyslog {
    process: Child,
    output: PathBuf,
}

impl Rsyslog {
    /// With files in this folder; makes `authority.pem` there first, whom to trust.
    pub(crate) fn start(namespace: &Namespace, folder: &Path) -> Rsyslog {
        need_program("rsyslogd", "rsyslog rsyslog-openssl");
        make_certificates(folder);
        let output = folder.join("received");
        let text = format!(
            "global(workDirectory=\"{folder}\" maxMessageSize=\"64k\" DefaultNetstreamDriver=\"ossl\" \
             DefaultNetstreamDriverCAFile=\"{folder}/authority.pem\" \
             DefaultNetstreamDriverCertFile=\"{folder}/server.pem\" \
             DefaultNetstreamDriverKeyFile=\"{folder}/server.key\")\n\
             module(load=\"imtcp\" StreamDriver.Name=\"ossl\" StreamDriver.Mode=\"1\" StreamDriver.Authmode=\"anon\")\n\
             input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{PORT}\")\n\
             template(name=\"parts\" type=\"string\" string=\"%protocol-version%\t%app-name%\t%msgid%\t%msg%\\n\")\n\
             action(type=\"omfile\" file=\"{output}\" template=\"parts\")\n",
            folder = folder.display(),
            output = output.display(),
        );
        let configuration = folder.join("rsyslog.conf");
        fs::write(&configuration, text).unwrap();
        let mut command = namespace.command("rsyslogd");
        command.args(["-n", "-f"]).arg(&configuration).arg("-i").arg(folder.join("pid"));
        // It tells of every sensor that is killed.
        command.stderr(File::create(folder.join("rsyslog.errors")).unwrap());
        let process = command.spawn().unwrap();
        wait_until("rsyslogd listens", PATIENCE, || {
            namespace.enter(|| TcpStream::connect(("127.0.0.1", PORT)).is_ok())
        });
        Rsyslog { process, output }
    }

    /// Events of OCSF that arrived, in their order.
    pub(crate) fn received(&self) -> Vec<String> {
        let message = |(id, message): (String, String)| {
            let event: Value =
                serde_json::from_str(&message).unwrap_or_else(|error| panic!("{error}: {message}"));
            // Not everybody is learned after this month: then another rule speaks, and names some of the alerts.
            let external_id = &event["unmapped"]["external_id"];
            let is_called_so = event["finding_info"]["title"] == "Suspicious VPN connection";
            assert!(*external_id == 2025 || (external_id.is_null() && !is_called_so), "{message}");
            assert_eq!(id == "AbnormalVpnSecurityAlert", *external_id == 2025, "{message}");
            message
        };
        let all = self.messages().into_iter().filter(|(_, message)| !message.starts_with("CEF:"));
        all.map(message).collect()
    }

    /// Lines of CEF that arrived, in their order.
    pub(crate) fn received_cef(&self) -> Vec<String> {
        let cef = self.messages().into_iter().filter(|(_, message)| message.starts_with("CEF:"));
        cef.map(|(_, message)| message).collect()
    }

    /// Messages of RFC 5424, from us: their ids, and what they say without their headers.
    fn messages(&self) -> Vec<(String, String)> {
        let text = fs::read_to_string(&self.output).unwrap_or_default();
        // The last line may still be written.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let message = |line: &str| {
            let [version, program, id, message] =
                line.splitn(4, '\t').collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{line}"));
            assert_eq!((version, program), ("1", "vpn-sensor"), "{line}");
            (id.to_owned(), message.trim_start_matches('\u{feff}').to_owned())
        };
        whole.lines().map(message).collect()
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An authority, and a certificate of `localhost` that it signed.
fn make_certificates(folder: &Path) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let signed = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = server.signed_by(&key, &issuer).unwrap();
    fs::write(folder.join("authority.pem"), signed.pem()).unwrap();
    fs::write(folder.join("server.pem"), certificate.pem()).unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}
