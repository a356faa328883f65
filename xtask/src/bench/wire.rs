//! What goes over the wire, by hand: the players share a machine with the server, and a library
//! that reads all of every message would cost more than playing. Just enough of RFC 6455 to be
//! ten thousand light clients (whole text frames, pings and closes), and of JSON.

use anyhow::{Result, bail, ensure};

use super::person::Ball;

/// A mask of zeros leaves the payload as it is, so making a frame is one copy. The server unmasks
/// it like any other.
const MASK: [u8; 4] = [0; 4];

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Frame<'a> {
    Text(&'a str),
    Ping(&'a [u8]),
    Close(Option<u16>),
    Other,
}

/// Reads the first frame of `bytes`, and how long it is; `None` when it isn't all there yet.
pub(crate) fn read_frame(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>> {
    let [first, second, ..] = *bytes else { return Ok(None) };
    ensure!(first & 0x80 != 0, "a fragmented frame");
    ensure!(second & 0x80 == 0, "a masked frame from the server");
    let (head, length) = match second {
        126 => {
            let Some(&[high, low]) = bytes.get(2..4) else { return Ok(None) };
            (4, usize::from(u16::from_be_bytes([high, low])))
        }
        127 => bail!("a frame of more than 64 KiB"),
        short => (2, usize::from(short)),
    };
    let Some(payload) = bytes.get(head..head + length) else { return Ok(None) };
    let frame = match first & 0x0f {
        1 => Frame::Text(std::str::from_utf8(payload)?),
        8 => Frame::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
        9 => Frame::Ping(payload),
        _ => Frame::Other,
    };
    Ok(Some((frame, head + length)))
}

/// Makes a text frame.
pub(crate) fn text(message: &str) -> Vec<u8> {
    write_frame(0x1, message.as_bytes())
}

/// Makes the answer to a ping.
pub(crate) fn pong(payload: &[u8]) -> Vec<u8> {
    write_frame(0xa, payload)
}

/// Makes a normal close.
pub(crate) fn close() -> Vec<u8> {
    write_frame(0x8, &1000u16.to_be_bytes())
}

/// Client messages are short: 65,535 bytes are the most that fit.
fn write_frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 8);
    frame.push(0x80 | opcode);
    match u8::try_from(payload.len()) {
        Ok(length @ ..126) => frame.push(0x80 | length),
        _ => {
            let length = u16::try_from(payload.len()).expect("a client's message is short");
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload);
    frame
}

/// The parts of a message that a player of Pong acts on.
#[derive(Debug, Default)]
pub(crate) struct Message<'a> {
    pub(crate) kind: &'a str,
    pub(crate) seq: Option<u64>,
    pub(crate) at: Option<f64>,
    pub(crate) seat: Option<usize>,
    pub(crate) n: Option<u64>,
    pub(crate) status: &'a str,
    pub(crate) you: Option<usize>,
    pub(crate) ball: Option<Ball>,
    /// The ball rests, and will be served.
    pub(crate) serve: bool,
    /// Of a `pong`: the number that was sent.
    pub(crate) t: Option<f64>,
    /// Of an `error`: what it was.
    pub(crate) code: &'a str,
    /// Of a `rematch` that both accepted.
    pub(crate) match_id: Option<&'a str>,
}

