//! Actions that do something: messages, webhooks, profiles, lists, alerts.

use serde_json::{Map, Value as Json, json};

use super::{
    body::{Body, Slot2},
    filters::{groups_to_json, list_id, number, property_name, quoted},
};
use crate::{
    audience::{Channel, Path, Value, condition::Root},
    base::{Place, Span},
    content::{MailPart, Message, Origin},
    flow::{Sender, Target},
    kinds::{
        Cooldown, CooldownFrom, Email, InternalAlert, ListUpdate, OnCap, Settings, Sms, UpdateContact, Webhook,
        actions::{update_contact::To, webhook},
    },
    platforms::{languages, normal::path_text, plan::Step, templates},
};

/// The file name and placeholder of a message's template.
pub(super) fn template_name(message: &str, variant: &str) -> String {
    format!("{message}-{variant}")
}

impl Body<'_, '_> {
    pub(super) fn action(&mut self, step: &Step<'_>, slots: &mut Vec<Slot2>) {
        let place = Place::node(&step.node.id);
        let id = step.node.id.as_str().to_owned();
        match step.settings {
            Settings::Email(email) => self.email(&id, email, &place, slots),
            Settings::Sms(sms) => self.sms(&id, sms, &place, slots),
            Settings::Webhook(hook) => self.webhook(&id, step, hook, &place, slots),
            Settings::UpdateContact(update) => self.update(&id, update, &place, slots),
            Settings::ListUpdate(update) => self.lists(&id, update, &place, slots),
            Settings::InternalAlert(alert) => self.alert(&id, alert, &place, slots),
            // Written by the walk itself.
            Settings::Foreign(_)
            | Settings::Trigger(_)
            | Settings::Delay(_)
            | Settings::WaitForEvent(_)
            | Settings::Condition(_)
            | Settings::Branch(_)
            | Settings::Split(_)
            | Settings::Cap(_)
            | Settings::Goal(_)
            | Settings::Exit(_)
            | Settings::Note(_) => {}
        }
    }

    fn push_line(&mut self, id: &str, kind: &str, data: Json, slots: &mut Vec<Slot2>) {
        let at = self.push(id, kind, data, json!({"next": null}), slots);
        *slots = vec![Slot2::next(at)];
    }

    /// Who it is from: the step's sender, the flow's, the workspace's first.
    fn sender(&self, own: Option<&str>) -> Option<&Sender> {
        let named = own.or(self.plan.settings.sender.as_deref());
        named.map_or_else(|| self.workspace.senders.first(), |id| self.workspace.sender(id))
    }

    /// Filters under which a message has room; with "leave" a split before it instead.
    fn caps(&mut self, id: &str, channel: Channel, on_cap: OnCap, place: &Place, slots: &mut Vec<Slot2>) -> Json {
        let mut caps = self.plan.settings.caps.clone();
        caps.extend(self.workspace.caps.iter().cloned());
        let groups = self.asker.room(&caps, channel, place, self.notes);
        let filter = groups_to_json(groups);
        match on_cap {
            OnCap::Skip => {}
            OnCap::Wait(most) if !filter.is_null() => self.notes.approximate(
                "klaviyo/cap-wait",
                place.clone().with_field("on_cap"),
                format!("A message that meets a cap is skipped at once; Klaviyo cannot wait up to {most} for room"),
                "Skip the message, or raise the cap",
            ),
            OnCap::Leave if !filter.is_null() => {
                let links = json!({"next_if_true": null, "next_if_false": null});
                let at = self.push(
                    &format!("{id}:cap"),
                    "conditional-split",
                    json!({"profile_filter": filter}),
                    links,
                    slots,
                );
                *slots = vec![Slot2::yes(at)];
            }
            OnCap::Wait(_) | OnCap::Leave => {}
        }
        filter
    }

