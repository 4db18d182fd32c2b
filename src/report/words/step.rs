//! One step as a sentence and what else is to be known of it.

use super::{condition, count, listed, offset, quoted, weekdays, window};
use crate::{
    audience::{Channel, print_number},
    flow::{Flow, Node, Workspace, card},
    kinds::{
        Alternative, Anchor, Cooldown, CooldownFrom, Delay, EventMatch, Limit, LookBack, OnCap, OnCooldown, Scope,
        Settings, Split, Wait,
        actions::{default_send_latest_age, update_contact::To},
        logic::{delay::Past, split::WinnerMetric},
        triggers::{abandonment::Again, engagement::MeasureBy},
    },
};

/// A step in words.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StepWords {
    /// What it does: a sentence with full stop.
    pub sentence: String,
    /// What else holds, each without full stop.
    pub details: Vec<String>,
}

/// A step in words.
pub fn step(flow: &Flow, workspace: &Workspace, node: &Node) -> StepWords {
    let Some(settings) = node.settings() else {
        let sentence = format!("A step of the kind {}, which this version does not know.", quoted(&node.kind));
        return StepWords { sentence, details: Vec::new() };
    };
    let mut details = Vec::new();
    let sentence = match settings {
        Settings::Trigger(trigger) => match trigger.any.as_slice() {
            [] => "Nobody enters yet: there is no trigger.".to_owned(),
            [one] => format!("A contact enters when {}.", alternative_with(flow, one, &mut details)),
            several => {
                for (n, one) in several.iter().enumerate() {
                    let mut more = Vec::new();
                    let mut line = format!("{}. {}", n + 1, super::capital(&alternative_with(flow, one, &mut more)));
                    if !more.is_empty() {
                        line.push_str("; ");
                        line.push_str(&more.join("; "));
                    }
                    details.push(line);
                }
                format!(
                    "A contact enters when one of {} happens, whichever is first:",
                    count(several.len(), "thing", "things")
                )
            }
        },
        Settings::Delay(delay) => self::delay(delay, &mut details),
        Settings::WaitForEvent(wait) => {
            let mut sentence = format!("Waits until {} happens, at most {}.", quoted(&wait.event), wait.timeout);
            if let Some(filter) = &wait.filter {
                sentence = format!(
                    "Waits until {} happens where {}, at most {}.",
                    quoted(&wait.event),
                    condition(flow, filter),
                    wait.timeout
                );
            }
            details.push(
                match wait.look_back {
                    LookBack::Entry => "What has happened since the contact entered counts as well",
                    LookBack::PreviousMessage => "What has happened since the previous message counts as well",
                    LookBack::Now => "Only what happens from now on counts",
                }
                .to_owned(),
            );
            sentence
        }
        Settings::Condition(node) => format!("Asks whether {}.", condition(flow, &node.condition)),
        Settings::Branch(branch) => {
            for arm in &branch.arms {
                details.push(format!("{} if {}", quoted(&arm.name), condition(flow, &arm.condition)));
            }
            "Takes the first way whose question is answered with yes, else the last one.".to_owned()
        }
        Settings::Split(split) => self::split(split, &mut details),
        Settings::Cap(rule) => {
            let unit = if rule.channel == Channel::Email { ("e-mail", "e-mails") } else { ("SMS", "SMS") };
            let of = if rule.scope == Scope::Flow { " from this flow" } else { "" };
            if let Some(segment) = &rule.segment {
                details.push(format!("Only contacts of the segment {} are asked", quoted(segment)));
            }
            match rule.limit {
                Limit::None => "No limit: everybody goes on.".to_owned(),
                Limit::AtMost(n) => format!(
                    "Asks whether the contact got fewer than {} in the last {}{of}.",
                    count(n as usize, unit.0, unit.1),
                    rule.within
                ),
            }
        }
        Settings::Goal(goal) if goal.name.is_empty() => "The goal is reached here; it is counted.".to_owned(),
        Settings::Goal(goal) => format!("The goal {} is reached here; it is counted.", quoted(&goal.name)),
        Settings::Exit(exit) if exit.reason.is_empty() => "The journey ends here.".to_owned(),
        Settings::Exit(exit) => format!("The journey ends here: {}.", exit.reason),
        Settings::Note(note) => note.text.clone(),
        Settings::Email(email) => {
            let message = flow.message(email.message.as_str());
            let sender = email.sender.clone().or_else(|| flow.settings().sender);
            if let Some(sender) = sender.as_deref().and_then(|id| workspace.sender(id)).or(workspace.senders.first()) {
                details.push(format!("From {} <{}>", sender.name, sender.email));
            }
            if let Some(message) = message.filter(|message| message.variants.len() > 1) {
                details.push(format!("{} of it are dealt", count(message.variants.len(), "version", "versions")));
            }
            if email.transactional {
                details
                    .push("An answer to something the contact asked for: no consent needed, no cap counts".to_owned());
            }
            sending(email.on_cap, email.cooldown.as_ref(), email.send_latest_age, &mut details);
            match message.and_then(|message| message.variants.first()).filter(|variant| !variant.subject.is_empty()) {
                Some(variant) => format!("Sends the e-mail {}.", quoted(&variant.subject)),
                None => "Sends an e-mail that has no subject yet.".to_owned(),
            }
        }
        Settings::Sms(sms) => {
            sending(sms.on_cap, sms.cooldown.as_ref(), sms.send_latest_age, &mut details);
            let message = flow.message(sms.message.as_str());
            let text = message.and_then(|message| message.variants.first()?.text.clone()).unwrap_or_default();
            if text.trim().is_empty() {
                "Sends a text message that has no words yet.".to_owned()
            } else {
                format!("Sends the text message {}.", quoted(text.trim()))
            }
        }
        Settings::Webhook(webhook) => {
            details.push(format!("Waits for an answer at most {}", webhook.timeout));
            format!("Tells the system at {}.", host(&webhook.url))
        }
        Settings::UpdateContact(update) => {
            let parts: Vec<String> = update
                .set
                .iter()
                .map(|one| {
                    let name = quoted(&one.property);
                    match &one.to {
                        To::Value(value) => format!("sets {name} to {}", quoted(&value.to_string())),
                        To::Copy(path) => format!("copies {path} to {name}"),
                        To::Now => format!("notes the time in {name}"),
                        To::Add(n) => format!("adds {} to {name}", print_number(*n)),
                        To::Nothing => format!("removes {name}"),
                    }
                })
                .collect();
            if parts.is_empty() {
                "Changes nothing of the contact yet.".to_owned()
            } else {
                format!("In the contact's data: {}.", listed(&parts, "and"))
            }
        }
        Settings::ListUpdate(update) => {
            let names = |all: &[smol_str::SmolStr]| {
                let names: Vec<String> = all.iter().map(|name| quoted(name)).collect();
                format!("the {} {}", if all.len() == 1 { "list" } else { "lists" }, listed(&names, "and"))
            };
            let mut parts = Vec::new();
            if !update.add.is_empty() {
                parts.push(format!("adds the contact to {}", names(&update.add)));
            }
            if !update.remove.is_empty() {
                parts.push(format!("removes the contact from {}", names(&update.remove)));
            }
            if parts.is_empty() {
                "Changes no list yet.".to_owned()
            } else {
                format!("{}.", super::capital(&listed(&parts, "and")))
            }
        }
        Settings::Foreign(foreign) => {
            details.push("It was imported and is kept as it is; nothing else knows what it does".to_owned());
            format!("A step of {} that only works there: {}.", foreign.origin.title(), quoted(&foreign.action))
        }
        Settings::InternalAlert(alert) => {
            format!("Tells {}: {}.", listed(&alert.to, "and"), quoted(&alert.subject))
        }
    };
    if node.muted {
        details.push("Switched off: journeys pass through at once".to_owned());
    }
    StepWords { sentence, details }
}