impl<'a> Message<'a> {
    pub(crate) fn read(text: &'a str) -> Message<'a> {
        let mut message = Message::default();
        for (key, value) in fields(text) {
            match key {
                "type" => message.kind = word(value),
                "seq" => message.seq = value.parse().ok(),
                "at" => message.at = value.parse().ok(),
                "seat" => message.seat = value.parse().ok(),
                "n" => message.n = value.parse().ok(),
                "status" => message.status = word(value),
                "you" => message.you = value.parse().ok(),
                "ball" => message.ball = ball(value),
                "serve" => message.serve = value != "null",
                "t" => message.t = value.parse().ok(),
                "code" => message.code = word(value),
                "match_id" if value != "null" => message.match_id = Some(word(value)),
                "game" => {
                    message.ball = fields(value).find(|f| f.0 == "ball").and_then(|f| ball(f.1))
                }
                _ => {}
            }
        }
        message
    }
}

/// `[t, x, y, vx, vy]`, or nothing for `null`.
fn ball(value: &str) -> Option<Ball> {
    let mut numbers = value.strip_prefix('[')?.strip_suffix(']')?.split(',').map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(Ball { t: next()?, x: next()?, y: next()?, vx: next()?, vy: next()? })
}

/// The words we look at have nothing to unescape.
fn word(value: &str) -> &str {
    value.trim_matches('"')
}

/// The fields of a JSON object, with their values as they are written.
fn fields(object: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = object.strip_prefix('{').unwrap_or_default();
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once('"')?;
        let (key, after) = after.split_once("\":")?;
        let end = value_end(after.as_bytes());
        rest = &after[end..];
        Some((key, after[..end].trim()))
    })
}

/// Where a value ends: at the comma or bracket that belongs to what is around it.
fn value_end(bytes: &[u8]) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => depth += 1,
            b',' | b'}' | b']' if depth == 0 => return index,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_one_by_one() {
        let bytes = b"\x81\x02hi\x89\x01x\x88\x02\x11\x3a\x81\x7e\x00\x03abc\x81\x05cut";
        let mut rest = &bytes[..];
        let mut heard = Vec::new();
        while let Some((frame, length)) = read_frame(rest).unwrap() {
            heard.push(frame);
            rest = &rest[length..];
        }
        let expected =
            [Frame::Text("hi"), Frame::Ping(b"x"), Frame::Close(Some(4410)), Frame::Text("abc")];
        assert_eq!(heard, expected);
        assert_eq!(rest, b"\x81\x05cut");
    }

    #[test]
    fn what_a_server_may_not_send_is_refused() {
        assert!(read_frame(b"\x81\x82\0\0\0\0hi").is_err());
        assert!(read_frame(b"\x01\x02hi").is_err());
    }

    #[test]
    fn frames_are_masked() {
        assert_eq!(text("hi"), b"\x81\x82\0\0\0\0hi");
        let long = text(&"x".repeat(300));
        assert_eq!(long[..8], [0x81, 0xfe, 1, 44, 0, 0, 0, 0]);
        assert_eq!(close(), b"\x88\x82\0\0\0\0\x03\xe8");
    }

    #[test]
    fn an_update_is_read() {
        let text =
            r#"{"type":"game_update","seq":12,"at":3456,"seat":1,"n":7,"paddle":[0.5,0.25]}"#;
        let message = Message::read(text);
        assert_eq!(
            (message.kind, message.seq, message.at),
            ("game_update", Some(12), Some(3456.0))
        );
        assert_eq!((message.seat, message.n, message.ball.is_some()), (Some(1), Some(7), false));
    }

    #[test]
    fn the_ball_is_read_from_an_update_and_from_a_view() {
        let ball = Ball { t: 3000.5, x: 400.0, y: 250.0, vx: -311.7, vy: 180.0 };
        let update =
            r#"{"type":"game_update","seq":1,"at":3000,"ball":[3000.5,400,250,-311.7,180]}"#;
        assert_eq!(Message::read(update).ball, Some(ball));
        let state = r#"{"type":"game_state","you":0,"players":[{"seat":1,"user":{"display_name":
            "a\"}],b"}}],"game":{"field":{"width":800},"ball":[3000.5,400,250,-311.7,180]}}"#;
        let message = Message::read(state);
        assert_eq!((message.you, message.seat, message.ball), (Some(0), None, Some(ball)));
    }

    #[test]
    fn a_rematch_names_its_match_once_both_agree() {
        let offered = r#"{"type":"rematch","seats":[0],"match_id":null}"#;
        assert_eq!(Message::read(offered).match_id, None);
        let agreed = r#"{"type":"rematch","seats":[0,1],"match_id":"0000000abcd"}"#;
        assert_eq!(Message::read(agreed).match_id, Some("0000000abcd"));
    }
}