    fn cooldown(&mut self, cooldown: Option<&Cooldown>, place: &Place) {
        let Some(cooldown) = cooldown else { return };
        let whose = match cooldown.from {
            CooldownFrom::OtherFlows => "other flows do",
            CooldownFrom::All => "other flows and this one do",
        };
        self.notes.impossible(
            "klaviyo/cooldown",
            place.clone().with_field("cooldown"),
            format!("The quiet time of {} after this message is not kept: Klaviyo lets every message look at its own filters only, and what {whose} is not held back", cooldown.lasts),
            format!("Turn Smart Sending on in the other flows, and set its window to {} in the account", cooldown.lasts),
        );
    }

    fn latest_age(&mut self, age: Span, place: &Place) {
        if age != Span::hours(24) {
            self.notes.impossible(
                "klaviyo/latest-age",
                place.clone().with_field("send_latest_age"),
                format!("Klaviyo has no latest age for a message, so the limit of {age} is not kept"),
                "Nothing to do, since Klaviyo defers messages for no rule of this flow",
            );
        }
    }

    /// A rule that only Klaviyo has; `hours` is the account's window unless somebody changed it. Source: references,
    /// klaviyo, section 11.
    fn smart_sending(&mut self, is_on: bool, hours: u32, place: &Place) {
        if is_on {
            self.notes.approximate(
                "klaviyo/smart-sending",
                place.clone().with_field("smart_sending"),
                format!("Klaviyo also skips this message for whoever got one within the account's window, {hours} h unless it was changed; the flow here does not"),
                "Turn Smart Sending off at the step, or say the same with a cap",
            );
        }
    }

    fn quiet_hours(&mut self, place: &Place) {
        let Some(window) = self.plan.settings.quiet_hours.or(self.workspace.quiet_hours) else { return };
        let minutes = (window.until.minutes() - window.from.minutes()).rem_euclid(1440);
        self.notes.impossible(
            "klaviyo/quiet-hours",
            place.clone(),
            format!(
                "E-mails leave during the quiet hours {window} too, which are {:.1} h of the day",
                f64::from(minutes) / 60.0
            ),
            "Put a delay until a time of day before the message",
        );
    }

    fn tracking(&self) -> Json {
        let params = self.plan.settings.tracking.iter();
        let params: Vec<Json> = params.map(|(param, value)| json!({"param": param, "value": value})).collect();
        if params.is_empty() { Json::Null } else { Json::Array(params) }
    }

    fn email(&mut self, id: &str, email: &Email, place: &Place, slots: &mut Vec<Slot2>) {
        let filter = if email.transactional {
            self.notes.approximate(
                "klaviyo/transactional",
                place.clone().with_field("transactional"),
                "Klaviyo is reported to store the mark \u{201c}transactional\u{201d} as off when it comes by API",
                "Look at the message after the import and ask Klaviyo to approve it as transactional",
            );
            Json::Null
        } else {
            self.quiet_hours(place);
            self.caps(id, Channel::Email, email.on_cap, place, slots)
        };
        self.cooldown(email.cooldown.as_ref(), place);
        self.latest_age(email.send_latest_age, place);
        self.smart_sending(email.smart_sending, 16, place);
        let sender = self.sender(email.sender.as_deref()).cloned();
        let Some(message) = self.plan.flow.message(email.message.as_str()) else { return };
        let tracking = self.tracking();
        let data = |body: &mut Self, variant: &crate::content::Variant| {
            let template =
                templates::message(Target::Klaviyo, body.plan.flow, body.workspace, message, variant, body.notes);
            let name = template_name(message.id.as_str(), &variant.id);
            let template_id = template.known_as.unwrap_or_else(|| {
                body.notes.id(&body.workspace.klaviyo.ids, "template", &name, || {
                    format!("POST /api/templates with `templates/{name}.json`; the answer holds the id")
                })
            });
            let title = if message.variants.len() > 1 {
                format!("{} ({})", message.title(), variant.id)
            } else {
                message.title().to_owned()
            };
            json!({"status": "draft", "message": {
                "name": title,
                "from_email": sender.as_ref().map(|s| &s.email), "from_label": sender.as_ref().map(|s| &s.name),
                "reply_to_email": sender.as_ref().and_then(|s| s.reply_to.as_ref()), "cc_email": null, "bcc_email": null,
                "subject_line": text_or_null(template.subject), "preview_text": text_or_null(template.preheader),
                "template_id": template_id,
                "smart_sending_enabled": email.smart_sending, "transactional": email.transactional,
                "add_tracking_params": !tracking.is_null(), "custom_tracking_params": tracking,
                "additional_filters": filter,
            }})
        };
        self.variants(id, "send-email", message, place, slots, data);
    }

