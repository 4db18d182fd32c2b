//! Actions as steps. An action of which any word is not known is refused, and stays a locked step.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use smol_str::SmolStr;

use super::{
    Link, Made, Reader,
    filters::{self, Asker, Refused, property_path, units},
    messages::Version,
    names::id_of,
    trigger::{time_of, within},
};
use crate::{
    audience::{Channel, ConditionText, Value, condition::Root},
    base::{NodeId, Span, Weekday, Weekdays, Window},
    content::Part,
    flow::{Node, Sender},
    kinds::{
        Branch, Delay, Email, InternalAlert, ListUpdate, NEXT, Settings, Sms, Split, UpdateContact, Wait, Webhook,
        actions::{
            update_contact::{Assignment, To},
            webhook,
        },
        logic::{
            branch::{self, Arm},
            cap, condition,
            condition::ConditionNode,
            split::SplitArm,
        },
    },
    platforms::{
        import::{RemarkKind, sender_key},
        klaviyo::keep,
    },
};

type Read<T> = Result<T, Refused>;

fn refused<T>(pointer: &str, why: impl Into<String>) -> Read<T> {
    Err(Refused { pointer: pointer.to_owned(), why: why.into() })
}

fn word<'a>(json: &'a Json, pointer: &str) -> &'a str {
    json.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
}

fn link(action: &Json, pointer: &str) -> Option<Link> {
    id_of(action.pointer(pointer)).map(|to| Link { to, pointer: pointer.to_owned() })
}

fn line(action: &Json, settings: Settings) -> Made {
    let ways = vec![(NEXT.to_owned(), link(action, "/links/next"))];
    Made { settings, title: String::new(), ways }
}

fn fork(action: &Json, settings: Settings, yes: &str, no: &str) -> Made {
    let ways = vec![
        (yes.to_owned(), link(action, "/links/next_if_true")),
        (no.to_owned(), link(action, "/links/next_if_false")),
    ];
    Made { settings, title: String::new(), ways }
}

impl<'a> Reader<'a> {
    /// The step for an action; why there is none where it has to stay as it is.
    pub(super) fn action(&mut self, action: &Json, kind: &str, node: &NodeId, pointer: &str) -> Read<Made> {
        let data = action.get("data").unwrap_or(&Json::Null);
        self.status(data, node, pointer)?;
        let made = match kind {
            "time-delay" => line(action, Settings::Delay(time_delay(data)?)),
            "countdown-delay" => line(action, Settings::Delay(self.countdown(data)?)),
            "conditional-split" => self.conditional(action, data, node)?,
            "trigger-split" => self.trigger_split(action, data, node)?,
            "multi-branch-split" => self.branches(action, data, node)?,
            "send-email" => {
                let message = message_of(data)?;
                let version = Version { message, weight: 1, pointer: format!("{pointer}/data/message") };
                let sender = self.sender(message);
                let message_id = self.message(Channel::Email, &[version], node);
                line(action, email(message_id, sender, message))
            }
            "send-sms" => {
                let message = message_of(data)?;
                if message.get("body").and_then(Json::as_str).is_none() {
                    return refused("/data/message/body", "the message has no text");
                }
                let version = Version { message, weight: 1, pointer: format!("{pointer}/data/message") };
                let json = version.message;
                let message = self.message(Channel::Sms, &[version], node);
                line(action, sms(message, json))
            }
            "ab-test" => self.test(action, data, node, pointer)?,
            "send-webhook" => self.webhook(action, data, node, pointer)?,
            "update-profile" => line(action, Settings::UpdateContact(update(data)?)),
            "list-update" => self.list_update(action, data, node, pointer)?,
            "send-internal-alert" => self.alert(action, data, node, pointer)?,
            "" => return refused("/type", "it has no type"),
            "split" | "branch" => return refused("/type", "it is a placeholder of an old revision"),
            _ => return refused("/type", "Flowloom has no such step"),
        };
        Ok(made)
    }

