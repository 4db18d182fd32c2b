//! Actions of a workflow as steps: what is understood becomes a kind, everything else a foreign step that holds its
//! JSON.
//!
//! The inverse of `hubspot/body.rs`. Source of ids and fields: references, HubSpot 4 and 5.

use serde_json::Value as Json;
use smol_str::SmolStr;

use super::{
    Texts,
    enrolment::clock,
    filters::{self, completed, event_filter, group},
    messages::Messages,
    names::{Names, clean},
    operations::span_of,
    spot::{Spot, Unread, short},
};
use crate::{
    audience::{
        Condition, ConditionText, Value, ValueType,
        condition::{Path, Root},
        print_number,
    },
    base::{Instant, Span, TimeOfDay, Weekdays, Window},
    flow::FlowSettings,
    kinds::{
        Anchor, Branch, ConditionNode, Delay, Email, InternalAlert, ListUpdate, LookBack, Settings, Split,
        UpdateContact, Wait, WaitForEvent, Webhook,
        actions::{
            OnCap, default_send_latest_age,
            update_contact::{Assignment, To},
        },
        logic::{
            branch::{Arm, ELSE},
            cap::{CapRule, Limit},
            delay::Past,
            split::SplitArm,
        },
    },
    platforms::{
        hubspot::links::{arm_name, free, word},
        import::Taken,
    },
};

/// What an action became.
pub(super) struct Made {
    pub settings: Settings,
    pub title: String,
    /// Why it is not quite sure that it means this; code, what, what to do.
    pub guess: Option<(&'static str, String, &'static str)>,
}

impl Made {
    fn plain(settings: Settings) -> Self {
        Self { settings, title: String::new(), guess: None }
    }

    fn guess(settings: Settings, code: &'static str, what: impl Into<String>, remedy: &'static str) -> Self {
        Self { settings, title: String::new(), guess: Some((code, what.into(), remedy)) }
    }
}

/// What reading actions may look at and add to.
pub(super) struct Reader<'n, 'a> {
    pub names: &'n mut Names<'a>,
    pub messages: &'n mut Messages<'a>,
    pub settings: &'n mut FlowSettings,
    /// Names the flow for what must be unique in a workspace.
    pub flow_id: &'n str,
}

const LOOK: &str = "Look at the step and compare it with HubSpot";

impl Reader<'_, '_> {
    /// One action. `branch` is the branch that tells how a wait for an event ended, where there is one.
    pub fn action(&mut self, action: &Spot<'_>, branch: Option<&Spot<'_>>) -> Result<Made, Unread> {
        match action.word("type") {
            "SINGLE_CONNECTION" => self.single(action, branch.is_some()),
            "LIST_BRANCH" => self.list_branch(action),
            "STATIC_BRANCH" => self.static_branch(action),
            "AB_TEST_BRANCH" => self.test_branch(action),
            "WEBHOOK" => webhook(action),
            "CUSTOM_CODE" => Err(action.unread("code of your own runs in HubSpot only")),
            "" => Err(action.unread("the action has no type")),
            other => Err(action.unread(format!("actions of type `{}` are not understood", short(other)))),
        }
    }

