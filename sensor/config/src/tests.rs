//! Each mistake in a file, and the line, column and words that the error names it with.

use std::{fs, path::Path, time::Duration};

use insight::{detect::Severity, geo::Position};
use policy::{
    portal::Certificate,
    sink::{self, Format, Kind, Limits, Target, Trust},
};

use super::*;

const SECRET: &str = "correct-horse-battery-staple";

fn load_text(text: &str) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sensor.toml");
    fs::write(&path, text).unwrap();
    load(Some(&path))
}

/// What is wrong, as it is told.
pub(super) fn load_error(loaded: Result<Config, ConfigError>) -> String {
    loaded.expect_err("a mistake").to_string()
}

fn client(lines: &str) -> String {
    format!("[[client]]\nname = \"a\"\naddress = [\"192.0.2.1\"]\n{lines}\n")
}

fn sink(kind: &str, lines: &str) -> String {
    format!("[[sink]]\nkind = \"{kind}\"\n{lines}\n")
}

#[test]
fn each_mistake_is_named_with_its_place() {
    let sound = client(&format!("secret = \"{SECRET}\""));
    let with = |lines: &str| client(&format!("secret = \"{SECRET}\"\n{lines}"));
    let cases: &[(&str, String, usize, usize, &str)] = &[
        (
            "unknown key at the top",
            "sate_dir = \"/x\"".into(),
            1,
            1,
            "unknown key `sate_dir`, did you mean `state_dir`?",
        ),
        (
            "unknown key in a table",
            "[listen]\n  adresses = []".into(),
            2,
            3,
            "did you mean `listen.addresses`?",
        ),
        ("unknown key of a client", with("vendr = \"asa\""), 5, 1, "did you mean `client.vendor`?"),
        ("a key like no other", "frobnicate = 1".into(), 1, 1, "unknown key `frobnicate`"),
        ("a database without a name", "[geo]\ndatabases = [\"\"]".into(), 2, 14, "must not be empty"),
        (
            "a site without a network",
            "[[site]]\nname = \"Berlin\"".into(),
            1,
            1,
            "site 'Berlin' has no network",
        ),
        (
            "a site nowhere on earth",
            "[[site]]\nname = \"B\"\naddress = [\"10.0.0.0/8\"]\nposition = \"152.5, 13.4\"".into(),
            4,
            12,
            "degrees north and east",
        ),
        ("syntax", "[listen\n".into(), 1, 8, ""),
        ("a key twice", "state_dir = \"a\"\nstate_dir = \"b\"".into(), 2, 1, "duplicate key"),
        (
            "a number for a string",
            "state_dir = 7".into(),
            1,
            13,
            "`state_dir` wants a string, not an integer",
        ),
        (
            "a string for a list",
            "[listen]\naddresses = \"x\"".into(),
            2,
            13,
            "wants an array of strings, not a string",
        ),
        ("a string for a flag", with("status_server = \"yes\""), 5, 17, "wants true or false, not a string"),
        ("a table for an array", "[client]\nname = \"a\"".into(), 1, 1, "an array of tables: [[client]]"),
        ("no port", "[listen]\naddresses = [\"0.0.0.0\"]".into(), 2, 14, "not an address with a port"),
        ("an address twice", "[listen]\naddresses = [\"[::]:1\", \"[::]:1\"]".into(), 2, 24, "there twice"),
        ("no address at all", "[listen]\naddresses = []".into(), 1, 1, "must name an address"),
        (
            "a mode that is none",
            "[listen]\nxdp = \"zero\"".into(),
            2,
            7,
            "none of \"auto\", \"off\", \"native\", \"skb\"",
        ),
        ("loopback for XDP", "[listen]\ninterfaces = [\"lo\"]".into(), 2, 15, "served by UDP sockets"),
        ("another ack", "[ack]\nwhen = \"never\"".into(), 2, 8, "none of \"durable\", \"received\""),
        ("a ring that is no power", "[listen]\nring = 3000".into(), 2, 8, "must be a power of two"),
        ("a ring too small", "[listen]\nring = 128".into(), 2, 8, "must lie between 256 and 8192"),
        ("a ring too large", "[listen]\nring = 16384".into(), 2, 8, "must lie between 256 and 8192"),
        ("spinning too long", "[listen]\nspin = \"2s\"".into(), 2, 8, "must lie between 0s and 1s"),
        ("spinning for a number", "[listen]\nspin = 50".into(), 2, 8, "wants a string"),
        ("an empty batch", "[journal]\nbatch_records = 0".into(), 2, 17, "must lie between 1 and 1024"),
        (
            "batches too large for a segment",
            "[journal]\nsegment_bytes = \"1 MiB\"\nbatch_records = 1024".into(),
            1,
            1,
            "`journal.segment_bytes` must hold two batches",
        ),
        (
            "a silence that is no time",
            "[health]\nclient_silent = \"soon\"".into(),
            2,
            17,
            "not a length of time",
        ),
        (
            "a silence too short to be seen",
            "[health]\nsensor_silent = \"10ms\"".into(),
            2,
            17,
            "must lie between 1s and",
        ),
        ("a clock better than any", "[health]\nclock_skew = \"1s\"".into(), 2, 14, "must lie between 1m"),
        (
            "a key of health",
            "[health]\nclients_silent = \"1h\"".into(),
            2,
            1,
            "did you mean `health.client_silent`?",
        ),
        (
            "commits too rare",
            "[journal]\ncommit_interval = \"101ms\"".into(),
            2,
            19,
            "must lie between 0s and 100ms",
        ),
        ("a vendor that is none", with("vendor = \"cisko\""), 5, 10, "no vendor that is known: auto, asa,"),
        ("a kind that is none", with("kind = \"web\""), 5, 8, "none of \"auto\", \"vpn\""),
        (
            "an attribute that is none",
            with("[client.attributes]\nremote = [\"Caling-Station-Id\"]"),
            6,
            11,
            "names no attribute",
        ),
        (
            "a field that is none",
            with("[client.attributes]\nremotes = []"),
            6,
            1,
            "unknown key `client.attributes.remotes`, did you mean `client.attributes.remote`?",
        ),
        (
            "too many attributes",
            with("[client.attributes]\nremote = [\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]"),
            5,
            1,
            "at most 8 attributes for remote",
        ),
        ("a past too short", "[events]\naccept_past = \"59m\"".into(), 2, 15, "must lie between"),
        ("a past too long", "[events]\naccept_past = \"91d\"".into(), 2, 15, "must lie between"),
        ("a store too short", "[store]\nkeep = \"90d\"".into(), 2, 8, "must lie between"),
        ("no interim missed", "[sessions]\nmissed_interims = 0".into(), 2, 19, "must lie between"),
        ("an end too soon", "[sessions]\nunknown_after = \"59m\"".into(), 2, 17, "must lie between"),
        ("realms in no group", "[users]\nrealms = [\"a\"]".into(), 2, 11, "an array of arrays of strings"),
        (
            "a realm in two groups",
            "[users]\nrealms = [[\"a\"], [\"A\"]]".into(),
            1,
            1,
            "stands in two groups",
        ),
        ("a window too short", "[dedup]\nwindow = \"1s\"".into(), 2, 10, "must lie between"),
        ("too few entries", "[dedup]\nentries = 1".into(), 2, 11, "must lie between 1024 and"),
        ("a size that is none", "[journal]\nmax_bytes = \"much\"".into(), 2, 13, "not a size"),
        ("less than two segments", "[journal]\nmax_bytes = \"8 MiB\"".into(), 1, 1, "two segments"),
        ("no secret", client(""), 1, 1, "client \"a\" has no secret"),
        ("an empty secret", client("secret = \"\""), 4, 10, "must not be empty"),
        ("two sources", client("secret = \"x\"\nsecret_env = \"Y\""), 5, 14, "exclude each other"),
        ("no such file", client("secret_file = \"missing\""), 4, 15, "cannot read"),
        ("no such variable", client("secret_env = \"VPN_SENSOR_TEST_UNSET\""), 4, 14, "is not set"),
        (
            "no address",
            format!("[[client]]\nname = \"a\"\nsecret = \"{SECRET}\""),
            1,
            1,
            "a client wants `address`",
        ),
        (
            "host bits",
            client("").replace("192.0.2.1", "192.0.2.1/24"),
            3,
            12,
            "did you mean \"192.0.2.0/24\"?",
        ),
        (
            "a name twice",
            format!("{sound}{}", sound.replace("192.0.2.1", "192.0.2.2")),
            6,
            8,
            "two clients of the name \"a\"",
        ),
        (
            "a prefix twice",
            format!("{sound}{}", sound.replace("\"a\"", "\"b\"")),
            7,
            12,
            "192.0.2.1/32 belongs to client \"a\" already",
        ),
        ("a rate of nothing", with("max_rate = 0"), 5, 12, "must lie between 1 and"),
        (
            "a sink without a name",
            "[[sink]]\nkind = \"file\"\npath = \"x\"".into(),
            1,
            1,
            "a sink wants `name`",
        ),
        ("a name that is no folder", sink("file", "name = \"../x\"\npath = \"x\""), 3, 8, "1 to 32 letters"),
        ("a sink of no kind", "[[sink]]\nname = \"a\"".into(), 1, 1, "a sink wants `kind`"),
        ("a kind of sink that is none", sink("smoke", "name = \"a\""), 2, 8, "none of \"file\", \"syslog\""),
        ("a file without a path", sink("file", "name = \"a\""), 1, 1, "wants `path`: the file"),
        ("syslog to nobody", sink("syslog", "name = \"a\""), 1, 1, "wants `address`: its host"),
        ("a webhook to nobody", sink("webhook", "name = \"a\""), 1, 1, "wants `url`: where"),
        ("mail from nobody", sink("mail", "name = \"a\"\nto = [\"a@b.example\"]"), 1, 1, "wants `from`: who"),
        ("mail to nobody", sink("mail", "name = \"a\"\nto = []"), 1, 1, "wants `to`: who"),
        ("mail to no address", sink("mail", "name = \"a\"\nto = [\"a b\"]"), 4, 7, "no mail address such as"),
        (
            "somebody without a password",
            sink("mail", "name = \"a\"\nuser = \"sensor\""),
            4,
            8,
            "wants `secret_file`: the password",
        ),
        (
            "a key of another kind",
            sink("file", "name = \"a\"\nurl = \"https://x.example\""),
            4,
            7,
            "`sink.url` is for webhook alone, and this sink is a file",
        ),
        (
            "an unknown key of a sink",
            sink("file", "name = \"a\"\nmin_severty = \"low\""),
            4,
            1,
            "did you mean `sink.min_severity`?",
        ),
        (
            "a url that is none",
            sink("webhook", "name = \"a\"\nurl = \"ftp://x.example\""),
            4,
            7,
            "not an address such as \"https://",
        ),
        (
            "a host that is none",
            sink("syslog", "name = \"a\"\naddress = \"a b\""),
            4,
            11,
            "not a host with a port",
        ),
        (
            "a format that is none",
            sink("file", "name = \"a\"\nformat = \"xml\""),
            4,
            10,
            "none of \"ocsf\", \"cef\"",
        ),
        (
            "a format of letters",
            sink("mail", "name = \"a\"\nformat = \"cef\""),
            4,
            10,
            "letters are sentences",
        ),
        (
            "a sort that is none",
            sink("file", "name = \"a\"\nwhat = [\"all\"]"),
            4,
            9,
            "none of \"alerts\", \"conn",
        ),
        ("no sort at all", sink("file", "name = \"a\"\nwhat = []"), 1, 1, "must name a sort of messages"),
        (
            "no such severity",
            sink("file", "name = \"a\"\nmin_severity = \"x\""),
            4,
            16,
            "none of \"informational\"",
        ),
        (
            "no such authority",
            sink("syslog", "name = \"a\"\nca_file = \"none\""),
            4,
            11,
            "cannot read certificates",
        ),
        ("no such password", sink("webhook", "name = \"a\"\nsecret_file = \"none\""), 4, 15, "cannot read"),
        (
            "a spool too small",
            sink("file", "name = \"a\"\nmax_bytes = \"1 kB\""),
            4,
            13,
            "must lie between 1048576",
        ),
        ("a spool too short", sink("file", "name = \"a\"\nmax_age = \"1s\""), 4, 11, "must lie between"),
        (
            "a provider over plain HTTP",
            "[portal.oidc]\nissuer = \"http://id.contoso.example\"".into(),
            2,
            10,
            "not an issuer such as",
        ),
        (
            "a provider for nobody",
            "[portal.oidc]\nissuer = \"https://id.contoso.example\"".into(),
            1,
            1,
            "analysts`",
        ),
        ("everybody in charge", "[portal.oidc]\nadministrators = [\"*\"]".into(), 2, 18, "names values"),
        ("half an identity", "[portal]\ncertificate = \"c.pem\"".into(), 2, 15, "wants `portal.key` as well"),
        ("the other half", "[portal]\nkey = \"k.pem\"".into(), 2, 7, "wants `portal.certificate` as well"),
        (
            "an identity that is not there",
            "[portal]\ncertificate = \"c.pem\"\nkey = \"k.pem\"".into(),
            2,
            15,
            "c.pem",
        ),
        ("a link to nowhere", "[portal]\nlink = \"sensor\"".into(), 2, 8, "not what links begin with"),
        (
            "a sink twice",
            sink("file", "name = \"a\"\npath = \"x\"") + &sink("file", "name = \"a\"\npath = \"y\""),
            7,
            8,
            "two sinks of the name \"a\"",
        ),
    ];
    for (what, text, line, column, message) in cases {
        let error = load_text(text).expect_err(what);
        let text = error.to_string();
        let hit = error.problems.iter().any(|problem| {
            (problem.line, problem.column) == (*line, *column) && problem.message.contains(message)
        });
        assert!(hit, "{what}: wanted {line}:{column} {message:?}, got\n{text}");
        assert!(!text.contains(SECRET), "{what}: the secret shows");
    }
}

