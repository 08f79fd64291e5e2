//! The limit of the machine: takes N phones, and at each publish writes one frame, encoded beforehand, to each of them.
//!
//! One `write` a phone and nothing else: no sign-in, no subscriptions, no queue unless a socket is full. What a server costs beside
//! this is what it does for its users. One writer shows the least CPU that a delivery takes, two show how early the last phone of a
//! machine with two cores can have it. It runs as a process of its own, so that its CPU can be read, and lives as long as the one
//! connection that publishes ([`crate::peers`] has the other end).

mod writer;

use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tungstenite::handshake::derive_accept_key;
use writer::Writer;

/// How long a phone may take to say its request. They are taken one after the other.
const HANDSHAKE_MAX: Duration = Duration::from_secs(5);
/// How many phones may wait at the door, as far as the system allows.
const BACKLOG: i32 = 4096;
/// Longer requests are not a phone's.
const REQUEST_BYTES_MAX: u64 = 4096;
/// Longer publishes are not a measurement's.
const PAYLOAD_BYTES_MAX: u32 = 1 << 20;

/// Takes phones at `phones`, and publishes what the first connection to `control` says until that ends.
///
/// # Errors
/// When an address is taken, or the system refuses threads.
pub fn serve(phones: &TcpListener, control: &TcpListener, writers: usize) -> io::Result<()> {
    let writers = (0..writers).map(|_| Writer::start()).collect::<io::Result<Vec<_>>>()?;
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let door = scope.spawn(|| open_door(phones, &writers, &over));
        let published = control.accept().and_then(|(stream, _)| publish_all(stream, &writers));
        over.store(true, Ordering::Release);
        // The door stands waiting for a phone: this is the last.
        let woken = phones.local_addr().and_then(TcpStream::connect);
        let closed = door.join().map_err(|_| io::Error::other("the door's thread panicked"))?;
        published.and(closed).and(woken.map(drop))
    })?;
    writers.into_iter().try_for_each(Writer::stop)
}

/// The same, from the addresses to listen on.
///
/// # Errors
/// As [`serve`].
pub fn serve_at(phones: SocketAddr, control: SocketAddr, writers: usize) -> io::Result<()> {
    let phones = TcpListener::bind(phones)?;
    rustix::net::listen(&phones, BACKLOG)?;
    serve(&phones, &TcpListener::bind(control)?, writers)
}

/// Opens each phone's WebSocket, and gives them to the writers in turn.
fn open_door(phones: &TcpListener, writers: &[Writer], over: &AtomicBool) -> io::Result<()> {
    let mut turn = writers.iter().cycle();
    loop {
        let (mut stream, _) = phones.accept()?;
        if over.load(Ordering::Acquire) {
            return Ok(());
        }
        // One that goes away, or says something else, is no phone.
        if let (Ok(answer), Some(writer)) = (handshake(&mut stream), turn.next()) {
            writer.take(stream, answer)?;
        }
    }
}

/// The answer to a phone's request. The writer says it, so that whoever has heard it gets every later publish.
fn handshake(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(HANDSHAKE_MAX))?;
    let mut key = None;
    let mut request = BufReader::new(Read::by_ref(stream).take(REQUEST_BYTES_MAX)).lines();
    loop {
        let line = request.next().ok_or(ErrorKind::UnexpectedEof)??;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("sec-websocket-key")
        {
            key = Some(value.trim().to_owned());
        }
    }
    let accept = derive_accept_key(key.ok_or(ErrorKind::InvalidData)?.as_bytes());
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let head =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ";
    Ok(format!("{head}{accept}\r\n\r\n").into_bytes())
}

/// Each publish is four bytes of length and the payload. It becomes a frame once, which the writers share.
fn publish_all(mut control: TcpStream, writers: &[Writer]) -> io::Result<()> {
    let mut length = [0; 4];
    loop {
        match control.read_exact(&mut length) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            read => read?,
        }
        let length = u32::from_be_bytes(length);
        if length > PAYLOAD_BYTES_MAX {
            return Err(io::Error::new(ErrorKind::InvalidData, "a publish is longer than any that is measured"));
        }
        let mut payload = vec![0; length as usize];
        control.read_exact(&mut payload)?;
        let frame: Arc<[u8]> = text_frame(&payload).into();
        writers.iter().try_for_each(|writer| writer.write(frame.clone()))?;
    }
}

/// One text frame as a server sends it.
fn text_frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    let length = payload.len().to_be_bytes();
    match payload.len() {
        0..=125 => frame.extend(&length[7..]),
        126..=0xffff => frame.extend([&[126], &length[6..]].concat()),
        _ => frame.extend([&[127], &length[..]].concat()),
    }
    frame.extend(payload);
    frame
}

#[cfg(test)]
mod tests;
