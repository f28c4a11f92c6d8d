//! Secrets that the service makes, and passwords as they are kept.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest as _, Sha256};

/// Letters and digits that nobody takes for one another.
const LETTERS: &[u8; 56] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Letters of a secret: 24 of 56 have 139 bits.
const LENGTH: usize = 24;

/// A new password or key.
///
/// # Errors
/// If the system gives no random numbers.
pub fn new() -> io::Result<String> {
    let mut letters = String::with_capacity(LENGTH);
    while letters.len() < LENGTH {
        let mut byte = [0];
        getrandom::fill(&mut byte).map_err(io::Error::other)?;
        // 224 is the largest multiple of 56 in a byte: all letters stay equally likely.
        if byte[0] < 224 {
            letters.push(char::from(LETTERS[usize::from(byte[0]) % LETTERS.len()]));
        }
    }
    Ok(letters)
}

/// A secret that a machine made, as it is kept: SHA-256, hexadecimal. Nobody guesses 139 bits, so it need not be
/// slow.
pub fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

/// A password as it is kept, in PHC form: Argon2id as OWASP asks for, 19 MiB, two passes, one lane.
///
/// # Errors
/// If the system gives no random numbers.
pub fn hashed(password: &str) -> io::Result<String> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(io::Error::other)?;
    let broken = |error: argon2::password_hash::Error| io::Error::other(error.to_string());
    let salt = SaltString::encode_b64(&salt).map_err(broken)?;
    let params = Params::new(19 * 1_024, 2, 1, None);
    let params = params.map_err(|error| io::Error::other(error.to_string()))?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Ok(hasher.hash_password(password.as_bytes(), &salt).map_err(broken)?.to_string())
}

/// Whether a password is the one that is kept like this. It takes tens of milliseconds of a core: keep it off
/// the threads that answer.
///
/// ```
/// let kept = luna_worker::secrets::hashed("chest")?;
/// assert!(luna_worker::secrets::is_password("chest", &kept));
/// assert!(!luna_worker::secrets::is_password("Chest", &kept));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn is_password(password: &str, kept: &str) -> bool {
    PasswordHash::new(kept)
        .is_ok_and(|kept| Argon2::default().verify_password(password.as_bytes(), &kept).is_ok())
}

/// Makes a folder that only its owner can look into, with those above it that are missing. One that is there stays
/// as it is.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let place = folder.path().join("a/b");
/// luna_worker::secrets::private_folder(&place)?;
/// # #[cfg(unix)]
/// assert_eq!(std::os::unix::fs::MetadataExt::mode(&place.metadata()?) & 0o777, 0o700);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// If it cannot be made.
pub fn private_folder(place: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(place)
}

/// 32 random bytes as hexadecimal digits, made once and kept in a file that only its owner can read. Of
/// several processes that make it at once, one wins, and all get the same.
///
/// # Errors
/// If the folder or the file cannot be made or read.
pub fn kept_key(place: &Path) -> io::Result<String> {
    match fs::read_to_string(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return read,
    }
    let folder = place.parent().unwrap_or(Path::new("."));
    private_folder(folder)?;
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(hex::encode(key).as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(place) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => return Err(error.error),
        _ => {}
    }
    fs::read_to_string(place)
}
