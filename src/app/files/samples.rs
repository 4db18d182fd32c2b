//! The sample workspaces, inside the program: what the gallery shows and templates are made from.
//!
//! They are the files of `sample_flows/` as they are (7 MB: 5 of audiences, nearly 2 of pictures): compressed they
//! would save four megabytes of a program of twenty and cost a build step. A test holds the table against the folder.

use std::sync::OnceLock;

use crate::{
    app::Home,
    audience::{Audience, AudienceSources, Mapping, Source},
    base::FlowId,
    flow::{
        Flow,
        file::{self, Loaded},
    },
};

/// A workspace: its folder, what it trades in, and its files.
#[derive(Debug)]
pub struct Workspace {
    /// Name of the folder.
    pub name: &'static str,
    /// What people read.
    pub trade: &'static str,
    /// Path below the folder and text, in order of path.
    pub files: &'static [(&'static str, &'static str)],
    /// The pictures of its mails: name below `images/` and content (JPEG or PNG), in order of name.
    pub images: &'static [(&'static str, &'static [u8])],
}

/// A flow of the gallery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// Its workspace.
    pub workspace: &'static str,
    /// Its id, which is also the beginning of its file's name.
    pub flow: &'static str,
    /// What it shows; no full stop.
    pub shows: &'static str,
}

macro_rules! workspaces {
    ($($name:literal $trade:literal [$($file:literal)*] [$($image:literal)*])*) => {
        /// Every sample workspace.
        pub const WORKSPACES: &[Workspace] = &[$(Workspace {
            name: $name,
            trade: $trade,
            files: &[$(($file, include_str!(concat!("../../../sample_flows/", $name, "/", $file)))),*],
            images: &[$((
                $image,
                include_bytes!(concat!("../../../sample_flows/", $name, "/images/", $image)).as_slice(),
            )),*],
        }),*];
    };
}

workspaces! {
    "watch-shop" "Watches" ["audience/contacts.jsonl" "audience/events.jsonl" "audience/responses.jsonl" "flowloom.ron"
        "watch-shop-plain.flow.ron" "watch-shop.flow.ron"]
        ["chrono-r.jpg" "collection.jpg" "field-36.jpg" "logo.png" "moon-40.jpg" "polar-gmt.jpg" "strap-oak.jpg"
            "tide-38.jpg" "winder.jpg"]
    "leather-bags" "Leather bags" ["audience/contacts.jsonl" "audience/events.jsonl" "audience/responses.jsonl"
        "bag-care.flow.ron" "bag-reminder.flow.ron" "flowloom.ron"]
        ["ashby.jpg" "brief-jn.jpg" "card-case.jpg" "logo.png" "tote-hazel.jpg" "weekender-3.jpg" "workbench.jpg"]
    "espresso-machines" "Espresso machines" ["audience/contacts.jsonl" "audience/events.jsonl"
        "audience/responses.jsonl" "flowloom.ron" "video-demo.flow.ron"]
        ["lena-at-the-bar.jpg" "logo.png" "recording-still.jpg"]
    "jewellery" "Jewellery" ["audience/contacts.jsonl" "audience/events.jsonl" "audience/responses.jsonl"
        "circle.flow.ron" "flowloom.ron" "vip-premium-exit.flow.ron"]
        ["brass-key.jpg" "chain.jpg" "collection.jpg" "fjord-ring.jpg" "logo.png" "natt-pendant.jpg"
            "skerry-cuff.jpg" "studs.jpg"]
    "furniture" "Furniture" ["audience/contacts.jsonl" "audience/events.jsonl" "audience/responses.jsonl"
        "flowloom.ron" "priority.flow.ron" "three-views.flow.ron"]
        ["amrum.jpg" "fehmarn.jpg" "floor-plan.jpg" "lamp.jpg" "living-room.jpg" "logo.png" "poel.jpg"
            "swatches.jpg" "sylt.jpg"]
    "e-bikes" "E-bikes" ["audience/contacts.jsonl" "audience/events.jsonl" "audience/responses.jsonl" "flowloom.ron"
        "page-exit.flow.ron"]
        ["canal.jpg" "cargo-2.jpg" "delta.jpg" "gravel-e.jpg" "helmet.jpg" "logo.png" "timo-in-the-rain.jpg"]
    "cosmetics" "Cosmetics" ["audience/contacts.csv" "audience/events.jsonl" "audience/mapping.ron"
        "audience/responses.jsonl" "flowloom.ron" "mixed-signals.flow.ron"]
        ["balm.jpg" "logo.png" "night-oil.jpg" "set-ritual.jpg" "soap.jpg" "tonic.jpg"]
    "hiking-tours" "Hiking tours" ["audience/contacts.jsonl" "audience/events.jsonl" "audience/responses.jsonl"
        "flowloom.ron" "trajectory.flow.ron"]
        ["cevennes.jpg" "first-snow.jpg" "gr20.jpg" "logo.png" "lot.jpg" "queyras.jpg" "ridge.jpg"]
    "coffee-roaster" "Coffee" ["audience/contacts.jsonl" "audience/events.jsonl" "audience/responses.jsonl"
        "flowloom.ron" "renewal.flow.ron" "welcome.flow.ron" "win-back.flow.ron"]
        ["empty-jar.jpg" "ines-and-walt.jpg" "logo.png" "tasting-table.jpg" "twelve-bags.jpg"]
}