/// The line of a card in a picture: shorter than the sentence, without full stop.
pub fn summary(flow: &Flow, workspace: &Workspace, node: &Node) -> String {
    match node.settings() {
        Some(Settings::Trigger(trigger)) => {
            let parts: Vec<String> = trigger.any.iter().map(|one| alternative(flow, one)).collect();
            super::capital(&parts.join(", or "))
        }
        Some(Settings::Branch(branch)) => {
            let arms: Vec<String> =
                branch.arms.iter().map(|arm| format!("{}: {}", arm.name, condition(flow, &arm.condition))).collect();
            arms.join("; ")
        }
        Some(Settings::Condition(_) | Settings::Cap(_)) => {
            let sentence = step(flow, workspace, node).sentence;
            let line = sentence.trim_end_matches('.');
            line.strip_prefix("Asks whether ")
                .map_or_else(|| line.to_owned(), |rest| super::capital(&format!("{rest}?")))
        }
        Some(Settings::Delay(_) | Settings::WaitForEvent(_) | Settings::UpdateContact(_) | Settings::ListUpdate(_)) => {
            step(flow, workspace, node).sentence.trim_end_matches('.').to_owned()
        }
        Some(Settings::Webhook(webhook)) => host(&webhook.url),
        Some(Settings::Split(split)) => {
            let arms: Vec<String> =
                split.arms.iter().map(|arm| format!("{} {} %", arm.name, print_number(arm.weight))).collect();
            arms.join(" \u{b7} ")
        }
        Some(Settings::Exit(exit)) => super::capital(&exit.reason),
        Some(Settings::Goal(goal)) => super::capital(&goal.name),
        Some(Settings::Sms(sms)) => {
            let text = flow.message(sms.message.as_str()).and_then(|message| message.variants.first()?.text.clone());
            text.filter(|text| !text.trim().is_empty())
                .map_or_else(|| "No words yet".to_owned(), |text| quoted(text.trim()))
        }
        _ => card::summary(flow, node),
    }
}

