//! Every file in `sample_flows/` is a test: it loads whole, its texts are fit to send, every kind occurs.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use flowloom::{
    audience::Channel,
    content::{Block, Body, Message, Variant},
    flow::{Flow, Workspace, file::{self, Loaded}},
    kinds::{CATALOGUE, Settings},
};

/// A sample workspace with its flows, in name order.
struct Sample {
    name: String,
    workspace: Workspace,
    flows: Vec<Loaded>,
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

fn samples() -> Vec<Sample> {
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
        Sample { name, workspace, flows }
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
