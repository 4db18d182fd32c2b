//! What Klaviyo does with a create-flow body at run time.
//!
//! Source: references, Klaviyo 11, and 2 to 5 for the meaning of each part. Where that page is silent this file says
//! what it assumes. Everything is read from the JSON; the flow it was made from is unknown here.

use std::{collections::BTreeMap, sync::Arc};

use flowloom::{
    audience::{Audience, Channel, ConsentStatus, Contact, Event, Value},
    base::Zone,
    flow::Workspace,
};
use jiff::civil::Time;
use serde_json::Value as Json;

use super::person::{self, DAY, HOUR, MINUTE, Mail, Person};

/// Which arm a contact gets at a random split: the step, and how many arms there were before it.
pub type Draw<'d> = dyn Fn(&str, usize) -> bool + 'd;

/// Runs the bodies of an export for one contact.
pub fn run(
    bodies: &[Json],
    workspace: &Workspace,
    audience: &Audience,
    contact: &Contact,
    (from, until): (i64, i64),
    draw: &Draw<'_>,
) -> Vec<Mail> {
    let mut runner = Runner {
        person: Person::new(workspace, audience, contact),
        flows: bodies.iter().map(Flow::read).collect(),
        passes: Vec::new(),
        entries: BTreeMap::new(),
        inside: BTreeMap::new(),
        dates: Vec::new(),
        seq: 0,
        draw,
    };
    runner.play(from, until);
    runner.person.mails
}

struct Flow<'j> {
    definition: &'j Json,
    actions: BTreeMap<&'j str, &'j Json>,
}

impl<'j> Flow<'j> {
    fn read(body: &'j Json) -> Self {
        let definition = body.pointer("/data/attributes/definition").expect("a definition");
        let actions = list(&definition["actions"]);
        let actions = actions.iter().map(|action| (text(&action["temporary_id"]), action)).collect();
        Self { definition, actions }
    }

    fn trigger(&self) -> &'j Json {
        &self.definition["triggers"][0]
    }
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_default()
}

/// One pass of the person through a flow, waiting before an action.
struct Pass {
    flow: usize,
    /// What comes next; `None` at the end.
    at: Option<String>,
    due: i64,
    seq: u64,
    /// When it began: what `flow-start` counts from.
    began: i64,
    event: Option<Arc<Event>>,
}

struct Runner<'a, 'd> {
    person: Person<'a>,
    flows: Vec<Flow<'a>>,
    passes: Vec<Pass>,
    /// Last entry of each flow.
    entries: BTreeMap<usize, i64>,
    /// Whether the person is in the segment that starts a flow, and when that may change by itself.
    inside: BTreeMap<usize, (bool, Option<i64>)>,
    /// Entries by a date: when, which flow.
    dates: Vec<(i64, usize)>,
    seq: u64,
    draw: &'d Draw<'d>,
}

/// What a filter may look at besides the person.
struct Scene<'s> {
    now: i64,
    began: i64,
    event: Option<&'s Event>,
    /// The step that asks, for random samples.
    step: &'s str,
    nth: usize,
}

