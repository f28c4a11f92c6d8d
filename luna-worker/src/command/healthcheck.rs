//! Asking a service or a worker on this machine how it is.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// The status that whoever listens at an address answers at a path: one line of HTTP, for which no client is
/// worth its weight.
///
/// ```
/// use luna_worker::command::healthcheck::status;
/// let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
/// assert!(status(nobody, "/liveness").is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// If nobody answers in time.
pub fn status(bind: SocketAddr, path: &str) -> io::Result<u16> {
    let address = reached(bind);
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut head = String::new();
    stream.take(1 << 10).read_to_string(&mut head)?;
    let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Where this machine reaches who listens on all its addresses.
fn reached(bind: SocketAddr) -> SocketAddr {
    let ip = match bind.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    SocketAddr::new(ip, bind.port())
}
