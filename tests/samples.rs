//! Every file in `sample_flows/` is a test: it loads whole, its texts are fit to send, every kind occurs.

mod audiences;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use flowloom::{
    audience::{Audience, AudienceSources, Channel, Contact, Event, EventLog, Mapping, Source},
    base::{Diagnostic, Instant, Severity, Zone},
    content::{
        Block, Body, Completeness, Field, FieldValues, Links, Message, PreparedMessage, ResolveContext, Variant, lint,
    },
    flow::{
        Flow, Target, Workspace,
        check::{self, Surroundings},
        file::{self, Loaded},
    },
    journey::{FlowSet, What},
    kinds::{CATALOGUE, Settings},
    platforms::{self, Export},
    simulate::{self, Options, Report},
};

/// A sample workspace with its flows, in name order.
pub struct Sample {
    pub name: String,
    folder: PathBuf,
    pub workspace: Workspace,
    pub flows: Vec<Loaded>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_flows")
}

fn text_of(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The paths in a folder, in name order.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let listing = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = listing.map(|entry| entry.expect("readable folder").path()).collect();
    paths.sort();
    paths
}

/// All of them, in name order.
pub fn samples() -> Vec<Sample> {
    let folders = entries(&folder()).into_iter().filter(|path| path.is_dir());
    let read = |folder: PathBuf| {
        let (workspace, notes) = file::read_workspace(&text_of(&folder.join("flowloom.ron")))
            .unwrap_or_else(|d| panic!("{}: {}", folder.display(), d.message));
        assert!(notes.is_empty(), "{}: {notes:?}", folder.display());
        let paths = entries(&folder).into_iter().filter(|path| path.to_string_lossy().ends_with(".flow.ron"));
        let flows = paths.map(|path| {
            let loaded = file::read(&text_of(&path)).unwrap_or_else(|d| panic!("{}: {}", path.display(), d.message));
            assert_eq!(path, folder.join(format!("{}.flow.ron", loaded.flow.id)), "the id names the file");
            loaded
        });
        let flows = flows.collect();
        let name = folder.file_name().expect("has a name").to_string_lossy().into_owned();
        Sample { name, folder, workspace, flows }
    };
    folders.map(read).collect()
}

fn messages(flow: &Flow) -> impl Iterator<Item = (&Message, &Variant)> {
    let all = flow.messages.iter().filter_map(|m| m.section.value());
    all.flat_map(|message| message.variants.iter().map(move |variant| (message, variant)))
}

#[test]
fn every_part_loads() {
    let samples = samples();
    assert!(samples.len() >= 9, "{} workspaces", samples.len());
    assert!(samples.iter().map(|s| s.flows.len()).sum::<usize>() >= 11);
    for Sample { name, workspace, flows, .. } in &samples {
        assert!(workspace.scores.iter().all(|model| !model.signals.is_empty()), "{name}");
        for loaded in flows {
            let (flow, id) = (&loaded.flow, format!("{name}/{}", loaded.flow.id));
            assert!(loaded.notes.is_empty(), "{id}: {:?}", loaded.notes);
            assert_eq!(flow.settings.error(), None, "{id}");
            let faults = flow.fields.iter().filter_map(|f| f.error().map(|e| (f.raw(), e)));
            assert_eq!(faults.collect::<Vec<_>>(), [], "{id}");
            let faults = flow.nodes.iter().filter_map(|n| n.settings.error().map(|e| (&n.id, e)));
            assert_eq!(faults.collect::<Vec<_>>(), [], "{id}");
            let faults = flow.messages.iter().filter_map(|m| m.section.error().map(|e| (&m.id, e)));
            assert_eq!(faults.collect::<Vec<_>>(), [], "{id}");
            assert!(flow.invariants().is_empty(), "{id}: {:?}", flow.invariants());
        }
    }
}

#[test]
fn conditions_can_be_read() {
    for Sample { name, workspace, flows, .. } in samples() {
        let segments = workspace.segments.iter().map(|(segment, text)| (segment.to_string(), text.clone()));
        let signals = workspace.scores.iter().flat_map(|m| &m.signals);
        let signals = signals.filter_map(|s| s.filter.clone().map(|f| (s.event.to_string(), f)));
        let mut all: Vec<_> = segments.chain(signals).collect();
        for Loaded { flow, .. } in &flows {
            let settings = flow.settings();
            all.extend(settings.conditions().into_iter().map(|(key, text)| (key.to_owned(), text.clone())));
            for node in &flow.nodes {
                let found = node.settings().map(Settings::conditions).unwrap_or_default();
                all.extend(found.into_iter().map(|(field, text)| (format!("{}.{field}", node.id), text.clone())));
            }
        }
        for (place, text) in all {
            assert!(text.parsed().errors.is_empty(), "{name}, {place}: {:?}", text.parsed().errors);
        }
    }
}