    fn sms(&mut self, id: &str, sms: &Sms, place: &Place, slots: &mut Vec<Slot2>) {
        let filter = self.caps(id, Channel::Sms, sms.on_cap, place, slots);
        self.cooldown(sms.cooldown.as_ref(), place);
        self.latest_age(sms.send_latest_age, place);
        self.smart_sending(sms.smart_sending, 24, place);
        let quiet = self.plan.settings.quiet_hours.or(self.workspace.quiet_hours);
        if let Some(window) = quiet {
            self.notes.approximate(
                "klaviyo/sms-quiet-hours",
                place.clone(),
                format!(
                    "Klaviyo's own quiet hours for SMS are turned on; the account decides when they are, not {window}"
                ),
                "Set the same hours in the account",
            );
        }
        let Some(message) = self.plan.flow.message(sms.message.as_str()) else { return };
        let tracking = self.tracking();
        let data = |body: &mut Self, variant: &crate::content::Variant| {
            let place = Place::message(&message.id).with_field("text");
            let others = languages::beside(Target::Klaviyo, message, variant);
            let mut inline = |variant: &crate::content::Variant| {
                if let Some(kept) = variant.kept(Origin::Klaviyo, MailPart::Text) {
                    return templates::Template { text: kept.to_owned(), ..templates::Template::default() };
                }
                let text = variant.text.as_deref().unwrap_or_default();
                let text = templates::inline(Target::Klaviyo, body.plan.flow, body.workspace, text, &place, body.notes);
                templates::Template { text, ..templates::Template::default() }
            };
            let own = inline(variant);
            let others = others.into_iter().map(|(condition, other)| (condition, inline(other))).collect();
            let text = languages::merged(own, others).text;
            let title = if message.variants.len() > 1 {
                format!("{} ({})", message.title(), variant.id)
            } else {
                message.title().to_owned()
            };
            json!({"status": "draft", "message": {
                "name": title, "body": text, "smart_sending_enabled": sms.smart_sending, "sms_quiet_hours_enabled": quiet.is_some(),
                "transactional": false, "add_tracking_params": !tracking.is_null(), "custom_tracking_params": tracking,
                "additional_filters": filter,
            }})
        };
        self.variants(id, "send-sms", message, place, slots, data);
    }

    /// One action, or a test of content where a message has several variants.
    fn variants(
        &mut self,
        id: &str,
        kind: &str,
        message: &Message,
        place: &Place,
        slots: &mut Vec<Slot2>,
        mut data: impl FnMut(&mut Self, &crate::content::Variant) -> Json,
    ) {
        let arms = languages::arms(Target::Klaviyo, message, self.notes);
        if let [variant] = arms.as_slice() {
            let data = data(self, variant);
            return self.push_line(id, kind, data, slots);
        }
        let Some(first) = arms.first() else { return };
        let main_data = data(self, first);
        let main_id = crate::platforms::unique(&mut self.taken, &format!("{id}:main"));
        let mut allocations = Map::new();
        let mut variations = Vec::new();
        let weights: Vec<f64> = arms.iter().map(|v| f64::from(v.weight)).collect();
        let total: f64 = weights.iter().sum();
        for (variant, weight) in arms.iter().zip(&weights) {
            let data = data(self, variant);
            let own = crate::platforms::unique(&mut self.taken, &format!("{id}:{}", variant.id));
            allocations.insert(own.clone(), number(if total > 0.0 { weight / total } else { 0.0 }));
            variations.push(json!({"temporary_id": own, "type": kind, "data": data}));
        }
        self.notes.approximate(
            "klaviyo/ab-test",
            place.clone(),
            format!("The test of {} variants arrives as a draft, its shares are sent in a form that Klaviyo does not document, and it draws its own sample", variations.len()),
            "Open the message in Klaviyo, look at the shares and press Publish on the test",
        );
        let test = json!({
            "status": "draft",
            "main_action": {"temporary_id": main_id, "type": kind, "data": main_data},
            "current_experiment": {"name": message.title(), "variations": variations, "allocations": allocations},
        });
        self.push_line(id, "ab-test", test, slots);
    }

