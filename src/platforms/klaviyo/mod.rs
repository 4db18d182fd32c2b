//! Klaviyo: bodies for `POST /api/flows` and `POST /api/templates`.
//!
//! Source: references, Klaviyo; the flows API of the revision in the workspace's settings. One body per trigger
//! alternative, since a Klaviyo flow has one trigger. Calling the API is `push` alone.

mod actions;
mod body;
mod filters;
mod import;
mod keep;
mod lints;
#[cfg(feature = "push")]
mod push;
mod trigger;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

pub(super) use import::import;
pub use lints::{lint, lint_templates};
#[cfg(feature = "push")]
pub(in crate::platforms) use push::{KlaviyoApi, encoded};

use super::{
    Export, Notes, Platform, daily,
    folder::{About, Request},
    json_bytes, languages, obstacles,
    people::People,
    plan::Plan,
    templates,
};
use crate::{
    audience::{Condition, ConsentStatus},
    base::{Diagnostic, Place, Span},
    content::FieldSource,
    flow::{Flow, Reentry, RequiredConsent, Target, Workspace},
    kinds::Settings,
};

/// The platform.
pub struct Klaviyo;

impl Platform for Klaviyo {
    fn export(&self, flow: &Flow, workspace: &Workspace, people: Option<People>) -> Result<Export, Vec<Diagnostic>> {
        let obstacles = obstacles(flow, Target::Klaviyo);
        if !obstacles.is_empty() {
            return Err(obstacles);
        }
        let plan = Plan::new(flow);
        let mut notes = Notes::new(people);
        whole_flow_losses(&plan, workspace, &mut notes);
        notes.kept_elsewhere(Target::Klaviyo, flow);
        let mut files = BTreeMap::new();
        let mut requests = template_files(&plan, workspace, &mut files, &mut notes);
        let entries = trigger::entries(&plan);
        let many = entries.len() > 1;
        let mut found = Vec::new();
        for (n, entry) in entries.iter().enumerate() {
            let file = if n == 0 { "flow.json".to_owned() } else { format!("flow-{}.json", n + 1) };
            let name = if many { format!("{} ({})", flow.name, n + 1) } else { flow.name.clone() };
            let body = trigger::body(&plan, workspace, entry, &name, !many, &mut notes);
            let root = "/data/attributes/definition";
            let kept = keep::places(flow, &plan.settings, body.pointer(root).unwrap_or(&Json::Null), root);
            let mut lints = lints::lint_kept(&body, &workspace.klaviyo.revision, &kept);
            let kind =
                body.pointer("/data/attributes/definition/triggers/0/type").and_then(Json::as_str).unwrap_or_default();
            let texts = notes.templates.iter().flat_map(|((id, _), t)| [(id.as_str(), t.html.as_str()), (id, &t.text)]);
            lints.extend(lint_templates(texts, kind));
            for diagnostic in &mut lints {
                diagnostic.message = format!("{file}: {}", diagnostic.message);
            }
            found.extend(lints);
            files.insert(file.clone(), json_bytes(&body));
            requests.push(Request {
                file,
                method: "POST",
                path: "/api/flows".into(),
                what: format!("the flow, started by {}", entry.what()),
            });
        }
        notes.diagnostics.extend(found);
        if many {
            notes.approximate(
                "klaviyo/one-trigger",
                plan.flow.trigger().map_or_else(Place::default, |node| Place::node(&node.id)),
                format!(
                    "A Klaviyo flow has one trigger, so the flow is written {} times; {}",
                    entries.len(),
                    if is_marked(&plan, true) {
                        "who was in one does not enter another before the re-entry rule allows it"
                    } else {
                        "a contact who meets two of them is in both, and gets each mail twice"
                    }
                ),
                "Let the shop send one event for all of them, or accept the overlap",
            );
        }
        let about = About {
            target: Target::Klaviyo,
            version: ("revision", workspace.klaviyo.revision.clone()),
            flow,
            workspace,
            requests,
            order: order(&files, flow, workspace),
        };
        notes.into_export(files, &about)
    }
}

