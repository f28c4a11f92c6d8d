//! URLs that let a client send one object straight to a bucket.
//!
//! opendal signs neither length nor checksum, and its own checksums break what it signs; rusty-s3 signs whatever
//! header it is given, and needs no connection for it.

use std::env;
use std::time::Duration;

use base64::Engine as _;
use reqwest::StatusCode;
use rusty_s3::actions::{
    AbortMultipartUpload, CompleteMultipartUpload, CreateMultipartUpload, ListParts, PutObject,
    UploadPart,
};
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};

use super::credentials::Keys;
use super::{Address, Error, Result, Scheme, Storage};

/// How long our own requests' signatures are good for.
const OWN: Duration = Duration::from_mins(5);
/// How long the bucket may take to put parts together.
const PATIENCE: Duration = Duration::from_mins(2);

/// Signs for one bucket.
#[derive(Clone)]
pub struct Signer {
    /// As this process reaches it.
    bucket: Bucket,
    /// As clients do.
    public: Bucket,
    keys: Keys,
    prefix: String,
    client: reqwest::Client,
    address: Address,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.address)
    }
}

/// A SHA-256 in hexadecimal digits as S3's header has it.
///
/// ```
/// let digits = "ff".repeat(32);
/// let header = luna_worker::storage::base64_of(&digits);
/// assert_eq!(header.as_deref(), Some("//////////////////////////////////////////8="));
/// assert_eq!(luna_worker::storage::base64_of("x"), None);
/// ```
pub fn base64_of(sha256: &str) -> Option<String> {
    Some(base64::engine::general_purpose::STANDARD.encode(hex::decode(sha256).ok()?))
}