    /// What Klaviyo does not do, or only when somebody says so. A step that is switched off stays Klaviyo's own, so
    /// that nothing here does what nothing there does; a draft is as the flow is.
    fn status(&mut self, data: &Json, node: &NodeId, pointer: &str) -> Read<()> {
        let variations = data.pointer("/current_experiment/variations").and_then(Json::as_array);
        let variations = variations.into_iter().flatten().enumerate();
        let inner =
            variations.map(|(n, part)| (format!("/data/current_experiment/variations/{n}/data"), part.get("data")));
        let parts =
            [("/data".to_owned(), Some(data)), ("/data/main_action/data".into(), data.pointer("/main_action/data"))];
        let mut manual = None;
        for (at, part) in parts.into_iter().chain(inner) {
            match part.map(|part| word(part, "/status")) {
                Some("disabled") => {
                    return refused(&format!("{at}/status"), "it is switched off, so nothing comes of it");
                }
                Some("manual") => manual = manual.or(Some(at)),
                _ => {}
            }
        }
        if let Some(at) = manual {
            self.say(
                RemarkKind::Guessed,
                "import/manual",
                &format!("{pointer}{at}/status"),
                Some(node),
                "In Klaviyo somebody looks at each message before it leaves; here it leaves by itself",
                "Mute the step, or send an internal alert in its place, where somebody has to look first",
            );
        }
        Ok(())
    }

    // Waits

    fn countdown(&mut self, data: &Json) -> Read<Delay> {
        let Some(property) = self.date.as_deref() else {
            return refused("", "it counts down to a date that does not start the flow");
        };
        let property = property_path(property).map_err(|why| Refused { pointer: String::new(), why })?;
        let value = data.get("value").and_then(Json::as_i64).unwrap_or(0);
        let before = match (value, word(data, "/unit")) {
            (0, _) => Span::ZERO,
            (n, unit @ ("days" | "weeks" | "")) => match units(n, if unit.is_empty() { "days" } else { unit }) {
                Some(span) => span,
                None => return refused("/data/value", "this span cannot be said"),
            },
            _ => return refused("/data/unit", "a countdown by months cannot be said"),
        };
        if !weekdays(data)?.is_none_or(|days| days == Weekdays::ALL) {
            return refused("/data/delay_until_weekdays", "a countdown to weekdays cannot be said");
        }
        let at = match data.get("delay_until_time").and_then(Json::as_str) {
            Some(text) => Some(time_of(text).map_err(|why| Refused { pointer: "/data/delay_until_time".into(), why })?),
            None => None,
        };
        let wait = Wait::Date {
            property,
            offset: before.negated(),
            at,
            past: crate::kinds::logic::delay::Past::default(),
            latest_age: Span::hours(24),
        };
        Ok(Delay { wait, after: crate::kinds::Anchor::Previous, window: None })
    }

    // Questions

    fn conditional(&mut self, action: &Json, data: &Json, node: &NodeId) -> Read<Made> {
        let filter = data.get("profile_filter").unwrap_or(&Json::Null);
        let mut asker = Asker { names: &mut self.names, root: Root::Trigger, salt: node.as_str() };
        let groups = asker.groups(filter).map_err(|why| within("/data/profile_filter", why))?;
        if let Some(share) = filters::share(&groups) {
            let percent = f64::from(share) / 100.0;
            let arm = |name: &str, weight| SplitArm { name: name.into(), weight, hold_out: false };
            let arms = vec![arm("a", percent), arm("b", 100.0 - percent)];
            let split = Split { salt: node.as_str().into(), arms, winner: None };
            return Ok(fork(action, Settings::Split(split), "a", "b"));
        }
        if let Some(mut caps) = filters::caps(&groups, None).filter(|caps| caps.len() == 1)
            && let Some(cap) = caps.pop()
        {
            return Ok(fork(action, Settings::Cap(cap), cap::UNDER, cap::CAPPED));
        }
        let condition = condition_text(groups).map_err(|why| within("/data/profile_filter", why))?;
        Ok(fork(action, Settings::Condition(ConditionNode { condition }), condition::YES, condition::NO))
    }

