//! What HubSpot does with create-workflow bodies at run time.
//!
//! Source: references, HubSpot 14, and 3 to 6 for the meaning of each part. Where that page is silent this file says
//! what it assumes. Everything is read from the JSON; the flow it was made from is unknown here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use flowloom::{
    audience::{Audience, Channel, ConsentStatus, Contact, Event, Value},
    base::{Instant, Zone},
    flow::Workspace,
};
use jiff::civil::Time;
use serde_json::Value as Json;

use super::person::{self, DAY, HOUR, MINUTE, Mail, Person};

/// Which arm of a random split a contact gets: the split's id, how many arms it has.
pub type Deal<'d> = dyn Fn(&str, usize) -> usize + 'd;
/// The step of the flow that sends a message; only for the answers that the audience gives.
pub type NodeOf<'d> = dyn Fn(&str) -> String + 'd;

/// Runs the bodies of an export for one contact.
pub fn run(
    bodies: &[Json],
    workspace: &Workspace,
    audience: &Audience,
    contact: &Contact,
    (from, until): (i64, i64),
    (deal, node_of): (&Deal<'_>, &NodeOf<'_>),
) -> Vec<Mail> {
    let mut runner = Runner {
        person: Person::new(workspace, audience, contact),
        account: workspace.default_zone(),
        flows: bodies.iter().map(Flow::read).collect(),
        copies: BTreeMap::new(),
        inside: BTreeMap::new(),
        was_in: BTreeSet::new(),
        meets: BTreeMap::new(),
        dates: Vec::new(),
        looks: BTreeSet::new(),
        seq: 0,
        deal,
        node_of,
    };
    runner.play(from, until);
    runner.person.mails
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_default()
}

struct Flow<'j> {
    body: &'j Json,
    actions: BTreeMap<&'j str, &'j Json>,
    /// Spans that its filters look back, in milliseconds: an event may stop to count by itself after them.
    spans: Vec<i64>,
}

impl<'j> Flow<'j> {
    fn read(body: &'j Json) -> Self {
        let actions = list(&body["actions"]).iter().map(|action| (text(&action["actionId"]), action)).collect();
        let mut spans = Vec::new();
        let mut stack = vec![body];
        while let Some(value) = stack.pop() {
            match value {
                Json::Array(items) => stack.extend(items),
                Json::Object(map) => {
                    if let Some(offset) = map.get("timeOffset") {
                        spans.push(millis_of(offset));
                    }
                    if let Some(point) = map.get("timePoint").and_then(|point| point.get("offset")) {
                        spans.push(-shift(point));
                    }
                    stack.extend(map.values());
                }
                _ => {}
            }
        }
        spans.sort_unstable();
        spans.dedup();
        Self { body, actions, spans }
    }
}

fn millis_of(offset: &Json) -> i64 {
    let amount = offset["amount"].as_i64().expect("an amount");
    amount
        * match text(&offset["timeUnit"]) {
            "MINUTES" => MINUTE,
            "HOURS" => HOUR,
            "DAYS" => DAY,
            "WEEKS" => 7 * DAY,
            other => panic!("{other}"),
        }
}

/// About how far an offset of a time point moves it.
fn shift(offset: &Json) -> i64 {
    let of = |key: &str| offset[key].as_i64().unwrap_or(0);
    of("months") * 30 * DAY + of("days") * DAY + of("hours") * HOUR + of("minutes") * MINUTE
}

/// The person inside a workflow, waiting before an action.
struct Inside {
    /// What comes next; `None` at the end.
    at: Option<String>,
    due: i64,
    seq: u64,
    event: Option<Arc<Event>>,
    /// The wait for an event that is under way, or how the last one ended.
    waits: Option<String>,
    met: BTreeMap<String, bool>,
}

