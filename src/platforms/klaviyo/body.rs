//! One flow body: walks the plan and writes actions with their links.
//!
//! The one idea: a body is written as a tree, since Klaviyo's editor can join only the YES and the NO path of one
//! split.
//! Where two paths meet that way, they are joined; elsewhere the tail is written once for each path. Only a flow whose
//! tree would pass the editor's size keeps its other joins, and says so.

mod forks;
mod waits;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::{
    filters::{About, Asked, Asker, room_condition},
    keep,
};
use crate::{
    base::{Place, Span},
    content::Origin,
    flow::{Target, Workspace},
    kinds::{
        Foreign, Settings,
        logic::{cap, condition, wait_for_event},
    },
    platforms::{
        Notes,
        plan::{Elapsed, Plan, Step},
        unique,
    },
};

/// Most actions in one body. Source: the editor's own preview stops at 500 actions (references, Klaviyo 11).
const MOST_ACTIONS: usize = 500;
/// Most paths of a multi-branch split, "everyone else" included. Source: help article 52369094030235.
const MOST_BRANCHES: usize = 20;

/// What triggers this body.
pub(super) struct Entry {
    pub trigger_type: &'static str,
    pub trigger_id: String,
    /// The date property of a date trigger, and whether waits can count down to it.
    pub date: Option<String>,
}

/// A link that waits for its action.
#[derive(Clone, Copy)]
enum Slot {
    Entry,
    Next(usize),
    Yes(usize),
    No(usize),
    Branch(usize, usize),
    /// The so-manieth way out of a locked action.
    Way(usize, usize),
}

struct Work {
    step: usize,
    slots: Vec<Slot>,
    elapsed: Elapsed,
    join: Option<usize>,
}

/// Two paths on their way to where they meet.
struct Join {
    step: usize,
    outer: Option<usize>,
    slots: Vec<Slot>,
    elapsed: Option<Elapsed>,
    missing: u32,
}

/// How a step goes on, as far as the graph is concerned.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Line(Option<usize>),
    Fork(Option<usize>, Option<usize>),
    Fan,
}

pub(super) struct Body<'a, 'n> {
    pub plan: &'a Plan<'a>,
    pub workspace: &'a Workspace,
    pub asker: &'a Asker<'a>,
    pub entry: Entry,
    pub notes: &'n mut Notes,
    pub actions: Vec<Json>,
    pub entry_action: Json,
    pub taken: BTreeSet<String>,
    /// Where the last action of the prelude goes on.
    open: Vec<Slot>,
    /// Steps already written, where tails are shared instead of copied.
    shared: Option<BTreeMap<usize, String>>,
    joins: Vec<Join>,
    shapes: Vec<Shape>,
}

impl<'a, 'n> Body<'a, 'n> {
    pub fn new(
        plan: &'a Plan<'a>,
        workspace: &'a Workspace,
        asker: &'a Asker<'a>,
        entry: Entry,
        notes: &'n mut Notes,
    ) -> Self {
        Self {
            plan,
            workspace,
            asker,
            entry,
            notes,
            actions: Vec::new(),
            entry_action: Json::Null,
            taken: BTreeSet::new(),
            open: vec![Slot::Entry],
            shared: None,
            joins: Vec::new(),
            shapes: Vec::new(),
        }
    }

    /// A new action; links of the waiting slots lead to it.
    pub fn push(&mut self, id: &str, kind: &str, data: Json, links: Json, slots: &[Slot2]) -> usize {
        let slots: Vec<Slot> = slots.iter().map(|s| s.0).collect();
        self.push_at(id, kind, data, links, &slots)
    }

    fn push_at(&mut self, id: &str, kind: &str, data: Json, links: Json, slots: &[Slot]) -> usize {
        let mut action = json!({"type": kind, "links": links, "data": data});
        let over = keep::give_back(&self.plan.settings, Some(id), &mut action);
        if !over.is_empty() {
            self.notes.approximate(
                "klaviyo/kept",
                Place::node(id),
                format!(
                    "What the import kept of `{}` no longer goes back, since the step says something else now",
                    over.join("`, `")
                ),
                "Look at these values of the step in Klaviyo",
            );
        }
        self.push_action(id, action, slots)
    }

