//! The actions of a workflow and the edges between them.
//!
//! The one idea: actions are drafted with edges to steps, and edges become connections only at the end, when it is
//! known which steps came to nothing. Several edges may lead to one action, so paths that meet stay together.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{
    actions::static_text,
    filters::{Asker, event_type, events_branch},
    links::{self, Out},
    needed,
};
use crate::{
    audience::{
        Condition, Path, Value, ValueType,
        condition::{CompareOp, EventQuery, EventWindow, Measure, Root},
    },
    base::{Place, Span},
    content::{Origin, Variant},
    flow::Target,
    kinds::{
        Anchor, Delay, Limit, LookBack, Settings, Split, Wait, WaitForEvent,
        actions::webhook,
        logic::{branch, cap, condition, wait_for_event},
    },
    platforms::{
        Notes, Unit, days_off, languages,
        normal::path_text,
        parts_of,
        plan::{Elapsed, Plan, Step},
        slug, whole_percents,
    },
};

/// Where an edge leads.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum To {
    Step(usize),
    Draft(usize),
    End,
}

pub(super) struct Draft {
    action: Json,
    outs: Vec<(Out, To)>,
    /// An action whose id goes into `inputValue.actionId`.
    input: Option<usize>,
    /// The step it was written for.
    step: Option<usize>,
    /// The id it had in the JSON that was kept of it.
    pub(super) was: Option<String>,
    /// Whether its JSON is what an import kept.
    pub(super) is_kept: bool,
}

/// A finished action and the step it stands for.
pub(super) struct Written {
    pub action: Json,
    pub step: Option<usize>,
    /// Whether its JSON is what an import kept.
    pub is_kept: bool,
}

/// What is said of a step: its first draft, or where it passes on to.
#[derive(Clone, Copy)]
enum Began {
    At(usize),
    Pass(To),
}

pub(super) struct Body<'a, 'n> {
    pub plan: &'a Plan<'a>,
    pub asker: &'a Asker<'a>,
    pub notes: &'n mut Notes,
    pub(super) drafts: Vec<Draft>,
    began: Vec<Began>,
}

impl<'a, 'n> Body<'a, 'n> {
    pub fn new(plan: &'a Plan<'a>, asker: &'a Asker<'a>, notes: &'n mut Notes) -> Self {
        Self { plan, asker, notes, drafts: Vec::new(), began: vec![Began::Pass(To::End); plan.steps.len()] }
    }

    pub(super) fn push(&mut self, action: Json, outs: Vec<(Out, To)>) -> usize {
        self.drafts.push(Draft { action, outs, input: None, step: None, was: None, is_kept: false });
        self.drafts.len() - 1
    }

    pub(super) fn single(&mut self, type_id: &str, version: i64, fields: Json, to: To) -> usize {
        let action = json!({"type": "SINGLE_CONNECTION", "actionId": "", "actionTypeId": type_id, "actionTypeVersion": version, "fields": fields});
        self.push(action, vec![(Out::Connection, to)])
    }

    /// Linear actions, one after the other, then `to`. Gives where they begin.
    pub(super) fn chain(&mut self, actions: Vec<(&str, i64, Json)>, to: To) -> To {
        let first = self.drafts.len();
        let count = actions.len();
        for (n, (type_id, version, fields)) in actions.into_iter().enumerate() {
            let next = if n + 1 == count { to } else { To::Draft(first + n + 1) };
            self.single(type_id, version, fields, next);
        }
        if count == 0 { to } else { To::Draft(first) }
    }

    /// Writes all steps, then what stands before them; gives the actions in order and the id of the first.
    pub fn write(mut self, prelude: impl FnOnce(&mut Self, To) -> To) -> (Vec<Written>, Option<String>) {
        let plan = self.plan;
        let mut arrived: Vec<Option<Elapsed>> = vec![None; plan.steps.len()];
        if let Some(first) = plan.first {
            arrived[first] = Some(Elapsed::START);
        }
        for (at, step) in plan.steps.iter().enumerate() {
            let here = arrived[at].unwrap_or(Elapsed::START);
            let before = self.drafts.len();
            let (begin, then) = match self.kept(step, here) {
                Some(kept) => kept,
                None => self.step(step, here),
            };
            for draft in &mut self.drafts[before..] {
                draft.step = Some(at);
            }
            self.began[at] = if self.drafts.len() > before && begin == To::Draft(before) {
                Began::At(before)
            } else {
                Began::Pass(begin)
            };
            for to in step.next.iter().filter_map(|(_, to)| *to) {
                arrived[to] = Some(arrived[to].map_or(then, |e| e.merge(then)));
            }
        }
        let first = plan.first.map_or(To::End, To::Step);
        let start = prelude(&mut self, first);
        self.finish(start)
    }

