//! Which addresses are private: loopback, link-local and what a company or a provider uses inside.
//!
//! A public index must not be able to lead this program to such an address; who may lead where is
//! decided in `redirect.rs`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Returns whether an address is not one of the public internet.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
        || a == 0
        // RFC 6598: between a provider and its customers.
        || (a == 100 && (64..128).contains(&b))
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // An IPv4 address in other clothes: mapped, compatible, translated (RFC 6052), 6to4.
    let inner = match segments {
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some((high, low))
        }
        [0x2002, high, low, ..] => Some((high, low)),
        _ => None,
    };
    let embedded = inner.is_some_and(|(high, low)| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_private_v4(Ipv4Addr::new(a, b, c, d))
    });
    embedded
        || address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        // Site-local, deprecated and still routed inside.
        || segments[0] & 0xffc0 == 0xfec0
}

/// Returns whether the host of a URL is private as written; none if only DNS can tell.
pub(crate) fn is_private_literal(url: &Url) -> Option<bool> {
    match url.host()? {
        Host::Ipv4(address) => Some(is_private_v4(address)),
        Host::Ipv6(address) => Some(is_private_v6(address)),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            (name == "localhost" || name.ends_with(".localhost")).then_some(true)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known_in_every_dress() {
        for text in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "fec0::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
        ] {
            assert!(is_private(text.parse().expect(text)), "{text}");
        }
        for text in [
            "192.0.2.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "8.8.8.8",
            "2001:db8::1",
            "::ffff:192.0.2.1",
            "64:ff9b::c000:201",
        ] {
            assert!(!is_private(text.parse().expect(text)), "{text}");
        }
    }

    #[test]
    fn hosts_are_judged_as_a_url_parser_reads_them() {
        let literal = |text: &str| is_private_literal(&Url::parse(text).expect(text));
        assert_eq!(literal("http://localhost/"), Some(true));
        assert_eq!(literal("http://a.LOCALHOST./"), Some(true));
        assert_eq!(literal("http://2130706433/"), Some(true));
        assert_eq!(literal("http://0x7f.1/"), Some(true));
        assert_eq!(literal("http://[::1]:8080/"), Some(true));
        assert_eq!(literal("http://192.0.2.1/"), Some(false));
        assert_eq!(literal("http://example.invalid/"), None);
    }
}
