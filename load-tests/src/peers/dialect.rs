//! What a phone says to each server: the request for a WebSocket, and the subscription after it.

use std::net::SocketAddr;

use super::Counter;

/// The one subject, topic or channel that alerts go to.
pub(super) const TOPIC: &str = "alert";

/// What is inside the WebSocket frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// Nothing: one text or binary message is one alert, and whoever is connected is subscribed.
    Frames,
    /// NATS' own text protocol, as a stream over binary frames; one frame may hold several messages.
    Nats,
    /// MQTT 3.1.1 packets at `QoS` 0, as a stream over binary frames.
    Mqtt,
}

/// How a phone talks to a server.
///
/// Phones should come many at a time: Mosquitto looks at its phones ten times a second, so that one after the other each takes
/// a third of a second; and no more than about a hundred at once may wait to be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Path of the WebSocket.
    pub path: &'static str,
    /// `Sec-WebSocket-Protocol`, where the server wants one.
    pub protocol: Option<&'static str>,
    /// What is inside the frames.
    pub speaks: Speaks,
}

impl Dialect {
    /// The request that opens the WebSocket. The key is the same for all: what it guards against, a cache between, is not there.
    pub fn request(&self, host: SocketAddr) -> Vec<u8> {
        let protocol = self.protocol.map_or_else(String::new, |name| format!("Sec-WebSocket-Protocol: {name}\r\n"));
        format!(
            "GET {} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{protocol}\r\n",
            self.path
        )
        .into_bytes()
    }

    /// What the phone says after the server's 101 to be subscribed, framed; empty where there is nothing to say.
    /// `phone` is its number, different for each phone at one server.
    pub fn greeting(&self, phone: u64) -> Vec<u8> {
        match self.speaks {
            Speaks::Frames => Vec::new(),
            Speaks::Nats => frame(
                format!("CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\nSUB {TOPIC} 1\r\nPING\r\n").as_bytes(),
            ),
            Speaks::Mqtt => frame(&[mqtt_connect(&format!("phone-{phone}")), mqtt_subscribe()].concat()),
        }
    }

    /// Whether the server says when the subscription stands ([`super::Seen::Ready`]). Where it does not, a phone counts as
    /// subscribed with the 101, and the publishes that warm a run up cover the moment between.
    pub fn confirms(&self) -> bool {
        self.speaks != Speaks::Frames
    }

    /// Counts the messages in what the server says after its 101. One for each phone.
    pub fn counter(&self) -> Counter {
        Counter::new(self.speaks)
    }
}

/// One binary frame from a client. Masked with zeroes, which leaves the bytes as they are: the mask guards proxies, and none is here.
fn frame(payload: &[u8]) -> Vec<u8> {
    // INVARIANT: greetings are shorter than 126 bytes, where a length needs more than one byte.
    assert!(payload.len() < 126, "a long greeting");
    let [length, ..] = payload.len().to_le_bytes();
    let mut frame = vec![0x82, 0x80 | length];
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// A packet of MQTT 3.1.1: its first byte, the length in groups of seven bits, the body.
pub(super) fn mqtt_packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut left = body.len();
    loop {
        let more = if left > 0x7f { 0x80 } else { 0 };
        packet.push((left & 0x7f).to_le_bytes()[0] | more);
        left >>= 7;
        if left == 0 {
            break;
        }
    }
    packet.extend(body);
    packet
}

/// A string of MQTT: two bytes of length before it.
pub(super) fn mqtt_string(text: &str) -> Vec<u8> {
    let [.., high, low] = text.len().to_be_bytes();
    [&[high, low], text.as_bytes()].concat()
}

/// A clean session that is never asked to show that it lives.
pub(super) fn mqtt_connect(client: &str) -> Vec<u8> {
    const LEVEL_3_1_1: u8 = 4;
    const CLEAN_SESSION: u8 = 2;
    const KEEP_ALIVE_S: [u8; 2] = [0, 0];
    let head = [&mqtt_string("MQTT")[..], &[LEVEL_3_1_1, CLEAN_SESSION], &KEEP_ALIVE_S].concat();
    mqtt_packet(0x10, &[head, mqtt_string(client)].concat())
}

fn mqtt_subscribe() -> Vec<u8> {
    const PACKET_ID: [u8; 2] = [0, 1];
    const QOS: u8 = 0;
    mqtt_packet(0x82, &[&PACKET_ID[..], &mqtt_string(TOPIC), &[QOS]].concat())
}