    /// An action as it is, under a name that is free.
    fn push_action(&mut self, id: &str, mut action: Json, slots: &[Slot]) -> usize {
        let id = unique(&mut self.taken, id);
        for slot in slots {
            self.fill(*slot, &id);
        }
        action["temporary_id"] = Json::String(id);
        self.actions.push(action);
        self.actions.len() - 1
    }

    /// A locked action of Klaviyo's own, with where each of its ways out goes on.
    fn locked(&mut self, step: &Step<'a>, json: &Json, slots: &[Slot]) -> Vec<(Option<usize>, Slot)> {
        let action = keep::to_create_form(json);
        let num_ways = keep::ways_out(&action).len();
        let at = self.push_action(step.node.id.as_str(), action, slots);
        step.next.iter().take(num_ways).enumerate().map(|(n, (_, to))| (*to, Slot::Way(at, n))).collect()
    }

    fn fill(&mut self, slot: Slot, id: &str) {
        let (at, pointer) = match slot {
            Slot::Entry => {
                self.entry_action = Json::String(id.to_owned());
                return;
            }
            Slot::Next(at) => (at, "/links/next".to_owned()),
            Slot::Yes(at) => (at, "/links/next_if_true".to_owned()),
            Slot::No(at) => (at, "/links/next_if_false".to_owned()),
            Slot::Branch(at, arm) => (at, format!("/data/branches/{arm}/links/next")),
            Slot::Way(at, way) => {
                let ways = self.actions.get(at).map(keep::ways_out).unwrap_or_default();
                (at, ways.into_iter().nth(way).map(|(_, pointer)| pointer).unwrap_or_default())
            }
        };
        // A kept form of an action may lack a way out that nobody took when it was imported.
        if let Some(link) = self.actions.get_mut(at).and_then(|action| action.pointer_mut(&pointer)) {
            *link = Json::String(id.to_owned());
        }
    }

    /// Waits in the prelude.
    pub fn prelude_delay(&mut self, id: &str, span: Span, place: &Place) {
        let open = std::mem::take(&mut self.open);
        self.open = self.delay(id, span, place, open);
    }

    /// Lets only those pass for whom it holds; the others leave.
    pub fn prelude_gate(&mut self, id: &str, asked: &Asked) {
        if asked.groups.is_empty() {
            return;
        }
        let open = std::mem::take(&mut self.open);
        let (yes, _) = self.split(id, asked, &open);
        self.open = vec![yes];
    }

    /// Keeps the day in a property of the profile.
    pub fn prelude_mark(&mut self, id: &str, property: &str) {
        let open = std::mem::take(&mut self.open);
        let operation =
            json!({"operator": "update", "property_type": "date", "property_key": property, "property_value": "today"});
        let data = json!({"status": "draft", "profile_operations": [operation]});
        let at = self.push_at(id, "update-profile", data, json!({"next": null}), &open);
        self.open = vec![Slot::Next(at)];
    }

    /// Writes all steps.
    pub fn walk(&mut self) {
        let Some(first) = self.plan.first else { return };
        self.shapes = (0..self.plan.steps.len()).map(|at| self.shape_of(at)).collect();
        if self.size_as_tree(first) > MOST_ACTIONS {
            self.shared = Some(BTreeMap::new());
            self.notes.approximate(
                "klaviyo/joins",
                Place::default(),
                format!("Written out as a tree the flow would have more than {MOST_ACTIONS} actions, so its paths are joined where Klaviyo's editor may not show it"),
                "Import it and look at each join, or bring the paths together earlier",
            );
        }
        let slots = std::mem::take(&mut self.open);
        let mut work = vec![Work { step: first, slots, elapsed: Elapsed::START, join: None }];
        while let Some(item) = work.pop() {
            self.line(item, &mut work);
        }
    }

