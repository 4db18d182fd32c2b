//! The only place that says what a flow does: one contact and its flows, one input at a time.
//!
//! No clock, no IO, no generator, no map order, no platform floats: everything comes in by arguments, and the same
//! arguments give the same effects, byte for byte (SEMANTICS R3). The contact is the actor and holds its own timers;
//! drivers load, advance, store effects atomically, act. A fault of the content or the contact becomes *held*.
//! Deliberately not here: who stores state, who wakes, who sends (`simulate`, `engine`).

mod answers;
mod entries;
mod flowset;
mod gate;
mod held;
mod messages;
mod population;
mod run;
mod state;
mod stored;
mod trace;
mod triggers;
mod watch;

#[cfg(test)]
mod tests;

pub use crate::kinds::MOST_IN_24_H;
pub use answers::{answering, counted};
pub use flowset::{FlowSet, RunMessage, RunNode, Version, is_suppressible, pinned, suppression_key};
pub use population::{Counts, close_hour};
pub use run::LATE_MILLIS;
pub use state::{ContactState, End, Journey, Send, Status, Waiting};
pub use stored::{Forgotten, recall};
pub use trace::{Decision, Effects, Intent, IntentWhat, What};

use smol_str::SmolStr;

use self::{
    gate::{Gate, Sending},
    run::Run,
    state::Pause,
};
use crate::{
    audience::{Channel, ConsentStatus, ResponseKind},
    base::{Instant, JourneyId, SendKey},
    kinds::{
        OnCap,
        prepared::Prepared,
        runtime::{Control, Delivery, Input, Outcome, Reason},
    },
};

/// Events further in the future than this count as accepted now, in milliseconds: 5 min. Source: SEMANTICS R2.
const MOST_FUTURE_MILLIS: i64 = 5 * 60_000;

/// Moves a contact on by one input: due timers first, then the input (SEMANTICS R1).
///
/// The instant inside is max(`contact.now`, the input's). Never fails: what cannot be done is held, with a reason.
pub fn advance(flows: &FlowSet, contact: &mut ContactState, input: &Input) -> Effects {
    // An entry or the end of a wait makes six as a rule.
    let mut effects = Effects { trace: Vec::with_capacity(6), ..Effects::default() };
    advance_into(flows, contact, input, &mut effects);
    effects
}

/// As [`advance`], for a driver that feeds many inputs: what was in `effects` is cleared, its room is used again.
pub fn advance_into(flows: &FlowSet, contact: &mut ContactState, input: &Input, effects: &mut Effects) {
    effects.intents.clear();
    effects.trace.clear();
    let at = contact.now.max(input.at());
    let mut run = Run::new(flows, contact, at, effects);
    run.move_the_late(match input {
        Input::Delivered { key, .. } => Some(key),
        _ => None,
    });
    run.fire_timers();
    run.state.now = at;
    run.now = at;
    match input {
        Input::Wake { .. } => {}
        Input::Event(event) => record(&mut run, event),
        Input::Profile { change, .. } => run.change(change),
        Input::Delivered { key, result, .. } => run.delivered(key, result),
        Input::Control { control, .. } => take(&mut run, control),
    }
    run.see_writes();
    effects.wake = contact.next_wake();
}

/// An event as it is taken: one that says it happens more than five minutes from now counts as happened when it was
/// accepted (SEMANTICS R2). Whoever reads a history from rows needs the same.
pub fn taken(mut event: std::sync::Arc<crate::audience::Event>) -> std::sync::Arc<crate::audience::Event> {
    if event.happened.since(event.accepted) > MOST_FUTURE_MILLIS {
        let accepted = event.accepted;
        std::sync::Arc::make_mut(&mut event).happened = accepted;
    }
    event
}

