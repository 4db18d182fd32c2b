//! May this message leave now? One pure test, asked at the step and again just before the transport (SEMANTICS R22).
//!
//! Order: paused → breaker → in the flow → exit and goal → consent and suppression → quiet hours → cap and cooldown →
//! content complete → age.

use super::{
    flowset::{CapRow, FlowSet, PreparedTrigger, RunMessage, Version, suppression_key},
    state::{ContactState, Journey, Send},
};
use crate::{
    audience::{Channel, ConsentStatus, Facts},
    base::{FlowId, Instant, SendKey, Span, Window, hash},
    content::{Completeness, FieldValues, Links, ResolveContext},
    flow::RequiredConsent,
    kinds::{
        CapRule, Cooldown, CooldownFrom, Limit, MOST_IN_24_H, OnCap, OnCooldown, Scope,
        runtime::{Outcome, Reason},
    },
};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It may leave.
    Go,
    /// Ask again then.
    Defer(Instant, Reason),
    /// It does not leave; more for people in the text.
    Stop(Outcome, Reason, String),
    /// It does not leave, and its journey ends.
    Leave(Reason),
}

/// What a message step says of itself.
#[derive(Clone, Debug)]
pub(super) struct Sending<'a> {
    pub key: &'a SendKey,
    pub flow: &'a FlowId,
    pub channel: Channel,
    pub transactional: bool,
    pub on_cap: OnCap,
    pub latest_age: Span,
    pub message: Option<&'a RunMessage>,
    pub variant: usize,
    pub since: Instant,
    /// How late it is by its driver's doing, in milliseconds.
    pub late: i64,
    /// Asked just before the transport, not at the step.
    pub at_hand_over: bool,
}

/// Salt of all jitter: the flow's id.
pub(super) fn jitter(flow: &FlowId, key: &SendKey) -> i64 {
    hash::jitter_millis(flow.as_str(), &key.to_string())
}

/// The tests from the pause to the age; the driver's call passes the instant of the hand-over as `now`.
pub(super) fn ask(
    flows: &FlowSet,
    version: &Version,
    state: &ContactState,
    journey: Option<&Journey>,
    sending: &Sending<'_>,
    now: Instant,
) -> Gate {
    let stop = |outcome, reason| Gate::Stop(outcome, reason, String::new());
    let skip = |reason| stop(Outcome::Skipped, reason);
    let zone = state.zone(flows);
    if let Some(pause) = state.live_of(sending.flow).and_then(|live| live.paused.as_ref()) {
        return stop(Outcome::Held, pause.reason);
    }
    if state.sends.len() >= MOST_IN_24_H {
        let day_ago = now.plus_millis(-24 * 3_600_000);
        let recent = places_before(state, Some(sending.key), now).filter(|send| send.at > day_ago);
        if recent.count() >= MOST_IN_24_H {
            return skip(Reason::Breaker);
        }
    }
    let Some(journey) = journey else { return skip(Reason::NotInFlow) };
    if let Some(reason) = journey.ended.as_ref().and_then(|(_, end)| end.stops_sends()) {
        return skip(reason);
    }
    // Asked of ended journeys too: the last message's intent has completed its journey before it is handed over.
    let facts = state.facts(flows, now, Some(journey.entry()));
    if version.exit.is_some() || version.goal.is_some() {
        if version.goal.as_ref().is_some_and(|c| c.eval(&facts).is_yes()) {
            return skip(Reason::Goal);
        }
        if version.exit.as_ref().is_some_and(|c| c.eval(&facts).is_yes()) {
            return skip(Reason::Exit);
        }
    }
    if was_followed(version, state, journey, &facts) {
        return skip(Reason::Exit);
    }
    let has_address = match sending.channel {
        Channel::Email => state.contact.email.is_some(),
        Channel::Sms => state.contact.phone.is_some(),
    };
    if !has_address {
        return Gate::Stop(Outcome::Skipped, Reason::NoConsent, format!("no {} address", sending.channel.name()));
    }
    if !consents(version, state, sending) {
        return skip(Reason::NoConsent);
    }
    if is_suppressed(flows, state, sending.channel) || sending.channel == Channel::Email && state.is_bounced() {
        return skip(Reason::Suppressed);
    }
    let quiet = version.settings.quiet_hours.or(flows.quiet_hours);
    if let Some(end) = quiet.filter(|w| w.from != w.until).and_then(|window| quiet_until(&window, now, zone)) {
        return Gate::Defer(end.plus_millis(jitter(sending.flow, sending.key)), Reason::QuietHours);
    }
    if !sending.transactional {
        if let Some(free_at) = capped_until(flows, version, state, sending, now) {
            match sending.on_cap {
                OnCap::Skip => return skip(Reason::Capped),
                OnCap::Leave => return Gate::Leave(Reason::Capped),
                OnCap::Wait(most) => {
                    // Waits to the end even where no place will come free by time: one may be released (R23).
                    let end = most.after(sending.since, zone);
                    if now >= end {
                        return skip(Reason::Capped);
                    }
                    return Gate::Defer(free_at.min(end), Reason::Capped);
                }
            }
        }
        if let Some((end, cooldown)) = in_cooldown(state, sending, now, flows) {
            match cooldown.on_conflict {
                OnCooldown::Wait => return Gate::Defer(end, Reason::Cooldown),
                OnCooldown::Skip => return skip(Reason::Cooldown),
                OnCooldown::Leave => return Gate::Leave(Reason::Cooldown),
            }
        }
    }
    if let Some(gate) = incomplete(version, state, journey, sending, now, flows) {
        return gate;
    }
    // Late by its driver it is shown (SEMANTICS R26), deferred too long by our own rules it is skipped (R25).
    if sending.latest_age.after(now.plus_millis(-sending.late), zone) < now {
        return stop(Outcome::Held, Reason::TooLate);
    }
    if sending.latest_age.after(sending.since.plus_millis(sending.late), zone) < now {
        return skip(Reason::TooLate);
    }
    Gate::Go
}

