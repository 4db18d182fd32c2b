//! There and back: what a platform says exactly is the same flow when it is read again.
//!
//! The one idea: a flow is exported, imported, and both are played over the same people. Who gets which message when,
//! and which way everybody went at each fork, must be equal. Steps are matched by what an import keeps of them: ids in
//! Klaviyo, the order of forks and the messages in HubSpot. Arms of random splits are dealt alike in both, since a
//! platform draws its own. A single seed: `FLOWLOOM_SEED=17 cargo nextest run --test main again`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use flowloom::{
    audience::{Audience, Value},
    content::FieldSource,
    flow::{Edit, Flow, Node, Target, Workspace, file},
    journey::{FlowSet, What},
    kinds::{Branch, Settings, logic::branch::Arm, runtime::Outcome},
    platforms::{
        self, Export,
        import::{Given, Imported, Template, import, known_names},
    },
    simulate::{self, Options},
};
use serde_json::Value as Json;

use super::{
    agree::{self, TARGETS},
    made_up::{Case, HARMLESS, seeds},
    person::Mail,
};

/// The mails of an export by the ids that its bodies give them.
pub fn templates_of(target: Target, export: &Export) -> BTreeMap<String, Template> {
    let (folder, prefix) = if target == Target::Klaviyo { ("templates/", "") } else { ("emails/", "EMAIL:") };
    let files = export.files.iter().filter_map(|(path, bytes)| {
        let name = path.strip_prefix(folder)?.strip_suffix(".json")?;
        let json: Json = serde_json::from_slice(bytes).ok()?;
        let word = |at: &str| json.pointer(at).and_then(Json::as_str).map(str::to_owned);
        let template = if target == Target::Klaviyo {
            let of = |key: &str| word(&format!("/data/attributes/{key}"));
            Template { html: of("html")?, text: of("text"), ..Template::default() }
        } else {
            Template {
                name: word("/name").unwrap_or_default(),
                html: word("/content/widgets/module-0-1-1/body/html")?,
                subject: word("/subject"),
                ..Template::default()
            }
        };
        Some((format!("{prefix}{name}"), template))
    });
    files.collect()
}

/// All bodies of an export, read again.
pub fn imported(target: Target, export: &Export, workspace: &Workspace) -> Vec<Imported> {
    let templates = templates_of(target, export);
    let names = known_names(target, workspace, &BTreeMap::new());
    let mut out = Vec::new();
    for (n, body) in agree::bodies(export).iter().enumerate() {
        let given = Given { json: &body.to_string(), templates: &templates, names: &names };
        let mut flows = import(target, &given).unwrap_or_else(|e| panic!("{e:#?}\n{body:#}"));
        assert_eq!(flows.len(), 1);
        let mut one = flows.remove(0);
        one.flow.id = format!("back-{n}").as_str().into();
        out.push(one);
    }
    out
}

/// The workspace in which imported flows are played: what is the shop's own, with what the imports brought, and without
/// the rules that a platform keeps elsewhere (they came back in the flows, or are lost and said).
pub fn home(workspace: &Workspace, imported: &[Imported]) -> Workspace {
    let mut home = workspace.clone();
    home.caps.clear();
    home.quiet_hours = None;
    for one in imported {
        let theirs = &one.workspace;
        home.senders.extend(theirs.senders.iter().cloned());
        for (name, text) in &theirs.segments {
            home.segments.entry(name.clone()).or_insert_with(|| text.clone());
        }
        for (name, kind) in &theirs.properties {
            home.properties.entry(name.clone()).or_insert(*kind);
        }
    }
    home
}

/// What HubSpot does not say: whom consent lets in (`hubspot/consent`). Taken over from the flow that was exported.
pub fn with_consent_of(flow: &Flow, original: &Flow) -> Flow {
    let value = original.settings().consent.iter().map(|c| format!("{c:?}")).collect::<Vec<_>>();
    let value = value.join(", ").replace("Subscribed(Email)", "subscribed(email)");
    let edit = Edit::SetFlowField { field: "consent".into(), value: Some(format!("[{value}]")) };
    flow.apply(&edit).unwrap_or_else(|e| panic!("{e:?}"))
}