#[test]
fn a_syntax_error_beside_a_secret_does_not_show_it() {
    let error = load_text(&client(&format!("secret = \"{SECRET}"))).unwrap_err();
    assert!(!error.to_string().contains(SECRET));
    assert!(!format!("{error:?}").contains(SECRET));
}

#[test]
fn all_mistakes_are_named_at_once() {
    let error = load_text("stat_dir = 1\n[listen]\nxdp = 1\n[ack]\nwhen = 2").unwrap_err();
    let lines: Vec<usize> = error.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 3, 5]);
}

#[test]
fn a_missing_file_is_named() {
    let error = load(Some(Path::new("/nowhere/sensor.toml"))).unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/sensor.toml: cannot read it"), "{error}");
}

#[test]
fn every_key_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("old.secret"), "a-secret-from-a-file\n").unwrap();
    let path = directory.path().join("sensor.toml");
    fs::write(
        &path,
        format!(
            r#"
            state_dir = "state"
            [listen]
            addresses = ["127.0.0.1:1813", "[::1]:1646"]
            accounting = false
            xdp = "skb"
            interfaces = ["eth0"]
            workers = 3
            cores = [0, 1]
            ring = 512
            spin = "50us"
            [ack]
            when = "received"
            [metrics]
            address = "off"
            [journal]
            segment_bytes = "1 MiB"
            max_bytes = "1 GiB"
            max_age = "90d"
            free_reserve = 0
            keep_unread = true
            batch_records = 64
            commit_interval = "2ms"
            [dedup]
            window = "10s"
            entries = 4096
            [events]
            accept_past = "35d"
            [sessions]
            missed_interims = 4
            unknown_after = "12h"
            [store]
            keep = "400d"
            [users]
            realms = [["contoso.example", "CONTOSO", ""], ["fabrikam.example"]]
            [geo]
            databases = ["city.mmdb", "/usr/share/GeoIP/asn.mmdb"]
            [[site]]
            name = "Headquarters, Berlin"
            address = ["10.0.0.0/8", "2001:db8:5::/48"]
            position = "52.52, 13.40"
            radius_km = 3
            [[client]]
            name = "branch-rras"
            address = ["192.0.2.10", "198.51.100.0/24", "2001:db8::/48"]
            secret = "{SECRET}"
            previous_secret_file = "old.secret"
            vendor = "rras"
            kind = "vpn"
            status_server = false
            require_message_authenticator = true
            max_rate = 100
            [client.attributes]
            user = ["User-Name"]
            domain = []
            remote = ["26.4242.3", "Calling-Station-Id"]
            assigned = ["8"]
            device = ["Cisco-AVPair:client-name"]
            device_model = []
            software = []
            operating_system = []
            operating_system_version = []
            group = ["Filter-Id"]
            correlation = []
            "#
        ),
    )
    .unwrap();
    let config = load(Some(&path)).unwrap();
    assert_eq!(config.state_dir, directory.path().join("state"));
    assert_eq!(config.listen.addresses.len(), 2);
    assert_eq!((config.listen.xdp, config.listen.workers), (XdpMode::Skb, 3));
    assert_eq!((config.ack, config.metrics), (AckWhen::Received, None));
    assert_eq!(config.journal.max_age, Some(Duration::from_secs(90 * 86_400)));
    assert_eq!((config.listen.ring, config.listen.spin), (512, Duration::from_micros(50)));
    assert_eq!((config.journal.batch_records, config.journal.batch_bytes()), (64, 32 << 10));
    assert_eq!(config.journal.commit_interval, Duration::from_millis(2));
    assert_eq!(config.dedup, DedupLimits { window: Duration::from_secs(10), entries: 4096 });
    assert_eq!(config.accept_past, Duration::from_secs(35 * 86_400));
    assert_eq!(config.realms.key("Alice", Some("contoso")), "alice@contoso.example");
    assert_eq!(config.databases, [directory.path().join("city.mmdb"), "/usr/share/GeoIP/asn.mmdb".into()]);
    let site = config.sites.find("10.1.2.3".parse().unwrap()).unwrap();
    assert_eq!((site.name.as_str(), site.prefixes.len()), ("Headquarters, Berlin", 2));
    assert_eq!(site.position, Position::new(52.52, 13.4, 3));
    let client = &config.clients[0];
    assert_eq!((client.vendor, client.is_vpn), (Some(Vendor::Microsoft), true));
    let decoding = config.decoding();
    let decoded = &decoding.clients["branch-rras"];
    assert_eq!((decoded.vendor, decoded.is_vpn), (Some(Vendor::Microsoft), true));
    assert_eq!(decoded.mapping, client.attributes);
    let remote: Vec<_> =
        client.attributes.get(vpn::Field::Remote).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(remote, ["26.4242.3", "Calling-Station-Id"]);
    assert_eq!((decoding.accept_past_s, &decoding.realms), (35 * 86_400, &config.realms));
    let meaning = config.meaning();
    assert_eq!((meaning.missed_interims, meaning.unknown_after_s), (4, 12 * 3600));
    assert_eq!((meaning.keep_s, meaning.accept_past_s), (400 * 86_400, 35 * 86_400));
    // What is written down for a rebuild reads as the configuration does.
    let read = meaning.decoding().unwrap();
    assert_eq!(read.realms, decoding.realms);
    for field in vpn::Field::ALL {
        assert_eq!(read.clients["branch-rras"].mapping.get(field), decoded.mapping.get(field));
    }
    assert_eq!(client.secret.octets(), SECRET.as_bytes());
    assert_eq!(client.previous_secret.as_ref().unwrap().octets(), b"a-secret-from-a-file");
    assert_eq!((client.prefixes.len(), client.max_rate, client.status_server), (3, Some(100), false));
    assert!(!format!("{config:?}").contains(SECRET), "the secret shows");
}

