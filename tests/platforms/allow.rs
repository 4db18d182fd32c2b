//! What each loss allows: how the mails behind it may differ.

use std::collections::{BTreeMap, BTreeSet};

use flowloom::{
    flow::Flow,
    platforms::{Export, Loss},
};

use super::person::{DAY, HOUR, MINUTE};

/// How mails may differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Allow {
    /// The platform may send what we do not.
    pub more: bool,
    /// The platform may leave out what we send.
    pub fewer: bool,
    /// The platform may send so much earlier, in milliseconds.
    pub earlier: i64,
    /// The platform may send so much later, in milliseconds.
    pub later: i64,
}

impl Allow {
    fn and(self, other: Self) -> Self {
        Self {
            more: self.more || other.more,
            fewer: self.fewer || other.fewer,
            earlier: self.earlier + other.earlier,
            later: self.later + other.later,
        }
    }
}

const NONE: Allow = Allow { more: false, fewer: false, earlier: 0, later: 0 };
const MORE: Allow = Allow { more: true, ..NONE };
const FEWER: Allow = Allow { fewer: true, ..NONE };
/// Others are mailed: more here, fewer there.
const OTHERS: Allow = Allow { more: true, fewer: true, ..NONE };

/// At another time, and what is asked after it may be answered otherwise by then.
fn at_another_time(earlier: i64, later: i64) -> Allow {
    Allow { earlier, later, ..OTHERS }
}

/// What a code allows. A code that says nothing about who gets a mail when stands with [`NONE`]; one that is not here
/// fails the test.
fn of(loss: &Loss) -> Allow {
    let code = loss.code.split_once('/').map_or(loss.code, |(_, code)| code);
    match code {
        // What a mail says, how it is made, what is counted afterwards.
        "prepared-property" | "prepared" | "stock" | "format" | "programmable-mail" | "email-html" | "languages"
        | "tracking" | "conversion-window" | "filter" | "deadline" | "deadline-zone" | "arrival" | "zone" | "zero"
        | "thousands" | "account-zone" | "list-dropped" | "link-condition" | "code-condition" | "condition-size"
        | "sender" | "images" | "webhook-body" | "webhook-timeout" | "webhook-headers" | "alert" | "exit-is-goal"
        | "transactional" | "suppression" => NONE,
        // Arms are dealt alike in these tests; variants of a message are one message.
        "split" | "ab-test" | "variants" | "copied-tail" | "joins" => NONE,
        // The interpreters take the form for what it is meant to be.
        "list" | "list-update" | "increment" | "clear" | "count-and-window" | "event-data" => NONE,
        // A message is held back by us until the hours end, and what waits for it comes with it.
        "quiet-hours" | "sms-quiet-hours" => at_another_time(DAY, DAY),
        // A window becomes the send times of everything.
        "window" => at_another_time(3 * DAY, 3 * DAY),
        "window-start" => at_another_time(DAY, DAY),
        "until" | "weekdays" => at_another_time(DAY, 7 * DAY),
        "wait-limit" => at_another_time(HOUR, HOUR),
        "delay" => at_another_time(2 * DAY, 2 * DAY),
        "anchor" => at_another_time(7 * DAY, 7 * DAY),
        "date-offset" => at_another_time(DAY, DAY),
        // In the account's zone instead of the contact's.
        "date" => at_another_time(14 * HOUR, 14 * HOUR),
        "date-wait" => at_another_time(DAY, DAY),
        // Everybody waits the whole time.
        "wait" => at_another_time(0, 30 * DAY),
        "look-back"
        | "response"
        | "winner"
        | "share"
        | "condition"
        | "event-filter"
        | "event-in-profile-filter"
        | "sum"
        | "currency"
        | "relative-date"
        | "segment-filter"
        | "copy"
        | "add"
        | "now"
        | "instant"
        | "list-value"
        | "object-value"
        | "webhook-failed"
        | "since-entry" => OTHERS,
        "cap-wait" => at_another_time(3 * DAY, 0),
        "cap" | "on-cap" | "cooldown" => at_another_time(3 * DAY, 0),
        "cap-scope" | "smart-sending" => FEWER,
        "latest-age" => MORE,
        "consent" | "daily-limit" => MORE,
        "exit-skips" => MORE,
        "loop" | "sms" => FEWER,
        // Who enters, and how often.
        "one-trigger" | "one-enrolment" => MORE,
        // Another entry is another pass with mails of its own; those of a pass that both have leave at the same time.
        "reentry" | "reentry-key" | "reentry-mark" | "restart" | "abandonment-add" | "engagement-again"
        | "engagement-same" | "inactivity" | "segment" | "segment-leaves" | "score" | "reenrol" | "enrol-current" => {
            OTHERS
        }
        // The same pass, counted from an earlier or a later event of the same kind, is another one, too; what is lost
        // says by how much at most.
        "abandonment-restart" => OTHERS,
        // For the minute that an event may be on its way.
        "grace" => at_another_time(HOUR, 0),
        // A goal in the middle of a path is passed through; the goal of a workflow keeps out who meets it already.
        "goal" if loss.place.node.is_some() => NONE,
        "goal" => FEWER,
        other => panic!("what does `{other}` allow? {loss:?}"),
    }
}

/// What is allowed for the mails of each step: the losses of the whole flow, of the step and of all that lead to it.
pub fn of_steps(flow: &Flow, export: &Export) -> BTreeMap<String, (Allow, BTreeSet<&'static str>)> {
    let mut before: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in &flow.nodes {
        let mut seen = BTreeSet::from([node.id.to_string()]);
        let mut stack = vec![node.id.to_string()];
        while let Some(at) = stack.pop() {
            for edge in flow.edges.iter().filter(|edge| edge.to.as_str() == at) {
                if seen.insert(edge.from.to_string()) {
                    stack.push(edge.from.to_string());
                }
            }
        }
        before.insert(node.id.to_string(), seen);
    }
    let of_step = |step: &str| {
        let mut allow = NONE;
        let mut codes = BTreeSet::new();
        for loss in &export.losses {
            let node =
                loss.place.node.as_deref().or(loss.place.edge.as_deref().and_then(|edge| edge.split('.').next()));
            // A loss of a message is about what it says.
            let concerns = match node {
                // Send times are the whole workflow's, whichever delay they come from.
                _ if loss.code == "hubspot/window" => true,
                Some(node) => before[step].contains(node),
                None => loss.place.message.is_none(),
            };
            let own = of(loss);
            if concerns && own != NONE {
                allow = allow.and(own);
                codes.insert(loss.code);
            }
        }
        (allow, codes)
    };
    flow.nodes.iter().map(|node| (node.id.to_string(), of_step(node.id.as_str()))).collect()
}

/// Platforms promise no seconds: a mail within a minute is at the same time (assumption).
pub const SAME: i64 = MINUTE;
