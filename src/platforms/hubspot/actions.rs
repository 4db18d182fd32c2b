//! Actions that do something besides mailing: calls, properties, lists, alerts.

use serde_json::{Value as Json, json};

use super::{
    body::{Body, To},
    filters::{Asker, contact_property, list_id},
    links::Out,
    needed,
};
use crate::{
    audience::{Value, ValueType, condition::Root},
    base::{Place, Span},
    flow::Target,
    kinds::{InternalAlert, ListUpdate, UpdateContact, Webhook, actions::update_contact::To as Becomes},
    platforms::{Notes, normal::path_text, templates},
};

impl Body<'_, '_> {
    pub(super) fn webhook(&mut self, hook: &Webhook, place: &Place, done: To, failed: To) -> To {
        if failed != done {
            self.notes.impossible(
                "hubspot/webhook-failed",
                place.clone(),
                "HubSpot goes on whatever the answer is, so the path \u{201c}failed\u{201d} is never taken and not written",
                "Let the called address report the failure as an event",
            );
        }
        if hook.timeout != Span::hours(24) {
            self.notes.approximate(
                "hubspot/webhook-timeout",
                place.clone().with_field("timeout"),
                format!("HubSpot decides itself how long it tries, not {}", hook.timeout),
                "Nothing to do where the address answers at once",
            );
        }
        self.notes.approximate(
            "hubspot/webhook-body",
            place.clone().with_field("body"),
            if hook.body.is_empty() {
                "HubSpot sends the contact in its own form, without the trigger event"
            } else {
                "HubSpot sends the contact in its own form instead of the body written here"
            },
            "Let the called address read HubSpot's form, or use a custom code action",
        );
        if !hook.headers.is_empty() {
            self.notes.impossible(
                "hubspot/webhook-headers",
                place.clone().with_field("headers"),
                format!("The {} headers are not sent", hook.headers.len()),
                "Choose a secret for authentication in the step after the import",
            );
        }
        let action =
            json!({"type": "WEBHOOK", "actionId": "", "method": "POST", "webhookUrl": hook.url, "queryParams": []});
        To::Draft(self.push(action, vec![(Out::Connection, done)]))
    }

    pub(super) fn update(&mut self, update: &UpdateContact, place: &Place, next: To) -> To {
        let mut actions = Vec::new();
        for (n, assignment) in update.set.iter().enumerate() {
            let place = place.clone().with_field(format!("set.{n}"));
            let property = contact_property(&assignment.property);
            let declared = self.asker.workspace.properties.get(&assignment.property).copied();
            let kind = declared.or(match &assignment.to {
                Becomes::Value(value) => Some(value.value_type()),
                Becomes::Now => Some(ValueType::Instant),
                Becomes::Add(_) => Some(ValueType::Number),
                Becomes::Copy(_) | Becomes::Nothing => None,
            });
            let value = match &assignment.to {
                Becomes::Value(value) => {
                    if matches!(value, Value::Money(_)) {
                        self.notes.approximate(
                            "hubspot/currency",
                            place,
                            format!("`{property}` becomes the bare number of {value}"),
                            "Keep the currency in a property of its own",
                        );
                    } else if matches!(value, Value::Object(_)) {
                        self.notes.approximate(
                            "hubspot/object-value",
                            place,
                            format!("`{property}` becomes the object as a JSON text"),
                            "Set its parts one by one",
                        );
                    }
                    json!({"type": "STATIC_VALUE", "staticValue": static_text(value)})
                }
                Becomes::Copy(path) => match path.root {
                    Root::Contact => match self.asker.property(path, self.notes) {
                        Ok(from) => json!({"type": "OBJECT_PROPERTY", "propertyName": from}),
                        Err(why) => {
                            self.notes.impossible(
                                "hubspot/copy",
                                place,
                                format!("`{property}` does not become `{}`: {why}", path_text(path)),
                                "Copy a property at the top of the contact",
                            );
                            continue;
                        }
                    },
                    Root::Trigger | Root::Event => {
                        let path: Vec<&str> = path.steps.iter().map(|s| s.as_str()).collect();
                        event_value(&path.join("."), self.asker, self.notes)
                    }
                    Root::Constant => {
                        match path.steps.first().and_then(|name| self.plan.settings.constants.get(name)) {
                            Some(value) => json!({"type": "STATIC_VALUE", "staticValue": static_text(value)}),
                            None => continue,
                        }
                    }
                },
                Becomes::Now => json!({"type": "TIMESTAMP", "timestampType": "EXECUTION_TIME"}),
                Becomes::Add(n) => {
                    self.notes.approximate(
                        "hubspot/increment",
                        place,
                        format!("Adding {n} to `{property}` is in the schema, but was not seen in a live workflow"),
                        "Test it after the import",
                    );
                    json!({"type": "INCREMENT", "incrementAmount": super::filters::number(*n)})
                }
                Becomes::Nothing => {
                    self.notes.approximate(
                        "hubspot/clear",
                        place,
                        format!("`{property}` is set to an empty text"),
                        "Use HubSpot's step \u{201c}clear property\u{201d} after the import",
                    );
                    json!({"type": "STATIC_VALUE", "staticValue": ""})
                }
            };
            needed::property(self.notes, &property, kind);
            actions.push(("0-5", 0, json!({"property_name": property, "value": value})));
        }
        self.chain(actions, next)
    }

