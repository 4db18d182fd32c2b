//! What is said of a running engine: lines for cards, rows for tables, sentences for what people should look at.

use super::{Form, Question};
use crate::{
    app::{
        Document,
        card::{Family, family},
        stage,
        when::{self, Manner},
    },
    base::Instant,
    engine::{
        status::{FlowStatus, NodeStatus, SendView, Status},
        work::Standing as OfSend,
    },
    kinds::runtime::Reason,
};

pub use crate::engine::status::LATE_MILLIS;

/// How somebody posts the first event that the flow waits for, as a line for a shell. `None` where it waits for none.
pub fn example(document: &Document, address: &str) -> Option<String> {
    let metric = stage::metrics(document.flow(), &document.home.workspace, None).into_iter().next()?;
    let contact = document.home.audience.contacts.first().map_or("ada@shop.example", |contact| contact.id.as_str());
    let body = serde_json::json!({"contact": contact, "name": metric}).to_string();
    let body = body.replace('\'', r"'\''");
    Some(format!("curl -H 'Content-Type: application/json' -d '{body}' {address}/v1/events"))
}

/// A number with its word.
pub fn count(manner: &Manner, n: u64, one: &str, many: &str) -> String {
    format!("{} {}", manner.number(n), if n == 1 { one } else { many })
}

/// The line of a card: "40 came · 3 a minute · 38 sent".
pub fn card(manner: &Manner, kind: &str, seen: &NodeStatus) -> String {
    if family(kind) == Family::Note {
        return String::new();
    }
    let mut parts = vec![format!("{} came", manner.number(seen.entered))];
    if seen.per_minute > 0 {
        parts.push(format!("{} a minute", manner.number(seen.per_minute)));
    }
    if seen.sent > 0 {
        parts.push(format!("{} sent", manner.number(seen.sent)));
    }
    if seen.not_sent > 0 {
        parts.push(format!("{} not sent", manner.number(seen.not_sent)));
    }
    parts.join(" \u{b7} ")
}

/// What a step is called by those who hear the canvas: "12 here, 3 held, 2 messages held".
pub fn heard(manner: &Manner, seen: &NodeStatus) -> String {
    let positive = |n: i64| u64::try_from(n).unwrap_or(0);
    let mut said = format!("{} here", manner.number(positive(seen.here)));
    if seen.held > 0 {
        said.push_str(&format!(", {} held", manner.number(positive(seen.held))));
    }
    // Those who were to get them have gone on, mostly.
    if seen.held_sends > 0 {
        said.push_str(&format!(", {} held", count(manner, positive(seen.held_sends), "message", "messages")));
    }
    if seen.unknown_sends > 0 {
        let messages = count(manner, positive(seen.unknown_sends), "message", "messages");
        said.push_str(&format!(", {messages} of which nobody knows"));
    }
    said
}

/// A flow's state as people read it, and whether it is as it should be.
pub fn state(flow: &FlowStatus) -> (&'static str, bool) {
    match flow.state.as_str() {
        "live" => ("Live", true),
        "paused" => ("Paused", false),
        "frozen" => ("Frozen", false),
        "breaker" => ("Stopped by a breaker", false),
        "draining" => ("Lets nobody in", false),
        _ => ("Unknown", false),
    }
}

/// Where a message stands, as people read it.
pub fn standing(send: &SendView) -> &'static str {
    match send.standing {
        OfSend::Due => "Waits for its time",
        OfSend::Claimed => "Is being made",
        OfSend::HandingOver => "On its way",
        OfSend::Settled(outcome) => match outcome.name() {
            "sent" => "Sent",
            "skipped" => "Skipped",
            "refused" => "Refused",
            "held" => "Held",
            "unknown" => "Nobody knows whether it arrived",
            other => other,
        },
    }
}

/// Why something did not go its way, as people read it.
pub fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Ok => "Nothing spoke against it",
        Reason::NotInFlow => "The journey was ended",
        Reason::Goal => "The goal was reached",
        Reason::Exit => "The exit condition holds",
        Reason::NoConsent => "No consent, or no address",
        Reason::Suppressed => "The address is on the suppression list",
        Reason::QuietHours => "Quiet hours",
        Reason::Capped => "No room under a cap",
        Reason::Cooldown => "In another message's quiet time",
        Reason::Incomplete => "A merge tag has neither value nor fallback",
        Reason::Empty => "There is nothing in it",
        Reason::TooLate => "It came too late",
        Reason::Paused => "The flow is paused",
        Reason::Breaker => "A breaker stopped the flow",
        Reason::Fault => "The step cannot be done",
        Reason::Rejected => "The mail server said no",
        Reason::NoAnswer => "The mail server did not say",
    }
}

