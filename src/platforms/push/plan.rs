//! What a push will do, as a list that people confirm before anything happens.
//!
//! The one idea: looking at the account ([`Account::look`]) only reads; deciding ([`Plan::new`]) only thinks. The same
//! account, record and answers give the same list, and only `run` carries it out.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::AtomicBool,
};

use serde::Serialize;
use serde_json::Value as Json;

use super::{
    Client, Error, Watch,
    api::{Api, Call, Making, Own, State, Thing},
    api_of,
    compare::Difference,
    draft::{Draft, Item, Sort, hash},
    picture::{self, Picture, ReadPicture},
    record::Pushed,
};
use crate::platforms::images;

/// What was found in an account, by key of the draft's items.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Account {
    /// What fits a name.
    fits: BTreeMap<String, Vec<Thing>>,
    /// Mails and flows that the record knows; `None` where one is gone.
    known: BTreeMap<String, Option<Own>>,
    /// Mails and flows of the same name.
    namesakes: BTreeMap<String, Vec<Own>>,
    /// The workspace's pictures, or why they cannot be uploaded.
    pictures: BTreeMap<String, Result<Picture, String>>,
}

impl Account {
    /// Looks at all that a draft needs, and reads the workspace's `pictures` that its mails show. Only reads.
    ///
    /// Errors: what the server refuses; the user stopped it.
    pub fn look(
        draft: &Draft,
        client: &mut Client,
        pushed: &Pushed,
        pictures: ReadPicture<'_>,
        watch: &mut dyn Watch,
        stop: &AtomicBool,
    ) -> Result<Self, Error> {
        let api = api_of(draft.target);
        let mut call = Call { client, stop };
        let mut out = Self::default();
        for item in draft.items.iter().filter(|item| item.sort == Sort::Image) {
            out.pictures.insert(item.key.clone(), picture::picture(draft.target, &item.name, pictures));
        }
        let draft = &out.with_pictures(draft.clone());
        let sorts: BTreeSet<Sort> = draft.items.iter().map(|item| item.sort).collect();
        let names: Vec<Sort> = sorts.into_iter().filter(|sort| !sort.is_upload() && *sort != Sort::Flow).collect();
        let ours: Vec<&Item> = draft.items.iter().filter(|i| i.sort.is_upload() || i.sort == Sort::Flow).collect();
        let num_looks = names.len() + ours.len();
        for (n, sort) in names.into_iter().enumerate() {
            watch.at(n, num_looks, sort.title());
            let mut wanted: Vec<&Item> = draft.items.iter().filter(|item| item.sort == sort).collect();
            if sort == Sort::Image {
                out.look_for_pictures(api, &mut call, &mut wanted, pushed)?;
            }
            let found = api.look_up(&mut call, sort, &wanted)?;
            out.fits.extend(wanted.iter().map(|item| item.key.clone()).zip(found));
        }
        for (n, item) in ours.iter().enumerate() {
            watch.at(num_looks - ours.len() + n, num_looks, &item.name);
            if let Some(entry) = pushed.things.get(&item.key) {
                let known = api.read(&mut call, item.sort, &entry.id)?;
                let is_there = known.is_some();
                out.known.insert(item.key.clone(), known);
                if is_there {
                    continue;
                }
            }
            out.namesakes.insert(item.key.clone(), api.namesakes(&mut call, item.sort, &item.name)?);
        }
        watch.at(num_looks, num_looks, "");
        Ok(out)
    }

    /// A draft with the pictures that were read; each has its name in the account from now on.
    fn with_pictures(&self, mut draft: Draft) -> Draft {
        for item in draft.items.iter_mut().filter(|item| item.sort == Sort::Image) {
            item.picture = self.pictures.get(&item.key).cloned();
            if let Some(Ok(picture)) = &item.picture {
                (item.name, item.hash) = (picture.name.clone(), picture.hash.clone());
            }
        }
        draft
    }

