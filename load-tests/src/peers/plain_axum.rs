//! The broadcast that everybody writes first: axum's chat example, with Redis Pub/Sub behind it so that several servers could share it.
//!
//! All as it comes: a task for each phone, a `tokio::sync::broadcast` channel of 100, the library's buffers, one send a message.
//! It is here to be measured; Muster's own way is in `muster::live`.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use futures_util::StreamExt as _;
use tokio::net::TcpListener;
use tokio::sync::broadcast;

use super::dialect::TOPIC;

/// As in axum's example.
const CHANNEL: usize = 100;

/// Serves phones at `address` with what is published on the Redis there.
///
/// # Errors
/// When it cannot listen, or Redis is not there.
pub(super) fn serve(address: SocketAddr, redis: SocketAddr) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (alerts, _) = broadcast::channel(CHANNEL);
        let told = tell(redis, alerts.clone()).await.map_err(io::Error::other)?;
        let router = Router::new().route("/phone", get(upgrade)).with_state(alerts);
        let served = async { axum::serve(TcpListener::bind(address).await?, router).await };
        tokio::select! {
            ended = served => ended,
            () = told => Err(io::Error::other("Redis has gone")),
        }
    })
}

/// Subscribes; what comes back hands on what is published until Redis goes.
async fn tell(redis: SocketAddr, alerts: broadcast::Sender<String>) -> redis::RedisResult<impl Future<Output = ()>> {
    let client = redis::Client::open(format!("redis://{redis}/"))?;
    let mut pubsub = client.get_async_pubsub().await?;
    pubsub.subscribe(TOPIC).await?;
    Ok(async move {
        let mut messages = pubsub.into_on_message();
        while let Some(message) = messages.next().await {
            // With nobody there, nobody is told.
            let _ = message.get_payload().map(|alert| alerts.send(alert));
        }
    })
}

async fn upgrade(upgrade: WebSocketUpgrade, State(alerts): State<broadcast::Sender<String>>) -> Response {
    let mine = alerts.subscribe();
    upgrade.on_upgrade(move |socket| phone(socket, mine))
}

async fn phone(mut socket: WebSocket, mut alerts: broadcast::Receiver<String>) {
    loop {
        tokio::select! {
            alert = alerts.recv() => {
                let Ok(alert) = alert else { break };
                if socket.send(Message::text(alert)).await.is_err() {
                    break;
                }
            }
            said = socket.recv() => {
                if !matches!(said, Some(Ok(_))) {
                    break;
                }
            }
        }
    }
}
