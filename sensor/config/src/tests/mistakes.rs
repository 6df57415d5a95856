//! Each mistake in a file, and the line, column and words that the error names it with.

use super::*;

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
