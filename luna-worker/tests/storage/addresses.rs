//! What people write becomes an address, or an error that names the remedy; never a secret.

use luna_worker::storage::{Address, Scheme};
use proptest::prelude::*;

fn parse(text: &str) -> Address {
    Address::parse(text).unwrap().unwrap()
}

fn error(text: &str) -> String {
    Address::parse(text).unwrap().unwrap_err().to_string()
}

#[test]
fn addresses_of_every_kind_are_understood() {
    let table = [
        ("s3://bucket", Scheme::S3, "bucket", ""),
        ("S3://bucket/a/b.zip?region=x", Scheme::S3, "bucket", "a/b.zip"),
        ("gs://bucket/a/", Scheme::Gcs, "bucket", "a/"),
        ("gcs://bucket/a", Scheme::Gcs, "bucket", "a"),
        ("azblob://container/a?account=name", Scheme::Azblob, "container", "a"),
        ("az://container", Scheme::Azblob, "container", ""),
        ("https://host:8443/a%20b/c.zip", Scheme::Web, "host:8443", "a b/c.zip"),
        ("http://user:word@host/c", Scheme::Web, "host", "c"),
        ("file:///data/a%23b", Scheme::Local, "", "/data/a#b"),
        ("fs:///data", Scheme::Local, "", "/data"),
        ("memory://x/y", Scheme::Memory, "x", "y"),
    ];
    for (text, scheme, host, path) in table {
        let address = parse(text);
        assert_eq!(
            (address.scheme(), address.host(), address.path()),
            (scheme, host, path),
            "{text}"
        );
    }
    for path in ["scans", "C:\\scans", "://x", "a:b", "1s://x", "scans/a:/b"] {
        assert!(Address::parse(path).is_none(), "{path} is a path");
    }
}

#[test]
fn what_is_wrong_is_named_with_the_remedy() {
    let table = [
        ("s4://bucket", "storage `s4://` is not known; did you mean `s3://`?"),
        ("webdav://host", "storage `webdav://` is not known; known are `file://`, `fs://`"),
        (
            "s3://bucket?regoin=x",
            "s3://bucket: `regoin` is no option of `s3://`; did you mean `region`?",
        ),
        ("memory://x?region=x", "`region` is no option of `memory://`; it has none"),
        ("s3:///a", "s3:///a: names no bucket, container or host"),
        (
            "s3://key:word@bucket/a",
            "s3://***@bucket/a: credentials do not belong in front of the `@`",
        ),
        ("s3://bucket:9000/a", "a port belongs to the server: `?endpoint=http://host:port`"),
        ("s3://bucket?endpoint=minio:9000", "`endpoint` is the address of the server"),
        ("s3://bucket?endpoint=http://u:p@minio", "`endpoint` is the address of the server"),
        ("s3://bucket?anonymous=yes", "`anonymous` and `virtual_host` are `true` or `false`"),
        ("s3://bucket?region=a&region=b", "an option is given twice"),
        ("s3://bucket/a#b", "write `%23` for a `#`"),
        (
            "https://host/a.zip?signature=word",
            "https://host/a.zip: a web address with a query is not read",
        ),
        ("file://data/x", "begins with three slashes"),
        ("s3://bucket/%ff", "its name is no UTF-8"),
    ];
    for (text, expected) in table {
        let message = error(text);
        assert!(message.contains(expected), "{text}: {message}");
        assert!(!message.contains("word"), "{message}");
    }
}

#[test]
fn the_help_teaches_every_kind_of_place_and_no_secret() {
    let help = luna_worker::storage::help();
    for word in
        ["s3://", "gs://", "azblob://", "https://", "endpoint", "region", "AWS_ACCESS_KEY_ID"]
    {
        assert!(help.contains(word), "{word}");
    }
    assert!(!help.contains("secret_access_key") && !help.contains("memory://"));
}

proptest! {
    #[test]
    fn any_text_is_an_address_an_error_or_a_path(text in "\\PC*") {
        if let Some(Ok(address)) = Address::parse(&text) {
            let _ = (address.to_string(), address.bare(), address.last_part().len());
        }
    }

    #[test]
    fn anything_behind_a_known_scheme_never_panics(
        scheme in "(s3|gs|az|https|memory|file|fs|S3|s3x)",
        rest in "[ -~é/?&=@:#%.]{0,40}",
    ) {
        let _ = Address::parse(&format!("{scheme}://{rest}"));
    }

    #[test]
    fn a_path_comes_back_as_it_was_written(
        parts in proptest::collection::vec("[a-zA-Z0-9 äß+&=!$()*,;'@~_-]{1,8}", 1..4)
    ) {
        let path = parts.join("/");
        prop_assume!(!path.ends_with(' '));
        let encoded: String = path
            .bytes()
            .map(|byte| match byte {
                b'/' => "/".to_owned(),
                byte => format!("%{byte:02X}"),
            })
            .collect();
        let address = parse(&format!("s3://bucket/{encoded}"));
        prop_assert_eq!(address.path(), &path);
        prop_assert_eq!(address.to_string(), format!("s3://bucket/{path}"));
    }

    #[test]
    fn a_secret_is_never_shown(
        secret in "[A-Za-z0-9]{12,40}",
        option in "(secret_access_key|session_token|access_key_id|sas_token|account_key|token|nonsense)",
        scheme in "(s3|gs|az|memory|zz|https)",
        at in any::<bool>(),
    ) {
        let user = if at { format!("u:{secret}@") } else { String::new() };
        let text = format!("{scheme}://{user}bucket/a?{option}={secret}");
        let shown = match Address::parse(&text).unwrap() {
            Ok(address) => format!("{address} {address:?} {}", address.bare()),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.contains(&secret), "{}", shown);
    }
}