fn only_if(flow: &Flow, filter: Option<&crate::audience::ConditionText>) -> String {
    filter.map_or_else(String::new, |filter| format!(" and {}", condition(flow, filter)))
}

fn matches(flow: &Flow, list: &[EventMatch]) -> String {
    let one = |one: &EventMatch| match &one.filter {
        Some(filter) => format!("{} (where {})", quoted(&one.event), condition(flow, filter)),
        None => quoted(&one.event),
    };
    listed(&list.iter().map(one).collect::<Vec<_>>(), "or")
}

/// What lets a contact in, after "when".
pub fn alternative(flow: &Flow, of: &Alternative) -> String {
    alternative_with(flow, of, &mut Vec::new())
}

/// The same, with what else is to be known.
fn alternative_with(flow: &Flow, of: &Alternative, details: &mut Vec<String>) -> String {
    match of {
        Alternative::Event(t) => format!("{} happens{}", quoted(&t.event), only_if(flow, t.filter.as_ref())),
        Alternative::Abandonment(t) => {
            let unless = if t.unless.is_empty() {
                "nothing more".to_owned()
            } else {
                format!("no {}", matches(flow, &t.unless))
            };
            match t.again {
                Again::Restart => {}
                Again::Keep => details.push(format!("Another {} does not begin the time anew", quoted(&t.start))),
                Again::Add => details.push(format!("Another {} begins a time of its own", quoted(&t.start))),
            }
            format!(
                "{} happens{} and {unless} follows for {}",
                quoted(&t.start),
                only_if(flow, t.filter.as_ref()),
                t.after
            )
        }
        Alternative::Engagement(t) => {
            let enough = print_number(t.at_least);
            let measured = match &t.measure {
                MeasureBy::Count => format!("{} happens {enough} times", quoted(&t.event)),
                MeasureBy::Sum(path) => format!("{path} of {} adds up to {enough}", quoted(&t.event)),
                MeasureBy::Max(path) => format!("{path} of {} reaches {enough}", quoted(&t.event)),
            };
            let filter = t.filter.as_ref().map_or_else(String::new, |f| format!(" (where {})", condition(flow, f)));
            let same = t.same.as_ref().map_or_else(String::new, |path| format!(" for the same {path}"));
            let unless =
                if t.unless.is_empty() { String::new() } else { format!(", without {}", matches(flow, &t.unless)) };
            format!("{measured}{filter}{same} within {}{unless}", t.within)
        }
        Alternative::Score(t) => format!("the score {} reaches {}", quoted(&t.model), print_number(t.threshold)),
        Alternative::Segment(t) if t.leaves => format!("the contact leaves the segment {}", quoted(&t.segment)),
        Alternative::Segment(t) => format!("the contact comes into the segment {}", quoted(&t.segment)),
        Alternative::List(t) => format!("the contact is added to the list {}", quoted(&t.list)),
        Alternative::Date(t) => {
            let by = offset(t.offset);
            let by = if by.is_empty() { "on".to_owned() } else { by };
            let yearly = if t.yearly { ", each year" } else { "" };
            format!("it is {} {by} {}{yearly}", t.at, t.property)
        }
        Alternative::Foreign(t) => {
            format!("{} starts it by something that only works there: {}", t.origin.title(), quoted(&t.trigger))
        }
        Alternative::Inactivity(t) => {
            let names: Vec<String> = t.events.iter().map(|event| quoted(event)).collect();
            format!("{} did not happen for {}", listed(&names, "or"), t.after)
        }
    }
}

