//! Carries a plan out, step by step, each written down before and after.
//!
//! The one idea: an answer that does not come says nothing. After each such silence the account is looked at again:
//! what is there of that name and was not before is what was asked for. Only where nothing is there is it asked again.

use std::{collections::BTreeMap, sync::atomic::AtomicBool};

use serde::Serialize;
use serde_json::Value as Json;

use super::{
    Client, Error, Kind, Watch,
    api::{Api, Call, Own, Thing},
    api_of,
    compare::Difference,
    draft::{Item, Sort},
    plan::{Action, Plan, flow_hash, held},
    record::{Entry, Pending, Pushed, Uploaded},
};

/// How often a name that shows only later is looked for.
const LOOKS: u32 = 10;

/// What came of a push.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Done {
    /// Mails and flows that are in the account now.
    pub made: Vec<Made>,
    /// What people do now.
    pub afterwards: Vec<String>,
}

/// A mail or flow in the account.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Made {
    /// Its key.
    pub key: String,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The file that it was made from.
    pub file: String,
    /// Where people look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// What the account has otherwise than it was sent.
    pub differences: Vec<Difference>,
}

/// Carries a plan out. What is done is kept by `watch` as it is done; the same plan made anew goes on from there.
///
/// Errors: the plan has open questions; what a server refuses; the user stopped it; the record cannot be kept.
pub fn run(
    plan: &Plan,
    client: &mut Client,
    pushed: &mut Pushed,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Done, Error> {
    if !plan.is_ready() {
        return Err(Error::refused("The plan has open questions", "Answer them, and mend what stands in the way"));
    }
    let api = api_of(plan.target());
    let mut run = Run { plan, api, call: Call { client, stop }, pushed, watch, ids: BTreeMap::new(), made: Vec::new() };
    run.pushed.chosen.extend(plan.chosen.clone());
    // Nothing is sent before it is known that a record can be kept.
    run.keep()?;
    let num_steps = plan.changes.len() + 1;
    for (n, (item, change)) in plan.draft.items.iter().zip(&plan.changes).enumerate() {
        run.watch.at(n, num_steps, &item.name);
        run.step(item, &change.action)?;
    }
    run.watch.at(num_steps - 1, num_steps, "Reading back");
    run.read_back()?;
    run.watch.at(num_steps, num_steps, "");
    let mut afterwards = api.afterwards(&plan.draft);
    afterwards.extend(plan.changes.iter().filter_map(|change| match &change.action {
        Action::ByHand(what) => Some(what.clone()),
        _ => None,
    }));
    Ok(Done { made: run.made, afterwards })
}

struct Run<'a> {
    plan: &'a Plan,
    api: &'static dyn Api,
    call: Call<'a>,
    pushed: &'a mut Pushed,
    watch: &'a mut dyn Watch,
    ids: BTreeMap<String, String>,
    made: Vec<Made>,
}