    fn single(&mut self, action: &Spot<'_>, has_branch: bool) -> Result<Made, Unread> {
        let fields = action.get("fields");
        if !fields.json.is_object() {
            return Err(fields.unread("the action has no fields"));
        }
        let only = |known: &[&str]| match fields.others(known).first() {
            Some(key) => Err(fields.get(key).unread(format!("the field `{}` is not understood", short(key)))),
            None => Ok(()),
        };
        match action.word("actionTypeId") {
            "0-1" => {
                only(&["delta", "time_unit", "time_of_day"])?;
                delay(&fields)
            }
            "0-35" => {
                only(&["date", "delta", "time_unit", "time_of_day"])?;
                self.until_date(&fields)
            }
            "0-29" => {
                only(&["event_filter_branches", "expiration_minutes"])?;
                self.wait(&fields, has_branch)
            }
            "0-4" => {
                only(&["content_id"])?;
                let message = self.messages.email(&fields.get("content_id"), self.names)?;
                let email = Email {
                    message,
                    sender: None,
                    transactional: false,
                    cooldown: None,
                    on_cap: OnCap::Skip,
                    send_latest_age: default_send_latest_age(),
                    salt: None,
                    smart_sending: false,
                };
                Ok(Made::plain(Settings::Email(email)))
            }
            "0-5" => {
                only(&["property_name", "value"])?;
                self.set_property(&fields)
            }
            id @ ("0-63809083" | "0-63863438") => {
                only(&["listId", "targetObject"])?;
                if fields.word("targetObject").replace(' ', "") != "{{enrolled_object}}" {
                    return Err(fields.get("targetObject").unread("the list is of another record than the contact"));
                }
                let list = self.names.list(&fields.id("listId")?);
                let mut update = ListUpdate::default();
                if id == "0-63809083" {
                    update.add.push(list)
                } else {
                    update.remove.push(list)
                }
                Ok(Made::plain(Settings::ListUpdate(update)))
            }
            "0-8" => {
                only(&["user_ids", "subject", "body"])?;
                self.alert(&fields)
            }
            id => {
                let known = title_of(id);
                Err(action.get("actionTypeId").unread(match known {
                    Some(title) => format!("HubSpot\u{2019}s \u{201c}{title}\u{201d} has no step of its own here"),
                    None => format!("HubSpot action `{}` has no step of its own here", short(id)),
                }))
            }
        }
    }

    fn until_date(&mut self, fields: &Spot<'_>) -> Result<Made, Unread> {
        let date = fields.get("date");
        let amount = if fields.has("delta").is_some() { fields.whole("delta")? } else { 0 };
        let unit = fields.word("time_unit");
        let offset = span_of(amount, if unit.is_empty() { "DAYS" } else { unit });
        let offset = offset.ok_or_else(|| fields.get("time_unit").unread("this length of time is not understood"))?;
        let at = fields.has("time_of_day").map(|spot| clock(&spot)).transpose()?;
        let property = match date.word("type") {
            "OBJECT_PROPERTY" => {
                let name = date.text("propertyName")?;
                self.names.note_type(name, "", Root::Contact, Some(ValueType::Date));
                self.names.contact_path(name).ok_or_else(|| date.unread("that property has no name here"))?
            }
            "STATIC_VALUE" => {
                let instant = Instant::from_millis(date.whole("staticValue")?);
                let constants = &mut self.settings.constants;
                let known = constants.iter().find(|(_, value)| **value == Value::Instant(instant));
                let name = match known {
                    Some((name, _)) => name.clone(),
                    None => {
                        let name = SmolStr::new(format!("date_{}", constants.len() + 1));
                        constants.insert(name.clone(), Value::Instant(instant));
                        name
                    }
                };
                Path { root: Root::Constant, steps: vec![name] }
            }
            other => return Err(date.unread(format!("a date from `{}` is not understood", short(other)))),
        };
        let wait = Wait::Date { property, offset, at, past: Past::Skip, latest_age: Span::hours(24) };
        Ok(Made::guess(
            Settings::Delay(Delay { wait, after: Anchor::Previous, window: None }),
            "hubspot/past-date",
            "Whether a contact whose date is past goes on or passes over the next actions is not in what HubSpot gives; here the messages up to the next delay are skipped",
            "Look at the delay in HubSpot and choose the same here",
        ))
    }

    /// Event branches as one event and its filter.
    fn wait(&mut self, fields: &Spot<'_>, has_branch: bool) -> Result<Made, Unread> {
        let (mut events, timeout) = awaited(fields, self.names)?;
        let Some((event, cases)) = events.pop().filter(|_| events.is_empty()) else {
            let several = fields.get("event_filter_branches");
            return Err(several.unread("waiting for several events at once has no step of its own here"));
        };
        let filter = cases.map(|cases| group(false, cases).text(fields)).transpose()?;
        let settings = Settings::WaitForEvent(WaitForEvent { event, filter, timeout, look_back: LookBack::Now });
        if has_branch {
            return Ok(Made::plain(settings));
        }
        Ok(Made::guess(
            settings,
            "hubspot/wait",
            "The workflow goes on the same way whether the event happened or not",
            "Nothing to do, unless the two are to be told apart",
        ))
    }

