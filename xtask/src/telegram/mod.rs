//! `cargo xtask telegram`: a page that frames the app as web.telegram.org does.
//!
//! The page plays Telegram's side of the Mini App bridge and signs people in with a development
//! token that everyone knows. It is for this machine only.

mod app;
mod bot_api;
mod init_data;

use std::{env, net::SocketAddr, time::SystemTime};

use anyhow::{Context, Result, bail};
use axum::{
    Json, Router,
    extract::{Query, State},
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;

use self::{app::App, init_data::PEOPLE};
use crate::types;

/// The token that initData is signed with. The app must run with the same one.
const DEVELOPMENT_TOKEN: &str = "1:development";

/// The variable that holds a bot's token, ours or a real one.
const TOKEN: &str = "TELOXIDE_TOKEN";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Frame the app that runs there [default: start one, with an empty database]
    #[arg(long, value_name = "URL")]
    app: Option<Url>,
    /// Start the app as it was built last
    #[arg(long, conflicts_with = "app")]
    no_build: bool,
    /// Where to serve the page
    #[arg(long, default_value = "127.0.0.1:8081", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
}

/// `cargo xtask telegram`.
pub(crate) async fn run(options: Options) -> Result<()> {
    refuse_real_token()?;
    if !options.listen.ip().is_loopback() {
        bail!("{} is not on this machine alone: anyone could sign in as anyone", options.listen);
    }
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("listening on {}", options.listen))?;
    let address = listener.local_addr()?;

    // Held to the end: dropping it stops the app.
    let (app, _running) = match options.app {
        Some(app) => (app, None),
        None => {
            if !options.no_build {
                types::build_app().await?;
            }
            let running = App::start(&page_url(address, None)).await?;
            (running.url.clone(), Some(running))
        }
    };
    let here = page_url(address, app.host_str());
    println!("The simulated Telegram is on {here}, and frames {app}");
    if _running.is_none() {
        println!("That app has to run with {TOKEN}={DEVELOPMENT_TOKEN} {}={here}", app::FRAMED_BY);
    }
    axum::serve(listener, router(app)).await?;
    Ok(())
}

/// Our page's address. It calls this machine as the app does, `localhost` or by number, since a
/// browser gives a framed page its cookies only where both are of one site.
fn page_url(address: SocketAddr, app_host: Option<&str>) -> String {
    match app_host {
        Some("localhost") => format!("http://localhost:{}", address.port()),
        _ => format!("http://{address}"),
    }
}

/// Refuses to stand beside a real bot: a server that had its token would not take what we sign,
/// and ours is for development only.
fn refuse_real_token() -> Result<()> {
    // The server reads this file too.
    dotenvy::dotenv().ok();
    match env::var(TOKEN) {
        Ok(token) if !token.is_empty() && token != DEVELOPMENT_TOKEN => bail!(
            "{TOKEN} is set, in the environment or in .env, and it is not the development token. \
             The simulated Telegram never runs beside a real bot: unset it, or set it to \
             {DEVELOPMENT_TOKEN}"
        ),
        _ => Ok(()),
    }
}

fn router(app: Url) -> Router {
    Router::new()
        .route("/", get(|| async { file("text/html", include_str!("page.html")) }))
        .route("/page.css", get(|| async { file("text/css", include_str!("page.css")) }))
        .route("/page.js", get(|| async { file("text/javascript", include_str!("page.js")) }))
        .route("/setup", get(setup))
        .route("/init-data", get(init_data))
        .with_state(app)
        .merge(bot_api::router())
}

fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, format!("{kind}; charset=utf-8"))], text)
}

/// What the page has to know: the app's address and the people.
async fn setup(State(app): State<Url>) -> Json<serde_json::Value> {
    Json(json!({ "app": app.as_str(), "people": PEOPLE }))
}

#[derive(Deserialize)]
struct Launch {
    user: i64,
    #[serde(default)]
    start_param: String,
}

/// What Telegram would give the app when this person opens it now.
async fn init_data(Query(launch): Query<Launch>) -> Result<String, StatusCode> {
    let Some(person) = PEOPLE.into_iter().find(|person| person.id == launch.user) else {
        return Err(StatusCode::NOT_FOUND);
    };
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("it is past 1970").as_secs();
    Ok(init_data::sign(DEVELOPMENT_TOKEN, person, &launch.start_param, now))
}