fn record(run: &mut Run<'_>, event: &std::sync::Arc<crate::audience::Event>) {
    let event = taken(event.clone());
    if !run.state.log.record(event.clone()) {
        run.tell(None, What::Ignored { why: SmolStr::new_static("its id is known"), event: event.id.clone() });
        return;
    }
    // What a response says of consent holds before anything else looks at it (SEMANTICS R22).
    if event.name.starts_with('$') {
        // The send key says which channel it answers (SEMANTICS R0).
        let key = event.property(&["send_key"]).and_then(crate::audience::Value::as_text);
        let answered = key.and_then(|key| run.state.sends.iter().rev().find(|send| send.key.to_string() == key));
        let channel = answered.map_or(Channel::Email, |send| send.channel);
        let contact = &mut run.state.contact;
        let is_hard = || event.property(&["hard"]).is_some_and(|hard| *hard == crate::audience::Value::Bool(true));
        if event.name == ResponseKind::Unsubscribed.event_name() {
            contact.consent.set(channel, ConsentStatus::Unsubscribed);
        } else if event.name == ResponseKind::Complained.event_name() {
            contact.consent.set(channel, ConsentStatus::Unsubscribed);
            run.state.suppressed = true;
        } else if event.name == ResponseKind::Bounced.event_name() && is_hard() {
            // Of the address that it says, which may be another one by now; else of the one there is.
            let said = event.property(&["email"]).and_then(crate::audience::Value::as_text);
            match said.map(str::to_owned).or_else(|| contact.email.as_ref().map(ToString::to_string)) {
                Some(email) if channel == Channel::Email => run.state.bounce(&email),
                // Which address it was nobody knows.
                _ => run.state.suppressed = true,
            }
        }
    }
    let told = run.effects.trace.len();
    run.settle_journeys(Some(&event));
    run.event_triggers(&event);
    run.schedule_rechecks();
    let decided = run.state.decided;
    if event.happened < decided && run.effects.trace.len() > told {
        run.tell(None, What::Late { event: event.id.clone(), happened: event.happened, decided });
        run.effects.trace[told..].rotate_right(1);
    }
}

fn take(run: &mut Run<'_>, control: &Control) {
    let name = match control {
        Control::Adopt { flow, version } => {
            run.adopt(flow, version);
            return;
        }
        Control::Pause { flow, freeze } => {
            pause(run, flow, Pause { since: run.now, freeze: *freeze, reason: Reason::Paused });
            "pause"
        }
        Control::Breaker { flow, .. } => {
            pause(run, flow, Pause { since: run.now, freeze: false, reason: Reason::Breaker });
            "breaker"
        }
        Control::Resume { flow } => {
            resume(run, flow);
            "resume"
        }
        Control::Drain { flow } => {
            run.state.live.iter_mut().filter(|live| live.flow == *flow).for_each(|live| live.draining = true);
            "drain"
        }
        Control::Migrate { flow, version, mapping } => {
            migrate(run, flow, version, mapping);
            "migrate"
        }
        Control::Move { journey, node } => {
            if let Some((j, version)) = find(run, journey) {
                run.move_to(j, version, node);
            }
            "move"
        }
        Control::End { journey } => {
            if let Some((j, _)) = find(run, journey) {
                run.end(j, End::Removed);
            }
            "end"
        }
        Control::Retry { journey, key } => {
            let is_meant = |of: &SendKey| of.journey == *journey && key.as_ref().is_none_or(|key| key == of);
            run.intend_again(|send| is_meant(&send.key) && matches!(send.status, Status::Held(_)));
            if let Some((j, version)) = find(run, journey)
                && run.state.journeys[j].key_at(version).is_some_and(|at| is_meant(&at))
            {
                run.retry(j);
            }
            "retry"
        }
        Control::Resend { key } => {
            run.intend_again(|send| send.key == *key && send.status == Status::Unknown);
            "resend"
        }
        Control::MarkSent { key, at } => {
            mark_sent(run, key, *at);
            "mark_sent"
        }
        Control::Forget => {
            for j in 0..run.state.journeys.len() {
                run.end(j, End::Removed);
            }
            let id = run.state.contact.id.clone();
            let (now, live) = (run.state.now, std::mem::take(&mut run.state.live));
            *run.state = ContactState::new(crate::audience::Contact::new(id));
            run.state.now = now;
            run.state.live = live;
            run.state.suppressed = true;
            "forget"
        }
        Control::Restored { until } => {
            run.state.restored = run.state.restored.max(Some(*until));
            "restored"
        }
        Control::Zones => {
            // The rules that were are gone; what counts calendar days from now on counts by the new ones.
            let zone = run.state.zone(run.flows).clone();
            run.recompute_local_waits(&zone);
            // Dates are armed anew, and conditions are told by time, as after a change of one's own zone.
            run.profile_changed(&[], &[], None);
            "zones"
        }
        Control::Winner { flow, node, arm } => {
            run.state.winners.insert((flow.clone(), node.clone()), arm.clone());
            "winner"
        }
    };
    run.tell(None, What::Controlled { control: SmolStr::new_static(name) });
}

