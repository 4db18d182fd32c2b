//! Conditions as Klaviyo asks them: groups joined by AND, conditions inside a group by OR.
//!
//! Source of every shape: the flows API, revision 2026-07-15 (`FlowDefinition` and the schemas below it). What cannot
//! be asked becomes a profile property that the shop keeps itself, and a loss that says so.

mod ranges;
mod words;

pub(super) use words::{
    is_event, list_id, metric_id, never, profile_metric, property_name, quoted, reachable, segment_how, timeframe,
    window_units,
};

use serde_json::{Value as Json, json};

use self::words::{consent, filters, metric_filter, numeric_operator, property, relative, sample};
use crate::{
    audience::{
        Channel, Condition, Path, ResponseKind, Value,
        condition::{CompareOp, EventQuery, EventWindow, Measure, Operand},
    },
    base::{Place, Span},
    flow::Workspace,
    kinds::{CapRule, Limit, Scope},
    platforms::{
        Notes,
        normal::{Literal, Names, path_text},
    },
};

/// A condition in groups, each with what it asks about.
pub(super) struct Asked {
    pub groups: Vec<Group>,
}

/// Conditions joined by OR.
#[derive(Default)]
pub(super) struct Group {
    pub conditions: Vec<Json>,
    pub has_event: bool,
    pub has_profile: bool,
}

/// What a filter may ask about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum About {
    Profile,
    Event,
    Both,
}

impl Asked {
    /// What it asks about altogether; the profile where it asks nothing.
    pub fn about(&self) -> About {
        let event = self.groups.iter().any(|g| g.has_event);
        let profile = self.groups.iter().any(|g| g.has_profile);
        match (event, profile) {
            (true, true) => About::Both,
            (true, false) => About::Event,
            (false, _) => About::Profile,
        }
    }

    /// As JSON; null where it asks nothing.
    pub fn filter(&self) -> Json {
        groups_to_json(self.groups.iter().map(|g| g.conditions.clone()).collect())
    }
}

/// Groups as a filter; null where there are none.
pub(super) fn groups_to_json(groups: Vec<Vec<Json>>) -> Json {
    if groups.is_empty() {
        return Json::Null;
    }
    let groups: Vec<Json> = groups.into_iter().map(|conditions| json!({"conditions": conditions})).collect();
    json!({"condition_groups": groups})
}

/// Turns conditions into filters for one flow body.
pub(super) struct Asker<'a> {
    pub names: Names<'a>,
    pub workspace: &'a Workspace,
    /// Id of the metric that triggers this body; without it event parts never hold (SEMANTICS R12).
    pub metric_id: Option<String>,
}

/// A number as Klaviyo writes it: whole where it is whole.
pub(super) fn number(n: f64) -> Json {
    if n.fract() == 0.0 && n.abs() < 9e15 {
        json!(n as i64)
    } else {
        serde_json::Number::from_f64(n).map_or(Json::Null, Json::Number)
    }
}

impl<'a> Asker<'a> {
    /// The condition in groups. Everything can be asked in the end: what Klaviyo cannot is a property kept outside.
    pub fn ask(&self, condition: &Condition, place: &Place, notes: &mut Notes) -> Asked {
        let Some(cnf) = self.names.cnf(condition) else {
            let json =
                self.outside(&condition.to_string(), false, "it has too many cases when written out", place, notes);
            return Asked { groups: vec![Group { conditions: vec![json], has_event: false, has_profile: true }] };
        };
        let mut groups = Vec::new();
        for literals in ranges::joined(cnf) {
            let mut group = Group::default();
            for literal in &literals {
                if is_event(literal) {
                    let Some(metric_id) = &self.metric_id else { continue };
                    match self.event_condition(literal, metric_id, place, notes) {
                        Ok(json) => {
                            group.conditions.push(json);
                            group.has_event = true;
                            continue;
                        }
                        Err(why) => {
                            let text = literal.atom.to_string();
                            group.conditions.push(self.outside(&text, literal.negated, &why, place, notes));
                        }
                    }
                } else {
                    match self.profile_conditions(literal, place, notes) {
                        Ok(list) => group.conditions.extend(list),
                        Err(why) => {
                            let text = literal.atom.to_string();
                            group.conditions.push(self.outside(&text, literal.negated, &why, place, notes));
                        }
                    }
                }
                group.has_profile = true;
            }
            if group.conditions.is_empty() {
                group.conditions.push(never());
                group.has_profile = true;
            }
            groups.push(group);
        }
        Asked { groups }
    }

