//! The rules of a whole flow in words: who enters again, what ends a journey, what holds messages back.

use super::{condition, quoted, window};
use crate::{
    audience::Channel,
    flow::{Flow, Reentry, RequiredConsent, Workspace},
    kinds::{CapRule, Limit, Scope},
};

/// A rule: what it is about, and what it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// "Entering again".
    pub title: &'static str,
    /// A sentence without full stop.
    pub text: String,
}

/// The rules of a flow, in the order in which people ask for them.
pub fn rules(flow: &Flow, workspace: &Workspace) -> Vec<Rule> {
    let settings = flow.settings();
    let mut out = Vec::new();
    let mut say = |title, text: String| out.push(Rule { title, text });
    let consent: Vec<String> = settings
        .consent
        .iter()
        .map(|wanted| match wanted {
            RequiredConsent::Subscribed(Channel::Email) => "has subscribed to e-mails".to_owned(),
            RequiredConsent::Subscribed(Channel::Sms) => "has subscribed to text messages".to_owned(),
            RequiredConsent::NotUnsubscribed(Channel::Email) => "has not unsubscribed from e-mails".to_owned(),
            RequiredConsent::NotUnsubscribed(Channel::Sms) => "has not unsubscribed from text messages".to_owned(),
        })
        .collect();
    say(
        "Consent",
        if consent.is_empty() {
            "None is asked for on entry; each message still needs the consent of its channel".to_owned()
        } else {
            format!("Only who {}", super::listed(&consent, "and"))
        },
    );
    say(
        "Entering again",
        match &settings.reentry {
            Reentry::AfterExit => "As soon as the earlier journey has ended".to_owned(),
            Reentry::Once => "Never: each contact enters once".to_owned(),
            Reentry::Cooldown(span) => format!("When the earlier journey has ended and the last entry is {span} ago"),
            Reentry::PerKey => match &settings.reentry_key {
                Some(key) => format!("Once for each {key}; several journeys may run side by side"),
                None => "Once for each key; there is no key yet".to_owned(),
            },
            Reentry::Restart => "At once: the running journey ends and a new one begins".to_owned(),
        },
    );
    if settings.enrol_current {
        say(
            "At the start",
            "Contacts for whom the trigger holds already are let in when the flow goes live".to_owned(),
        );
    }
    if let Some(goal) = &settings.goal_when {
        say("Goal", format!("Reached when {}; the journey ends there", condition(flow, goal)));
        say("Counted as earned by", format!("The last message within {} before the goal", settings.conversion_window));
    }
    if let Some(exit) = &settings.exit_when {
        say("Leaves early", format!("When {}", condition(flow, exit)));
    }
    match settings.quiet_hours.or(workspace.quiet_hours) {
        Some(quiet) => say("Quiet hours", format!("Nothing is sent {} where the contact lives", window(&quiet))),
        None => say("Quiet hours", "None".to_owned()),
    }
    say("Late triggers", format!("Whatever arrives more than {} late lets nobody in", settings.trigger_latest_age));
    if !settings.tracking.is_empty() {
        let all: Vec<String> = settings.tracking.iter().map(|(key, value)| format!("{key}={value}")).collect();
        say("Added to links", all.join(", "));
    }
    if !settings.constants.is_empty() {
        let all: Vec<String> = settings.constants.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        say("Constants", all.join(", "));
    }
    out
}

/// A cap as a row of a table: how many, within which time, of what, for whom.
pub fn cap_row(cap: &CapRule) -> [String; 4] {
    let unit = if cap.channel == Channel::Email { ("e-mail", "e-mails") } else { ("SMS", "SMS") };
    let most = match cap.limit {
        Limit::None => "No limit".to_owned(),
        Limit::AtMost(n) => super::count(n as usize, unit.0, unit.1),
    };
    let counted = if cap.scope == Scope::Flow { "This flow's messages" } else { "All messages" };
    let whom =
        cap.segment.as_ref().map_or_else(|| "Everybody".to_owned(), |segment| format!("Segment {}", quoted(segment)));
    [most, format!("in any {}", cap.within), counted.to_owned(), whom]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_as_words() {
        let file = r#"(version: 2, id: "f", name: "F", settings: (reentry: per_key, reentry_key: "event.cart_id",
            goal_when: "did \"Placed Order\" since entry", quiet_hours: (from: "21:00", until: "08:00")))"#;
        let flow = crate::flow::file::read(file).expect("reads").flow;
        let all: Vec<String> =
            rules(&flow, &Workspace::default()).iter().map(|r| format!("{}: {}", r.title, r.text)).collect();
        assert_eq!(
            all,
            [
                "Consent: Only who has subscribed to e-mails",
                "Entering again: Once for each event.cart_id; several journeys may run side by side",
                "Goal: Reached when “Placed Order” happened at least once since entry; the journey ends there",
                "Counted as earned by: The last message within 48 h before the goal",
                "Quiet hours: Nothing is sent between 21:00 and 08:00 where the contact lives",
                "Late triggers: Whatever arrives more than 4 h late lets nobody in",
            ]
        );
        assert_eq!(cap_row(&CapRule::default()), ["3 e-mails", "in any 48 h", "All messages", "Everybody"]);
    }
}