    fn webhook(&mut self, id: &str, step: &Step<'_>, hook: &Webhook, place: &Place, slots: &mut Vec<Slot2>) {
        let failed = step.to(webhook::FAILED);
        if failed != step.to(webhook::DONE) {
            self.notes.impossible(
                "klaviyo/webhook-failed",
                place.clone(),
                "Klaviyo goes on whatever the answer is, so the path \u{201c}failed\u{201d} is never taken and not written",
                "Let the called address report the failure as an event",
            );
        }
        if hook.timeout != Span::hours(24) {
            self.notes.approximate(
                "klaviyo/webhook-timeout",
                place.clone().with_field("timeout"),
                format!("Klaviyo decides itself how long it tries, not {}", hook.timeout),
                "Nothing to do where the address answers at once",
            );
        }
        let body = if hook.body.is_empty() {
            self.notes.approximate(
                "klaviyo/webhook-body",
                place.clone().with_field("body"),
                "The body holds the e-mail address and the time only, instead of the whole contact and the trigger event",
                "Write the body that the address needs",
            );
            "{\"email\": \"{{ person.email }}\"}".to_owned()
        } else {
            templates::inline(
                Target::Klaviyo,
                self.plan.flow,
                self.workspace,
                &hook.body,
                &place.clone().with_field("body"),
                self.notes,
            )
        };
        let mut headers = Map::new();
        for (name, value) in &hook.headers {
            let value = match secret(value) {
                Some(secret) => self.notes.id(&self.workspace.klaviyo.ids, "secret", secret, || {
                    format!("The secret `{secret}` of the called address; fill it in inside Klaviyo, never in a file that is handed on")
                }),
                None => value.clone(),
            };
            headers.insert(name.clone(), Json::String(value));
        }
        let message = json!({"url": hook.url, "headers": headers, "body": body, "name": step.node.title()});
        self.push_line(id, "send-webhook", json!({"status": "draft", "message": message}), slots);
    }

    fn update(&mut self, id: &str, update: &UpdateContact, place: &Place, slots: &mut Vec<Slot2>) {
        let mut operations = Vec::new();
        for (n, assignment) in update.set.iter().enumerate() {
            let place = place.clone().with_field(format!("set.{n}"));
            let path = Path { root: Root::Contact, steps: vec![assignment.property.clone()] };
            let Ok(key) = property_name(&path) else { continue };
            let property = &assignment.property;
            let create = |kind: &str, value: Json| json!({"operator": "update", "property_type": kind, "property_key": key, "property_value": value});
            match &assignment.to {
                To::Value(value) => match value {
                    Value::Text(text) => operations.push(create("string", json!(text.as_str()))),
                    Value::Number(n) => operations.push(create("numeric", number(*n))),
                    Value::Bool(yes) => operations.push(create("boolean", json!(yes))),
                    Value::Date(date) => operations.push(create("date", json!(date.to_string()))),
                    Value::Money(money) => {
                        self.notes.approximate(
                            "klaviyo/currency",
                            place,
                            format!("`{property}` becomes the bare number of {money}"),
                            "Keep the currency in a property of its own",
                        );
                        operations.push(create("numeric", number(money.to_number())));
                    }
                    Value::Instant(at) => {
                        self.notes.approximate(
                            "klaviyo/instant",
                            place,
                            format!("`{property}` becomes {at} as a text"),
                            "Keep the date alone where the time does not matter",
                        );
                        operations.push(create("string", json!(at.to_string())));
                    }
                    Value::List(items) => {
                        self.notes.approximate(
                            "klaviyo/list-value",
                            place,
                            format!("The values are added to `{property}`; what was in it stays"),
                            "Remove the property in a step before",
                        );
                        for item in items {
                            let mut operation = create("list", json!(item.to_string()));
                            operation["property_operation"] = json!("add");
                            operations.push(operation);
                        }
                    }
                    Value::Object(_) => {
                        self.notes.approximate(
                            "klaviyo/object-value",
                            place,
                            format!("`{property}` becomes the object as a JSON text"),
                            "Set its parts one by one",
                        );
                        operations.push(create("string", json!(value.to_string())));
                    }
                },
                To::Copy(from) => self.notes.impossible(
                    "klaviyo/copy",
                    place,
                    format!("Klaviyo sets fixed values only, so `{property}` does not become `{}`", path_text(from)),
                    "Let the shop set the property when it sends the event",
                ),
                To::Now => {
                    self.notes.approximate(
                        "klaviyo/now",
                        place,
                        format!("`{property}` becomes the date of the day, without the time"),
                        "Nothing to do where the date is enough",
                    );
                    operations.push(create("date", json!("today")));
                }
                To::Add(n) => self.notes.impossible(
                    "klaviyo/add",
                    place,
                    format!("Klaviyo cannot count, so `{property}` is not changed by {n}"),
                    "Count the events themselves in a condition",
                ),
                To::Nothing => operations.push(json!({"operator": "delete", "property_key": key})),
            }
        }
        if !operations.is_empty() {
            self.push_line(id, "update-profile", json!({"status": "draft", "profile_operations": operations}), slots);
        }
    }