const fn sample(workspace: &'static str, flow: &'static str, shows: &'static str) -> Sample {
    Sample { workspace, flow, shows }
}

/// Every sample, in the order of the gallery. The words are those of `sample_flows/README.md`.
pub const SAMPLES: &[Sample] = &[
    sample(
        "watch-shop",
        "watch-shop",
        "Expired checkout or untouched cart: three mails at 0, 4 and 12 h, with countdown",
    ),
    sample("watch-shop", "watch-shop-plain", "The plain cart sequence that others are measured against"),
    sample("leather-bags", "bag-reminder", "Cooldowns, a cap, and a last nudge only where there was no answer"),
    sample("leather-bags", "bag-care", "After a purchase: thanks, a care guide, and a word half a year later"),
    sample("espresso-machines", "video-demo", "Video watched, nothing bought: a live demo, in two tones"),
    sample("jewellery", "vip-premium-exit", "VIP leaves a premium piece: alert, maker's video, webhook"),
    sample("jewellery", "circle", "Entering a segment: write a property, add to a list"),
    sample("furniture", "three-views", "The same dear product three times in a week; German beside English"),
    sample("furniture", "priority", "A score of five weighted signals with half-lives"),
    sample("e-bikes", "page-exit", "Layered signals: reminder, video, personal offer by score; SMS"),
    sample("cosmetics", "mixed-signals", "One short mail within the hour: percent against free shipping"),
    sample("hiking-tours", "trajectory", "From curiosity to urgency to action, by score and recency"),
    sample("coffee-roaster", "win-back", "Silence of 30 days; send windows by segment"),
    sample("coffee-roaster", "welcome", "List or sign-up; A/B split with hold-out and winner"),
    sample("coffee-roaster", "renewal", "A date, each year; a delay until a date of the contact"),
];

/// A beginning for a new flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Template {
    /// What people read, and the new flow's name.
    pub name: &'static str,
    /// What it is for; no full stop.
    pub help: &'static str,
    /// Icon.
    pub icon: &'static str,
    /// The sample it is taken from; none for an empty flow.
    pub sample: Option<(&'static str, &'static str)>,
}

/// What a new flow can begin with.
pub const TEMPLATES: &[Template] = &[
    Template { name: "Empty flow", help: "A canvas with nothing on it", icon: "file-plus", sample: None },
    Template {
        name: "Abandoned cart",
        help: "Remind of what was left, up to three times",
        icon: "shopping-cart",
        sample: Some(("watch-shop", "watch-shop-plain")),
    },
    Template {
        name: "Welcome series",
        help: "Greet new readers, lead to a first order",
        icon: "envelope-open",
        sample: Some(("coffee-roaster", "welcome")),
    },
    Template {
        name: "Win-back",
        help: "Reach customers who went silent",
        icon: "arrows-clockwise",
        sample: Some(("coffee-roaster", "win-back")),
    },
];

