//! With which keys a bucket is signed for: those of its address, else what the machine offers, as opendal itself
//! finds them: the environment, a profile, a Kubernetes service account's role, a container's, a machine's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use opendal::HttpTransporter;
use opendal_http_transport_reqwest::ReqwestTransport;
use reqsign_aws_core::{Credential, DefaultCredentialProvider};
use reqsign_core::time::Timestamp;
use reqsign_core::{Context, OsEnv, ProvideCredential as _, SigningCredential as _};
use reqsign_file_read_tokio::TokioFileRead;
use rusty_s3::Credentials;
use tokio::sync::Mutex;

use super::Address;

/// What is signed ends with the keys that signed it: they are asked for anew when no more of their time is left.
const AHEAD: Duration = Duration::from_mins(30);
/// Not for each of a thousand URLs, where nothing better is to be had.
const PAUSE: Duration = Duration::from_mins(1);
/// How long the machine may take to offer keys.
const PATIENCE: Duration = Duration::from_secs(20);

/// The keys of one bucket, renewed before they run out.
#[derive(Clone)]
pub(super) enum Keys {
    /// Those of its address.
    Given(Credentials),
    /// Those that the machine offers.
    Offered(Arc<Offered>),
}

pub(super) struct Offered {
    provider: DefaultCredentialProvider,
    context: Context,
    last: Mutex<Option<(Instant, Credential)>>,
}

impl Keys {
    pub(super) fn of(address: &Address, client: &reqwest::Client) -> Self {
        let given = |option| address.option(option).map(str::to_owned);
        if let (Some(key), Some(secret)) = (given("access_key_id"), given("secret_access_key")) {
            return Self::Given(credentials(key, secret, given("session_token")));
        }
        let mut provider = DefaultCredentialProvider::builder();
        if let Some(profile) = given("profile") {
            provider = provider.with_profile(profile);
        }
        let transport = HttpTransporter::new(ReqwestTransport::new(client.clone()));
        Self::Offered(Arc::new(Offered {
            provider: provider.build(),
            context: Context::new()
                .with_file_read(TokioFileRead)
                .with_http_send(transport)
                .with_env(OsEnv),
            last: Mutex::default(),
        }))
    }

    /// Those of now, if there are any.
    pub(super) async fn now(&self) -> Option<Credentials> {
        match self {
            Self::Given(credentials) => Some(credentials.clone()),
            Self::Offered(offered) => offered
                .now()
                .await
                .map(|it| credentials(it.access_key_id, it.secret_access_key, it.session_token)),
        }
    }
}

impl Offered {
    async fn now(&self) -> Option<Credential> {
        let mut last = self.last.lock().await;
        if let Some((asked, credential)) = last.as_ref() {
            let is_fresh = credential.is_valid_at(Timestamp::now() + AHEAD);
            if is_fresh || (credential.is_valid() && asked.elapsed() < PAUSE) {
                return Some(credential.clone());
            }
        }
        let asked = self.provider.provide_credential(&self.context);
        // The library's message may hold what it was answered.
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(Some(credential))) => *last = Some((Instant::now(), credential)),
            Ok(Ok(None)) => tracing::warn!("this machine offers no keys to sign with"),
            Ok(Err(_)) => tracing::warn!("the keys to sign with cannot be had"),
            Err(_) => tracing::warn!("who offers the keys to sign with does not answer"),
        }
        let held = last.as_ref().map(|(_, credential)| credential);
        held.filter(|credential| credential.is_valid_at(Timestamp::now())).cloned()
    }
}

fn credentials(key: String, secret: String, token: Option<String>) -> Credentials {
    match token {
        Some(token) => Credentials::new_with_token(key, secret, token),
        None => Credentials::new(key, secret),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    #[test]
    fn keys_of_the_address_come_first() {
        let address = "s3://xrays?access_key_id=one&secret_access_key=two&session_token=three";
        let keys = Keys::of(&Address::parse(address).unwrap().unwrap(), &reqwest::Client::new());
        let keys = block_on(keys.now()).unwrap();
        assert_eq!((keys.key(), keys.token()), ("one", Some("three")));
    }

    #[test]
    fn keys_are_asked_for_again_before_they_run_out() {
        let offered = |left: Duration, asked: Duration| Offered {
            // It offers nothing: what comes back is what was held.
            provider: DefaultCredentialProvider::with_chain(
                reqsign_core::ProvideCredentialChain::new(),
            ),
            context: Context::new(),
            last: Mutex::new(Some((
                Instant::now().checked_sub(asked).unwrap(),
                Credential {
                    access_key_id: "key".to_owned(),
                    secret_access_key: "secret".to_owned(),
                    session_token: None,
                    expires_in: Some(Timestamp::now() + left),
                },
            ))),
        };
        let minutes = Duration::from_mins;
        let held = |left, asked| block_on(offered(left, asked).now()).is_some();
        assert!(held(minutes(59), minutes(0)));
        assert!(held(minutes(1), minutes(2)), "not good for long, and the best there is");
        assert!(!held(minutes(0), minutes(0)), "what has run out signs nothing");
    }
}
