//! What a service needs before it can serve: somebody to sign in, and a secret to sign with.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use luna_worker::catalogue::{self, Catalogue, Role};
use luna_worker::secrets;
use luna_worker::storage::{self, Part, Storage};

use crate::Objects;

/// Half-sent files that nobody went on with for so long are removed at the start.
const ABANDONED: Duration = Duration::from_hours(48);
/// Bytes of a secret that signs: as many as its hash has (RFC 7518, 3.2).
const LEAST_SECRET: usize = 32;
/// Name of the first team and its user.
const ADMIN: &str = "admin";

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// Whoever guesses the secret is anybody.
    #[error(
        "LUNA_JWT_SECRET: a secret has at least 32 bytes; make one with `openssl rand -hex 32`"
    )]
    WeakSecret,
    /// Others reach the address, and the secret was not chosen.
    #[error(
        "{bind} can be reached from other machines: set LUNA_JWT_SECRET (`openssl rand -hex 32`), or \
         listen on 127.0.0.1"
    )]
    Exposed {
        /// The address.
        bind: SocketAddr,
    },
    /// The storage takes no uploads.
    #[error("LUNA_STORAGE_URL: {0}")]
    Storage(storage::Error),
    /// The catalogue cannot be used.
    #[error(transparent)]
    Catalogue(#[from] catalogue::Error),
    /// Something of the machine.
    #[error("{what}")]
    Machine {
        /// What.
        what: String,
        /// Why.
        source: io::Error,
    },
}

/// The secret that signs: the one given, else one that is made once and kept in the data folder, so that
/// sessions survive a restart.
///
/// ```
/// use luna_http::setup::secret;
/// let folder = tempfile::tempdir()?;
/// let (near, far) = ("127.0.0.1:8000".parse()?, "0.0.0.0:8000".parse()?);
/// let made = secret(None, near, folder.path())?;
/// assert_eq!(secret(None, near, folder.path())?, made);
/// assert!(secret(None, far, folder.path()).is_err());
/// assert!(secret(Some("password".to_owned()), near, folder.path()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If it is weak, or missing on an address that others reach.
pub fn secret(
    given: Option<String>,
    bind: SocketAddr,
    data_dir: &Path,
) -> Result<String, SetupError> {
    match given.filter(|secret| !secret.is_empty()) {
        Some(secret) if secret.len() < LEAST_SECRET => Err(SetupError::WeakSecret),
        Some(secret) => Ok(secret),
        None if !bind.ip().is_loopback() => Err(SetupError::Exposed { bind }),
        None => {
            let place = data_dir.join("jwt.secret");
            let made = secrets::kept_key(&place).map_err(|source| SetupError::Machine {
                what: format!("{}: cannot be used", place.display()),
                source,
            })?;
            let made = made.trim().to_owned();
            if made.len() < LEAST_SECRET { Err(SetupError::WeakSecret) } else { Ok(made) }
        }
    }
}

/// Where uploads go: the folder behind a storage, or its bucket, which clients reach at `public_endpoint`.
///
/// # Errors
/// If it is neither, or cannot be used.
pub async fn objects(
    storage: &Storage,
    public_endpoint: Option<&str>,
) -> Result<Objects, SetupError> {
    let Some(folder) = storage.folder() else {
        let signer = storage.signer(public_endpoint).await.map_err(SetupError::Storage)?;
        return Ok(Objects::Bucket(Box::new(signer)));
    };
    secrets::private_folder(folder).and_then(|()| Part::sweep(folder, ABANDONED)).map_err(
        |source| SetupError::Machine {
            what: format!("{}: cannot be used", folder.display()),
            source,
        },
    )?;
    Ok(Objects::Folder(folder.to_owned()))
}

/// Makes team and user `admin` if there is no such user; back comes a password that was made up for it.
///
/// # Errors
/// If the catalogue or the system's random numbers cannot be had.
pub async fn administrator(
    catalogue: &Catalogue,
    given: Option<String>,
) -> Result<Option<String>, SetupError> {
    match catalogue.user_named(ADMIN).await {
        Ok(_) => return Ok(None),
        Err(catalogue::Error::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let lacking = |source| SetupError::Machine { what: "secrets".to_owned(), source };
    let password = match &given {
        Some(password) => password.clone(),
        None => secrets::new().map_err(lacking)?,
    };
    let hash = secrets::hashed(&password).map_err(lacking)?;
    let team = match catalogue.team_named(ADMIN).await {
        Err(catalogue::Error::NotFound { .. }) => catalogue.create_team(ADMIN).await,
        found => found,
    }?;
    match catalogue.create_user(team.id, ADMIN, &hash, Role::Admin).await {
        Ok(_) => Ok(Some(password).filter(|_| given.is_none())),
        // Another process was faster, and says its password.
        Err(catalogue::Error::Conflict { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
