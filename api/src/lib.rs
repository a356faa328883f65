//! The HTTP and WebSocket door to the arena.
//!
//! Handlers are thin: extract, call [`arena`], answer. One file for each resource, with its routes.
//! What every request passes on its way in and out, outermost first: [`observe`](border::observe)
//! (request id, log, metrics, problem documents, security headers), the net for panics,
//! [`admit`](limits::admit) (who and from where, rate limits), the handler.

mod address;
mod auth;
mod billiards;
mod border;
mod docs;
mod extract;
mod friends;
mod game_socket;
mod games;
mod limits;
mod lobby_socket;
mod matches;
mod me;
mod metrics;
mod moderation;
mod open_sockets;
mod openapi;
mod operations;
mod options;
mod patience;
mod problem;
mod providers;
mod queue;
mod rooms;
mod security;
mod serve;
mod sockets;
mod tickets;
mod users;

use std::{net::SocketAddr, ops::Deref, sync::Arc};

use arena::Arena;
use axum::{
    Extension, Router,
    http::{HeaderValue, StatusCode},
    middleware,
    routing::any,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::catch_panic::CatchPanicLayer;
use url::Url;

pub use metrics::{Metrics, metrics_router};
pub use openapi::openapi;
pub use options::{MetricsListen, Networks, Options, Origins};
pub use problem::Problem;
pub use providers::ProblemPage;
pub use serve::serve;

/// What every handler may reach. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

/// What an [`Api`] holds.
pub struct Inner {
    /// What lasts and who may.
    pub arena: Arena,
    /// What the operator set.
    pub options: Options,
    /// How the world reaches us: `PUBLIC_URL`, or its default for the port that we serve on.
    pub public_url: Url,
    /// The origins whose pages may open sockets.
    pub origins: Vec<String>,
    /// Cancelled once, when the server is asked to stop: sockets say goodbye then.
    pub closing: CancellationToken,
    /// Sockets outlive the requests that opened them, so they are tracked here and waited for.
    pub tasks: TaskTracker,
    /// What is counted.
    pub metrics: Metrics,
    sockets: open_sockets::OpenSockets,
    content_security_policy: HeaderValue,
}

impl Deref for Api {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Api {
    /// A door to `arena` that serves on `address` until `closing` is cancelled.
    pub fn new(
        arena: Arena,
        options: Options,
        address: SocketAddr,
        closing: CancellationToken,
    ) -> Api {
        let public_url = options.public_url(address);
        let policy = border::content_security_policy(&public_url, &options.frame_ancestors);
        Api(Arc::new(Inner {
            origins: options.origins(&public_url, address),
            sockets: open_sockets::OpenSockets::new(options.rate_limits),
            content_security_policy: policy,
            tasks: TaskTracker::new(),
            metrics: Metrics::default(),
            arena,
            options,
            public_url,
            closing,
        }))
    }

    /// Whether the world reaches us by https.
    pub fn https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// Waits until every socket has said goodbye. `closing` must have been cancelled.
    pub async fn close(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Everything that is served: the API, and the `pages` that main passes in, with the one that
/// explains what went wrong with a sign-in.
pub fn router(api: &Api, pages: Router, problem_page: ProblemPage) -> Router {
    let (routes, _) = openapi::routes().split_for_parts();
    Router::new()
        .merge(routes)
        .merge(docs::router())
        .merge(providers::pages().layer(Extension(problem_page)))
        .merge(lobby_socket::routes())
        .merge(game_socket::routes())
        // What is under these names is for programs: they get no page when there is nothing.
        .route("/api/", any(nothing))
        .route("/api/{*rest}", any(nothing))
        .route("/ws/{*rest}", any(nothing))
        .with_state(api.clone())
        .merge(pages)
        .layer(middleware::from_fn_with_state(api.clone(), limits::admit))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(middleware::from_fn_with_state(api.clone(), border::observe))
}

async fn nothing() -> StatusCode {
    StatusCode::NOT_FOUND
}