/// A random split as a question that has a fixed answer for each contact: the arm whose number is in the property that
/// `property` names for the split. A chain of two-way splits asks for its next arm at each link.
fn with_fixed_arms(flow: &Flow, property: &dyn Fn(&str, usize) -> String) -> Flow {
    let split = |node: &Node| match node.settings() {
        Some(Settings::Split(split)) => Some(split.arms.iter().map(|arm| arm.name.clone()).collect::<Vec<_>>()),
        _ => None,
    };
    let arms: BTreeMap<String, Vec<smol_str::SmolStr>> =
        flow.nodes.iter().filter_map(|node| Some((node.id.to_string(), split(node)?))).collect();
    // The place of a split in its chain: how many splits lead to it by their last way.
    let place = |id: &str| {
        let mut at = id.to_owned();
        let mut n = 0;
        let is_link = |from: &str, port: &str| arms.get(from).is_some_and(|own| own.len() == 2 && own[1] == port);
        while let Some(before) =
            flow.edges.iter().find(|edge| edge.to.as_str() == at && is_link(edge.from.as_str(), &edge.port))
        {
            at = before.from.to_string();
            n += 1;
        }
        n
    };
    let mut out = flow.clone();
    for node in &mut out.nodes {
        let Some(own) = arms.get(node.id.as_str()) else { continue };
        let property = property(node.id.as_str(), own.len());
        let first = place(node.id.as_str());
        let last = own.len() - 1;
        let asked = own.iter().take(last).enumerate().map(|(n, name)| Arm {
            name: name.clone(),
            condition: flowloom::audience::ConditionText::new(format!("contact[\"{property}\"] = {}", first + n)),
        });
        let branch = Settings::Branch(Branch { arms: asked.collect() });
        *node = Arc::new(Node::new(node.id.clone(), "branch", &branch.to_ron()));
        for edge in out.edges.iter_mut().filter(|edge| edge.from == node.id && edge.port == own[last]) {
            edge.port = flowloom::kinds::logic::branch::ELSE.into();
        }
    }
    assert!(out.invariants().is_empty(), "{:?}", out.invariants());
    out
}

/// What one contact was told and which way they went, in order.
type Story = BTreeMap<String, Vec<(i64, String)>>;

/// Plays a flow; also how many forks were passed. `in_chains`: a split is told as the chain of two-way ones that it
/// is in Klaviyo.
fn play(
    flow: &Flow,
    workspace: &Workspace,
    audience: &Audience,
    in_chains: bool,
    is_own: &dyn Fn(&Node) -> bool,
) -> (Story, usize) {
    let is_split = |id: &str| flow.node(id).is_some_and(|node| node.kind == "split");
    let splits: BTreeSet<String> =
        flow.nodes.iter().map(|node| node.id.to_string()).filter(|id| is_split(id)).collect();
    let flow = with_fixed_arms(flow, &|_, _| "arm".to_owned());
    let mut audience = audience.clone();
    for (n, contact) in audience.contacts.iter_mut().enumerate() {
        contact.properties.insert("arm".into(), Value::Number((n % 3) as f64));
    }
    let set = FlowSet::new(workspace, std::slice::from_ref(&flow));
    let report = simulate::replay(&set, &audience, &Options::default());
    let mut story: Story = BTreeMap::new();
    let mut forks = 0;
    for (contact, trace) in &report.traces {
        let lines = story.entry(contact.to_string()).or_default();
        for decision in trace {
            let node = decision.node.as_ref().and_then(|id| flow.node(id.as_str()));
            let Some(node) = node.filter(|node| is_own(node)) else { continue };
            let ports = node.ports();
            let line = match &decision.what {
                What::Left { port } if ports.len() > 1 && node.kind != "webhook" => {
                    forks += 1;
                    let way = ports.iter().position(|known| known.name == *port).unwrap_or(ports.len());
                    if in_chains && splits.contains(node.id.as_str()) {
                        for _ in 0..way {
                            lines.push((decision.at.as_millis(), "takes way 2".to_owned()));
                        }
                        if way + 1 == ports.len() {
                            continue;
                        }
                        "takes way 1".to_owned()
                    } else {
                        format!("takes way {}", way + 1)
                    }
                }
                What::Outcome { outcome, reason, .. } => {
                    let message = node.settings().and_then(Settings::message).map(|(id, _)| id.to_string());
                    format!("{} {outcome:?} {reason:?}", message.unwrap_or_default())
                }
                What::Wrote { names } => format!("is written to: {}", names.join(", ")),
                _ => continue,
            };
            lines.push((decision.at.as_millis(), line));
        }
        // Several steps of one instant are one moment: an import may cut them otherwise.
        lines.sort_by_key(|(at, _)| *at);
    }
    (story, forks)
}