/// The definition that a flow with one trigger becomes, without the files around it; `None` where there is none.
fn definition(flow: &Flow, workspace: &Workspace) -> Option<Json> {
    if !obstacles(flow, Target::Klaviyo).is_empty() {
        return None;
    }
    let plan = Plan::new(flow);
    let mut notes = Notes::default();
    let entries = trigger::entries(&plan);
    let [entry] = entries.as_slice() else { return None };
    let mut body = trigger::body(&plan, workspace, entry, &flow.name, true, &mut notes);
    notes.obstacles.is_empty().then(|| body["data"]["attributes"]["definition"].take())
}

/// What people do, in this order.
fn order(files: &BTreeMap<String, Vec<u8>>, flow: &Flow, workspace: &Workspace) -> Vec<String> {
    let printed = |coupon: &str| {
        let tag = format!("{{% coupon_code '{coupon}' %}}");
        files.values().any(|bytes| String::from_utf8_lossy(bytes).contains(&tag))
    };
    let pools = flow.fields().filter_map(|field| match &field.source {
        FieldSource::Code { pool } => Some(templates::coupon(workspace, pool)),
        _ => None,
    });
    let coupons: BTreeSet<&str> = pools.filter(|coupon| printed(coupon)).collect();
    let mut out = Vec::new();
    if !coupons.is_empty() {
        let names: Vec<String> = coupons.iter().map(|name| format!("`{name}`")).collect();
        out.push(format!("Create the coupons that the mails print, under exactly these names: {}.", names.join(", ")));
    }
    out.extend([
        "Create the templates first; each answer holds the id that the flow needs.".into(),
        format!("Create the flow with the header `revision: {}`; it arrives as a draft.", workspace.klaviyo.revision),
        "Read it back with `GET /api/flows/{id}?additional-fields[flow]=definition` and compare.".into(),
        "Open it in Klaviyo, look at each message and its sender, and set it live by hand.".into(),
    ]);
    out
}

/// What concerns the flow as a whole.
fn whole_flow_losses(plan: &Plan<'_>, workspace: &Workspace, notes: &mut Notes) {
    let settings = &plan.settings;
    daily::limit(Target::Klaviyo, plan, workspace, notes);
    for goal in &plan.goals {
        notes.impossible(
            "klaviyo/goal",
            Place::node(&goal.id),
            "Klaviyo does not count a goal in the middle of a path; contacts pass through",
            "Choose the conversion metric in the flow's report",
        );
    }
    for (from, port, to) in &plan.cut {
        notes.impossible(
            "klaviyo/loop",
            Place::edge(from, port),
            format!("The way back to `{to}` is cut: contacts pass once instead of up to {} times", settings.pass_limit),
            "Draw the repeated steps as often as they are needed",
        );
    }
    if settings.trigger_latest_age != Span::hours(4) {
        notes.approximate(
            "klaviyo/latest-age",
            Place::default().with_field("settings.trigger_latest_age"),
            format!("Klaviyo turns away events that arrive more than 4 h late (and later than the first delay), not after {}", settings.trigger_latest_age),
            "Nothing to do where events arrive within minutes",
        );
    }
    if settings.conversion_window != Span::hours(48) {
        notes.approximate(
            "klaviyo/conversion-window",
            Place::default().with_field("settings.conversion_window"),
            format!("Conversions are credited by the account's own window, not within {}", settings.conversion_window),
            "Set the same window in the account's settings",
        );
    }
    if settings.enrol_current {
        notes.impossible(
            "klaviyo/enrol-current",
            Place::default().with_field("settings.enrol_current"),
            "Contacts for whom the trigger holds already do not enter",
            "Use \u{201c}back-populate\u{201d} in Klaviyo when the flow is live",
        );
    }
    if !workspace.suppression.is_empty() {
        notes.approximate(
            "klaviyo/suppression",
            Place::default(),
            format!(
                "The {} addresses of the workspace's suppression list are not in the export",
                workspace.suppression.len()
            ),
            "Upload them to Klaviyo's suppressed profiles",
        );
    }
}