fn delay(delay: &Delay, details: &mut Vec<String>) -> String {
    if let Some(open) = &delay.window {
        details.push(format!("Then on until it is {} where the contact lives", window(open)));
    }
    match &delay.wait {
        Wait::For(span) if delay.after == Anchor::Entry => format!("Waits until {span} after the contact entered."),
        Wait::For(span) => format!("Waits {span}."),
        Wait::Until { time, weekdays: days } => {
            format!("Waits until it is {time} where the contact lives{}.", weekdays(*days))
        }
        Wait::Date { property, offset: by, at, past, latest_age } => {
            details.push(match past {
                Past::Skip => format!(
                    "Where the date is missing or past by more than {latest_age}: messages up to the next wait are skipped"
                ),
                Past::Go => "Where the date is missing or past: goes on at once".to_owned(),
                Past::Leave => {
                    format!("Where the date is missing or past by more than {latest_age}: the journey ends")
                }
            });
            let by = offset(*by);
            let by = if by.is_empty() { String::new() } else { format!("{by} ") };
            let at = at.map_or_else(String::new, |at| format!(", {at}"));
            format!("Waits until {by}{property}{at}.")
        }
    }
}

fn split(split: &Split, details: &mut Vec<String>) -> String {
    for arm in &split.arms {
        let share = print_number(arm.weight);
        let hold_out = if arm.hold_out { ", to compare with: gets nothing of the test" } else { "" };
        details.push(format!("{}: {share} % of the contacts{hold_out}", quoted(&arm.name)));
    }
    if let Some(winner) = &split.winner {
        let by = match winner.metric {
            WinnerMetric::Opened => "opened",
            WinnerMetric::Clicked => "clicked",
            WinnerMetric::Converted => "converted",
        };
        let after = winner.after.map_or_else(String::new, |after| format!(" and at least {after}"));
        details.push(format!(
            "The way on which most contacts {by} gets everybody after {} entries in each{after}",
            winner.after_entries
        ));
    }
    "Deals contacts by chance; each stays with what they were dealt.".to_owned()
}

fn sending(on_cap: OnCap, cooldown: Option<&Cooldown>, latest: crate::base::Span, details: &mut Vec<String>) {
    match on_cap {
        OnCap::Skip => {}
        OnCap::Wait(most) => details.push(format!("Where a cap has no room: waits for it at most {most}")),
        OnCap::Leave => details.push("Where a cap has no room: the journey ends".to_owned()),
    }
    if let Some(cooldown) = cooldown {
        let whose = match cooldown.from {
            CooldownFrom::OtherFlows => "nothing from other flows",
            CooldownFrom::All => "no further message at all",
        };
        let then = match cooldown.on_conflict {
            OnCooldown::Wait => "what comes waits",
            OnCooldown::Skip => "what comes is skipped",
            OnCooldown::Leave => "what comes ends its journey",
        };
        details.push(format!("For {} after it {whose} is sent: {then}", cooldown.lasts));
    }
    if latest != default_send_latest_age() {
        details.push(format!("Does not leave where it is more than {latest} late"));
    }
}

