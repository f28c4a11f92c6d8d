//! Addresses turned into opendal's operators, with the layers that every one has.

use std::collections::HashMap;
use std::env;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use opendal::layers::{ConcurrentLimitLayer, RetryEvent, RetryLayer, TimeoutLayer};
use opendal::{HttpTransporter, OperationContext, Operator, services};
use opendal_http_transport_reqwest::ReqwestTransport;

use super::address::{Address, Scheme};
use super::error::{Error, Result};

/// Where files of a folder lie until they are whole. Never listed.
pub(super) const PARTS: &str = ".luna-parts";

/// How long a server may take to accept a connection.
const CONNECTING: Duration = Duration::from_secs(5);
/// How long it may be silent, also in the middle of an answer.
const SILENCE: Duration = Duration::from_secs(20);
/// How often is asked again what may pass, after 0.2, 0.8 and 3 s.
const RETRIES: usize = 3;
/// Requests of one storage at the same time.
const AT_ONCE: usize = 64;

/// The operator of an address: at the bucket's root, or in the folder that it names.
pub(super) fn operator(address: &Address) -> Result<Operator> {
    let built = match address.scheme() {
        Scheme::Local => local(address),
        Scheme::Memory => Ok(memory(address)),
        Scheme::S3 => s3(address),
        Scheme::Gcs => gcs(address),
        Scheme::Azblob => azblob(address)?,
        Scheme::Web => web(address),
    };
    let operator = built.map_err(|error| Error::of(&error, address, ""))?;
    if matches!(address.scheme(), Scheme::Local | Scheme::Memory) {
        return Ok(layered(operator));
    }
    let client = reqwest::Client::builder()
        .user_agent(concat!("luna/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECTING)
        .read_timeout(SILENCE)
        .build()
        .map_err(|_| Error::Other {
            place: address.bare(),
            reason: "no encrypted connections on this machine".to_owned(),
        })?;
    let transport = HttpTransporter::new(ReqwestTransport::new(client));
    Ok(layered(operator.with_context(OperationContext::new().with_http_transport(transport))))
}

/// From the inside: each try has its time, tries are few at once, what may pass is tried again. A try
/// that waits for its turn takes nobody's time, one that waits to be repeated nobody's turn.
fn layered(operator: Operator) -> Operator {
    let retry = RetryLayer::default()
        .with_min_delay(Duration::from_millis(200))
        .with_factor(4.0)
        .with_max_delay(Duration::from_secs(3))
        .with_max_times(RETRIES)
        .with_notify(tell);
    operator
        .layer(TimeoutLayer::new().with_timeout(SILENCE).with_io_timeout(SILENCE))
        .layer(ConcurrentLimitLayer::new(AT_ONCE))
        .layer(retry)
}

/// The layer's own words would repeat addresses with signatures in them.
fn tell(event: RetryEvent<'_>) {
    let (operation, kind) = (event.op.into_static(), event.err.kind().into_static());
    tracing::warn!(operation, kind, attempt = event.attempt, "the storage is asked again");
}

fn local(address: &Address) -> opendal::Result<Operator> {
    let parts = format!("{}/{PARTS}", address.path().trim_end_matches('/'));
    Operator::new(services::Fs::default().root(address.path()).atomic_write_dir(&parts))
}

/// Memory is shared by name, so that two who name it see the same.
fn memory(address: &Address) -> Operator {
    static SHARED: LazyLock<Mutex<HashMap<String, Operator>>> = LazyLock::new(Mutex::default);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let new = || Operator::new(services::Memory::default());
    match shared.get(address.host()) {
        Some(operator) => operator.clone(),
        None => match new() {
            Ok(operator) => shared.entry(address.host().to_owned()).or_insert(operator).clone(),
            Err(_) => unreachable!("memory needs nothing"),
        },
    }
}

fn s3(address: &Address) -> opendal::Result<Operator> {
    let mut s3 = services::S3::default().bucket(address.host());
    // A server of one's own seldom minds its region, but one must be signed with.
    let named = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| variable(name));
    let region = address.option("region").map(str::to_owned).or(named);
    s3 = s3.region(region.as_deref().unwrap_or("us-east-1"));
    if let Some(endpoint) = address.option("endpoint") {
        s3 = s3.endpoint(endpoint);
    }
    if let Some(profile) = address.option("profile") {
        s3 = s3.profile(profile);
    }
    if let Some(key) = address.option("access_key_id") {
        s3 = s3.access_key_id(key);
    }
    if let Some(key) = address.option("secret_access_key") {
        s3 = s3.secret_access_key(key);
    }
    if let Some(token) = address.option("session_token") {
        s3 = s3.session_token(token);
    }
    if address.is_set("virtual_host") {
        s3 = s3.enable_virtual_host_style();
    }
    if address.is_set("anonymous") {
        s3 = s3.skip_signature();
    }
    Operator::new(s3)
}

fn gcs(address: &Address) -> opendal::Result<Operator> {
    let mut gcs = services::Gcs::default().bucket(address.host());
    if let Some(endpoint) = address.option("endpoint") {
        gcs = gcs.endpoint(endpoint);
    }
    if let Some(token) = address.option("token") {
        gcs = gcs.token(token.to_owned());
    }
    if address.is_set("anonymous") {
        gcs = gcs.skip_signature();
    }
    Operator::new(gcs)
}

/// The names of the environment are those that Azure's own command reads.
fn azblob(address: &Address) -> Result<opendal::Result<Operator>> {
    let from = |option: &str, names: &[&str]| {
        let given = address.option(option).map(str::to_owned);
        given.or_else(|| names.iter().find_map(|name| variable(name)))
    };
    let account = from("account", &["AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"]);
    let connection = variable("AZURE_STORAGE_CONNECTION_STRING");
    let mut azblob = match (&connection, address.option("account")) {
        (Some(connection), None) => match services::Azblob::from_connection_string(connection) {
            Ok(azblob) => azblob,
            Err(error) => return Ok(Err(error)),
        },
        _ => services::Azblob::default(),
    };
    let usual = account.as_ref().map(|account| format!("https://{account}.blob.core.windows.net"));
    match address.option("endpoint").map(str::to_owned).or(usual) {
        Some(endpoint) => azblob = azblob.endpoint(&endpoint),
        None if connection.is_some() => {}
        None => {
            return Err(Error::Unsupported {
                place: address.bare(),
                what: "names no account; say `?account=…` or set AZURE_STORAGE_ACCOUNT",
            });
        }
    }
    if let Some(account) = &account {
        azblob = azblob.account_name(account);
    }
    let key = from("account_key", &["AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY"]);
    if let Some(key) = key {
        azblob = azblob.account_key(&key);
    }
    if let Some(token) = from("sas_token", &["AZURE_STORAGE_SAS_TOKEN"]) {
        azblob = azblob.sas_token(&token);
    }
    if address.is_set("anonymous") {
        azblob = azblob.skip_signature();
    }
    Ok(Operator::new(azblob.container(address.host())))
}

fn web(address: &Address) -> opendal::Result<Operator> {
    let scheme = address.bare().split("://").next().unwrap_or("https").to_owned();
    let mut web = services::Http::default().endpoint(&format!("{scheme}://{}", address.host()));
    if let Some((user, password)) = address.user() {
        web = web.username(user).password(password);
    }
    Operator::new(web)
}

/// A variable of the environment that is set to something.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
