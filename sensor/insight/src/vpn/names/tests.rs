//! Each form of a name, and what must hold for any.

use proptest::prelude::*;

use super::*;

fn parsed(name: &str) -> UserName<'_> {
    UserName::parse(name.as_bytes(), None, &Realms::default()).unwrap().unwrap().0
}

#[test]
fn an_at_without_a_realm_behind_it_makes_no_key_of_another() {
    // Account `a` in realm `a`, and account `a@a` in none.
    assert_eq!(parsed("a@a").key, "a@a");
    assert_ne!(parsed("a@a@").key, "a@a");
    // No account, so nobody else's key.
    assert_eq!(parsed("@contoso").key, "@contoso");
}

#[test]
fn every_form_is_taken_apart() {
    use NameForm::{CertificateSubject, DownLevel, Hardware, Host, Plain, Principal};
    use NameSort::{Machine, Person};
    for (name, account, realm, form, sort, key) in [
        ("alice", "alice", None, Plain, Person, "alice"),
        ("Alice", "Alice", None, Plain, Person, "alice"),
        ("CONTOSO\\alice", "alice", Some("CONTOSO"), DownLevel, Person, "alice@contoso"),
        ("CONTOSO/alice", "alice", Some("CONTOSO"), DownLevel, Person, "alice@contoso"),
        (".\\alice", "alice", None, DownLevel, Person, "alice"),
        ("\\alice", "alice", None, DownLevel, Person, "alice"),
        (
            "alice@Contoso.example",
            "alice",
            Some("Contoso.example"),
            Principal,
            Person,
            "alice@contoso.example",
        ),
        (
            "alice@contoso.example.",
            "alice",
            Some("contoso.example"),
            Principal,
            Person,
            "alice@contoso.example",
        ),
        (
            "CONTOSO\\alice@contoso.example",
            "alice",
            Some("contoso.example"),
            Principal,
            Person,
            "alice@contoso.example",
        ),
        ("alice@home@visited", "alice@home", Some("visited"), Principal, Person, "alice@home@visited"),
        // A domain holds no @, else this were the key of alice@a@b too.
        ("a@b\\alice", "a", Some("b\\alice"), Principal, Person, "a@b\\alice"),
        ("alice@", "alice", None, Plain, Person, "alice"),
        ("@contoso", "@contoso", None, Plain, Person, "@contoso"),
        ("CONTOSO\\", "CONTOSO\\", None, Plain, Person, "contoso\\"),
        ("host/pc7.contoso.example", "pc7$", Some("contoso.example"), Host, Machine, "pc7$@contoso.example"),
        ("HOST/PC7", "PC7$", None, Host, Machine, "pc7$"),
        (
            "host/pc7.contoso.example@CONTOSO.EXAMPLE",
            "pc7$",
            Some("CONTOSO.EXAMPLE"),
            Host,
            Machine,
            "pc7$@contoso.example",
        ),
        ("PC7$", "PC7$", None, Plain, Machine, "pc7$"),
        ("CONTOSO\\PC7$", "PC7$", Some("CONTOSO"), DownLevel, Machine, "pc7$@contoso"),
        ("PC7$@contoso.example", "PC7$", Some("contoso.example"), Principal, Machine, "pc7$@contoso.example"),
        ("CN=alice,OU=Staff,O=Contoso", "alice", None, CertificateSubject, Person, "alice"),
        (
            "cn=alice, ou=Staff, dc=contoso, dc=example",
            "alice",
            Some("contoso.example"),
            CertificateSubject,
            Person,
            "alice@contoso.example",
        ),
        (
            "O=Contoso, CN=Alice\\, Example",
            "Alice, Example",
            None,
            CertificateSubject,
            Person,
            "alice, example",
        ),
        ("O=\"Contoso, Inc.\",CN=Al\\69ce", "Alice", None, CertificateSubject, Person, "alice"),
        ("CN=Alice Example,UID=alice", "alice", None, CertificateSubject, Person, "alice"),
        (
            "/C=DE/O=Contoso/CN=alice@contoso.example",
            "alice",
            Some("contoso.example"),
            CertificateSubject,
            Person,
            "alice@contoso.example",
        ),
        (
            "O=Contoso,E=alice@contoso.example",
            "alice",
            Some("contoso.example"),
            CertificateSubject,
            Person,
            "alice@contoso.example",
        ),
        (
            "CN=host/pc7.contoso.example",
            "pc7$",
            Some("contoso.example"),
            CertificateSubject,
            Machine,
            "pc7$@contoso.example",
        ),
        ("O=Contoso,C=DE", "O=Contoso,C=DE", None, Plain, Person, "o=contoso,c=de"),
        ("00-0C-29-74-9D-E8", "00:0c:29:74:9d:e8", None, Hardware, NameSort::Hardware, "00:0c:29:74:9d:e8"),
        ("000c.2974.9de8", "00:0c:29:74:9d:e8", None, Hardware, NameSort::Hardware, "00:0c:29:74:9d:e8"),
        // May be a person's.
        ("deadbeefcafe", "deadbeefcafe", None, Plain, Person, "deadbeefcafe"),
        ("Zoë", "Zoë", None, Plain, Person, "zoë"),
        ("alice\0", "alice", None, Plain, Person, "alice"),
        (" alice ", "alice", None, Plain, Person, "alice"),
    ] {
        let found = parsed(name);
        assert_eq!(
            (&*found.account, found.realm.as_deref(), found.form, found.sort, &*found.key),
            (account, realm, form, sort, key),
            "{name}"
        );
    }
}

