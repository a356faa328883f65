//! What is counted of this door, and the text that Prometheus reads.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use arena::Quota;
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

use crate::{Problem, limits::QUOTAS};

/// Upper ends, in seconds.
const LATENCIES: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// What is counted. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    requests: Family<RequestLabels, Counter<u64, AtomicU64>>,
    latency: Family<RouteLabels, Histogram, fn() -> Histogram>,
    sockets: Family<SocketLabels, Gauge>,
    closes: Family<CloseLabels, Counter<u64, AtomicU64>>,
    limited: Family<LimitLabel, Counter<u64, AtomicU64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SocketLabels {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CloseLabels {
    kind: &'static str,
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabel {
    limit: &'static str,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(LATENCIES)),
            sockets: Family::default(),
            closes: Family::default(),
            limited: Family::default(),
        }
    }
}

/// One open socket of a kind, counted for as long as this lives.
pub(crate) struct OpenSocket(Gauge);

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// Adds what is counted to what is served.
    pub fn register(&self, registry: &mut Registry) {
        let Metrics { requests, latency, sockets, closes, limited } = self;
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "From a request's head to the answer's",
            Unit::Seconds,
            latency.clone(),
        );
        for kind in ["lobby", "game"] {
            // There from the start, since a graph needs its zeros.
            drop(sockets.get_or_create(&SocketLabels { kind }));
        }
        registry.register("sockets", "Open sockets", sockets.clone());
        registry.register("socket_closes", "Sockets closed, by close code", closes.clone());
        for Quota { name: limit, .. } in QUOTAS {
            drop(limited.get_or_create(&LimitLabel { limit }));
        }
        registry.register("limited_requests", "Requests refused as too many", limited.clone());
    }

    /// A socket of a `kind` (`lobby` or `game`) is open while the answer lives.
    pub(crate) fn open_socket(&self, kind: &'static str) -> OpenSocket {
        let gauge = self.sockets.get_or_create(&SocketLabels { kind }).clone();
        gauge.inc();
        OpenSocket(gauge)
    }

    /// A socket of a `kind` was closed; 1006 where nothing was said at the end.
    pub(crate) fn closed_socket(&self, kind: &'static str, code: Option<u16>) {
        let code = code.unwrap_or(1006);
        self.closes.get_or_create(&CloseLabels { kind, code }).inc();
    }

    /// A request was one too many.
    pub(crate) fn limited(&self, limit: &'static str) {
        self.limited.get_or_create(&LimitLabel { limit }).inc();
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
        self.requests.get_or_create(&labels).inc();
        let labels = RouteLabels { method, route: labels.route };
        self.latency.get_or_create(&labels).observe(took.as_secs_f64());
    }
}

/// `GET /metrics`, for a listener of its own that the world does not reach: all that is registered,
/// as OpenMetrics text.
pub fn metrics_router(registry: Registry) -> Router {
    let registry = Arc::new(registry);
    let answer = move || async move {
        let mut text = String::new();
        encode(&mut text, &registry).map_err(anyhow::Error::from).map_err(Problem::from)?;
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        Ok::<_, Problem>(([(header::CONTENT_TYPE, kind)], text).into_response())
    };
    Router::new().route("/metrics", get(answer))
}
