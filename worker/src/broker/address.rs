//! Socket addresses as words: what a build wanted to reach.

use std::net::{Ipv4Addr, Ipv6Addr};

use filter::{Request, read_memory};

/// The largest address that is read, in bytes (`sockaddr_storage`).
const LARGEST: usize = 128;

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

/// Names where a connect was aimed.
pub(super) fn of_connect(request: &Request) -> String {
    let wanted = usize::try_from(request.arguments[2])
        .unwrap_or(LARGEST)
        .min(LARGEST);
    let mut buffer = [0; LARGEST];
    match read_memory(request.pid, request.arguments[1], &mut buffer[..wanted]) {
        Ok(got) => describe(&buffer[..got]),
        Err(_) => "an address that could not be read".to_owned(),
    }
}

/// Words for a `sockaddr`.
fn describe(address: &[u8]) -> String {
    let Some((family, rest)) = address.split_first_chunk::<2>() else {
        return "an empty address".to_owned();
    };
    match i32::from(u16::from_ne_bytes(*family)) {
        libc::AF_UNIX => match rest {
            [0, name @ ..] => format!("unix abstract {}", String::from_utf8_lossy(trimmed(name))),
            path => format!("unix {}", String::from_utf8_lossy(trimmed(path))),
        },
        libc::AF_INET if rest.len() >= 6 => {
            let port = u16::from_be_bytes([rest[0], rest[1]]);
            format!(
                "{}:{port}",
                Ipv4Addr::new(rest[2], rest[3], rest[4], rest[5])
            )
        }
        libc::AF_INET6 if rest.len() >= 22 => {
            let port = u16::from_be_bytes([rest[0], rest[1]]);
            let octets: [u8; 16] = rest[6..22].try_into().unwrap_or_default();
            format!("[{}]:{port}", Ipv6Addr::from(octets))
        }
        other => format!("family {other}"),
    }
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_named_as_people_write_them() {
        let inet = [2, 0, 0x01, 0xbb, 192, 0, 2, 4];
        assert_eq!(describe(&inet), "192.0.2.4:443");
        let unix = [&[1, 0][..], b"/run/x.sock\0\0"].concat();
        assert_eq!(describe(&unix), "unix /run/x.sock");
        assert_eq!(describe(&[1]), "an empty address");
        assert_eq!(family(2, 2), "inet datagram");
    }
}