    pub(super) fn to(&self, step: &Step<'_>, port: &str) -> To {
        step.to(port).map_or(To::End, To::Step)
    }

    /// The draft that an edge really leads to, past steps that came to nothing.
    fn resolve(&self, mut to: To) -> Option<usize> {
        for _ in 0..=self.began.len() {
            match to {
                To::End => return None,
                To::Draft(draft) => return Some(draft),
                To::Step(step) => match self.began[step] {
                    Began::At(draft) => return Some(draft),
                    Began::Pass(next) => to = next,
                },
            }
        }
        None
    }

    fn finish(mut self, start: To) -> (Vec<Written>, Option<String>) {
        // An arm of an A/B split must go somewhere: one that ends marks the contact.
        for at in 0..self.drafts.len() {
            for n in 0..self.drafts[at].outs.len() {
                let (out, to) = self.drafts[at].outs[n];
                if let Out::Test(arm) = out
                    && self.resolve(to).is_none()
                {
                    let property = "flowloom_split_arm";
                    needed::property(self.notes, property, Some(ValueType::Text));
                    let value = json!({"type": "STATIC_VALUE", "staticValue": format!("arm {}", arm + 1)});
                    let mark = self.single("0-5", 0, json!({"property_name": property, "value": value}), To::End);
                    self.drafts[at].outs[n].1 = To::Draft(mark);
                }
            }
        }
        let Some(first) = self.resolve(start) else { return (Vec::new(), None) };
        // Numbers in the order in which actions are met, so that only reachable ones have one.
        let mut number: Vec<Option<usize>> = vec![None; self.drafts.len()];
        let mut order = Vec::new();
        let mut stack = vec![first];
        while let Some(at) = stack.pop() {
            if number[at].is_some() {
                continue;
            }
            number[at] = Some(order.len() + 1);
            order.push(at);
            let outs: Vec<usize> = self.drafts[at].outs.iter().filter_map(|(_, to)| self.resolve(*to)).collect();
            stack.extend(outs.into_iter().rev());
        }
        let id = |at: usize| number[at].unwrap_or(0).to_string();
        let place = |draft: &Draft| {
            let step = draft.step.and_then(|at| self.plan.steps.get(at));
            step.map_or_else(Place::default, |step| Place::node(&step.node.id))
        };
        let known: BTreeMap<&str, usize> =
            order.iter().filter_map(|at| Some((self.drafts[*at].was.as_deref()?, *at))).collect();
        let mut actions = Vec::new();
        for at in &order {
            let draft = &self.drafts[*at];
            let mut action = draft.action.clone();
            if draft.was.is_some() {
                for missing in links::renumber(&mut action, &|old| known.get(old).map(|at| id(*at))) {
                    self.notes.impossible(
                        "hubspot/reference",
                        place(draft),
                        format!("The step reads what action `{missing}` gave, which is not in the flow any more"),
                        "Take the step out, or import the workflow again",
                    );
                }
            }
            action["actionId"] = json!(id(*at));
            if let Some(input) = draft.input {
                action["inputValue"]["actionId"] = json!(id(input));
            }
            for (out, to) in &draft.outs {
                // A link that was kept says how it leads there.
                let edge_type = out.link(&action).and_then(|link| link["edgeType"].as_str()).unwrap_or("STANDARD");
                let link = self.resolve(*to).map(|to| links::link_to(&id(to), edge_type));
                out.set(&mut action, link);
            }
            actions.push(Written { action, step: draft.step, is_kept: draft.is_kept });
        }
        (actions, Some(id(first)))
    }