/// Whether an abandonment's B came after its journey had come to its end; before that, B ended it (SEMANTICS R15).
fn was_followed(version: &Version, state: &ContactState, journey: &Journey, facts: &Facts<'_>) -> bool {
    let Some((ended, _)) = &journey.ended else { return false };
    let Some(PreparedTrigger::Abandonment { unless, .. }) = version.alternatives.get(journey.alternative) else {
        return false;
    };
    unless.iter().any(|wanted| {
        let events = state.log.between(&wanted.event, journey.entry().since(), Instant::MAX);
        events.iter().any(|event| event.accepted >= *ended && wanted.is(event, facts))
    })
}

fn consents(version: &Version, state: &ContactState, sending: &Sending<'_>) -> bool {
    let consent = &state.contact.consent;
    if !version.settings.consent.iter().all(|required| required.allows(consent.on(required.channel()))) {
        return false;
    }
    let status = consent.on(sending.channel);
    match sending.channel {
        Channel::Sms => status == ConsentStatus::Subscribed,
        Channel::Email if sending.transactional => true,
        Channel::Email => {
            let required = version.settings.consent.iter().find(|c| c.channel() == Channel::Email);
            // A flow that asks for nothing may still write only to people who said yes.
            required.copied().unwrap_or(RequiredConsent::Subscribed(Channel::Email)).allows(status)
        }
    }
}

/// A number on the list keeps texts back, an address everything.
fn is_suppressed(flows: &FlowSet, state: &ContactState, channel: Channel) -> bool {
    let phone = state.contact.phone.as_ref().filter(|_| channel == Channel::Sms);
    let mut own = [state.contact.email.as_ref(), phone].into_iter().flatten();
    state.suppressed
        || !flows.suppression.is_empty() && own.any(|own| flows.suppression.contains(&suppression_key(own)))
}

fn quiet_until(window: &Window, now: Instant, zone: &crate::base::Zone) -> Option<Instant> {
    if window.contains(now, zone) { window.next_close(now, zone) } else { None }
}

/// Messages that count and stand before `own` (or before now, where it has no place yet). Of two messages intended at
/// one instant only the later one gives way, or both would. What has left, or may have, stands before all that has not,
/// whenever that was intended: its answer may have come late.
fn places_before<'a>(
    state: &'a ContactState,
    own: Option<&SendKey>,
    now: Instant,
) -> impl Iterator<Item = &'a Send> + Clone {
    let place = own.and_then(|own| state.sends.iter().rposition(|send| send.key == *own));
    let own = place.map(|n| (state.sends[n].at, n));
    state
        .sends
        .iter()
        .enumerate()
        .filter(move |(n, send)| {
            let is_before = |own| send.may_have_left() && place != Some(*n) || (send.at, *n) < own;
            send.counts() && send.holds_at(now) && own.is_none_or(is_before)
        })
        .map(|(_, send)| send)
}

/// The rows that count for a contact on a channel: for each scope the first whose segment matches (SEMANTICS R23).
fn rows_for<'a>(rows: &'a [CapRow], channel: Channel, facts: &'a Facts<'a>) -> impl Iterator<Item = &'a CapRule> {
    let matches = move |row: &CapRow| {
        row.rule.channel == channel && row.segment.as_ref().is_none_or(|segment| segment.eval(facts).is_yes())
    };
    rows.iter().enumerate().filter_map(move |(n, row)| {
        let first = !rows[..n].iter().any(|before| before.rule.scope == row.rule.scope && matches(before));
        (first && matches(row)).then_some(&row.rule)
    })
}