    fn trigger_split(&mut self, action: &Json, data: &Json, node: &NodeId) -> Read<Made> {
        if word(data, "/trigger_type") != "metric" {
            return refused("/data/trigger_type", "only the properties of an event can be asked here");
        }
        let filter = data.get("trigger_filter").unwrap_or(&Json::Null);
        let mut asker = Asker { names: &mut self.names, root: Root::Trigger, salt: node.as_str() };
        let groups = asker.groups(filter).map_err(|why| within("/data/trigger_filter", why))?;
        if groups.is_empty() {
            return refused("/data/trigger_filter", "it asks nothing yet");
        }
        let condition = condition_text(groups).map_err(|why| within("/data/trigger_filter", why))?;
        Ok(fork(action, Settings::Condition(ConditionNode { condition }), condition::YES, condition::NO))
    }

    fn branches(&mut self, action: &Json, data: &Json, node: &NodeId) -> Read<Made> {
        let Some(branches) = data.get("branches").and_then(Json::as_array) else {
            return refused("/data/branches", "it has no list of branches");
        };
        let ways = keep::ways_out(action);
        if ways.len() != branches.len() {
            return refused("/links", "its links are neither of one kind nor of the other");
        }
        let (mut arms, mut out) = (Vec::new(), Vec::new());
        let mut otherwise = None;
        for (n, (branch, (name, pointer))) in branches.iter().zip(&ways).enumerate() {
            let here = format!("/data/branches/{n}");
            if branch.get("is_else") == Some(&Json::Bool(true)) {
                if otherwise.is_some() || n + 1 != branches.len() {
                    return refused(&here, "\u{201c}everyone else\u{201d} is not the last path");
                }
                otherwise = Some(link(action, pointer));
                continue;
            }
            if branch.get("order").and_then(Json::as_u64).is_some_and(|order| order != n as u64) {
                return refused(&format!("{here}/order"), "the paths do not stand in their order");
            }
            let filter = branch.get("branch_filter").unwrap_or(&Json::Null);
            let mut asker = Asker { names: &mut self.names, root: Root::Trigger, salt: node.as_str() };
            let here = format!("{here}/branch_filter");
            let groups = asker.groups(filter).map_err(|why| within(&here, why))?;
            // A path without conditions is passed over.
            let condition = match groups.is_empty() {
                true => ConditionText::new("false"),
                false => condition_text(groups).map_err(|why| within(&here, why))?,
            };
            let name = if name == branch::ELSE { format!("{name}-{}", n + 1).into() } else { name.clone() };
            arms.push(Arm { name: name.clone(), condition });
            out.push((name.to_string(), link(action, pointer)));
        }
        if arms.is_empty() {
            return refused("/data/branches", "it has no paths");
        }
        out.push((branch::ELSE.to_owned(), otherwise.flatten()));
        let title = word(data, "/name").to_owned();
        Ok(Made { settings: Settings::Branch(Branch { arms }), title, ways: out })
    }

    // Messages