impl<'a> Runner<'a, '_> {
    fn play(&mut self, from: i64, until: i64) {
        for flow in 0..self.flows.len() {
            match text(&self.flows[flow].trigger()["type"]) {
                "segment" => self.watch(flow, from, false),
                "date" => self.schedule(flow, from, until),
                _ => {}
            }
        }
        loop {
            let pass = self.passes.iter().map(|pass| (pass.due, pass.seq)).min();
            let date = self.dates.iter().min().copied();
            let watch = self.inside.values().filter_map(|(_, next)| *next).min();
            let event = self.person.next_event();
            let Some(now) = [pass.map(|p| p.0), date.map(|d| d.0), watch, event].into_iter().flatten().min() else {
                return;
            };
            if now > until {
                return;
            }
            // What waits comes before what happens at the same instant (assumption; the product's own rule R1).
            if let Some((_, seq)) = pass.filter(|(due, _)| *due == now) {
                let at = self.passes.iter().position(|pass| pass.seq == seq).expect("it is there");
                let pass = self.passes.remove(at);
                self.walk(pass, now);
            } else if let Some((at, flow)) = date.filter(|(at, _)| *at == now) {
                self.dates.retain(|other| *other != (at, flow));
                self.enter(flow, now, None);
            } else if watch == Some(now) {
                let flows: Vec<usize> = self.inside.keys().copied().collect();
                flows.into_iter().for_each(|flow| self.watch(flow, now, true));
            } else if let Some(event) = self.person.learn() {
                // Before it goes live a flow admits nobody.
                if now > from {
                    for flow in 0..self.flows.len() {
                        self.triggered(flow, now, &event);
                    }
                }
                let flows: Vec<usize> = self.inside.keys().copied().collect();
                flows.into_iter().for_each(|flow| self.watch(flow, now, now > from));
            }
        }
    }

    fn metric_name(&self, id: &str) -> String {
        let shown = id.strip_prefix("METRIC:").unwrap_or(id);
        let known = self.person.workspace.events.iter().find(|event| event.klaviyo.as_deref() == Some(shown));
        known.map_or_else(|| shown.to_owned(), |event| event.name.to_string())
    }

    /// A metric trigger: name and trigger filter, at entry only.
    fn triggered(&mut self, flow: usize, now: i64, event: &Arc<Event>) {
        let trigger = self.flows[flow].trigger();
        if trigger["type"] != "metric" || self.metric_name(text(&trigger["id"])) != event.name {
            return;
        }
        let scene = Scene { now, began: event.happened.as_millis(), event: Some(event), step: "trigger", nth: 0 };
        if !self.holds(&trigger["trigger_filter"], &scene) {
            return;
        }
        // "Over 4 h and over the first delay."
        let late = now - event.happened.as_millis();
        if late > 4 * HOUR && late > self.first_delay(flow) {
            return;
        }
        self.enter(flow, now, Some(Arc::clone(event)));
    }

    fn first_delay(&self, flow: usize) -> i64 {
        let entry = text(&self.flows[flow].definition["entry_action_id"]);
        let action = self.flows[flow].actions.get(entry);
        action.filter(|action| action["type"] == "time-delay").map_or(0, |action| {
            let value = action["data"]["value"].as_i64().unwrap_or(0);
            value
                * match text(&action["data"]["unit"]) {
                    "minutes" => MINUTE,
                    "hours" => HOUR,
                    _ => DAY,
                }
        })
    }

    /// Entering a segment admits; the first look is none.
    fn watch(&mut self, flow: usize, now: i64, admits: bool) {
        let trigger = self.flows[flow].trigger();
        let shown = text(&trigger["id"]).trim_start_matches("SEGMENT:");
        let (name, wanted) = match shown.strip_prefix("not ") {
            Some(name) if !self.person.workspace.segments.contains_key(shown) => (name, false),
            _ => (shown, true),
        };
        let (is_in, next) = self.person.segment(name, now);
        let was = self.inside.insert(flow, (is_in == wanted, next.filter(|next| *next > now)));
        if admits && is_in == wanted && was.is_some_and(|(was, _)| !was) {
            self.enter(flow, now, None);
        }
    }

    /// All entries by a date of the person, at a time on their wall.
    fn schedule(&mut self, flow: usize, from: i64, until: i64) {
        let trigger = self.flows[flow].trigger();
        let Some(value) = self.property(text(&trigger["date_profile_property"])) else { return };
        let zone = self.person.zone.clone();
        let Some(date) = person::as_date(&value, &zone) else { return };
        let before = trigger["timedelta_value_before_date"].as_i64().unwrap_or(0);
        let before = match text(&trigger["timedelta_unit_before_date"]) {
            "days" => jiff::Span::new().days(before),
            "months" => jiff::Span::new().months(before),
            _ => jiff::Span::new().weeks(before),
        };
        let time: Time = text(&trigger["trigger_time"]).parse().expect("a time");
        let years = if trigger["recurrence_frequency"] == "annually" { 0..80 } else { 0..1 };
        for year in years {
            let Ok(there) = date.checked_add(jiff::Span::new().years(year)) else { continue };
            let Ok(day) = there.checked_sub(before) else { continue };
            let at = person::wall(day, time, &zone);
            if at > from && at <= until {
                self.dates.push((at, flow));
            }
        }
    }

    fn enter(&mut self, flow: usize, now: i64, event: Option<Arc<Event>>) {
        let definition = self.flows[flow].definition;
        let began = event.as_ref().map_or(now, |event| event.happened.as_millis());
        let scene = Scene { now, began, event: event.as_deref(), step: "entry", nth: 0 };
        if !self.holds(&definition["profile_filter"], &scene) || !self.may_reenter(flow, now) {
            return;
        }
        self.entries.insert(flow, now);
        self.seq += 1;
        let at = definition["entry_action_id"].as_str().map(str::to_owned);
        // The first delay counts from the event itself, which is what its being too late is measured against.
        let starts = if self.first_delay(flow) > 0 { began } else { now };
        self.walk(Pass { flow, at, due: starts, seq: self.seq, began, event }, starts);
    }

    fn may_reenter(&self, flow: usize, now: i64) -> bool {
        let Some(last) = self.entries.get(&flow) else { return true };
        let criteria = &self.flows[flow].definition["reentry_criteria"];
        let duration = criteria["duration"].as_i64().unwrap_or(0);
        match text(&criteria["unit"]) {
            "alltime" => duration == 0,
            "hour" => now - last >= duration * HOUR,
            "day" => now >= person::plus_days(*last, duration, &self.person.zone),
            "week" => now >= person::plus_days(*last, duration * 7, &self.person.zone),
            other => panic!("unit {other}"),
        }
    }

    /// Goes on from an action until something waits.
    fn walk(&mut self, mut pass: Pass, now: i64) {
        loop {
            let flow = pass.flow;
            let Some(id) = pass.at.clone() else { return };
            let action = self.flows[flow].actions[id.as_str()];
            let data = &action["data"];
            let event = pass.event.clone();
            let scene = |step: &'_ str| (step.to_owned(), pass.began);
            let next = |key: &str| action["links"][key].as_str().map(str::to_owned);
            let passes = {
                let scene = Scene { now, began: pass.began, event: event.as_deref(), step: &id, nth: 0 };
                self.holds(&self.flows[flow].definition["profile_filter"], &scene)
            };
            let (step, began) = scene(&id);
            let asked = |runner: &Self, filter: &Json, nth: usize| {
                // A split without condition sends everybody down YES.
                filter.is_null()
                    || runner.holds(filter, &Scene { now, began, event: event.as_deref(), step: &step, nth })
            };
            match text(&action["type"]) {
                "time-delay" => {
                    pass.due = self.after_delay(data, now);
                    pass.at = next("next");
                    self.seq += 1;
                    pass.seq = self.seq;
                    return self.passes.push(pass);
                }
                "countdown-delay" => {
                    let due = self.before_date(flow, data, now);
                    pass.due = due.max(now);
                    pass.at = next("next");
                    self.seq += 1;
                    pass.seq = self.seq;
                    return self.passes.push(pass);
                }
                // Splits are looked at once, on arrival; whether a failing profile filter keeps anybody from being
                // led on is not said, and makes no difference to what is sent.
                "conditional-split" | "trigger-split" => {
                    let key = if action["type"] == "trigger-split" { "trigger_filter" } else { "profile_filter" };
                    let yes = asked(self, &data[key], 0);
                    pass.at = next(if yes { "next_if_true" } else { "next_if_false" });
                }
                "multi-branch-split" => {
                    let branches = list(&data["branches"]);
                    let chosen = branches.iter().enumerate().find(|(nth, branch)| {
                        branch["is_else"] == true
                            || !branch["branch_filter"].is_null() && asked(self, &branch["branch_filter"], *nth)
                    });
                    pass.at = chosen.and_then(|(_, branch)| branch["links"]["next"].as_str()).map(str::to_owned);
                }
                _ if !passes => pass.at = next("next"),
                "send-email" | "send-sms" => {
                    self.message(&id, action, &pass, now);
                    pass.at = next("next");
                }
                // All variations go on together; which one a person gets is no matter here.
                "ab-test" => {
                    self.message(&id, &data["main_action"], &pass, now);
                    pass.at = next("next");
                }
                "update-profile" => {
                    for operation in list(&data["profile_operations"]) {
                        self.update(operation, now);
                    }
                    pass.at = next("next");
                }
                "list-update" => {
                    let name = text(&data["list_id"]).trim_start_matches("LIST:").to_owned();
                    match data["on_execution"] == true {
                        true => _ = self.person.contact.lists.insert(name.as_str().into()),
                        false => _ = self.person.contact.lists.remove(name.as_str()),
                    }
                    pass.at = next("next");
                }
                "send-webhook" | "send-internal-alert" => pass.at = next("next"),
                other => panic!("action {other}"),
            }
        }
    }

    fn after_delay(&self, data: &Json, now: i64) -> i64 {
        let value = data["value"].as_i64().expect("a value");
        let zone = &self.person.zone;
        let after = match text(&data["unit"]) {
            "minutes" => now + value * MINUTE,
            "hours" => now + value * HOUR,
            "days" => person::plus_days(now, value, zone),
            other => panic!("unit {other}"),
        };
        match data["delay_until_time"].as_str() {
            None => after,
            Some(time) => {
                let days: Vec<String> =
                    list(&data["delay_until_weekdays"]).iter().map(|day| text(day).to_owned()).collect();
                person::next_wall(after, time.parse().expect("a time"), &days, zone)
            }
        }
    }

    /// So long before the date that the flow began by.
    fn before_date(&self, flow: usize, data: &Json, now: i64) -> i64 {
        let name = text(&self.flows[flow].trigger()["date_profile_property"]);
        let zone = &self.person.zone;
        let Some(date) = self.property(name).and_then(|value| person::as_date(&value, zone)) else { return now };
        let today = zone.local(flowloom::base::Instant::from_millis(now)).date();
        let mut there = date;
        // The next anniversary, where the trigger is one.
        if self.flows[flow].trigger()["recurrence_frequency"] == "annually" {
            while there < today {
                there = there.checked_add(jiff::Span::new().years(1)).expect("a date");
            }
        }
        let before = data["value"].as_i64().unwrap_or(0);
        let day = there.checked_sub(jiff::Span::new().days(before)).expect("a date");
        let time = data["delay_until_time"].as_str().map_or(Time::midnight(), |time| time.parse().expect("a time"));
        person::wall(day, time, zone)
    }

    fn message(&mut self, id: &str, action: &Json, pass: &Pass, now: i64) {
        let message = &action["data"]["message"];
        let channel = if action["type"] == "send-sms" { Channel::Sms } else { Channel::Email };
        let transactional = message["transactional"] == true;
        let scene = Scene { now, began: pass.began, event: pass.event.as_deref(), step: id, nth: 0 };
        let consent = self.person.contact.consent.on(channel);
        // "Unsubscribed or suppressed people get no marketing email"; text messages need a yes.
        let allowed = if transactional {
            self.person.contact.email.is_some()
        } else {
            self.person.is_reachable(channel, channel == Channel::Sms) && consent != ConsentStatus::Unsubscribed
        };
        if !allowed || !self.holds(&message["additional_filters"], &scene) {
            return;
        }
        if message["smart_sending_enabled"] == true {
            let window = if channel == Channel::Email { 16 * HOUR } else { DAY };
            let name = person::RECEIVED.into_iter().find(|(of, _)| *of == channel).expect("both").1;
            if self.person.did(name, now - window, None).next().is_some() {
                return;
            }
        }
        let node = id.split(':').next().unwrap_or(id).to_owned();
        self.person.send(&node, &node, channel, now);
    }

    fn update(&mut self, operation: &Json, now: i64) {
        let key = text(&operation["property_key"]);
        let name = own_name(key);
        let value = &operation["property_value"];
        if operation["operator"] == "delete" {
            self.person.contact.properties.remove(name.as_str());
            return;
        }
        let value = match text(&operation["property_type"]) {
            "numeric" => Value::Number(value.as_f64().expect("a number")),
            "boolean" => Value::Bool(value == true),
            "date" if value == "today" => {
                Value::Date(self.person.zone.local(flowloom::base::Instant::from_millis(now)).date())
            }
            "date" => Value::Date(text(value).parse().expect("a date")),
            _ => Value::text(text(value)),
        };
        self.person.contact.properties.insert(name.as_str().into(), value);
    }

    fn property(&self, name: &str) -> Option<Value> {
        self.person.contact.value(&[own_name(name)])
    }

    // ---- filters: groups joined by AND, conditions in a group by OR ---------------------------------------------

    fn holds(&self, filter: &Json, scene: &Scene<'_>) -> bool {
        list(&filter["condition_groups"])
            .iter()
            .all(|group| list(&group["conditions"]).iter().any(|condition| self.condition(condition, scene)))
    }

    fn condition(&self, condition: &Json, scene: &Scene<'_>) -> bool {
        let person = &self.person;
        match text(&condition["type"]) {
            "profile-property" => {
                let value = self.property(text(&condition["property"]));
                operand(&condition["filter"], value.as_ref(), scene.now, &person.zone)
            }
            "metric-property" => {
                let Some(event) = scene.event.filter(|e| self.metric_name(text(&condition["metric_id"])) == e.name)
                else {
                    return false;
                };
                operand(&condition["filter"], event_value(event, text(&condition["field"])), scene.now, &person.zone)
            }
            "profile-metric" => self.metric(condition, scene),
            "profile-group-membership" => {
                let is_in = list(&condition["group_ids"]).iter().any(|id| {
                    let id = text(id);
                    id.strip_prefix("SEGMENT:").map_or_else(
                        || person.contact.lists.contains(id.trim_start_matches("LIST:")),
                        |name| person.segment(name, scene.now).0,
                    )
                });
                (condition["is_member"] == true) == is_in
            }
            "profile-marketing-consent" => {
                let consent = &condition["consent"];
                let channel = if consent["channel"] == "sms" { Channel::Sms } else { Channel::Email };
                let status = person.contact.consent.on(channel);
                let can = match channel {
                    Channel::Email => status != ConsentStatus::Unsubscribed,
                    Channel::Sms => status == ConsentStatus::Subscribed,
                };
                let subscription = match text(&consent["consent_status"]["subscription"]) {
                    "any" => true,
                    "subscribed" => status == ConsentStatus::Subscribed,
                    "never_subscribed" => status == ConsentStatus::Unknown,
                    "unsubscribed" => status == ConsentStatus::Unsubscribed,
                    other => panic!("subscription {other}"),
                };
                (consent["can_receive_marketing"] == true) == can && subscription
            }
            "profile-sample" => (self.draw)(scene.step, scene.nth),
            other => panic!("condition {other}"),
        }
    }

    /// "Has done X so and so often since then."
    fn metric(&self, condition: &Json, scene: &Scene<'_>) -> bool {
        let name = self.metric_name(text(&condition["metric_id"]));
        let frame = &condition["timeframe_filter"];
        let (since, without) = match text(&frame["operator"]) {
            "alltime" => (i64::MIN, None),
            // The event that began the flow came before it.
            "flow-start" => (scene.began, scene.event),
            "in-the-last" => {
                let quantity = frame["quantity"].as_i64().expect("a quantity");
                let since = match text(&frame["unit"]) {
                    "hour" => scene.now - quantity * HOUR,
                    "day" => person::plus_days(scene.now, -quantity, &self.person.zone),
                    "week" => person::plus_days(scene.now, -7 * quantity, &self.person.zone),
                    other => panic!("unit {other}"),
                };
                (since + 1, None)
            }
            other => panic!("timeframe {other}"),
        };
        let counted = self.person.did(&name, since, without).filter(|event| {
            list(&condition["metric_filters"])
                .iter()
                .all(|f| operand(&f["filter"], event_value(event, text(&f["property"])), scene.now, &self.person.zone))
        });
        let measured = match text(&condition["measurement"]) {
            "count" => counted.count() as f64,
            "sum" => counted.filter_map(|event| event_value(event, "$value")?.as_number()).sum(),
            other => panic!("measurement {other}"),
        };
        compare(&condition["measurement_filter"], measured)
    }
}

