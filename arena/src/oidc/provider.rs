//! A provider of OpenID Connect, asked over HTTP: where its doors are (Discovery 1.0), its keys,
//! and what a code is worth.

use std::{future::Future, time::Duration};

use anyhow::{Context, bail, ensure};
use oauth2::{
    AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointNotSet, EndpointSet, ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, StandardRevocableToken,
    StandardTokenIntrospectionResponse, StandardTokenResponse, TokenUrl,
    basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenType},
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::Url;

use crate::{
    Millis, Secret, Way,
    clock::millis,
    identities::Proved,
    init_data::TELEGRAM_ID_MAX,
    oidc::token::{self, Bad, Claims, Expected, Key, TelegramId},
    sign_in::is_safe,
};

/// How long a provider may take to answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(8);
const CONNECT_TIME_MAX: Duration = Duration::from_secs(4);
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// How long what a provider publishes is believed without looking again.
const FRESH: Duration = Duration::from_secs(60 * 60);
/// Unknown keys make us look again this often at most: anybody can name one.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

type Answer = StandardTokenResponse<IdToken, BasicTokenType>;
type OAuth = Client<
    BasicErrorResponse,
    Answer,
    StandardTokenIntrospectionResponse<EmptyExtraTokenFields, BasicTokenType>,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What OpenID Connect adds to the answer of OAuth.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct IdToken {
    id_token: String,
}

impl ExtraTokenFields for IdToken {}

/// Who vouches for people, and who we are to them.
pub(crate) struct Provider {
    pub(super) way: Way,
    issuer: String,
    id: String,
    secret: Secret,
    http: reqwest::Client,
    known: Mutex<Known>,
}

/// What is known of a provider so far.
#[derive(Default)]
struct Known {
    doors: Option<(Doors, Millis)>,
    keys: Vec<Key>,
    keys_at: Millis,
    /// When a key was last looked for that was not there.
    missed_at: Option<Millis>,
}

/// Where a provider is asked what.
#[derive(Clone, Deserialize)]
struct Doors {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
}

/// What makes an answer belong to a question: derived from what the browser keeps in its cookie.
pub(super) struct Bond {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
}

/// Why somebody was not vouched for.
pub(super) enum Failed {
    /// The provider can't be reached, or does not speak as it should.
    Away(anyhow::Error),
    /// It was reached, and what it says is not to be believed.
    Wrong(anyhow::Error),
}