    fn test(&mut self, action: &Json, data: &Json, node: &NodeId, pointer: &str) -> Read<Made> {
        let main = data.get("main_action").unwrap_or(&Json::Null);
        let channel = match word(main, "/type") {
            "send-email" => Channel::Email,
            "send-sms" => Channel::Sms,
            _ => return refused("/data/main_action/type", "the tested action is no message that is known here"),
        };
        let experiment = data.get("current_experiment").unwrap_or(&Json::Null);
        let variations = match experiment.get("variations").and_then(Json::as_array) {
            Some(variations) if variations.len() >= 2 => variations,
            _ => return refused("/data/current_experiment/variations", "it compares fewer than two messages"),
        };
        let shares: Vec<Option<f64>> = variations
            .iter()
            .map(|variation| {
                let id = id_of(variation.get("temporary_id")).or_else(|| id_of(variation.get("id")))?;
                experiment.get("allocations")?.get(id.as_str())?.as_f64().filter(|share| (0.0..=1.0).contains(share))
            })
            .collect();
        let known = shares.iter().all(Option::is_some);
        let mut versions = Vec::new();
        for (n, (variation, share)) in variations.iter().zip(&shares).enumerate() {
            let here = format!("/data/current_experiment/variations/{n}");
            if word(variation, "/type") != word(main, "/type") {
                return refused(&format!("{here}/type"), "it compares actions of different kinds");
            }
            let message = message_of(variation.get("data").unwrap_or(&Json::Null)).map_err(|why| within(&here, why))?;
            let weight = if known { (share.unwrap_or(0.0) * 100.0).round() as u32 } else { 1 };
            versions.push(Version { message, weight, pointer: format!("{pointer}{here}/data/message") });
        }
        if !known {
            self.say(
                RemarkKind::Guessed,
                "import/guessed",
                &format!("{pointer}/data/current_experiment/allocations"),
                Some(node),
                "The shares of the test are not in a form that is known, so all variants get the same",
                "Look at the variants' shares",
            );
        }
        let first = versions.first().map(|version| version.message).unwrap_or(&Json::Null);
        let sender = self.sender(first);
        let message = self.message(channel, &versions, node);
        let settings = match channel {
            Channel::Email => email(message, sender, first),
            Channel::Sms => sms(message, first),
        };
        Ok(line(action, settings))
    }

    /// The sender of a message; the workspace learns of it.
    fn sender(&mut self, message: &Json) -> Option<SmolStr> {
        let email = word(message, "/from_email").trim();
        if email.is_empty() {
            return None;
        }
        let name = word(message, "/from_label");
        let reply_to =
            message.get("reply_to_email").and_then(Json::as_str).filter(|r| !r.is_empty()).map(str::to_owned);
        let key = (email.to_owned(), name.to_owned(), reply_to);
        if let Some(known) = self.senders.get(&key) {
            return Some(known.clone());
        }
        // One of the workspace's own is no second one.
        let given = sender_key(email, name, key.2.as_deref());
        if let Some(own) = self.given.names.get(&given).map(SmolStr::new) {
            let (email, name, reply_to) = key.clone();
            self.names.workspace.senders.push(Sender { id: own.clone(), name, email, reply_to });
            self.senders.insert(key, own.clone());
            return Some(own);
        }
        let base = keep::port_name(&if name.is_empty() { email } else { name }.to_lowercase());
        let id = SmolStr::new(self.taken_senders.free(&base, |n| format!("{base}-{n}")));
        let (email, name, reply_to) = key.clone();
        self.names.workspace.senders.push(Sender { id: id.clone(), name, email, reply_to });
        self.senders.insert(key, id.clone());
        Some(id)
    }

    /// What all messages share becomes the flow's own: sender, tracking parameters, caps.
    pub(super) fn shared_settings(&mut self) {
        let emails = self.emails();
        let senders: Vec<Option<SmolStr>> = emails.iter().map(|(email, _)| email.sender.clone()).collect();
        let messages: Vec<&Json> = emails.into_iter().filter_map(|(_, json)| json).collect();
        if let Some(Some(first)) = senders.first().cloned()
            && senders.iter().all(|sender| sender.as_ref() == Some(&first))
        {
            self.settings.sender = Some(first);
        }
        let parameters: Vec<Option<Vec<(String, String)>>> = messages.iter().map(|message| tracking(message)).collect();
        if let Some(Some(first)) = parameters.first()
            && parameters.iter().all(|other| other.as_ref() == Some(first))
        {
            self.settings.tracking = first.iter().cloned().collect();
        }
        let mut asked = messages.iter().filter(|m| m.get("transactional") != Some(&Json::Bool(true)));
        let Some(first) = asked.next().and_then(|m| m.get("additional_filters")).filter(|f| !f.is_null()) else {
            return;
        };
        if !asked.all(|other| other.get("additional_filters") == Some(first)) {
            return;
        }
        let mut asker = Asker { names: &mut self.names, root: Root::Trigger, salt: "caps" };
        let groups = asker.groups(first).ok();
        if let Some(caps) = groups.and_then(|groups| filters::caps(&groups, Some(&mut self.names))) {
            self.settings.caps = caps.into_iter().filter(|cap| cap.channel == Channel::Email).collect();
        }
    }

