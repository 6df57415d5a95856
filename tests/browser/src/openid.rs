//! An OpenID provider for the tests, in a namespace: discovery, keys, the page on which somebody says who she is, and
//! tokens, for the authorization code with PKCE. OpenSSL makes its key and signs: nothing of it is the portal's own code.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use end_to_end::{Namespace, tools::need_program};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Where it listens; every namespace has its own.
const ADDRESS: &str = "127.0.0.1:9000";
/// Its name for itself.
pub const ISSUER: &str = "http://127.0.0.1:9000";
/// The portal's name there.
pub const CLIENT: &str = "vpn-sensor";
/// And by what it proves that.
pub const CLIENT_SECRET: &str = "known to the two of them";

/// Something that a provider must not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It does nothing wrong
    None,
    /// The token is for another client
    Audience,
    /// The token is from another provider
    Issuer,
    /// The token is an hour old and was good for five minutes
    Expired,
    /// The token answers another sign-in
    Nonce,
    /// The token is signed with a key that the provider does not name
    Signature,
    /// The token is not signed
    Unsigned,
}

/// Somebody whom it knows.
#[derive(Clone, Debug)]
pub struct Person {
    /// What she is called, as `preferred_username`.
    pub name: &'static str,
    /// Who she is, for ever.
    pub subject: &'static str,
    /// What the claim `groups` says.
    pub groups: &'static [&'static str],
    /// What is wrong with her tokens.
    pub flaw: Flaw,
}

/// The provider, until it is dropped.
pub struct OpenId {
    stop: Arc<AtomicBool>,
    namespace: String,
}

struct Key {
    file: PathBuf,
    modulus: String,
}

struct Provider {
    people: Vec<Person>,
    key: Key,
    /// What the provider does not name.
    other: Key,
    _folder: tempfile::TempDir,
    /// Codes that were given out: to whom, and with what she came.
    codes: HashMap<String, (usize, HashMap<String, String>)>,
    /// How many that were.
    given: usize,
}

impl OpenId {
    /// Starts it, with people whose names its page shows as links.
    #[track_caller]
    pub fn start(namespace: &Namespace, people: &[Person]) -> OpenId {
        need_program("openssl", "openssl");
        let folder = tempfile::tempdir().expect("a folder");
        let (key, other) = (Key::new(folder.path().join("key")), Key::new(folder.path().join("other")));
        let mut provider = Provider {
            people: people.to_vec(),
            key,
            other,
            _folder: folder,
            codes: HashMap::new(),
            given: 0,
        };
        let listener = namespace.enter(|| TcpListener::bind(ADDRESS).expect("the provider's port"));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(SeqCst) {
                    return;
                }
                provider.serve(stream);
            }
        });
        OpenId { stop, namespace: namespace.name().to_owned() }
    }
}

impl Drop for OpenId {
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
        // The next connection ends it; without one it ends with the test.
        let _ = Command::new("ip")
            .args(["netns", "exec", &self.namespace, "curl", "--silent", "--max-time", "1", ISSUER])
            .stdout(Stdio::null())
            .status();
    }
}

