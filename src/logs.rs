//! The log, for people or for machines, and the traces, where somebody collects them.

use std::{
    fmt,
    io::{IsTerminal, stderr},
};

use anyhow::Context;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{
    field::{Field, Visit},
    level_filters::LevelFilter,
};
use tracing_subscriber::{
    EnvFilter, Layer,
    field::RecordFields,
    filter::Targets,
    fmt::{FormatFields, format::Writer},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};
use url::Url;

/// What is logged unless `RUST_LOG` says otherwise. PostgreSQL's notices say that what a migration
/// would make is there.
const LEVEL: &str = "info,sqlx::postgres::notice=warn";
/// Whose spans are traces. The crates beneath would only trace the sending of traces.
const TRACED: [&str; 5] = ["artel", "api", "arena", "bot", "live"];
/// For tracing-opentelemetry, and of no use to readers of the log.
const FOR_TRACES: &str = "otel.";

/// What an operator may set of the log and of traces.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// How the log is written; auto is text on a terminal, and JSON elsewhere
    #[arg(long, env = "ARTEL_LOG_FORMAT", value_name = "auto|text|json", default_value = "auto", value_parser = format)]
    log_format: Format,

    /// Where traces are sent, by OTLP over HTTP: http://HOST:4318 [default: nowhere]
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL", value_parser = endpoint, hide_env_values = true)]
    otlp_endpoint: Option<Url>,
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Auto,
    Text,
    Json,
}

impl Format {
    /// Whether people read it.
    fn is_text(self, terminal: bool) -> bool {
        match self {
            Format::Auto => terminal,
            Format::Text => true,
            Format::Json => false,
        }
    }
}

fn format(text: &str) -> Result<Format, String> {
    match text {
        "auto" => Ok(Format::Auto),
        "text" => Ok(Format::Text),
        "json" => Ok(Format::Json),
        _ => Err("neither auto nor text nor json; for example json".to_owned()),
    }
}

fn endpoint(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|it| matches!(it.scheme(), "http" | "https"));
    url.ok_or_else(|| "not http:// or https://; for example http://localhost:4318".to_owned())
}

/// Sends traces while it lives, and what is left of them when it goes.
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Drop for Traces {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.take().map(|it| it.shutdown()) {
            tracing::warn!("The last traces could not be sent: {error}");
        }
    }
}

/// Starts the log on standard error, at the level of `RUST_LOG`, and the traces.
///
/// # Errors
/// When what sends traces can't be made.
pub(crate) fn start(options: &Options) -> anyhow::Result<Traces> {
    let level = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LEVEL));
    let terminal = stderr().is_terminal();
    let log = tracing_subscriber::fmt::layer().with_writer(stderr);
    let log = if options.log_format.is_text(terminal) {
        log.with_ansi(terminal).fmt_fields(Plain).boxed()
    } else {
        log.json().flatten_event(true).with_current_span(false).with_span_list(true).boxed()
    };
    let provider = options.otlp_endpoint.as_ref().map(provider).transpose()?;
    let traces = provider.as_ref().map(|it| {
        let ours = TRACED.map(|name| (name, LevelFilter::INFO));
        let layer = tracing_opentelemetry::layer().with_tracer(it.tracer("artel"));
        layer.with_filter(Targets::new().with_targets(ours))
    });
    tracing_subscriber::registry().with(log.with_filter(level)).with(traces).init();
    Ok(Traces(provider))
}

/// What else there is to set (headers, sampling, batches) is read from the `OTEL_…` variables of
/// OpenTelemetry's specification.
fn provider(endpoint: &Url) -> anyhow::Result<SdkTracerProvider> {
    let address = format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/'));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(address)
        .build()
        .context("OTEL_EXPORTER_OTLP_ENDPOINT: traces can't be sent there")?;
    let resource = match std::env::var_os("OTEL_SERVICE_NAME") {
        Some(_) => Resource::builder().build(),
        None => Resource::builder().with_service_name("artel").build(),
    };
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Fields as people read them: the message, and `name=value`.
struct Plain;

impl<'w> FormatFields<'w> for Plain {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut line = PlainLine { writer, begun: false, result: Ok(()) };
        fields.record(&mut line);
        line.result
    }
}

struct PlainLine<'w> {
    writer: Writer<'w>,
    begun: bool,
    result: fmt::Result,
}

impl Visit for PlainLine<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.result.is_err() || field.name().starts_with(FOR_TRACES) {
            return;
        }
        let blank = if std::mem::replace(&mut self.begun, true) { " " } else { "" };
        self.result = match field.name() {
            "message" => write!(self.writer, "{blank}{value:?}"),
            name => {
                let name = name.strip_prefix("r#").unwrap_or(name);
                write!(self.writer, "{blank}{name}={value:?}")
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_text_and_machines_json() {
        let both = |format: Format| [format.is_text(true), format.is_text(false)];
        assert_eq!(both(Format::Auto), [true, false]);
        assert_eq!(both(Format::Text), [true, true]);
        assert_eq!(both(Format::Json), [false, false]);
    }
}