    /// E-mail steps, each with its (first) message in Klaviyo's JSON.
    fn emails(&self) -> Vec<(&Email, Option<&'a Json>)> {
        let originals: BTreeMap<&NodeId, &'a Json> = self.originals.iter().map(|o| (&o.node, o.json)).collect();
        let of = |node: &'_ Node| {
            let places = ["/data/message", "/data/current_experiment/variations/0/data/message"];
            let original = originals.get(&node.id)?;
            Some(places.iter().find_map(|at| original.pointer(at)))
        };
        self.nodes
            .iter()
            .filter_map(|node| match node.settings() {
                Some(Settings::Email(email)) => Some((email, of(node)?)),
                _ => None,
            })
            .collect()
    }

    // Everything else

    fn webhook(&mut self, action: &Json, data: &Json, node: &NodeId, pointer: &str) -> Read<Made> {
        let message = message_of(data)?;
        let url = word(message, "/url");
        if url.trim().is_empty() {
            return refused("/data/message/url", "it calls no address");
        }
        let here = format!("{pointer}/data/message");
        let body = self.read(word(message, "/body"), Part::Plain, &format!("{here}/body"), node);
        if !body.is_exact() {
            return refused("/data/message/body", "its body is not in the mail language");
        }
        let mut headers = std::collections::BTreeMap::new();
        if let Some(given) = message.get("headers").filter(|headers| !headers.is_null()) {
            let Some(given) = given.as_object() else {
                return refused("/data/message/headers", "its headers are no object");
            };
            for (name, value) in given {
                let Some(value) = value.as_str() else {
                    return refused("/data/message/headers", "a header is no text");
                };
                // What our exports leave open for a secret.
                let value = super::names::placeholder("secret", value)
                    .map_or_else(|| value.to_owned(), |s| format!("${{{s}}}"));
                headers.insert(name.clone(), value);
            }
        }
        if headers.values().any(|value| !value.contains("${") && value.len() > 15) {
            self.say(
                RemarkKind::Guessed,
                "import/guessed",
                &format!("{here}/headers"),
                Some(node),
                "A header is taken over as it stands; it may hold a secret",
                "Write `${NAME}` in its place when the file is handed on",
            );
        }
        let settings =
            Settings::Webhook(Webhook { url: url.to_owned(), body: body.text, headers, timeout: Span::hours(24) });
        let ways = vec![
            (webhook::DONE.to_owned(), link(action, "/links/next")),
            (webhook::FAILED.to_owned(), link(action, "/links/next")),
        ];
        Ok(Made { settings, title: word(message, "/name").to_owned(), ways })
    }

    fn list_update(&mut self, action: &Json, data: &Json, node: &NodeId, pointer: &str) -> Read<Made> {
        let Some(id) = id_of(data.get("list_id")) else { return refused("/data/list_id", "it names no list") };
        let Some(adds) = data.get("on_execution").and_then(Json::as_bool) else {
            return refused("/data/on_execution", "it does not say whether it adds or removes");
        };
        let list = self.names.list(&id);
        self.unknown_id("list", &id, &format!("{pointer}/data/list_id"));
        let word = if adds { "adds to" } else { "removes from" };
        self.say(
            RemarkKind::Guessed,
            "import/guessed",
            &format!("{pointer}/data/on_execution"),
            Some(node),
            format!("The step is taken to mean that it {word} \u{201c}{list}\u{201d}; which way the switch points is not documented"),
            "Look at the step in Klaviyo",
        );
        let (add, remove) = if adds { (vec![list], Vec::new()) } else { (Vec::new(), vec![list]) };
        Ok(line(action, Settings::ListUpdate(ListUpdate { add, remove })))
    }

    fn alert(&mut self, action: &Json, data: &Json, node: &NodeId, pointer: &str) -> Read<Made> {
        let message = message_of(data)?;
        let to = message.get("to_emails").and_then(Json::as_array);
        let to: Vec<String> = to.into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect();
        if to.is_empty() {
            return refused("/data/message/to_emails", "it goes to nobody");
        }
        let here = format!("{pointer}/data/message");
        let subject = self.read(word(message, "/subject_line"), Part::Plain, &format!("{here}/subject_line"), node);
        let mut text = String::new();
        if let Some(id) = id_of(message.get("template_id")) {
            let given = self.template(&id).and_then(|t| t.text.clone()).filter(|text| !text.trim().is_empty());
            match given {
                Some(given) => text = self.read(&given, Part::Plain, &format!("{here}/template_id"), node).text,
                None => self.say(
                    RemarkKind::Lost,
                    "import/no-template",
                    &format!("{here}/template_id"),
                    Some(node),
                    format!("The text of the alert's template `{id}` was not given, so the alert is empty"),
                    "Write the alert, or give the template with its text",
                ),
            }
            if super::names::placeholder("template", &id).is_none() {
                self.names.workspace.klaviyo.ids.insert(format!("template:alert-{node}"), id);
            }
        }
        self.sender(message);
        Ok(line(action, Settings::InternalAlert(InternalAlert { to, subject: subject.text, text })))
    }
}

