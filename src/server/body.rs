//! Receiving a body: soon, and within the memory that bodies of strangers may take together. What is in it is not looked at.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Bytes of a delivery: a hundred events are some 40 kilobytes.
const MAX_BODY: usize = 1 << 20;
/// What every connection may send whatever the others do.
const SMALL: usize = 64 << 10;
/// Bytes of all deliveries that are being received. Larger ones may take half of it, so that the other half has room for a
/// small one of every connection: slow senders cannot keep HubSpot out.
const ROOM: usize = 128 << 20;
/// HubSpot sends a body at once, and waits five seconds for its answer.
const DELIVERY_TIME: Duration = Duration::from_secs(2);
/// How long an operator's body may take; the work may take longer.
const OPERATOR_TIME: Duration = Duration::from_secs(5);

/// Memory for bodies that are being received, counted in bytes.
#[derive(Debug)]
pub(super) struct Room(Semaphore);

impl Default for Room {
    fn default() -> Self {
        Self(Semaphore::new(ROOM))
    }
}

/// A body, and its place in memory until it is dropped.
#[derive(Debug)]
pub(super) struct Received<'a> {
    pub(super) bytes: Vec<u8>,
    pub(super) place: Option<SemaphorePermit<'a>>,
}

impl Room {
    /// Receives a delivery, or answers why not.
    pub(super) async fn receive(&self, body: Body) -> Result<Received<'_>, StatusCode> {
        let received = tokio::time::timeout(DELIVERY_TIME, self.frames(body)).await;
        received.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
    }

    async fn frames(&self, mut body: Body) -> Result<Received<'_>, StatusCode> {
        let (mut bytes, mut place) = (Vec::new(), None::<SemaphorePermit<'_>>);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?.into_data() else { continue };
            if bytes.len() + data.len() > MAX_BODY {
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            let more = self.place(bytes.len() + data.len(), &data)?;
            match &mut place {
                Some(place) => place.merge(more),
                None => place = Some(more),
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Received { bytes, place })
    }

    fn place(&self, length: usize, data: &Bytes) -> Result<SemaphorePermit<'_>, StatusCode> {
        let crowded = length > SMALL && self.0.available_permits() < ROOM / 2 + data.len();
        let wanted = u32::try_from(data.len()).ok().filter(|_| !crowded);
        let place = wanted.and_then(|bytes| self.0.try_acquire_many(bytes).ok());
        // HubSpot sends it again.
        place.ok_or(StatusCode::SERVICE_UNAVAILABLE)
    }
}

/// Lets a request through once its body is here.
pub(super) async fn in_time(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(OPERATOR_TIME, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(_)) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn large() -> Body {
        Body::from(vec![b'x'; MAX_BODY])
    }

    #[tokio::test]
    async fn large_bodies_leave_room_for_small_ones() {
        let (room, mut held) = (Room::default(), Vec::new());
        while let Ok(one) = room.receive(large()).await {
            held.push(one);
        }
        assert_eq!(held.len(), ROOM / 2 / MAX_BODY, "half of the room");
        for _ in 0..ROOM / 2 / SMALL {
            held.push(room.receive(Body::from(vec![b'x'; SMALL])).await.unwrap());
        }
        assert_eq!(room.receive(large()).await.err(), Some(StatusCode::SERVICE_UNAVAILABLE));
        drop(held);
        assert!(room.receive(large()).await.is_ok(), "what is received gives its place back");
        let longer = Body::from(vec![b'x'; MAX_BODY + 1]);
        assert_eq!(room.receive(longer).await.err(), Some(StatusCode::PAYLOAD_TOO_LARGE));
    }
}
