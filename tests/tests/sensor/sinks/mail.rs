//! Debian's exim as the mail server: letters by STARTTLS alone, and only of whoever logs in; each is a file.

use std::{
    fs::{self, File},
    io::Write as _,
    net::TcpStream,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Child,
};

use end_to_end::{
    Namespace, PATIENCE,
    tools::{need_program, run},
    wait_until,
};

/// A port of no other mail server.
pub(crate) const PORT: u16 = 2525;
/// Whom exim becomes.
const EXIM: &str = "Debian-exim";
const PASSWORD: &str = "open sesame";

/// A running exim in a namespace; ended when dropped.
pub(crate) struct Mail {
    process: Child,
    letters: PathBuf,
}

/// A letter as it arrived.
pub(crate) struct Letter {
    pub(crate) subject: String,
    pub(crate) head: String,
    pub(crate) text: String,
}

/// For the sensor, as it wants secrets: its owner's alone.
pub(crate) fn write_secret(path: &Path) {
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(PASSWORD.as_bytes()).unwrap();
}

impl Mail {
    /// With files in this folder, in which a server's certificate is.
    pub(crate) fn start(namespace: &Namespace, folder: &Path) -> Mail {
        need_program("exim4", "exim4-daemon-light");
        let id = |option| run("id", [option, EXIM]).trim().parse().unwrap();
        let (user, group): (u32, u32) = (id("-u"), id("-g"));
        let own = folder.join("exim");
        fs::create_dir(&own).unwrap();
        // The folder itself is root's alone otherwise.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o711)).unwrap();
        for name in ["server.pem", "server.key"] {
            fs::copy(folder.join(name), own.join(name)).unwrap();
            chown(own.join(name), Some(user), Some(group)).unwrap();
        }
        chown(&own, Some(user), Some(group)).unwrap();
        let letters = own.join("letters");
        let text = format!(
            "primary_hostname = localhost\nspool_directory = {own}/spool\nlog_file_path = {own}/%slog\n\
             pid_file_path = {own}/pid\nlocal_interfaces = 127.0.0.1\ndaemon_smtp_ports = {PORT}\n\
             tls_advertise_hosts = *\ntls_certificate = {own}/server.pem\ntls_privatekey = {own}/server.key\n\
             deliver_drop_privilege\nacl_smtp_rcpt = recipient\n\
             begin acl\nrecipient:\n  accept encrypted = *\n    authenticated = *\n    domains = contoso.example\n  deny\n\
             begin routers\neverybody:\n  driver = accept\n  transport = files\n\
             begin transports\nfiles:\n  driver = appendfile\n  directory = {letters}\n  maildir_format\n\
             begin authenticators\nplain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n\
             \x20 server_advertise_condition = ${{if def:tls_in_cipher}}\n\
             \x20 server_condition = ${{if and{{{{eq{{$auth2}}{{sensor}}}}{{eq{{$auth3}}{{{PASSWORD}}}}}}}}}\n\
             \x20 server_set_id = $auth2\n",
            own = own.display(),
            letters = letters.display(),
        );
        let configuration = own.join("exim.conf");
        fs::write(&configuration, text).unwrap();
        let mut command = namespace.command("exim4");
        command.arg("-C").arg(&configuration).arg("-bdf");
        command.stderr(File::create(folder.join("exim.errors")).unwrap());
        let process = command.spawn().unwrap();
        wait_until("exim listens", PATIENCE, || {
            namespace.enter(|| TcpStream::connect(("127.0.0.1", PORT)).is_ok())
        });
        Mail { process, letters: letters.join("new") }
    }

    /// Letters that arrived, in their order.
    pub(crate) fn received(&self) -> Vec<Letter> {
        let files = fs::read_dir(&self.letters).into_iter().flatten();
        // Maildir's names begin with the time, to the microsecond.
        let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| Letter::read(&fs::read_to_string(file).unwrap())).collect()
    }
}

impl Drop for Mail {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Letter {
    fn read(text: &str) -> Letter {
        let (head, body) = text.split_once("\n\n").unwrap_or_else(|| panic!("{text}"));
        // Long lines of the head go on behind a blank.
        let head = head.replace("\n ", " ").replace("\n\t", " ");
        let header =
            |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        let text = match header("Content-Transfer-Encoding:") {
            "quoted-printable" => unquote(body),
            "7bit" | "8bit" => body.to_owned(),
            other => panic!("{other}: {text}"),
        };
        Letter { subject: header("Subject:").to_owned(), head, text }
    }
}

/// RFC 2045 section 6.7.
fn unquote(body: &str) -> String {
    let mut parts = body.split('=');
    let mut octets = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let rest = match part.strip_prefix('\n') {
            Some(rest) => rest,
            None => {
                octets.push(u8::from_str_radix(&part[..2], 16).unwrap());
                &part[2..]
            }
        };
        octets.extend(rest.as_bytes());
    }
    String::from_utf8(octets).unwrap()
}