    /// Writes one step: where it begins, and what is known of the time on leaving it.
    fn step(&mut self, step: &'a Step<'a>, here: Elapsed) -> (To, Elapsed) {
        let place = Place::node(&step.node.id);
        let next = self.to(step, crate::kinds::NEXT);
        let same = |to: To| (to, here);
        match step.settings {
            Settings::Delay(delay) => self.delay_step(delay, &place, next, here),
            Settings::WaitForEvent(wait) => {
                let (happened, timed_out) =
                    (self.to(step, wait_for_event::HAPPENED), self.to(step, wait_for_event::TIMED_OUT));
                (self.wait_for(wait, &place, happened, timed_out), here.vague())
            }
            Settings::Condition(node) => {
                let filter = self.asker.ask(node.condition.condition(), &place.with_field("condition"), self.notes);
                let arms = vec![("Yes".to_owned(), filter, self.to(step, condition::YES))];
                let no = self.to(step, condition::NO);
                same(self.list_branch(arms, "No", no))
            }
            Settings::Branch(node) => {
                if let Some(begin) = self.switch(step, node) {
                    return same(begin);
                }
                let mut arms = Vec::new();
                for (n, arm) in node.arms.iter().enumerate() {
                    let place = place.clone().with_field(format!("arms.{n}.condition"));
                    let filter = self.asker.ask(arm.condition.condition(), &place, self.notes);
                    arms.push((arm.name.to_string(), filter, self.to(step, &arm.name)));
                }
                let otherwise = self.to(step, branch::ELSE);
                same(self.list_branch(arms, "Everyone else", otherwise))
            }
            Settings::Split(node) => same(self.random(step, node, &place)),
            Settings::Cap(rule) => {
                let (under, capped) = (self.to(step, cap::UNDER), self.to(step, cap::CAPPED));
                let Limit::AtMost(most) = rule.limit else { return same(under) };
                self.notes.approximate(
                    "hubspot/cap",
                    place.clone(),
                    format!("At least {most} deliveries within {} are asked by count and by time at once, which HubSpot's guide does not allow although the schema does", rule.within),
                    "Test it after the import; if it is refused, use the account's frequency safeguard",
                );
                let filter = self.capped(rule, &place);
                same(self.list_branch(vec![("Capped".into(), filter, capped)], "Under the cap", under))
            }
            Settings::Email(email) => same(self.email(step, email, &place, next)),
            Settings::Sms(sms) => {
                self.notes.impossible(
                    "hubspot/sms",
                    place,
                    format!("The fields of HubSpot's SMS action are not public, so message `{}` is left out and the path goes on", sms.message),
                    "Add the SMS step by hand after the import; its text is in the flow",
                );
                same(next)
            }
            Settings::Webhook(hook) => {
                let (done, failed) = (self.to(step, webhook::DONE), self.to(step, webhook::FAILED));
                same(self.webhook(hook, &place, done, failed))
            }
            Settings::UpdateContact(update) => same(self.update(update, &place, next)),
            Settings::ListUpdate(update) => same(self.lists(update, next)),
            Settings::InternalAlert(alert) => same(self.alert(alert, &place, next)),
            Settings::Foreign(foreign) => {
                self.notes.foreign_step(Target::Hubspot, foreign, place);
                same(foreign.ports.first().map_or(To::End, |port| self.to(step, port)))
            }
            // The plan holds none of these.
            Settings::Trigger(_) | Settings::Goal(_) | Settings::Exit(_) | Settings::Note(_) => same(next),
        }
    }

    /// Set-time delays for a span.
    pub fn delay(&mut self, span: Span, place: &Place, to: To) -> To {
        let (parts, cost) = parts_of(span);
        if !cost.is_empty() {
            self.notes.approximate(
                "hubspot/delay",
                place.clone(),
                cost,
                "Choose a span of whole minutes, hours or days",
            );
        }
        let actions = parts.into_iter().map(|(n, unit)| {
            let unit = match unit {
                Unit::Minutes => "MINUTES",
                Unit::Hours => "HOURS",
                Unit::Days => "DAYS",
            };
            ("0-1", 0, json!({"delta": n.to_string(), "time_unit": unit}))
        });
        let actions = actions.collect();
        self.chain(actions, to)
    }