    fn set_property(&mut self, fields: &Spot<'_>) -> Result<Made, Unread> {
        let name = fields.text("property_name")?;
        let own = self.names.contact_path(name);
        let own = own.and_then(|path| path.steps.into_iter().next());
        let property =
            own.ok_or_else(|| fields.get("property_name").unread(format!("`{}` has no name here", short(name))))?;
        let value = fields.get("value");
        let to = match value.word("type") {
            "STATIC_VALUE" => self.static_value(&property, value.text("staticValue")?),
            "OBJECT_PROPERTY" => {
                let from = value.text("propertyName")?;
                To::Copy(self.names.contact_path(from).ok_or_else(|| value.unread("that property has no name here"))?)
            }
            "ENROLLMENT_EVENT_PROPERTY" => {
                let token = value.text("enrollmentEventPropertyToken")?;
                To::Copy(self.event_property(token).ok_or_else(|| value.unread("this token is not understood"))?)
            }
            "TIMESTAMP" if value.word("timestampType") == "EXECUTION_TIME" => {
                self.names.note_type(name, "", Root::Contact, Some(ValueType::Instant));
                To::Now
            }
            "INCREMENT" => {
                self.names.note_type(name, "", Root::Contact, Some(ValueType::Number));
                To::Add(value.number("incrementAmount")?)
            }
            other => return Err(value.unread(format!("values of type `{}` are not understood", short(other)))),
        };
        self.names.property(&property);
        Ok(Made::plain(Settings::UpdateContact(UpdateContact { set: vec![Assignment { property, to }] })))
    }

    /// A fixed value: what the property is known to hold, else what the text looks like. Always such that an export
    /// writes the same text again.
    fn static_value(&mut self, property: &SmolStr, text: &str) -> To {
        if text.is_empty() {
            return To::Nothing;
        }
        let number = text.parse::<f64>().ok().filter(|n| n.is_finite() && print_number(*n) == text);
        let known = self.names.workspace.properties.get(property).copied();
        let value = match (known, text, number) {
            (Some(ValueType::Instant), _, Some(millis)) if millis.fract() == 0.0 && millis.abs() < 9e15 => {
                Value::Instant(Instant::from_millis(millis as i64))
            }
            (Some(ValueType::Text), ..) => Value::text(text),
            (_, "true", _) => Value::Bool(true),
            (_, "false", _) => Value::Bool(false),
            (_, _, Some(number)) => Value::Number(number),
            _ => Value::text(text),
        };
        // A text that reads back as something else (`2026-01-01`) stays exactly what it is only as a text.
        To::Value(value)
    }

