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

/// The spans in a text, in milliseconds: `1 h 30 min`, `6.5 h`, `2 weeks`, `6 calendar months` (of 31 days).
fn spans(text: &str) -> Vec<i64> {
    let mut out: Vec<i64> = Vec::new();
    let mut words = text.split_whitespace().map(|word| word.trim_matches(|c: char| ",;:.()".contains(c))).peekable();
    // Whether the span before goes on.
    let mut goes_on = false;
    while let Some(word) = words.next() {
        let Ok(number) = word.replace(',', "").parse::<f64>() else {
            goes_on = false;
            continue;
        };
        if words.peek() == Some(&"calendar") {
            words.next();
        }
        let unit = match words.peek().copied().unwrap_or_default() {
            "s" => 1_000,
            "min" | "minutes" => MINUTE,
            "h" | "hours" => HOUR,
            "day" | "days" => DAY,
            "week" | "weeks" => 7 * DAY,
            "month" | "months" => 31 * DAY,
            "year" | "years" => 366 * DAY,
            _ => {
                goes_on = false;
                continue;
            }
        };
        words.next();
        let millis = (number * unit as f64).round() as i64;
        match out.last_mut().filter(|_| goes_on) {
            Some(last) => *last += millis,
            None => out.push(millis),
        }
        goes_on = true;
    }
    out
}

/// The first span that a loss says after some words.
fn said(loss: &Loss, before: &str) -> i64 {
    let rest = loss.message.split_once(before).map(|(_, rest)| rest);
    let rest = rest.unwrap_or_else(|| panic!("a loss says how much after `{before}`: {loss:?}"));
    *spans(rest).first().unwrap_or_else(|| panic!("a loss says how much after `{before}`: {loss:?}"))
}

/// What a code allows, as much as the loss itself says. A code that says nothing about who gets a mail when stands with
/// [`NONE`]; one that is not here fails the test.
fn of(loss: &Loss) -> Allow {
    let (target, code) = loss.code.split_once('/').unwrap_or(("", loss.code));
    let says = |words: &str| loss.message.contains(words);
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
        "quiet-hours" if target == "klaviyo" => at_another_time(said(loss, "which are"), 0),
        "quiet-hours" => at_another_time(said(loss, "by up to"), said(loss, "by up to")),
        // The account decides when they are.
        "sms-quiet-hours" => at_another_time(DAY, DAY),
        // A window becomes the send times of everything, or is not kept; a window of a count is rounded.
        "window" if says("send times: it holds") => at_another_time(said(loss, "by up to"), said(loss, "by up to")),
        "window" if says("not kept") => at_another_time(said(loss, "up to"), 0),
        "window" => OTHERS,
        "window-start" | "until" => at_another_time(0, said(loss, "up to")),
        "weekdays" => at_another_time(said(loss, "up to"), 0),
        "wait-limit" => at_another_time(HOUR, HOUR),
        // Months are longer by up to a day each, and February is shorter by two.
        "delay" if says("calendar months") => {
            let spans = spans(&loss.message);
            at_another_time(spans[0] - spans[1], 2 * DAY)
        }
        "delay" => at_another_time(HOUR, HOUR + MINUTE),
        "anchor" => at_another_time(0, said(loss, "up to")),
        "date-offset" => {
            let spans = spans(&loss.message);
            let apart = (spans[0] - spans[1]).abs();
            at_another_time(apart, apart)
        }
        // In the account's zone instead of the contact's.
        "date" => at_another_time(14 * HOUR, 14 * HOUR),
        "date-wait" => at_another_time(DAY, DAY),
        // Everybody waits the whole time.
        "wait" => at_another_time(0, said(loss, "the whole")),
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
        // What waits here for room is left out there at once, and what follows comes sooner.
        "cap-wait" => at_another_time(said(loss, "up to"), 0),
        "on-cap" if says("waits up to") => at_another_time(said(loss, "waits up to"), 0),
        "cap" | "on-cap" | "cooldown" => OTHERS,
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
        // The same pass, counted from an earlier or a later event of the same kind.
        "abandonment-restart" if says("earlier than") => at_another_time(said(loss, "up to"), 0),
        "abandonment-restart" => OTHERS,
        // For the minute that an event may be on its way.
        "grace" => at_another_time(said(loss, "grace of"), 0),
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

#[test]
fn losses_say_how_much() {
    let check = |text: &str, expected: &[i64]| assert_eq!(spans(text), expected, "{text}");
    check("up to 1 h 30 min earlier than 2 days", &[HOUR + 30 * MINUTE, 2 * DAY]);
    check("by up to 15.5 h, in 3 of 60 contacts", &[15 * HOUR + 30 * MINUTE]);
    check("10 days are written as 14400 minutes", &[10 * DAY, 10 * DAY]);
    check("6 calendar months are counted as 180 days", &[186 * DAY, 180 * DAY]);
    check("the whole 1 week, also", &[7 * DAY]);
    check("nothing 7", &[]);
}
