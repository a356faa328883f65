//! Signing in by another's word: OpenID Connect, with an authorization code, PKCE (S256), a state
//! and a nonce.
//!
//! The browser that begins is given a cookie with 256 random bits. From it and the state come the
//! verifier and the nonce, so that nothing secret is stored here, and an answer is only worth
//! something in the browser that asked: a code that was stolen, or slipped to somebody, is not. A
//! state is good once, for ten minutes.

mod handoff;
mod provider;
mod token;

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use url::Url;

pub use handoff::{Handoff, HandoffResult};
use provider::{Bond, Failed, Provider};

use crate::{
    Arena, Device, Error, Linking, Millis, Options, Principal, Result, Session, SessionId, UserId,
    Way, Why,
    clock::millis,
    db::on,
    identities::Proved,
    sessions::{digest, hex, random_token},
};

/// How long somebody may take at the provider.
const FLOW_LIFE: Duration = Duration::from_secs(10 * 60);
const SENT_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// As long as our own are: longer is nobody's.
const STATE_BYTES: usize = 43;
const CODE_BYTES_MAX: usize = 4096;
/// The first parts of addresses that a sign-in may lead to.
const PLACES: [&str; 9] =
    ["queue", "match", "replay", "rooms", "practice", "shots", "me", "users", "top"];
const NEXT_BYTES_MAX: usize = 128;

/// The providers that this server knows.
pub(crate) struct Providers(Vec<Provider>);

impl Providers {
    pub(crate) fn new(options: &Options) -> anyhow::Result<Providers> {
        let set = &options.sign_in;
        let mut providers = Vec::new();
        if let (Some(id), Some(secret)) = (&set.google_client_id, &set.google_client_secret) {
            providers.push(Provider::new(Way::Google, &set.google_issuer, id, secret)?);
        }
        let bot = options.telegram_token.as_ref().and_then(|it| it.expose().split_once(':'));
        let id = set.telegram_client_id.as_deref().or(bot.map(|(id, _)| id));
        if let (Some(id), Some(secret)) = (id, &set.telegram_client_secret) {
            providers.push(Provider::new(Way::Telegram, &set.telegram_issuer, id, secret)?);
        }
        Ok(Providers(providers))
    }

    fn find(&self, way: Way) -> Result<&Provider> {
        self.0.iter().find(|it| it.way == way).ok_or_else(|| {
            let detail = format!("this server does not know {}: sign in another way", way.name());
            Error::refused(Why::NotFound, "provider_off", detail)
        })
    }
}

/// What somebody goes to a provider for.
#[derive(Clone, Debug)]
pub enum Visit {
    /// To sign in, and then to go to this place of ours; to `/` if it is none.
    SignIn(String),
    /// To join what they are there to their account.
    Link(Principal),
    /// For a page in another browser, which gave them this ticket.
    Handoff(String),
}

/// What came of it.
#[derive(Debug)]
pub enum Returned {
    /// They are signed in, and go on to this place.
    SignedIn(Box<Session>, String),
    /// What they are there was joined to their account, or could be by a merge.
    Linked(Linking),
    /// They are to tell the page that sent them this code.
    HandedOff(String),
}

/// What a provider sends a browser back with.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Which question it answers.
    pub state: String,
    /// What it gives; else why not.
    pub code: Result<String, String>,
    /// Who the provider says that it is, where it says so (RFC 9207).
    pub issuer: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Flow {
    provider: String,
    browser: String,
    next: String,
    user_id: Option<UserId>,
    session_id: Option<SessionId>,
    handoff: Option<String>,
    expires_at: Millis,
}

impl Arena {
    /// Whether people can go to a provider.
    pub fn knows_provider(&self, way: Way) -> bool {
        self.providers.find(way).is_ok()
    }

    /// What a browser is to keep in its cookie while somebody is at a provider.
    pub fn new_browser(&self) -> String {
        random_token()
    }

