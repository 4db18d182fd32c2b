//! Rows of the tables of what flows share and of constants: what each is, who uses it, what it comes to in the
//! audience.
//!
//! The one idea: a row is worked out once per change and holds all the words of its cells. Deliberately not here:
//! merge tags ([`super::tags`]), contacts ([`super::people`]).

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::PageKind;
use crate::{
    app::{
        Home,
        fields_use::{self, Thing},
        inspector::{capital, rows::title},
        search::Spot,
        stage, when,
    },
    audience::{Compiled, Facts, ScoreModel, score::CompiledScore},
    base::ContactId,
    flow::Flow,
};

/// One of several places that use something.
#[derive(Clone, PartialEq, Debug)]
pub struct UsedBy {
    /// What people read.
    pub words: String,
    /// The step to go to, of this flow.
    pub node: Option<crate::base::NodeId>,
}

/// A segment, as the table shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct SegmentRow {
    /// Its name.
    pub name: SmolStr,
    /// Its condition as written.
    pub condition: String,
    /// What that means.
    pub sentence: String,
    /// How many of the sample contacts are in it at the newest instant of the audience.
    pub num_in: usize,
    /// Whether the chosen contact is.
    pub has_chosen: bool,
    /// Where it is used.
    pub uses: Vec<UsedBy>,
}

/// A score model, as the table shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct ScoreRow {
    /// Its name.
    pub name: SmolStr,
    /// Its signals: the event, and the points with what they fade by.
    pub signals: Vec<(String, String)>,
    /// What each signal gives the chosen contact now, and all together.
    pub parts: Vec<f64>,
    /// The score of the chosen contact.
    pub score: Option<f64>,
    /// The highest score of the audience.
    pub highest: Option<f64>,
    /// Where it is used: thresholds of triggers and conditions.
    pub uses: Vec<UsedBy>,
}

/// Facts of every contact at the newest instant.
fn histories(home: &Home) -> Vec<stage::History> {
    let mut at: BTreeMap<&ContactId, usize> = BTreeMap::new();
    let mut out: Vec<stage::History> = Vec::new();
    for contact in &home.audience.contacts {
        at.insert(&contact.id, out.len());
        out.push(stage::History::default());
    }
    for event in &home.audience.events {
        if let Some(at) = at.get(&event.contact) {
            let event = std::sync::Arc::new(event.clone());
            out[*at].log.record(event);
        }
    }
    out
}

/// The segments. Looks through the audience: ask when something changed, not each frame.
pub fn segments(flow: &Flow, home: &Home, others: &[&Flow], chosen: Option<&ContactId>) -> Vec<SegmentRow> {
    let workspace = &home.workspace;
    let (scores, constants) = (workspace.scores_by_name(), flow.settings().constants);
    let book = workspace.book(&scores, &constants);
    let compiled: Vec<Compiled> = workspace.segments.values().map(|text| Compiled::of_text(text, &book)).collect();
    let mut counts = vec![(0_usize, false); compiled.len()];
    let now = stage::newest(home);
    for (contact, history) in home.audience.contacts.iter().zip(histories(home)) {
        let Some(now) = now else { break };
        let zone = when::zone(home, Some(contact));
        let facts = Facts { now, zone: &zone, contact, log: &history.log, entry: None, event: None };
        for (compiled, (count, has)) in compiled.iter().zip(&mut counts) {
            let is_in = compiled.eval(&facts).is_yes();
            *count += usize::from(is_in);
            *has |= is_in && chosen == Some(&contact.id);
        }
    }
    let rows = workspace.segments.iter().zip(counts);
    rows.map(|((name, text), (num_in, has_chosen))| SegmentRow {
        name: name.clone(),
        condition: text.text().to_owned(),
        sentence: capital(&text.condition().sentence()),
        num_in,
        has_chosen,
        uses: uses(flow, home, others, Thing::Segment, name),
    })
    .collect()
}