/// The value of an event: `$value` is its money.
fn event_value<'e>(event: &'e Event, field: &str) -> Option<&'e Value> {
    let field = if field == "$value" { "value" } else { field };
    event.property(&[field])
}

/// Our name of a property of theirs.
fn own_name(name: &str) -> String {
    let inside = |begin: &str| name.strip_prefix(begin)?.strip_suffix("']").map(|own| own.replace("\\'", "'"));
    if let Some(own) = inside("properties['").or_else(|| inside("location['")) {
        return if own == "timezone" { "zone".into() } else { own };
    }
    match name {
        "phone_number" => "phone".into(),
        "locale" => "language".into(),
        "created" => "created_at".into(),
        other => other.to_owned(),
    }
}

fn compare(filter: &Json, n: f64) -> bool {
    let value = filter["value"].as_f64().expect("a number");
    match text(&filter["operator"]) {
        "equals" => n == value,
        "not-equals" => n != value,
        "greater-than" => n > value,
        "greater-than-or-equal" => n >= value,
        "less-than" => n < value,
        "less-than-or-equal" => n <= value,
        other => panic!("operator {other}"),
    }
}

/// Whether a value passes a filter; a missing one passes `not-set` only.
fn operand(filter: &Json, value: Option<&Value>, now: i64, zone: &Zone) -> bool {
    let operator = text(&filter["operator"]);
    let is_empty = |value: &Value| match value {
        Value::Text(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        _ => false,
    };
    let Some(value) = value.filter(|value| !is_empty(value)) else { return operator == "not-set" };
    match text(&filter["type"]) {
        "existence" => operator == "is-set",
        "string" => {
            let Some(own) = person::as_text(value) else { return false };
            let one = text(&filter["value"]);
            let among = || list(&filter["value"]).iter().any(|item| text(item) == own);
            match operator {
                "equals" => own == one,
                "not-equals" => own != one,
                "contains" => own.contains(one),
                "not-contains" => !own.contains(one),
                "starts-with" => own.starts_with(one),
                "not-starts-with" => !own.starts_with(one),
                "ends-with" => own.ends_with(one),
                "not-ends-with" => !own.ends_with(one),
                "in" => among(),
                "not-in" => !among(),
                other => panic!("operator {other}"),
            }
        }
        "numeric" => value.as_number().is_some_and(|n| compare(filter, n)),
        "boolean" => *value == Value::Bool(filter["value"] == true),
        "list" => {
            let Value::List(items) = value else { return false };
            let there = items.iter().any(|item| item.as_text() == filter["value"].as_str());
            there == (operator == "contains")
        }
        "date" => {
            let Some(at) = person::as_millis(value) else { return false };
            let instant =
                |key: &str| flowloom::base::Instant::parse(text(&filter[key])).expect("an instant").as_millis();
            let ago = |sign: i64| {
                let quantity = sign * filter["quantity"].as_i64().expect("a quantity");
                match text(&filter["unit"]) {
                    "hour" => now + quantity * HOUR,
                    "day" => person::plus_days(now, quantity, zone),
                    "week" => person::plus_days(now, 7 * quantity, zone),
                    other => panic!("unit {other}"),
                }
            };
            match operator {
                "before" => at < instant("date"),
                "after" => at > instant("date"),
                "between-static" => (instant("start")..=instant("end")).contains(&at),
                "in-the-last" => (ago(-1)..=now).contains(&at),
                "in-the-next" => (now..=ago(1)).contains(&at),
                "at-least" => at <= ago(-1),
                other => panic!("operator {other}"),
            }
        }
        other => panic!("filter {other}"),
    }
}