    /// How many steps the tree has when tails are copied; stops counting beyond the limit.
    fn size_as_tree(&self, first: usize) -> usize {
        let mut size = vec![0_usize; self.plan.steps.len()];
        for at in (0..self.plan.steps.len()).rev() {
            let of = |to: Option<usize>| to.map_or(0, |n| size[n]);
            let total = match self.shape(at) {
                Shape::Line(to) => of(to),
                Shape::Fork(a, b) if self.joinable(at, a, b) => {
                    let meet = of(self.plan.meets(at));
                    of(a).saturating_add(of(b)).saturating_sub(meet)
                }
                Shape::Fork(a, b) => of(a).saturating_add(of(b)),
                Shape::Fan => self.plan.steps[at].next.iter().map(|(_, to)| of(*to)).fold(0, usize::saturating_add),
            };
            size[at] = total.saturating_add(1).min(10 * MOST_ACTIONS);
        }
        size[first]
    }

    fn shape(&self, at: usize) -> Shape {
        self.shapes[at]
    }

    fn shape_of(&self, at: usize) -> Shape {
        let step = &self.plan.steps[at];
        match step.settings {
            Settings::WaitForEvent(_) => {
                Shape::Fork(step.to(wait_for_event::HAPPENED), step.to(wait_for_event::TIMED_OUT))
            }
            Settings::Condition(node) => {
                let mut silent = Notes::default();
                match self.asker.ask(node.condition.condition(), &Place::default(), &mut silent).about() {
                    About::Profile => Shape::Fork(step.to(condition::YES), step.to(condition::NO)),
                    About::Event if self.entry.trigger_type == "metric" => {
                        Shape::Fork(step.to(condition::YES), step.to(condition::NO))
                    }
                    About::Event | About::Both => Shape::Fan,
                }
            }
            Settings::Cap(_) => Shape::Fork(step.to(cap::UNDER), step.to(cap::CAPPED)),
            Settings::Split(split) if split.arms.len() == 2 => Shape::Fork(step.next[0].1, step.next[1].1),
            Settings::Split(_) | Settings::Branch(_) => Shape::Fan,
            Settings::Webhook(_) => Shape::Line(step.to(crate::kinds::actions::webhook::DONE)),
            Settings::Email(email) if email.on_cap == crate::kinds::OnCap::Leave => Shape::Fan,
            Settings::Sms(sms) if sms.on_cap == crate::kinds::OnCap::Leave => Shape::Fan,
            Settings::Trigger(_)
            | Settings::Delay(_)
            | Settings::Goal(_)
            | Settings::Exit(_)
            | Settings::Note(_)
            | Settings::Email(_)
            | Settings::Sms(_)
            | Settings::UpdateContact(_)
            | Settings::ListUpdate(_)
            | Settings::InternalAlert(_) => Shape::Line(step.to(crate::kinds::NEXT)),
            Settings::Foreign(foreign) => match foreign.ports.as_slice() {
                [_, _] => Shape::Fork(step.next[0].1, step.next[1].1),
                [_] | [] => Shape::Line(step.next.first().and_then(|(_, to)| *to)),
                _ => Shape::Fan,
            },
        }
    }

    /// Whether the two paths of a fork can be joined where they meet: each must reach it by exactly one link.
    fn joinable(&self, at: usize, a: Option<usize>, b: Option<usize>) -> bool {
        let Some(meet) = self.plan.meets(at) else { return false };
        self.reaches_once(a, meet) && self.reaches_once(b, meet)
    }

    fn reaches_once(&self, from: Option<usize>, meet: usize) -> bool {
        let mut at = from;
        // Steps stand in topological order, so this ends.
        while let Some(here) = at {
            if here == meet {
                return true;
            }
            at = match self.shape(here) {
                Shape::Line(to) => to,
                Shape::Fork(..) | Shape::Fan => match self.plan.meets(here) {
                    Some(inner) if inner != meet && self.joined_inside(here) => Some(inner),
                    _ => return false,
                },
            };
        }
        false
    }

    /// Whether a fork inside a path is itself joined. Deep nesting gives up, which copies a tail instead.
    fn joined_inside(&self, at: usize) -> bool {
        match self.shape(at) {
            Shape::Fork(a, b) => {
                let simple = |from: Option<usize>, meet: usize| {
                    let mut at = from;
                    while let Some(here) = at {
                        if here == meet {
                            return true;
                        }
                        match self.shape(here) {
                            Shape::Line(to) => at = to,
                            Shape::Fork(..) | Shape::Fan => return false,
                        }
                    }
                    false
                };
                self.plan.meets(at).is_some_and(|meet| simple(a, meet) && simple(b, meet))
            }
            Shape::Line(_) | Shape::Fan => false,
        }
    }