#[test]
fn every_key_of_sinks_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("hook.secret");
    fs::write(&secret, format!("{SECRET}\n")).unwrap();
    fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let path = directory.path().join("sensor.toml");
    fs::write(
        &path,
        r#"
        [[sink]]
        name = "lines"
        kind = "file"
        path = "alerts.json"
        [[sink]]
        name = "siem"
        kind = "syslog"
        address = "siem.contoso.example"
        format = "ocsf"
        what = ["alerts", "connections", "health"]
        min_severity = "medium"
        max_age = "30d"
        max_bytes = "1 GiB"
        [[sink]]
        name = "old-siem"
        kind = "syslog"
        address = "2001:db8::5"
        tls = false
        [[sink]]
        name = "hook"
        kind = "webhook"
        url = "https://hooks.contoso.example/vpn?x=1"
        secret_file = "hook.secret"
        [[sink]]
        name = "people"
        kind = "mail"
        address = "mail.contoso.example:465"
        from = "VPN sensor <sensor@contoso.example>"
        to = ["security@contoso.example"]
        user = "sensor"
        secret_file = "hook.secret"
        "#,
    )
    .unwrap();
    let config = load(Some(&path)).unwrap();
    let [lines, siem, old, hook, people] = &config.sinks[..] else { panic!("{:?}", config.sinks) };
    assert_eq!(lines.target, Target::File { path: directory.path().join("alerts.json") });
    assert_eq!((lines.format, &lines.what[..]), (Format::Json, &[Kind::Alert, Kind::Health][..]));
    assert_eq!(lines.limits, Limits { max_age: Duration::from_secs(7 * 86_400), max_bytes: 2 << 30 });
    let trust = Trust { ca_file: None };
    let siem_target =
        Target::Syslog { address: "siem.contoso.example:6514".to_owned(), tls: Some(trust.clone()) };
    assert_eq!((&siem.target, siem.format), (&siem_target, Format::Ocsf));
    assert_eq!((siem.min_severity, siem.what.len()), (Severity::Medium, 3));
    assert_eq!(siem.limits, Limits { max_age: Duration::from_secs(30 * 86_400), max_bytes: 1 << 30 });
    assert_eq!(old.target, Target::Syslog { address: "[2001:db8::5]:514".to_owned(), tls: None });
    assert_eq!(old.format, Format::Cef);
    let secret = || sink::Secret::new(SECRET.as_bytes().to_vec());
    let url = "https://hooks.contoso.example/vpn?x=1".to_owned();
    assert_eq!(hook.target, Target::Webhook { url, trust, secret: Some(secret()) });
    let Target::Mail(mail) = &people.target else { panic!() };
    assert_eq!((mail.host.as_str(), mail.port, people.format), ("mail.contoso.example", 465, Format::Text));
    assert_eq!(mail.login, Some(("sensor".to_owned(), secret())));
    assert!(!format!("{config:?}").contains(SECRET), "the secret shows");
    // In the clear to another host: allowed, and worth a word.
    assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
    assert!(config.warnings[0].contains("\"old-siem\"") && config.warnings[0].contains("in the clear"));
}

