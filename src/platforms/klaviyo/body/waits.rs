//! Steps that wait: delays of every sort, and the question whether an awaited event has come.
//!
//! Source: references, Klaviyo 5.

use serde_json::{Value as Json, json};

use super::{Body, Slot};
use crate::{
    audience::{
        Condition,
        condition::{CompareOp, EventQuery, EventWindow, Measure},
    },
    base::{Place, Span},
    kinds::{Delay, LookBack, Wait, WaitForEvent},
    platforms::{Unit, days_off, klaviyo::filters, parts_of, plan::Elapsed, shut_hours},
};

impl Body<'_, '_> {
    /// The question whether the awaited event has come.
    pub(super) fn waited_for(&mut self, wait: &WaitForEvent, place: &Place) -> Condition {
        let window = match wait.look_back {
            LookBack::Entry => EventWindow::SinceEntry,
            LookBack::Now => EventWindow::Last(wait.timeout),
            LookBack::PreviousMessage => {
                self.notes.approximate(
                    "klaviyo/look-back",
                    place.clone().with_field("look_back"),
                    format!("An event between the previous message and this wait is not seen; Klaviyo looks back {} from the end of the wait", wait.timeout),
                    "Count since the entry instead",
                );
                EventWindow::Last(wait.timeout)
            }
        };
        Condition::Events(EventQuery {
            metric: wait.event.clone(),
            filter: wait.filter.as_ref().map(|f| Box::new(f.condition().clone())),
            measure: Measure::Count,
            window,
            op: CompareOp::Gt,
            value: 0.0,
        })
    }

    /// Delay actions for a span; none where it is nothing.
    pub(super) fn delay(&mut self, id: &str, span: Span, place: &Place, mut slots: Vec<Slot>) -> Vec<Slot> {
        let (parts, cost) = parts_of(span);
        if !cost.is_empty() {
            self.notes.approximate(
                "klaviyo/delay",
                place.clone(),
                cost,
                "Choose a span of whole minutes, hours or days",
            );
        }
        for (value, unit) in parts {
            let data = json!({"unit": unit.plural(), "value": value, "timezone": "profile"});
            let at = self.push_at(id, "time-delay", data, json!({"next": null}), &slots);
            slots = vec![Slot::Next(at)];
        }
        slots
    }

    pub(super) fn delay_step(
        &mut self,
        id: &str,
        delay: &Delay,
        place: &Place,
        slots: Vec<Slot>,
        elapsed: Elapsed,
    ) -> (Vec<Slot>, Elapsed, bool) {
        let weekdays = |days: crate::base::Weekdays| -> Json {
            let names: Vec<String> = days.iter().map(|d| d.title().to_lowercase()).collect();
            if names.len() == 7 { Json::Null } else { json!(names) }
        };
        let clock = |time: crate::base::TimeOfDay| format!("{time}:00");
        let until = |body: &mut Self, days: i64, time: String, weekdays: Json, slots: &[Slot]| {
            let mut data = json!({"unit": "days", "value": days, "timezone": "profile", "delay_until_time": time});
            if !weekdays.is_null() {
                data["delay_until_weekdays"] = weekdays;
            }
            vec![Slot::Next(body.push_at(id, "time-delay", data, json!({"next": null}), slots))]
        };
        match &delay.wait {
            Wait::For(span) => {
                let (wait, then) = elapsed.after_delay(delay, *span);
                if delay.after == crate::kinds::Anchor::Entry && !elapsed.exact {
                    self.notes.approximate(
                        "klaviyo/anchor",
                        place.clone().with_field("after"),
                        format!("Paths of different length lead here, so {span} after the entry are written as {wait} after the previous step: up to {wait} later for whoever came the longer way"),
                        "Count from the previous step, or give each path a delay of its own",
                    );
                }
                let Some(window) = delay.window else {
                    return (self.delay(id, wait, place, slots), then, true);
                };
                let (parts, _) = parts_of(wait);
                let open = (window.until.minutes() - window.from.minutes()).rem_euclid(1440);
                if let [(days, Unit::Days)] = parts.as_slice() {
                    self.notes.approximate(
                        "klaviyo/window-start",
                        place.clone().with_field("window"),
                        format!("Everybody goes on when the window opens at {}: whoever arrives while it is open waits for the next time, up to {} h later than in the flow", window.from, 24 * (1 + days_off(window.weekdays))),
                        "Use \u{201c}until a time of day\u{201d} if that is what you mean",
                    );
                    let slots = until(self, *days, clock(window.from), weekdays(window.weekdays), &slots);
                    return (slots, then.vague(), true);
                }
                self.notes.impossible(
                    "klaviyo/window",
                    place.clone().with_field("window"),
                    format!(
                        "The window {window} is not kept: what follows may leave in the other {:.1} h of the day, up to {:.1} h earlier than in the flow",
                        f64::from(1440 - open) / 60.0,
                        shut_hours(window)
                    ),
                    "Wait whole days, or until a time of day, where the hour matters",
                );
                (self.delay(id, wait, place, slots), then.vague(), true)
            }
            Wait::Until { time, weekdays: days } => {
                self.notes.approximate(
                    "klaviyo/until",
                    place.clone(),
                    format!("Klaviyo waits at least one day, then until {time}: up to {} h later for whoever arrives before {time}", 24 * (1 + days_off(*days))),
                    "Start the flow so that nobody arrives in the morning, or accept the day",
                );
                if let Some(window) = delay.window {
                    self.notes.impossible(
                        "klaviyo/window",
                        place.clone().with_field("window"),
                        format!("The window after the time of day is not kept: what follows may leave up to {:.1} h earlier than in the flow", shut_hours(window)),
                        "Choose a time of day inside the window",
                    );
                }
                let slots = until(self, 1, clock(*time), weekdays(*days), &slots);
                (slots, elapsed.plus(Span::days(1)).vague(), true)
            }
            Wait::Date { property, offset, at, .. } => {
                let name = filters::property_name(property).ok();
                let before = offset.negated();
                if name.is_some()
                    && name == self.entry.date
                    && offset.months == 0
                    && offset.millis == 0
                    && before.days >= 0
                {
                    let mut data = json!({"unit": "days", "value": before.days, "timezone": "profile"});
                    if let Some(at) = at {
                        data["delay_until_time"] = json!(clock(*at));
                    }
                    let at = self.push_at(id, "countdown-delay", data, json!({"next": null}), &slots);
                    return (vec![Slot::Next(at)], elapsed.vague(), true);
                }
                self.notes.impossible(
                    "klaviyo/date-wait",
                    place.clone(),
                    format!(
                        "Klaviyo cannot wait for `{}` in the middle of a flow, so this path ends here",
                        crate::platforms::normal::path_text(property)
                    ),
                    "Build what follows as a flow of its own with that date as its trigger",
                );
                (slots, elapsed, false)
            }
        }
    }
}