impl Provider {
    fn serve(&mut self, stream: TcpStream) {
        let Some((target, authorization, body)) = read(&stream) else { return };
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let (status, kind, text) = match path {
            "/.well-known/openid-configuration" => ("200 OK", "application/json", discovery().to_string()),
            "/keys" => ("200 OK", "application/json", json!({"keys": [self.key.public()]}).to_string()),
            "/authorize" => ("200 OK", "text/html", self.page(&form(query))),
            "/token" => match self.token(&authorization, &form(&body)) {
                Ok(token) => ("200 OK", "application/json", token.to_string()),
                Err(error) => ("400 Bad Request", "application/json", json!({"error": error}).to_string()),
            },
            _ => ("404 Not Found", "text/plain", String::new()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            text.len()
        );
        // Whoever went away does not care.
        let _ = (&stream).write_all(format!("{head}{text}").as_bytes());
    }

    /// On which somebody says who she is, or that she does not want to.
    fn page(&mut self, asked: &HashMap<String, String>) -> String {
        let wanted = ["response_type", "client_id", "redirect_uri", "state", "nonce", "code_challenge"];
        assert!(wanted.iter().all(|key| asked.contains_key(*key)), "{asked:?}");
        assert_eq!((&*asked["response_type"], &*asked["client_id"]), ("code", CLIENT));
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"), "{asked:?}");
        let (back, state) = (&asked["redirect_uri"], &asked["state"]);
        let mut page =
            format!("<title>Provider</title><a href='{back}?error=access_denied&state={state}'>No</a>");
        for (index, person) in self.people.iter().enumerate() {
            self.given += 1;
            let code = format!("code{}", self.given);
            page += &format!("<p><a href='{back}?code={code}&state={state}'>{}</a>", person.name);
            self.codes.insert(code, (index, asked.clone()));
        }
        page
    }

    fn token(&mut self, authorization: &str, given: &HashMap<String, String>) -> Result<Value, &'static str> {
        let expected =
            base64::prelude::BASE64_STANDARD.encode(format!("{CLIENT}:{}", CLIENT_SECRET.replace(' ', "+")));
        if authorization != format!("Basic {expected}") {
            return Err("invalid_client");
        }
        let (index, asked) = self.codes.remove(&given["code"]).ok_or("invalid_grant")?;
        let challenge = BASE64.encode(Sha256::digest(&given["code_verifier"]));
        if challenge != asked["code_challenge"] || given["redirect_uri"] != asked["redirect_uri"] {
            return Err("invalid_grant");
        }
        let person = &self.people[index];
        let wrong = |flaw: Flaw| person.flaw == flaw;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
        let issued = if wrong(Flaw::Expired) { now - 3600 } else { now };
        let claims = json!({
            "iss": if wrong(Flaw::Issuer) { "http://127.0.0.1:9001" } else { ISSUER },
            "aud": if wrong(Flaw::Audience) { "another" } else { CLIENT },
            "sub": person.subject,
            "iat": issued,
            "exp": issued + 300,
            "nonce": if wrong(Flaw::Nonce) { "another" } else { &*asked["nonce"] },
            "preferred_username": person.name,
            "groups": person.groups,
        });
        let algorithm = if wrong(Flaw::Unsigned) { "none" } else { "RS256" };
        let head = json!({"alg": algorithm, "kid": "1", "typ": "JWT"});
        let signed = format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(claims.to_string()));
        let key = if wrong(Flaw::Signature) { &self.other } else { &self.key };
        let signature = if wrong(Flaw::Unsigned) { Vec::new() } else { key.sign(&signed) };
        let token = format!("{signed}.{}", BASE64.encode(signature));
        Ok(json!({"access_token": "of no use", "token_type": "Bearer", "expires_in": 300, "id_token": token}))
    }
}

fn discovery() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
        "jwks_uri": format!("{ISSUER}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    })
}

impl Key {
    fn new(file: PathBuf) -> Key {
        openssl(&["genrsa", "-out", &file.display().to_string(), "2048"], "");
        let modulus = openssl(&["rsa", "-in", &file.display().to_string(), "-noout", "-modulus"], "");
        let modulus = String::from_utf8(modulus).expect("text");
        let modulus = modulus.trim().strip_prefix("Modulus=").expect("a modulus").to_owned();
        Key { file, modulus }
    }

    fn public(&self) -> Value {
        let octet =
            |index: usize| u8::from_str_radix(&self.modulus[index..index + 2], 16).expect("hexadecimal");
        let modulus: Vec<u8> = (0..self.modulus.len()).step_by(2).map(octet).collect();
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": BASE64.encode(modulus), "e": "AQAB"})
    }

    fn sign(&self, text: &str) -> Vec<u8> {
        openssl(&["dgst", "-sha256", "-sign", &self.file.display().to_string()], text)
    }
}

fn openssl(arguments: &[&str], input: &str) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("openssl reads");
    let output = child.wait_with_output().expect("openssl ends");
    assert!(output.status.success(), "openssl {arguments:?}");
    output.stdout
}

/// Target, authorization and body of a request.
fn read(stream: &TcpStream) -> Option<(String, String, String)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let target = line.split(' ').nth(1)?.to_owned();
    let (mut authorization, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => authorization = value.trim().to_owned(),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((target, authorization, String::from_utf8(body).ok()?))
}

/// The fields of a form or query.
fn form(text: &str) -> HashMap<String, String> {
    let decode = |text: &str| {
        let (mut octets, mut rest) = (Vec::new(), text.bytes());
        while let Some(octet) = rest.next() {
            octets.push(match octet {
                b'+' => b' ',
                b'%' => {
                    let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                    let digits = str::from_utf8(&digits).unwrap_or("00");
                    u8::from_str_radix(digits, 16).unwrap_or(b'?')
                }
                other => other,
            });
        }
        String::from_utf8_lossy(&octets).into_owned()
    };
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}