/// The name of a source of lateness as people read it.
pub fn source(name: &str) -> &str {
    match name {
        "events" => "Events",
        "hooks" => "Webhooks",
        "pages" => "Links in mails",
        "files" => "Files",
        "timers" => "Timers",
        "hand_overs" => "Hand-overs",
        other => other,
    }
}

/// A span as people read it: "340 ms", "12.4 s".
pub fn millis(manner: &Manner, millis: u64) -> String {
    if millis < 1_000 {
        return format!("{millis} ms");
    }
    // Lateness of a day and more has no tenths that anybody needs.
    format!("{} s", manner.decimal((millis as f64 / 100.0).round() / 10.0))
}

/// A span of the engine's clock in real milliseconds: where time passes faster, a moment seems long.
pub fn real(status: &Status, millis: u64) -> u64 {
    let scale = status.time_scale.filter(|scale| *scale > 1.0).unwrap_or(1.0);
    (millis as f64 / scale).round() as u64
}

/// A line of a trace as people read it: the local time, and what was decided, with steps by their titles.
pub fn decision(document: &Document, line: &str) -> (String, String) {
    let mut parts = line.split("  ").filter(|part| !part.is_empty());
    let first = parts.next().unwrap_or_default();
    let at = Instant::parse(first).map_or_else(|_| first.to_owned(), |at| day_time(document, at));
    // What is named by its id has a title on the canvas; a journey's own id says nothing to a reader.
    let rest: Vec<String> =
        parts.filter(|part| part.contains(' ') || !part.contains('/')).map(|part| local(document, part)).collect();
    (at, rest.join(": "))
}