struct Runner<'a, 'd> {
    person: Person<'a>,
    account: Zone,
    flows: Vec<Flow<'a>>,
    /// Contact properties that the workflow itself filled.
    copies: BTreeMap<String, Option<Value>>,
    /// At most once while inside.
    inside: BTreeMap<usize, Inside>,
    was_in: BTreeSet<usize>,
    /// Whether the condition of a list-based enrolment holds.
    meets: BTreeMap<usize, bool>,
    dates: Vec<(i64, usize)>,
    /// When a condition may turn by itself.
    looks: BTreeSet<i64>,
    seq: u64,
    deal: &'d Deal<'d>,
    node_of: &'d NodeOf<'d>,
}

impl<'a> Runner<'a, '_> {
    fn play(&mut self, from: i64, until: i64) {
        for flow in 0..self.flows.len() {
            let body = self.flows[flow].body;
            if body["enrollmentSchedule"]["type"] == "PROPERTY_BASED" {
                self.schedule(flow, from, until);
            } else if body["enrollmentCriteria"]["type"] == "LIST_BASED" {
                // Who meets it when it is switched on is not enrolled: "no" to existing contacts.
                let holds = self.holds(&body["enrollmentCriteria"]["listFilterBranch"], from, None);
                self.meets.insert(flow, holds);
                self.look_ahead(flow, from);
            }
        }
        loop {
            let waits = self.inside.iter().map(|(flow, inside)| (inside.due, inside.seq, *flow)).min();
            let date = self.dates.iter().min().copied();
            let look = self.looks.first().copied();
            let event = self.person.next_event();
            let Some(now) = [waits.map(|w| w.0), date.map(|d| d.0), look, event].into_iter().flatten().min() else {
                return;
            };
            if now > until {
                return;
            }
            if let Some((_, _, flow)) = waits.filter(|(due, ..)| *due == now) {
                let mut inside = self.inside.remove(&flow).expect("inside");
                if let Some(wait) = inside.waits.take() {
                    inside.met.insert(wait, false);
                }
                self.walk(flow, inside, now);
            } else if let Some((at, flow)) = date.filter(|(at, _)| *at == now) {
                self.dates.retain(|other| *other != (at, flow));
                self.enrol(flow, now, None);
            } else if look == Some(now) {
                self.looks.remove(&now);
                self.look(now, now > from);
            } else if let Some(event) = self.person.learn() {
                self.goals(now);
                self.end_waits(&event, now);
                if now > from {
                    self.by_event(&event, now);
                }
                for flow in 0..self.flows.len() {
                    self.look_ahead(flow, event.happened.as_millis());
                }
                self.look(now, now > from);
            }
        }
    }

    /// Conditions over a window may turn when the window has passed.
    fn look_ahead(&mut self, flow: usize, at: i64) {
        if self.meets.contains_key(&flow) {
            let mut begins = vec![at];
            begins.extend(self.person.contact.properties.values().filter_map(person::as_millis));
            begins.extend(self.person.contact.created_at.map(Instant::as_millis));
            let ahead = begins.iter().flat_map(|begin| self.flows[flow].spans.iter().map(move |span| begin + span));
            let ahead: Vec<i64> = ahead.flat_map(|look| [look, look + 1]).filter(|look| *look > at).collect();
            self.looks.extend(ahead);
        }
    }

    fn look(&mut self, now: i64, enrols: bool) {
        self.goals(now);
        let flows: Vec<usize> = self.meets.keys().copied().collect();
        for flow in flows {
            let holds = self.holds(&self.flows[flow].body["enrollmentCriteria"]["listFilterBranch"], now, None);
            let was = self.meets.insert(flow, holds).unwrap_or(false);
            // Again only by a re-enrolment trigger, a change of one of the condition's properties; the audience of a
            // replay changes no properties.
            let again =
                self.flows[flow].body["enrollmentCriteria"]["shouldReEnroll"] == true || !self.was_in.contains(&flow);
            if enrols && holds && !was && again {
                self.enrol(flow, now, None);
            }
        }
    }

    fn event_name(&self, id: &str) -> String {
        let ours = match id {
            "4-666440" => "Opened Email",
            "4-666288" => "Clicked Email",
            "4-665538" => "Replied to Email",
            "4-5470331" => "Bounced Email",
            "4-666289" => "Unsubscribed",
            "4-665536" => "Received Email",
            "4-1721168" => "Received SMS",
            _ => "",
        };
        if !ours.is_empty() {
            return ours.to_owned();
        }
        let known = self.person.workspace.events.iter().find(|event| event.hubspot.as_deref() == Some(id));
        known.map_or_else(|| id.strip_prefix("EVENT:").unwrap_or(id).to_owned(), |event| event.name.to_string())
    }

    /// One event of an events branch: its type and filters.
    fn is_meant(&self, branch: &Json, event: &Event, now: i64) -> bool {
        self.event_name(text(&branch["eventTypeId"])) == event.name
            && list(&branch["filters"]).iter().all(|filter| {
                let name = text(&filter["property"]);
                let value = event.properties.iter().find(|(own, _)| slug(own) == name).map(|(_, value)| value.clone());
                self.operation(&filter["operation"], value, now)
            })
    }

    fn by_event(&mut self, event: &Arc<Event>, now: i64) {
        for flow in 0..self.flows.len() {
            let criteria = &self.flows[flow].body["enrollmentCriteria"];
            let branches = list(&criteria["eventFilterBranches"]);
            if criteria["type"] != "EVENT_BASED" || !branches.iter().any(|branch| self.is_meant(branch, event, now)) {
                continue;
            }
            let refined = criteria.get("refinementCriteria").is_none_or(|filter| self.holds(filter, now, None));
            if refined && (criteria["shouldReEnroll"] == true || !self.was_in.contains(&flow)) {
                self.enrol(flow, now, Some(Arc::clone(event)));
            }
        }
    }

    fn schedule(&mut self, flow: usize, from: i64, until: i64) {
        let schedule = &self.flows[flow].body["enrollmentSchedule"];
        let Some(value) = self.property(text(&schedule["dateProperty"])) else { return };
        let Some(date) = person::as_date(&value, &self.account) else { return };
        let time = time_of(&schedule["timeOfDay"]);
        let days = schedule["daysDelta"].as_i64().expect("days");
        let years = if schedule["yearly"] == true { 0..80 } else { 0..1 };
        for year in years {
            let there = date
                .checked_add(jiff::Span::new().years(year))
                .and_then(|d| d.checked_add(jiff::Span::new().days(days)));
            let Ok(day) = there else { continue };
            let at = person::wall(day, time, &self.account);
            if at > from && at <= until {
                self.dates.push((at, flow));
            }
        }
    }

    fn enrol(&mut self, flow: usize, now: i64, event: Option<Arc<Event>>) {
        // "A record never re-enters while still inside"; who meets the goal already is not enrolled.
        if self.inside.contains_key(&flow) || self.meets_goal(flow, now) {
            return;
        }
        self.was_in.insert(flow);
        self.seq += 1;
        let at = self.flows[flow].body["startActionId"].as_str().map(str::to_owned);
        let inside = Inside { at, due: now, seq: self.seq, event, waits: None, met: BTreeMap::new() };
        self.walk(flow, inside, now);
    }

    fn meets_goal(&self, flow: usize, now: i64) -> bool {
        self.flows[flow].body.get("goalFilterBranch").is_some_and(|goal| self.holds(goal, now, None))
    }

    /// Leaves at once.
    fn goals(&mut self, now: i64) {
        let met: Vec<usize> = self.inside.keys().copied().filter(|flow| self.meets_goal(*flow, now)).collect();
        met.into_iter().for_each(|flow| _ = self.inside.remove(&flow));
    }

    /// A wait ends at the event; earlier ones do not count.
    fn end_waits(&mut self, event: &Arc<Event>, now: i64) {
        let ended: Vec<usize> = self
            .inside
            .iter()
            .filter(|(flow, inside)| {
                let Some(wait) = &inside.waits else { return false };
                let branches = list(&self.flows[**flow].actions[wait.as_str()]["fields"]["event_filter_branches"]);
                branches.iter().any(|branch| self.is_meant(branch, event, now))
            })
            .map(|(flow, _)| *flow)
            .collect();
        for flow in ended {
            let mut inside = self.inside.remove(&flow).expect("inside");
            let wait = inside.waits.take().expect("a wait");
            inside.met.insert(wait, true);
            self.walk(flow, inside, now);
        }
    }

    fn waits(&mut self, flow: usize, mut inside: Inside, due: i64) {
        self.seq += 1;
        (inside.due, inside.seq) = (due, self.seq);
        self.inside.insert(flow, inside);
    }

    /// Goes on from an action until something waits.
    fn walk(&mut self, flow: usize, mut inside: Inside, now: i64) {
        loop {
            // "Checked before each action; leaves at once."
            if self.meets_goal(flow, now) {
                return;
            }
            let Some(id) = inside.at.clone() else { return };
            let action = self.flows[flow].actions[id.as_str()];
            let to = |connection: &Json| connection["nextActionId"].as_str().map(str::to_owned);
            match text(&action["type"]) {
                "LIST_BRANCH" => {
                    let arms = list(&action["listBranches"]);
                    let arm = arms.iter().find(|arm| self.holds(&arm["filterBranch"], now, Some(&inside)));
                    inside.at =
                        to(&arm.map_or(action, |arm| arm)[if arm.is_some() { "connection" } else { "defaultBranch" }]);
                }
                "STATIC_BRANCH" => {
                    let input = &action["inputValue"];
                    let value = match text(&input["type"]) {
                        "FIELD_DATA" => inside.met.get(text(&input["actionId"])).map(bool::to_string),
                        "OBJECT_PROPERTY" => self.property(text(&input["propertyName"])).map(|value| value.to_string()),
                        other => panic!("value {other}"),
                    };
                    let arm = list(&action["staticBranches"])
                        .iter()
                        .find(|arm| arm["branchValue"].as_str() == value.as_deref());
                    inside.at = arm.map_or_else(|| to(&action["defaultBranch"]), |arm| to(&arm["connection"]));
                }
                "AB_TEST_BRANCH" => {
                    let arms = list(&action["testBranches"]);
                    let arm = (self.deal)(&id, arms.len());
                    inside.at = to(&arms[arm]["connection"]);
                }
                "WEBHOOK" => {
                    if let Some(open) = self.held_until(flow, now) {
                        return self.waits(flow, inside, open);
                    }
                    inside.at = to(&action["connection"]);
                }
                "SINGLE_CONNECTION" => {
                    let fields = &action["fields"];
                    let next = to(&action["connection"]);
                    match text(&action["actionTypeId"]) {
                        "0-1" => {
                            let due = self.after_delay(fields, now);
                            inside.at = next;
                            return self.waits(flow, inside, due);
                        }
                        "0-35" => {
                            let due = self.date_delay(fields, now);
                            inside.at = next;
                            return self.waits(flow, inside, due);
                        }
                        "0-29" => {
                            let minutes: i64 = text(&fields["expiration_minutes"]).parse().expect("minutes");
                            inside.at = next;
                            inside.waits = Some(id);
                            return self.waits(flow, inside, now + minutes * MINUTE);
                        }
                        other => {
                            // Delays and branches are not held by the send times; the action after them is.
                            if let Some(open) = self.held_until(flow, now) {
                                return self.waits(flow, inside, open);
                            }
                            self.act(other, fields, &inside, now);
                            inside.at = next;
                        }
                    }
                }
                other => panic!("action {other}"),
            }
        }
    }

    /// When the send times of a workflow open, where they are shut.
    fn held_until(&self, flow: usize, now: i64) -> Option<i64> {
        let windows = list(&self.flows[flow].body["timeWindows"]);
        if windows.is_empty() {
            return None;
        }
        let local = self.account.local(Instant::from_millis(now));
        let mut opens: Vec<i64> = Vec::new();
        for ahead in 0..8 {
            let date = local.date().checked_add(jiff::Span::new().days(ahead)).expect("a date");
            let day = format!("{:?}", date.weekday()).to_uppercase();
            for window in windows.iter().filter(|window| text(&window["day"]) == day) {
                let start = person::wall(date, time_of(&window["startTime"]), &self.account);
                let end = person::wall(date, time_of(&window["endTime"]), &self.account);
                if (start..end).contains(&now) {
                    return None;
                }
                opens.push(start);
            }
        }
        opens.into_iter().filter(|open| *open > now).min()
    }

    fn after_delay(&self, fields: &Json, now: i64) -> i64 {
        let delta: i64 = text(&fields["delta"]).parse().expect("a number");
        let after = match text(&fields["time_unit"]) {
            "MINUTES" => now + delta * MINUTE,
            "HOURS" => now + delta * HOUR,
            "DAYS" => person::plus_days(now, delta, &self.account),
            other => panic!("unit {other}"),
        };
        match fields.get("time_of_day") {
            None => after,
            Some(time) => person::next_wall(after, time_of(time), &[], &self.account),
        }
    }

    /// Until a date of the contact; a past one goes on at once (a switch that the JSON does not show).
    fn date_delay(&self, fields: &Json, now: i64) -> i64 {
        let Some(value) = self.property(text(&fields["date"]["propertyName"])) else { return now };
        let Some(date) = person::as_date(&value, &self.account) else { return now };
        let delta: i64 = text(&fields["delta"]).parse().expect("a number");
        let time = fields.get("time_of_day").map_or(Time::midnight(), time_of);
        let due = match text(&fields["time_unit"]) {
            "HOURS" => person::wall(date, time, &self.account) + delta * HOUR,
            _ => person::wall(date.checked_add(jiff::Span::new().days(delta)).expect("a date"), time, &self.account),
        };
        due.max(now)
    }

    fn act(&mut self, type_id: &str, fields: &Json, inside: &Inside, now: i64) {
        match type_id {
            "0-4" => {
                let content = text(&fields["content_id"]).trim_start_matches("EMAIL:");
                let message = content.rsplit_once('-').map_or(content, |(message, _)| message);
                let node = (self.node_of)(message);
                if self.person.is_reachable(Channel::Email, false) {
                    self.person.send(&node, message, Channel::Email, now);
                }
            }
            "0-5" => {
                let name = text(&fields["property_name"]).to_owned();
                let value = &fields["value"];
                let value = match text(&value["type"]) {
                    "STATIC_VALUE" => {
                        let given = text(&value["staticValue"]);
                        (!given.is_empty()).then(|| Value::from_plain_text(given))
                    }
                    "OBJECT_PROPERTY" => self.property(text(&value["propertyName"])),
                    "ENROLLMENT_EVENT_PROPERTY" => {
                        let path = text(&value["enrollmentEventPropertyToken"]).trim_start_matches("EVENT-PROPERTY:");
                        let steps: Vec<&str> = path.split('.').collect();
                        inside.event.as_ref().and_then(|event| event.property(&steps).cloned())
                    }
                    "TIMESTAMP" => Some(Value::Instant(Instant::from_millis(now))),
                    "INCREMENT" => {
                        let before = self.property(&name).and_then(|value| value.as_number()).unwrap_or(0.0);
                        Some(Value::Number(before + value["incrementAmount"].as_f64().expect("a number")))
                    }
                    other => panic!("value {other}"),
                };
                self.copies.insert(name, value);
            }
            "0-63809083" => {
                _ = self.person.contact.lists.insert(text(&fields["listId"]).trim_start_matches("LIST:").into())
            }
            "0-63863438" => _ = self.person.contact.lists.remove(text(&fields["listId"]).trim_start_matches("LIST:")),
            "0-8" => {}
            other => panic!("action type {other}"),
        }
    }

    /// A contact property under HubSpot's name.
    fn property(&self, name: &str) -> Option<Value> {
        if let Some(own) = self.copies.get(name) {
            return own.clone();
        }
        let contact = &self.person.contact;
        let ours = match name {
            "firstname" => "first_name",
            "lastname" => "last_name",
            "jobtitle" => "job_title",
            "createdate" => "created_at",
            "hs_language" => "language",
            "hs_timezone" => "zone",
            other => other,
        };
        let own = contact.value(&[ours]);
        own.or_else(|| contact.properties.iter().find(|(own, _)| slug(own) == name).map(|(_, value)| value.clone()))
    }

    // ---- filters: OR of ANDs -------------------------------------------------------------------------------------

    fn holds(&self, branch: &Json, now: i64, inside: Option<&Inside>) -> bool {
        let (filters, branches) = (list(&branch["filters"]), list(&branch["filterBranches"]));
        match text(&branch["filterBranchType"]) {
            "OR" => branches.iter().any(|inner| self.holds(inner, now, inside)),
            "AND" => {
                filters.iter().all(|filter| self.filter(filter, now, inside))
                    && branches.iter().all(|inner| self.holds(inner, now, inside))
            }
            "UNIFIED_EVENTS" => self.events(branch, now),
            other => panic!("branch {other}"),
        }
    }

    fn filter(&self, filter: &Json, now: i64, _: Option<&Inside>) -> bool {
        match text(&filter["filterType"]) {
            "PROPERTY" => self.operation(&filter["operation"], self.property(text(&filter["property"])), now),
            "CONSTANT" => filter["shouldAccept"] == true,
            "IN_LIST" => {
                let name = text(&filter["listId"]).trim_start_matches("LIST:");
                let is_in = if self.person.workspace.segments.contains_key(name) {
                    self.person.segment(name, now).0
                } else {
                    self.person.contact.lists.contains(name)
                };
                is_in == (filter["operator"] == "IN_LIST")
            }
            "COMMUNICATION_SUBSCRIPTION" => {
                let channel = if filter["channel"] == "SMS" { Channel::Sms } else { Channel::Email };
                let state = match self.person.contact.consent.on(channel) {
                    ConsentStatus::Subscribed => "OPT_IN",
                    ConsentStatus::Unsubscribed => "OPT_OUT",
                    ConsentStatus::Unknown => "NOT_OPTED",
                };
                list(&filter["acceptedOptStates"]).iter().any(|accepted| text(accepted) == state)
            }
            other => panic!("filter {other}"),
        }
    }

    fn events(&self, branch: &Json, now: i64) -> bool {
        let name = self.event_name(text(&branch["eventTypeId"]));
        let since =
            branch.get("pruningRefineBy").map_or(i64::MIN, |pruning| now - millis_of(&pruning["timeOffset"]) + 1);
        let count =
            self.person.did(&name, since, None).filter(|event| self.is_meant(branch, event, now)).count() as u64;
        if branch["operator"] == "HAS_NOT_COMPLETED" {
            return count == 0;
        }
        let refine = branch.get("coalescingRefineBy");
        let least = refine.and_then(|refine| refine["minOccurrences"].as_u64()).unwrap_or(1);
        let most = refine.and_then(|refine| refine["maxOccurrences"].as_u64()).unwrap_or(u64::MAX);
        (least..=most).contains(&count)
    }

    fn operation(&self, operation: &Json, value: Option<Value>, now: i64) -> bool {
        let operator = text(&operation["operator"]);
        let is_empty = |value: &Value| matches!(value, Value::Text(text) if text.is_empty());
        let Some(value) = value.filter(|value| !is_empty(value)) else {
            return operator == "IS_UNKNOWN" || operation["includeObjectsWithNoValueSet"] == true;
        };
        match text(&operation["operationType"]) {
            "ALL_PROPERTY" => operator == "IS_KNOWN",
            "STRING" | "COMPARATIVE_STRING" => {
                let other = match operation["comparisonPropertyName"].as_str() {
                    Some(name) => self.property(name).map(|other| other.to_string()),
                    None => operation["value"].as_str().map(str::to_owned),
                };
                let (own, Some(other)) = (value.to_string(), other) else { return false };
                match operator {
                    "IS_EQUAL_TO" => own == other,
                    "IS_NOT_EQUAL_TO" => own != other,
                    "CONTAINS" => own.contains(&other),
                    "DOES_NOT_CONTAIN" => !own.contains(&other),
                    "STARTS_WITH" => own.starts_with(&other),
                    "ENDS_WITH" => own.ends_with(&other),
                    unknown => panic!("operator {unknown}"),
                }
            }
            "MULTISTRING" => {
                let own = value.to_string();
                let among = list(&operation["values"]).iter().any(|item| text(item) == own);
                among == (operator == "IS_EQUAL_TO")
            }
            "NUMBER" => {
                let (Some(own), Some(other)) = (value.as_number(), operation["value"].as_f64()) else { return false };
                match operator {
                    "IS_EQUAL_TO" => own == other,
                    "IS_NOT_EQUAL_TO" => own != other,
                    "IS_GREATER_THAN" => own > other,
                    "IS_GREATER_THAN_OR_EQUAL_TO" => own >= other,
                    "IS_LESS_THAN" => own < other,
                    "IS_LESS_THAN_OR_EQUAL_TO" => own <= other,
                    unknown => panic!("operator {unknown}"),
                }
            }
            "BOOL" => (value == Value::Bool(operation["value"] == true)) == (operator == "IS_EQUAL_TO"),
            "DATETIME" => {
                let (Some(own), Some(other)) = (person::as_millis(&value), operation["timestamp"].as_i64()) else {
                    return false;
                };
                if operator == "IS_BEFORE" { own < other } else { own > other }
            }
            "TIME_POINT" => {
                let Some(own) = self.moment(&value) else { return false };
                let other = self.point(&operation["timePoint"], now);
                let inclusive = operation["endpointBehavior"] == "INCLUSIVE" && own == other;
                inclusive || if operator == "IS_BEFORE" { own < other } else { own > other }
            }
            "TIME_RANGED" => {
                let Some(own) = self.moment(&value) else { return false };
                let (low, high) = (
                    self.point(&operation["lowerBoundTimePoint"], now),
                    self.point(&operation["upperBoundTimePoint"], now),
                );
                (low..=high).contains(&own) == (operator == "IS_BETWEEN")
            }
            "COMPARATIVE_DATE" => {
                let other = self.property(text(&operation["comparisonPropertyName"]));
                let (Some(own), Some(other)) = (self.moment(&value), other.and_then(|other| self.moment(&other)))
                else {
                    return false;
                };
                if operator == "IS_BEFORE" { own < other } else { own > other }
            }
            other => panic!("operation {other}"),
        }
    }

    /// A date is the beginning of its day in the account's zone.
    fn moment(&self, value: &Value) -> Option<i64> {
        match value {
            Value::Date(date) => Some(person::wall(*date, Time::midnight(), &self.account)),
            other => person::as_millis(other),
        }
    }

    fn point(&self, point: &Json, now: i64) -> i64 {
        let zone = Zone::named(text(&point["zoneId"])).expect("a zone");
        match text(&point["timeType"]) {
            "DATE" => {
                let of = |key: &str| i8::try_from(point[key].as_i64().expect("a number")).expect("small");
                let year = i16::try_from(point["year"].as_i64().expect("a year")).expect("a year");
                let date = jiff::civil::date(year, of("month"), of("day"));
                person::wall(date, jiff::civil::time(of("hour"), of("minute"), of("second"), 0), &zone)
            }
            "INDEXED" => {
                assert_eq!(point["indexReference"]["referenceType"], "NOW");
                let offset = &point["offset"];
                let of = |key: &str| offset[key].as_i64().unwrap_or(0);
                let at = zone.plus_calendar(
                    Instant::from_millis(now),
                    i32::try_from(of("months")).expect("few"),
                    i32::try_from(of("days")).expect("few"),
                );
                at.as_millis() + of("hours") * HOUR + of("minutes") * MINUTE
            }
            other => panic!("time {other}"),
        }
    }
}

fn time_of(json: &Json) -> Time {
    let of = |key: &str| i8::try_from(json[key].as_i64().expect("a number")).expect("small");
    jiff::civil::time(of("hour"), of("minute"), 0, 0)
}

/// A name as HubSpot's properties are spelt: small letters, digits, underscore (references, HubSpot 10).
fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => out.push(c.to_ascii_lowercase()),
            _ if !out.is_empty() && !out.ends_with('_') => out.push('_'),
            _ => {}
        }
    }
    let out: String = out.trim_end_matches('_').chars().take(80).collect();
    if out.is_empty() || out.starts_with(|c: char| c.is_ascii_digit()) { format!("p_{out}") } else { out }
}