/// A card of the gallery, ready to draw.
#[derive(Debug)]
pub struct Card {
    /// What is opened.
    pub sample: &'static Sample,
    /// The flow's name.
    pub name: String,
    /// What the workspace trades in.
    pub trade: &'static str,
    /// Steps, notes left out.
    pub num_steps: usize,
    /// Steps that send.
    pub num_mails: usize,
    /// The flow, for its picture.
    pub flow: Flow,
}

/// The workspace of that name.
pub fn workspace(name: &str) -> Option<&'static Workspace> {
    WORKSPACES.iter().find(|workspace| workspace.name == name)
}

impl Workspace {
    /// The text of one of its files.
    pub fn file(&self, path: &str) -> Option<&'static str> {
        self.files.iter().find(|(name, _)| *name == path).map(|(_, text)| *text)
    }

    /// The content of a picture, by its name below `images/`.
    pub fn image(&self, name: &str) -> Option<&'static [u8]> {
        self.images.iter().find(|(found, _)| *found == name).map(|(_, content)| *content)
    }
}

/// Reads a sample's flow.
///
/// Errors: there is no such sample; never for those of the table, which a test reads.
pub fn read(workspace_name: &str, flow: &str) -> Result<Loaded, String> {
    let text = workspace(workspace_name).and_then(|workspace| workspace.file(&format!("{flow}.flow.ron")));
    let text = text.ok_or_else(|| format!("There is no sample {workspace_name}/{flow}"))?;
    file::read(text).map_err(|found| found.message)
}

/// A new flow from a template: its own name and id, everything else as in the sample.
///
/// Errors: as [`read()`].
pub fn from_template(template: &Template) -> Result<Loaded, String> {
    let id = template.name.to_lowercase().replace(' ', "-");
    let Some((workspace, flow)) = template.sample else { return Ok(crate::app::new_flow("new-flow", "New flow")) };
    let mut flow = read(workspace, flow)?.flow;
    flow.id = FlowId::new(&id);
    template.name.clone_into(&mut flow.name);
    file::read(&file::write(&flow)).map_err(|found| found.message)
}

/// What stands around a sample's flow. Reads an audience: some tens of milliseconds.
pub fn home(workspace_name: &str, flow: &str) -> Home {
    let Some(workspace) = workspace(workspace_name) else { return Home::default() };
    let source = workspace.file("flowloom.ron").unwrap_or("");
    let (settings, notes) = file::read_workspace(source).unwrap_or_default();
    let part = |what: &str| {
        let name = |ending: &str| format!("audience/{what}.{ending}");
        ["jsonl", "csv"].iter().find_map(|ending| {
            let text = workspace.file(&name(ending))?;
            Some(Source::new(name(ending), text.as_bytes()))
        })
    };
    let mapping = workspace.file("audience/mapping.ron").and_then(|text| Mapping::from_ron("mapping.ron", text).ok());
    let sources =
        AudienceSources { contacts: part("contacts"), events: part("events"), responses: part("responses"), mapping };
    let (audience, _) = Audience::load(sources);
    let others = SAMPLES.iter().filter(|other| other.workspace == workspace_name && other.flow != flow);
    let other_flows = others.filter_map(|other| Some(read(other.workspace, other.flow).ok()?.flow)).collect();
    Home {
        folder: None,
        sample: Some(workspace.name),
        source: source.to_owned(),
        workspace: settings,
        audience: std::sync::Arc::new(audience),
        other_flows,
        notes,
        ..Home::default()
    }
}

