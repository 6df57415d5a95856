//! Every key is taken, with the ends of its range, and so is what the guides show.

use super::*;

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
        [journal]
        free_reserve = "3 GiB"
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
    let limits = |days: u64, max_bytes| Limits {
        max_age: Duration::from_secs(days * 86_400),
        max_bytes,
        free_reserve_bytes: 3 << 30,
    };
    assert_eq!(lines.limits, limits(7, 2 << 30));
    let trust = Trust { ca_file: None };
    let siem_target =
        Target::Syslog { address: "siem.contoso.example:6514".to_owned(), tls: Some(trust.clone()) };
    assert_eq!((&siem.target, siem.format), (&siem_target, Format::Ocsf));
    assert_eq!((siem.min_severity, siem.what.len()), (Severity::Medium, 3));
    assert_eq!(siem.limits, limits(30, 1 << 30));
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
fn a_webhook_that_signs_nothing_is_warned_of() {
    let config = load_text(
        "[[sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"https://hooks.contoso.example/vpn\"\n",
    );
    let warnings = config.unwrap().warnings;
    assert!(
        warnings.len() == 1 && warnings[0].contains("\"hook\"") && warnings[0].contains("secret_file"),
        "{warnings:?}"
    );
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
fn what_the_page_on_attributes_shows_is_taken() {
    let page = include_str!("../../../docs/vendor-attributes.md");
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
    let page = include_str!("../../../docs/sinks.md");
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