    fn delay_step(&mut self, delay: &Delay, place: &Place, next: To, here: Elapsed) -> (To, Elapsed) {
        match &delay.wait {
            Wait::For(span) => {
                let (wait, then) = here.after_delay(delay, *span);
                if delay.after == Anchor::Entry && !here.exact {
                    self.notes.approximate(
                        "hubspot/anchor",
                        place.clone().with_field("after"),
                        format!("How long a contact has been inside differs by the way taken, so {span} after the entry are written as {wait} after the previous step: up to {wait} later for whoever came the longer way"),
                        "Count from the previous step, or give each path a delay of its own",
                    );
                }
                let then = if delay.window.is_some() { then.vague() } else { then };
                (self.delay(wait, place, next), then)
            }
            Wait::Until { time, weekdays } => {
                self.notes.approximate(
                    "hubspot/until",
                    place.clone(),
                    format!("Waits at least one day, then until {time} in the account's zone: up to 24 h later for whoever arrives before {time}; the form of this wait is read from live workflows"),
                    "Look at the step after the import and choose the time of day there",
                );
                if weekdays.iter().count() < 7 {
                    self.notes.impossible(
                        "hubspot/weekdays",
                        place.clone(),
                        format!(
                            "The weekdays are not kept, so it may end on the other {} days too, up to {} h earlier than in the flow",
                            7 - weekdays.iter().count(),
                            24 * days_off(*weekdays)
                        ),
                        "Choose the weekdays in HubSpot's \u{201c}day of the week\u{201d} delay after the import",
                    );
                }
                let fields = json!({"delta": "1", "time_unit": "DAYS", "time_of_day": clock(*time)});
                (self.chain(vec![("0-1", 0, fields)], next), here.plus(Span::days(1)).vague())
            }
            Wait::Date { property, offset, at, .. } => {
                let fixed = self.fixed_date(property);
                let property = if fixed.is_some() {
                    String::new()
                } else {
                    match self.asker.property(property, self.notes) {
                        Ok(name) => name,
                        Err(why) => {
                            self.notes.impossible(
                                "hubspot/date-wait",
                                place.clone(),
                                format!("`{}` cannot be waited for: {why}", path_text(property)),
                                "Keep the date in a property of the contact",
                            );
                            slug(&path_text(property))
                        }
                    }
                };
                let (delta, unit) =
                    if offset.months == 0 && offset.days == 0 && offset.millis % 3_600_000 == 0 && offset.millis != 0 {
                        (offset.millis / 3_600_000, "HOURS")
                    } else {
                        let days = offset.about_millis().div_euclid(86_400_000);
                        if offset.months != 0 || offset.millis != 0 {
                            self.notes.approximate(
                                "hubspot/date-offset",
                                place.clone(),
                                format!("{offset} are written as {days} days"),
                                "Choose whole days or hours",
                            );
                        }
                        (days, "DAYS")
                    };
                let date = fixed.unwrap_or_else(|| json!({"type": "OBJECT_PROPERTY", "propertyName": property}));
                let mut fields = json!({"date": date, "delta": delta.to_string(), "time_unit": unit});
                if let Some(at) = at {
                    fields["time_of_day"] = clock(*at);
                }
                self.notes.approximate(
                    "hubspot/date-wait",
                    place.clone(),
                    "Whether a contact whose date is past goes on or is passed over is a switch in HubSpot that the API does not show; times are in the account's zone",
                    "Look at the step after the import",
                );
                (self.chain(vec![("0-35", 0, fields)], next), here.vague())
            }
        }
    }

    /// The date of a constant, as HubSpot writes one that is the same for everybody.
    fn fixed_date(&self, path: &Path) -> Option<Json> {
        let name = path.steps.first().filter(|_| path.root == Root::Constant && path.steps.len() == 1)?;
        let text = match self.plan.settings.constants.get(name)? {
            value @ (Value::Date(_) | Value::Instant(_)) => static_text(value),
            _ => return None,
        };
        Some(json!({"type": "STATIC_VALUE", "staticValue": text}))
    }

    /// Waits for any of some events, then two ways.
    pub fn wait_branch(&mut self, branches: Vec<Json>, limit: Span, place: &Place, happened: To, timed_out: To) -> To {
        let minutes = (limit.about_millis() + 59_999).div_euclid(60_000).max(1);
        if !limit.is_exact() {
            self.notes.approximate(
                "hubspot/wait-limit",
                place.clone(),
                format!("{limit} are written as {minutes} minutes, which differs by an hour where the clocks change"),
                "Write the limit in hours",
            );
        }
        let fields = json!({"event_filter_branches": branches, "expiration_minutes": minutes.to_string()});
        if happened == timed_out {
            return self.chain(vec![("0-29", 0, fields)], happened);
        }
        let at = self.drafts.len();
        self.single("0-29", 0, fields, To::Draft(at + 1));
        let action = json!({"type": "STATIC_BRANCH", "actionId": "",
            "inputValue": {"type": "FIELD_DATA", "actionId": "", "dataKey": "hs_event_criteria_met"},
            "staticBranches": [{"branchValue": "true"}], "defaultBranchName": "Timed out"});
        self.push(action, vec![(Out::Static(0), happened), (Out::Default, timed_out)]);
        self.drafts[at + 1].input = Some(at);
        To::Draft(at)
    }

