//! A small HTTP server of the tests' own: a web server with files, and an S3 server that can be broken in
//! ways that real ones cannot.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What was asked for.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
}

/// What is answered.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }
}

/// Answers until the test ends.
pub(crate) struct Server {
    pub(crate) port: u16,
    asked: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let (answer, count) = (Arc::new(answer), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, count) = (Arc::clone(&answer), Arc::clone(&count));
                thread::spawn(move || {
                    let _ = serve(stream, &*answer, &count);
                });
            }
        });
        Self { port, asked }
    }

    /// How many requests there were.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn serve(
    stream: TcpStream,
    answer: &dyn Fn(&Request) -> Response,
    count: &AtomicUsize,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    while let Some(request) = receive(&mut reader)? {
        count.fetch_add(1, Ordering::Relaxed);
        let Response { status, headers, body } = answer(&request);
        let mut head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes())?;
        if request.method != "HEAD" {
            stream.write_all(&body)?;
        }
    }
    Ok(())
}

fn receive(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let url = url::Url::parse(&format!("http://x{target}")).unwrap();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    reader.take(length).read_to_end(&mut Vec::new())?;
    let path = percent_encoding::percent_decode_str(url.path()).decode_utf8_lossy().into_owned();
    let query = url.query_pairs().into_owned().collect();
    Ok(Some(Request { method: method.to_owned(), path, query, headers }))
}

/// Files of a web server, with or without ranges.
pub(crate) fn web(files: BTreeMap<String, Vec<u8>>, ranges: bool) -> Server {
    Server::start(move |request| match files.get(&request.path) {
        Some(body) => part(request, body, ranges),
        None => Response::new(404, "not here"),
    })
}

/// A body, or the part of it that is asked for.
pub(crate) fn part(request: &Request, body: &[u8], ranges: bool) -> Response {
    let range = request.headers.get("range").filter(|_| ranges);
    let Some(range) = range.and_then(|range| range.strip_prefix("bytes=")) else {
        return Response::new(200, body);
    };
    let (from, to) = range.split_once('-').unwrap();
    let from: usize = from.parse().unwrap();
    let to = to.parse().map_or(body.len(), |to: usize| to + 1).min(body.len());
    if from >= body.len() {
        return Response::new(416, "");
    }
    let mut response = Response::new(206, &body[from..to]);
    response.headers.push(("content-range", format!("bytes {from}-{}/{}", to - 1, body.len())));
    response
}

/// An S3 error document.
pub(crate) fn s3_error(status: u16, code: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>The key SECRET is not \
         good</Message><Resource>/</Resource><RequestId>1</RequestId></Error>"
    );
    Response::new(status, body)
}

/// A page of `count` objects, each of ten bytes, as an S3 server lists them.
pub(crate) fn s3_page(request: &Request, count: usize, key: impl Fn(usize) -> String) -> Response {
    const PAGE: usize = 1_000;
    let from: usize =
        request.query.get("continuation-token").and_then(|t| t.parse().ok()).unwrap_or(0);
    let to = (from + PAGE).min(count);
    let mut body = String::from("<?xml version=\"1.0\"?><ListBucketResult>");
    for number in from..to {
        let _ = write!(
            body,
            "<Contents><Key>{}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
             <ETag>\"{number:032x}\"</ETag><Size>10</Size></Contents>",
            key(number)
        );
    }
    let more = to < count;
    let _ = write!(body, "<IsTruncated>{more}</IsTruncated><KeyCount>{}</KeyCount>", to - from);
    if more {
        let _ = write!(body, "<NextContinuationToken>{to}</NextContinuationToken>");
    }
    body.push_str("</ListBucketResult>");
    Response::new(200, body)
}

/// The address of a server that speaks S3.
pub(crate) fn s3_uri(port: u16, path: &str) -> String {
    format!("s3://bucket/{path}?endpoint=http://127.0.0.1:{port}&region=x&anonymous=true")
}