#[test]
fn every_kind_occurs() {
    let mut seen = BTreeSet::new();
    for Loaded { flow, .. } in samples().iter().flat_map(|s| &s.flows) {
        for node in &flow.nodes {
            seen.insert(node.kind.to_string());
            if let Some(Settings::Trigger(trigger)) = node.settings() {
                seen.extend(trigger.any.iter().map(|alternative| alternative.kind().to_owned()));
            }
        }
    }
    let missing: Vec<&str> = CATALOGUE.iter().map(|spec| spec.name).filter(|name| !seen.contains(*name)).collect();
    assert_eq!(missing, [""; 0]);
}

/// Nodes are laid out on a grid, so that the first look at a sample is a tidy one.
#[test]
fn steps_stand_apart() {
    for Loaded { flow, .. } in samples().iter().flat_map(|s| &s.flows) {
        let mut places: Vec<(i32, i32)> = flow.nodes.iter().map(|n| (n.pos.0 as i32, n.pos.1 as i32)).collect();
        assert!(places.iter().all(|(_, y)| y % 140 == 0), "{}", flow.id);
        places.sort_unstable_by_key(|(x, y)| (*y, *x));
        let close = places.windows(2).find(|pair| pair[0].1 == pair[1].1 && pair[1].0 - pair[0].0 < 280);
        assert_eq!(close, None, "{}", flow.id);
    }
}

#[test]
fn texts_are_fit_to_send() {
    let mut seen = BTreeSet::new();
    for Sample { name, workspace, flows, .. } in samples() {
        let brand = &workspace.brand;
        assert!(brand.address.len() > 20 && brand.website.ends_with(".example"), "{name}");
        assert!(workspace.senders.iter().all(|s| s.email.ends_with(".example")), "{name}");
        assert!(seen.insert(brand.primary.clone()) && seen.insert(brand.font.clone()), "{name} looks like another");
        for Loaded { flow, .. } in &flows {
            for (message, variant) in messages(flow) {
                let id = format!("{name}/{}/{}/{}", flow.id, message.id, variant.id);
                if message.channel == Channel::Sms {
                    let text = variant.text.as_deref().unwrap_or_default();
                    assert!((20..=160).contains(&text.chars().count()), "{id}: {}", text.chars().count());
                    continue;
                }
                assert!((10..60).contains(&variant.subject.chars().count()), "{id}: {}", variant.subject);
                let long = variant.preheader.chars().count();
                assert!((40..=90).contains(&long), "{id}: {long}: {}", variant.preheader);
                match &variant.body {
                    Body::Blocks(blocks) => {
                        let unknown = blocks.iter().find(|b| matches!(b, Block::Unknown(_)));
                        assert_eq!(unknown, None, "{id}");
                        assert!(matches!(blocks.last(), Some(Block::Footer { show_if: None, .. })), "{id}");
                        let bare = blocks.iter().any(|b| matches!(b, Block::Image { alt: None, .. }));
                        assert!(!bare, "{id}: a picture without words");
                    }
                    Body::Html(source) | Body::Mjml(source) => {
                        assert!(source.contains("{unsubscribe_url}"), "{id}");
                        assert!(source.contains(brand.address.split(',').next().unwrap_or("?")), "{id}");
                    }
                }
            }
        }
    }
}

/// Heaviest picture in bytes, and all of them together: the program holds them all, a preview decodes them at once.
const HEAVIEST_PICTURE: usize = 40 * 1024;
const ALL_PICTURES: usize = 2_500_000;