impl Run<'_> {
    fn keep(&mut self) -> Result<(), Error> {
        self.watch.keep(self.pushed).map_err(|why| {
            Error::new(
                Kind::Record,
                format!("What was done cannot be written down: {why}"),
                "Make room or give the right to write beside the flow, and push again",
            )
        })
    }

    fn step(&mut self, item: &Item, action: &Action) -> Result<(), Error> {
        let is_ours = item.sort.is_upload() || item.sort == Sort::Flow;
        let thing = match action {
            Action::Found { id } => Thing { id: id.clone(), name: item.name.clone(), about: String::new() },
            Action::Create(_) if is_ours => self.create(item)?,
            Action::Create(_) => self.make(item)?,
            Action::Keep { .. } | Action::Update { .. } => {
                let Some(own) = self.plan.own.get(&item.key) else {
                    return Err(Error::strange(format!("`{}` was not looked at", item.key)));
                };
                if matches!(action, Action::Update { .. }) {
                    self.update(item, own)?;
                }
                own.thing.clone()
            }
            Action::ByHand(_) | Action::Choose(_) | Action::Cannot { .. } => return Ok(()),
        };
        self.ids.insert(item.key.clone(), thing.id.clone());
        if item.sort == Sort::Image {
            return self.keep_picture(item, thing);
        }
        if !is_ours {
            return Ok(());
        }
        let entry = Entry {
            hash: flow_hash(&self.plan.draft, item, &self.ids),
            holds: held(self.api, &self.plan.draft, item, &self.ids),
            compared: false,
            id: thing.id,
            name: item.name.clone(),
        };
        self.pushed.pending.remove(&item.key);
        let was = self.pushed.things.get(&item.key);
        let compared = was.is_some_and(|was| *was == Entry { compared: true, ..entry.clone() });
        self.pushed.things.insert(item.key.clone(), Entry { compared, ..entry });
        self.keep()
    }

    /// Writes down where a picture is, unless somebody only gave its address.
    fn keep_picture(&mut self, item: &Item, made: Thing) -> Result<(), Error> {
        let thing = self.plan.pictures.get(&item.key).cloned().unwrap_or(made);
        if thing.about.is_empty() {
            return Ok(());
        }
        let now = Uploaded { hash: item.hash.clone(), id: thing.about, url: thing.id };
        if self.pushed.pictures.get(&item.key) == Some(&now) {
            return Ok(());
        }
        self.pushed.pictures.insert(item.key.clone(), now);
        self.keep()
    }

    /// A name that is missing. It can be looked up, so doubles cannot come of it.
    fn make(&mut self, item: &Item) -> Result<Thing, Error> {
        let mut attempt = 0;
        loop {
            let fault = match self.api.make(&mut self.call, item) {
                Ok(Some(thing)) => return Ok(thing),
                Ok(None) => None,
                Err(error) if error.kind == Kind::Cancelled => return Err(error),
                Err(error) if error.is_unclear() || error.kind == Kind::Conflict => Some(error),
                Err(error) => return Err(error),
            };
            let looks = if fault.is_some() { 1 } else { LOOKS };
            for look in 0..looks {
                let found = self.api.look_up(&mut self.call, item.sort, &[item])?;
                if let Some(thing) = found.into_iter().flatten().next() {
                    return Ok(thing);
                }
                self.call.settle(if fault.is_some() { attempt } else { look.min(4) })?;
            }
            attempt += 1;
            match fault {
                Some(fault) if attempt >= self.call.tries() || fault.kind == Kind::Conflict => return Err(fault),
                Some(_) => {}
                None => {
                    return Err(Error::new(
                        Kind::Slow,
                        format!("{} \u{201c}{}\u{201d} was made, but does not show yet", item.sort.title(), item.name),
                        "Push again in a minute; it goes on where it stopped",
                    ));
                }
            }
        }
    }

    fn body(&self, item: &Item) -> Json {
        self.plan.draft.filled(item, &self.ids, |_| true)
    }

    /// A mail or a flow. What is about to be done is written down first.
    fn create(&mut self, item: &Item) -> Result<Thing, Error> {
        let before = self.plan.before.get(&item.key).cloned().unwrap_or_default();
        let pending = Pending {
            name: item.name.clone(),
            hash: flow_hash(&self.plan.draft, item, &self.ids),
            before: before.clone(),
            holds: held(self.api, &self.plan.draft, item, &self.ids),
        };
        self.pushed.things.remove(&item.key);
        let was_pending = self.pushed.pending.insert(item.key.clone(), pending).is_some();
        self.keep()?;
        if was_pending {
            // What an earlier push asked for may still be under way, although that push is gone.
            self.call.settle(1)?;
            if let Some(thing) = self.new_namesake(item, &before)? {
                return Ok(thing);
            }
        }
        let body = self.body(item);
        for attempt in 0.. {
            let fault = match self.api.create(&mut self.call, item.sort, &body) {
                Ok(thing) => return Ok(thing),
                Err(error) if error.kind == Kind::Cancelled => return Err(error),
                Err(error) if error.is_unclear() => error,
                Err(error) => {
                    // It says that nothing was done, so nothing is left to look for.
                    self.pushed.pending.remove(&item.key);
                    self.keep()?;
                    return Err(error);
                }
            };
            self.call.settle(attempt)?;
            if let Some(thing) = self.new_namesake(item, &before)? {
                return Ok(thing);
            }
            if attempt + 1 >= self.call.tries() {
                return Err(fault);
            }
        }
        Err(Error::cancelled())
    }

    /// What has the item's name, was not there `before` and is nothing else of ours.
    fn new_namesake(&mut self, item: &Item, before: &[String]) -> Result<Option<Thing>, Error> {
        let namesakes = self.api.namesakes(&mut self.call, item.sort, &item.name)?;
        let known: Vec<&str> = self.pushed.things.values().map(|entry| entry.id.as_str()).collect();
        let is_new = |id: &String| !before.contains(id) && !known.contains(&id.as_str());
        Ok(namesakes.into_iter().find(|own| is_new(&own.thing.id)).map(|own| own.thing))
    }

    fn update(&mut self, item: &Item, own: &Own) -> Result<(), Error> {
        let body = self.body(item);
        if self.plan.again.contains(&item.key) {
            let mails: Vec<(&str, &str)> = self
                .plan
                .draft
                .mails_of(item)
                .filter_map(|mail| Some((mail.placeholder.as_str(), self.ids.get(&mail.key)?.as_str())))
                .collect();
            return self.api.hand_again(&mut self.call, own, &body, &mails);
        }
        self.api.update(&mut self.call, item.sort, own, &body)
    }

    /// Reads what is ours, compares it with what was sent, and writes down that this was done.
    fn read_back(&mut self) -> Result<(), Error> {
        for item in self.plan.draft.items.iter().filter(|item| item.sort.is_upload() || item.sort == Sort::Flow) {
            let Some(id) = self.ids.get(&item.key).cloned() else { continue };
            let own = self.whole(item, &id)?;
            let differences = self.api.differences(item.sort, &self.body(item), &own);
            let page = if item.sort == Sort::Flow { self.api.page(&own.thing) } else { None };
            self.made.push(Made {
                key: item.key.clone(),
                id,
                name: item.name.clone(),
                file: item.file.clone(),
                page,
                differences,
            });
            let is_equal = self.made.last().is_some_and(|made| made.differences.is_empty());
            if let Some(entry) = self.pushed.things.get_mut(&item.key) {
                entry.compared |= is_equal;
            }
        }
        self.keep()
    }

    fn whole(&mut self, item: &Item, id: &str) -> Result<Own, Error> {
        for look in 0..LOOKS {
            let own = self.api.read(&mut self.call, item.sort, id)?;
            match own {
                Some(own) if self.api.is_whole(&own) => return Ok(own),
                _ => self.call.settle(look.min(4))?,
            }
        }
        Err(Error::new(
            Kind::Slow,
            format!("{} \u{201c}{}\u{201d} is not whole yet", item.sort.title(), item.name),
            "Push again in a minute; then it is read back and compared",
        ))
    }
}
