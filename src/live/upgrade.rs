//! From a request to a live connection: the handshake, then the raw socket to the shard that owns it from there on.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Request, Response};
use axum::response::IntoResponse;
use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::create_response;

use crate::city::City;
use crate::domain::actor::{Actor, Giver};
use crate::domain::area::AreaLevel;
use crate::domain::time::Timestamp;

use super::LiveParts;
use super::codes::Code;
use super::frame::{Frame, Hello, MyCompound, PROTOCOL, ServerFrame, rfc3339};
use super::hub::Registration;
use super::inbox::Mail;

/// Who is on a connection.
#[derive(Debug, Clone)]
pub struct LiveIdentity {
    /// In whose name commands are given and events are heard.
    pub actor: Actor,
    /// When the session or link ends; the connection is closed then.
    pub good_until: Option<Timestamp>,
    /// [`super::Hub::closings`] from before it was looked up who they are.
    pub closings: u64,
}

/// A connection on its way to its shard.
#[derive(Debug)]
pub struct Arrival {
    pub(super) who: LiveIdentity,
    pub(super) registration: Registration,
    pub(super) hello: Frame,
    pub(super) socket: std::net::TcpStream,
    /// What the client said behind its handshake.
    pub(super) said: Bytes,
}

/// A WebSocket handshake that is in order.
#[derive(Debug)]
pub struct Upgrade {
    on_upgrade: OnUpgrade,
    response: Response<()>,
}

/// The request is no WebSocket handshake of version 13 over HTTP/1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no WebSocket handshake, version 13")]
pub struct NoHandshake;

impl IntoResponse for NoHandshake {
    fn into_response(self) -> axum::response::Response {
        (axum::http::StatusCode::BAD_REQUEST, self.to_string()).into_response()
    }
}

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = NoHandshake;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoHandshake> {
        let mut request = Request::new(());
        *request.method_mut() = parts.method.clone();
        *request.version_mut() = parts.version;
        *request.headers_mut() = parts.headers.clone();
        let response = create_response(&request).map_err(|_| NoHandshake)?;
        let on_upgrade = parts.extensions.remove::<OnUpgrade>().ok_or(NoHandshake)?;
        Ok(Self { on_upgrade, response })
    }
}

impl Upgrade {
    /// Answers the handshake: from here on the connection is the hub's. Who asks, and from which page, was checked before.
    pub fn accept(self, who: LiveIdentity, parts: LiveParts) -> axum::response::Response {
        let Self { on_upgrade, response } = self;
        tokio::spawn(async move {
            match on_upgrade.await.map_err(io::Error::other).and_then(raw) {
                Ok((socket, said)) => arrive(socket, said, who, &parts).await,
                // Gone before it began.
                Err(error) => tracing::debug!(%error, "a handshake came to nothing"),
            }
        });
        response.map(|()| Body::empty())
    }
}

/// The socket itself, and what was read from it beyond the handshake.
fn raw(upgraded: Upgraded) -> io::Result<(TcpStream, Bytes)> {
    let parts = downcast::<TokioIo<TcpStream>>(upgraded).map_err(|_| io::Error::other("not a TCP connection"))?;
    Ok((parts.io.into_inner(), parts.read_buf))
}

/// Takes somebody in, or says why not.
async fn arrive(socket: TcpStream, said: Bytes, who: LiveIdentity, parts: &LiveParts) {
    match begin(&who, parts) {
        Ok((registration, hello)) => hand_over(socket, said, who, registration, hello),
        Err(code) => {
            let nth = who.actor.person_id().map_or(0, |person| person.0.as_u64_pair().1);
            let limits = parts.hub.limits();
            turn_away(socket, Frame::of_close(code, nth, limits.reconnect_spread), limits.close_timeout).await;
        }
    }
}

fn hand_over(socket: TcpStream, said: Bytes, who: LiveIdentity, registration: Registration, hello: Frame) {
    let ready = socket.set_nodelay(true).and_then(|()| socket.into_std());
    match ready {
        Ok(socket) => {
            let (hub, place) = (registration.hub().clone(), registration.place);
            let arrival = Arrival { who, registration, hello, socket, said };
            hub.inbox(place).leave(Mail::Begin(Box::new(arrival)));
        }
        // Dropped, the registration gives the seat back.
        Err(error) => tracing::debug!(%error, "a socket was lost before it began"),
    }
}

/// Says why nobody is taken in, and gives the other side time to read it.
async fn turn_away(mut socket: TcpStream, goodbye: Frame, within: Duration) {
    let saying = async {
        socket.write_all(goodbye.bytes()).await?;
        socket.shutdown().await?;
        let mut rest = [0; 256];
        while socket.read(&mut rest).await? > 0 {}
        Ok::<(), io::Error>(())
    };
    // However it goes, the connection is over.
    let _ = timeout(within, saying).await;
}

/// Registers and says hello, both of the city as it stands at one position.
fn begin(who: &LiveIdentity, parts: &LiveParts) -> Result<(Registration, Frame), Code> {
    let city = parts.muster.city();
    let registration = parts.hub.register_known(&city, &who.actor, who.closings)?;
    let hello = hello(&city, &who.actor, parts, &registration);
    Ok((registration, hello))
}

fn hello(city: &City, actor: &Actor, parts: &LiveParts, registration: &Registration) -> Frame {
    let limits = parts.hub.limits();
    let my_compound = |id| {
        let state = city.compound(id).ok()?;
        let standing = city.standing(actor, id);
        Some(MyCompound {
            id,
            name: state.compound.name.clone(),
            in_line: standing.in_line,
            post_holder: standing.post_holder,
            in_command: standing.in_command,
            command_epoch: state.succession.epoch,
        })
    };
    ServerFrame::Hello(Hello {
        protocol: PROTOCOL,
        person: actor.person_id(),
        household: if let Giver::Household(household) = actor.giver { Some(household) } else { None },
        grants: &actor.grants,
        compounds: city.seen_places_of(actor).filter_map(my_compound).collect(),
        city: city.areas().find(|area| area.code.level() == AreaLevel::City),
        epoch: &parts.muster.journal_epoch(),
        cursor: registration.cursor,
        at: rfc3339(parts.muster.now(), limits.utc_offset_min),
        as_of: parts.hub.as_of().map(|as_of| rfc3339(as_of, limits.utc_offset_min)),
        heartbeat_s: limits.heartbeat.as_secs(),
        resume_wait_ms: limits.resume_wait.as_millis().try_into().unwrap_or(u64::MAX),
    })
    .encode()
}