#[test]
fn r76_a_weak_secret_is_warned_of_and_not_shown() {
    let config = load_text(&client("secret = \"hunter2\"")).unwrap();
    assert_eq!(config.warnings.len(), 1);
    assert!(config.warnings[0].contains("7 octets"), "{:?}", config.warnings);
    assert!(!config.warnings[0].contains("hunter2"));
}

#[test]
fn a_secret_file_that_others_may_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("a.secret");
    fs::write(&secret, SECRET).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let path = directory.path().join("sensor.toml");
    fs::write(&path, client("secret_file = \"a.secret\"")).unwrap();
    assert!(load(Some(&path)).unwrap().warnings[0].contains("chmod 600"));
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(load(Some(&path)).unwrap().warnings.is_empty());
}

#[test]
fn the_defaults_are_safe_and_make_a_client_for_this_machine() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config { state_dir: directory.path().to_owned(), ..load(None).unwrap() };
    assert_eq!(
        config.listen.addresses.iter().map(|address| address.port()).collect::<Vec<_>>(),
        [1813, 1813]
    );
    assert!(config.metrics.unwrap().ip().is_loopback());
    assert_eq!(config.ack, AckWhen::Durable);
    let secret_path = config.generate_client().unwrap().unwrap();
    assert!(secret_path.starts_with(directory.path()));
    assert!(config.clients[0].prefixes.iter().all(|prefix| prefix.network().is_loopback()));
    assert!(!config.clients[0].secret.is_weak());
    assert_eq!(config.generate_client(), Ok(None), "a client is there");
}