/// Create-template bodies, with HTML and text beside them to read.
fn template_files(
    plan: &Plan<'_>,
    workspace: &Workspace,
    files: &mut BTreeMap<String, Vec<u8>>,
    notes: &mut Notes,
) -> Vec<Request> {
    let mut requests = Vec::new();
    let mut add = |name: String, title: String, html: String, text: String| {
        let text_or_null = if text.is_empty() { Json::Null } else { json!(text) };
        let body = json!({"data": {"type": "template", "attributes": {"name": title, "editor_type": "CODE", "html": html, "text": text_or_null}}});
        let file = format!("templates/{name}.json");
        if files.insert(file.clone(), json_bytes(&body)).is_some() {
            return;
        }
        files.insert(format!("templates/{name}.html"), html.into_bytes());
        files.insert(format!("templates/{name}.txt"), text.into_bytes());
        requests.push(Request {
            file,
            method: "POST",
            path: "/api/templates".into(),
            what: format!("template \u{201c}{title}\u{201d}"),
        });
    };
    for step in &plan.steps {
        match step.settings {
            Settings::Email(email) => {
                let Some(message) = plan.flow.message(email.message.as_str()) else { continue };
                for variant in languages::arms(Target::Klaviyo, message, notes) {
                    let template = templates::message(Target::Klaviyo, plan.flow, workspace, message, variant, notes);
                    // What only the client's account has stays there as it is.
                    if template.known_as.is_some() {
                        continue;
                    }
                    let name = actions::template_name(message.id.as_str(), &variant.id);
                    let title = if message.variants.len() > 1 {
                        format!("{} ({})", message.title(), variant.id)
                    } else {
                        message.title().to_owned()
                    };
                    let title = format!("{}: {title}", plan.flow.name);
                    add(name, title, template.html, template.text);
                }
            }
            Settings::InternalAlert(alert) => {
                // The same of an alert.
                let known = format!("template:alert-{}", step.node.id);
                if alert.text.trim().is_empty() && workspace.klaviyo.ids.contains_key(&known) {
                    continue;
                }
                let place = Place::node(&step.node.id).with_field("text");
                let text = templates::inline(Target::Klaviyo, plan.flow, workspace, &alert.text, &place, notes);
                let html = format!("<p>{}</p>", text.replace('\n', "<br>"));
                add(
                    format!("alert-{}", step.node.id),
                    format!("{}: alert {}", plan.flow.name, step.node.id),
                    html,
                    text,
                );
            }
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
            | Settings::Note(_)
            | Settings::Sms(_)
            | Settings::Webhook(_)
            | Settings::UpdateContact(_)
            | Settings::ListUpdate(_) => {}
        }
    }
    requests
}

/// What every step asks of a profile: consent, no goal reached, no exit condition met.
fn profile_filter(plan: &Plan<'_>, asker: &filters::Asker<'_>, unless: Vec<Vec<Json>>, notes: &mut Notes) -> Json {
    let mut groups = Vec::new();
    for consent in &plan.settings.consent {
        let place = Place::default().with_field("settings.consent");
        match consent {
            RequiredConsent::Subscribed(channel) => {
                let condition = Condition::Consent { channel: *channel, status: ConsentStatus::Subscribed };
                groups.extend(asker.ask_profile(&condition, &place, notes));
            }
            RequiredConsent::NotUnsubscribed(channel) => groups.push(vec![filters::reachable(*channel)]),
        }
    }
    for (name, text) in plan.settings.conditions() {
        let place = Place::default().with_field(format!("settings.{name}"));
        let not = Condition::Not(Box::new(text.condition().clone()));
        groups.extend(asker.ask_profile(&not, &place, notes));
        if !stays_true(text.condition()) {
            notes.approximate(
                "klaviyo/exit-skips",
                place,
                "A contact who meets this is not taken out: each step is skipped while it holds, and a later step runs if it no longer does",
                "Ask for an event since the flow began, which stays true",
            );
        }
    }
    groups.extend(unless);
    let mut once: Vec<Vec<Json>> = Vec::new();
    for group in groups {
        if !once.contains(&group) {
            once.push(group);
        }
    }
    filters::groups_to_json(once)
}

