//! The ground floor: ids, instants and calendar spans, diagnostics, text ranges, hashes.
//!
//! Everything here is a small value without behaviour of its own; nothing here knows what a flow is.
//! Deliberately not here: anything that reads a clock (only `cli` and later `engine` do).

pub mod diagnostic;
pub mod hash;
pub mod id;
pub mod instant;
pub mod nearest;
pub mod span;
pub mod text;
pub mod zone;

pub use diagnostic::{Diagnostic, Place, Severity};
pub use id::{ContactId, EventId, FlowId, JourneyId, MessageId, NodeId, SendKey, VersionHash};
pub use instant::Instant;
pub use span::Span;
pub use text::{OffsetMap, TextRange};
pub use zone::{TimeOfDay, Weekday, Weekdays, Window, Zone};
