//! What starts a flow, who may be in it, and how often.

use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

use super::{
    Reader,
    document::error,
    filters::{self, Asker, Refused, property_path, units},
    names::{id_of, is_purchase},
};
use crate::{
    audience::{
        Condition,
        condition::{EventQuery, EventWindow, Root, walk},
    },
    base::{Diagnostic, Span, TimeOfDay},
    content::Origin,
    flow::{Node, Reentry},
    kinds::{
        Alternative, Settings, Trigger,
        triggers::{
            date::DateTrigger, event::EventTrigger, foreign::ForeignTrigger, list::ListTrigger, segment::SegmentTrigger,
        },
    },
    platforms::import::RemarkKind,
};

/// Most triggers of a flow. Source: assumption; Klaviyo takes one.
const MOST_TRIGGERS: usize = 100;
/// Most groups of a flow's filter that are read. Source: assumption; far over what the editor lets anybody build.
const MOST_GROUPS: usize = 400;

impl Reader<'_> {
    /// The trigger node.
    ///
    /// Errors: more triggers than any flow has.
    pub(super) fn trigger(&mut self, definition: &Map<String, Json>, at: &str) -> Result<(), Diagnostic> {
        let pointer = format!("{at}/triggers");
        let none = Vec::new();
        let triggers = match definition.get("triggers") {
            Some(Json::Array(triggers)) => triggers,
            _ => &none,
        };
        if triggers.len() > MOST_TRIGGERS {
            let why = format!("this flow has {} triggers; at most {MOST_TRIGGERS} are read", triggers.len());
            return Err(error("import/too-many", &pointer, why)
                .hint("Klaviyo's own flows have one; give the others in flows of their own"));
        }
        let mut any = Vec::new();
        for (n, trigger) in triggers.iter().enumerate() {
            let here = format!("{pointer}/{n}");
            let kind = trigger.get("type").and_then(Json::as_str).unwrap_or("(no type)").to_owned();
            match self.alternative(trigger, &kind, &here) {
                Ok(alternative) => {
                    let message = format!("The flow starts by: {}", alternative.summary());
                    self.say(RemarkKind::Understood, "import/understood", &here, Some(&"trigger".into()), message, "");
                    any.push(alternative);
                }
                Err(why) => {
                    self.say(
                        RemarkKind::Kept,
                        "import/kept-trigger",
                        &format!("{here}{}", why.pointer),
                        Some(&"trigger".into()),
                        format!("The trigger `{kind}` stays Klaviyo's own, by which nobody enters here: {}", why.why),
                        "Leave it when the flow goes back there; otherwise choose a trigger of Flowloom",
                    );
                    any.push(foreign(kind, trigger));
                }
            }
        }
        if triggers.len() > 1 {
            self.say(
                RemarkKind::Guessed,
                "import/guessed",
                &pointer,
                Some(&"trigger".into()),
                format!("The flow has {} triggers; each is taken for an alternative", triggers.len()),
                "Look at the trigger; Klaviyo's own flows have one",
            );
        }
        if any.is_empty() {
            self.say(
                RemarkKind::Kept,
                "import/no-trigger",
                &pointer,
                Some(&"trigger".into()),
                "The flow has no trigger yet",
                "Choose what lets contacts in",
            );
            let json = serde_json::json!({"type": "metric", "id": null, "trigger_filter": null});
            any.push(foreign("unconfigured".into(), &json));
        }
        self.nodes.insert(0, Node::new("trigger", "trigger", &Settings::Trigger(Trigger { any }).to_ron()));
        Ok(())
    }

    fn alternative(&mut self, trigger: &Json, kind: &str, here: &str) -> Result<Alternative, Refused> {
        let refused = |pointer: &str, why: &str| Refused { pointer: pointer.to_owned(), why: why.to_owned() };
        match kind {
            "metric" => {
                let id = id_of(trigger.get("id")).ok_or_else(|| refused("/id", "no metric was chosen yet"))?;
                let mut asker = Asker { names: &mut self.names, root: Root::Event, salt: "trigger" };
                let filter = trigger.get("trigger_filter").unwrap_or(&Json::Null);
                let groups = asker.groups(filter).map_err(|why| within("/trigger_filter", why))?;
                let filter = match groups.as_slice() {
                    [] => None,
                    _ => {
                        let condition = filters::all(groups.into_iter().map(filters::any).collect());
                        Some(filters::text(&condition).map_err(|why| refused("/trigger_filter", &why))?)
                    }
                };
                let event = self.names.metric(&id);
                self.unknown_id("metric", &id, &format!("{here}/id"));
                Ok(Alternative::Event(EventTrigger { event, filter }))
            }
            "list" => {
                let id = id_of(trigger.get("id")).ok_or_else(|| refused("/id", "no list was chosen yet"))?;
                self.unknown_id("list", &id, &format!("{here}/id"));
                Ok(Alternative::List(ListTrigger { list: self.names.list(&id) }))
            }
            "segment" => {
                let id = id_of(trigger.get("id")).ok_or_else(|| refused("/id", "no segment was chosen yet"))?;
                let segment = self.names.segment(&id);
                self.say(
                    RemarkKind::Guessed,
                    "import/unknown-segment",
                    &format!("{here}/id"),
                    Some(&"trigger".into()),
                    format!(
                        "What the segment \u{201c}{segment}\u{201d} asks is not part of a flow, so nobody enters here"
                    ),
                    "Write the segment's condition into the workspace",
                );
                Ok(Alternative::Segment(SegmentTrigger { segment, leaves: false }))
            }
            "date" => self.date(trigger).map(Alternative::Date).map_err(|why| refused("", &why)),
            other => Err(refused("/type", &format!("Flowloom has no trigger `{other}`"))),
        }
    }

    fn date(&mut self, trigger: &Json) -> Result<DateTrigger, String> {
        let word = |key: &str| trigger.get(key).and_then(Json::as_str);
        if word("date_field_type").is_some_and(|kind| kind != "profile-property") {
            return Err("there are no words for dates of custom objects".into());
        }
        let name = word("date_profile_property").ok_or("it names no property")?;
        let property = property_path(name)?;
        let before = trigger.get("timedelta_value_before_date").and_then(Json::as_i64).unwrap_or(0);
        let before = match (before, word("timedelta_unit_before_date").unwrap_or("weeks")) {
            (0, _) => Span::ZERO,
            (n, "months") => match i32::try_from(n).ok().filter(|n| (1..=1_200).contains(n)) {
                Some(months) => Span { months, days: 0, millis: 0 },
                None => return Err(format!("{n} months before the date are not a span that can be said")),
            },
            (n, unit @ ("days" | "weeks")) => {
                units(n, unit).ok_or_else(|| format!("{n} {unit} before the date are not a span that can be said"))?
            }
            (_, other) => return Err(format!("there are no words for the unit `{other}`")),
        };
        let yearly = match word("recurrence_frequency").unwrap_or("monthly") {
            "never" => false,
            "annually" => true,
            other => return Err(format!("there are no words for dates that come back `{other}`")),
        };
        if trigger.get("trigger_days").and_then(Json::as_array).is_some_and(|days| !days.is_empty()) {
            return Err("there are no words for the weekdays of a date trigger".into());
        }
        let at = time_of(word("trigger_time").ok_or("it has no time of day")?)?;
        self.date = Some(name.to_owned());
        if let Some(first) = property.steps.first() {
            self.names.workspace.properties.entry(first.clone()).or_insert(crate::audience::ValueType::Date);
        }
        Ok(DateTrigger { property, offset: before.negated(), at, yearly })
    }

    /// Says that an id has no name yet.
    pub(super) fn unknown_id(&mut self, kind: &str, id: &str, pointer: &str) {
        if !self.names.is_known(kind, id) {
            let message = format!("The {kind} `{id}` has no name here, so its id stands for it");
            if self.unknown.insert(format!("{kind}:{id}")) {
                self.say(
                    RemarkKind::Guessed,
                    "import/unknown-name",
                    pointer,
                    None,
                    message,
                    "Give the names of the account, or rename it",
                );
            }
        }
    }

    /// The filter that Klaviyo asks before every step, and how often somebody may enter.
    pub(super) fn whole_flow(&mut self, definition: &Map<String, Json>, at: &str) {
        let criteria = definition.get("reentry_criteria").filter(|criteria| !criteria.is_null());
        let by_filter = self.profile_filter(definition, at);
        let here = format!("{at}/reentry_criteria");
        let read = criteria.map(reentry);
        self.settings.reentry = match (read, by_filter) {
            (Some(Some((reentry, exact))), _) => {
                if !exact {
                    self.say(
                        RemarkKind::Guessed,
                        "import/guessed",
                        &here,
                        None,
                        "Klaviyo lets a contact in again at any time; here, when the contact has left the flow",
                        "",
                    );
                }
                reentry
            }
            (Some(None), _) => {
                self.say(
                    RemarkKind::Kept,
                    "import/kept-json",
                    &here,
                    None,
                    "The re-entry rule is not understood; it goes back unchanged",
                    "Choose a rule",
                );
                Reentry::default()
            }
            (None, Some(reentry)) => reentry,
            (None, None) => {
                // Source: help article 360003040052.
                let kind = definition.get("triggers").and_then(|t| t.get(0)).and_then(|t| t.get("type"));
                let once = matches!(kind.and_then(Json::as_str), Some("list" | "segment"));
                if once { Reentry::Once } else { Reentry::AfterExit }
            }
        };
    }

    fn profile_filter(&mut self, definition: &Map<String, Json>, at: &str) -> Option<Reentry> {
        let pointer = format!("{at}/profile_filter");
        let groups = match definition.get("profile_filter") {
            None | Some(Json::Null) => return None,
            Some(filter) => match filter.get("condition_groups").and_then(Json::as_array) {
                Some(groups) => groups,
                None => {
                    self.kept_filter(&pointer, "a filter holds a list `condition_groups`");
                    return None;
                }
            },
        };
        let (mut exits, mut goals): (Vec<Condition>, Vec<Condition>) = (Vec::new(), Vec::new());
        let mut reentry = None;
        if groups.len() > MOST_GROUPS {
            let why = format!("only the first {MOST_GROUPS} of its {} groups are asked", groups.len());
            self.kept_filter(&format!("{pointer}/condition_groups/{MOST_GROUPS}"), &why);
        }
        for (n, group) in groups.iter().enumerate().take(MOST_GROUPS) {
            let here = format!("{pointer}/condition_groups/{n}");
            if let Some(rule) = not_in_flow(group) {
                reentry = Some(rule);
                self.say(
                    RemarkKind::Understood,
                    "import/understood",
                    &here,
                    None,
                    "The filter on earlier passes is the re-entry rule",
                    "",
                );
                continue;
            }
            let one = serde_json::json!({"condition_groups": [group]});
            let mut asker = Asker { names: &mut self.names, root: Root::Trigger, salt: "entry" };
            let read = asker.groups(&one).map(|mut groups| groups.pop().unwrap_or_default());
            let read = read.and_then(|group| {
                // A share drawn at entry is not drawn again, and an exit would be.
                let mut fixed = true;
                group.iter().for_each(|c| walk(c, &mut |c| fixed &= !matches!(c, Condition::Share { .. })));
                if fixed {
                    Ok(group)
                } else {
                    Err(Refused { pointer: String::new(), why: "a random sample is no exit".into() })
                }
            });
            match read {
                Ok(group) => {
                    if let Some(consent) = filters::required_consent(&group)
                        && !self.settings.consent.iter().any(|known| known.channel() == consent.channel())
                    {
                        self.settings.consent.push(consent);
                        self.say(
                            RemarkKind::Understood,
                            "import/understood",
                            &here,
                            None,
                            "The filter on consent is the consent that the flow asks for",
                            "",
                        );
                        continue;
                    }
                    let goal = is_goal(&group);
                    let exit = filters::opposite(group);
                    let (message, code) = if goal {
                        (format!("Whoever does this is taken to have reached the goal: {exit}"), "import/guessed")
                    } else {
                        (format!("Whoever no longer passes the filter leaves: {exit}"), "import/understood")
                    };
                    let kind = if goal { RemarkKind::Guessed } else { RemarkKind::Understood };
                    self.say(kind, code, &here, None, message, "");
                    if goal { goals.push(exit) } else { exits.push(exit) }
                }
                Err(why) => {
                    let deeper = why.pointer.strip_prefix("/condition_groups/0").unwrap_or("");
                    self.kept_filter(&format!("{here}{deeper}"), &why.why);
                }
            }
        }
        for (conditions, which) in [(exits, true), (goals, false)] {
            if conditions.is_empty() {
                continue;
            }
            match filters::text(&filters::any(conditions)) {
                Ok(text) if which => self.settings.exit_when = Some(text),
                Ok(text) => self.settings.goal_when = Some(text),
                Err(why) => self.kept_filter(&pointer, &why),
            }
        }
        reentry
    }

    fn kept_filter(&mut self, pointer: &str, why: &str) {
        self.say(
            RemarkKind::Kept,
            "import/kept-filter",
            pointer,
            None,
            format!("This part of the flow's filter is not asked here, but goes back unchanged: {why}"),
            "Say it as an exit or a condition where it matters",
        );
    }
}