/// What was unknown has left. Its journey went on already, and its place was taken, from when nobody knew on; it is now
/// where it belongs, which may be free earlier (SEMANTICS R21, R23).
fn mark_sent(run: &mut Run<'_>, key: &crate::base::SendKey, at: crate::base::Instant) {
    let is_meant = |send: &state::Send| send.key == *key && send.status == Status::Unknown;
    let Some(n) = run.state.sends.iter().rposition(is_meant) else { return };
    let send = &mut run.state.sends[n];
    send.status = Status::Sent;
    // A word of an instant before its step was reached is a clock's that went back.
    let at = at.max(send.since).min(send.at);
    let is_free_earlier = at < send.at && !send.transactional;
    send.at = at;
    let (key, flow, variant) = (send.key.clone(), send.flow.clone(), send.message.1.clone());
    let (outcome, reason) = (Outcome::Sent, Reason::Ok);
    run.tell_send(&key, &flow, What::Outcome { outcome, reason, variant, detail: String::new() });
    if is_free_earlier {
        run.wake_waiters();
    }
}

fn find<'a>(run: &Run<'a>, id: &JourneyId) -> Option<(usize, &'a std::sync::Arc<Version>)> {
    let j = run.state.journeys.iter().position(|journey| journey.id == *id && journey.is_active())?;
    Some((j, run.version_of(j)?))
}

fn pause(run: &mut Run<'_>, flow: &crate::base::FlowId, pause: Pause) {
    for live in run.state.live.iter_mut().filter(|live| live.flow == *flow && live.paused.is_none()) {
        live.paused = Some(pause.clone());
    }
}

/// Frozen waits move by the length of the pause; what the pause held is tried again (SEMANTICS R30).
fn resume(run: &mut Run<'_>, flow: &crate::base::FlowId) {
    let Some(live) = run.state.live.iter_mut().find(|live| live.flow == *flow) else { return };
    let Some(pause) = live.paused.take() else { return };
    run.intend_again(|send| {
        send.flow == *flow && matches!(send.status, Status::Held(Reason::Paused | Reason::Breaker))
    });
    for j in 0..run.state.journeys.len() {
        let journey = &run.state.journeys[j];
        if journey.flow != *flow || !journey.is_active() {
            continue;
        }
        if pause.freeze {
            run.thaw(j, pause.since);
        }
        if matches!(run.state.journeys[j].waiting, Waiting::Held(Reason::Paused | Reason::Breaker)) {
            run.retry(j);
        }
    }
}

/// Journeys of other versions move to this one: by the mapping, else by the node's id; without either they end (R4).
fn migrate(
    run: &mut Run<'_>,
    flow: &crate::base::FlowId,
    hash: &crate::base::VersionHash,
    mapping: &[(crate::base::NodeId, crate::base::NodeId)],
) {
    let Some(to) = run.flows.version(hash).cloned() else { return };
    for j in 0..run.state.journeys.len() {
        let journey = &run.state.journeys[j];
        if journey.flow != *flow || journey.version == *hash || !journey.is_active() {
            continue;
        }
        let Some(from) = run.version_of(j) else { continue };
        let place = |node: usize| {
            let id = from.nodes.get(node).map(|n| &n.id)?;
            to.place_of(mapping.iter().find(|(old, _)| old == id).map_or(id, |(_, new)| new))
        };
        let Some(node) = place(journey.node) else {
            run.end(j, End::Removed);
            continue;
        };
        let passes = journey.passes.iter().filter_map(|(n, count)| Some((place(*n)?, *count))).collect();
        // An arm is kept by its name; its place may be another one now.
        let arm_named = |node: usize, name: &str| to.nodes[node].ports.iter().position(|(port, _)| port == name);
        let arms = journey.arms.iter().filter_map(|(n, arm)| {
            let (at, (name, _)) = (place(*n)?, from.nodes.get(*n)?.ports.get(*arm)?);
            Some((at, arm_named(at, name)?))
        });
        let arms = arms.collect();
        let same_sort = std::mem::discriminant(&from.nodes[journey.node].prepared)
            == std::mem::discriminant(&to.nodes[node].prepared);
        let journey = &mut run.state.journeys[j];
        (journey.version, journey.passes, journey.arms, journey.node) = (*hash, passes, arms, node);
        if !same_sort {
            let id = to.nodes[node].id.clone();
            run.move_to(j, &to, &id);
        }
    }
    // The new version may have other goals and exits.
    run.settle_journeys(None);
    run.schedule_rechecks();
}

