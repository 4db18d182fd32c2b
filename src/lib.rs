//! Flowloom: behavioural e-mail flows as node graphs, checked, played and previewed before anyone gets a mail.
//!
//! # The map
//!
//! Rooms stand in layers; each uses only rooms above it (the table is data in `tests/fixtures/walls.txt`, and a test
//! holds it).
//!
//! | room | what stands in it |
//! | --- | --- |
//! | [`base`] | ids, instants and calendar spans, zones, diagnostics, text ranges, the hashes that stand in for chance |
//! | [`audience`] | contacts, events, conditions over them, scores, segments; loaders for JSON Lines and CSV |
//! | [`content`] | messages: fields, template language, blocks, themes, HTML and text, lints; pictures (feature `picture`) |
//! | [`kinds`] | node kinds, one file each, and their catalogue |
//! | [`flow`] | the document: graph, edits and history, checks, file format and its migrations, the workspace |
//! | [`journey`] | `advance()`: one contact and its flows, one input at a time; no clock, no IO |
//! | [`simulate`] | replay of an audience through `journey` |
//! | [`platforms`] | Klaviyo, HubSpot, engine: exports, imports, templates, losses; accounts (feature `push`) |
//! | [`report`] | what a client gets: picture of the flow (SVG, PDF, PNG, Mermaid), the document, differences in words |
//! | `engine` | the durable runner (feature `engine`): store, intake, timers, outbox, delivery |
//! | [`app`] | the editor without a window: state, commands, jobs; no egui, files, threads |
//! | [`disk`] | workspaces and flows as files: read with limits, written whole; for `gui` and `cli` |
//! | [`post`] | a test mail on its way: by a mail server, into a folder; for `gui` and `cli` |
//! | `gui` | the window (feature `gui`): canvas, panels, widgets, theme; draws and asks, decides nothing; `requests` performs |
//! | [`cli`] | one file per subcommand |
//! | `testing` | generators and fixtures; hidden, for tests, benches and the samples |
//!
//! Data flow one way: a file becomes a [`flow::Flow`] (a value), edits make new ones, checks read one,
//! [`journey::FlowSet`] makes them ready to run, [`journey::advance`] moves one contact on by one input, and drivers
//! ([`simulate`] and `engine`) do nothing but load, advance, store, act. What a flow means is said in `journey` alone.
//!
//! # Glossary (one meaning each)
//!
//! - **flow**: a drawn sequence; **node** (in the window a *step*): one card of it; **port**: a named way out of a
//!   node; **edge**: from a port to a node; **trigger**: the node that lets contacts in, with alternatives.
//! - **contact**: a person; **event**: something that happened to one, with the time it happened and the time it was
//!   accepted; **metric**: an event's name; **audience**: the sample contacts of a workspace.
//! - **journey**: one contact's way through one flow; **pass**: nth arrival of a journey at a node; **entry**: what let
//!   the contact in.
//! - **message**: an e-mail or SMS of a node; **variant**: one version of it; **merge tag**: `{cart_value}` in a text;
//!   **field**: a declared merge tag with type, source and fallback.
//! - **intent**: what a journey wants done; **hand-over**: a message to its transport; **outcome**: what became of a
//!   send; **response**: what a contact did with a message.
//! - **cap**: most messages in a window; **cooldown**: quiet time after a message; **quiet hours**: when nothing
//!   leaves;
//!   **goal**, **exit**: what ends a journey.
//! - **target**: Klaviyo, HubSpot or the engine; **loss**: what a target cannot express; **foreign**: of an import,
//!   what only its platform knows; kept, and given back unchanged.
//! - **outbox**: the sends of an engine with where they stand; **claim**: a send that a sender has; **held**: what
//!   waits for a person; **unknown**: a send that may have left; **order**: a word from outside (publish, pause,
//!   retry, …).
//! - **diagnostic**: code, severity, place, message, hint; **fix**: the edits that mend it.
//! - **workspace**: a folder with `flowloom.ron`: segments, score models, caps, senders, brand.

pub mod app;
pub mod audience;
pub mod base;
pub mod cli;
pub mod content;
pub mod disk;
#[cfg(feature = "engine")]
pub mod engine;
pub mod flow;
#[cfg(feature = "gui")]
pub mod gui;
pub mod journey;
pub mod kinds;
pub mod platforms;
pub mod post;
pub mod report;
pub mod simulate;
#[doc(hidden)]
pub mod testing;
