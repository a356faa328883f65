//! `artel serve`: everything at once, until it is asked to stop.

use std::{io, time::Duration};

use anyhow::Context;
use api::{Api, MetricsListen};
use arena::{Arena, Clock, Secret};
use prometheus_client::registry::Registry;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{config::Options, process, say};

/// Longer than anything that is waited for takes, and shorter than any platform waits.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);

pub(crate) async fn serve(options: Options) -> anyhow::Result<()> {
    let listener = TcpListener::bind(options.web.listen).await.with_context(|| {
        format!("ARTEL_LISTEN: can't listen on {}; for example 127.0.0.1:0", options.web.listen)
    })?;
    let address = listener.local_addr()?;
    let metrics = metrics_listener(options.web.metrics_listen).await?;
    let token = options.arena.telegram_token.clone();
    let arena = Arena::open(options.arena, Clock::System)
        .await
        .context("opening what DATABASE_URL and REDIS_URL name")?;
    arena.recover().await.context("taking up the matches that were played")?;

    let closing = CancellationToken::new();
    let api = Api::new(arena.clone(), options.web, address, closing.clone());
    let tasks = TaskTracker::new();
    let mut signals = Signals::listen()?;
    let mut pages = webapp::router();
    let webhook = webhook(&options.bot, token.as_ref(), &api)?;
    if let Some(webhook) = &webhook {
        pages = pages.merge(webhook.router());
    }
    let router = api::router(&api, pages, api::ProblemPage(webapp::problem_page));
    let patience = api.options.patience;
    tasks.spawn(api::serve(listener, router, patience, closing.clone()));
    if let Some(listener) = metrics {
        tracing::info!("Metrics are on http://{}/metrics", listener.local_addr()?);
        let router = api::metrics_router(registry(&api));
        tasks.spawn(api::serve(listener, router, patience, closing.clone()));
    }
    match token {
        Some(token) => {
            let url = api.public_url.clone();
            let (arena, closing) = (arena.clone(), closing.clone());
            tasks.spawn(bot::run(options.bot, token, arena, url, webhook, closing));
        }
        None => tracing::info!("The bot is off: TELOXIDE_TOKEN is not set"),
    }
    say(&format!("Artel is on http://{address}\n"));

    signals.next().await;
    tracing::info!("Closing: finishing what is being answered");
    arena.stop();
    closing.cancel();
    tasks.close();
    let drain = async {
        let answered = async {
            api.close().await;
            tasks.wait().await;
        };
        // At once, so that others can go on with the matches while sockets say goodbye.
        tokio::join!(arena.hand_over(), answered);
        arena.close().await;
    };
    tokio::select! {
        () = drain => tracing::info!("Closed"),
        () = signals.next() => tracing::warn!("Asked a second time: leaving at once"),
        () = tokio::time::sleep(DRAIN_TIME_MAX) => tracing::warn!("Leaving unfinished"),
    }
    Ok(())
}

/// Where Telegram brings updates to, if it is to.
fn webhook(
    options: &bot::Options,
    token: Option<&Secret>,
    api: &Api,
) -> anyhow::Result<Option<bot::Webhook>> {
    let Some(token) = token.filter(|_| options.telegram_webhook) else { return Ok(None) };
    anyhow::ensure!(
        api.public_url.scheme() == "https",
        "ARTEL_TELEGRAM_WEBHOOK: Telegram brings updates over https only, and PUBLIC_URL is {}",
        api.public_url
    );
    Ok(Some(bot::Webhook::new(token)))
}

/// What every part counts.
fn registry(api: &Api) -> Registry {
    let mut registry = Registry::default();
    process::register_metrics(&mut registry);
    let ours = registry.sub_registry_with_prefix("artel");
    api.metrics.register(ours);
    api.arena.register_metrics(ours);
    bot::register_metrics(ours);
    registry
}

/// Where metrics are served. A default port that is taken is not worth a refusal to start.
async fn metrics_listener(wanted: Option<MetricsListen>) -> anyhow::Result<Option<TcpListener>> {
    match wanted {
        Some(MetricsListen::Off) => Ok(None),
        Some(MetricsListen::At(address)) => {
            let listener = TcpListener::bind(address).await;
            let listener = listener.with_context(|| {
                format!("ARTEL_METRICS_LISTEN: can't listen on {address}; for example off")
            })?;
            Ok(Some(listener))
        }
        None => match TcpListener::bind(MetricsListen::DEFAULT).await {
            Ok(listener) => Ok(Some(listener)),
            Err(error) => {
                tracing::warn!("No metrics: can't listen on {}: {error}", MetricsListen::DEFAULT);
                Ok(None)
            }
        },
    }
}

/// Being asked to stop: SIGTERM by platforms, SIGINT by Ctrl-C.
struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    fn listen() -> io::Result<Signals> {
        Ok(Signals {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}