#[test]
fn the_ends_of_the_ranges_are_taken() {
    let load =
        |knobs: &str| load_text(&format!("{knobs}\n{}", client("secret = \"sixteen octets..\""))).unwrap();
    let least =
        load("[listen]\nring = 256\nspin = \"0us\"\n[journal]\nbatch_records = 1\ncommit_interval = \"0us\"");
    assert_eq!((least.listen.ring, least.journal.batch_records), (256, 1));
    assert_eq!((least.listen.spin, least.journal.commit_interval), (Duration::ZERO, Duration::ZERO));
    let most = load(
        "[listen]\nring = 8192\nspin = \"1s\"\n[journal]\nbatch_records = 1024\ncommit_interval = \"100ms\"",
    );
    assert_eq!((most.listen.ring, most.journal.batch_records), (8192, 1024));
    assert_eq!(most.listen.spin, Duration::from_secs(1));
    assert_eq!(most.journal.commit_interval, Duration::from_millis(100));
}

#[test]
fn only_clients_change_without_a_restart() {
    let old = load_text(&client(&format!("secret = \"{SECRET}\""))).unwrap();
    let new = load_text(&client("secret = \"another-secret-of-length\"")).unwrap();
    assert!(old.needs_restart(&Config { state_dir: old.state_dir.clone(), ..new }).is_empty());
    let mut new = old.clone();
    new.state_dir = "/elsewhere".into();
    new.listen.addresses.pop();
    new.listen.ring *= 2;
    new.listen.spin = Duration::from_micros(1);
    new.journal.commit_interval = Duration::from_millis(1);
    new.dedup.entries += 1;
    let keys = ["state_dir", "listen.addresses", "listen.ring", "listen.spin", "journal", "dedup"];
    assert_eq!(old.needs_restart(&new), keys);
}

