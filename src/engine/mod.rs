//! The durable runner: flows run in their own process, survive anything, and are seen running.
//!
//! The one idea: a thin loop around [`crate::journey::advance`]. One thread writes ([`driver`] in the hands of
//! [`writer`]): it takes what has come, up to a batch, runs it in one transaction of one SQLite file ([`store`]), then
//! answers the callers. The contact is the actor and holds its own timers; the store keeps one wake row per contact.
//! What a flow means is decided in `journey` alone; here stands only what has to do with time passing, processes
//! dying, and servers answering.
//!
//! | part | what stands in it |
//! | --- | --- |
//! | [`work`] | what callers ask of the writer and what they get: events, contacts, orders, jobs |
//! | [`driver`] | a batch: load contacts, advance, store effects; no clock (instants are arguments), no threads |
//! | [`store`] | the file: schema, migrations, rows, backup; all SQL |
//! | [`writer`] | the one thread that writes, its queue, group commit, the hours of the population rules |
//! | [`clock`] | now: real, scaled, or set by hand |
//! | [`delivery`] | from a job to a hand-over: rendering, transports, rates, back-off, links back to the engine |
//! | [`intake`] | HTTP: events, contacts, webhooks of shops, pages of recipients, metrics, and the JSON API |
//! | [`forget`] | what of a forgotten person lies in files |
//! | [`run`] | all of it put together, in one process |
//! | [`client`] | talking to an engine by its data folder, running or not: for `cli` and `gui` |
//! | `readers` | a few connections for looking, so that one slow look keeps nobody else waiting |
//! | `redact` | what may stand in the log: nobody |
//! | [`status`] | what is seen: people per step, rates, latency, held; a contact's trace and mails |
//!
//! Durable means: an answer is given after the commit that holds what was asked (`synchronous=FULL`). A message is
//! handed over at most once: its outbox row is *due*, then *claimed*, then *handing over* (set by compare-and-set in a
//! commit of its own just before the transport); a row found *handing over* after a crash is *unknown*, and shown
//! (SEMANTICS R21).

pub mod client;
pub mod clock;
pub mod delivery;
pub mod driver;
pub mod forget;
pub mod handle;
pub mod intake;
mod readers;
mod redact;
pub mod run;
pub mod status;
pub mod store;
pub mod work;
pub mod writer;

pub use handle::Handle;