    /// Looks for the pictures that the record knows, and leaves those in `wanted` that have to be looked for by name.
    fn look_for_pictures(
        &mut self,
        api: &dyn Api,
        call: &mut Call<'_>,
        wanted: &mut Vec<&Item>,
        pushed: &Pushed,
    ) -> Result<(), Error> {
        let mut left = Vec::new();
        for item in wanted.drain(..).filter(|item| matches!(item.picture, Some(Ok(_)))) {
            let known = pushed.pictures.get(&item.key).filter(|known| known.hash == item.hash);
            match known.map(|known| api.picture(call, &known.id)).transpose()?.flatten() {
                Some(there) => _ = self.fits.insert(item.key.clone(), vec![there]),
                None => left.push(item),
            }
        }
        *wanted = left;
        Ok(())
    }
}

/// What is done about one item.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is in the account.
    Found {
        /// Its id there.
        id: String,
    },
    /// Several fit, and somebody has to say which.
    Choose(Vec<Choice>),
    /// It is made; what, in words.
    Create(String),
    /// It is there from an earlier push and changed here since.
    Update {
        /// Its id.
        id: String,
        /// What is changed, in words.
        what: String,
    },
    /// It is there from an earlier push, as it is here.
    Keep {
        /// Its id.
        id: String,
    },
    /// The push leaves it to people; what they do.
    ByHand(String),
    /// It stands in the way.
    Cannot {
        /// Why.
        why: String,
        /// What to do instead.
        instead: String,
    },
}

/// One of several that fit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Choice {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What tells it from the others.
    pub about: String,
}

/// A line of the plan.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Change {
    /// The item's key.
    pub key: String,
    /// What sort of thing, for people.
    pub sort: &'static str,
    /// Its name in the account; of a picture, its file's below `images/`.
    pub name: String,
    /// What is done.
    pub action: Action,
    /// What somebody changed in the account since the last push.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed_there: Vec<Difference>,
}

/// What a push will do.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) draft: Draft,
    /// In the order of work.
    pub changes: Vec<Change>,
    /// What was found, by key; for [`Action::Update`] and [`Action::Keep`].
    pub(super) own: BTreeMap<String, Own>,
    /// Ids of things of the same name that are not ours.
    pub(super) before: BTreeMap<String, Vec<String>>,
    /// What was chosen, to be kept in the record.
    pub(super) chosen: BTreeMap<String, String>,
    /// Flows whose mails are handed to them again, rather than given another body.
    pub(super) again: BTreeSet<String>,
    /// Pictures that are in the account.
    pub(super) pictures: BTreeMap<String, Thing>,
}

/// What the user says to a plan.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    /// Ids by key: `metric:Placed Order` to `AbC123`.
    pub ids: BTreeMap<String, String>,
    /// Make a new flow where the one that is there cannot be changed, and leave the old one.
    pub new_flow: bool,
}

impl Plan {
    /// Decides.
    pub fn new(draft: Draft, account: &Account, pushed: &Pushed, answers: &Answers) -> Self {
        let api = api_of(draft.target);
        let mut plan = Self {
            draft: account.with_pictures(draft),
            changes: Vec::new(),
            own: BTreeMap::new(),
            before: BTreeMap::new(),
            chosen: BTreeMap::new(),
            again: BTreeSet::new(),
            pictures: BTreeMap::new(),
        };
        let mut ids = BTreeMap::new();
        for item in plan.draft.items.clone() {
            let (action, changed_there) = if item.sort.is_upload() || item.sort == Sort::Flow {
                plan.ours(api, &item, account, pushed, answers, &ids)
            } else {
                (plan.name(api, &item, account, pushed, answers), Vec::new())
            };
            if let Action::Found { id } | Action::Keep { id } | Action::Update { id, .. } = &action {
                ids.insert(item.key.clone(), id.clone());
            }
            let sort = item.sort.title();
            // People know a picture by its file.
            let file = item.key.strip_prefix("image:").map(str::to_owned);
            plan.changes.push(Change { name: file.unwrap_or(item.name), key: item.key, sort, action, changed_there });
        }
        plan
    }