/// The host of an address: what is behind it may be secret.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = host.rsplit('@').next().unwrap_or("");
    if host.is_empty() { "an address that is not set yet".to_owned() } else { host.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, settings: &str, expected: &str) {
        let mut flow = Flow::new("f", "F");
        let node = Node::new("n", kind, settings);
        assert!(node.settings().is_some(), "{:?}", node.settings.error());
        flow.nodes.push(std::sync::Arc::new(node));
        let said = step(&flow, &Workspace::default(), &flow.nodes[0]);
        let all = std::iter::once(said.sentence).chain(said.details).collect::<Vec<_>>().join(" | ");
        assert_eq!(all, expected, "{settings}");
    }

    #[test]
    fn steps_read_as_sentences() {
        check(
            "trigger",
            r#"(any: [event(event: "A", filter: "event.n > 1")])"#,
            "A contact enters when “A” happens and the event's n is more than 1.",
        );
        check(
            "trigger",
            r#"(any: [event(event: "A"), abandonment(start: "B", unless: [(event: "C")], after: "6 h", again: keep)])"#,
            "A contact enters when one of 2 things happens, whichever is first: | 1. “A” happens | 2. “B” happens and no “C” follows for 6 h; Another “B” does not begin the time anew",
        );
        check(
            "trigger",
            r#"(any: [inactivity(events: ["A", "B"], after: "90 days")])"#,
            "A contact enters when “A” or “B” did not happen for 90 days.",
        );
        check(
            "trigger",
            r#"(any: [date(property: "contact.birthday", offset: "-3 days", yearly: true)])"#,
            "A contact enters when it is 09:00 3 days before contact.birthday, each year.",
        );
        check("delay", r#"(wait: for("4 h"))"#, "Waits 4 h.");
        check("delay", r#"(wait: for("4 h"), after: entry)"#, "Waits until 4 h after the contact entered.");
        check(
            "delay",
            r#"(wait: until(time: "09:00", weekdays: [mon, tue, wed, thu, fri]))"#,
            "Waits until it is 09:00 where the contact lives, Monday to Friday.",
        );
        check(
            "condition",
            r#"(condition: "did \"Placed Order\" since entry")"#,
            "Asks whether “Placed Order” happened at least once since entry.",
        );
        check(
            "cap",
            r#"(limit: at_most(1), within: "48 h")"#,
            "Asks whether the contact got fewer than 1 e-mail in the last 48 h.",
        );
        check("exit", r#"(reason: "done")"#, "The journey ends here: done.");
        check(
            "webhook",
            r#"(url: "https://user:pw@api.example.com/hook?token=secret", headers: {"Authorization": "Bearer x"})"#,
            "Tells the system at api.example.com. | Waits for an answer at most 24 h",
        );
        check(
            "list_update",
            r#"(add: ["A", "B"], remove: ["C"])"#,
            "Adds the contact to the lists “A” and “B” and removes the contact from the list “C”.",
        );
        check("email", r#"(message: "m")"#, "Sends an e-mail that has no subject yet.");
    }

    #[test]
    fn every_kind_has_words() {
        for spec in crate::kinds::CATALOGUE {
            let (kind, ron) = match spec.group {
                crate::kinds::Group::Trigger if spec.name != "trigger" => {
                    ("trigger", format!("(any: [{}{}])", spec.name, spec.example))
                }
                _ => (spec.name, spec.example.to_owned()),
            };
            let mut flow = Flow::new("f", "F");
            flow.nodes.push(std::sync::Arc::new(Node::new("n", kind, &ron)));
            let said = step(&flow, &Workspace::default(), &flow.nodes[0]);
            assert!(!said.sentence.is_empty() || spec.name == "note", "{}", spec.name);
            assert!(!said.sentence.contains("does not know"), "{}: {ron}", spec.name);
        }
    }
}