/// Files to put beside a flow that came from a sample: its workspace, audience and pictures, no other flows.
pub fn beside(workspace_name: &str) -> Vec<(String, Vec<u8>)> {
    let Some(workspace) = workspace(workspace_name) else { return Vec::new() };
    let texts = workspace.files.iter().filter(|(name, _)| !name.ends_with(".flow.ron"));
    let texts = texts.map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    let images = workspace.images.iter().map(|(name, content)| (format!("images/{name}"), content.to_vec()));
    texts.chain(images).collect()
}

/// The cards of the gallery; made once.
pub fn cards() -> &'static [Card] {
    static CARDS: OnceLock<Vec<Card>> = OnceLock::new();
    CARDS.get_or_init(|| {
        let card = |sample: &'static Sample| {
            let flow = read(sample.workspace, sample.flow).ok()?.flow;
            let sends = |settings: &crate::kinds::Settings| settings.message().is_some();
            Some(Card {
                sample,
                name: flow.name.clone(),
                trade: workspace(sample.workspace)?.trade,
                num_steps: flow.nodes.iter().filter(|node| node.kind != "note").count(),
                num_mails: flow.nodes.iter().filter(|node| node.settings().is_some_and(sends)).count(),
                flow,
            })
        };
        SAMPLES.iter().filter_map(card).collect()
    })
}

/// Cards that a search finds: every word stands in name, trade or description.
pub fn find(query: &str) -> Vec<&'static Card> {
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let fits = |card: &&'static Card| {
        let text = format!("{} {} {} {}", card.name, card.trade, card.sample.shows, card.sample.flow).to_lowercase();
        words.iter().all(|word| text.contains(word.as_str()))
    };
    cards().iter().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table is what lies in the folder, and every flow of it is in the gallery.
    #[test]
    fn the_samples_are_all_there() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_flows");
        let list = |folder: &std::path::Path| -> Vec<String> {
            let entries = std::fs::read_dir(folder).expect("lists").map(|entry| entry.expect("an entry"));
            let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        };
        let mut folders: Vec<&str> = WORKSPACES.iter().map(|workspace| workspace.name).collect();
        folders.sort_unstable();
        let there: Vec<String> = list(&root).into_iter().filter(|name| root.join(name).is_dir()).collect();
        assert_eq!(folders, there);
        for workspace in WORKSPACES {
            let folder = root.join(workspace.name);
            let mut names: Vec<String> =
                list(&folder.join("audience")).iter().map(|n| format!("audience/{n}")).collect();
            names.extend(list(&folder).into_iter().filter(|name| !["audience", "images"].contains(&name.as_str())));
            let ours: Vec<&str> = workspace.files.iter().map(|(name, _)| *name).collect();
            assert_eq!(ours, names, "{}", workspace.name);
            let there = list(&folder.join("images"));
            assert_eq!(workspace.images.iter().map(|(name, _)| *name).collect::<Vec<_>>(), there, "{}", workspace.name);
            assert!(there.iter().all(|name| workspace.image(name).is_some_and(|content| !content.is_empty())));
            for name in ours.iter().filter_map(|name| name.strip_suffix(".flow.ron")) {
                let shown = SAMPLES.iter().any(|sample| sample.workspace == workspace.name && sample.flow == name);
                assert!(shown, "{}/{name} is not in the gallery", workspace.name);
            }
        }
        assert_eq!(cards().len(), SAMPLES.len(), "every sample can be read");
    }

    #[test]
    fn templates_are_flows_of_their_own() {
        for template in TEMPLATES {
            let loaded = from_template(template).expect("reads");
            if let Some((workspace, flow)) = template.sample {
                assert_eq!(loaded.flow.name, template.name);
                assert!(!home(workspace, flow).audience.contacts.is_empty());
            }
        }
    }

    #[test]
    fn the_gallery_is_searched_by_every_word() {
        assert_eq!(find("").len(), SAMPLES.len());
        let names: Vec<&str> = find("coffee split").iter().map(|card| card.sample.flow).collect();
        assert_eq!(names, ["welcome"]);
        assert!(find("zeppelin").is_empty());
    }
}