    /// The condition asked of the profile alone; event parts are left out with a loss.
    pub fn ask_profile(&self, condition: &Condition, place: &Place, notes: &mut Notes) -> Vec<Vec<Json>> {
        let asked = self.ask(condition, place, notes);
        let mut out = Vec::new();
        for group in asked.groups {
            if group.has_event {
                notes.impossible(
                    "klaviyo/event-in-profile-filter",
                    place.clone(),
                    "A filter that Klaviyo checks before every step cannot look at the trigger event, so this part is left out",
                    "Ask it in a condition step at the beginning instead",
                );
            } else {
                out.push(group.conditions);
            }
        }
        out
    }

    /// A yes/no property that the shop keeps itself, in place of what Klaviyo cannot ask.
    fn outside(&self, what: &str, negated: bool, why: &str, place: &Place, notes: &mut Notes) -> Json {
        let name: String = format!("Flowloom: {what}").chars().take(120).collect();
        notes.impossible(
            "klaviyo/condition",
            place.clone(),
            format!("Klaviyo cannot ask `{what}`: {why}; the answer is read from the profile property \u{201c}{name}\u{201d}, and is no until that is kept"),
            format!("Let the shop keep the yes/no property \u{201c}{name}\u{201d} on its profiles, or ask something else"),
        );
        let filter = json!({"type": "boolean", "operator": "equals", "value": !negated});
        property(&words::custom_property(&name), &filter)
    }

    /// Conditions on the profile, joined by OR.
    fn profile_conditions(&self, literal: &Literal, place: &Place, notes: &mut Notes) -> Result<Vec<Json>, String> {
        let negated = literal.negated;
        Ok(match &literal.atom {
            Condition::Compare { left, op, right } => self.compare_profile(left, *op, right, negated, place, notes)?,
            Condition::IsSet(path) => {
                let operator = if negated { "not-set" } else { "is-set" };
                vec![property(&property_name(path)?, &json!({"type": "existence", "operator": operator}))]
            }
            Condition::Events(query) => vec![self.events(query, negated, place, notes)?],
            Condition::InList(name) => vec![self.in_list(name, !negated, notes)],
            Condition::InSegment(name) => {
                notes.approximate(
                    "klaviyo/segment-filter",
                    place.clone(),
                    format!("Segment \u{201c}{name}\u{201d} is asked by its id; whether flows accept segments there is not documented"),
                    "Add the segment to the workspace so that its condition is written out, or test the imported flow",
                );
                let id = notes.id(&self.workspace.klaviyo.ids, "segment", name, || segment_how(name));
                vec![json!({"type": "profile-group-membership", "is_member": !negated, "group_ids": [id]})]
            }
            Condition::Consent { channel, status } => consent(*channel, *status, negated),
            Condition::Response { response, node, link, window } => {
                vec![self.response(
                    *response,
                    node.as_ref().map(|n| n.as_str()),
                    link.as_deref(),
                    *window,
                    negated,
                    place,
                    notes,
                )?]
            }
            Condition::Share { share, .. } => vec![sample(*share, negated, place, notes)],
            Condition::Score { .. } => return Err("it does not weigh events".into()),
            Condition::LocalTime(_) => return Err("filters do not know the time of day".into()),
            // The two ends of a moving range; every other is gone when multiplied out.
            Condition::All(parts) => match ranges::filter(parts, place, notes) {
                Some((path, filter)) => vec![property(&property_name(path)?, &filter)],
                None => vec![never()],
            },
            Condition::Always(_) | Condition::Any(_) | Condition::Not(_) => vec![never()],
        })
    }

    fn in_list(&self, name: &str, is_member: bool, notes: &mut Notes) -> Json {
        let id = list_id(self.workspace, name, notes);
        json!({"type": "profile-group-membership", "is_member": is_member, "group_ids": [id]})
    }