    /// The event's property behind a token: by the account's name, by our own placeholder, else by its last word.
    fn event_property(&mut self, token: &str) -> Option<Path> {
        let own = token.strip_prefix("EVENT-PROPERTY:");
        let given = self.names.given("event-property", token);
        let path = match (given, own) {
            (Some(name), _) | (None, Some(name)) => name.to_owned(),
            (None, None) => {
                let mut words = token.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| !w.is_empty());
                words.next_back()?.to_owned()
            }
        };
        let path: Path = format!("trigger.{path}").parse().ok()?;
        if own.is_none() {
            let steps: Vec<&str> = path.steps.iter().map(SmolStr::as_str).collect();
            self.names.remember("event-property", &steps.join("."), token);
        }
        Some(path)
    }

    fn alert(&mut self, fields: &Spot<'_>) -> Result<Made, Unread> {
        let mut to = Vec::new();
        for user in fields.list("user_ids")? {
            let id = user.as_id().ok_or_else(|| user.unread("a user is no id"))?;
            let address = id.strip_prefix("USER:").or(self.names.given("user", &id)).filter(|name| name.contains('@'));
            let address = address.ok_or_else(|| user.unread("the address of this user is not known"))?.to_owned();
            if !id.starts_with("USER:") {
                self.names.remember("user", &address, &id);
            }
            to.push(address);
        }
        if to.is_empty() {
            return Err(fields.get("user_ids").unread("nobody is told"));
        }
        let subject = self.messages.inline(fields.word("subject"));
        let text = self.messages.inline(fields.word("body"));
        Ok(Made::plain(Settings::InternalAlert(InternalAlert { to, subject, text })))
    }

    fn list_branch(&mut self, action: &Spot<'_>) -> Result<Made, Unread> {
        let mut arms: Vec<(String, Condition, ConditionText)> = Vec::new();
        for arm in action.list("listBranches")? {
            let branch = arm.get("filterBranch");
            if branch.json.is_null() {
                return Err(branch.unread("the branch asks nothing"));
            }
            let condition = filters::condition(&branch, self.names)?;
            let text = condition.text(&branch)?;
            arms.push((clean(arm.word("branchName")), condition, text));
        }
        let otherwise = action.word("defaultBranchName");
        if let [(name, _, text)] = arms.as_slice() {
            if let Some(cap) = cap(action) {
                return Ok(Made::guess(
                    Settings::Cap(cap),
                    "hubspot/cap",
                    "A branch by the number of e-mails delivered is read as a cap",
                    LOOK,
                ));
            }
            if otherwise != EVERYONE_ELSE {
                let settings = Settings::Condition(ConditionNode { condition: text.clone() });
                let title = if name == "Yes" { String::new() } else { name.clone() };
                return Ok(Made { title, ..Made::plain(settings) });
            }
        }
        if arms.is_empty() {
            return Err(action.get("listBranches").unread("there are no branches"));
        }
        let mut taken = Taken::of(&[ELSE]);
        let arms = arms.into_iter().enumerate().map(|(n, (name, _, condition))| {
            let name = SmolStr::new(free(&mut taken, &word(&name, &arm_name(n))));
            Arm { name, condition }
        });
        Ok(Made::plain(Settings::Branch(Branch { arms: arms.collect() })))
    }

    fn static_branch(&mut self, action: &Spot<'_>) -> Result<Made, Unread> {
        let input = action.get("inputValue");
        if input.word("type") != "OBJECT_PROPERTY" {
            return Err(input.unread("only properties of the contact can be branched on here"));
        }
        let name = input.text("propertyName")?;
        let path = self.names.contact_path(name).ok_or_else(|| input.unread("that property has no name here"))?;
        let known = path.steps.first().and_then(|name| self.names.workspace.properties.get(name)).copied();
        let mut taken = Taken::of(&[ELSE]);
        let mut arms = Vec::new();
        for (n, arm) in action.list("staticBranches")?.into_iter().enumerate() {
            let said = arm.id("branchValue")?;
            let value =
                known.and_then(|known| Value::parse_as(&said, known, None)).unwrap_or_else(|| Value::text(&said));
            let condition = filters::compare(path.clone(), crate::audience::condition::CompareOp::Eq, value);
            let name = SmolStr::new(free(&mut taken, &word(&said, &arm_name(n))));
            arms.push(Arm { name, condition: condition.text(&arm)? });
        }
        if arms.is_empty() {
            return Err(action.get("staticBranches").unread("there are no branches"));
        }
        Ok(Made::plain(Settings::Branch(Branch { arms })))
    }

    fn test_branch(&mut self, action: &Spot<'_>) -> Result<Made, Unread> {
        let branches = action.list("testBranches")?;
        let mut given = Vec::new();
        for branch in &branches {
            given.push(branch.has("percentage").map(|_| branch.number("percentage")).transpose()?);
        }
        let count = branches.len();
        if count < 2 {
            return Err(action.get("testBranches").unread("a split has at least two ways"));
        }
        let weights: Vec<f64> = match given.iter().flatten().count() {
            // Nothing said: even, with what is left over in the first arm.
            0 => {
                let each = 10_000 / count;
                let rest = 10_000 - each * count;
                (0..count).map(|n| (each + if n == 0 { rest } else { 0 }) as f64 / 100.0).collect()
            }
            said if said == count => given.into_iter().flatten().collect(),
            _ => return Err(action.get("testBranches").unread("only some ways say their share")),
        };
        if weights.iter().any(|weight| !(0.0..=100.0).contains(weight)) {
            return Err(action.get("testBranches").unread("a share lies outside 0 to 100 %"));
        }
        let arms = weights.into_iter().enumerate();
        let arms = arms.map(|(n, weight)| SplitArm { name: arm_name(n).into(), weight, hold_out: false }).collect();
        let salt = SmolStr::new(format!("{}-{}", self.flow_id, word(action.word("actionId"), "split")));
        Ok(Made::guess(
            Settings::Split(Split { salt, arms, winner: None }),
            "hubspot/split",
            "HubSpot deals contacts by its own chance, so the preview sends others down each way",
            "",
        ))
    }
}