/// The score models. Looks through the audience, as [`segments`].
pub fn scores(flow: &Flow, home: &Home, others: &[&Flow], chosen: Option<&ContactId>) -> Vec<ScoreRow> {
    let workspace = &home.workspace;
    let (models, constants) = (workspace.scores_by_name(), flow.settings().constants);
    let book = workspace.book(&models, &constants);
    let histories = if workspace.scores.is_empty() { Vec::new() } else { histories(home) };
    let now = stage::newest(home);
    let row = |model: &ScoreModel| {
        let compiled = CompiledScore::new(model, &book);
        let (mut parts, mut score, mut highest) = (Vec::new(), None, None::<f64>);
        for (contact, history) in home.audience.contacts.iter().zip(&histories) {
            let Some(now) = now else { break };
            let zone = when::zone(home, Some(contact));
            let facts = Facts { now, zone: &zone, contact, log: &history.log, entry: None, event: None };
            let value = compiled.value(&facts);
            highest = Some(highest.map_or(value, |highest| highest.max(value)));
            if chosen == Some(&contact.id) {
                score = Some(value);
                parts = compiled.parts(&facts);
            }
        }
        let signals = model.signals.iter().map(|signal| {
            let fades = signal.half_life.map_or("never fades".to_owned(), |span| format!("half after {span}"));
            (signal.event.to_string(), format!("{} points, {fades}", home.manner.decimal(signal.points)))
        });
        ScoreRow {
            name: model.name.clone(),
            signals: signals.collect(),
            parts,
            score,
            highest,
            uses: uses(flow, home, others, Thing::Score, &model.name),
        }
    };
    workspace.scores.iter().map(row).collect()
}

/// Points as people read them: one decimal at most.
pub fn points(home: &Home, points: f64) -> String {
    home.manner.decimal((points * 10.0).round() / 10.0)
}

/// A row of events, lists, senders, code pools or constants.
#[derive(Clone, PartialEq, Debug)]
pub struct PlainRow {
    /// Its name.
    pub name: SmolStr,
    /// Words of the cells between name and uses, in the order of [`columns`].
    pub cells: Vec<String>,
    /// Where it is used.
    pub uses: Vec<UsedBy>,
}

/// A column: its caption, its width (points above 1, else a share), and the least width of the table that shows it.
pub type Column = (&'static str, f32, f32);

/// The columns between name and uses of a page of [`PlainRow`]s.
pub fn columns(page: PageKind) -> &'static [Column] {
    match page {
        PageKind::Events => &[
            ("Micro-moment", 110.0, 480.0),
            ("Properties", 1.0, 560.0),
            ("Klaviyo", 0.7, 700.0),
            ("HubSpot", 0.7, 820.0),
            ("In the audience", 110.0, 400.0),
        ],
        PageKind::Lists => &[("Sample contacts", 130.0, 0.0)],
        PageKind::Senders => &[("Shown as", 0.8, 360.0), ("Address", 1.0, 480.0), ("Answers go to", 1.0, 700.0)],
        PageKind::Pools => &[("Codes", 0.8, 0.0), ("Klaviyo", 0.7, 480.0)],
        PageKind::Constants => &[("Value", 0.6, 0.0)],
        _ => &[],
    }
}

