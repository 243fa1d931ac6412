//! The body of an answer, no longer than it may be.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use object_store::client::{HttpError, HttpResponseBody};

/// As much of a body as was asked for. Who collects it reserves memory for what it says its length is, so it does not say more
/// than may come. What is cut off is nothing that anybody has asked for; who needs all of something compares lengths.
#[derive(Debug)]
pub(super) struct BoundedBody {
    body: HttpResponseBody,
    left: u64,
}

impl BoundedBody {
    pub(super) fn new(body: HttpResponseBody, bytes_max: u64) -> Self {
        BoundedBody { body, left: bytes_max }
    }
}

impl Body for BoundedBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_frame(context).map_ok(|frame| {
            frame.map_data(|mut data| {
                data.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= data.len() as u64;
                data
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0 || self.body.is_end_stream()
    }

    /// The service's word for a length is not taken where there is no limit.
    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        if self.left < u64::MAX / 2 {
            hint.set_upper(self.left.min(self.body.size_hint().upper().unwrap_or(u64::MAX)));
        }
        hint
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_as_long_as_it_may_be_and_says_so() {
        for (bytes_max, expected) in [(0, ""), (3, "abc"), (6, "abcdef"), (u64::MAX, "abcdef")] {
            let body = BoundedBody::new(HttpResponseBody::from("abcdef".to_owned()), bytes_max);
            assert_eq!(body.size_hint().lower(), 0);
            assert_eq!(HttpResponseBody::new(body).bytes().await.unwrap(), expected);
        }
    }
}
