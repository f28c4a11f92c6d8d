//! LUNA's service: teams sign in, upload data sets, and read what the validation found.
//!
//! A request comes in through `app`, is somebody's by `caller`, and ends as an answer or a `problem`.
//! What is kept lies in the catalogue and the storage of `luna_worker`, whose worker validates.

mod auth;
mod body;
mod caller;
mod health;
mod pages;
mod problem;
pub mod setup;
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
use luna_worker::storage::Storage;
use tokio::net::TcpListener;

use self::auth::Attempts;
use self::tokens::Keys;
use self::upload::InFlight;

/// The largest JSON document that is read: 1,000 announced files with long paths.
const MOST_JSON: usize = 4 << 20;

/// What all requests share.
#[derive(Debug)]
pub struct Service {
    catalogue: Catalogue,
    storage: Storage,
    /// The folder behind the storage.
    objects: PathBuf,
    keys: Keys,
    /// How clients reach the service: `http://127.0.0.1:8000`, without a slash at its end.
    public_url: String,
    attempts: Attempts,
    in_flight: InFlight,
}

type State = axum::extract::State<Arc<Service>>;

impl Service {
    /// A service on a catalogue and the objects of a folder; `secret` signs tokens and upload URLs.
    pub fn new(
        catalogue: Catalogue,
        storage: Storage,
        objects: PathBuf,
        secret: &str,
        public_url: &str,
    ) -> Self {
        Self {
            catalogue,
            storage,
            objects,
            keys: Keys::new(secret),
            public_url: public_url.trim_end_matches('/').to_owned(),
            attempts: Attempts::default(),
            in_flight: InFlight::default(),
        }
    }
}

fn app(service: Service) -> Router {
    let service = Arc::new(service);
    Router::new()
        .merge(health::routes())
        .merge(auth::routes())
        .merge(upload::routes())
        .merge(validation::routes())
        .merge(pages::routes(&service))
        .fallback(pages::nothing)
        .method_not_allowed_fallback(async || problem::Problem::wrong_method())
        .layer(DefaultBodyLimit::max(MOST_JSON))
        .layer(axum::middleware::from_fn(problem::with_request_id))
        .with_state(service)
}

/// Serves until `shutdown` resolves; requests in work are answered first.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let app = app(service).into_make_service_with_connect_info::<std::net::SocketAddr>();
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await
}