/// The rows of such a page; `others` are the other flows of the workspace as they are now. Looks through the audience:
/// ask when something changed, not each frame.
pub fn plain(flow: &Flow, home: &Home, others: &[&Flow], page: PageKind) -> Vec<PlainRow> {
    let Some(thing) = page.thing() else { return Vec::new() };
    let workspace = &home.workspace;
    let number = |n: usize| home.manner.number(n as u64);
    let row = |name: &SmolStr, cells: Vec<String>| PlainRow {
        name: name.clone(),
        cells,
        uses: uses(flow, home, others, thing, name),
    };
    match page {
        PageKind::Events => {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for event in &home.audience.events {
                *counts.entry(event.name.as_str()).or_default() += 1;
            }
            let rows = workspace.events.iter().map(|event| {
                let moment = serde_word(&event.moment);
                let properties: Vec<&str> = event.properties.keys().map(SmolStr::as_str).collect();
                let klaviyo = event.klaviyo.clone().unwrap_or_else(|| event.name.to_string());
                let count = counts.get(event.name.as_str()).copied().unwrap_or(0);
                let hubspot = event.hubspot.clone().unwrap_or_default();
                row(&event.name, vec![moment, properties.join(", "), klaviyo, hubspot, number(count)])
            });
            rows.collect()
        }
        PageKind::Lists => {
            let on = |list: &SmolStr| home.audience.contacts.iter().filter(|c| c.lists.contains(list)).count();
            workspace.lists.iter().map(|list| row(list, vec![number(on(list))])).collect()
        }
        PageKind::Senders => {
            let cells = |sender: &crate::flow::Sender| {
                vec![sender.name.clone(), sender.email.clone(), sender.reply_to.clone().unwrap_or_default()]
            };
            workspace.senders.iter().map(|sender| row(&sender.id, cells(sender))).collect()
        }
        PageKind::Pools => {
            let rows = workspace.code_pools.iter().map(|pool| {
                let codes = match (&pool.shared, pool.codes.len()) {
                    (Some(shared), _) => format!("{shared} for everybody"),
                    (None, 1) => "1 code".to_owned(),
                    (None, n) => format!("{} codes", number(n)),
                };
                row(&pool.name, vec![codes, pool.klaviyo.clone().unwrap_or_else(|| pool.name.to_string())])
            });
            rows.collect()
        }
        PageKind::Constants => {
            let constants = flow.settings().constants;
            constants.iter().map(|(name, value)| row(name, vec![super::people::short(value)])).collect()
        }
        _ => Vec::new(),
    }
}

/// The word of a bare enum in files, as people read it.
fn serde_word(value: &impl serde::Serialize) -> String {
    crate::kinds::ron_options().to_string(value).map(|word| title(&word)).unwrap_or_default()
}

/// A use in the flow, as a page shows it.
pub fn used_by(found: &fields_use::Use) -> UsedBy {
    let node = match &found.spot {
        Spot::Step { id, .. } => Some(id.clone()),
        Spot::Message { sent_by, .. } => sent_by.clone(),
        Spot::Field(_) | Spot::Settings(_) => None,
    };
    UsedBy { words: super::tags::use_in_words(found), node }
}

/// Where something is used: in the flow, in the other flows, in the workspace file.
pub fn uses(flow: &Flow, home: &Home, others: &[&Flow], thing: Thing, name: &str) -> Vec<UsedBy> {
    let mut out: Vec<UsedBy> = fields_use::uses(flow, thing, name).iter().map(used_by).collect();
    let mut own = |words: String| out.push(UsedBy { words, node: None });
    if !crate::app::rename::is_of_flow(thing) {
        for other in others {
            let places = match fields_use::uses(other, thing, name).len() {
                0 => continue,
                1 => "1 place".to_owned(),
                n => format!("{n} places"),
            };
            own(format!("Flow \u{201c}{}\u{201d}: {places}", other.name));
        }
    }
    let mut caps = 0;
    let mut last = String::new();
    for (literal, _) in fields_use::in_workspace(&home.source, thing, name) {
        let mut steps = literal.path.split('.');
        let words = match (steps.next(), steps.next()) {
            (Some("segments"), _) => {
                format!("Segment \u{201c}{}\u{201d}", literal.path.strip_prefix("segments.").unwrap_or_default())
            }
            (Some("scores"), Some(at)) => {
                let model = at.parse::<usize>().ok().and_then(|at| home.workspace.scores.get(at));
                format!("Score model \u{201c}{}\u{201d}", model.map_or(at, |model| model.name.as_str()))
            }
            _ => {
                caps += 1;
                continue;
            }
        };
        // One model may use it in several signals.
        if last != words {
            own(words.clone());
        }
        last = words;
    }
    if caps > 0 {
        own(format!("Caps of the workspace: {caps}"));
    }
    out
}