#[test]
fn r9_the_old_port_1646_is_listened_on_only_when_configured() {
    let ports = |config: &Config| -> Vec<u16> {
        config.listen.addresses.iter().map(|address| address.port()).collect()
    };
    assert_eq!(ports(&Config::built_in()), [1813, 1813]);
    assert_eq!(ports(&load_text(&client("secret = \"sixteen octets..\"")).unwrap()), [1813, 1813]);
    let old =
        format!("[listen]\naddresses = [\"0.0.0.0:1646\"]\n{}", client("secret = \"sixteen octets..\""));
    assert_eq!(ports(&load_text(&old).unwrap()), [1646]);
}

#[test]
fn what_the_page_on_attributes_shows_is_taken() {
    let page = include_str!("../../docs/vendor-attributes.md");
    let mut blocks = 0;
    for block in page.split("```toml\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let text = block
            .replace("secret_file = \"/etc/vpn-sensor/gateway.secret\"", &format!("secret = \"{SECRET}\""));
        load_text(&text).unwrap();
        blocks += 1;
    }
    assert_eq!(blocks, 4);
}

#[test]
fn what_the_page_on_sinks_shows_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("a.secret");
    fs::write(&secret, SECRET).unwrap();
    let page = include_str!("../../docs/sinks.md");
    let block = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let text: String = block
        .lines()
        .filter(|line| !line.starts_with("ca_file"))
        .map(|line| match line.starts_with("secret_file") {
            true => format!("secret_file = \"{}\"\n", secret.display()),
            false => format!("{line}\n"),
        })
        .collect();
    assert_eq!(load_text(&text).unwrap().sinks.len(), 4);
}