    fn lists(&mut self, id: &str, update: &ListUpdate, place: &Place, slots: &mut Vec<Slot2>) {
        let changes = update.add.iter().map(|l| (l, true)).chain(update.remove.iter().map(|l| (l, false)));
        for (n, (list, add)) in changes.enumerate() {
            let list_id = list_id(self.workspace, list, self.notes);
            let own = if n == 0 { id.to_owned() } else { format!("{id}:{}", n + 1) };
            let name = if add { format!("Add to {list}") } else { format!("Remove from {list}") };
            self.push_line(
                &own,
                "list-update",
                json!({"status": "draft", "name": name, "list_id": list_id, "on_execution": add}),
                slots,
            );
        }
        let names: Vec<_> = update.add.iter().chain(&update.remove).cloned().collect();
        if !names.is_empty() {
            self.notes.approximate(
                "klaviyo/list-update",
                place.clone(),
                format!("Whether \u{201c}on_execution\u{201d} true adds to {} or removes is not documented; true is written for adding", quoted(&names)),
                "Look at the step after the import",
            );
        }
    }

    fn alert(&mut self, id: &str, alert: &InternalAlert, place: &Place, slots: &mut Vec<Slot2>) {
        let sender = self.sender(None).cloned();
        let subject = templates::inline(
            Target::Klaviyo,
            self.plan.flow,
            self.workspace,
            &alert.subject,
            &place.clone().with_field("subject"),
            self.notes,
        );
        let name = format!("alert-{id}");
        let template_id = self.notes.id(&self.workspace.klaviyo.ids, "template", &name, || {
            format!("POST /api/templates with `templates/{name}.json`; the answer holds the id")
        });
        let message = json!({
            "name": format!("Alert {id}"), "from_email": sender.as_ref().map(|s| &s.email), "from_label": sender.as_ref().map(|s| &s.name),
            "to_emails": alert.to, "subject_line": text_or_null(subject), "template_id": template_id,
        });
        self.push_line(id, "send-internal-alert", json!({"status": "draft", "message": message}), slots);
    }
}

fn text_or_null(text: String) -> Json {
    if text.is_empty() { Json::Null } else { Json::String(text) }
}

/// The name in a `${NAME}`, where a header is nothing else or contains one.
pub(in crate::platforms) fn secret(value: &str) -> Option<&str> {
    let from = value.find("${")? + 2;
    let len = value.get(from..)?.find('}')?;
    value.get(from..from + len)
}