    fn wait_for(&mut self, wait: &WaitForEvent, place: &Place, happened: To, timed_out: To) -> To {
        if wait.look_back != LookBack::Now {
            self.notes.approximate(
                "hubspot/look-back",
                place.clone().with_field("look_back"),
                format!(
                    "A \u{201c}{}\u{201d} before the contact arrives at this step does not end the wait",
                    wait.event
                ),
                "Put an if/then branch on that event before the wait",
            );
        }
        let branches = self.event_branches(&wait.event, wait.filter.as_ref().map(|f| f.condition()), place);
        self.wait_branch(branches, wait.timeout, place, happened, timed_out)
    }

    /// Event branches for an event and its filter: one for each case of the filter.
    pub fn event_branches(&mut self, event: &str, filter: Option<&Condition>, place: &Place) -> Vec<Json> {
        let event_type = event_type(self.asker.workspace, event, self.notes);
        let Some(filter) = filter else { return vec![events_branch(&event_type, true, Vec::new())] };
        let terms = self.asker.names.dnf(filter).unwrap_or_else(|| vec![Vec::new()]);
        let mut out = Vec::new();
        for literals in terms {
            let filters = self.asker.event_filters(&literals, event, place, self.notes);
            let branch = events_branch(&event_type, true, filters);
            if !out.contains(&branch) {
                out.push(branch);
            }
        }
        out
    }

    fn random(&mut self, step: &Step<'_>, node: &Split, place: &Place) -> To {
        let weights: Vec<f64> = node.arms.iter().map(|arm| arm.weight).collect();
        let percents = whole_percents(&weights);
        let total: f64 = weights.iter().sum();
        let exact = weights
            .iter()
            .zip(&percents)
            .all(|(w, p)| total <= 0.0 || (w * 100.0 / total - f64::from(*p)).abs() < 0.005);
        let rounding = if exact { String::new() } else { format!("the shares become {percents:?} %, and ") };
        self.notes.approximate(
            "hubspot/split",
            place.clone(),
            format!("{rounding}HubSpot deals contacts itself, so others get an arm than in the preview; its help page speaks of even groups only"),
            "Look at the shares after the import; an even split is safe",
        );
        if node.winner.is_some() {
            self.notes.impossible(
                "hubspot/winner",
                place.clone().with_field("winner"),
                "HubSpot names no winner between paths; both go on",
                "Compare the paths after the time you planned and close one by hand",
            );
        }
        let outs = node.arms.iter().map(|arm| self.to(step, &arm.name)).collect();
        self.test(&percents, outs)
    }

    fn test(&mut self, percents: &[u32], outs: Vec<To>) -> To {
        let branches: Vec<Json> = percents.iter().map(|p| json!({"percentage": p})).collect();
        let outs = outs.into_iter().enumerate().map(|(n, to)| (Out::Test(n), to)).collect();
        To::Draft(self.push(json!({"type": "AB_TEST_BRANCH", "actionId": "", "testBranches": branches}), outs))
    }

