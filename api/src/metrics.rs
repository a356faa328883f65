//! What is counted, in the text that Prometheus reads.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use axum::{
    Router,
    http::{Method, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::{Api, Problem};

/// Upper ends, in seconds.
const LATENCIES: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// What is counted. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: Family<RequestLabels, Counter<u64, AtomicU64>>,
    latency: Family<RouteLabels, Histogram, fn() -> Histogram>,
    sockets: Family<SocketLabels, Gauge>,
    matches: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SocketLabels {
    kind: &'static str,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut registry = Registry::with_prefix("artel");
        let requests = Family::default();
        let latency: Family<RouteLabels, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(LATENCIES));
        let (sockets, matches) = (Family::default(), Gauge::default());
        registry.register("requests", "Requests answered", requests.clone());
        registry.register_with_unit(
            "request",
            "Time from a request's head to the answer's",
            Unit::Seconds,
            latency.clone(),
        );
        registry.register("sockets", "Open sockets", sockets.clone());
        registry.register("matches", "Live matches in this process", matches.clone());
        Metrics(Arc::new(Inner { registry, requests, latency, sockets, matches }))
    }
}

/// One open socket of a kind, counted for as long as this lives.
pub struct OpenSocket(Gauge);

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// A socket of a `kind` (`lobby` or `game`) is open while the answer lives.
    pub fn open_socket(&self, kind: &'static str) -> OpenSocket {
        let gauge = self.0.sockets.get_or_create(&SocketLabels { kind }).clone();
        gauge.inc();
        OpenSocket(gauge)
    }

    pub(crate) fn answered(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        took: Duration,
    ) {
        // Anyone may invent a method; a label must not grow with that.
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        let method = known.into_iter().find(|it| method == it).unwrap_or("other");
        let labels = RequestLabels { method, route: route.to_owned(), status: status.as_u16() };
        self.0.requests.get_or_create(&labels).inc();
        let labels = RouteLabels { route: route.to_owned() };
        self.0.latency.get_or_create(&labels).observe(took.as_secs_f64());
    }

    fn text(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        encode(&mut text, &self.0.registry)?;
        Ok(text)
    }
}

/// `GET /metrics`, for a listener of its own that the world does not reach.
pub fn metrics_router(api: &Api) -> Router {
    let api = api.clone();
    let answer = move || async move {
        api.metrics.0.matches.set(api.arena.live_count() as i64);
        let text = api.metrics.text().map_err(Problem::from)?;
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        Ok::<_, Problem>(([(header::CONTENT_TYPE, kind)], text).into_response())
    };
    Router::new().route("/metrics", get(answer))
}