/// Where a page comes from, as browsers say it: scheme, host, and port where it is not the usual one.
///
/// ```
/// use luna_worker::storage::origin;
/// assert_eq!(origin("https://luna.example:8443/under?x").as_deref(), Some("https://luna.example:8443"));
/// assert_eq!(origin("luna.example"), None);
/// ```
pub fn origin(url: &str) -> Option<String> {
    let origin = reqwest::Url::parse(url).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

impl Storage {
    /// What signs for this bucket; clients reach it at `public_endpoint`, where that is another than ours.
    ///
    /// # Errors
    /// If it is no S3 bucket, or nothing offers keys to sign with.
    pub async fn signer(&self, public_endpoint: Option<&str>) -> Result<Signer> {
        let address = self.address();
        let refused = |what| Error::Unsupported { place: address.bare(), what };
        if address.scheme() != Scheme::S3 {
            return Err(refused("uploads go to a folder or an S3 bucket"));
        }
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        let region = address.option("region").map(str::to_owned).or(region);
        let region = region.unwrap_or_else(|| "us-east-1".to_owned());
        let usual = format!("https://s3.{region}.amazonaws.com");
        let endpoint = address.option("endpoint").unwrap_or(&usual);
        let style = if address.is_set("virtual_host") || address.option("endpoint").is_none() {
            UrlStyle::VirtualHost
        } else {
            UrlStyle::Path
        };
        let bucket = |endpoint: &str| {
            let url = endpoint.parse().map_err(|_| refused("the endpoint is no URL"))?;
            Bucket::new(url, style, address.host().to_owned(), region.clone())
                .map_err(|_| refused("the endpoint is no URL of a server"))
        };
        let client = reqwest::Client::builder().timeout(PATIENCE).build();
        let client = client.map_err(|_| refused("no encrypted connections on this machine"))?;
        let signer = Signer {
            bucket: bucket(endpoint)?,
            public: bucket(public_endpoint.unwrap_or(endpoint))?,
            keys: Keys::of(address, &client),
            prefix: self.prefix.to_string(),
            client,
            address: address.clone(),
        };
        // Better now than when the first team waits for a URL.
        signer.credentials().await.map(|_| signer)
    }
}

impl Signer {
    /// The origin that clients send to: `https://s3.example.org`.
    pub fn public_origin(&self) -> String {
        self.public.base_url().origin().ascii_serialization()
    }

    /// A URL to which an object can be sent, with just these headers, for so long; less where the keys that
    /// sign it run out before.
    ///
    /// # Errors
    /// If there are no keys any more.
    pub async fn put(
        &self,
        key: &str,
        headers: &[(&str, &str)],
        lasts: Duration,
    ) -> Result<String> {
        let (key, credentials) = (self.full(key), self.credentials().await?);
        let mut action = PutObject::new(&self.public, Some(&credentials), &key);
        for (name, value) in headers {
            action.headers_mut().insert(name.to_lowercase(), (*value).to_owned());
        }
        Ok(action.sign(lasts).into())
    }

    /// Begins an object that is sent in parts; the bucket's name for them comes back.
    ///
    /// # Errors
    /// If the bucket does not answer, or refuses.
    pub async fn begin_parts(&self, key: &str, content_type: &str) -> Result<String> {
        let (full, credentials) = (self.full(key), self.credentials().await?);
        let mut action = CreateMultipartUpload::new(&self.bucket, Some(&credentials), &full);
        action.headers_mut().insert("content-type", content_type.to_owned());
        let request = self.client.post(action.sign(OWN)).header("content-type", content_type);
        let text = self.answered(key, request).await?;
        let begun = CreateMultipartUpload::parse_response(&text)
            .map_err(|_| self.failed(key, "the answer to a new upload is none"))?;
        Ok(begun.upload_id().to_owned())
    }

    /// False if the bucket has forgotten these parts, as a rule of it may say, or put them together. Where the keys
    /// may not ask, it is taken to know them.
    ///
    /// # Errors
    /// If the bucket does not answer, or refuses.
    pub async fn knows_parts(&self, key: &str, id: &str) -> Result<bool> {
        let (full, credentials) = (self.full(key), self.credentials().await?);
        let mut action = ListParts::new(&self.bucket, Some(&credentials), &full, id);
        action.set_max_parts(1);
        let (status, _) = self.asked(key, self.client.get(action.sign(OWN))).await?;
        match status {
            StatusCode::NOT_FOUND => Ok(false),
            // Keys that may send need not be allowed to ask.
            StatusCode::FORBIDDEN => Ok(true),
            status if status.is_success() => Ok(true),
            status => Err(self.refused(key, status)),
        }
    }

    /// Lets go of parts that nobody will put together.
    ///
    /// # Errors
    /// If the bucket does not answer, or refuses.
    pub async fn drop_parts(&self, key: &str, id: &str) -> Result<()> {
        let (full, credentials) = (self.full(key), self.credentials().await?);
        let action = AbortMultipartUpload::new(&self.bucket, Some(&credentials), &full, id);
        self.answered(key, self.client.delete(action.sign(OWN))).await.map(|_| ())
    }

    /// A URL to which a part of exactly this size can be sent, for as long as one for an object.
    ///
    /// # Errors
    /// If there are no keys any more.
    pub async fn part(
        &self,
        key: &str,
        id: &str,
        number: u16,
        size: u64,
        lasts: Duration,
    ) -> Result<String> {
        let (key, credentials) = (self.full(key), self.credentials().await?);
        let mut action = UploadPart::new(&self.public, Some(&credentials), &key, number, id);
        action.headers_mut().insert("content-length", size.to_string());
        Ok(action.sign(lasts).into())
    }

    /// Puts the parts together, by what the bucket answered for each, in order.
    ///
    /// # Errors
    /// If the bucket does not answer, or misses parts.
    pub async fn end_parts(&self, key: &str, id: &str, etags: &[String]) -> Result<()> {
        let (full, credentials) = (self.full(key), self.credentials().await?);
        let tags = etags.iter().map(String::as_str);
        let action =
            CompleteMultipartUpload::new(&self.bucket, Some(&credentials), &full, id, tags);
        let url = action.sign(OWN);
        let text = self.answered(key, self.client.post(url).body(action.body())).await?;
        // S3 says 200 before it knows.
        if text.contains("<Error>") {
            return Err(self.failed(key, "its parts could not be put together"));
        }
        Ok(())
    }

    /// Sends an object as a page of `origin` would (Fetch standard, CORS protocol); whoever calls removes it.
    ///
    /// # Errors
    /// Why browsers cannot.
    pub async fn send_as_browser(&self, key: &str, origin: &str) -> Result<(), String> {
        let kind = "application/octet-stream";
        let url = self.put(key, &[("content-type", kind)], OWN).await;
        let url = url.map_err(|error| error.to_string())?;
        let unreachable = |_| format!("{} does not answer", self.public_origin());
        let asked = self
            .client
            .request(reqwest::Method::OPTIONS, &url)
            .header("origin", origin)
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "content-type")
            .send();
        let asked = asked.await.map_err(unreachable)?;
        if !asked.status().is_success() || !names(&asked, "access-control-allow-origin", origin) {
            return Err(format!("pages of {origin} may not send to the bucket"));
        }
        let sent = self.client.put(&url).header("origin", origin).header("content-type", kind);
        let sent = sent.body("luna admin doctor").send().await.map_err(unreachable)?;
        if !sent.status().is_success() {
            return Err(format!("a signed PUT was answered {}", sent.status().as_u16()));
        }
        if !names(&sent, "access-control-expose-headers", "etag") {
            return Err(format!("pages of {origin} may not read the ETag of the bucket's answers"));
        }
        Ok(())
    }

    async fn credentials(&self) -> Result<Credentials> {
        self.keys.now().await.ok_or_else(|| Error::Unsupported {
            place: self.address.bare(),
            what: "nothing offers keys to sign with: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, \
                   or a role of this machine",
        })
    }

    /// What it answered, unless it could not.
    async fn asked(
        &self,
        key: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<(StatusCode, String)> {
        let unreachable = || Error::Unreachable {
            place: super::error::shown(&self.address, key),
            server: self.bucket.base_url().origin().ascii_serialization(),
            reason: "no answer".to_owned(),
        };
        let answer = request.send().await.map_err(|_| unreachable())?;
        let status = answer.status();
        let text = answer.text().await.map_err(|_| unreachable())?;
        if status.is_server_error() { Err(unreachable()) } else { Ok((status, text)) }
    }

    async fn answered(&self, key: &str, request: reqwest::RequestBuilder) -> Result<String> {
        let (status, text) = self.asked(key, request).await?;
        if status.is_success() { Ok(text) } else { Err(self.refused(key, status)) }
    }

    fn refused(&self, key: &str, status: StatusCode) -> Error {
        self.failed(key, &format!("it answered {}", status.as_u16()))
    }

    fn failed(&self, key: &str, reason: &str) -> Error {
        let place = super::error::shown(&self.address, key);
        Error::Other { place, reason: reason.to_owned() }
    }

    fn full(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

/// Whether a list in a header names this, or all.
fn names(answer: &reqwest::Response, header: &str, wanted: &str) -> bool {
    let listed = answer.headers().get_all(header).iter().filter_map(|it| it.to_str().ok());
    let mut listed = listed.flat_map(|it| it.split(',')).map(str::trim);
    listed.any(|it| it == "*" || it.eq_ignore_ascii_case(wanted))
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
