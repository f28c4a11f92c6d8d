//! LUNA's service: teams sign in, upload data sets, and read what the validation found.
//!
//! A request comes in through `app`, is somebody's by `caller`, and ends as an answer or a `problem`.
//! What is kept lies in the catalogue and the storage of `luna_worker`, whose worker validates.

mod api;
mod audit;
mod auth;
mod body;
mod caller;
mod datasets;
mod docs;
mod duplicates;
mod health;
mod limits;
mod listen;
pub mod metrics;
mod once;
mod page;
mod pages;
mod people;
mod problem;
mod proxies;
pub mod setup;
mod tasks;
mod tokens;
mod upkeep;
mod upload;
mod validation;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse as _, Response};
use luna_worker::catalogue::Catalogue;
use luna_worker::storage::{Signer, Storage};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use self::auth::Attempts;
use self::limits::Calls;
pub use self::limits::Origin;
pub use self::proxies::Network;
use self::tokens::Keys;
use self::upload::InFlight;
pub use self::upload::Quota;

/// The largest JSON document that is read: 1,000 announced files with long paths.
const MOST_JSON: usize = 4 << 20;

/// What all requests share.
#[derive(Debug)]
pub struct Service {
    catalogue: Catalogue,
    storage: Storage,
    objects: Objects,
    keys: Keys,
    /// How clients reach the service: `http://127.0.0.1:8000`, without a slash at its end.
    public_url: String,
    quota: Quota,
    /// Who may watch at once.
    streams: Arc<Semaphore>,
    /// Who may draw pictures at once.
    drawing: Arc<Semaphore>,
    /// The figures are read at another address.
    has_figures_apart: bool,
    /// The service stops: streams end.
    closing: CancellationToken,
    attempts: Attempts,
    calls: Calls,
    /// After so long without a byte, whoever sends is too slow.
    silence: Duration,
    cors_origins: Vec<Origin>,
    proxies: Arc<[Network]>,
    in_flight: InFlight,
}

/// Where uploads go.
#[derive(Debug)]
pub enum Objects {
    /// A folder: bodies come through this service.
    Folder(PathBuf),
    /// A bucket: clients send to it.
    Bucket(Box<Signer>),
}

/// How a service is set up.
#[derive(Debug)]
pub struct Settings {
    /// Where uploads go.
    pub objects: Objects,
    /// Signs tokens and upload URLs.
    pub secret: String,
    /// How clients reach the service.
    pub public_url: String,
    /// What a team may hold, unless a task says otherwise.
    pub quota: Quota,
    /// Calls of a team in a second; 0 for as many as come.
    pub rate_per_second: u32,
    /// After so long without a byte, whoever sends is refused.
    pub sender_timeout: Duration,
    /// Origins whose pages may call the API.
    pub cors_origins: Vec<Origin>,
    /// Proxies in front of the service, which say where a call comes from.
    pub trusted_proxies: Vec<Network>,
}

type State = axum::extract::State<Arc<Service>>;

impl Service {
    /// A service on a catalogue and a storage.
    pub fn new(catalogue: Catalogue, storage: Storage, settings: Settings) -> Self {
        Self {
            catalogue,
            storage,
            objects: settings.objects,
            keys: Keys::new(&settings.secret),
            public_url: settings.public_url.trim_end_matches('/').to_owned(),
            quota: settings.quota,
            streams: Self::streams(),
            drawing: Self::drawers(),
            has_figures_apart: false,
            closing: CancellationToken::new(),
            attempts: Attempts::default(),
            calls: Calls::new(settings.rate_per_second),
            silence: settings.sender_timeout,
            cors_origins: settings.cors_origins,
            proxies: settings.trusted_proxies.into(),
            in_flight: InFlight::default(),
        }
    }
}

fn app(service: Arc<Service>) -> Router {
    let patient = axum::middleware::from_fn_with_state(Arc::clone(&service), listen::patient);
    let once = axum::middleware::from_fn_with_state(Arc::clone(&service), once::once);
    let proxies = Arc::clone(&service.proxies);
    let client = axum::middleware::from_fn(move |request, next| {
        proxies::client(Arc::clone(&proxies), request, next)
    });
    let mut calls = api::router().layer(once);
    if !service.cors_origins.is_empty() {
        // What asks whether a method may be used comes by the one that no route takes.
        calls = calls
            .method_not_allowed_fallback(async || problem::Problem::wrong_method())
            .layer(limits::cors(&service.cors_origins));
    }
    Router::new()
        .merge(calls)
        .merge(pages::routes(&service))
        .merge(docs::routes())
        .fallback(pages::nothing)
        .method_not_allowed_fallback(async || problem::Problem::wrong_method())
        .layer(DefaultBodyLimit::max(MOST_JSON))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&service), pages::renewed))
        .layer(patient)
        .layer(client)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(axum::middleware::from_fn(metrics::watch))
        .layer(axum::middleware::from_fn(problem::with_request_id))
        .with_state(service)
}

/// A defect in one answer is told of as one, and ends no other.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request ended with a panic");
    problem::Problem::internal().into_response()
}

pub use self::api::openapi;

/// Serves until `shutdown` resolves; requests in work are answered first. The figures are at the second
/// listener, if there is one.
pub async fn serve(
    listener: TcpListener,
    figures: Option<TcpListener>,
    service: Service,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let service = Arc::new(Service { has_figures_apart: figures.is_some(), ..service });
    let closing = service.closing.clone();
    if let Some(figures) = figures {
        let (routes, closing) = (metrics::apart(Arc::clone(&service)), closing.clone());
        tokio::spawn(async move {
            let served = axum::serve(figures, routes);
            if let Err(error) = served.with_graceful_shutdown(closing.cancelled_owned()).await {
                tracing::error!(%error, "the address of the figures failed");
            }
        });
    }
    tokio::spawn(upkeep::keep(Arc::clone(&service)));
    let silence = service.silence;
    let served = listen::listen(listener, app(service), silence, closing.clone());
    tokio::spawn(async move {
        shutdown.await;
        closing.cancel();
    });
    served.await;
}
