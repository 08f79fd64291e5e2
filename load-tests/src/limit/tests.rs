//! The limit against a few clients of its own: everybody gets everything, also after a full socket.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::*;
use crate::peers::{Kind, Seen};

/// Nothing here takes a second; a frame that does not come must not hang the tests.
const PATIENCE: Duration = Duration::from_secs(30);

fn phone_at(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&Kind::Limit1.dialect().request(address)).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    // The answer to the key of RFC 6455's own example.
    assert!(head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
    stream
}

/// Reads until this many messages have come.
fn messages(stream: &mut TcpStream, many: usize) -> Vec<Seen> {
    let (mut counter, mut all, mut bytes) = (Kind::Limit1.dialect().counter(), Vec::new(), [0; 4096]);
    while all.len() < many {
        let read = stream.read(&mut bytes).unwrap();
        assert!(read > 0, "the limit closed after {all:?}");
        counter.feed(&bytes[..read], &mut |seen| all.push(seen)).unwrap();
    }
    all
}

/// Runs a limit, connects, publishes these, and tells what each phone got. `first` may use the phones before.
fn delivered(
    phones: usize,
    writers: usize,
    publishes: &[&[u8]],
    first: impl FnOnce(&mut Vec<TcpStream>),
) -> Vec<Vec<Seen>> {
    let [entry, control] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [door, desk] = [&entry, &control].map(|listener| listener.local_addr().unwrap());
    let server = thread::spawn(move || serve(&entry, &control, writers));
    let mut orders = TcpStream::connect(desk).unwrap();
    let mut clients: Vec<_> = (0..phones).map(|_| phone_at(door)).collect();
    first(&mut clients);
    for payload in publishes {
        orders.write_all(&u32::try_from(payload.len()).unwrap().to_be_bytes()).unwrap();
        orders.write_all(payload).unwrap();
    }
    let heard = clients.iter_mut().map(|stream| messages(stream, publishes.len())).collect();
    drop(orders);
    server.join().unwrap().unwrap();
    for mut stream in clients {
        assert_eq!(stream.read(&mut [0; 64]).unwrap(), 0, "more came than was published");
    }
    heard
}

fn message(head: [u8; 8], bytes: u32) -> Seen {
    Seen::Message { head, bytes }
}

#[test]
fn each_of_fifty_phones_gets_each_publish_once_and_in_order() {
    let medium = vec![b'm'; 512];
    for writers in [1, 2] {
        let expected = [message(*b"00000001", 10), message(*b"mmmmmmmm", 512), message(*b"00000003", 8)];
        let heard = delivered(50, writers, &[b"0000000112", &medium, b"00000003"], |_| ());
        assert_eq!(heard, vec![expected.to_vec(); 50]);
    }
}

/// Twice what the system keeps for a socket, to phones that begin to read late: what waits comes when there is room, none is lost.
#[test]
fn a_full_socket_gets_the_rest_later() {
    let long = vec![b'l'; 1 << 20];
    let publishes = [&[&long[..]; 8][..], &[b"00000009"]].concat();
    let heard = delivered(4, 2, &publishes, |clients| {
        for client in clients {
            rustix::net::sockopt::set_socket_recv_buffer_size(client, 32 << 10).unwrap();
        }
    });
    let expected = [&[message(*b"llllllll", 1 << 20); 8][..], &[message(*b"00000009", 8)]].concat();
    assert_eq!(heard, vec![expected; 4]);
}

#[test]
fn the_others_do_not_mind_one_that_goes() {
    let heard = delivered(50, 1, &[b"00000001"], |clients| drop(clients.remove(7)));
    assert_eq!(heard, vec![vec![message(*b"00000001", 8)]; 49]);
}