    /// Writes from one step on, up to a fork, an end or a meeting.
    fn line(&mut self, mut item: Work, work: &mut Vec<Work>) {
        loop {
            if let Some(j) = item.join
                && self.joins[j].step == item.step
            {
                let join = &mut self.joins[j];
                join.slots.append(&mut item.slots);
                join.elapsed = Some(join.elapsed.map_or(item.elapsed, |e| e.merge(item.elapsed)));
                join.missing = join.missing.saturating_sub(1);
                if join.missing > 0 {
                    return;
                }
                item.slots = std::mem::take(&mut join.slots);
                item.elapsed = join.elapsed.unwrap_or(item.elapsed);
                item.join = join.outer;
                continue;
            }
            if let Some(shared) = &self.shared
                && let Some(id) = shared.get(&item.step).cloned()
            {
                for slot in item.slots {
                    self.fill(slot, &id);
                }
                return;
            }
            let before = self.actions.len();
            let (step, plan) = (item.step, self.plan);
            let next = self.step(&plan.steps[step], item, work);
            if let (Some(shared), Some(action)) = (&mut self.shared, self.actions.get(before)) {
                let id = action["temporary_id"].as_str().unwrap_or_default().to_owned();
                shared.insert(step, id);
            }
            match next {
                Some(next) => item = next,
                None => return,
            }
        }
    }

    /// Writes one step. Gives the work that goes on from it on a line; forks go to `work`.
    fn step(&mut self, step: &'a Step<'a>, item: Work, work: &mut Vec<Work>) -> Option<Work> {
        let Work { step: at, slots, elapsed, join } = item;
        let place = Place::node(&step.node.id);
        let id = step.node.id.as_str();
        let on =
            |to: Option<usize>, slots: Vec<Slot>, elapsed: Elapsed| to.map(|step| Work { step, slots, elapsed, join });
        match step.settings {
            Settings::Delay(delay) => {
                let (slots, elapsed, goes_on) = self.delay_step(id, delay, &place, slots, elapsed);
                if goes_on { on(step.to(crate::kinds::NEXT), slots, elapsed) } else { None }
            }
            Settings::WaitForEvent(wait) => {
                let slots = self.delay(&format!("{id}:wait"), wait.timeout, &place, slots);
                let asked = self.asker.ask(&self.waited_for(wait, &place), &place, self.notes);
                self.notes.approximate(
                    "klaviyo/wait",
                    place,
                    format!("Klaviyo has no wait for an event: everybody waits the whole {}, also who does \u{201c}{}\u{201d} at once", wait.timeout, wait.event),
                    "Choose a shorter wait, or let the event start a flow of its own",
                );
                let (yes, no) = self.split(id, &asked, &slots);
                let elapsed = elapsed.plus(wait.timeout);
                let (a, b) = (step.to(wait_for_event::HAPPENED), step.to(wait_for_event::TIMED_OUT));
                self.fork(at, [(a, yes), (b, no)], elapsed, join, work);
                None
            }
            Settings::Condition(node) => {
                let asked = self.asker.ask(node.condition.condition(), &place.with_field("condition"), self.notes);
                let (yes, no) = self.split(id, &asked, &slots);
                self.fork(at, [(step.to(condition::YES), yes), (step.to(condition::NO), no)], elapsed, join, work);
                None
            }
            Settings::Cap(rule) => {
                let asked = self.asker.ask(&room_condition(rule), &place, self.notes);
                let (yes, no) = self.split(id, &asked, &slots);
                self.fork(at, [(step.to(cap::UNDER), yes), (step.to(cap::CAPPED), no)], elapsed, join, work);
                None
            }
            Settings::Branch(node) => {
                let outs = self.branch(id, step, node, &place, &slots);
                self.fan(outs, elapsed, join, work);
                None
            }
            Settings::Split(node) => {
                let outs = self.random(id, step, node, &place, &slots);
                if let [a, b] = outs.as_slice() {
                    self.fork(at, [*a, *b], elapsed, join, work);
                } else {
                    self.fan(outs, elapsed, join, work);
                }
                None
            }
            Settings::Email(_)
            | Settings::Sms(_)
            | Settings::Webhook(_)
            | Settings::UpdateContact(_)
            | Settings::ListUpdate(_)
            | Settings::InternalAlert(_) => {
                let mut open: Vec<Slot2> = slots.into_iter().map(Slot2).collect();
                self.action(step, &mut open);
                let port = if matches!(step.settings, Settings::Webhook(_)) {
                    crate::kinds::actions::webhook::DONE
                } else {
                    crate::kinds::NEXT
                };
                on(step.to(port), open.into_iter().map(|s| s.0).collect(), elapsed)
            }
            Settings::Foreign(foreign) if own_json(foreign).is_some() => {
                let json = own_json(foreign).unwrap_or_default();
                let outs = self.locked(step, &json, &slots);
                match outs.as_slice() {
                    [(to, slot)] => return on(*to, vec![*slot], elapsed.vague()),
                    [a, b] => self.fork(at, [*a, *b], elapsed.vague(), join, work),
                    _ => self.fan(outs, elapsed.vague(), join, work),
                }
                None
            }
            Settings::Foreign(foreign) => {
                self.notes.foreign_step(Target::Klaviyo, foreign, place);
                on(step.next.first().and_then(|(_, to)| *to), slots, elapsed)
            }
            // The plan holds none of these.
            Settings::Trigger(_) | Settings::Goal(_) | Settings::Exit(_) | Settings::Note(_) => {
                on(step.to(crate::kinds::NEXT), slots, elapsed)
            }
        }
    }

