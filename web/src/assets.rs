//! Style and scripts, inside the program: no build step, no other host.

use crate::failure::{Failure, Result};
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// Name, type, content. htmx 4.0.1 from npm, licence 0BSD: see static/htmx.LICENSE.
const FILES: [(&str, &str, &[u8]); 5] = [
    ("pgq.css", "text/css; charset=utf-8", include_bytes!("../static/pgq.css")),
    ("theme.js", JAVASCRIPT, include_bytes!("../static/theme.js")),
    ("live.js", JAVASCRIPT, include_bytes!("../static/live.js")),
    ("htmx.js", JAVASCRIPT, include_bytes!("../static/htmx.min.js")),
    ("icon.svg", "image/svg+xml", include_bytes!("../static/icon.svg")),
];

/// Another for other contents: browsers keep a file as long as its address stays.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let hash = FILES.iter().fold(Sha256::new(), |hash, (_, _, content)| hash.chain_update(content));
        hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    });
    &VERSION
}

pub async fn file(Path(name): Path<String>) -> Result<impl IntoResponse> {
    let (_, kind, content) = FILES.iter().find(|(known, ..)| *known == name).ok_or_else(|| {
        Failure::new(axum::http::StatusCode::NOT_FOUND, "There is no such file", "The address is not right.")
    })?;
    Ok(([(CONTENT_TYPE, *kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")], *content))
}