/// Where two accounts differ first.
fn apart(ours: &Story, theirs: &Story) -> Option<String> {
    let none = Vec::new();
    ours.keys().chain(theirs.keys()).find_map(|contact| {
        let (ours, theirs) = (ours.get(contact).unwrap_or(&none), theirs.get(contact).unwrap_or(&none));
        let show = |line: Option<&(i64, String)>| {
            line.map_or_else(
                || "nothing more".to_owned(),
                |(at, what)| format!("{} {what}", flowloom::base::Instant::from_millis(*at)),
            )
        };
        let n = (0..ours.len().max(theirs.len())).find(|n| ours.get(*n) != theirs.get(*n))?;
        Some(format!("{contact}: {} became {}", show(ours.get(n)), show(theirs.get(n))))
    })
}

/// Steps that an export writes before those of the flow, in the names that it gives them: they have no counterpart.
fn is_own(target: Target, original: &Flow) -> impl Fn(&Node) -> bool {
    move |node| match target {
        // `n3`, its copies `n3-2`, the links of its chain `n3-2`.
        Target::Klaviyo => {
            let id = node.id.as_str().split('-').next().unwrap_or_default();
            original.node(id).is_some_and(|node| node.kind != "trigger")
        }
        _ => {
            !["May enter", "Enrolled"].contains(&node.title.as_str())
                && !matches!(node.settings(), Some(Settings::UpdateContact(update))
                if update.set.iter().all(|one| one.property.starts_with("flowloom_") || one.property.starts_with("event_")))
        }
    }
}

/// 300 flows for each platform.
#[test]
fn exact_exports_come_back_as_the_same_flow() {
    let (mut lines, mut forks, mut wrong) = (0, 0, Vec::new());
    for target in TARGETS {
        let mut played = 0;
        for seed in seeds(400) {
            let Case { flow, workspace, audience } = Case::new(target, seed);
            let export = platforms::export(target, &flow, &workspace).unwrap_or_else(|e| panic!("seed {seed}: {e:#?}"));
            if export.losses.iter().any(|loss| !HARMLESS.contains(&loss.code)) {
                continue;
            }
            played += 1;
            let all = imported(target, &export, &workspace);
            assert_eq!(all.len(), 1, "seed {seed}");
            let back = &all[0];
            let said = |what: &str| {
                format!(
                    "seed {seed} {}: {what}\n{}\n-- came back as --\n{}",
                    target.name(),
                    file::write(&flow),
                    file::write(&back.flow)
                )
            };
            let foreign: Vec<&Arc<Node>> = back.flow.nodes.iter().filter(|node| node.kind == "foreign").collect();
            if !foreign.is_empty() {
                wrong.push(said(&format!("{} steps are locked", foreign.len())));
                continue;
            }
            let again = if target == Target::Hubspot { with_consent_of(&back.flow, &flow) } else { back.flow.clone() };
            let (ours, num_forks) = play(&flow, &workspace, &audience, target == Target::Klaviyo, &|_| true);
            let (theirs, _) =
                play(&again, &home(&workspace, &all), &audience, target == Target::Klaviyo, &is_own(target, &flow));
            lines += ours.values().map(Vec::len).sum::<usize>();
            forks += num_forks;
            if let Some(apart) = apart(&ours, &theirs) {
                wrong.push(said(&apart));
            }
        }
        assert!(seeds(2).count() == 1 || played >= 300, "{} {played}", target.name());
    }
    wrong.sort_by_key(String::len);
    let mut shown = String::new();
    for one in wrong.iter().take(3) {
        let _ = writeln!(shown, "{one}");
    }
    let firsts: Vec<&str> = wrong.iter().filter_map(|one| one.lines().next()).collect();
    assert!(wrong.is_empty(), "{} differ\n{shown}\n{}", wrong.len(), firsts.join("\n"));
    assert!(seeds(2).count() == 1 || (lines > 5_000 && forks > 1_000), "{lines} lines, {forks} forks");
}