/// Whether a condition, once true in a journey, stays true: events counted from the entry, or ever.
fn stays_true(condition: &Condition) -> bool {
    use crate::audience::condition::{CompareOp, EventWindow, Measure};
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().all(stays_true),
        Condition::Events(query) => {
            !matches!(query.window, EventWindow::Last(_))
                && matches!(query.op, CompareOp::Ge | CompareOp::Gt)
                && !matches!(query.measure, Measure::Sum(_))
        }
        Condition::Always(_) => true,
        Condition::Response { window, .. } => !matches!(window, EventWindow::Last(_)),
        Condition::Not(_)
        | Condition::Compare { .. }
        | Condition::IsSet(_)
        | Condition::InList(_)
        | Condition::InSegment(_)
        | Condition::Consent { .. }
        | Condition::Score { .. }
        | Condition::LocalTime(_)
        | Condition::Share { .. } => false,
    }
}

/// The longest way through the flow in whole hours, rounded up.
fn longest_hours(plan: &Plan<'_>, wait: Span) -> i64 {
    (plan.longest_millis().saturating_add(wait.about_millis()) + 3_599_999) / 3_600_000
}

/// The profile property in which a flow keeps the day of the last entry, where Klaviyo's own count would be of
/// something else.
fn mark(plan: &Plan<'_>) -> String {
    let id: String = plan.flow.id.as_str().chars().filter(|c| *c != '\'' && *c != '\\').collect();
    format!("properties['Flowloom: entered {id}']")
}

/// Whether the last entry is kept by the flow itself: where a pass begins with an event that is not yet an entry (a
/// clock starts, or a question follows), Klaviyo's own count would be of that; where a flow is written several times,
/// of one of them only.
fn is_marked(plan: &Plan<'_>, begins_before_entry: bool) -> bool {
    begins_before_entry && matches!(plan.settings.reentry, Reentry::Once | Reentry::Cooldown(_))
}

/// "May enter (again)", asked when the clock has run out: conditions joined by OR.
fn may_enter(plan: &Plan<'_>, notes: &mut Notes) -> Vec<Json> {
    let place = Place::default().with_field("settings.reentry");
    let mark = mark(plan);
    let ask = |filter: Json| json!({"type": "profile-property", "property": mark, "filter": filter});
    let mut out = vec![ask(json!({"type": "existence", "operator": "not-set"}))];
    let mut finer = "";
    if let Reentry::Cooldown(span) = plan.settings.reentry {
        let inside = Span::hours(longest_hours(plan, Span::ZERO));
        let longest = if inside.about_millis() > span.about_millis() { inside } else { span };
        let (quantity, unit) = filters::window_units(longest, &place, notes);
        out.push(ask(json!({"type": "date", "operator": "at-least", "unit": unit, "quantity": quantity})));
        finer = ", in whole days: somebody may enter up to 24 h sooner";
    }
    notes.approximate(
        "klaviyo/reentry-mark",
        place,
        format!("Klaviyo would count every event that begins a pass of this one body, also one that lets nobody in, so the flow keeps the day of the last entry in the profile property \u{201c}{}\u{201d}{finer}", mark.trim_start_matches("properties['").trim_end_matches("']")),
        "Nothing to do; the property can be deleted with the flow",
    );
    out
}