/// The driver's question just before the transport: the same tests as at the step, at the instant of the hand-over
/// (SEMANTICS R22). Changes nothing; the driver feeds what it got back as [`Input::Delivered`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandOver {
    /// Hand it over.
    Go,
    /// Ask again then.
    Defer(Instant),
    /// Do not hand it over.
    Stop(Outcome, Reason),
}

/// May this send be handed over now? See [`HandOver`].
///
/// A key that is not known, or whose send is settled, is stopped as `not_in_flow`.
pub fn may_hand_over(flows: &FlowSet, contact: &ContactState, key: &SendKey, now: Instant) -> HandOver {
    let Some(send) = contact.send(key).filter(|send| send.status == Status::Pending) else {
        return HandOver::Stop(Outcome::Skipped, Reason::NotInFlow);
    };
    if now < send.at {
        return HandOver::Defer(send.at);
    }
    match ask_gate(flows, contact, send, now) {
        Gate::Go => HandOver::Go,
        Gate::Defer(until, _) => HandOver::Defer(until),
        Gate::Stop(outcome, reason, _) => HandOver::Stop(outcome, reason),
        Gate::Leave(reason) => HandOver::Stop(Outcome::Skipped, reason),
    }
}

/// Whether a journey waits for the answer to the call of this key; one that has gone on or ended does not.
pub fn awaits_answer(flows: &FlowSet, contact: &ContactState, key: &SendKey) -> bool {
    contact.journey(&key.journey).is_some_and(|journey| {
        let version = flows.version(&journey.version);
        journey.is_active()
            && matches!(journey.waiting, Waiting::Answer(_))
            && version.and_then(|version| journey.node_id(version)) == Some(&key.node)
            && journey.pass(journey.node) == key.pass
    })
}

/// Pools of which the mail of a send shows a code: what the driver claims before it hands over (SEMANTICS R27).
pub fn pools_of<'a>(flows: &'a FlowSet, contact: &ContactState, key: &SendKey) -> &'a [SmolStr] {
    let found = || {
        let send = contact.send(key)?;
        let message = flows.version(&send.version)?.nodes.get(send.node)?.message.as_deref()?;
        message.variants.iter().find(|variant| variant.id == send.message.1)
    };
    found().map_or(&[], |variant| variant.pools.as_slice())
}

/// The second test of a send, with the whole of its answer.
fn ask_gate(flows: &FlowSet, contact: &ContactState, send: &Send, now: Instant) -> Gate {
    let Some(version) = flows.version(&send.version) else {
        return Gate::Stop(Outcome::Held, Reason::Fault, "its version is not there".to_owned());
    };
    let node = version.nodes.get(send.node);
    let message = node.and_then(|node| node.message.as_deref());
    let (on_cap, latest_age) = match node.map(|node| &node.prepared) {
        Some(Prepared::Email(email)) => (email.on_cap, email.send_latest_age),
        Some(Prepared::Sms(sms)) => (sms.on_cap, sms.send_latest_age),
        _ => (OnCap::Skip, send.latest_age),
    };
    let variant = message.and_then(|m| m.message.variants.iter().position(|v| v.id == send.message.1)).unwrap_or(0);
    let sending = Sending {
        key: &send.key,
        flow: &send.flow,
        channel: send.channel,
        transactional: send.transactional,
        on_cap,
        latest_age,
        message,
        variant,
        since: send.since,
        late: send.late_millis + now.since(send.at).max(0),
        at_hand_over: true,
    };
    gate::ask(flows, version, contact, contact.journey(&send.key.journey), &sending, now)
}

impl From<HandOver> for Option<Delivery> {
    /// What to feed back; `None` where the hand-over goes ahead and its result is not known yet.
    fn from(answer: HandOver) -> Self {
        match answer {
            HandOver::Go => None,
            HandOver::Defer(until) => Some(Delivery::Deferred { until }),
            HandOver::Stop(Outcome::Held, reason) => Some(Delivery::Held(reason)),
            HandOver::Stop(Outcome::Refused, reason) => Some(Delivery::Refused(reason)),
            HandOver::Stop(_, reason) => Some(Delivery::Skipped(reason)),
        }
    }
}