/// Every picture that a flow, a brand or an event names lies below the brand's base address and in `images/`, and no
/// other does.
#[test]
fn every_picture_is_there() {
    let mut all = 0;
    for Sample { name, folder, workspace, .. } in samples() {
        let base = &workspace.brand.images;
        assert!(!workspace.brand.logo.is_empty(), "{name} has no logo");
        let mut named: BTreeSet<String> = BTreeSet::new();
        let flows = entries(&folder).into_iter().filter(|path| path.extension().is_some_and(|e| e == "ron"));
        for path in flows.chain([folder.join("audience/events.jsonl")]) {
            let text = text_of(&path);
            let is_picture = |word: &&str| word.ends_with(".jpg") || word.ends_with(".png");
            for address in text.split('"').filter(is_picture) {
                let below = address.strip_prefix(base.as_str()).unwrap_or(address);
                assert!(!below.contains('/'), "{}: {address} is not below {base}", path.display());
                named.insert(below.to_owned());
            }
        }
        let mut there: BTreeSet<String> = BTreeSet::new();
        for path in entries(&folder.join("images")) {
            let content = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            assert!(content.len() <= HEAVIEST_PICTURE, "{}: {} bytes", path.display(), content.len());
            all += content.len();
            let file = path.file_name().expect("has a name").to_string_lossy().into_owned();
            let begins: &[u8] = if file.ends_with(".png") { b"\x89PNG" } else { b"\xff\xd8\xff" };
            assert!(content.starts_with(begins), "{}: not what its name says", path.display());
            there.insert(file);
        }
        assert_eq!(named, there, "{name}");
    }
    assert!(all <= ALL_PICTURES, "{all} bytes");
}

/// The committed files are what the recipes give; `FLOWLOOM_BLESS=1` writes them.
#[test]
fn audiences_come_from_their_recipes() {
    let bless = env::var_os("FLOWLOOM_BLESS").is_some();
    let samples = samples();
    let recipes = audiences::recipes();
    let folders: Vec<&str> = recipes.iter().map(|recipe| recipe.folder).collect();
    assert_eq!(samples.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), folders, "one recipe for each workspace");
    for (sample, recipe) in samples.iter().zip(&recipes) {
        let folder = sample.folder.join("audience");
        let files = recipe.files(&sample.workspace);
        if bless {
            fs::create_dir_all(&folder).expect("folder");
            for (name, text) in &files {
                fs::write(folder.join(name), text).expect("written");
            }
        }
        let there =
            entries(&folder).into_iter().map(|p| p.file_name().unwrap_or_default().to_string_lossy().into_owned());
        assert_eq!(there.collect::<Vec<_>>(), files.keys().copied().collect::<Vec<_>>(), "{}", sample.name);
        for (name, text) in &files {
            let same = text_of(&folder.join(name)) == *text;
            assert!(same, "{}/{name} is not what its recipe gives; FLOWLOOM_BLESS=1 writes it anew", sample.name);
        }
    }
}

/// Its audience, with what was found in its files.
pub fn audience(sample: &Sample) -> (Audience, Vec<Diagnostic>) {
    let folder = sample.folder.join("audience");
    let read = |name: &str| folder.join(name).exists().then(|| (name.to_owned(), text_of(&folder.join(name))));
    let contacts = read("contacts.jsonl").or_else(|| read("contacts.csv"));
    let (events, responses) = (read("events.jsonl"), read("responses.jsonl"));
    fn source(file: &Option<(String, String)>) -> Option<Source<'_>> {
        file.as_ref().map(|(name, text)| Source::new(name.as_str(), text.as_bytes()))
    }
    let mapping = read("mapping.ron").map(|(name, text)| Mapping::from_ron(&name, &text).expect("mapping"));
    Audience::load(AudienceSources {
        contacts: source(&contacts),
        events: source(&events),
        responses: source(&responses),
        mapping,
    })
}

#[test]
fn audiences_have_all_shapes() {
    for sample in samples() {
        let (audience, diagnostics) = audience(&sample);
        let name = &sample.name;
        assert!(diagnostics.is_empty(), "{name}: {diagnostics:#?}");
        assert!(audience.contacts.len() >= 60, "{name}");
        assert!((1_500..=4_000).contains(&audience.events.len()), "{name}: {} events", audience.events.len());
        let zones: BTreeSet<&str> = audience.contacts.iter().filter_map(|c| c.zone.as_deref()).collect();
        for zone in ["Pacific/Auckland", "Pacific/Honolulu", "Pacific/Kiritimati", "Europe/Berlin"] {
            assert!(zones.contains(zone), "{name}: {zone}");
        }
        let word = |c: &Contact, name: &str| c.property(&[name]).map(ToString::to_string).unwrap_or_default();
        let names: String = audience.contacts.iter().map(|c| word(c, "first_name") + &word(c, "last_name")).collect();
        for mark in ['\'', '"', '&', '<', 'ü', '🌻', 'ד', 'ل'] {
            assert!(names.contains(mark), "{name}: {mark}");
        }
        assert!(audience.contacts.iter().any(|c| c.property(&["first_name"]).is_none()), "{name}");
        let lines = std::fs::read_to_string(sample.folder.join("audience/events.jsonl")).expect("events");
        assert!(lines.lines().count() > audience.events.len() + 5, "{name}: hardly anything comes twice");
        let late = audience.events.iter().filter(|e| e.accepted.since(e.happened) > 3_600_000).count();
        assert!(late > 10, "{name}: {late} late");
        let metrics: BTreeSet<&str> = audience.events.iter().map(|e| e.name.as_str()).collect();
        let known: BTreeSet<&str> = sample.workspace.events.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(metrics, known, "{name}: the catalogue is what happens");
        assert!(!audience.responses.is_empty(), "{name}");
    }
}