    /// Whether it can be carried out.
    pub fn is_ready(&self) -> bool {
        !self.changes.iter().any(|change| matches!(change.action, Action::Choose(_) | Action::Cannot { .. }))
    }

    /// How many things it makes or changes.
    pub fn num_writes(&self) -> usize {
        let writes = |change: &&Change| matches!(change.action, Action::Create(_) | Action::Update { .. });
        self.changes.iter().filter(writes).count()
    }

    /// For whom.
    pub fn target(&self) -> crate::flow::Target {
        self.draft.target
    }

    fn name(&mut self, api: &dyn Api, item: &Item, account: &Account, pushed: &Pushed, answers: &Answers) -> Action {
        let fits = account.fits.get(&item.key).map(Vec::as_slice).unwrap_or_default();
        if let Some(id) = answers.ids.get(&item.key) {
            if item.sort == Sort::Image && !images::is_on_web(id) {
                return Action::Cannot {
                    why: format!("`{id}` is no address on the web"),
                    instead: "Give an address that begins with https://".to_owned(),
                };
            }
            self.chosen.insert(item.key.clone(), id.clone());
            return Action::Found { id: id.clone() };
        }
        // Pictures of one name have one content, so any will do.
        let is_picture = item.sort == Sort::Image;
        if let Some(one) = fits.first().filter(|_| fits.len() == 1 || is_picture) {
            if is_picture {
                self.pictures.insert(item.key.clone(), one.clone());
            }
            return Action::Found { id: one.id.clone() };
        }
        // What was chosen once holds as long as it is there.
        let earlier = pushed.chosen.get(&item.key);
        if let Some(id) = earlier.filter(|id| fits.is_empty() || fits.iter().any(|fit| fit.id == **id)) {
            return Action::Found { id: id.clone() };
        }
        if is_picture {
            return match &item.picture {
                Some(Ok(picture)) => Action::Create(format!("uploaded ({})", picture.shown())),
                Some(Err(why)) => no_picture(why),
                None => no_picture("It was not read"),
            };
        }
        if fits.is_empty() {
            return match api.making(item) {
                Making::Makes(what) => Action::Create(what),
                Making::ByHand(what) => Action::ByHand(what),
                Making::Cannot(why, instead) => Action::Cannot { why, instead },
            };
        }
        Action::Choose(fits.iter().cloned().map(|Thing { id, name, about }| Choice { id, name, about }).collect())
    }

