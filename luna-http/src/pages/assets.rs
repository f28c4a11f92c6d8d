//! Style and scripts, inside the binary; their addresses name their content, so that browsers keep them.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use axum::routing::get;
use sha2::{Digest as _, Sha256};

use crate::Service;

/// The style of the HTML report, and after it what only pages have.
pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let text = [luna_core::report::STYLE, include_str!("../../assets/luna.css")].concat();
    Asset::new("/assets/luna.css", "text/css; charset=utf-8", text)
});
/// The script that all pages have: what they share with the report, and after it their own.
pub(super) static COMMON: LazyLock<Asset> = LazyLock::new(|| {
    let text = [luna_core::report::COMMON_SCRIPT, include_str!("../../assets/luna.js")].concat();
    Asset::new("/assets/luna.js", SCRIPT, text)
});
pub(super) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("../../assets/luna.svg").to_owned();
    Asset::new("/assets/luna.svg", "image/svg+xml", text)
});

/// The media type of scripts (RFC 9239).
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A file that every page may name.
#[derive(Debug)]
pub(super) struct Asset {
    path: &'static str,
    media_type: &'static str,
    text: String,
    hash: String,
}

/// One of the scripts.
pub(super) type Script = &'static LazyLock<Asset>;

impl Asset {
    fn new(path: &'static str, media_type: &'static str, text: String) -> Self {
        let hash = hex::encode(&Sha256::digest(&text)[..8]);
        Self { path, media_type, text, hash }
    }

    pub(super) fn address(&self) -> String {
        format!("{}?{}", self.path, self.hash)
    }
}

macro_rules! scripts {
    ($($name:ident = $file:literal),* $(,)?) => {
        $(pub(super) static $name: LazyLock<Asset> = LazyLock::new(|| {
            let text = include_str!(concat!("../../assets/", $file)).to_owned();
            Asset::new(concat!("/assets/", $file), SCRIPT, text)
        });)*
        const ALL: &[Script] = &[&STYLE, &ICON, &COMMON, $(&$name),*];
    };
}

scripts! {
    WATCH = "watch.js",
    UPLOAD = "upload.js",
}

pub(super) fn routes() -> Router<Arc<Service>> {
    ALL.iter().fold(Router::new(), |router, asset| {
        router.route(
            asset.path,
            get(async move || {
                let head = [
                    (CONTENT_TYPE, asset.media_type),
                    (CACHE_CONTROL, "public, max-age=31536000, immutable"),
                    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
                ];
                (head, asset.text.as_str()).into_response()
            }),
        )
    })
}