impl Provider {
    pub(super) fn new(
        way: Way,
        issuer: &str,
        id: &str,
        secret: &Secret,
    ) -> anyhow::Result<Provider> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIME_MAX)
            .timeout(ANSWER_TIME_MAX)
            // A provider that sends us elsewhere might send our secret there.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("making a client for HTTP")?;
        let (issuer, id, secret) = (issuer.to_owned(), id.to_owned(), secret.clone());
        Ok(Provider { way, issuer, id, secret, http, known: Mutex::default() })
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        self.issuer == name
    }

    /// The provider's page to send a browser to.
    pub(super) async fn page(&self, bond: &Bond, back: &Url, now: Millis) -> anyhow::Result<Url> {
        let client = self.client(&self.doors(now).await?, back);
        let verifier = PkceCodeVerifier::new(bond.verifier.clone());
        let mut request = client
            .authorize_url(|| CsrfToken::new(bond.state.clone()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scope(Scope::new("openid".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .add_extra_param("nonce", &bond.nonce);
        if self.way == Way::Google {
            // Who has several is asked which, every time.
            let email = Scope::new("email".to_owned());
            request = request.add_scope(email).add_extra_param("prompt", "select_account");
        }
        Ok(request.url().0)
    }

    /// Whom the provider vouches for by a code.
    pub(super) async fn redeem(
        &self,
        code: &str,
        bond: &Bond,
        back: &Url,
        now: Millis,
    ) -> Result<Proved, Failed> {
        let doors = self.doors(now).await.map_err(Failed::Away)?;
        let fetch = |request| self.fetch(request);
        let answer = self
            .client(&doors, back)
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(bond.verifier.clone()))
            .request_async(&fetch)
            .await;
        let answer = answer.map_err(|error| match error {
            oauth2::RequestTokenError::Request(error) => Failed::Away(error.into()),
            oauth2::RequestTokenError::ServerResponse(refusal) => {
                // Its words may repeat what was sent; the kind is one of a few.
                Failed::Wrong(anyhow::anyhow!("the code was refused: {}", refusal.error()))
            }
            oauth2::RequestTokenError::Parse(..) | oauth2::RequestTokenError::Other(_) => {
                Failed::Away(anyhow::anyhow!("the answer to the code was no answer"))
            }
        })?;
        let claims = self.claims(&answer.extra_fields().id_token, bond, now).await?;
        self.proved(claims).ok_or_else(|| Failed::Wrong(anyhow::anyhow!("it names nobody")))
    }

    /// What a token says, once it is checked; a key that is not known is looked for once.
    async fn claims(&self, token: &str, bond: &Bond, now: Millis) -> Result<Claims, Failed> {
        let expected = Expected {
            issuer: &self.issuer,
            audience: &self.id,
            nonce: &bond.nonce,
            nonce_required: self.way != Way::Telegram,
        };
        let keys = self.keys(false, now).await.map_err(Failed::Away)?;
        let checked = match token::check(token, &keys, &expected, now) {
            Err(Bad::UnknownKey) => {
                let keys = self.keys(true, now).await.map_err(Failed::Away)?;
                token::check(token, &keys, &expected, now)
            }
            checked => checked,
        };
        checked.map_err(|bad| Failed::Wrong(bad.into()))
    }

    fn proved(&self, claims: Claims) -> Option<Proved> {
        let Claims { sub, id, name, email, preferred_username, picture, locale, .. } = claims;
        let (subject, label) = match self.way {
            Way::Telegram => {
                // The same number as in the Mini App, so that both lead to the same account.
                let id = match id? {
                    TelegramId::Number(id) => id,
                    TelegramId::Text(text) => text.parse().ok()?,
                };
                let known = (1..=TELEGRAM_ID_MAX).contains(&id);
                let label = preferred_username.map(|it| format!("@{it}")).or(name.clone());
                (known.then(|| id.to_string())?, label)
            }
            Way::Google | Way::Password => (sub, email),
        };
        Some(Proved { way: self.way, subject, label, name, picture, language: locale })
    }

    fn client(&self, doors: &Doors, back: &Url) -> OAuth {
        Client::new(ClientId::new(self.id.clone()))
            .set_client_secret(ClientSecret::new(self.secret.expose().to_owned()))
            .set_auth_uri(AuthUrl::from_url(doors.authorization_endpoint.clone()))
            .set_token_uri(TokenUrl::from_url(doors.token_endpoint.clone()))
            .set_redirect_uri(RedirectUrl::from_url(back.clone()))
    }

    async fn doors(&self, now: Millis) -> anyhow::Result<Doors> {
        let mut known = self.known.lock().await;
        match &known.doors {
            Some((doors, at)) if now - at < millis(FRESH) => return Ok(doors.clone()),
            _ => {}
        }
        let doors = match (self.discover().await, &known.doors) {
            (Ok(doors), _) => doors,
            // What was true an hour ago is better than nothing.
            (Err(_), Some((doors, _))) => return Ok(doors.clone()),
            (Err(error), None) => return Err(error),
        };
        known.doors = Some((doors.clone(), now));
        Ok(doors)
    }

    async fn discover(&self) -> anyhow::Result<Doors> {
        let address = format!("{}/.well-known/openid-configuration", self.issuer);
        let body = self.get(&address).await.context("looking for the provider")?;
        let doors: Doors = serde_json::from_slice(&body).context("reading where its doors are")?;
        ensure!(doors.issuer == self.issuer, "the provider calls itself {}", doors.issuer);
        for door in [&doors.authorization_endpoint, &doors.token_endpoint, &doors.jwks_uri] {
            ensure!(is_safe(door), "the provider has a door that is not safe: {door}");
        }
        Ok(doors)
    }

    /// The provider's keys: looked for again when they are old or, now and then, when one was
    /// `missed`.
    async fn keys(&self, missed: bool, now: Millis) -> anyhow::Result<Vec<Key>> {
        let address = self.doors(now).await?.jwks_uri;
        let mut known = self.known.lock().await;
        let old = now - known.keys_at >= millis(FRESH);
        let may_look = known.missed_at.is_none_or(|at| now - at >= millis(LOOK_AGAIN));
        if !(old || missed && may_look) {
            return Ok(known.keys.clone());
        }
        if missed {
            known.missed_at = Some(now);
        }
        let found = async {
            let body = self.get(address.as_str()).await.context("looking for its keys")?;
            token::keys(&body).context("reading its keys")
        };
        match found.await {
            Ok(keys) => {
                known.keys = keys;
                known.keys_at = now;
            }
            Err(error) if known.keys.is_empty() => return Err(error),
            Err(error) => tracing::warn!("The provider's keys are not refreshed: {error:#}"),
        }
        Ok(known.keys.clone())
    }

    async fn get(&self, address: &str) -> anyhow::Result<Vec<u8>> {
        let request = oauth2::http::Request::get(address).body(Vec::new())?;
        let response = self.fetch(request).await?;
        ensure!(response.status() == 200, "it answered {}", response.status());
        Ok(response.into_body())
    }

    /// Asks, and reads no more than an answer of this kind can be.
    fn fetch(
        &self,
        request: HttpRequest,
    ) -> impl Future<Output = Result<HttpResponse, FetchError>> + Send + 'static {
        let http = self.http.clone();
        async move {
            let asked = async {
                let mut response = http.execute(request.try_into()?).await?;
                let mut answer = oauth2::http::Response::new(Vec::new());
                *answer.status_mut() = response.status();
                *answer.headers_mut() = response.headers().clone();
                while let Some(chunk) = response.chunk().await? {
                    answer.body_mut().extend_from_slice(&chunk);
                    if answer.body().len() > ANSWER_BYTES_MAX {
                        bail!("the provider's answer is too long");
                    }
                }
                Ok(answer)
            };
            asked.await.map_err(FetchError)
        }
    }
}

/// A request that failed.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
struct FetchError(anyhow::Error);
