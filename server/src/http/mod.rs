//! HTTP for machines that watch: `/metrics`, `/health`, `/ready`.
//!
//! It runs in a runtime and on a thread of its own, so that a slow scraper costs clients nothing
//! and an answer comes also while the cores are busy. The thread begins before the data is read:
//! `/health` says 200 as soon as the process lives, `/ready` says 503 until it serves and again
//! once it stops. At most [`CONNECTIONS_MAX`] connections at a time, and a request's head must
//! come within [`HEAD_SECONDS`].

mod page;

pub use page::Pages;

use anyhow::{Context, Result};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use page::answer;
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;

const CONNECTIONS_MAX: usize = 64;
const HEAD_SECONDS: u64 = 10;
/// Out of descriptors: wait for one to be closed instead of spinning.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// The HTTP server of this process.
pub struct Http {
    pages: Arc<OnceLock<Pages>>,
    addr: SocketAddr,
}

impl Http {
    /// Listens on `addr` (`host:port`) and begins to answer. An error names the key to change.
    pub fn start(addr: &str) -> Result<Http> {
        let advice = || format!("cannot listen on {addr}: choose another --http, or --http off");
        let listener = TcpListener::bind(addr).with_context(advice)?;
        listener.set_nonblocking(true).with_context(advice)?;
        let bound = listener.local_addr().with_context(advice)?;
        let pages = Arc::new(OnceLock::new());
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().max_io_events_per_tick(CONNECTIONS_MAX).build()?;
        let shown = pages.clone();
        std::thread::Builder::new().name("http".into()).spawn(move || {
            runtime.block_on(accept(listener, shown));
        })?;
        Ok(Http { pages, addr: bound })
    }

    /// From now on there is something to show. Only the first call counts.
    pub fn serve(&self, pages: Pages) {
        // A second one would be a mistake of ours, and the first is as good.
        let _ = self.pages.set(pages);
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

async fn accept(listener: TcpListener, pages: Arc<OnceLock<Pages>>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!("cannot watch the HTTP socket: {error}"),
    };
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(held) = places.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("cannot accept an HTTP connection: {error}");
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        let pages = pages.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let response = answer(&request, pages.get());
                async { Ok::<_, Infallible>(response) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(HEAD_SECONDS))
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!("an HTTP connection ended: {error}");
            }
            drop(held);
        });
    }
}

#[cfg(test)]
mod tests;