/// All samples: where the export said nothing of a loss behind a mail, the flows that come back send it to the same
/// people at the same time; how much is equal is frozen in `fixtures/platforms/again.txt`.
#[test]
fn samples_come_back_as_the_same_flow() {
    agree::check_samples("again.txt", &|target, flow, workspace, audience| {
        let export = platforms::export(target, flow, workspace).unwrap_or_else(|e| panic!("{}: {e:#?}", flow.id));
        let ours = agree::own(flow, workspace, audience);
        let all = imported(target, &export, workspace);
        let flows = all.iter().map(|one| match target {
            Target::Hubspot => with_all_data(&with_consent_of(&one.flow, flow)),
            _ => with_all_data(&one.flow),
        });
        let flows: Vec<Flow> = flows.collect();
        // Everybody gets the arm that they got here.
        let mut audience = audience.clone();
        for ((contact, node), arm) in &ours.arms {
            let Some(Settings::Split(split)) = flow.node(node).and_then(|node| node.settings()) else { continue };
            let Some(number) = split.arms.iter().position(|one| one.name == *arm) else { continue };
            for one in audience.contacts.iter_mut().filter(|one| one.id.as_str() == contact) {
                one.properties.insert(format!("arm of {node}").into(), Value::Number(number as f64));
            }
        }
        let audience = &audience;
        let split_of = |id: &str, num_arms: usize| {
            let is_copy = |own: &str| {
                id.strip_prefix(own).is_some_and(|rest| rest.chars().all(|c| c == '-' || c.is_ascii_digit()))
            };
            let split = flow.nodes.iter().find(|node| match node.settings() {
                Some(Settings::Split(_)) if target == Target::Klaviyo => is_copy(node.id.as_str()),
                Some(Settings::Split(split)) => split.arms.len() == num_arms,
                _ => false,
            });
            format!("arm of {}", split.map_or("nothing", |node| node.id.as_str()))
        };
        let flows: Vec<Flow> = flows.iter().map(|flow| with_fixed_arms(flow, &split_of)).collect();
        let set = FlowSet::new(&home(workspace, &all), &flows);
        let options = Options { from: Some(ours.from()), until: Some(ours.until()), ..Options::default() };
        let report = simulate::replay(&set, audience, &options);
        if std::env::var("FLOWLOOM_SHOW").is_ok_and(|wanted| flow.id.as_str() == wanted) {
            println!("{}", what_stopped(&flows, &report));
        }
        let mut mails: BTreeMap<String, Vec<Mail>> = BTreeMap::new();
        for row in report.messages.iter().filter(|row| row.outcome == Outcome::Sent) {
            let of = flows.iter().find(|flow| flow.id == row.flow);
            let message = of.and_then(|flow| agree::message_of(flow, row.node.as_str())).unwrap_or_default();
            let message = original_name(flow, &message);
            mails.entry(row.contact.to_string()).or_default().push(Mail { message, at: row.at.as_millis() });
        }
        agree::tally(flow, &export, audience, &ours.mails, &|contact| {
            mails.get(contact.id.as_str()).cloned().unwrap_or_default()
        })
    });
}

