//! Contacts, events, conditions over them, scores and segments; loaders for the files that hold them.
//!
//! The one idea: a contact and a log of events are all that is known; everything else (segments, scores,
//! responses, consent) is a question asked of them. Deliberately not here: flows, and opening files (callers hand
//! over readers or bytes).

pub mod condition;
mod contact;
pub mod load;
pub mod log;
pub mod score;
mod value;

pub use condition::{Compiled, Condition, ConditionText, Facts, Path, Truth};
pub use contact::{Channel, Consent, ConsentStatus, Contact, Event, Response, ResponseKind};
pub use load::{AudienceSources, Mapping, Source};
pub use log::EventLog;
pub use score::{ScoreModel, Signal};
pub use value::{Currency, Money, Properties, Value, ValueType, print_number};

/// The people of a workspace with their history, as loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audience {
    /// Contacts in id order.
    pub contacts: Vec<Contact>,
    /// Events in (accepted, file order).
    pub events: Vec<Event>,
    /// Fixed responses.
    pub responses: Vec<Response>,
}