fn replayed(sample: &Sample) -> (Audience, Report) {
    let flows: Vec<Flow> = sample.flows.iter().map(|loaded| loaded.flow.clone()).collect();
    let (audience, _) = audience(sample);
    let at = |text: &str| Instant::parse(text).expect("written right");
    let options = Options {
        from: Some(at("2026-10-01T00:00:00Z")),
        until: Some(at("2026-11-20T00:00:00Z")),
        ..Options::default()
    };
    let report = simulate::replay(&FlowSet::new(&sample.workspace, &flows), &audience, &options);
    (audience, report)
}

/// At least five people enter each flow, every message is sent to somebody, every way is walked; what is not is named.
#[test]
fn replays_tell_a_story() {
    let mut never: BTreeSet<String> = BTreeSet::new();
    for sample in samples() {
        let (_, report) = replayed(&sample);
        let mut entered: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (contact, trace) in &report.traces {
            for decision in trace.iter().filter(|d| matches!(d.what, What::Entered { .. })) {
                let flow = decision.flow.as_ref().map_or("", |flow| flow.as_str());
                entered.entry(flow).or_default().insert(contact.as_str());
            }
        }
        for Loaded { flow, .. } in &sample.flows {
            let id = format!("{}/{}", sample.name, flow.id);
            let people = entered.get(flow.id.as_str()).map_or(0, BTreeSet::len);
            assert!(people >= 5, "{id}: {people} entered, {:?}", report.flows.get(&flow.id));
            let counts = &report.flows[&flow.id];
            for node in &flow.nodes {
                let walked = counts.nodes.get(&node.id).map(|n| &n.left);
                if node.settings().is_some_and(|s| s.message().is_some()) {
                    let sent = |row: &simulate::MessageRow| {
                        row.flow == flow.id && row.node == node.id && format!("{:?}", row.outcome) == "Sent"
                    };
                    if !report.messages.iter().any(sent) {
                        never.insert(format!("{id}/{} is sent", node.id));
                    }
                }
                for port in node.ports() {
                    if !walked.is_some_and(|left| left.contains_key(&port.name)) {
                        never.insert(format!("{id}/{}.{} is left", node.id, port.name));
                    }
                }
            }
        }
    }
    let never: Vec<&str> = never.iter().map(String::as_str).collect();
    assert_eq!(never, NEVER);
}

/// What nobody comes to within the fifty days of the replay.
///
/// The replay's webhooks answer, and half a year after a purchase lies beyond it.
const NEVER: [&str; 5] = [
    "jewellery/vip-premium-exit/crm-down.next is left",
    "jewellery/vip-premium-exit/crm.failed is left",
    "leather-bags/bag-care/balm is sent",
    "leather-bags/bag-care/balm.next is left",
    "leather-bags/bag-care/first-summer.next is left",
];