#[test]
fn the_original_is_kept() {
    assert_eq!(parsed("CONTOSO\\Alice").original, "CONTOSO\\Alice");
    assert_eq!(parsed("alice\0").original, "alice\\x00");
}

#[test]
fn a_realm_from_elsewhere_counts_if_the_name_has_none() {
    let realms = Realms::default();
    let key = |name: &'static str| {
        UserName::parse(name.as_bytes(), Some(b"CONTOSO"), &realms).unwrap().unwrap().0.key.into_owned()
    };
    assert_eq!(key("alice"), "alice@contoso");
    assert_eq!(key("alice@fabrikam.example"), "alice@fabrikam.example");
    assert_eq!(key("00-0C-29-74-9D-E8"), "00:0c:29:74:9d:e8");
    // Not one that would make another user of it.
    let user = UserName::parse(b"alice", Some(b"a@b"), &realms).unwrap().unwrap().0;
    assert_eq!((&*user.key, user.realm), ("alice", None));
    assert_eq!(parsed("CN=alice,DC=a@b").key, "alice");
}

#[test]
fn what_is_no_clean_name_is_escaped_and_said() {
    let realms = Realms::default();
    let read = |octets: &'static [u8]| {
        let (name, flaw) = UserName::parse(octets, None, &realms).unwrap().unwrap();
        (name.account.into_owned(), name.key.into_owned(), flaw)
    };
    assert_eq!(read(b"DE\\M\xfcller"), ("M\\xfcller".into(), "m\\xfcller@de".into(), Some(Flaw::NotUtf8)));
    let (_, key, flaw) = read("alice\u{202e}nimda".as_bytes());
    assert_eq!((key.as_str(), flaw), ("alice\\u{202e}nimda", Some(Flaw::Unprintable)));
    assert_eq!(read(b"a\nb").2, Some(Flaw::Unprintable));
    // Nobody can write another's escaped name: a backslash is a domain's end.
    assert_ne!(read(b"M\xfcller").1, read(b"M\\xfcller").1);
}

#[test]
fn no_name_and_one_too_long() {
    let realms = Realms::default();
    for nothing in [&b""[..], b"\0", b"  "] {
        assert_eq!(UserName::parse(nothing, None, &realms), Ok(None));
    }
    let long = vec![b'a'; NAME_OCTETS_MAX];
    assert!(UserName::parse(&long, None, &realms).unwrap().is_some());
    assert_eq!(UserName::parse(&[b'a'; 4096], None, &realms), Err(Flaw::TooLong));
    assert_eq!(UserName::parse(b"a", Some(&[b'a'; 4096]), &realms), Err(Flaw::TooLong));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_give_a_bounded_name(octets in prop::collection::vec(any::<u8>(), 0..=NAME_OCTETS_MAX)) {
        if let Some((name, _)) = UserName::parse(&octets, None, &Realms::default()).unwrap() {
            prop_assert!(!name.account.is_empty() && !name.key.is_empty());
            prop_assert!(name.original.len() <= 4096 && name.key.len() <= 4096);
            prop_assert!(!name.original.chars().any(char::is_control) && !name.key.chars().any(char::is_control));
        }
    }

    /// A key read as a name is the same user: what people type finds what was stored.
    #[test]
    fn a_key_is_its_own_key(name in "[A-Za-zÄäŞß.$-]{1,8}(@[A-Za-zÄ.-]{1,8}[a-z])?") {
        let key = parsed(&name).key.into_owned();
        prop_assert_eq!(&parsed(&key).key, &key);
    }

    /// Nobody comes under another's key by writing it in another form.
    #[test]
    fn a_key_is_of_one_account_in_one_realm(one in "[ab@/\\\\$.=]{1,7}", other in "[ab@/\\\\$.=]{1,7}") {
        let realms = Realms::default();
        let read = |name: &str| {
            UserName::parse(name.as_bytes(), None, &realms).unwrap().map(|(user, _)| {
                (user.key.into_owned(), (user.account.into_owned(), user.realm.map(Cow::into_owned)))
            })
        };
        if let (Some((one_key, one)), Some((other_key, other))) = (read(&one), read(&other)) {
            prop_assert_eq!(one_key == other_key, one == other, "{:?} {:?}", one, other);
        }
    }

    #[test]
    fn letter_case_makes_no_other_user(name in "([A-Z]{1,8}\\\\)?[A-Za-z.$-]{1,8}(@[A-Za-z.-]{1,8})?") {
        prop_assert_eq!(parsed(&name).key, parsed(&name.to_uppercase()).key.into_owned());
    }
}

#[test]
fn usual_names_are_read_as_all_others_are() {
    let pieces = [
        "",
        "a",
        "B",
        "@",
        ".",
        "\\",
        "/",
        "=",
        " ",
        "$",
        "host",
        "é",
        "00-0c-29-74-9d-e8",
        "000c.2974.9de8",
    ];
    let two = || pieces.iter().flat_map(|one| pieces.map(|other| format!("{one}{other}")));
    let mut seen = 0;
    for name in two().flat_map(|front| two().map(move |back| format!("{front}{back}"))) {
        let Some((account, realm, form)) = usual(&name).filter(|_| !name.is_empty()) else { continue };
        seen += 1;
        assert!(subject::parse(name.as_bytes()).is_none(), "{name}");
        let parts = Parts::of(name.as_bytes());
        assert_eq!(trimmed(name.as_bytes()), name.as_bytes());
        assert_eq!(
            (account, realm, form),
            (shown(parts.account), parts.realm.map(shown), parts.form),
            "{name}"
        );
    }
    assert!(seen > 1000, "{seen}");
}