#[test]
fn what_links_begin_with_is_a_host_and_perhaps_a_path() {
    let load = |link: &str| load_text(&format!("[portal]\nlink = {link:?}"));
    for (link, taken) in [
        ("https://sensor.contoso.example", "https://sensor.contoso.example"),
        ("https://sensor.contoso.example:8443/vpn/", "https://sensor.contoso.example:8443/vpn"),
        ("http://[2001:db8::5]/", "http://[2001:db8::5]"),
    ] {
        assert_eq!(load(link).unwrap().portal_link.as_deref(), Some(taken));
    }
    let long = format!("https://sensor.contoso.example/{}", "x".repeat(200));
    for wrong in [
        "",
        "sensor.contoso.example",
        "/alerts",
        "https://",
        "ftp://sensor.contoso.example",
        "javascript:alert(1)",
        "https://anybody@sensor.contoso.example",
        "https://sensor.contoso.example/?a=b",
        "https://sensor.contoso.example/#top",
        "https://sensor.contoso.example/a b",
        "https://sensor.contoso.example/\u{202e}",
        &long,
    ] {
        assert!(load(wrong).is_err(), "{wrong}");
    }
    assert_eq!(load_text("").unwrap().portal_link, None);
}

#[test]
fn what_other_hosts_can_reach_speaks_tls_and_its_addresses_say_so() {
    let load = |text: &str| load_text(&format!("state_dir = \"/s\"\n[portal]\n{text}")).unwrap();
    let plain = load("");
    assert_eq!(plain.portal_certificate(), None);
    assert_eq!(plain.portal_url().as_deref(), Some("http://127.0.0.1:8813"));
    assert_eq!(load("address = \"off\"").portal_url(), None);

    let open = load("address = \"192.0.2.1:8813\"\nlink = \"https://sensor.contoso.example/\"");
    let Some(Certificate::Made { file, names }) = open.portal_certificate() else { panic!("{open:?}") };
    assert_eq!(file, Path::new("/s/portal.pem"));
    assert_eq!(names, ["localhost", "127.0.0.1", "::1", "192.0.2.1", "sensor.contoso.example"]);
    assert_eq!(open.portal_url().as_deref(), Some("https://sensor.contoso.example"));
    assert_eq!(plain.needs_restart(&load("address = \"127.0.0.1:8813\"")), Vec::<&str>::new());
    assert!(plain.needs_restart(&open).contains(&"portal.certificate"));
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), "known to two").unwrap();
    let provider = load(&format!(
        "link = \"https://sensor.contoso.example/vpn\"\n[portal.oidc]\nissuer = \"https://id.contoso.example\"\n\
         client_id = \"vpn-sensor\"\nclient_secret_file = {:?}\nanalysts = [\"*\"]\n",
        secret.path()
    ));
    let oidc = provider.portal_provider().unwrap();
    assert_eq!(oidc.redirect, "https://sensor.contoso.example/vpn/sign-in/provider/back");
    assert_eq!((&*oidc.claim, oidc.client_secret.octets()), ("groups", &b"known to two"[..]));
    assert!(!format!("{provider:?}").contains("known to two"));
    assert!(plain.needs_restart(&provider).contains(&"portal.oidc"));
    let anywhere = load("address = \"[::]:8813\"");
    assert_eq!(anywhere.portal_url().as_deref(), Some("https://localhost:8813"));
}

#[test]
fn health_has_defaults_and_takes_off() {
    let usual = load_text("").unwrap().health;
    assert_eq!(usual.client_silent, Some(Duration::from_secs(86_400)));
    let text = "[health]\nclient_silent = \"off\"\nsensor_silent = \"20m\"\ngeo_stale = \"off\"\nsink_behind = \"30s\"\n\
                disk_free = \"1 GiB\"\nclock_skew = \"2m\"\nover_after = \"1s\"\n";
    let set = load_text(text).unwrap().health;
    let seconds = Duration::from_secs;
    assert_eq!((set.client_silent, set.sensor_silent, set.geo_stale), (None, Some(seconds(1200)), None));
    assert_eq!((set.sink_behind, set.disk_free), (seconds(30), Some(1 << 30)));
    assert_eq!((set.clock_skew, set.over_after), (seconds(120), seconds(1)));
}