    fn fork(
        &mut self,
        at: usize,
        arms: [(Option<usize>, Slot); 2],
        elapsed: Elapsed,
        join: Option<usize>,
        work: &mut Vec<Work>,
    ) {
        let is_fork = matches!(self.shape(at), Shape::Fork(..));
        let joined = self.shared.is_none() && is_fork && self.joinable(at, arms[0].0, arms[1].0);
        let inner = match self.plan.meets(at) {
            Some(step) if joined => {
                self.joins.push(Join { step, outer: join, slots: Vec::new(), elapsed: None, missing: 2 });
                Some(self.joins.len() - 1)
            }
            meet => {
                if meet.is_some() && self.shared.is_none() {
                    self.copied(at);
                }
                join
            }
        };
        // The last pushed is written first.
        for (to, slot) in arms.into_iter().rev() {
            work.extend(to.map(|step| Work { step, slots: vec![slot], elapsed, join: inner }));
        }
    }

    fn fan(&mut self, outs: Vec<(Option<usize>, Slot)>, elapsed: Elapsed, join: Option<usize>, work: &mut Vec<Work>) {
        if outs.is_empty() {
            return;
        }
        // Arms that lead to the same step cannot share it here either.
        for (to, slot) in outs.into_iter().rev() {
            work.extend(to.map(|step| Work { step, slots: vec![slot], elapsed, join }));
        }
    }

    fn copied(&mut self, at: usize) {
        let step = &self.plan.steps[at];
        self.notes.approximate(
            "klaviyo/copied-tail",
            Place::node(&step.node.id),
            "The paths meet again where Klaviyo cannot join them, so the steps after that are written once for each path",
            "Change such a step in every copy, or let the paths end apart",
        );
    }
}

/// The JSON of a locked action of Klaviyo's own; of another platform's, or where it is damaged, none.
fn own_json(foreign: &Foreign) -> Option<Json> {
    let json = serde_json::from_str::<Json>(&foreign.json).ok();
    json.filter(|json| json.is_object() && foreign.origin == Origin::Klaviyo)
}

/// A link that waits, for the parts that write single actions.
#[derive(Clone, Copy)]
pub(super) struct Slot2(Slot);

impl Slot2 {
    /// Where a linear action goes on.
    pub fn next(action: usize) -> Self {
        Self(Slot::Next(action))
    }

    /// Where the YES path of a split goes on.
    pub fn yes(action: usize) -> Self {
        Self(Slot::Yes(action))
    }
}
