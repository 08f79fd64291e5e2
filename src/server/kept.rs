//! Files that a browser may keep: answered with their content's hash as `ETag`, and with 304 while they are the same.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::journal::record::{Hash, hex};

/// A file with the hash of its content.
pub struct File<B> {
    /// Media type.
    pub kind: &'static str,
    /// What `Cache-Control` says.
    pub kept: &'static str,
    /// How the content is packed (`br`); `None` where it is sent as it is, or gzipped by the stack.
    pub packed: Option<&'static str>,
    /// SHA-256 of the content.
    pub hash: Hash,
    /// The content.
    pub content: B,
}

impl<B: IntoResponse> File<B> {
    /// The file, or that it is still the one that the browser has.
    pub fn answer(self, asked: &HeaderMap) -> Response {
        let tag = format!("\"{}\"", hex(&self.hash));
        let same = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
        let kept = [(header::ETAG, tag.as_str()), (header::CACHE_CONTROL, self.kept)];
        if same {
            return (StatusCode::NOT_MODIFIED, kept).into_response();
        }
        let mut response = (kept, [(header::CONTENT_TYPE, self.kind)], self.content).into_response();
        if let Some(packed) = self.packed {
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(packed));
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        response
    }
}
