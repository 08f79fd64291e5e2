//! `muster openapi`: the description of the HTTP API, as the server gives it at `/api/v1/openapi.json`.

use std::io::{Write as _, stdout};

use crate::server::router::api;

/// Prints the document.
#[derive(Debug, clap::Args)]
pub(super) struct Openapi {}

impl Openapi {
    #[expect(clippy::unused_self, reason = "every verb runs itself")]
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (_, document) = api();
        Ok(stdout().write_all(document.to_pretty_json()?.as_bytes())?)
    }
}
