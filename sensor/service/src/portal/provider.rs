//! Speaking with an OpenID provider: where to send people, and who came back (authorization code with PKCE and a nonce).
//! Blocks; knows no cookie and no page.

use std::{
    collections::HashMap,
    fmt::Display,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use openidconnect::{
    AdditionalClaims, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IdTokenClaims, IdTokenFields,
    IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, StandardErrorResponse,
    StandardTokenResponse, TokenResponse as _,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim,
        CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
        CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use policy::portal::Oidc;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig},
};

use super::text;
use crate::control::Role;

/// For one answer of the provider: somebody waits.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest answer, octets: a key set of many keys has some tens of thousands.
const ANSWER_OCTETS_MAX: u64 = 1 << 20;
/// What the provider says of itself is asked again so long behind the last time: its keys change.
const KNOWN: Duration = Duration::from_secs(3600);
/// And as soon as a signature does not fit, but no more often than this.
const ASKED_AGAIN: Duration = Duration::from_secs(30);
/// Longest name of an account, octets.
const NAME_OCTETS_MAX: usize = 64;

/// What is told of an error of the provider, characters.
const TOLD_CHARACTERS_MAX: usize = 300;

/// All claims that have no meaning of their own in the standard.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    #[serde(flatten)]
    all: HashMap<String, Value>,
}

impl AdditionalClaims for Claims {}

type Fields = IdTokenFields<
    Claims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

type ProviderClient = Client<
    Claims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The configured provider.
pub(super) struct Provider {
    settings: Oidc,
    /// What it said of itself, and when.
    known: Mutex<Option<(Instant, CoreProviderMetadata)>>,
}

/// A sign-in that began here and goes on at the provider.
pub(super) struct Begun {
    /// What the provider sends back with whoever comes.
    pub(super) state: String,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

impl Begun {
    /// Of texts that nobody can guess. `verifier`: 43 to 128 letters, digits and `-._~` (RFC 7636).
    pub(super) fn new(state: String, nonce: String, verifier: String) -> Begun {
        Begun { state, nonce: Nonce::new(nonce), verifier: PkceCodeVerifier::new(verifier) }
    }
}

/// Who came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Person {
    /// What the provider calls her now, which can be an account's name.
    pub(super) name: String,
    /// What ties it to her at this provider.
    pub(super) credential: String,
    /// By the claim; none: nobody said that she may come in.
    pub(super) role: Option<Role>,
}

/// What account credentials of people of a provider begin with.
const CREDENTIAL: &str = "oidc:";

impl Provider {
    pub(super) fn new(settings: Oidc) -> Provider {
        Provider { settings, known: Mutex::default() }
    }

    /// The provider's name for people.
    pub(super) fn host(&self) -> String {
        let uri = self.settings.issuer.parse::<axum::http::Uri>().ok();
        uri.and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_else(|| self.settings.issuer.clone())
    }

    /// Which claim decides, for messages.
    pub(super) fn claim(&self) -> &str {
        &self.settings.claim
    }

