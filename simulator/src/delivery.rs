//! How a reply leaves: whole, late, in pieces, cut off, or not at all.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};

use crate::faults::{Fault, edge_page};
use crate::http::Reply;

/// The connection is to be closed where the body stands.
#[derive(Debug, thiserror::Error)]
#[error("cut off by a fault rule")]
pub(crate) struct Cut;

/// How the bytes of one reply are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Whole,
    /// Nothing is sent and the connection closes.
    Nothing,
    Half,
    /// The header promises more than comes.
    TooShort,
    Drip {
        ms: u64,
        bytes: usize,
    },
}

/// Changes a reply and tells how to send it, as a fault wants.
pub(crate) fn spoil(fault: Option<&Fault>, mut reply: Reply) -> (Reply, Manner) {
    let manner = match fault {
        Some(Fault::DropBefore | Fault::DropAfter) => Manner::Nothing,
        Some(Fault::DropHalf) => Manner::Half,
        Some(Fault::WrongContentLength) => Manner::TooShort,
        Some(Fault::Drip { ms, bytes }) => Manner::Drip { ms: *ms, bytes: (*bytes).max(1) },
        Some(Fault::Truncated) => {
            reply.body.truncate(reply.body.len() / 3 * 2);
            Manner::Whole
        }
        Some(Fault::Html200) => {
            reply = Reply::html(200, edge_page(200));
            Manner::Whole
        }
        Some(Fault::Malformed) => {
            // A colon becomes a semicolon: the length is right, the brackets match, it is no JSON.
            if let Some(colon) = reply.body.iter().position(|byte| *byte == b':') {
                reply.body[colon] = b';';
            }
            Manner::Whole
        }
        _ => Manner::Whole,
    };
    (reply, manner)
}

/// A body in pieces, with a pause before each but the first, and perhaps a cut at its end.
#[derive(Debug)]
pub(crate) struct Pieces {
    pieces: VecDeque<Bytes>,
    pause: Option<Duration>,
    cut: bool,
    waiting: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Pieces {
    pub(crate) fn of(body: Vec<u8>, manner: Manner) -> Self {
        let whole = Bytes::from(body);
        let mut pieces = Self { pieces: VecDeque::new(), pause: None, cut: false, waiting: None };
        match manner {
            Manner::Whole => pieces.pieces.push_back(whole),
            Manner::Nothing => pieces.cut = true,
            Manner::Half => {
                pieces.pieces.push_back(whole.slice(..whole.len() / 2));
                // The first half has to be on its way before the connection goes.
                pieces.pause = Some(Duration::from_millis(20));
                pieces.cut = true;
            }
            Manner::TooShort => {
                pieces.pieces.push_back(whole);
                pieces.pause = Some(Duration::from_millis(20));
                pieces.cut = true;
            }
            Manner::Drip { ms, bytes } => {
                pieces.pause = Some(Duration::from_millis(ms));
                let mut rest = whole;
                while !rest.is_empty() {
                    let piece = rest.split_to(bytes.min(rest.len()));
                    pieces.pieces.push_back(piece);
                }
            }
        }
        pieces.pieces.retain(|piece| !piece.is_empty());
        pieces
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(waiting) = self.waiting.as_mut() {
            std::task::ready!(waiting.as_mut().poll(context));
            self.waiting = None;
        }
        if let Some(piece) = self.pieces.pop_front() {
            if let Some(pause) = self.pause {
                self.waiting = Some(Box::pin(tokio::time::sleep(pause)));
            }
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if std::mem::take(&mut self.cut) {
            return Poll::Ready(Some(Err(Cut)));
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && !self.cut
    }

    fn size_hint(&self) -> SizeHint {
        if self.cut {
            SizeHint::default()
        } else {
            SizeHint::with_exact(self.pieces.iter().map(|p| p.len() as u64).sum())
        }
    }
}