/// What a wait waits for, and at most how long.
type Awaited = (Vec<(SmolStr, Option<Vec<Condition>>)>, Span);

/// Event branches by event, each with the cases of its filter (none where every one counts), and the limit.
pub(super) fn awaited(fields: &Spot<'_>, names: &mut Names<'_>) -> Result<Awaited, Unread> {
    let mut events: Vec<(SmolStr, Option<Vec<Condition>>)> = Vec::new();
    for branch in fields.list("event_filter_branches")? {
        if !completed(&branch)? {
            return Err(branch.unread("waiting for an event not to happen is not understood"));
        }
        for key in ["pruningRefineBy", "coalescingRefineBy"] {
            if let Some(refine) = branch.has(key) {
                return Err(refine.unread("waiting for a counted event is not understood"));
            }
        }
        let event = names.event(&branch.id("eventTypeId")?);
        let case = event_filter(&branch, names)?;
        match (events.iter_mut().find(|(known, _)| *known == event), case) {
            (Some((_, Some(cases))), Some(case)) => cases.push(case),
            (Some((_, cases)), _) => *cases = None,
            (None, case) => events.push((event, case.map(|case| vec![case]))),
        }
    }
    if events.is_empty() {
        return Err(fields.get("event_filter_branches").unread("there is no event to wait for"));
    }
    let minutes = fields.whole("expiration_minutes")?;
    let limit = span_of(minutes, "MINUTES").filter(|_| minutes > 0);
    let limit = limit.ok_or_else(|| fields.get("expiration_minutes").unread("this limit is not understood"))?;
    Ok((events, limit))
}

/// The default branch's name as exports write it for a branch with named arms.
pub(super) const EVERYONE_ELSE: &str = "Everyone else";

/// "At least so many e-mails delivered within so long", in the very form that exports write for a cap.
fn cap(action: &Spot<'_>) -> Option<CapRule> {
    let arm = action.get("listBranches").items().next()?;
    if arm.word("branchName") != "Capped" || action.word("defaultBranchName") != "Under the cap" {
        return None;
    }
    let root = arm.get("filterBranch");
    let events = only_branch(only_branch(root)?)?;
    let channel = match events.word("eventTypeId") {
        "4-665536" => crate::audience::Channel::Email,
        "4-1721168" => crate::audience::Channel::Sms,
        _ => return None,
    };
    let (pruning, count) = (events.get("pruningRefineBy"), events.get("coalescingRefineBy"));
    let offset = pruning.get("timeOffset");
    let within = span_of(offset.whole("amount").ok()?, offset.word("timeUnit"))?;
    let most = u32::try_from(count.whole("minOccurrences").ok()?).ok()?;
    let plain = pruning.word("comparison") == "AFTER"
        && offset.word("offsetDirection") == "PAST"
        && count.has("maxOccurrences").is_none()
        && events.get("filters").items().next().is_none()
        && events.word("operator") == "HAS_COMPLETED";
    plain.then(|| CapRule { limit: Limit::AtMost(most), within, channel, ..CapRule::default() })
}