fn condition_text(groups: Vec<Vec<crate::audience::Condition>>) -> Read<ConditionText> {
    let condition = filters::all(groups.into_iter().map(filters::any).collect());
    filters::text(&condition).map_err(|why| Refused { pointer: String::new(), why })
}

fn message_of(data: &Json) -> Read<&Json> {
    match data.get("message") {
        Some(message @ Json::Object(_)) => Ok(message),
        _ => refused("/data/message", "it has no message"),
    }
}

fn email(message: crate::base::MessageId, sender: Option<SmolStr>, json: &Json) -> Settings {
    Settings::Email(Email {
        message,
        sender,
        transactional: json.get("transactional") == Some(&Json::Bool(true)),
        cooldown: None,
        on_cap: crate::kinds::OnCap::default(),
        send_latest_age: Span::hours(24),
        salt: None,
        smart_sending: smart_sending(json),
    })
}

fn sms(message: crate::base::MessageId, json: &Json) -> Settings {
    Settings::Sms(Sms {
        message,
        cooldown: None,
        on_cap: crate::kinds::OnCap::default(),
        send_latest_age: Span::hours(24),
        salt: None,
        smart_sending: smart_sending(json),
    })
}

/// Whether Klaviyo's own rule is on, as it is where nothing is said. Source: references, klaviyo, section 5.1.
fn smart_sending(message: &Json) -> bool {
    message.get("smart_sending_enabled") != Some(&Json::Bool(false))
}

/// The tracking parameters of a message, where they are on and have a form that can be said.
fn tracking(message: &Json) -> Option<Vec<(String, String)>> {
    if message.get("add_tracking_params") != Some(&Json::Bool(true)) {
        return None;
    }
    let params = message.get("custom_tracking_params")?.as_array()?;
    let of = |p: &Json| Some((p.get("param")?.as_str()?.to_owned(), p.get("value")?.as_str()?.to_owned()));
    params.iter().map(of).collect()
}

fn weekdays(data: &Json) -> Read<Option<Weekdays>> {
    let Some(days) = data.get("delay_until_weekdays").filter(|days| !days.is_null()) else { return Ok(None) };
    let wrong = || Refused { pointer: "/data/delay_until_weekdays".into(), why: "these are no weekdays".into() };
    let days = days.as_array().ok_or_else(wrong)?;
    let day = |json: &Json| {
        let name = json.as_str()?;
        Weekday::ALL.into_iter().find(|day| day.title().eq_ignore_ascii_case(name))
    };
    let days: Option<Weekdays> = days.iter().map(day).collect();
    Ok(Some(days.ok_or_else(wrong)?).filter(|days| !days.is_empty()))
}

