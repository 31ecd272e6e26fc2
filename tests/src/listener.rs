//! Sockets of the host that a build must not reach: they say afterwards whether anything came.

use std::io::Read;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::Path;

use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, UnixAddr, accept, bind, listen, socket,
};

/// One socket that waits. The kernel queues what arrives, so nobody needs to listen meanwhile.
#[derive(Debug)]
pub enum Ear {
    /// TCP.
    Tcp(TcpListener),
    /// UDP.
    Udp(UdpSocket),
    /// Unix streams.
    Stream(UnixListener),
    /// Unix datagrams.
    Datagram(UnixDatagram),
    /// Unix packets with a connection.
    Packets(OwnedFd),
}

impl Ear {
    /// Listens for TCP on the loopback.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn tcp() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener
            .set_nonblocking(true)
            .expect("a socket can be set not to block");
        Self::Tcp(listener)
    }

    /// Listens for TCP over IPv6 on the loopback.
    ///
    /// # Panics
    /// When the host has no IPv6 loopback.
    #[must_use]
    pub fn tcp6() -> Self {
        let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).expect("an IPv6 loopback");
        listener
            .set_nonblocking(true)
            .expect("a socket can be set not to block");
        Self::Tcp(listener)
    }

    /// Listens for UDP on the loopback.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn udp() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        socket
            .set_nonblocking(true)
            .expect("a socket can be set not to block");
        Self::Udp(socket)
    }

    /// Listens for streams at a path.
    ///
    /// # Panics
    /// When the path is taken or too long.
    #[must_use]
    pub fn stream(path: &Path) -> Self {
        Self::Stream(unblocked(UnixListener::bind(path).expect("a free path")))
    }

    /// Listens for streams at an abstract name.
    ///
    /// # Panics
    /// When the name is taken.
    #[must_use]
    pub fn abstract_stream(name: &str) -> Self {
        let address = SocketAddr::from_abstract_name(name).expect("a short name");
        Self::Stream(unblocked(
            UnixListener::bind_addr(&address).expect("a free name"),
        ))
    }

    /// Listens for datagrams at a path.
    ///
    /// # Panics
    /// When the path is taken or too long.
    #[must_use]
    pub fn datagram(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).expect("a free path");
        socket
            .set_nonblocking(true)
            .expect("a socket can be set not to block");
        Self::Datagram(socket)
    }

    /// Listens for packets at a path.
    ///
    /// # Panics
    /// When the path is taken or too long.
    #[must_use]
    pub fn packets(path: &Path) -> Self {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let ear = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None).expect("a socket");
        let address = UnixAddr::new(path).expect("a short path");
        bind(std::os::fd::AsRawFd::as_raw_fd(&ear), &address).expect("a free path");
        listen(&ear, Backlog::new(8).expect("a small backlog")).expect("a bound socket listens");
        Self::Packets(ear)
    }

    /// Returns the port, for Internet sockets.
    ///
    /// # Panics
    /// When it has none.
    #[must_use]
    pub fn port(&self) -> u16 {
        let address = match self {
            Self::Tcp(listener) => listener.local_addr(),
            Self::Udp(socket) => socket.local_addr(),
            _ => panic!("a unix socket has no port"),
        };
        address.expect("a bound socket has an address").port()
    }

    /// Whether a connection or a byte arrived.
    #[must_use]
    pub fn heard(&self) -> bool {
        let mut buffer = [0; 64];
        match self {
            Self::Tcp(listener) => listener.accept().is_ok(),
            Self::Udp(socket) => socket.recv(&mut buffer).is_ok(),
            Self::Stream(listener) => listener.accept().is_ok_and(|(mut stream, _)| {
                let _ = stream.read(&mut buffer);
                true
            }),
            Self::Datagram(socket) => socket.recv(&mut buffer).is_ok(),
            Self::Packets(ear) => accept(std::os::fd::AsRawFd::as_raw_fd(&ear.as_fd())).is_ok(),
        }
    }

    /// Whether a byte arrived over a connection, which somebody else may have made.
    #[must_use]
    pub fn heard_bytes(&self) -> bool {
        let mut buffer = [0; 64];
        match self {
            Self::Tcp(listener) => listener.accept().is_ok_and(|(mut stream, _)| {
                // Whoever held it has ended: either there is something to read or its end.
                stream.read(&mut buffer).is_ok_and(|count| count > 0)
            }),
            _ => self.heard(),
        }
    }
}

fn unblocked(listener: UnixListener) -> UnixListener {
    listener
        .set_nonblocking(true)
        .expect("a socket can be set not to block");
    listener
}
