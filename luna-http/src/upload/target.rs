//! Where a file is to be sent: to this service, where objects lie in a folder, or straight to the bucket.

use std::collections::BTreeMap;

use luna_worker::catalogue::File;
use luna_worker::storage::Signer;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Result;
use crate::tokens::{Grant, LIFETIME, now};
use crate::{Objects, Service};

/// Where one file is to be sent, and with what.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Target {
    file_id: i64,
    filename: String,
    /// Where its bytes are sent; none for a file that is sent in parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_url: Option<String>,
    s3_key: String,
    #[schema(example = "PUT")]
    method: &'static str,
    /// Headers that must be sent just so: the signature covers them.
    headers: BTreeMap<&'static str, String>,
    /// A file that is sent in parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Vec<PartTarget>>,
}

/// Where a part of a file is to be sent.
#[derive(Debug, Serialize, ToSchema)]
struct PartTarget {
    /// 1 for the first.
    number: u16,
    offset: u64,
    size_bytes: u64,
    url: String,
    headers: BTreeMap<&'static str, String>,
}

/// Files that are larger go to a bucket in parts of this size, or of a 10,000th of the file.
const PART: u64 = 64 << 20;
/// Parts that S3 takes of one object.
const MOST_PARTS: u64 = 10_000;

impl Service {
    /// Where a file is to be sent, for the next hour.
    pub(super) async fn target(&self, file: &File, filename: &str) -> Result<Target> {
        let mut target = Target {
            file_id: file.id,
            filename: filename.to_owned(),
            upload_url: None,
            s3_key: file.object_key.clone(),
            method: "PUT",
            headers: BTreeMap::from([("Content-Type", file.content_type.clone())]),
            parts: None,
        };
        match &self.objects {
            Objects::Folder(_) => target.upload_url = Some(self.own_url(file)),
            Objects::Bucket(signer) if file.size_bytes > PART => {
                let id = self.parts_of(file, signer).await?;
                let mut targets = Vec::new();
                for (number, offset, size_bytes) in parts(file.size_bytes) {
                    let url = signer.part(&file.object_key, &id, number, size_bytes, LIFETIME);
                    let (url, headers) = (url.await?, BTreeMap::new());
                    targets.push(PartTarget { number, offset, size_bytes, url, headers });
                }
                target.parts = Some(targets);
            }
            Objects::Bucket(signer) => {
                if let Some(sum) = file.sha256.as_deref().and_then(luna_worker::storage::base64_of)
                {
                    target.headers.insert("x-amz-checksum-sha256", sum);
                }
                // The length is signed, and sent by every client of itself.
                let length = file.size_bytes.to_string();
                let mut signed: Vec<(&str, &str)> =
                    target.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                signed.push(("Content-Length", &length));
                target.upload_url = Some(signer.put(&file.object_key, &signed, LIFETIME).await?);
            }
        }
        Ok(target)
    }

    /// The bucket's name for the parts of a file. Those that it forgot begin anew.
    async fn parts_of(&self, file: &File, signer: &Signer) -> Result<String> {
        let key = &file.object_key;
        if let Some(id) = &file.multipart_id
            && signer.knows_parts(key, id).await?
        {
            return Ok(id.clone());
        }
        let begun = signer.begin_parts(key, &file.content_type).await?;
        let id = self.catalogue.begin_parts(file, &begun).await?;
        if id != begun
            && let Err(error) = signer.drop_parts(key, &begun).await
        {
            tracing::warn!(%error, "parts that nobody will send are left to the bucket's rules");
        }
        Ok(id)
    }

    fn own_url(&self, file: &File) -> String {
        let expires = now() + LIFETIME.as_secs();
        let signature = self.keys.sign(&Grant {
            dataset_id: file.dataset_id,
            file_id: file.id,
            object_key: &file.object_key,
            content_type: &file.content_type,
            expires,
        });
        let (base, dataset, id) = (&self.public_url, file.dataset_id, file.id);
        format!("{base}/upload/{dataset}/{id}?expires={expires}&signature={signature}")
    }
}

/// Number, offset and size of the parts of a file.
fn parts(size: u64) -> impl Iterator<Item = (u16, u64, u64)> {
    let part = PART.max(size.div_ceil(MOST_PARTS));
    (1_u16..)
        .zip((0..size).step_by(usize::try_from(part).unwrap_or(usize::MAX)))
        .map(move |(number, offset)| (number, offset, part.min(size - offset)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_and_are_never_too_many() {
        for size in [PART + 1, 2 * PART, 5 << 40] {
            let all: Vec<_> = parts(size).collect();
            assert!(all.len() as u64 <= MOST_PARTS);
            let mut end = 0;
            for (place, (number, offset, length)) in all.iter().enumerate() {
                assert_eq!((usize::from(*number), *offset), (place + 1, end));
                assert!(*length > 0);
                end += length;
            }
            assert_eq!(end, size);
        }
    }
}