#[test]
fn checks_find_nothing() {
    for sample in samples() {
        let (audience, _) = audience(&sample);
        let mut found: Vec<(String, Diagnostic)> = Vec::new();
        let place = sample.name.clone();
        found.extend(check::check_workspace(&sample.workspace).into_iter().map(|f| (place.clone(), f.diagnostic)));
        for Loaded { flow, .. } in &sample.flows {
            let others: Vec<Flow> =
                sample.flows.iter().map(|l| l.flow.clone()).filter(|other| other.id != flow.id).collect();
            let around = Surroundings { workspace: &sample.workspace, other_flows: &others, audience: Some(&audience) };
            let findings = check::check(flow, &around);
            found.extend(findings.into_iter().map(|f| (format!("{}/{}", sample.name, flow.id), f.diagnostic)));
        }
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// Every message is complete for every contact who could enter, whatever is missing of them; nothing is left to lint.
#[test]
fn mails_are_complete_for_everybody() {
    let mut bad: Vec<String> = Vec::new();
    for sample in samples() {
        let (audience, _) = audience(&sample);
        let mut logs: BTreeMap<&str, EventLog> = BTreeMap::new();
        for event in &audience.events {
            logs.entry(event.contact.as_str()).or_default().record(Arc::new(event.clone()));
        }
        for Loaded { flow, .. } in &sample.flows {
            let fields: Vec<Field> = flow.fields().cloned().collect();
            let metrics: BTreeSet<&str> = match flow.trigger().and_then(|node| node.settings()) {
                Some(Settings::Trigger(trigger)) => {
                    trigger.any.iter().filter_map(|a| a.metrics().first().map(|name| name.as_str())).collect()
                }
                _ => BTreeSet::new(),
            };
            for (message, variant) in messages(flow) {
                let id = format!("{}/{}/{}/{}", sample.name, flow.id, message.id, variant.id);
                let mail = match PreparedMessage::new(message, variant, &fields, &sample.workspace.brand) {
                    Ok(mail) => mail,
                    Err(errors) => {
                        bad.push(format!("{id}: {errors:?}"));
                        continue;
                    }
                };
                let serious = mail.findings().iter().filter(|d| d.severity != Severity::Hint);
                bad.extend(serious.map(|d| format!("{id}: {} {} ({})", d.code, d.message, d.hint)));
                match mail.render(&FieldValues::samples(&fields, &sample.workspace.brand)) {
                    Ok(rendered) => {
                        let serious =
                            lint(message, variant, &rendered).into_iter().filter(|d| d.severity != Severity::Hint);
                        bad.extend(serious.map(|d| format!("{id}: {} {} ({})", d.code, d.message, d.hint)));
                    }
                    Err(error) => bad.push(format!("{id}: {}", error.message)),
                }
                for contact in &audience.contacts {
                    let log = logs.get(contact.id.as_str()).cloned().unwrap_or_default();
                    let trigger = metrics.iter().find_map(|name| log.of(name).last()).map(|event| event.as_ref());
                    let values = values(&sample, flow, &fields, contact, &log, trigger);
                    match mail.render(&values).map(|rendered| rendered.completeness()) {
                        Ok(Completeness::Complete) => {}
                        other => bad.push(format!("{id} for {}: {other:?}", contact.id)),
                    }
                }
            }
        }
    }
    assert!(bad.is_empty(), "{} faults\n{}", bad.len(), bad[..bad.len().min(40)].join("\n"));
}

fn values(
    sample: &Sample,
    flow: &Flow,
    fields: &[Field],
    contact: &Contact,
    log: &EventLog,
    trigger: Option<&Event>,
) -> FieldValues {
    let zone = contact.zone.as_deref().and_then(|name| Zone::named(name).ok());
    let pools = sample.workspace.code_pools.iter();
    FieldValues::resolve(
        fields,
        &ResolveContext {
            now: Instant::parse("2026-11-20T12:00:00Z").expect("written right"),
            zone: &zone.unwrap_or_else(|| sample.workspace.default_zone()),
            contact,
            log,
            trigger,
            constants: &flow.settings().constants,
            codes: &pools.filter_map(|pool| Some((pool.name.clone(), pool.shared.clone()?))).collect(),
            links: &Links::placeholders(),
            currency: sample.workspace.brand.default_currency(),
        },
    )
}

/// Each flow can be handed to each target; the self-check of what is produced finds nothing.
#[test]
fn exports_are_made() {
    for sample in samples() {
        for Loaded { flow, .. } in &sample.flows {
            for target in [Target::Klaviyo, Target::Engine] {
                let id = format!("{}/{} to {}", sample.name, flow.id, target.name());
                let export = || -> Export {
                    platforms::export(target, flow, &sample.workspace).unwrap_or_else(|e| panic!("{id}: {e:#?}"))
                };
                let made = export();
                let faults: Vec<_> = made.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
                assert!(faults.is_empty(), "{id}: {faults:#?}");
                assert!(!made.files.is_empty(), "{id}");
                assert_eq!(made, export(), "{id}: the same flow gives the same bytes");
            }
        }
    }
}