    fn email(&mut self, step: &Step<'_>, email: &crate::kinds::Email, place: &Place, next: To) -> To {
        super::emails::losses(self.plan, self.asker.workspace, email, place, self.notes);
        let Some(message) = self.plan.flow.message(email.message.as_str()) else { return next };
        let content = |body: &mut Self, variant: &Variant| {
            if let Some(id) = variant.only_there(Origin::Hubspot) {
                return json!({"content_id": id});
            }
            let name = format!("{}-{}", message.id, variant.id);
            let id = body.notes.id(&body.asker.workspace.hubspot.ids, "email", &name, || {
                format!("POST /marketing/v3/emails with `emails/{name}.json`, publish it for automation; the id of the e-mail")
            });
            json!({"content_id": id})
        };
        let arms = languages::arms(Target::Hubspot, message, self.notes);
        if let [variant] = arms.as_slice() {
            let fields = content(self, variant);
            return self.chain(vec![("0-4", 0, fields)], next);
        }
        let weights: Vec<f64> = arms.iter().map(|v| f64::from(v.weight)).collect();
        self.notes.approximate(
            "hubspot/variants",
            place.clone(),
            format!(
                "The {} variants become e-mails of their own behind an A/B split, which HubSpot deals itself",
                arms.len()
            ),
            "Look at the shares after the import; an even split is safe",
        );
        let at = self.drafts.len();
        let outs = (0..arms.len()).map(|n| To::Draft(at + 1 + n)).collect();
        let begin = self.test(&whole_percents(&weights), outs);
        for variant in &arms {
            let fields = content(self, variant);
            self.single("0-4", 0, fields, next);
        }
        debug_assert!(step.settings.message().is_some(), "an e-mail step has a message");
        begin
    }
}

pub(super) fn clock(time: crate::base::TimeOfDay) -> Json {
    let mut out = Map::new();
    out.insert("hour".into(), json!(time.0.hour()));
    out.insert("minute".into(), json!(time.0.minute()));
    Json::Object(out)
}

/// "None of that within so long."
pub(super) fn none_within(event: &str, span: Span) -> Condition {
    Condition::Events(EventQuery {
        metric: event.into(),
        filter: None,
        measure: Measure::Count,
        window: EventWindow::Last(span),
        op: CompareOp::Eq,
        value: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        flow::{Edge, Flow, Node, Workspace},
        platforms,
    };

    /// The branches that a step with so many countries becomes: type, number of arms, whether it goes on by default.
    fn countries(count: usize) -> Vec<(String, usize, bool)> {
        let arms: Vec<String> =
            (0..count).map(|n| format!(r#"(name: "a{n}", condition: "contact.market = \"m{n}\"")"#)).collect();
        let mut flow = Flow::new("f", "F");
        let node = |id: &str, kind: &str, settings: &str| Arc::new(Node::new(id, kind, settings));
        flow.nodes.push(node("t", "trigger", "(any: [event(event: \"A\")])"));
        flow.nodes.push(node("b", "branch", &format!("(arms: [{}])", arms.join(", "))));
        flow.nodes.push(node("l", "list_update", "(add: [\"L\"])"));
        flow.edges.push(Edge::new("t", "next", "b"));
        flow.edges.extend((0..count).map(|n| Edge::new("b", format!("a{n}").as_str(), "l")));
        flow.edges.push(Edge::new("b", "else", "l"));
        let export =
            platforms::export(Target::Hubspot, &flow, &Workspace::default()).unwrap_or_else(|e| panic!("{e:#?}"));
        assert!(export.diagnostics.is_empty(), "{:#?}", export.diagnostics);
        let body: Json = serde_json::from_slice(export.file("flow.json").expect("a flow")).expect("JSON");
        let actions = body["actions"].as_array().expect("actions").iter();
        let branches = actions.filter(|action| action["type"].as_str().is_some_and(|kind| kind.ends_with("_BRANCH")));
        branches
            .map(|action| {
                let arms = ["listBranches", "staticBranches"].iter().find_map(|key| action[*key].as_array());
                let arms = arms.expect("arms");
                assert!(arms.iter().all(|arm| arm["connection"]["nextActionId"].is_string()));
                (
                    action["type"].as_str().unwrap_or_default().to_owned(),
                    arms.len(),
                    action["defaultBranch"].is_object(),
                )
            })
            .collect()
    }

    #[test]
    fn many_values_of_one_property_are_a_branch_on_its_value() {
        let check = |count: usize, expected: &[(&str, usize, bool)]| {
            let got = countries(count);
            let got: Vec<(&str, usize, bool)> =
                got.iter().map(|(kind, arms, on)| (kind.as_str(), *arms, *on)).collect();
            assert_eq!(got, expected, "{count}");
        };
        check(20, &[("LIST_BRANCH", 20, true)]);
        check(21, &[("STATIC_BRANCH", 21, true)]);
        check(251, &[("STATIC_BRANCH", 250, true), ("STATIC_BRANCH", 1, true)]);
    }
}
