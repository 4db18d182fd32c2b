//! How things come in: HTTP (events, contacts, histories, webhooks of shops), a watched folder, the pages of
//! recipients; and how people and machines look in: status, contacts, metrics.
//!
//! The one idea: "taken" is said only after the commit that holds it, and nothing is lost in silence: what cannot be
//! taken is answered with the reason, item by item, and what cannot be understood is kept aside (SEMANTICS R31).
//!
//! | part | what stands in it |
//! | --- | --- |
//! | [`server`] | the listener: threads, limits, time-outs, stopping |
//! | [`api`] | `/v1/…`, `/health`, `/ready`, `/metrics` |
//! | [`hooks`], [`mapping`] | `/hooks/…`: bodies of others, by files that people can edit |
//! | [`pages`] | `/u/`, `/p/`, `/v/`, `/o/`, `/c/`: what recipients see |
//! | [`watch`] | files: a watched folder, and the reader that `flowloom ingest` uses |
//! | [`layout`], [`item`] | bodies apart, and one object as an event, contact or history |
//! | [`guard`], [`door`] | who may ask; where a running engine is found |
//! | [`order`] | orders as JSON |
//! | [`aside`], [`pulse`] | what is kept for people; numbers |

pub mod api;
pub mod aside;
pub mod door;
mod form;
pub mod guard;
pub mod hooks;
pub mod item;
pub mod layout;
pub mod mapping;
pub mod order;
pub mod pages;
pub mod pulse;
pub mod server;
#[cfg(test)]
mod tests;
pub mod watch;

use std::{path::PathBuf, sync::Arc};

use self::{aside::Aside, guard::Guard, mapping::Mapping, pulse::Pulse};
use super::{
    clock::Clock,
    delivery::links::Links,
    forget::{self, Person, Places},
    handle::Handle,
    status::{AuditRow, ContactView, DamagedContact, Export, Found, HeldRow, MoveView, Status},
};
use crate::{
    base::{ContactId, FlowId, NodeId, SendKey},
    flow::Workspace,
};

/// What intake reads of the store, on a connection of its own. Blocks; called from threads that may wait.
///
/// All errors are sentences for people: the store cannot be read now.
pub trait Reader: Send + Sync {
    /// The whole engine.
    fn status(&self) -> Result<Status, String>;

    /// One contact with its journeys, messages, trace; `None` where there is none of that id.
    fn contact(&self, id: &ContactId) -> Result<Option<ContactView>, String>;

    /// Everything that is known of a contact; `None` where there is none of that id.
    fn export(&self, id: &ContactId) -> Result<Option<Export>, String>;

    /// Contacts whose id or address begins with or contains the text; at most `limit`, in id order.
    fn search(&self, text: &str, limit: usize) -> Result<Vec<Found>, String>;

    /// What waits for a person to look at it, oldest first; at most `limit`.
    fn held(&self, limit: usize) -> Result<Vec<HeldRow>, String>;

    /// Contacts that cannot be read, the first ones first; at most `limit`.
    fn damaged(&self, limit: usize) -> Result<Vec<DamagedContact>, String>;

    /// What people did by hand, newest first; at most `limit`.
    fn audit(&self, limit: usize) -> Result<Vec<AuditRow>, String>;

    /// Whether there is a contact of that id, readable or not.
    fn knows(&self, id: &ContactId) -> Result<bool, String>;

    /// A mail as it was sent (RFC 5322); `None` where it is not kept.
    fn mail(&self, key: &SendKey) -> Result<Option<Vec<u8>>, String>;

    /// Addresses that never get anything, in order.
    fn suppressed(&self) -> Result<Vec<String>, String>;

    /// Where the journeys of a flow's older versions would go if they were moved to the live one, with steps that are
    /// gone and what takes their place; `None` where the flow is not live.
    fn migration(&self, flow: &FlowId, mapping: &[(NodeId, NodeId)]) -> Result<Option<Vec<MoveView>>, String>;

    /// Of which forgotten people something may lie in files still, and where files of people may lie.
    fn erasing(&self) -> Result<(Vec<Person>, Places), String>;

    /// The live workspace.
    fn workspace(&self) -> Result<Workspace, String>;
}

/// What intake works with; shared by all requests.
pub struct House {
    /// The writer.
    pub handle: Handle,
    /// The store, for reading.
    pub reader: Arc<dyn Reader>,
    /// Recipients' links.
    pub links: Arc<Links>,
    /// Numbers.
    pub pulse: Arc<Pulse>,
    /// The engine's clock.
    pub clock: Clock,
    /// Who may ask.
    pub guard: Guard,
    /// Webhooks of others.
    pub mapping: Mapping,
    /// What could not be understood.
    pub aside: Aside,
    /// The data folder.
    pub data: PathBuf,
}

impl House {
    /// Deletes what lies of a forgotten person in files, and tells the store; what was done in words. Blocks, perhaps
    /// for long.
    pub fn erase(&self, contact: &ContactId) -> String {
        let later = |why: String| format!(". Its files are deleted with the next start: {why}");
        let (people, places) = match self.reader.erasing() {
            Ok(found) => found,
            Err(error) => return later(error),
        };
        let Some(person) = people.into_iter().find(|person| person.id == *contact) else { return String::new() };
        let erased = forget::erase(&person, &self.data, &places);
        forget::tell(&self.handle, &person, &erased);
        erased.said(contact)
    }
}
