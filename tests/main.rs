//! The one integration binary (it links once); each module is one concern.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects by failing")]
#![allow(
    clippy::disallowed_methods,
    reason = "tests measure that nothing hangs, and the second interpreter may be inexact"
)]

mod cli;
mod compare;
mod drive;
#[cfg(feature = "engine")]
mod engine;
#[cfg(feature = "engine")]
mod engine_real;
mod fidelity;
mod files;
mod fuzz;
mod hubspot_import;
#[cfg(feature = "gui")]
mod imports;
mod klaviyo_import;
mod normal;
mod oracle;
#[cfg(feature = "picture")]
mod pictures;
mod platforms;
#[cfg(feature = "push")]
mod push;
mod readme;
mod rules;
#[cfg(all(feature = "gui", feature = "engine"))]
mod run_page;
mod samples;
mod schema_proofs;
mod tidy;
mod wall;
#[cfg(feature = "gui")]
mod window;
mod world;