/// The message that an imported one was: variants that became mails of their own have names that begin with it.
fn original_name(flow: &Flow, message: &str) -> String {
    let known = flow.messages.iter().map(|m| m.id.as_str()).filter(|id| message.starts_with(id));
    known.max_by_key(|id| id.len()).unwrap_or(message).to_owned()
}

/// A flow whose mails always have something to print: codes lie in the account's coupons, and what a platform cannot
/// work out is kept by the shop (losses `prepared`); a platform prints nothing where data are missing, we would hold
/// the mail.
fn with_all_data(flow: &Flow) -> Flow {
    let mut out = flow.clone();
    for field in &mut out.fields {
        let Some(mut own) = field.value().cloned() else { continue };
        if matches!(own.source, FieldSource::Code { .. }) {
            own.source = FieldSource::Contact("a_code".into());
        }
        own.fallback.get_or_insert_with(|| "x".to_owned());
        *field = Arc::new(flowloom::flow::Section::new("", Ok(own), 0));
    }
    out
}

/// Why flows that came back let nobody in or left messages out, with how often.
fn what_stopped(flows: &[Flow], report: &simulate::Report) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for decision in report.traces.values().flatten() {
        let line = match &decision.what {
            What::NotEntered { why, .. } => format!("not entered: {why}"),
            What::Held { reason, detail } => format!("held: {} {detail}", reason.name()),
            What::Outcome { outcome, reason, detail, .. } => format!("{} {} {detail}", outcome.name(), reason.name()),
            What::Entered { .. } => "entered".to_owned(),
            What::Ended { how } => format!("ended: {how}"),
            _ => continue,
        };
        *counts.entry(line).or_default() += 1;
    }
    let flows = flows.iter().map(|flow| {
        let mut drawn = flow.clone();
        drawn.messages.clear();
        file::write(&drawn)
    });
    format!("{}\n{counts:#?}", flows.collect::<Vec<_>>().join("\n"))
}

/// The variants of a message come back with their languages, from the form in which exports choose between them.
#[test]
fn languages_come_back() {
    let source = r#"(version: 2, id: "f", name: "F", nodes: [
        (id: "start", kind: "trigger", settings: (any: [event(event: "A")])), (id: "m", kind: "email", settings: (message: "m")),
    ], edges: [(from: "start", to: "m")], fields: [(name: "who", source: contact("first_name"), fallback: "you")],
    messages: [(id: "m", name: "Hello", variants: [
        (id: "a", subject: "Hi {who}", body: html("<p>{% if who == 'Ann' %}A{% else %}B{% endif %}</p>{{ unsubscribe_url }}")),
        (id: "d", language: "de", subject: "Hallo {who}", body: html("<p>Guten Tag</p>{{ unsubscribe_url }}")),
        (id: "at", language: "de-AT", subject: "Servus {who}", preheader: "Oida", body: html("<p>Griaß di</p>{{ unsubscribe_url }}")),
    ])])"#;
    let flow = file::read(source).unwrap_or_else(|d| panic!("{}", d.message)).flow;
    let workspace = Workspace::default();
    for target in TARGETS {
        let export = platforms::export(target, &flow, &workspace).unwrap_or_else(|e| panic!("{e:#?}"));
        let all = imported(target, &export, &workspace);
        let message = all[0].flow.message("m").expect("the message");
        let story: Vec<String> = message
            .variants
            .iter()
            .map(|v| format!("{} {}: {}", v.id, v.language.as_deref().unwrap_or("-"), v.subject))
            .collect();
        assert_eq!(story[0].split(':').next(), Some("a -"), "{}", target.name());
        assert!(
            story[1].starts_with("de-at de-at: Servus {{ ") && story[2].starts_with("de de: Hallo {{ "),
            "{story:?}"
        );
        assert!(message.variants.iter().all(|v| v.kept.is_empty()), "{}: {:#?}", target.name(), all[0].report);
        // Written again it is the same mail, letter by letter.
        let again = platforms::export(target, &all[0].flow, &home(&workspace, &all)).expect("exports");
        assert_eq!(templates_of(target, &again), templates_of(target, &export), "{}", target.name());
        assert!(all[0].flow.settings().kept.is_empty(), "{:#?}", all[0].flow.settings().kept);
        assert_eq!(all[0].report.iter().filter(|r| r.kind == platforms::import::RemarkKind::Kept).count(), 0);
    }
}