/// When every cap has room again; `None` where there is room now.
fn capped_until(
    flows: &FlowSet,
    version: &Version,
    state: &ContactState,
    sending: &Sending<'_>,
    now: Instant,
) -> Option<Instant> {
    // Fewer messages than any limit in all: no row need be looked at.
    let may_bind = |row: &CapRow| matches!(row.rule.limit, Limit::AtMost(limit) if state.sends.len() >= limit as usize);
    if !flows.caps.iter().chain(&version.caps).any(may_bind) {
        return None;
    }
    let facts = state.facts(flows, now, None);
    [&flows.caps, &version.caps]
        .into_iter()
        .flat_map(|rows| rows_for(rows, sending.channel, &facts))
        .filter_map(|rule| full_until(flows, state, rule, sending.flow, Some(sending.key), now))
        .max()
}

/// When a cap has room for one more; `None` where it has now.
pub(super) fn full_until(
    flows: &FlowSet,
    state: &ContactState,
    rule: &CapRule,
    flow: &FlowId,
    own: Option<&SendKey>,
    now: Instant,
) -> Option<Instant> {
    let Limit::AtMost(limit) = rule.limit else { return None };
    let limit = limit as usize;
    // Fewer messages than the limit in all: no window need be looked at.
    if state.sends.len() < limit {
        return None;
    }
    let zone = state.zone(flows);
    // Said from the place forwards, so that also on a day of 25 hours there is an instant at which it leaves.
    let counted = places_before(state, own, now).filter(|send| {
        !send.transactional
            && send.channel == rule.channel
            && rule.within.after(send.at, zone) > now
            && (rule.scope == Scope::Workspace || send.flow == *flow)
    });
    if counted.clone().count() < limit {
        return None;
    }
    if limit == 0 {
        return Some(Instant::MAX);
    }
    let mut places: Vec<Instant> = counted.map(|send| send.at).collect();
    places.sort_unstable();
    // So many of the oldest must leave the window.
    Some(rule.within.after(places[places.len() - limit], zone))
}

fn in_cooldown<'a>(
    state: &'a ContactState,
    sending: &Sending<'_>,
    now: Instant,
    flows: &FlowSet,
) -> Option<(Instant, &'a Cooldown)> {
    if state.sends.iter().all(|send| send.cooldown.is_none()) {
        return None;
    }
    let zone = state.zone(flows);
    let meets = |send: &'a Send| {
        let cooldown = send.cooldown.as_ref()?;
        let applies =
            send.channel == sending.channel && (cooldown.from == CooldownFrom::All || send.flow != *sending.flow);
        let end = cooldown.lasts.after(send.at, zone);
        (applies && end > now).then_some((end, cooldown))
    };
    places_before(state, Some(sending.key), now).filter_map(meets).max_by_key(|(end, _)| *end)
}

/// A tag with neither value nor fallback holds the message; an empty one never leaves (SEMANTICS R27).
///
/// At the step only fields without a fallback are looked up, and the mail is rendered where one is missing, to see
/// whether it is shown; at the hand-over, where the driver needs it anyway, the whole mail is rendered and read.
fn incomplete(
    version: &Version,
    state: &ContactState,
    journey: &Journey,
    sending: &Sending<'_>,
    now: Instant,
    flows: &FlowSet,
) -> Option<Gate> {
    let held = |reason, why: &str| Some(Gate::Stop(Outcome::Held, reason, why.to_owned()));
    let Some(message) = sending.message else { return held(Reason::Empty, "the step has no message") };
    let Some(variant) = message.variants.get(sending.variant) else {
        return held(Reason::Empty, "the message has no variant");
    };
    if variant.is_empty {
        return held(Reason::Empty, "there is nothing in it");
    }
    let brand = &flows.workspace().brand;
    let prepared = match message.prepared(sending.variant, &version.fields, brand) {
        Ok(prepared) => prepared,
        Err(why) => return held(Reason::Fault, why),
    };
    if !sending.at_hand_over && variant.needs.is_empty() {
        return None;
    }
    let facts = state.facts(flows, now, Some(journey.entry()));
    let links = Links::default();
    let context = ResolveContext {
        now,
        zone: facts.zone,
        contact: facts.contact,
        log: facts.log,
        trigger: journey.event.as_deref(),
        constants: &version.constants,
        codes: &flows.sample_codes,
        links: &links,
        currency: None,
    };
    if !sending.at_hand_over {
        let mut fields = variant.needs.iter().filter_map(|n| version.fields.get(*n));
        if fields.all(|field| FieldValues::has(field, &context)) {
            return None;
        }
    }
    let placeholders = Links::placeholders();
    let context = ResolveContext { links: &placeholders, currency: brand.default_currency(), ..context };
    let values = FieldValues::resolve(&version.fields, &context);
    match prepared.render(&values).map(|mail| mail.completeness()) {
        Ok(Completeness::Complete) => None,
        Ok(Completeness::Incomplete(names)) => {
            held(Reason::Incomplete, &format!("no value and no fallback for {}", names.join(", ")))
        }
        Ok(Completeness::Empty) => held(Reason::Empty, "there is nothing to read in it"),
        Ok(Completeness::Leftover(text)) => held(Reason::Incomplete, &format!("`{text}` is left in it")),
        Err(fault) => held(Reason::Fault, &fault.message),
    }
}
