//! Tokens that somebody else made. Promise 30.

use std::net::TcpListener;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::blocking::Client;
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};

use crate::client::Service;

const SECRET: &str = "a secret that this attacker was told";

/// A public key as the attacker would read it from a certificate.
const PUBLIC: &[u8] = b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n";

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

fn token(header: &Value, claims: &Value, sign: impl Fn(&str) -> Vec<u8>) -> String {
    let [header, claims] = [header, claims].map(|it| URL_SAFE_NO_PAD.encode(it.to_string()));
    let text = format!("{header}.{claims}");
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(sign(&text)))
}

/// A value with some fields changed; `null` takes a field away.
fn with(value: &Value, changes: Value) -> Value {
    let mut value = value.clone();
    for (name, change) in changes.as_object().unwrap() {
        match change {
            Value::Null => drop(value.as_object_mut().unwrap().remove(name)),
            change => value[name] = change.clone(),
        }
    }
    value
}

/// Tokens whose signature is right, by who has the key, and that must be refused all the same.
fn unfit(header: &Value, claims: &Value) -> Vec<(Value, Value)> {
    let now = claims["iat"].as_u64().unwrap();
    let mut all: Vec<(Value, Value)> = [
        json!({ "alg": "none" }),
        json!({ "alg": "None" }),
        json!({ "alg": "" }),
        json!({ "alg": null }),
        json!({ "alg": "RS256" }),
        json!({ "alg": "ES256" }),
        json!({ "alg": "HS384" }),
        json!({ "alg": "HS512" }),
        json!({ "alg": "hs256" }),
        json!({ "typ": null }),
        json!({ "typ": "at+jwt" }),
        json!({ "typ": "JOSE" }),
        json!({ "crit": ["exp"] }),
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "enc": "A256GCM", "alg": "dir" }),
    ]
    .into_iter()
    .map(|changes| (with(header, changes), claims.clone()))
    .collect();
    all.extend(
        [
            json!({ "iss": "other" }),
            json!({ "iss": null }),
            json!({ "aud": "other" }),
            json!({ "aud": null }),
            json!({ "exp": now - 60 }),
            json!({ "exp": null }),
            json!({ "exp": "9999999999" }),
            json!({ "exp": -1 }),
            json!({ "nbf": now + 600 }),
            json!({ "nbf": null }),
            json!({ "jti": null }),
            json!({ "sub": null }),
            json!({ "sub": "admin" }),
            json!({ "sub": "999999" }),
            json!({ "sub": "1 OR 1=1" }),
            json!({ "sub": 1 }),
        ]
        .into_iter()
        .map(|changes| (header.clone(), with(claims, changes))),
    );
    all
}

/// Headers that would let whoever wrote the token say by which key it is to be read.
fn choosing_a_key(header: &Value, jku: &str) -> Vec<Value> {
    [
        json!({ "kid": "../../../../dev/null" }),
        json!({ "kid": "x' UNION SELECT 'key" }),
        json!({ "kid": "1", "jku": jku }),
        json!({ "x5u": jku }),
        json!({ "jwk": { "kty": "oct", "k": "" } }),
        json!({ "x5c": ["MIIB"] }),
    ]
    .into_iter()
    .map(|changes| with(header, changes))
    .collect()
}

#[test]
fn forged_tokens_are_nobodys() {
    let folder = tempfile::tempdir().unwrap();
    let (service, password) = Service::first(folder.path(), |command| {
        command.env("LUNA_JWT_SECRET", SECRET);
    });
    let answer = |path: &str, token: &str| {
        Client::new().get(format!("{}{path}", service.url)).bearer_auth(token).send().unwrap()
    };
    let honest = service.user("admin", &password).token;
    let claims = honest.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let key = mac(SECRET.as_bytes(), "luna access tokens 1");
    let true_one = token(&header, &claims, |text| mac(&key, text));
    assert_eq!(answer("/api/v1/auth/me", &true_one).status(), 200, "the test can make good ones");

    let asked = TcpListener::bind("127.0.0.1:0").unwrap();
    asked.set_nonblocking(true).unwrap();
    let jku = format!("http://{}/keys.json", asked.local_addr().unwrap());
    let mut forged = Vec::new();
    for (header, claims) in unfit(&header, &claims) {
        forged.push(token(&header, &claims, |text| mac(&key, text)));
        forged.push(token(&header, &claims, |_| Vec::new()));
    }
    let long = |text: &str| {
        let mac = Hmac::<Sha512>::new_from_slice(&key).unwrap();
        mac.chain_update(text).finalize().into_bytes().to_vec()
    };
    forged.push(token(&with(&header, json!({ "alg": "HS512" })), &claims, long));
    let uploads = mac(SECRET.as_bytes(), "luna upload URLs 1");
    let mut headers = choosing_a_key(&header, &jku);
    headers.push(header.clone());
    for header in &headers {
        for key in [b"".as_slice(), b"\0", b"key", PUBLIC, SECRET.as_bytes(), &uploads] {
            forged.push(token(header, &claims, |text| mac(key, text)));
        }
    }
    let (front, signature) = true_one.rsplit_once('.').unwrap();
    forged.push(front.to_owned());
    forged.push(format!("{front}."));
    forged.push(format!("{true_one}."));
    forged.push(format!("{true_one}="));
    forged.push(format!("{front}.{}", &signature[..signature.len() - 2]));
    for token in &forged {
        let refused = answer("/api/v1/auth/me", token);
        assert_eq!(refused.status(), 401, "{token}");
        let problem: Value = refused.json().unwrap();
        assert_eq!(problem["code"], "bad-token");
        assert!(!problem.to_string().contains(token), "a token is not said again");
    }
    assert!(asked.accept().is_err(), "nothing is fetched because a token says so");

    // A good one counts in its header alone.
    let url = format!("{}/api/v1/auth/me?access_token={true_one}&token={true_one}", service.url);
    assert_eq!(Client::new().get(url).send().unwrap().status(), 401);
    let user = service.user("admin", &password);
    assert_eq!(user.post("/api/v1/auth/logout", &json!({})).status(), 204);
    assert_eq!(user.get("/api/v1/auth/me").status(), 401, "signed out");
    assert_eq!(answer("/api/v1/auth/me", &honest).status(), 200, "another session goes on");
}
