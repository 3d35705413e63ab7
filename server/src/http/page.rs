//! What each path answers.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
/// Prometheus's text exposition format.
const METRICS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Where the answers come from; called on the HTTP thread.
pub struct Pages {
    /// The text of `/metrics`.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
    /// Whether clients are served now.
    pub is_ready: Box<dyn Fn() -> bool + Send + Sync>,
}

/// Answers one request; `pages` are there once the process has something to show.
pub fn answer<B>(request: &Request<B>, pages: Option<&Pages>) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    match request.uri().path() {
        "/health" => text(StatusCode::OK, "alive\n"),
        "/ready" if pages.is_some_and(|pages| (pages.is_ready)()) => {
            text(StatusCode::OK, "ready\n")
        }
        "/ready" => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        "/metrics" => match pages {
            Some(pages) => respond(StatusCode::OK, METRICS, (pages.metrics)()),
            None => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        },
        _ => text(StatusCode::NOT_FOUND, "there are /metrics, /health and /ready\n"),
    }
}

fn text(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    respond(status, TEXT, body)
}

fn respond(status: StatusCode, kind: HeaderValue, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