/// `why`, one level further down.
pub(super) fn within(pointer: &str, why: Refused) -> Refused {
    Refused { pointer: format!("{pointer}{}", why.pointer), why: why.why }
}

fn foreign(trigger: String, json: &Json) -> Alternative {
    Alternative::Foreign(ForeignTrigger { origin: Origin::Klaviyo, trigger, json: json.to_string() })
}

/// `HH:MM:SS`, of which the seconds must be none.
pub(super) fn time_of(text: &str) -> Result<TimeOfDay, String> {
    let short = text.strip_suffix(":00").filter(|short| short.contains(':')).unwrap_or(text);
    TimeOfDay::parse(short).map_err(|_| format!("`{text}` is no time of day that can be said"))
}

/// A re-entry rule, and whether it is exactly that.
fn reentry(criteria: &Json) -> Option<(Reentry, bool)> {
    let duration = criteria.get("duration").and_then(Json::as_i64)?;
    match (criteria.get("unit").and_then(Json::as_str)?, duration) {
        ("alltime", 1) => Some((Reentry::Once, true)),
        ("alltime", 0) => Some((Reentry::AfterExit, false)),
        (unit @ ("hour" | "day" | "week"), n) => units(n, unit).map(|span| (Reentry::Cooldown(span), true)),
        _ => None,
    }
}

/// The re-entry rule of older flows: a filter on earlier passes, alone in its group.
fn not_in_flow(group: &Json) -> Option<Reentry> {
    let [condition] = group.get("conditions")?.as_array()?.as_slice() else { return None };
    if condition.get("type")?.as_str()? != "profile-not-in-flow" {
        return None;
    }
    let frame = condition.get("timeframe_filter")?.as_object()?;
    match frame.get("operator")?.as_str()? {
        "alltime" => Some(Reentry::Once),
        "in-the-last" => filters::span(frame).ok().map(Reentry::Cooldown),
        _ => None,
    }
}

/// Whether a group says "has not bought since the flow began": what a flow is for.
fn is_goal(group: &[Condition]) -> bool {
    let [Condition::Events(EventQuery { metric, window: EventWindow::SinceEntry, .. })] = group else { return false };
    let metric: &SmolStr = metric;
    is_purchase(metric)
}