/// Re-entry as Klaviyo counts it; `restarts` where a newer entry must take over from an older one.
fn reentry(plan: &Plan<'_>, restarts: bool, is_marked: bool, wait: Span, notes: &mut Notes) -> Json {
    let place = Place::default().with_field("settings.reentry");
    let always = json!({"duration": 0, "unit": "alltime"});
    if is_marked {
        return always;
    }
    match &plan.settings.reentry {
        Reentry::Once => json!({"duration": 1, "unit": "alltime"}),
        Reentry::Cooldown(span) if longest_hours(plan, wait) * 3_600_000 <= span.about_millis() => {
            let (quantity, unit) = filters::window_units(*span, &place, notes);
            json!({"duration": quantity, "unit": unit})
        }
        // A contact who is still inside does not enter, whatever the cooldown says.
        Reentry::AfterExit | Reentry::Cooldown(_) => {
            let hours = longest_hours(plan, wait);
            if hours == 0 || restarts {
                // What a newer pass does to an older one is said where the trigger is.
                return always;
            }
            let (duration, unit) = if hours % 24 == 0 { (hours / 24, "day") } else { (hours, "hour") };
            notes.approximate(
                "klaviyo/reentry",
                place,
                format!("Klaviyo cannot ask whether a contact is still inside: nobody enters again within {duration} {unit}(s) of the last entry, which is the longest way through the flow"),
                "Nothing to do, unless contacts who left early should enter again sooner",
            );
            json!({"duration": duration, "unit": unit})
        }
        Reentry::PerKey => {
            let key = plan.settings.reentry_key.as_ref().map_or_else(|| "the key".to_owned(), super::normal::path_text);
            notes.approximate(
                "klaviyo/reentry-key",
                place,
                format!("Klaviyo cannot tell entries apart by `{key}`: every trigger event enters, also a second one of the same {key}"),
                "Let the shop send the trigger event once for each, or choose a cooldown",
            );
            always
        }
        Reentry::Restart => {
            notes.approximate(
                "klaviyo/restart",
                place,
                "A new entry does not end the running one; both go on side by side",
                "Ask for the trigger event \u{201c}zero times since starting this flow\u{201d} in the flow's filter",
            );
            always
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::flow::{Edge, Node};

    /// Nodes as `id:kind` (`id:kind=settings` with `_` for blanks), edges as `from.port>to`; actions as `id>targets`.
    fn body(nodes: &str, edges: &str) -> (String, Vec<&'static str>) {
        let mut flow = Flow::new("f", "F");
        flow.nodes.push(Arc::new(Node::new("t", "trigger", "(any: [event(event: \"A\")])")));
        for text in nodes.split_whitespace() {
            let (id, kind) = text.split_once(':').expect("id:kind");
            let (kind, settings) = kind.split_once('=').map_or((kind, None), |(k, s)| (k, Some(s.replace('_', " "))));
            let spec = crate::kinds::CATALOGUE.iter().find(|s| s.name == kind).expect("a kind");
            flow.nodes.push(Arc::new(Node::new(id, kind, settings.as_deref().unwrap_or(spec.example))));
        }
        for text in edges.split_whitespace() {
            let (from, to) = text.split_once('>').expect("from>to");
            let (from, port) = from.split_once('.').unwrap_or((from, "next"));
            flow.edges.push(Edge::new(from, port, to));
        }
        let export = Klaviyo.export(&flow, &Workspace::default(), None).unwrap_or_else(|e| panic!("{e:#?}"));
        let body: Json = serde_json::from_slice(export.file("flow.json").expect("a flow")).expect("JSON");
        let errors: Vec<_> = export.diagnostics.iter().filter(|d| d.severity == crate::base::Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let actions = body.pointer("/data/attributes/definition/actions").and_then(Json::as_array).expect("actions");
        let shown = actions.iter().map(|action| {
            let branches = action["data"]["branches"].as_array().into_iter().flatten().map(|b| &b["links"]["next"]);
            let links = action["links"].as_object().into_iter().flat_map(|l| l.values());
            let to: Vec<&str> = links.chain(branches).map(|to| to.as_str().unwrap_or("-")).collect();
            format!("{}>{}", action["temporary_id"].as_str().unwrap_or_default(), to.join(","))
        });
        let losses = export.losses.iter().filter(|l| l.code == "klaviyo/copied-tail" || l.code == "klaviyo/anchor");
        (shown.collect::<Vec<_>>().join(" "), losses.map(|l| l.code).collect())
    }

    #[track_caller]
    fn check(nodes: &str, edges: &str, expected: &str, losses: &[&str]) {
        let (shown, lost) = body(nodes, edges);
        assert_eq!(shown, expected, "{nodes}");
        assert_eq!(lost, losses, "{nodes}");
    }

    /// Klaviyo finds a coupon by its name there; the pool's own name is ours alone.
    #[test]
    fn coupons_have_the_name_they_have_in_klaviyo() {
        let source = r#"(version: 2, id: "f", name: "F",
            fields: [(name: "a", source: code(pool: "ten")), (name: "b", source: code(pool: "ship")), (name: "c", source: code(pool: "unused"))],
            nodes: [(id: "t", kind: "trigger", settings: (any: [event(event: "A")])), (id: "m", kind: "email", settings: (message: "m"))],
            edges: [(from: "t", to: "m")],
            messages: [(id: "m", subject: "S", body: blocks([text(text: "{a} {b}"), footer(text: "Bye")]))])"#;
        let flow = crate::flow::file::read(source).unwrap_or_else(|d| panic!("{}", d.message)).flow;
        let workspace = Workspace {
            code_pools: ["(name: \"ten\", shared: \"T\", klaviyo: \"Ten Off\")", "(name: \"ship\", shared: \"S\")"]
                .map(|text| crate::kinds::ron_options().from_str(text).expect("a pool"))
                .into(),
            ..Workspace::default()
        };
        let export = Klaviyo.export(&flow, &workspace, None).unwrap_or_else(|e| panic!("{e:#?}"));
        let text = |file: &str| String::from_utf8_lossy(export.file(file).expect("a file")).into_owned();
        for file in ["templates/m-a.html", "templates/m-a.txt"] {
            assert!(text(file).contains("{% coupon_code 'Ten Off' %} {% coupon_code 'ship' %}"), "{}", text(file));
        }
        assert!(text("README.md").contains("exactly these names: `Ten Off`, `ship`."), "{}", text("README.md"));
    }

    #[test]
    fn the_two_paths_of_a_split_are_joined() {
        check(
            "c:condition a:list_update b:list_update j:list_update",
            "t>c c.yes>a c.no>b a>j b>j",
            "c>a,b a>j b>j j>-",
            &[],
        );
        check("c:condition a:list_update j:list_update", "t>c c.yes>a c.no>j a>j", "c>a,j a>j j>-", &[]);
        // An inner split that is closed first.
        check(
            "c:condition d:condition a:list_update b:list_update i:list_update j:list_update",
            "t>c c.yes>d d.yes>a d.no>b a>i b>i i>j c.no>j",
            "c>d,j d>a,b a>i b>i i>j j>-",
            &[],
        );
    }

    #[test]
    fn other_joins_are_copied() {
        // An inner split that stays open: three links would meet.
        check(
            "c:condition d:condition a:list_update j:list_update",
            "t>c c.yes>d d.yes>a d.no>j a>j c.no>j",
            "c>d,j:2 d>a,j a>j j>- j:2>-",
            &["klaviyo/copied-tail"],
        );
        // One path ends, the other goes on: no join at all.
        check("c:condition a:list_update x:exit j:list_update", "t>c c.yes>a a>x c.no>j", "c>a,j a>- j>-", &[]);
        check(
            r#"b:branch=(arms:[(name:"v",condition:"contact.a=1")]) a:list_update j:list_update"#,
            "t>b b.v>a b.else>j a>j",
            "b>a,j:2 a>j j>- j:2>-",
            &["klaviyo/copied-tail"],
        );
    }

    #[test]
    fn delays_after_the_entry_become_differences() {
        let delay = |span: &str| format!("delay=(wait:for(\"{span}\"),after:entry)");
        let (shown, lost) = body(&format!("a:{} m:list_update b:{}", delay("4_h"), delay("12_h")), "t>a a>m m>b b>m");
        assert_eq!(shown, "a>m m>b b>-");
        assert!(lost.is_empty());
        let nodes = format!("c:condition w:delay=(wait:for(\"2_h\")) a:{}", delay("6_h"));
        let (_, lost) = body(&nodes, "t>c c.yes>w w>a c.no>a");
        assert_eq!(lost, ["klaviyo/anchor"]);
    }
}
