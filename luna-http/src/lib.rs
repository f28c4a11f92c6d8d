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
mod duplicates;
mod health;
mod once;
mod page;
mod pages;
mod people;
mod problem;
pub mod setup;
mod tasks;
mod tokens;
mod upload;
mod validation;

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use luna_worker::catalogue::Catalogue;
use luna_worker::storage::{Signer, Storage};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::auth::Attempts;
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
    /// The service stops: streams end.
    closing: CancellationToken,
    attempts: Attempts,
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
}

type State = axum::extract::State<Arc<Service>>;

impl Service {
    /// A service on a catalogue and a storage.
    pub fn new(catalogue: Catalogue, storage: Storage, settings: Settings) -> Self {
        let Settings { objects, secret, public_url, quota } = settings;
        Self {
            catalogue,
            storage,
            objects,
            keys: Keys::new(&secret),
            public_url: public_url.trim_end_matches('/').to_owned(),
            quota,
            streams: Self::streams(),
            drawing: Self::drawers(),
            closing: CancellationToken::new(),
            attempts: Attempts::default(),
            in_flight: InFlight::default(),
        }
    }
}

fn app(service: Service) -> Router {
    let service = Arc::new(service);
    let once = axum::middleware::from_fn_with_state(Arc::clone(&service), once::once);
    Router::new()
        .merge(api::router().layer(once))
        .merge(pages::routes(&service))
        .fallback(pages::nothing)
        .method_not_allowed_fallback(async || problem::Problem::wrong_method())
        .layer(DefaultBodyLimit::max(MOST_JSON))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&service), pages::renewed))
        .layer(axum::middleware::from_fn(problem::with_request_id))
        .with_state(service)
}

pub use self::api::openapi;

/// Serves until `shutdown` resolves; requests in work are answered first.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let closing = service.closing.clone();
    let shutdown = async move {
        shutdown.await;
        closing.cancel();
    };
    let app = app(service).into_make_service_with_connect_info::<std::net::SocketAddr>();
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await
}