fn time_delay(data: &Json) -> Read<Delay> {
    let plain = |wait| Delay { wait, after: crate::kinds::Anchor::Previous, window: None };
    let Some(value) = data.get("value").and_then(Json::as_i64) else {
        return refused("/data/value", "it has no whole number to wait");
    };
    if data.get("secondary_value").and_then(Json::as_i64).unwrap_or(0) != 0 {
        return refused("/data/secondary_value", "what a second number means is not documented");
    }
    let unit = match word(data, "/unit") {
        "" => "days",
        unit => unit,
    };
    let days = weekdays(data)?;
    let until = match data.get("delay_until_time") {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) => {
            Some(time_of(text).map_err(|why| Refused { pointer: "/data/delay_until_time".into(), why })?)
        }
        Some(_) => return refused("/data/delay_until_time", "this is no time of day"),
    };
    let Some(time) = until else {
        if days.is_some_and(|days| days != Weekdays::ALL) {
            return refused("/data/delay_until_weekdays", "weekdays without a time of day cannot be said");
        }
        return match units(value, unit) {
            Some(span) => Ok(plain(Wait::For(span))),
            None => refused("/data/value", format!("{value} {unit} cannot be said as a wait")),
        };
    };
    if unit != "days" {
        return refused("/data/unit", "a time of day after hours or minutes cannot be said");
    }
    let weekdays = days.unwrap_or_default();
    if value == 0 {
        return Ok(plain(Wait::Until { time, weekdays }));
    }
    let Some(span) = units(value, unit) else {
        return refused("/data/value", format!("{value} {unit} cannot be said as a wait"));
    };
    // So many days, then on at that time: a window that is open for one minute.
    let minute = (time.minutes() + 1) % 1440;
    let until = i8::try_from(minute / 60).ok().zip(i8::try_from(minute % 60).ok());
    let Some(until) = until.and_then(|(hour, minute)| crate::base::TimeOfDay::new(hour, minute)) else {
        return refused("/data/delay_until_time", "this is no time of day");
    };
    Ok(Delay { window: Some(Window { from: time, until, weekdays }), ..plain(Wait::For(span)) })
}

fn update(data: &Json) -> Read<UpdateContact> {
    let Some(operations) = data.get("profile_operations").and_then(Json::as_array).filter(|o| !o.is_empty()) else {
        return refused("/data/profile_operations", "it changes nothing");
    };
    let mut set = Vec::new();
    for (n, operation) in operations.iter().enumerate() {
        let here = format!("/data/profile_operations/{n}");
        let path =
            property_path(word(operation, "/property_key")).map_err(|why| Refused { pointer: here.clone(), why })?;
        let Some(property) = path.steps.first().cloned() else { return refused(&here, "it names no property") };
        let value = operation.get("property_value").unwrap_or(&Json::Null);
        let to = match (word(operation, "/operator"), word(operation, "/property_type")) {
            ("delete", _) => To::Nothing,
            ("create" | "update", kind) => match (kind, value) {
                ("string", Json::String(text)) => To::Value(Value::text(text)),
                ("boolean", Json::Bool(yes)) => To::Value(Value::Bool(*yes)),
                ("numeric", Json::Number(number)) => match number.as_f64() {
                    Some(number) => To::Value(Value::Number(number)),
                    None => return refused(&format!("{here}/property_value"), "this number is too large"),
                },
                ("date", Json::String(text)) if text == "today" => To::Now,
                ("date", Json::String(text)) => match text.parse() {
                    Ok(date) => To::Value(Value::Date(date)),
                    Err(_) => return refused(&format!("{here}/property_value"), "this is no date"),
                },
                ("list", _) => return refused(&here, "adding to a list that is a property cannot be said"),
                _ => return refused(&here, "the value is not of its type"),
            },
            (other, _) => return refused(&here, format!("there are no words for `{other}`")),
        };
        set.push(Assignment { property, to });
    }
    Ok(UpdateContact { set })
}