    fn compare_profile(
        &self,
        left: &Path,
        op: CompareOp,
        right: &Operand,
        negated: bool,
        place: &Place,
        notes: &mut Notes,
    ) -> Result<Vec<Json>, String> {
        let name = property_name(left)?;
        let declared = left.steps.first().and_then(|first| self.workspace.properties.get(first)).copied();
        let filters = match right {
            Operand::Value(value) => filters(op, value, negated, declared)?,
            Operand::Now(span) => vec![relative(op, *span, negated, place, notes)?],
            Operand::Path(path) => return Err(format!("it compares with another value, `{}`", path_text(path))),
        };
        if matches!(right, Operand::Value(Value::Money(_))) {
            notes.approximate(
                "klaviyo/currency",
                place.clone(),
                format!("`{}` is compared as a bare number, in whatever currency the profile holds", path_text(left)),
                "Keep the property in one currency",
            );
        }
        Ok(filters.iter().map(|filter| property(&name, filter)).collect())
    }

    fn event_condition(
        &self,
        literal: &Literal,
        metric_id: &str,
        place: &Place,
        notes: &mut Notes,
    ) -> Result<Json, String> {
        let (path, mut filters) = match &literal.atom {
            Condition::Compare { left, op, right: Operand::Value(value) } => {
                (left, filters(*op, value, literal.negated, None)?)
            }
            Condition::Compare { left, op, right: Operand::Now(span) } => {
                (left, vec![relative(*op, *span, literal.negated, place, notes)?])
            }
            Condition::All(parts) => {
                let (path, filter) = ranges::filter(parts, place, notes).ok_or("its parts are asked one by one")?;
                (path, vec![filter])
            }
            Condition::Compare { right: Operand::Path(path), .. } => {
                return Err(format!("it compares with another value, `{}`", path_text(path)));
            }
            Condition::IsSet(path) => {
                let operator = if literal.negated { "not-set" } else { "is-set" };
                (path, vec![json!({"type": "existence", "operator": operator})])
            }
            _ => return Err("event properties are compared with fixed values only".into()),
        };
        let [field] = path.steps.as_slice() else {
            return Err("only properties at the top of an event can be filtered".into());
        };
        if filters.len() != 1 {
            return Err("it takes two conditions where one fits".into());
        }
        let filter = filters.remove(0);
        Ok(json!({"type": "metric-property", "metric_id": metric_id, "field": field.as_str(), "filter": filter}))
    }

    fn events(&self, query: &EventQuery, negated: bool, place: &Place, notes: &mut Notes) -> Result<Json, String> {
        let measurement = match &query.measure {
            Measure::Count => "count",
            Measure::Sum(path) => {
                if !matches!(path.steps.as_slice(), [one] if one == "value" || one == "$value") {
                    notes.approximate(
                        "klaviyo/sum",
                        place.clone(),
                        format!(
                            "Klaviyo adds up the value of each \u{201c}{}\u{201d}, not `{}`",
                            query.metric,
                            path_text(path)
                        ),
                        "Let the shop send that number as the event's value",
                    );
                }
                "sum"
            }
            Measure::Max(_) => return Err("it has no largest value over events".into()),
        };
        let op =
            if negated { query.op.negated() } else { Some(query.op) }.ok_or("the comparison has no counterpart")?;
        let counts = query.measure == Measure::Count;
        // Counts are whole: "less than one" is "none", "at least one" is "more than none", as the editor writes them.
        let (op, value) = match (op, query.value) {
            (CompareOp::Lt, 1.0) if counts => (CompareOp::Eq, 0.0),
            (CompareOp::Ge, 1.0) if counts => (CompareOp::Gt, 0.0),
            other => other,
        };
        let operator = numeric_operator(op).ok_or("the comparison has no counterpart")?;
        let metric_id = metric_id(self.workspace, &query.metric, notes);
        let timeframe = timeframe(query.window, place, notes);
        let mut metric_filters = Vec::new();
        if let Some(filter) = &query.filter {
            self.metric_filters(filter, &query.metric, place, notes, &mut metric_filters);
        }
        Ok(profile_metric(&metric_id, measurement, operator, number(value), &timeframe, metric_filters))
    }

