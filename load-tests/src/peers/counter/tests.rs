//! Counters against recorded bytes of each server, cut at every offset.

use super::{Broken, Counter, Seen};
use crate::peers::Speaks;

/// All that is seen when the stream comes in these pieces.
fn heard(speaks: Speaks, pieces: &[&[u8]]) -> Result<Vec<Seen>, Broken> {
    let (mut counter, mut all) = (Counter::new(speaks), Vec::new());
    for piece in pieces {
        counter.feed(piece, &mut |seen| all.push(seen))?;
    }
    Ok(all)
}

/// The same is seen whole, cut in two at each place, and byte by byte.
fn heard_however_cut(speaks: Speaks, stream: &[u8]) -> Vec<Seen> {
    let whole = heard(speaks, &[stream]).unwrap();
    for at in 0..=stream.len() {
        let (first, second) = stream.split_at(at);
        assert_eq!(heard(speaks, &[first, second]).unwrap(), whole, "cut at {at}");
    }
    assert_eq!(heard(speaks, &stream.chunks(1).collect::<Vec<_>>()).unwrap(), whole, "byte by byte");
    whole
}

fn message(head: &[u8], bytes: u32) -> Seen {
    let mut first = [0; 8];
    first[..head.len().min(8)].copy_from_slice(&head[..head.len().min(8)]);
    Seen::Message { head: first, bytes }
}

/// A server's frame with a length of one, two or eight bytes.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len();
    let mut frame = vec![first];
    match length {
        0..=125 => frame.push(u8::try_from(length).unwrap()),
        126..=0xffff => {
            frame.push(126);
            frame.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

#[test]
fn a_websocket_message_counts_once_whatever_its_frames() {
    let long = vec![b'x'; 600];
    let stream = [
        frame(0x81, b"0000000112"),
        frame(0x82, &long),
        frame(0x01, b"abc"),
        frame(0x89, b"beat"),
        frame(0x00, b""),
        frame(0x80, b"defghi"),
        frame(0x8a, b"pong"),
        frame(0x81, b""),
        frame(0x88, &[0x03, 0xf3, b'!']),
    ]
    .concat();
    let beat = Seen::Ping { head: *b"beat\0\0\0\0", bytes: 4 };
    let expected = [
        message(b"00000001", 10),
        message(&long, 600),
        beat,
        message(b"abcdefgh", 9),
        message(b"", 0),
        Seen::Closed(1011),
    ];
    assert_eq!(heard_however_cut(Speaks::Frames, &stream), expected);
}

#[test]
fn a_frame_of_more_than_64_kib_counts_once() {
    let stream = frame(0x82, &vec![b'y'; 70_000]);
    assert_eq!(heard(Speaks::Frames, &[&stream]).unwrap(), [message(b"yyyyyyyy", 70_000)]);
    let pieces: Vec<_> = stream.chunks(7).collect();
    assert_eq!(heard(Speaks::Frames, &pieces).unwrap(), [message(b"yyyyyyyy", 70_000)]);
}

#[test]
fn a_stream_out_of_step_is_told() {
    let masked = heard(Speaks::Frames, &[&[0x81, 0x84, 1, 2, 3, 4]]);
    assert_eq!(masked, Err(Broken("a server's frame has a mask")));
    let endless = heard(Speaks::Frames, &[&[0x82, 127, 1, 0, 0, 0, 0, 0, 0, 0]]);
    assert_eq!(endless, Err(Broken("a frame is longer than any that is sent")));
    assert!(heard(Speaks::Nats, &[&frame(0x82, b"-ERR 'Authorization Violation'\r\n")]).is_err());
    assert!(heard(Speaks::Nats, &[&frame(0x82, b"HTTP/1.1 400 Bad Request\r\n")]).is_err());
    for packet in [
        &[0x20, 2, 0, 5][..],
        &[0x90, 3, 0, 1, 0x80],
        &[0x30, 3, 0, 9, b'a'],
        &[0x32, 5, 0, 1, b'a', 0, 1],
        &[0x30, 0, 0x30],
        &[0x30, 0xff, 0xff, 0xff, 0xff, 1],
    ] {
        assert!(heard(Speaks::Mqtt, &[&frame(0x82, packet)]).is_err(), "{packet:?}");
    }
}

/// One frame with several messages, one message over several frames, and a body that looks like a line.
#[test]
fn nats_messages_count_wherever_frames_end() {
    let inside = [
        &b"INFO {\"server_id\":\"A 1\",\"max_payload\":1048576} \r\nPONG\r\n"[..],
        b"MSG alert 1 10\r\n0000000112\r\nMSG alert 1 6\r\nPONG\r\n\r\nPING\r\n",
        b"MSG alert 1 0\r\n\r\nMSG alert 1 reply.to 9\r\nMSG a 1 9\r\n",
    ]
    .concat();
    let expected = [
        Seen::Ready,
        message(b"00000001", 10),
        message(b"PONG\r\n", 6),
        Seen::Ping { head: [0; 8], bytes: 0 },
        message(b"", 0),
        message(b"MSG a 1 ", 9),
    ];
    assert_eq!(heard_however_cut(Speaks::Nats, &frame(0x82, &inside)), expected);
    for at in 1..inside.len() {
        let stream = [frame(0x82, &inside[..at]), frame(0x82, &inside[at..])].concat();
        assert_eq!(heard(Speaks::Nats, &[&stream]).unwrap(), expected, "frames end at {at}");
    }
}

#[test]
fn mqtt_messages_count_wherever_frames_end() {
    let long = vec![b'z'; 200];
    let inside = [
        &[0x20, 2, 0, 0, 0x90, 3, 0, 1, 0][..],
        &[0x30, 17, 0, 5],
        b"alert0000000112",
        &[0xd0, 0, 0x30, 3, 0, 1, b'a'],
        &[0x31, 0xcf, 1, 0, 5],
        b"alert",
        &long,
    ]
    .concat();
    let expected = [Seen::Ready, message(b"00000001", 10), message(b"", 0), message(&long, 200)];
    assert_eq!(heard_however_cut(Speaks::Mqtt, &frame(0x82, &inside)), expected);
    for at in 1..inside.len() {
        let stream = [frame(0x82, &inside[..at]), frame(0x82, &inside[at..])].concat();
        assert_eq!(heard(Speaks::Mqtt, &[&stream]).unwrap(), expected, "frames end at {at}");
    }
}

/// What Debian's servers said to one phone while four messages were published together, and then as they ended.
#[test]
fn what_servers_said_counts_however_it_is_cut() {
    let nats = include_bytes!("../../../peers/recorded/nats.bin");
    let mosquitto = include_bytes!("../../../peers/recorded/mosquitto.bin");
    let nchan = include_bytes!("../../../peers/recorded/nchan.bin");
    let four =
        [(1, 512), (2, 512), (3, 40), (4, 8)].map(|(number, bytes)| message(format!("{number:08}").as_bytes(), bytes));
    let (ready, leaves) = ([Seen::Ready], [Seen::Closed(1001)]);
    assert_eq!(heard_however_cut(Speaks::Nats, nats), [&ready[..], &four, &leaves].concat());
    assert_eq!(heard_however_cut(Speaks::Mqtt, mosquitto), [&ready[..], &four].concat());
    assert_eq!(heard_however_cut(Speaks::Frames, nchan), [&four[..], &leaves].concat());
}
