//! What the service signs: access tokens (RFC 7519, read as RFC 8725 asks) and upload URLs.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// How long an access token and an upload URL are good for.
pub(crate) const LIFETIME: Duration = Duration::from_hours(1);
/// Clocks of a fleet that are apart by this much still agree.
const LEEWAY_SECONDS: u64 = 5;
const ISSUER: &str = "luna";
const AUDIENCE: &str = "luna-api";
const TYPE: &str = "JWT";

/// Keys made of the service's secret, one for each purpose, so that neither signs for the other.
pub(crate) struct Keys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    uploads: Hmac<Sha256>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    jti: String,
}

/// An upload that a URL allows.
#[derive(Clone, Debug)]
pub(crate) struct Grant<'a> {
    pub(crate) dataset_id: i64,
    pub(crate) file_id: i64,
    pub(crate) object_key: &'a str,
    pub(crate) content_type: &'a str,
    /// Seconds since 1970.
    pub(crate) expires: u64,
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl Keys {
    pub(crate) fn new(secret: &str) -> Self {
        let key = |purpose: &[u8]| mac(secret.as_bytes()).chain_update(purpose).finalize();
        let tokens = key(b"luna access tokens 1").into_bytes();
        let uploads = key(b"luna upload URLs 1").into_bytes();
        Self {
            encoding: EncodingKey::from_secret(&tokens),
            decoding: DecodingKey::from_secret(&tokens),
            uploads: mac(&uploads),
        }
    }

    /// A token of a session, from now on.
    pub(crate) fn token(&self, session_id: i64) -> Option<String> {
        let now = now();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: session_id.to_string(),
            iat: now,
            nbf: now,
            exp: now + LIFETIME.as_secs(),
            jti: luna_worker::secrets::new().ok()?,
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).ok()
    }

    /// The session of a token, if it is one of ours and good now.
    pub(crate) fn session_id(&self, token: &str) -> Option<i64> {
        self.claims(token)?.sub.parse().ok()
    }

    /// A token of the same session from now on, for one that is good and past half its life.
    pub(crate) fn renewed(&self, token: &str) -> Option<String> {
        let claims = self.claims(token)?;
        let is_old = claims.iat + LIFETIME.as_secs() / 2 <= now();
        claims.sub.parse().ok().filter(|_| is_old).and_then(|session_id| self.token(session_id))
    }

    fn claims(&self, token: &str) -> Option<Claims> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_SECONDS;
        let read = decode::<Claims>(token, &self.decoding, &validation).ok()?;
        // None of ours asks for what its reader must know of (RFC 7515, 4.1.11).
        let is_ours = read.header.typ.as_deref() == Some(TYPE) && read.header.crit.is_none();
        Some(read.claims).filter(|_| is_ours)
    }

    pub(crate) fn sign(&self, grant: &Grant<'_>) -> String {
        hex::encode(self.signing(grant).finalize().into_bytes())
    }

    pub(crate) fn is_signed(&self, grant: &Grant<'_>, signature: &str) -> bool {
        hex::decode(signature).is_ok_and(|it| self.signing(grant).verify_slice(&it).is_ok())
    }

    fn signing(&self, grant: &Grant<'_>) -> Hmac<Sha256> {
        let Grant { dataset_id, file_id, object_key, content_type, expires } = grant;
        // NUL stands in none of them.
        let text = format!("PUT\0{dataset_id}\0{file_id}\0{object_key}\0{content_type}\0{expires}");
        self.uploads.clone().chain_update(text)
    }
}

fn mac(key: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of any length (RFC 2104).
    Hmac::new_from_slice(key)
        .unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::new("0123456789abcdef0123456789abcdef")
    }

    fn claims(change: impl Fn(&mut Claims)) -> Claims {
        let (now, text) = (now(), str::to_owned);
        let mut claims = Claims {
            iss: text(ISSUER),
            aud: text(AUDIENCE),
            sub: text("7"),
            iat: now,
            nbf: now,
            exp: now + 60,
            jti: text("x"),
        };
        change(&mut claims);
        claims
    }

    fn signed(header: &Header, change: impl Fn(&mut Claims)) -> String {
        encode(header, &claims(change), &keys().encoding).unwrap()
    }

    #[test]
    fn a_token_is_renewed_in_the_second_half_of_its_life() {
        let keys = keys();
        let aged = |seconds| signed(&Header::default(), |it| it.iat = now() - seconds);
        assert_eq!(keys.renewed(&aged(LIFETIME.as_secs() / 2 - 60)), None);
        let renewed = keys.renewed(&aged(LIFETIME.as_secs() / 2)).unwrap();
        assert_eq!(keys.session_id(&renewed), Some(7));
        assert_eq!(keys.renewed(&signed(&Header::default(), |it| it.exp = now() - 60)), None);
    }

    #[test]
    fn a_token_names_its_user_to_who_has_the_secret() {
        let token = keys().token(7).unwrap();
        assert_eq!(keys().session_id(&token), Some(7));
        assert_eq!(Keys::new("another secret of thirty-two bytes").session_id(&token), None);
        assert_eq!(keys().session_id(&signed(&Header::default(), |_| {})), Some(7));
    }

    #[test]
    fn forged_and_stale_tokens_name_nobody() {
        let default = Header::default();
        let forged = [
            signed(&default, |it| it.iss = "other".to_owned()),
            signed(&default, |it| it.aud = "other".to_owned()),
            signed(&default, |it| it.exp = now() - 60),
            signed(&default, |it| it.nbf = now() + 60),
            signed(&default, |it| it.sub = "admin".to_owned()),
            signed(&Header { typ: Some("at+jwt".to_owned()), ..Header::default() }, |_| {}),
            signed(&Header { typ: None, ..Header::default() }, |_| {}),
            signed(&Header { crit: Some(vec!["exp".to_owned()]), ..Header::default() }, |_| {}),
            signed(&Header::new(Algorithm::HS512), |_| {}),
        ];
        for token in &forged {
            assert_eq!(keys().session_id(token), None, "{token}");
        }
        // {"alg":"none","typ":"JWT"} before a body that is right, with no signature and with the true one.
        let true_one = signed(&default, |_| {});
        let parts: Vec<&str> = true_one.split('.').collect();
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
        assert_eq!(keys().session_id(&format!("{none}.{}.", parts[1])), None);
        assert_eq!(keys().session_id(&format!("{none}.{}.{}", parts[1], parts[2])), None);
        assert_eq!(keys().session_id(&format!("{}.{}.", parts[0], parts[1])), None);
    }

    #[test]
    fn a_signature_holds_for_its_upload_alone() {
        let grant = Grant {
            dataset_id: 1,
            file_id: 2,
            object_key: "uploads/1/a",
            content_type: "image/png",
            expires: 9,
        };
        let signature = keys().sign(&grant);
        assert!(keys().is_signed(&grant, &signature));
        for other in [
            Grant { dataset_id: 12, ..grant.clone() },
            Grant { file_id: 3, ..grant.clone() },
            Grant { object_key: "uploads/1/b", ..grant.clone() },
            Grant { content_type: "text/html", ..grant.clone() },
            Grant { expires: 10, ..grant.clone() },
        ] {
            assert!(!keys().is_signed(&other, &signature));
        }
        assert!(!keys().is_signed(&grant, ""));
        assert!(!keys().is_signed(&grant, &signature[..62]));
    }
}