    /// Decides about a mail or a flow, and says what was changed in the account since.
    fn ours(
        &mut self,
        api: &dyn Api,
        item: &Item,
        account: &Account,
        pushed: &Pushed,
        answers: &Answers,
        ids: &BTreeMap<String, String>,
    ) -> (Action, Vec<Difference>) {
        let namesakes = account.namesakes.get(&item.key).map(Vec::as_slice).unwrap_or_default();
        let taken: BTreeSet<&str> = pushed.things.values().map(|entry| entry.id.as_str()).collect();
        let free: Vec<&Own> = namesakes.iter().filter(|own| !taken.contains(own.thing.id.as_str())).collect();
        self.before.insert(item.key.clone(), free.iter().map(|own| own.thing.id.clone()).collect());
        let sent = self.draft.filled(item, ids, |_| true);
        let hash_now = flow_hash(&self.draft, item, ids);
        let entry = pushed.things.get(&item.key);
        // A single answer that it is gone is not believed where a list still has it.
        let listed = |id: &str| namesakes.iter().find(|own| own.thing.id == id);
        let known = account.known.get(&item.key).and_then(Option::as_ref);
        let known = known.or_else(|| entry.and_then(|entry| listed(&entry.id)));
        let (own, hash_then, holds) = match (entry, known, pushed.pending.get(&item.key)) {
            (Some(entry), Some(own), _) => (own, Some(entry.hash.clone()), entry.holds.clone()),
            (_, _, Some(pending)) => {
                let new = free.iter().find(|own| !pending.before.contains(&own.thing.id));
                match new {
                    Some(own) => (*own, Some(pending.hash.clone()), pending.holds.clone()),
                    None => return (self.creation(item), Vec::new()),
                }
            }
            // No record: what has the same name and content is ours.
            _ => match free.iter().find(|own| api.differences(item.sort, &sent, own).is_empty()) {
                Some(own) => {
                    // A mail that is only now uploaded cannot be the one that this flow holds.
                    let all_there = self.draft.mails_of(item).all(|mail| ids.contains_key(&mail.key));
                    let holds = if all_there { self.held_now(api, item, ids) } else { BTreeMap::new() };
                    (*own, Some(hash_now.clone()), holds)
                }
                None => return (self.creation(item), Vec::new()),
            },
        };
        let id = own.thing.id.clone();
        let is_same = hash_then.as_deref() == Some(hash_now.as_str());
        let mails_differ = item.sort == Sort::Flow && holds != self.held_now(api, item, ids);
        let changed = if is_same { api.differences(item.sort, &sent, own) } else { Vec::new() };
        // A mail that was never read back as it was sent may not have arrived whole.
        let is_unproven = item.sort.is_upload() && entry.is_some_and(|e| !e.compared) && !changed.is_empty();
        if is_same && !mails_differ && !is_unproven {
            self.own.insert(item.key.clone(), own.clone());
            return (Action::Keep { id }, changed);
        }
        if is_same && api.fixed(item.sort).is_some() {
            self.again.insert(item.key.clone());
        } else if let Some((why, instead)) = api.fixed(item.sort) {
            if answers.new_flow {
                return (self.creation(item), Vec::new());
            }
            return (Action::Cannot { why: why.into(), instead: instead.into() }, changed);
        }
        if item.sort == Sort::Flow && api.state(own) == State::Live {
            if answers.new_flow {
                self.again.remove(&item.key);
                return (self.creation(item), Vec::new());
            }
            let why = format!("It runs in {}; a push changes nothing that contacts are in", self.draft.target.title());
            let instead = "Switch it off there and push again, or push it as a new flow beside it".to_owned();
            return (Action::Cannot { why, instead }, changed);
        }
        let what = match (item.sort, self.again.contains(&item.key)) {
            (Sort::Flow, true) => "its messages get the changed mails",
            (Sort::Flow, false) => "it is replaced",
            _ => "subject, text or HTML changed",
        };
        self.own.insert(item.key.clone(), own.clone());
        (Action::Update { id, what: what.to_owned() }, changed)
    }

    fn creation(&self, item: &Item) -> Action {
        Action::Create(match item.sort {
            Sort::Flow => "arrives as a draft, switched off".to_owned(),
            _ => "uploaded".to_owned(),
        })
    }

    /// What a flow holds of its mails when this plan is done; mails to be created stand as such.
    fn held_now(&self, api: &dyn Api, item: &Item, ids: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        held(api, &self.draft, item, ids)
    }
}

fn no_picture(why: &str) -> Action {
    Action::Cannot {
        why: why.to_owned(),
        instead:
            "Put a PNG, JPEG or GIF there, a mail is about 600 pixels wide; or give the picture's address on the web"
                .to_owned(),
    }
}

/// What a flow holds of its mails.
pub(super) fn held(
    api: &dyn Api,
    draft: &Draft,
    flow: &Item,
    ids: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    if flow.sort != Sort::Flow {
        return BTreeMap::new();
    }
    let mails = draft.mails_of(flow);
    mails
        .map(|mail| {
            let id = ids.get(&mail.key).map_or("", String::as_str);
            (mail.key.clone(), api.held(id, &flow_hash(draft, mail, ids)))
        })
        .collect()
}

/// Hash of what an item is here: its body with the account's names and addresses of pictures filled in. Mails stand as
/// placeholders in a flow's, since a flow whose mail was made anew is not another flow.
pub(super) fn flow_hash(draft: &Draft, item: &Item, ids: &BTreeMap<String, String>) -> String {
    let body: Json = draft.filled(item, ids, |sort| !sort.is_upload());
    if item.sort != Sort::Flow && body == item.body {
        return item.hash.clone();
    }
    hash(body.to_string().as_bytes())
}