/// The one branch below a branch that holds nothing else.
fn only_branch(branch: Spot<'_>) -> Option<Spot<'_>> {
    let mut items = branch.get("filterBranches").items();
    let first = items.next()?;
    (items.next().is_none() && branch.get("filters").items().next().is_none()).then_some(first)
}

/// A set time, or a set time and then a time of day.
fn delay(fields: &Spot<'_>) -> Result<Made, Unread> {
    let (amount, unit) = (fields.whole("delta")?, fields.word("time_unit"));
    let span = span_of(amount, unit).filter(|_| amount >= 0);
    let span = span.ok_or_else(|| fields.unread("this length of time is not understood"))?;
    let Some(time) = fields.has("time_of_day") else {
        return Ok(Made::plain(Settings::Delay(Delay {
            wait: Wait::For(span),
            after: Anchor::Previous,
            window: None,
        })));
    };
    let time = clock(&time)?;
    let what =
        "After the set time the contact waits for a time of day, in the account's zone there, in the contact's here";
    if (amount, unit) == (1, "DAYS") {
        let wait = Wait::Until { time, weekdays: Weekdays::ALL };
        let what = format!("{what}; HubSpot waits a whole day first, here it is the next {time}");
        let settings = Settings::Delay(Delay { wait, after: Anchor::Previous, window: None });
        return Ok(Made::guess(settings, "hubspot/time-of-day", what, LOOK));
    }
    // A window of one minute: "then at nine".
    let minute = (time.minutes() + 1).rem_euclid(24 * 60);
    let until = TimeOfDay::new((minute / 60) as i8, (minute % 60) as i8).unwrap_or(time);
    let window = Some(Window { from: time, until, weekdays: Weekdays::ALL });
    let settings = Settings::Delay(Delay { wait: Wait::For(span), after: Anchor::Previous, window });
    Ok(Made::guess(settings, "hubspot/time-of-day", what, LOOK))
}

fn webhook(action: &Spot<'_>) -> Result<Made, Unread> {
    let url = action.text("webhookUrl")?.to_owned();
    if !url.starts_with("https://") {
        return Err(action.get("webhookUrl").unread("the address is not an https address"));
    }
    let method = action.word("method");
    if method != "POST" {
        return Err(action
            .get("method")
            .unread(format!("calls by `{}` have no step of their own here", short(method))));
    }
    if let Some(settings) = action.has("authSettings") {
        return Err(settings.unread("the call is signed with a secret of the account"));
    }
    if !action.list("queryParams")?.is_empty() {
        return Err(action.get("queryParams").unread("the call carries values of its own"));
    }
    Ok(Made::guess(
        Settings::Webhook(Webhook {
            url,
            body: String::new(),
            headers: std::collections::BTreeMap::new(),
            timeout: Span::hours(24),
        }),
        "hubspot/webhook",
        "HubSpot goes on whatever the answer is, so both ways out lead to the next step",
        "",
    ))
}

/// What HubSpot calls its actions, for those that have no step of their own. Source: references, HubSpot 5.1 and 5.2.
pub(super) fn title_of(type_id: &str) -> Option<&'static str> {
    Some(match type_id {
        "0-3" => "create task",
        "0-9" => "in-app notification",
        "0-11" => "rotate owner",
        "0-13" => "list membership (withdrawn)",
        "0-14" => "create record",
        "0-15" => "go to another workflow",
        "0-18" | "0-19" => "Salesforce",
        "0-23" => "e-mail to given addresses",
        "0-25" => "copy property or owner",
        "0-28" => "delay until a day or time",
        "0-30" => "ad audience",
        "0-31" => "marketing contact status",
        "0-261589386" => "increment a number property",
        "0-43347357" => "manage subscription",
        "0-46510720" => "enrol in sequence",
        "0-4702372" => "leave sequence",
        "0-18224765" => "delete contact",
        "0-63189541" => "associate records",
        "0-61139476" | "0-61139484" => "association labels",
        "0-169425243" => "add note",
        "0-25085031" => "WhatsApp message",
        "0-40900952" => "SMS",
        "0-44475148" => "assign conversation",
        "0-199186210" => "survey",
        _ => return None,
    })
}

/// What an action is called in lists: its number, and its title where that is known.
pub(super) fn action_name(action: &Json) -> String {
    let kind = action.get("type").and_then(Json::as_str).unwrap_or_default();
    if kind != "SINGLE_CONNECTION" {
        return short(if kind.is_empty() { "action" } else { kind });
    }
    short(action.get("actionTypeId").and_then(Json::as_str).unwrap_or("action"))
}