    /// Where to send somebody whose sign-in begins.
    ///
    /// # Errors
    /// The provider does not answer or answers nonsense: says what to look at.
    pub(super) fn begin(&self, begun: &Begun) -> Result<String, String> {
        let client = self.client(KNOWN)?;
        let (state, nonce) = (begun.state.clone(), begun.nonce.clone());
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || CsrfToken::new(state), || nonce)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&begun.verifier));
        for scope in &self.settings.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        Ok(request.url().0.into())
    }

    /// Who came back with this code.
    ///
    /// # Errors
    /// The code is not good, or what the provider says of the person is not: says what to look at.
    pub(super) fn finish(&self, code: &str, begun: Begun) -> Result<Person, String> {
        let client = self.client(KNOWN)?;
        let agent = self.agent()?;
        let http = |request: HttpRequest| ask(&agent, request);
        let exchange = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| format!("the provider names no token endpoint: {error}"))?;
        let answer =
            exchange.set_pkce_verifier(begun.verifier).request(&http).map_err(|error| match error {
                openidconnect::RequestTokenError::ServerResponse(refusal) => {
                    format!(
                        "the provider refuses: {}; check portal.oidc.client_id and client_secret_file",
                        told(&refusal)
                    )
                }
                other => format!("the provider gives no token: {}", told(&other)),
            })?;
        let token = answer.id_token().ok_or("the provider gives no ID token; check portal.oidc.scopes")?;
        let claims = match token.claims(&client.id_token_verifier(), &begun.nonce) {
            // Its keys may have changed since they were asked for.
            Err(openidconnect::ClaimsVerificationError::SignatureVerification(_)) => {
                token.claims(&self.client(ASKED_AGAIN)?.id_token_verifier(), &begun.nonce)
            }
            checked => checked,
        };
        let claims =
            claims.map_err(|error| format!("the provider's ID token is not good: {}", told(&error)))?;
        let subject = claims.subject().as_str();
        let name = claims
            .preferred_username()
            .map(|name| name.as_str())
            .or_else(|| claims.email().map(|email| email.as_str()))
            .unwrap_or(subject);
        let values = decisive(claims, &self.settings.claim);
        Ok(Person {
            name: account(name)?,
            credential: credential(&self.settings.issuer, subject),
            role: self.role(&values),
        })
    }

    fn role(&self, values: &[&str]) -> Option<Role> {
        let names =
            |wanted: &[String]| wanted.iter().any(|wanted| wanted == "*" || values.contains(&&**wanted));
        if names(&self.settings.administrators) {
            return Some(Role::Administrator);
        }
        names(&self.settings.analysts).then_some(Role::Analyst)
    }

    /// A client by what the provider said of itself, which is no older than this.
    fn client(&self, age: Duration) -> Result<ProviderClient, String> {
        let settings = &self.settings;
        let metadata = self.metadata(age)?;
        let redirect = RedirectUrl::new(settings.redirect.clone()).map_err(|error| error.to_string())?;
        let secret = String::from_utf8(settings.client_secret.octets().to_vec())
            .map_err(|_| "portal.oidc.client_secret_file holds no text")?;
        let id = ClientId::new(settings.client_id.clone());
        Ok(Client::from_provider_metadata(metadata, id, Some(ClientSecret::new(secret)))
            .set_redirect_uri(redirect))
    }

    fn metadata(&self, age: Duration) -> Result<CoreProviderMetadata, String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, metadata)) = known.as_ref().filter(|(when, _)| when.elapsed() < age) {
            return Ok(metadata.clone());
        }
        drop(known);
        let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(|error| error.to_string())?;
        let agent = self.agent()?;
        let http = |request: HttpRequest| ask(&agent, request);
        let metadata = CoreProviderMetadata::discover(&issuer, &http).map_err(|error| {
            let source =
                std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
            format!(
                "{} does not say what it is: {}; check portal.oidc.issuer",
                self.settings.issuer,
                told(&format!("{error}{source}"))
            )
        })?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((Instant::now(), metadata.clone()));
        Ok(metadata)
    }

    fn agent(&self) -> Result<Agent, String> {
        let mut config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            // Elsewhere is not where the administrator meant the secret to go.
            .max_redirects(0)
            .user_agent(concat!("vpn-sensor/", env!("CARGO_PKG_VERSION")));
        if self.settings.issuer.starts_with("https:") {
            let certificates = self.settings.trust.certificates()?;
            let roots = certificates.iter().map(|der| Certificate::from_der(der).to_owned());
            let roots = RootCerts::from(roots.collect::<Vec<_>>());
            let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
            let tls = TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(provider);
            config = config.tls_config(tls.build());
        }
        Ok(config.build().into())
    }
}

fn ask(agent: &Agent, request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
    let (parts, body) = agent.run(request)?.into_parts();
    let octets = body.into_with_config().limit(ANSWER_OCTETS_MAX).read_to_vec()?;
    Ok(HttpResponse::from_parts(parts, octets))
}

/// What the provider says is a stranger's text, of any length, that goes on a page, to the log and to the audit log.
fn told(error: &impl Display) -> String {
    let text: String = error.to_string().chars().take(TOLD_CHARACTERS_MAX).collect();
    text::visible(&text)
}

/// The texts of the claim that decides. Those with a meaning of their own in the standard are not among the others, and the
/// configuration takes two of them alone; an address that nobody has verified is whatever somebody typed there.
fn decisive<'c>(claims: &'c IdTokenClaims<Claims, CoreGenderClaim>, claim: &str) -> Vec<&'c str> {
    match claim {
        "sub" => vec![claims.subject().as_str()],
        "email" if claims.email_verified() == Some(true) => {
            claims.email().map(|email| email.as_str()).into_iter().collect()
        }
        "email" => Vec::new(),
        other => values(claims.additional_claims().all.get(other)),
    }
}