/// A text with steps by their titles, and instants in the workspace's zone.
pub fn local(document: &Document, text: &str) -> String {
    if document.flow().node(text).is_some() {
        return step(document, text);
    }
    let word = |word: &str| {
        let at = word.contains('T').then(|| Instant::parse(word).ok()).flatten();
        at.map_or_else(|| word.to_owned(), |at| day_time(document, at))
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// That contacts cannot be read, and what helps; `None` where all can be.
pub fn damaged(manner: &Manner, status: &Status) -> Option<(String, &'static str)> {
    let people = (status.damaged > 0).then(|| count(manner, status.damaged, "contact", "contacts"))?;
    let words = format!("{people} cannot be read: nothing is decided or sent for them");
    Some((words, "Stop the engine and bring back the last backup with flowloom restore, or forget them"))
}

/// How many steps, messages and contacts wait for somebody to look at them.
pub fn held(status: &Status) -> u64 {
    let nodes = status.flows.iter().flat_map(|flow| flow.nodes.values());
    let held: i64 = nodes.map(|node| node.held).sum();
    let sends: u64 = ["held", "unknown"].iter().filter_map(|name| status.outbox.get(*name)).sum();
    u64::try_from(held).unwrap_or(0) + sends + status.damaged
}

/// What waits in an engine that does not run, and goes on with the next start.
pub fn waits(document: &Document, status: &Status) -> String {
    let manner = &document.home.manner;
    let under_way: u64 = status.flows.iter().map(|flow| flow.under_way).sum();
    let mut said = match under_way {
        0 => "Nobody is under way".to_owned(),
        n => format!("{} under way", count(manner, n, "journey is", "journeys are")),
    };
    if let Some(at) = status.next_wake {
        said.push_str(&format!("; the next step is due {}", day_time(document, at)));
    }
    let pending: u64 = ["due", "claimed", "handing_over"].iter().filter_map(|name| status.outbox.get(*name)).sum();
    if pending > 0 {
        said.push_str(&format!("; {}", count(manner, pending, "message waits to be sent", "messages wait to be sent")));
    }
    let held = held(status);
    if held > 0 {
        said.push_str(&format!("; {} held for somebody to look at", manner.number(held)));
    }
    said
}

/// An instant in the workspace's zone.
pub fn day_time(document: &Document, at: Instant) -> String {
    when::day_time(at, &when::zone_of(&document.home, None))
}

/// The title of a step, or its id where it is gone.
pub fn step(document: &Document, node: &str) -> String {
    document.flow().node(node).map_or_else(|| node.to_owned(), |node| node.title().to_owned())
}

/// Head, sentence and button of a question.
pub fn question(document: &Document, question: &Question) -> (String, String, &'static str) {
    let title = document.title();
    match question {
        Question::Publish => (
            format!("Publish {title}?"),
            "The flow on the screen becomes the version that new people enter. Those under way stay in the version \
             they entered with, until you move them."
                .to_owned(),
            "Publish",
        ),
        Question::Pause { .. } => (
            format!("Pause {title}?"),
            "No message of it leaves until you resume it. People still enter, its calls and alerts are made, and waits go \
             on unless they are frozen."
                .to_owned(),
            "Pause",
        ),
        Question::Resume { .. } => (
            format!("Resume {title}?"),
            "Messages leave again. What is overdue leaves at once, as far as its step still allows it.".to_owned(),
            "Resume",
        ),
        Question::Drain => (
            format!("Drain {title}?"),
            "Nobody enters any more; those under way go on to the end.".to_owned(),
            "Drain",
        ),
        Question::Migrate { .. } => (
            "Move people to the live version?".to_owned(),
            "Everybody in an older version goes on in the live one, from the step they stand at.".to_owned(),
            "Move them",
        ),
        Question::Move { contact, .. } => (
            format!("Move {contact} to another step?"),
            "The journey goes on from there at once, as if they had just arrived.".to_owned(),
            "Move",
        ),
        Question::End { contact, journey } => (
            format!("End the journey of {contact}?"),
            format!("{journey} is over then: nothing of it is sent any more."),
            "End the journey",
        ),
        Question::Resend { contact, .. } => (
            format!("Send the mail to {contact} again?"),
            "The connection broke after everything was said, so it may have arrived. If it did, they get it twice. Ask \
             them, or look at the mail server's log, first."
                .to_owned(),
            "It did not arrive: send again",
        ),
        Question::MarkSent { contact, .. } => (
            format!("Take the mail to {contact} as sent?"),
            "You found it in their mailbox or in the mail server's log. It counts as sent from when it was handed over, \
             and is never sent again."
                .to_owned(),
            "It left",
        ),
        Question::Forget { contact } => (
            format!("Forget {contact}?"),
            "History, journeys, mails and what lies of them in files are deleted for good, and nothing is ever sent to \
             them again. The answer names copies that still hold them."
                .to_owned(),
            "Forget for good",
        ),
        Question::Stop => (
            "Stop the engine?".to_owned(),
            "It finishes what is on its way. What waits goes on with the next start; events that come meanwhile are \
             not taken."
                .to_owned(),
            "Stop",
        ),
    }
}

/// What the form comes to: the scale of time.
///
/// Errors: which field is wrong, and how it is written.
pub fn checked(form: &Form) -> Result<f64, String> {
    if form.data.trim().is_empty() {
        return Err("Name a folder for the engine's data".to_owned());
    }
    let port = form.listen.trim().rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    if port.is_none() {
        return Err("Write where it listens as address and port, such as 127.0.0.1:7171".to_owned());
    }
    let scale = form.time_scale.trim().replace(',', ".").parse::<f64>().ok();
    let scale = scale.filter(|scale| (1.0..=super::MOST_TIME_SCALE).contains(scale));
    let scale = scale.ok_or("Write how many times as fast time passes as a number of 1 or more")?;
    let mail = form.mail.trim();
    if let Some((scheme, rest)) = mail.split_once("://") {
        if !matches!(scheme, "smtp" | "smtps") {
            return Err("Mails leave by smtp://host:587, smtps://host:465, or into a folder".to_owned());
        }
        let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
        if user.contains(':') {
            return Err("Leave the password out: others could read it. The engine takes it from the variable \
                        FLOWLOOM_SMTP_PASSWORD"
                .to_owned());
        }
    }
    super::options::checked(form)?;
    Ok(scale)
}
