//! Setting a flow up in an account of Klaviyo or HubSpot, and fetching flows from there.
//!
//! The one idea: look, list, confirm, do, look again. [`Account::look`] reads what the account has, [`Plan`] lists
//! every change, [`run`] carries the list out and writes down each step before and after it ([`Record`]), so that a
//! push that breaks off at any request goes on where it stopped, without doubles; then what is there is read back and
//! compared. A flow arrives as a draft, switched off, its pictures in the account's files. Deliberately not here:
//! files, the environment, threads and prompts (the caller's), and what the platforms' requests look like
//! (`klaviyo/push.rs`, `hubspot/push.rs`).

mod api;
mod client;
mod compare;
#[cfg(feature = "picture")]
mod convert;
mod draft;
mod error;
mod fetch;
mod form;
mod key;
mod picture;
mod plan;
mod record;
mod run;

use crate::flow::{Target, Workspace};

pub(super) use self::{
    api::{Api, Call, MOST_NAMESAKES, MOST_PAGES, Making, NamesOf, Own, objects},
    client::{Manner, Verb},
    compare::compare,
    form::Form,
};
pub use self::{
    api::{State, Thing},
    client::{Client, Patience},
    compare::Difference,
    draft::{Draft, Item, Sort},
    error::{Error, Kind},
    fetch::{Fetched, Listed, fetch, flows},
    key::{Key, KeyPlace, variable},
    picture::ReadPicture,
    plan::{Account, Action, Answers, Change, Choice, Plan},
    record::{Entry, Pending, Pushed, Record, Uploaded, account_label},
    run::{Done, Made, run},
};

/// Whoever waits for a push.
pub trait Watch {
    /// So many steps of so many are done, and this is next.
    fn at(&mut self, done: usize, of: usize, what: &str);

    /// Keeps what was done, at once and whole; a push does not go on without.
    ///
    /// Errors: why it cannot be kept.
    fn keep(&mut self, pushed: &Pushed) -> Result<(), String>;
}

/// A client for an account of a target; the workspace says for which version of the API, `base_url` replaces the
/// platform's address.
///
/// Errors: an address that is none, or would send the key over an open line.
pub fn connect(
    target: Target,
    workspace: &Workspace,
    base_url: Option<&str>,
    key: Key,
    patience: Patience,
) -> Result<Client, Error> {
    Client::with(api_of(target).manner(workspace), base_url, key, patience)
}

/// What a platform's folder says of its API. The engine has none; drafts are not made for it.
fn api_of(target: Target) -> &'static dyn Api {
    match target {
        Target::Hubspot => &super::hubspot::HubspotApi,
        Target::Klaviyo | Target::Engine => &super::klaviyo::KlaviyoApi,
    }
}
