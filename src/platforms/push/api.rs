//! What a platform's folder says about its API; the only thing in a push that differs between platforms.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::AtomicBool,
};

use serde_json::Value as Json;

use crate::{flow::Workspace, platforms::import::Template};

use super::{
    Client, Error,
    client::{Manner, Verb},
    compare::Difference,
    draft::{Draft, Item, Sort},
    fetch::Listed,
    form::Form,
};

/// Something in an account.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Thing {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What tells it from others of that name: the integration of a metric, when it was made.
    pub about: String,
}

/// Something of ours in an account, with all that the account says of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Own {
    /// Its id and name.
    pub thing: Thing,
    /// As it was read.
    pub json: Json,
}

impl Own {
    /// Itself, if it is what was asked for: a proxy may say 200 to anything.
    pub(in crate::platforms) fn known_as(self, id: &str) -> Result<Self, Error> {
        if self.thing.id == id { Ok(self) } else { Err(Error::strange(format!("The answer is not about `{id}`"))) }
    }
}

/// Whether a push can make something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Making {
    /// It can; what it makes, in words.
    Makes(String),
    /// It leaves the placeholder, and people do this afterwards.
    ByHand(String),
    /// It cannot, and the flow cannot do without: why, and what to do.
    Cannot(String, String),
}

/// What a flow is in, in the account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// A draft, switched off: nobody gets anything from it.
    Off,
    /// It runs.
    Live,
}

/// A client and whether to stop: what every call needs.
pub(in crate::platforms) struct Call<'a> {
    pub client: &'a mut Client,
    pub stop: &'a AtomicBool,
}

impl Call<'_> {
    pub fn get(&mut self, path: &str) -> Result<Json, Error> {
        self.client.get(path, self.stop)
    }

    pub fn send(&mut self, verb: Verb, path: &str, body: &Json) -> Result<Json, Error> {
        self.client.send(verb, path, body, self.stop)
    }

    pub fn upload(&mut self, path: &str, form: &Form<'_>) -> Result<Json, Error> {
        self.client.upload(path, form, self.stop)
    }

    /// What is there under an id; `None` where it is gone.
    pub fn get_if_there(&mut self, path: &str) -> Result<Option<Json>, Error> {
        match self.get(path) {
            Ok(json) => Ok(Some(json)),
            Err(error) if error.kind == super::Kind::Gone => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where flows are, below the base.
    pub fn flows(&self) -> String {
        self.client.flows().to_owned()
    }

    pub fn settle(&mut self, attempt: u32) -> Result<(), Error> {
        self.client.settle(attempt, self.stop)
    }

    pub fn tries(&self) -> u32 {
        self.client.tries()
    }
}

/// A part of an account by a word, with the names in it by kind and id.
pub(in crate::platforms) type NamesOf = (&'static str, Result<BTreeMap<String, String>, Error>);

/// Every object inside a body, with where it stands.
pub(in crate::platforms) fn objects(body: &Json) -> Vec<(String, &serde_json::Map<String, Json>)> {
    let mut out = Vec::new();
    let mut open = vec![(String::new(), body)];
    while let Some((at, value)) = open.pop() {
        match value {
            Json::Object(map) => {
                let part = |key: &str| key.replace('~', "~0").replace('/', "~1");
                open.extend(map.iter().rev().map(|(key, value)| (format!("{at}/{}", part(key)), value)));
                out.push((at, map));
            }
            Json::Array(items) => {
                open.extend(items.iter().enumerate().rev().map(|(n, value)| (format!("{at}/{n}"), value)));
            }
            _ => {}
        }
    }
    out
}

/// Pages of a listing are read up to here. Source: assumption; 1,000 templates at 10 a page are 100.
pub(in crate::platforms) const MOST_PAGES: usize = 500;
/// So many things of one name are looked at more closely. Source: assumption; a name is rarely there twice.
pub(in crate::platforms) const MOST_NAMESAKES: usize = 8;

/// A platform's API.
pub(in crate::platforms) trait Api {
    /// How it wants to be spoken to.
    fn manner(&self, workspace: &Workspace) -> Manner;

    /// What a body names by itself, without a placeholder: forms, senders. Each with its name, and where it stands.
    fn named_in(&self, body: &Json) -> Vec<(Sort, String, String)>;

    /// A picture that an earlier push uploaded, by its id in the account: its address as [`Thing::id`], the account's
    /// id as [`Thing::about`]; `None` where it is gone.
    fn picture(&self, call: &mut Call<'_>, id: &str) -> Result<Option<Thing>, Error>;

    /// What fits each of the wanted names, which are all of one sort; in the order of `wanted`. Of pictures as
    /// [`Api::picture`] gives them.
    fn look_up(&self, call: &mut Call<'_>, sort: Sort, wanted: &[&Item]) -> Result<Vec<Vec<Thing>>, Error>;

    /// What a push can do where nothing fits.
    fn making(&self, item: &Item) -> Making;

    /// Makes a name that is missing, or uploads a picture; `None` where its id shows only later.
    fn make(&self, call: &mut Call<'_>, item: &Item) -> Result<Option<Thing>, Error>;

    /// A mail or a flow of ours by its id; `None` where it is gone.
    fn read(&self, call: &mut Call<'_>, sort: Sort, id: &str) -> Result<Option<Own>, Error>;

    /// Mails or flows of that name, at most [`MOST_NAMESAKES`] of them, as [`Api::read`] gives them.
    fn namesakes(&self, call: &mut Call<'_>, sort: Sort, name: &str) -> Result<Vec<Own>, Error>;

    /// Creates a mail or a flow; it arrives as a draft.
    fn create(&self, call: &mut Call<'_>, sort: Sort, body: &Json) -> Result<Thing, Error>;

    /// Whether it runs.
    fn state(&self, own: &Own) -> State;

    /// Why a flow that is there cannot be given another body; `None` where it can.
    fn fixed(&self, sort: Sort) -> Option<(&'static str, &'static str)>;

    /// Gives a mail or a flow another body.
    fn update(&self, call: &mut Call<'_>, sort: Sort, own: &Own, body: &Json) -> Result<(), Error>;

    /// Where the platform keeps copies of mails in its flows: gives the flow's messages these mails again.
    fn hand_again(&self, call: &mut Call<'_>, own: &Own, body: &Json, mails: &[(&str, &str)]) -> Result<(), Error>;

    /// What of a mail a flow holds: its id, and its content where the platform copies it.
    fn held(&self, id: &str, hash: &str) -> String;

    /// Waits until a new flow is whole, where the platform makes it bit by bit.
    fn is_whole(&self, own: &Own) -> bool;

    /// What differs from what was sent.
    fn differences(&self, sort: Sort, sent: &Json, own: &Own) -> Vec<Difference>;

    /// What people do after a push, besides switching the flow on.
    fn afterwards(&self, draft: &Draft) -> Vec<String>;

    /// Where people look at a flow; `None` where the address is not known.
    fn page(&self, flow: &Thing) -> Option<String>;

    /// The account's flows.
    fn flows(&self, call: &mut Call<'_>) -> Result<Vec<Listed>, Error>;

    /// A flow as an import reads it.
    fn as_given(&self, own: &Own) -> Json;

    /// Ids of the mails that a flow's messages name, each once.
    fn mails_in(&self, own: &Own) -> BTreeSet<String>;

    /// A mail as an import reads it; `None` where it is gone.
    fn mail(&self, call: &mut Call<'_>, id: &str) -> Result<Option<Template>, Error>;

    /// Names by kind and id, one part of the account after the other, each called by a word.
    fn names(&self, call: &mut Call<'_>) -> Vec<NamesOf>;
}