/// The texts of a claim: one, or a list.
fn values(claim: Option<&Value>) -> Vec<&str> {
    match claim {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A provider's name as one of an account.
fn account(name: &str) -> Result<String, String> {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-' | b'@');
    if (1..=NAME_OCTETS_MAX).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(name.to_owned());
    }
    let shown: String = name.chars().take(NAME_OCTETS_MAX).collect();
    Err(format!(
        "the provider's name {shown:?} cannot be an account's: letters, digits and . _ - @, {NAME_OCTETS_MAX} at most"
    ))
}

/// Of the person, not of her name: names are given to others later.
fn credential(issuer: &str, subject: &str) -> String {
    let digest = Sha256::new().chain_update(issuer).chain_update("\n").chain_update(subject).finalize();
    digest.iter().fold(CREDENTIAL.to_owned(), |text, octet| format!("{text}{octet:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(administrators: &[&str], analysts: &[&str]) -> Provider {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Provider::new(Oidc {
            issuer: "https://id.contoso.example/realm".to_owned(),
            client_id: "vpn-sensor".to_owned(),
            client_secret: policy::sink::Secret::new(b"secret".to_vec()),
            redirect: "https://sensor.contoso.example/sign-in/provider/back".to_owned(),
            claim: "groups".to_owned(),
            administrators: texts(administrators),
            analysts: texts(analysts),
            scopes: Vec::new(),
            trust: policy::sink::Trust::default(),
        })
    }

    #[test]
    fn a_role_is_given_by_the_claim_and_to_nobody_without_it() {
        let some = provider(&["vpn-admins"], &["soc", "helpdesk"]);
        assert_eq!(some.role(&["staff", "vpn-admins", "soc"]), Some(Role::Administrator));
        assert_eq!(some.role(&["helpdesk"]), Some(Role::Analyst));
        assert_eq!(some.role(&["staff"]), None);
        assert_eq!(some.role(&[]), None);
        assert_eq!(provider(&["a"], &["*"]).role(&[]), Some(Role::Analyst));
        assert_eq!(values(Some(&serde_json::json!(["a", 1, "b"]))), ["a", "b"]);
        assert_eq!(values(Some(&serde_json::json!("a"))), ["a"]);
        assert!(values(None).is_empty());
        assert_eq!(some.host(), "id.contoso.example");
    }

    #[test]
    fn a_claim_of_the_standard_decides_as_well_and_an_address_only_where_it_was_verified() {
        let claims = |more: Value| -> IdTokenClaims<Claims, CoreGenderClaim> {
            let mut claims = serde_json::json!({
                "iss": "https://id.contoso.example", "aud": "vpn-sensor", "exp": 1, "iat": 1, "sub": "7",
                "email": "dora@contoso.example", "groups": ["soc", "staff"], "department": "it",
            });
            claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value(claims).unwrap()
        };
        let nothing = serde_json::json!({});
        for (claim, more, texts) in [
            ("sub", nothing.clone(), &["7"][..]),
            ("email", serde_json::json!({"email_verified": true}), &["dora@contoso.example"]),
            ("email", serde_json::json!({"email_verified": false}), &[]),
            ("email", nothing.clone(), &[]),
            ("groups", nothing.clone(), &["soc", "staff"]),
            ("department", nothing.clone(), &["it"]),
            ("roles", nothing, &[]),
        ] {
            assert_eq!(decisive(&claims(more.clone()), claim), texts, "{claim} {more}");
        }
    }

    #[test]
    fn what_a_provider_says_stays_short_and_on_its_line() {
        assert_eq!(told(&"no\nroot signed in"), "no\u{fffd}U+000Aroot signed in");
        assert_eq!(told(&"a".repeat(1 << 20)).len(), TOLD_CHARACTERS_MAX);
    }

    #[test]
    fn an_account_is_named_by_the_provider_and_belongs_to_the_person() {
        assert_eq!(account("Dora.O_x-1@contoso.example").unwrap(), "Dora.O_x-1@contoso.example");
        for wrong in ["", "two words", "<b>", "\u{202e}a", &"a".repeat(65)] {
            assert!(account(wrong).is_err(), "{wrong}");
        }
        let hers = credential("https://a", "7");
        assert!(hers.starts_with(CREDENTIAL) && hers.len() == CREDENTIAL.len() + 64);
        assert_ne!(hers, credential("https://b", "7"));
        assert_ne!(hers, credential("https://a", "8"));
    }
}