    /// Filters on the events of a metric, joined by AND; what does not fit is left out with a loss.
    fn metric_filters(&self, filter: &Condition, metric: &str, place: &Place, notes: &mut Notes, out: &mut Vec<Json>) {
        let terms = self.names.dnf(filter).unwrap_or_default();
        let [literals] = terms.as_slice() else {
            notes.impossible(
                "klaviyo/event-filter",
                place.clone(),
                format!("Klaviyo joins filters on \u{201c}{metric}\u{201d} by AND only, so `{filter}` is left out and every one counts"),
                "Split the condition into one per case",
            );
            return;
        };
        for literal in literals {
            match metric_filter(literal) {
                Ok(json) => out.push(json),
                Err(why) => notes.approximate(
                    "klaviyo/event-filter",
                    place.clone(),
                    format!(
                        "Every \u{201c}{metric}\u{201d} counts, since Klaviyo cannot ask `{}`: {why}",
                        literal.to_condition()
                    ),
                    "Let the shop send the events that count under a name of their own",
                ),
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one leaf")]
    fn response(
        &self,
        response: ResponseKind,
        node: Option<&str>,
        link: Option<&str>,
        window: EventWindow,
        negated: bool,
        place: &Place,
        notes: &mut Notes,
    ) -> Result<Json, String> {
        let metric = match response {
            ResponseKind::Opened => "Opened Email",
            ResponseKind::Clicked => "Clicked Email",
            ResponseKind::Bounced => "Bounced Email",
            ResponseKind::Unsubscribed => "Unsubscribed",
            ResponseKind::Complained => "Marked Email as Spam",
            ResponseKind::Replied => return Err("replies are not events there".into()),
        };
        let which = match (node, link) {
            (Some(node), Some(link)) => format!("only of message step `{node}` by its link `{link}`"),
            (Some(node), None) => format!("only of message step `{node}`"),
            (None, Some(link)) => format!("only by the link `{link}` in a mail of this flow"),
            (None, None) => "only of the mails of this flow".to_owned(),
        };
        notes.approximate(
            "klaviyo/response",
            place.clone(),
            format!("\u{201c}{metric}\u{201d} of any e-mail since the flow began counts, not {which}"),
            "Open the split in Klaviyo after the import and choose the message in it",
        );
        let operator = if negated { "equals" } else { "greater-than" };
        let metric_id = metric_id(self.workspace, metric, notes);
        // Answers belong to the journey that sent the message.
        let window = if window == EventWindow::Ever { EventWindow::SinceEntry } else { window };
        let timeframe = timeframe(window, place, notes);
        Ok(profile_metric(&metric_id, "count", operator, json!(0), &timeframe, Vec::new()))
    }

    /// "There is room under these caps", for `channel`: rows in order, the first whose segment matches counts.
    pub fn room(&self, caps: &[CapRule], channel: Channel, place: &Place, notes: &mut Notes) -> Vec<Vec<Json>> {
        let mut groups = Vec::new();
        for scope in [Scope::Workspace, Scope::Flow] {
            let mut earlier: Vec<Condition> = Vec::new();
            for cap in caps.iter().filter(|cap| cap.channel == channel && cap.scope == scope) {
                let segment = cap.segment.clone().map(Condition::InSegment);
                if let Limit::AtMost(most) = cap.limit {
                    if scope == Scope::Flow {
                        notes.approximate(
                            "klaviyo/cap-scope",
                            place.clone(),
                            format!("The cap of {most} in {} counts the messages of all flows and campaigns, not only of this flow", cap.within),
                            "Raise the number, or leave the flow's own cap out",
                        );
                    }
                    let mut any = earlier.clone();
                    any.extend(segment.clone().map(|s| Condition::Not(Box::new(s))));
                    any.push(received_fewer(channel, most, cap.within));
                    groups.extend(self.ask_profile(&Condition::Any(any), place, notes));
                }
                match segment {
                    Some(segment) => earlier.push(segment),
                    None => break,
                }
            }
        }
        groups
    }
}

/// "Received fewer than so many messages of a channel within so long", as a condition over the platform's own metric.
fn received_fewer(channel: Channel, most: u32, within: Span) -> Condition {
    let metric = if channel == Channel::Email { "Received Email" } else { "Received SMS" };
    Condition::Events(EventQuery {
        metric: metric.into(),
        filter: None,
        measure: Measure::Count,
        window: EventWindow::Last(within),
        op: CompareOp::Lt,
        value: f64::from(most),
    })
}

/// A cap rule as the question whether there is room.
pub(super) fn room_condition(cap: &CapRule) -> Condition {
    match cap.limit {
        Limit::None => Condition::Always(true),
        Limit::AtMost(most) => {
            let fewer = received_fewer(cap.channel, most, cap.within);
            match &cap.segment {
                None => fewer,
                Some(segment) => {
                    Condition::Any(vec![Condition::Not(Box::new(Condition::InSegment(segment.clone()))), fewer])
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowSettings;

    fn workspace() -> Workspace {
        let source = r#"(version: 1, segments: {"VIP": "contact.lifetime_value > 500"}, properties: {"tags": list})"#;
        crate::flow::file::read_workspace(source).expect("a workspace").0
    }

    /// A condition as groups: `a | b` is OR, ` & ` is AND; the losses' codes after `#`.
    fn ask(text: &str) -> String {
        let workspace = workspace();
        let parsed = crate::audience::condition::parse(text);
        assert!(parsed.errors.is_empty(), "{text}: {:?}", parsed.errors);
        let asker = Asker {
            names: Names::new(&workspace, &FlowSettings::default()),
            workspace: &workspace,
            metric_id: Some("M".into()),
        };
        let mut notes = Notes::default();
        let asked = asker.ask(&parsed.condition, &Place::default(), &mut notes);
        let group = |g: &Group| g.conditions.iter().map(short).collect::<Vec<_>>().join(" | ");
        let mut out = asked.groups.iter().map(group).collect::<Vec<_>>().join(" & ");
        for loss in &notes.losses {
            out.push_str(" #");
            out.push_str(loss.code.trim_start_matches("klaviyo/"));
        }
        out
    }

    /// A condition in few words.
    fn short(json: &Json) -> String {
        let filter = |f: &Json| {
            let amount = ["value", "date", "start", "quantity"].iter().find_map(|key| f.get(*key));
            let unit = f["unit"].as_str().unwrap_or_default();
            format!(
                "{}{}{unit}",
                f["operator"].as_str().unwrap_or_default(),
                amount.map_or_else(String::new, |a| format!(" {a}"))
            )
        };
        match json["type"].as_str().unwrap_or_default() {
            "profile-property" => {
                format!("{} {}", json["property"].as_str().unwrap_or_default(), filter(&json["filter"]))
            }
            "metric-property" => {
                format!("event.{} {}", json["field"].as_str().unwrap_or_default(), filter(&json["filter"]))
            }
            "profile-metric" => {
                let inner = json["metric_filters"].as_array().into_iter().flatten();
                let inner: Vec<String> = inner
                    .map(|f| format!("[{} {}]", f["property"].as_str().unwrap_or_default(), filter(&f["filter"])))
                    .collect();
                format!(
                    "{} {} {} {}{}",
                    json["measurement"].as_str().unwrap_or_default(),
                    json["metric_id"].as_str().unwrap_or_default(),
                    filter(&json["measurement_filter"]),
                    filter(&json["timeframe_filter"]),
                    inner.concat(),
                )
            }
            "profile-group-membership" => format!(
                "{} {}",
                if json["is_member"] == true { "in" } else { "not in" },
                json["group_ids"][0].as_str().unwrap_or_default()
            ),
            "profile-marketing-consent" => format!(
                "{} {}",
                json["consent"]["can_receive_marketing"],
                json["consent"]["consent_status"]["subscription"].as_str().unwrap_or_default()
            ),
            other => format!("{other} {}", json["percentage"]),
        }
    }

    #[test]
    fn conditions_become_groups() {
        let check = |text: &str, expected: &str| assert_eq!(ask(text), expected, "{text}");
        check("contact.first_name = \"Ada\"", "first_name equals \"Ada\"");
        check("not (contact.city contains \"n\")", "location['city'] not-contains \"n\"");
        check("contact.plan in [\"a\", \"b\"]", "properties['plan'] in [\"a\",\"b\"]");
        check("contact.n in [1, 2]", "properties['n'] equals 1 | properties['n'] equals 2");
        check("contact.n not in [1, 2]", "properties['n'] not-equals 1 & properties['n'] not-equals 2");
        check("contact.tags contains \"x\"", "properties['tags'] contains \"x\"");
        check("contact.phone is not set", "phone_number not-set");
        check("contact.born <= 2000-01-01", "properties['born'] before \"2000-01-02T00:00:00Z\"");
        check("contact.seen > now - 7 days", "properties['seen'] in-the-last 1week #relative-date");
        check("contact.seen > now - 7 days and contact.seen <= now", "properties['seen'] in-the-last 1week");
        check("contact.due >= now and contact.due < now + 3 days", "properties['due'] in-the-next 3day");
        check(
            "contact.due >= now and contact.due < now + 3 days or contact.vip = true",
            "properties['vip'] equals true | properties['due'] in-the-next 3day",
        );
        check(
            "contact.a >= now - 1 day and contact.a <= now or contact.b >= now and contact.b <= now + 1 day",
            "properties['b'] in-the-next 1day | properties['a'] in-the-last 1day",
        );
        check("trigger.due >= now and trigger.due < now + 3 days", "event.due in-the-next 3day");
        check("contact.due > now", "properties['due'] in-the-next 5200week #relative-date");
        check("contact.due < now", "properties['due'] in-the-last 5200week #relative-date");
        check("contact.seen < now - 90 min", "properties['seen'] at-least 2hour #window");
        check("trigger.n > 1 or contact.a = 1", "event.n greater-than 1 | properties['a'] equals 1");
        check("did \"A\"", "count METRIC:A greater-than 0 alltime");
        check("never did \"A\" since entry", "count METRIC:A equals 0 flow-start");
        check(
            "did \"A\" at least 2 times in the last 30 days",
            "count METRIC:A greater-than-or-equal 2 in-the-last 30day",
        );
        check(
            "did \"A\" where (event.n > 1 and event.v = \"x\")",
            "count METRIC:A greater-than 0 alltime[n greater-than 1][v equals \"x\"]",
        );
        check(
            "did \"A\" where (event.n > 1 or event.v = \"x\")",
            "count METRIC:A greater-than 0 alltime[n greater-than 1] | count METRIC:A greater-than 0 alltime[v equals \"x\"]",
        );
        check("did \"A\" where (event.id = trigger.id)", "count METRIC:A greater-than 0 alltime #event-filter");
        check(
            "in segment \"VIP\" and not on list \"L\"",
            "properties['lifetime_value'] greater-than 500 & not in LIST:L",
        );
        check("not in segment \"VIP\"", "properties['lifetime_value'] less-than-or-equal 500");
        check("email consent is subscribed", "true subscribed");
        check("not email consent is unsubscribed", "true subscribed | true never_subscribed | false never_subscribed");
        check("share 12.5 % salt \"x\"", "profile-sample 13 #share");
        check("score \"s\" >= 5", "properties['Flowloom: score \"s\" >= 5'] equals true #condition");
        check(
            "contact.a = 1 or (contact.b = 2 and contact.c = 3)",
            "properties['a'] equals 1 | properties['b'] equals 2 & properties['a'] equals 1 | properties['c'] equals 3",
        );
    }

    #[test]
    fn caps_take_the_first_row_that_matches() {
        let workspace = workspace();
        let asker =
            Asker { names: Names::new(&workspace, &FlowSettings::default()), workspace: &workspace, metric_id: None };
        let row = |most: u32, segment: Option<&str>| CapRule {
            limit: Limit::AtMost(most),
            segment: segment.map(Into::into),
            ..CapRule::default()
        };
        let mut notes = Notes::default();
        let groups = asker.room(
            &[row(5, Some("VIP")), row(3, None), row(1, None)],
            Channel::Email,
            &Place::default(),
            &mut notes,
        );
        let shown: Vec<String> = groups.iter().map(|g| g.iter().map(short).collect::<Vec<_>>().join(" | ")).collect();
        assert_eq!(
            shown,
            [
                "properties['lifetime_value'] less-than-or-equal 500 | count METRIC:Received Email less-than 5 in-the-last 48hour",
                "properties['lifetime_value'] greater-than 500 | count METRIC:Received Email less-than 3 in-the-last 48hour",
            ]
        );
    }
}
