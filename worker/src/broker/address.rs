//! Socket addresses: what a build wanted to reach, as a value and as words.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use filter::{Request, read_memory};

/// The largest address that is read, in bytes (`sockaddr_storage`).
const LARGEST: usize = 128;

/// Where a connect was aimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// The path of a unix socket.
    Path(Vec<u8>),
    /// An abstract name of one.
    Abstract(Vec<u8>),
    /// Anything that no broker connects to, in words.
    Other(String),
}

impl Address {
    /// Reads where `request` aims.
    pub(super) fn of_connect(request: &Request) -> Self {
        let wanted = usize::try_from(request.arguments[2])
            .unwrap_or(LARGEST)
            .min(LARGEST);
        let mut buffer = [0; LARGEST];
        match read_memory(request.pid, request.arguments[1], &mut buffer[..wanted]) {
            Ok(got) => Self::of_bytes(&buffer[..got]),
            Err(_) => Self::Other("an address that could not be read".to_owned()),
        }
    }

    /// Understands a `sockaddr`.
    fn of_bytes(address: &[u8]) -> Self {
        let Some((family, rest)) = address.split_first_chunk::<2>() else {
            return Self::Other("an empty address".to_owned());
        };
        match i32::from(u16::from_ne_bytes(*family)) {
            libc::AF_UNIX => match rest {
                [] => Self::Other("unix without a name".to_owned()),
                [0, name @ ..] => Self::Abstract(name.to_vec()),
                path => Self::Path(trimmed(path).to_vec()),
            },
            libc::AF_INET if rest.len() >= 6 => {
                let port = u16::from_be_bytes([rest[0], rest[1]]);
                let host = Ipv4Addr::new(rest[2], rest[3], rest[4], rest[5]);
                Self::Other(format!("{host}:{port}"))
            }
            libc::AF_INET6 if rest.len() >= 22 => {
                let port = u16::from_be_bytes([rest[0], rest[1]]);
                let octets: [u8; 16] = rest[6..22].try_into().unwrap_or_default();
                Self::Other(format!("[{}]:{port}", Ipv6Addr::from(octets)))
            }
            other => Self::Other(format!("family {other}")),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(out, "unix {}", String::from_utf8_lossy(path)),
            Self::Abstract(name) => {
                let name = String::from_utf8_lossy(trimmed(name)).into_owned();
                write!(out, "unix abstract {name}")
            }
            Self::Other(words) => out.write_str(words),
        }
    }
}

/// Names the family and type of a socket that was asked for.
pub(super) fn family(family: u64, kind: u64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the kernel reads both as int"
    )]
    let (family, kind) = (family as i32, kind as i32);
    let family = match family {
        libc::AF_UNIX => "unix".to_owned(),
        libc::AF_INET => "inet".to_owned(),
        libc::AF_INET6 => "inet6".to_owned(),
        libc::AF_NETLINK => "netlink".to_owned(),
        libc::AF_PACKET => "packet".to_owned(),
        libc::AF_VSOCK => "vsock".to_owned(),
        libc::AF_ALG => "alg".to_owned(),
        other => format!("family {other}"),
    };
    let kind = match kind & 0xf {
        libc::SOCK_STREAM => "stream".to_owned(),
        libc::SOCK_DGRAM => "datagram".to_owned(),
        libc::SOCK_RAW => "raw".to_owned(),
        libc::SOCK_SEQPACKET => "seqpacket".to_owned(),
        other => format!("type {other}"),
    };
    format!("{family} {kind}")
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_named_as_people_write_them() {
        let named = |bytes: &[u8]| Address::of_bytes(bytes).to_string();
        let inet = [2, 0, 0x01, 0xbb, 192, 0, 2, 4];
        assert_eq!(named(&inet), "192.0.2.4:443");
        let unix = [&[1, 0][..], b"/run/x.sock\0\0"].concat();
        assert_eq!(named(&unix), "unix /run/x.sock");
        let hidden = [&[1, 0, 0][..], b"name"].concat();
        assert_eq!(named(&hidden), "unix abstract name");
        assert_eq!(named(&[1]), "an empty address");
        assert_eq!(named(&[1, 0]), "unix without a name");
        assert_eq!(family(2, 2), "inet datagram");
    }

    #[test]
    fn an_abstract_name_is_kept_to_its_last_byte() {
        let bytes = [&[1, 0, 0][..], b"a\0b\0"].concat();
        assert_eq!(
            Address::of_bytes(&bytes),
            Address::Abstract(b"a\0b\0".to_vec())
        );
    }
}