    pub(super) fn lists(&mut self, update: &ListUpdate, next: To) -> To {
        let mut actions = Vec::new();
        let changes =
            update.add.iter().map(|l| (l, "0-63809083")).chain(update.remove.iter().map(|l| (l, "0-63863438")));
        for (list, type_id) in changes {
            let id = list_id(self.asker.workspace, list, self.notes);
            // Version last seen. Source: references, HubSpot 5.1.
            actions.push((type_id, 5, json!({"listId": id, "targetObject": "{{ enrolled_object }}"})));
        }
        self.chain(actions, next)
    }

    pub(super) fn alert(&mut self, alert: &InternalAlert, place: &Place, next: To) -> To {
        self.notes.approximate(
            "hubspot/alert",
            place.clone(),
            "The alert goes to users of the account, so each address has to belong to one",
            "Fill in the users' ids, or choose a team",
        );
        let users: Vec<Json> = alert
            .to
            .iter()
            .map(|address| {
                let id = self.notes.id(&self.asker.workspace.hubspot.ids, "user", address, || {
                    format!("GET /crm/v3/owners, the `userId` of {address}")
                });
                Json::String(id)
            })
            .collect();
        let subject = templates::inline(
            Target::Hubspot,
            self.plan.flow,
            self.asker.workspace,
            &alert.subject,
            &place.clone().with_field("subject"),
            self.notes,
        );
        let body = templates::inline(
            Target::Hubspot,
            self.plan.flow,
            self.asker.workspace,
            &alert.text,
            &place.clone().with_field("text"),
            self.notes,
        );
        self.chain(vec![("0-8", 0, json!({"user_ids": users, "subject": subject, "body": body}))], next)
    }

    /// Keeps the instant in a contact property, then `to`.
    pub fn keep_time(&mut self, property: &str, to: To) -> To {
        let value = json!({"type": "TIMESTAMP", "timestampType": "EXECUTION_TIME"});
        self.chain(vec![("0-5", 0, json!({"property_name": property, "value": value}))], to)
    }

    /// Copies event data to contact properties, then `to`.
    pub fn copies(&mut self, to: To) -> To {
        let copies = self.asker.copies.borrow().clone();
        let mut actions = Vec::new();
        for (path, property) in copies {
            let value = event_value(&path, self.asker, self.notes);
            actions.push(("0-5", 0, json!({"property_name": property, "value": value})));
        }
        self.chain(actions, to)
    }
}

/// A value of the enrolling event. How HubSpot spells such a token is not documented, so it is a placeholder.
fn event_value(path: &str, asker: &Asker<'_>, notes: &mut Notes) -> Json {
    let token = notes.id(&asker.workspace.hubspot.ids, "event-property", path, || {
        format!(
            "The token of the event's property `{path}`: build a workflow with this trigger and a step that copies it, read it with \
             GET /automation/v4/flows/{{flowId}}, and take `enrollmentEventPropertyToken` from there"
        )
    });
    json!({"type": "ENROLLMENT_EVENT_PROPERTY", "enrollmentEventPropertyToken": token})
}

pub(super) fn static_text(value: &Value) -> String {
    match value {
        Value::Money(money) => crate::audience::print_number(money.to_number()),
        Value::List(items) => items.iter().map(static_text).collect::<Vec<_>>().join(";"),
        // HubSpot keeps dates as milliseconds at midnight UTC.
        Value::Date(date) => crate::base::Instant::parse(&date.to_string())
            .map_or_else(|_| date.to_string(), |at| at.as_millis().to_string()),
        Value::Instant(at) => at.as_millis().to_string(),
        other => other.to_string(),
    }
}
