//! How one publish is said to each server, over a connection that is kept.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use super::dialect::{TOPIC, mqtt_connect, mqtt_packet, mqtt_string};

/// A server's own way to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tongue {
    /// `POST /publish`.
    Http,
    /// `PUB` of NATS.
    Nats,
    /// PUBLISH of MQTT at `QoS` 0.
    Mqtt,
    /// `PUBLISH` of Redis.
    Redis,
    /// The length in four bytes, then the bytes: the limit's.
    Plain,
}

impl Tongue {
    /// What is said once, before all else.
    fn introduction(self) -> Vec<u8> {
        match self {
            Self::Nats => b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\n".to_vec(),
            Self::Mqtt => mqtt_connect("publisher"),
            Self::Http | Self::Redis | Self::Plain => Vec::new(),
        }
    }

    fn publish(self, payload: &[u8]) -> Vec<u8> {
        let length = payload.len();
        let head = match self {
            Self::Http => {
                format!("POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n").into_bytes()
            }
            Self::Nats => return [format!("PUB {TOPIC} {length}\r\n").as_bytes(), payload, b"\r\n"].concat(),
            Self::Mqtt => return mqtt_packet(0x30, &[&mqtt_string(TOPIC), payload].concat()),
            Self::Redis => {
                let head = format!("*3\r\n$7\r\nPUBLISH\r\n${}\r\n{TOPIC}\r\n${length}\r\n", TOPIC.len());
                return [head.as_bytes(), payload, b"\r\n"].concat();
            }
            Self::Plain => {
                let [.., a, b, c, d] = length.to_be_bytes();
                vec![a, b, c, d]
            }
        };
        [&head, payload].concat()
    }

    /// Whether an answer says no. Answers are short, and begin where a read begins unless many wait together.
    fn refused(self, answer: &[u8]) -> bool {
        match self {
            Self::Http => answer.starts_with(b"HTTP/1.1 ") && !answer.starts_with(b"HTTP/1.1 2"),
            Self::Nats => answer.starts_with(b"-ERR"),
            // CONNACK with a reason.
            Self::Mqtt => matches!(answer, [0x20, 2, _, reason, ..] if *reason != 0),
            Self::Redis => answer.starts_with(b"-"),
            Self::Plain => false,
        }
    }
}

/// A connection to publish on.
#[derive(Debug)]
pub(super) struct Publisher {
    tongue: Tongue,
    stream: TcpStream,
}

impl Publisher {
    pub(super) fn new(tongue: Tongue, mut stream: TcpStream) -> io::Result<Self> {
        stream.write_all(&tongue.introduction())?;
        Ok(Self { tongue, stream })
    }

    /// Says it, without waiting for the answer: publishes in a burst follow each other at once. An answer that says no fails the next.
    pub(super) fn publish(&mut self, payload: &[u8]) -> io::Result<()> {
        self.hear()?;
        self.stream.write_all(&self.tongue.publish(payload))
    }

    /// Takes the answers that are there.
    fn hear(&mut self) -> io::Result<()> {
        let mut answer = [0; 4096];
        self.stream.set_nonblocking(true)?;
        let heard = loop {
            match self.stream.read(&mut answer) {
                Ok(0) => {
                    break Err(io::Error::new(
                        ErrorKind::UnexpectedEof,
                        "the server has closed the publisher's connection",
                    ));
                }
                Ok(bytes) if self.tongue.refused(&answer[..bytes]) => {
                    break Err(io::Error::other(String::from_utf8_lossy(&answer[..bytes]).into_owned()));
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.stream.set_nonblocking(false)?;
        heard
    }
}