    /// The provider's page to send somebody to. `browser` is what their browser keeps, `back` where
    /// they are to come back to.
    ///
    /// # Errors
    /// `provider_off`; `provider_away`; `handoff_gone` for a ticket that was used or has expired.
    pub async fn go_to_provider(
        &self,
        way: Way,
        visit: Visit,
        browser: &str,
        back: &Url,
    ) -> Result<Url> {
        let provider = self.providers.find(way)?;
        let now = self.clock.now();
        let bond = bond(browser, random_token());
        let page = provider.page(&bond, back, now).await.map_err(away)?;
        let (mut next, mut by, mut handoff) = ("/".to_owned(), None, None);
        match visit {
            Visit::SignIn(wanted) => next = place(&wanted).to_owned(),
            Visit::Link(principal) => by = Some(principal),
            Visit::Handoff(ticket) => handoff = Some(self.take_handoff_ticket(way, &ticket).await?),
        }
        on!(self.db, pool => sqlx::query(
            "insert into flows \
             (state, provider, browser, next, user_id, session_id, handoff, expires_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(hex(&digest(&bond.state)))
        .bind(way)
        .bind(hex(&digest(browser)))
        .bind(next)
        .bind(by.map(|it| it.user_id))
        .bind(by.map(|it| it.session_id))
        .bind(handoff)
        .bind(now + millis(FLOW_LIFE))
        .execute(pool)
        .await
        .map(drop))?;
        Ok(page)
    }

    /// Does what somebody went to a provider for, now that they are back.
    ///
    /// # Errors
    /// `flow_unknown` when it answers no question of this browser's, or one that was answered;
    /// `provider_denied` when they changed their mind; `provider_away`; `provider_wrong` when what
    /// it says is not to be believed; as joining an identity.
    pub async fn back_from_provider(
        &self,
        way: Way,
        answer: Answer,
        browser: Option<&str>,
        back: &Url,
        device: &Device,
    ) -> Result<Returned> {
        let provider = self.providers.find(way)?;
        let now = self.clock.now();
        let unknown = || {
            Error::refused(
                Why::Malformed,
                "flow_unknown",
                "this sign-in was not begun in this browser, or took too long: begin again",
            )
        };
        let (flow, browser) = match browser {
            Some(browser) if answer.state.len() == STATE_BYTES => {
                (self.take_flow(&answer.state).await?.ok_or_else(unknown)?, browser)
            }
            _ => return Err(unknown()),
        };
        let same = flow.provider == way.name() && flow.browser == hex(&digest(browser));
        if !same || flow.expires_at <= now {
            return Err(unknown());
        }
        if answer.issuer.is_some_and(|it| !provider.is_called(&it)) {
            return Err(wrong(anyhow::anyhow!("another provider answered")));
        }
        let code = answer.code.map_err(|error| denied(&error))?;
        if code.is_empty() || code.len() > CODE_BYTES_MAX {
            return Err(unknown());
        }
        let bond = bond(browser, answer.state);
        let proved = provider.redeem(&code, &bond, back, now).await.map_err(|it| match it {
            Failed::Away(error) => away(error),
            Failed::Wrong(error) => wrong(error),
        })?;
        match (flow.user_id, flow.session_id, flow.handoff) {
            (_, _, Some(handoff)) => {
                self.hand_off(&handoff, &proved).await.map(Returned::HandedOff)
            }
            (Some(user_id), Some(session_id), None) => {
                let role = self.user(user_id).await?.ok_or_else(unknown)?.role;
                let address = device.address;
                let by = Principal { user_id, session_id, role, address };
                self.link(&by, &proved).await.map(Returned::Linked)
            }
            _ => {
                let session = self.sign_in_proved(&proved, device).await?;
                Ok(Returned::SignedIn(Box::new(session), flow.next))
            }
        }
    }

    /// Signs in whom somebody vouches for. The first time makes the account.
    async fn sign_in_proved(&self, proved: &Proved, device: &Device) -> Result<Session> {
        let user = self.account_of(proved, device).await?;
        self.came_by(proved.way, &proved.subject).await?;
        self.begin_session(user, device).await
    }

    /// A question that was answered; it is gone with it.
    async fn take_flow(&self, state: &str) -> Result<Option<Flow>> {
        Ok(on!(self.db, pool => sqlx::query_as(
            "delete from flows where state = $1 \
             returning provider, browser, next, user_id, session_id, handoff, expires_at",
        )
        .bind(hex(&digest(state)))
        .fetch_optional(pool)
        .await)?)
    }

    /// Forgets what nobody came back for.
    pub(crate) async fn sweep_flows(self) -> Result<()> {
        let now = self.clock.now();
        // Letters are counted for an hour after they were sent.
        let sent = now - millis(SENT_KEPT);
        on!(self.db, pool => {
            for (text, before) in [
                ("delete from flows where expires_at <= $1", now),
                ("delete from handoffs where expires_at <= $1", now),
                ("delete from merge_offers where expires_at <= $1", now),
                ("delete from mail_tokens where expires_at <= $1 and created_at <= $1", sent),
            ] {
                sqlx::query(text).bind(before).execute(pool).await?;
            }
        });
        Ok(())
    }
}

/// What holds an answer to its question.
fn bond(browser: &str, state: String) -> Bond {
    let derive = |purpose: &str| {
        let mac = Hmac::<Sha256>::new_from_slice(browser.as_bytes());
        let mac = mac.expect("HMAC takes keys of any length");
        let made = mac.chain_update(purpose).chain_update(&state).finalize().into_bytes();
        BASE64_URL_SAFE_NO_PAD.encode(made)
    };
    Bond { nonce: derive("nonce "), verifier: derive("verifier "), state }
}

/// A place of ours that a sign-in may lead to.
fn place(wanted: &str) -> &str {
    let plain = |it: u8| it.is_ascii_alphanumeric() || b"/_-".contains(&it);
    let known = wanted.strip_prefix('/').is_some_and(|rest| {
        let first = rest.split('/').next().unwrap_or_default();
        PLACES.contains(&first) && rest.bytes().all(plain) && !rest.contains("//")
    });
    if known && wanted.len() <= NEXT_BYTES_MAX { wanted } else { "/" }
}

fn away(error: anyhow::Error) -> Error {
    tracing::warn!("A sign-in can't be finished: {error:#}");
    Error::refused(
        Why::BadGateway,
        "provider_away",
        "the other side does not answer as it should: try again in a moment",
    )
}

fn wrong(error: anyhow::Error) -> Error {
    tracing::warn!("A sign-in is not believed: {error:#}");
    Error::refused(
        Why::BadGateway,
        "provider_wrong",
        "what the other side says of you could not be verified: try again",
    )
}

/// What a provider says when it gives no code (RFC 6749, 4.1.2.1).
fn denied(error: &str) -> Error {
    match error {
        "access_denied" | "interaction_required" | "login_required" | "consent_required" => {
            Error::refused(
                Why::Malformed,
                "provider_denied",
                "you have not been signed in: nothing was changed",
            )
        }
        _ => wrong(anyhow::anyhow!("the provider answered with an error")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_of_ours_are_led_to() {
        for good in ["/me", "/match/4fQ9zKx02Lb", "/practice/eight_ball", "/rooms/KWBTRM"] {
            assert_eq!(place(good), good);
        }
        let long = format!("/match/{}", "a".repeat(10_000));
        for bad in [
            "",
            "/",
            "me",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil",
            "https:evil.example",
            "https://evil.example/me",
            "javascript:alert(1)",
            "/me%0d%0aSet-Cookie:%20a=b",
            "/me\r\nSet-Cookie: a=b",
            "@evil.example",
            "/@evil.example",
            "/me@evil.example",
            "/me/../../evil",
            "/me//evil",
            "/api/docs",
            "/auth/google",
            "/me?x=1",
            "/me#x",
            "/мы",
            &long,
        ] {
            assert_eq!(place(bad), "/", "{bad}");
        }
    }

    #[test]
    fn an_answer_is_bound_to_its_browser_and_its_question() {
        let [one, same, other_state, other_browser] =
            [("a", "1"), ("a", "1"), ("a", "2"), ("b", "1")].map(|(b, s)| bond(b, s.to_owned()));
        assert_eq!((&one.nonce, &one.verifier), (&same.nonce, &same.verifier));
        assert_ne!(one.nonce, one.verifier);
        assert_ne!(one.verifier, other_state.verifier);
        assert_ne!(one.verifier, other_browser.verifier);
        assert_eq!(one.verifier.len(), 43, "RFC 7636 wants 43 to 128");
    }
}