/// What HubSpot writes as an event and a wait comes back as the abandonment that it was, and only that.
#[test]
fn abandonments_come_back_from_hubspot() {
    let mut stories = String::new();
    let mut check = |trigger: &str, settings: &str| {
        let source = format!(
            r#"(version: 2, id: "f", name: "F", settings: ({settings}), nodes: [
            (id: "start", kind: "trigger", settings: (any: [{trigger}])), (id: "m", kind: "email", settings: (message: "m")),
            (id: "c", kind: "condition", settings: (condition: "trigger.value > 100")),
        ], edges: [(from: "start", to: "c"), (from: "c", port: "yes", to: "m")],
        messages: [(id: "m", subject: "Hi", body: html("<p>Hi {{{{ unsubscribe_url }}}}</p>"))])"#
        );
        let flow = file::read(&source).unwrap_or_else(|d| panic!("{}\n{source}", d.message)).flow;
        let workspace = Workspace { lists: vec!["L".into()], ..Workspace::default() };
        let export = platforms::export(Target::Hubspot, &flow, &workspace).unwrap_or_else(|e| panic!("{e:#?}"));
        let all = imported(Target::Hubspot, &export, &workspace);
        let trigger = all[0].flow.trigger().and_then(|node| node.settings()).map(Settings::summary).unwrap_or_default();
        assert_eq!(all[0].flow.settings().target, Some(Target::Hubspot));
        let goal = all[0].flow.settings().goal_when.map(|text| text.text().to_owned());
        let kinds: Vec<&str> = all[0].flow.nodes.iter().map(|node| node.kind.as_str()).collect();
        stories += &format!("{trigger} / {} / {}\n", goal.unwrap_or_default(), kinds.join(", "));
        let body = &agree::bodies(&export)[0];
        for remark in &all[0].report {
            assert!(
                body.pointer(&remark.pointer).is_some() || remark.pointer.ends_with("/enrollmentSchedule"),
                "{remark:?}"
            );
        }
    };
    let one = r#"abandonment(start: "A", filter: "event.n > 1", unless: [(event: "B")], after: "6 h", again: keep)"#;
    check(one, "reentry: after_exit");
    let two = r#"abandonment(start: "A", unless: [(event: "B"), (event: "C", filter: "event.n = 1 or event.n = 2")], after: "1 day")"#;
    check(two, r#"reentry: once, goal_when: "on list \"L\"""#);
    // Without anything that stops it, a delay after an event is no abandonment.
    check(r#"abandonment(start: "A", after: "6 h", again: keep)"#, "reentry: after_exit");
    // A wait that asks for the entry's own data is told apart by them.
    let same = r#"abandonment(start: "A", unless: [(event: "B", filter: "event.cart = trigger.cart")], after: "6 h", again: keep)"#;
    check(same, "reentry: after_exit");
    assert_eq!(stories, ABANDONED, "{stories}");
}

const ABANDONED: &str = "\
\u{201c}A\u{201d}, then no \u{201c}B\u{201d} for 6 h /  / trigger, update_contact, condition, email
\u{201c}A\u{201d}, then no \u{201c}B\u{201d} or \u{201c}C\u{201d} for 24 h / on list \"L\" / trigger, update_contact, condition, update_contact, condition, email
\u{201c}A\u{201d} /  / trigger, delay, update_contact, condition, email
\u{201c}A\u{201d}, then no \u{201c}B\u{201d} for 6 h /  / trigger, update_contact, condition, email
";
