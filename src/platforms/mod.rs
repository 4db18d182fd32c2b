//! What a flow becomes elsewhere: Klaviyo, HubSpot, and a pinned version for the engine that ships with Flowloom.
//!
//! The one idea: nothing is lost in silence. Whatever a target says differently or not at all is a [`Loss`] with a
//! place and a remedy; names that only an account can resolve are visible placeholders, listed in `ids.json`.
//! Deliberately not here: opening files (callers get bytes). Talking to accounts is `push` alone (feature `push`).

mod daily;
pub mod engine;
mod folder;
pub mod hubspot;
mod images;
pub mod import;
pub mod kept;
pub mod klaviyo;
mod languages;
mod normal;
mod people;
mod plan;
#[cfg(feature = "push")]
pub mod push;
mod templates;

pub use self::templates::coupon;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    audience::{Audience, Channel, ValueType},
    base::{Diagnostic, Place, Span, Weekday, Weekdays, Window},
    content::Variant,
    flow::{Flow, Target, Workspace},
    kinds::{Foreign, triggers::foreign::ForeignTrigger},
};

/// How far a target goes along with something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// It is there, but differs in time, audience or content.
    Approximate,
    /// The target has nothing for it.
    NotPossible,
}

impl LossKind {
    /// What people read.
    pub fn title(self) -> &'static str {
        match self {
            Self::Approximate => "approximate",
            Self::NotPossible => "not possible",
        }
    }
}

/// Something that a target says differently, or cannot say.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Loss {
    /// How far it goes.
    pub kind: LossKind,
    /// Area and name: `klaviyo/score`.
    pub code: &'static str,
    /// Where in the flow.
    pub place: Place,
    /// What is lost, in numbers where possible; one sentence without full stop.
    pub message: String,
    /// What to do instead; one sentence.
    pub remedy: String,
}

/// A name that only the client's account can turn into an id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Unresolved {
    /// What it is: `metric:Started Checkout`.
    pub key: String,
    /// What stands in the files instead: `METRIC:Started Checkout`.
    pub placeholder: String,
    /// How to find the id.
    pub how: String,
}

/// An exported flow.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Export {
    /// Relative paths with `/` and their bytes, sorted by path; the same flow gives the same bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// What is not exact.
    pub losses: Vec<Loss>,
    /// What must be resolved in the account.
    pub unresolved: Vec<Unresolved>,
    /// What the self-check of the produced bodies found, and what the templates say.
    pub diagnostics: Vec<Diagnostic>,
}

/// A mail as one contact of the audience gets it, for the client to compare with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sample {
    /// Which message.
    pub message: String,
    /// Which variant of it.
    pub variant: String,
    /// What the contact stands for: `filled`, `typical`, `emptiest`.
    pub whom: &'static str,
    /// The contact's id.
    pub contact: String,
    /// The subject; empty for an SMS.
    pub subject: String,
    /// The line after it.
    pub preheader: String,
    /// The HTML part; empty for an SMS.
    pub html: String,
    /// The plain text, or the SMS.
    pub text: String,
}

impl Export {
    /// The same with mails as people get them, in `sample/`.
    #[must_use]
    pub fn with_samples(mut self, samples: Vec<Sample>) -> Self {
        folder::add_samples(&mut self.files, samples);
        self
    }

    /// The file at a path.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.iter().find(|(name, _)| name == path).map(|(_, bytes)| bytes.as_slice())
    }
}

/// How a kind fares on a target when it is used plainly. [`FIDELITY`] is frozen by a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fidelity {
    /// The same to the contact.
    Exact,
    /// Differs in time, audience or content.
    Approximate,
    /// There is nothing like it.
    None,
}

use Fidelity::{Approximate, Exact, None as Nothing};

/// Every kind of the catalogue: how it fares on Klaviyo, on HubSpot, and why where it is not exact.
pub const FIDELITY: &[(&str, Fidelity, Fidelity, &str)] = &[
    ("trigger", Exact, Exact, "several alternatives become several flows where one cannot hold them"),
    ("event", Exact, Exact, "filters that mix event and contact become a first split"),
    (
        "abandonment",
        Approximate,
        Approximate,
        "another A restarts the clock by a second pass in Klaviyo, not at all in HubSpot; carts cannot be told apart",
    ),
    (
        "engagement",
        Approximate,
        Approximate,
        "counts hold, but not for the same product; HubSpot's guide allows a count or a window, not both",
    ),
    (
        "score",
        Nothing,
        Nothing,
        "neither weighs events; the shop has to send the crossing as an event or keep the points as a property",
    ),
    (
        "segment",
        Approximate,
        Approximate,
        "Klaviyo mails only who is still in the segment; HubSpot asks the condition itself",
    ),
    ("list", Exact, Approximate, "HubSpot: the shape of a list trigger was read from live workflows, not promised"),
    ("date", Exact, Approximate, "HubSpot counts in the account's zone, not the contact's"),
    (
        "inactivity",
        Approximate,
        Approximate,
        "Klaviyo starts from an event, so contacts who never did any are left out; HubSpot enrols again on a change only",
    ),
    ("delay", Exact, Exact, "spans from the previous step are exact; times of day, windows and dates are not"),
    ("wait_for_event", Approximate, Approximate, "Klaviyo always waits the whole time; HubSpot does not look back"),
    ("condition", Exact, Exact, "as far as its parts can be asked there"),
    ("branch", Exact, Exact, "as far as its parts can be asked there"),
    (
        "split",
        Approximate,
        Approximate,
        "shares in whole percents, dealt by the platform's own chance; no automatic winner",
    ),
    ("cap", Exact, Approximate, "HubSpot's guide allows a count or a window, not both"),
    ("goal", Nothing, Nothing, "a goal in the middle of a path is not counted; the flow's goal condition is exported"),
    ("exit", Exact, Exact, "the reason is not kept"),
    ("note", Exact, Exact, "notes stay with the flow"),
    ("email", Exact, Exact, "HubSpot mails must be published by hand before the workflow can send them"),
    ("sms", Exact, Nothing, "the fields of HubSpot's SMS action are not public"),
    ("webhook", Approximate, Approximate, "neither branches on the answer; HubSpot sends its own body"),
    ("update_contact", Exact, Exact, "fixed values; Klaviyo neither copies nor adds"),
    ("list_update", Approximate, Exact, "which way Klaviyo's switch points is not documented"),
    ("internal_alert", Exact, Approximate, "HubSpot alerts go to users of the account, not to addresses"),
];

/// What a target needs to know to be exported to. Each lives in its folder and matches on every kind.
trait Platform {
    /// Writes the flow.
    fn export(
        &self,
        flow: &Flow,
        workspace: &Workspace,
        people: Option<people::People>,
    ) -> Result<Export, Vec<Diagnostic>>;
}

/// Writes a flow as a target takes it.
///
/// Errors: what keeps the flow from being exported at all (broken graph, unreadable parts, no trigger). What a target
/// cannot do is never an error, it is in [`Export::losses`].
pub fn export(target: Target, flow: &Flow, workspace: &Workspace) -> Result<Export, Vec<Diagnostic>> {
    export_for(target, flow, workspace, None)
}

/// As [`export`]; losses say how many people of the audience they concern, where that can be counted.
///
/// Errors: as there.
pub fn export_for(
    target: Target,
    flow: &Flow,
    workspace: &Workspace,
    audience: Option<&Audience>,
) -> Result<Export, Vec<Diagnostic>> {
    let people = audience.filter(|audience| !audience.contacts.is_empty()).map(people::People::of);
    match target {
        Target::Klaviyo => klaviyo::Klaviyo.export(flow, workspace, people),
        Target::Hubspot => hubspot::Hubspot.export(flow, workspace, people),
        Target::Engine => engine::Engine.export(flow, workspace, people),
    }
}

/// What `check --target` says: every loss as a warning, and what the self-check of the produced bodies found.
///
/// A flow that cannot be exported at all gives its errors.
pub fn losses(target: Target, flow: &Flow, workspace: &Workspace, audience: Option<&Audience>) -> Vec<Diagnostic> {
    match export_for(target, flow, workspace, audience) {
        Ok(export) => {
            let losses = export.losses.into_iter();
            let losses = losses.map(|l| Diagnostic::warning(l.code, l.place, l.message).hint(l.remedy));
            losses.chain(export.diagnostics).collect()
        }
        Err(errors) => errors,
    }
}

/// The loss of what only another platform has.
fn foreign_code(target: Target) -> &'static str {
    match target {
        Target::Klaviyo => "klaviyo/foreign",
        Target::Hubspot => "hubspot/foreign",
        Target::Engine => "engine/foreign",
    }
}

/// Mails whose template only another platform has (an import without its templates): elsewhere they would be empty.
pub fn only_elsewhere(flow: &Flow, target: Target) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for node in &flow.nodes {
        let Some((message, _)) = node.settings().and_then(|settings| settings.message()) else { continue };
        let Some(message) = flow.message(message.as_str()).filter(|message| message.channel == Channel::Email) else {
            continue;
        };
        let origins = message.variants.iter().filter_map(Variant::only_at);
        let Some(origin) = origins.into_iter().find(|origin| templates::origin(target) != Some(*origin)) else {
            continue;
        };
        let (of, target) = (origin.title(), target.title());
        let found = Diagnostic::error(
            "export/only-elsewhere",
            Place::message(&message.id).with_field("body"),
            format!("Only {of} has the template of the message `{}`, so it would be empty in {target}", message.id),
        );
        let found = found.hint("Import the flow again with its templates, or write the mail here");
        if !out.contains(&found) {
            out.push(found);
        }
    }
    out
}

/// What keeps a flow from being exported to a target.
fn obstacles(flow: &Flow, target: Target) -> Vec<Diagnostic> {
    let mut out = only_elsewhere(flow, target);
    out.extend(flow.invariants());
    out.retain(|d| d.severity == crate::base::Severity::Error);
    if flow.settings.value().is_none() {
        out.push(Diagnostic::error(
            "export/unreadable",
            Place::default().with_field("settings"),
            "The settings of the flow cannot be read",
        ));
    }
    for node in &flow.nodes {
        if node.settings().is_none() {
            out.push(
                Diagnostic::error(
                    "export/unreadable",
                    Place::node(&node.id),
                    format!("Step `{}` cannot be read", node.id),
                )
                .hint("Mend its settings, or take it out; `check` says what is wrong"),
            );
        }
        let conditions = node.settings().map(|s| s.conditions()).unwrap_or_default();
        let faulty = conditions.into_iter().filter(|(_, text)| !text.parsed().errors.is_empty());
        out.extend(faulty.map(|(field, text)| unreadable_condition(Place::node(&node.id).with_field(field), text)));
        if let Some((message, _)) = node.settings().and_then(|s| s.message())
            && flow.message(message.as_str()).is_none()
        {
            out.push(
                Diagnostic::error(
                    "export/no-message",
                    Place::node(&node.id),
                    format!("Message `{message}` is missing or cannot be read"),
                )
                .hint("Write the message, or choose another one"),
            );
        }
    }
    for (name, text) in flow.settings().conditions() {
        if !text.parsed().errors.is_empty() {
            out.push(unreadable_condition(Place::default().with_field(format!("settings.{name}")), text));
        }
    }
    let alternatives = flow.trigger().and_then(|node| match node.settings() {
        Some(crate::kinds::Settings::Trigger(trigger)) => Some(trigger.any.len()),
        _ => None,
    });
    if alternatives.unwrap_or(0) == 0 {
        out.push(
            Diagnostic::error("export/no-trigger", Place::default(), "The flow has no trigger")
                .hint("Say what lets contacts in"),
        );
    }
    out
}

fn unreadable_condition(place: Place, text: &crate::audience::ConditionText) -> Diagnostic {
    let error = text.parsed().errors.first();
    let message = error.map_or("", |e| e.message.as_str());
    let mut place = place;
    place.range = error.map(|e| e.range);
    Diagnostic::error("export/condition", place, format!("A condition cannot be read: {message}"))
        .hint("Mend the condition; `check` points at the letter")
}

/// What an exporter notes while it writes: losses once each, and names to resolve.
#[derive(Debug, Default)]
struct Notes {
    /// The people of the audience, where there is one.
    people: Option<people::People>,
    losses: Vec<Loss>,
    unresolved: BTreeMap<String, Unresolved>,
    /// Contact properties that must exist first, with their types where known (HubSpot).
    properties: BTreeMap<String, Option<ValueType>>,
    /// Custom events that must exist first, with their names there (HubSpot).
    events: BTreeMap<String, String>,
    diagnostics: Vec<Diagnostic>,
    /// What keeps the flow from being exported after all.
    obstacles: Vec<Diagnostic>,
    /// Messages in the target's language, by message and variant.
    templates: BTreeMap<(String, String), templates::Template>,
    /// HTML that goes back to its platform as it came.
    kept_html: BTreeSet<String>,
}

impl Notes {
    fn new(people: Option<people::People>) -> Self {
        Self { people, ..Self::default() }
    }

    /// Such as ` (3 of 60 sample contacts)`; nothing where there is no audience, or nobody is concerned.
    fn counted(&self, count: impl FnOnce(&people::People) -> usize) -> String {
        self.people.as_ref().map_or_else(String::new, |people| people.share(count(people)))
    }

    fn approximate(&mut self, code: &'static str, place: Place, message: impl Into<String>, remedy: impl Into<String>) {
        self.loss(LossKind::Approximate, code, place, message.into(), remedy.into());
    }

    fn impossible(&mut self, code: &'static str, place: Place, message: impl Into<String>, remedy: impl Into<String>) {
        self.loss(LossKind::NotPossible, code, place, message.into(), remedy.into());
    }

    /// A step that only another platform knows (or that this one's exporter cannot place) is left out.
    fn foreign_step(&mut self, target: Target, step: &Foreign, place: Place) {
        let (code, of) = (foreign_code(target), step.origin.title());
        self.impossible(
            code,
            place,
            format!(
                "{} has nothing for {of}'s step `{}`, so it is left out and the path goes on",
                target.title(),
                step.action
            ),
            "Draw what it does with other steps, or take it out",
        );
    }

    /// What an import kept of another platform does not go to this one.
    fn kept_elsewhere(&mut self, target: Target, flow: &Flow) {
        let code = match target {
            Target::Klaviyo => "klaviyo/kept-elsewhere",
            Target::Hubspot => "hubspot/kept-elsewhere",
            Target::Engine => "engine/kept-elsewhere",
        };
        let settings = flow.settings();
        for kept in settings.kept.iter().filter(|kept| kept.origin.title() != target.title()) {
            let place = match &kept.node {
                Some(node) if flow.node(node.as_str()).is_none() => continue,
                Some(node) => Place::node(node),
                None => Place::default().with_field("settings"),
            };
            let (origin, target) = (kept.origin.title(), target.title());
            self.approximate(
                code,
                place,
                format!("{origin} says more here than the flow does, and {target} does not get it"),
                format!("Compare with {origin}, and draw what matters"),
            );
        }
    }

    /// A trigger that only another platform knows.
    fn foreign_trigger(&mut self, target: Target, trigger: &ForeignTrigger, place: &Place) {
        self.impossible(
            foreign_code(target),
            place.clone(),
            format!(
                "{} has nothing for {}'s trigger `{}`, so nobody enters",
                target.title(),
                trigger.origin.title(),
                trigger.trigger
            ),
            "Choose a trigger that both know",
        );
    }

    fn loss(&mut self, kind: LossKind, code: &'static str, place: Place, message: String, remedy: String) {
        let loss = Loss { kind, code, place, message, remedy };
        // A step that is written twice (copied tails, several alternatives) loses the same thing once.
        if !self.losses.contains(&loss) {
            self.losses.push(loss);
        }
    }

    /// The id of a name, or a placeholder that is noted. `kind` is small letters: `metric`.
    fn id(&mut self, ids: &BTreeMap<String, String>, kind: &str, name: &str, how: impl FnOnce() -> String) -> String {
        let key = format!("{kind}:{name}");
        if let Some(id) = ids.get(&key) {
            return id.clone();
        }
        let placeholder = format!("{}:{name}", kind.to_uppercase());
        let entry = self.unresolved.entry(key.clone());
        entry.or_insert_with(|| Unresolved { key, placeholder: placeholder.clone(), how: how() });
        placeholder
    }

    /// The export, with the pages that lie beside the bodies.
    fn into_export(
        mut self,
        mut files: BTreeMap<String, Vec<u8>>,
        about: &folder::About<'_>,
    ) -> Result<Export, Vec<Diagnostic>> {
        if !self.obstacles.is_empty() {
            return Err(self.obstacles);
        }
        images::lint(&files, &mut self);
        let unresolved: Vec<Unresolved> = self.unresolved.into_values().collect();
        let mut losses = self.losses;
        let order: BTreeMap<&str, usize> =
            about.flow.nodes.iter().enumerate().map(|(n, node)| (node.id.as_str(), n)).collect();
        let rank = |place: &Place| place.node.as_deref().map_or(0, |id| order.get(id).map_or(usize::MAX, |n| n + 1));
        losses.sort_by_key(|loss| rank(&loss.place));
        folder::add(&mut files, about, &losses, &unresolved);
        Ok(Export { files: files.into_iter().collect(), losses, unresolved, diagnostics: self.diagnostics })
    }
}

/// JSON as files hold it: two spaces, final newline.
fn json_bytes(value: &serde_json::Value) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// A span cut into the units that platforms know, from the large to the small: months as 30 days, seconds rounded up to
/// a minute. The second value says what that cost, in words; empty where nothing.
fn parts_of(span: Span) -> (Vec<(i64, Unit)>, String) {
    const MINUTE: i64 = 60_000;
    let mut cost = Vec::new();
    let mut days = i64::from(span.days);
    if span.months != 0 {
        days += i64::from(span.months) * 30;
        cost.push(format!("{} calendar months are counted as {} days", span.months, i64::from(span.months) * 30));
    }
    let mut millis = span.millis;
    if (days > 0 && millis < 0) || (days < 0 && millis > 0) {
        millis += days * 24 * 60 * MINUTE;
        days = 0;
        cost.push("calendar days are counted as 24 hours, which differs by an hour where the clocks change".to_owned());
    }
    if millis % MINUTE != 0 {
        cost.push(format!("{} s are rounded up to a whole minute", (millis % MINUTE) / 1000));
        millis += MINUTE - millis.rem_euclid(MINUTE);
    }
    let minutes = millis / MINUTE;
    let mut parts = Vec::new();
    if days > 0 {
        parts.push((days, Unit::Days));
    }
    if minutes > 0 {
        parts.push(if minutes % 60 == 0 { (minutes / 60, Unit::Hours) } else { (minutes, Unit::Minutes) });
    }
    (parts, cost.join(", "))
}

/// The most days in a row that are not among these; none where all are.
fn days_off(days: Weekdays) -> i32 {
    let (mut longest, mut run) = (0, 0);
    // Twice round, since a run may pass the end of the week.
    for day in Weekday::ALL.into_iter().chain(Weekday::ALL) {
        run = if days.has(day) { 0 } else { run + 1 };
        longest = longest.max(run);
    }
    longest % 14
}

/// How long a window is shut at most, in hours.
fn shut_hours(window: Window) -> f64 {
    let open = (window.until.minutes() - window.from.minutes()).rem_euclid(1440);
    f64::from(1440 - open + 1440 * days_off(window.weekdays)) / 60.0
}

/// A unit of a delay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unit {
    Minutes,
    Hours,
    Days,
}

impl Unit {
    fn plural(self) -> &'static str {
        match self {
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
        }
    }
}

/// A name as a property of a platform: small letters, digits, underscore, no leading digit, at most 80 letters.
fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('_') && !out.is_empty() {
            out.push('_');
        }
    }
    let mut out: String = out.trim_end_matches('_').chars().take(80).collect();
    if out.is_empty() || out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert_str(0, "p_");
    }
    out
}

/// Whole percents of weights, adding up to 100 (largest remainder first, then order).
fn whole_percents(weights: &[f64]) -> Vec<u32> {
    let weights: Vec<f64> = weights.iter().map(|w| if w.is_finite() { w.max(0.0) } else { 0.0 }).collect();
    let total: f64 = weights.iter().sum();
    if total <= 0.0 {
        return weights.iter().map(|_| 0).collect();
    }
    let exact: Vec<f64> = weights.iter().map(|w| w * 100.0 / total).collect();
    let mut out: Vec<u32> = exact.iter().map(|p| p.floor() as u32).collect();
    let mut rest = 100_u32.saturating_sub(out.iter().sum());
    let mut order: Vec<usize> = (0..out.len()).collect();
    order.sort_by(|a, b| (exact[*b].fract()).total_cmp(&exact[*a].fract()).then(a.cmp(b)));
    for idx in order {
        if rest == 0 {
            break;
        }
        out[idx] += 1;
        rest -= 1;
    }
    out
}

/// A name that is not taken yet: itself, else with `:2`, `:3`, …
fn unique(taken: &mut BTreeSet<String>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    let mut n = 2;
    while !taken.insert(name.clone()) {
        name = format!("{wanted}:{n}");
        n += 1;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_kind() {
        let kinds: Vec<&str> = crate::kinds::CATALOGUE.iter().map(|spec| spec.name).collect();
        let table: Vec<&str> = FIDELITY.iter().map(|row| row.0).collect();
        assert_eq!(kinds, table);
        for (kind, klaviyo, hubspot, why) in FIDELITY {
            assert!((*klaviyo == Exact && *hubspot == Exact) || !why.is_empty(), "{kind}");
        }
    }

    #[test]
    fn spans_in_units() {
        let check = |text: &str, expected: &[(i64, Unit)], exact: bool| {
            let span: Span = text.parse().expect(text);
            let (parts, cost) = parts_of(span);
            assert_eq!((parts.as_slice(), cost.is_empty()), (expected, exact), "{text}: {cost}");
        };
        check("4 h", &[(4, Unit::Hours)], true);
        check("90 min", &[(90, Unit::Minutes)], true);
        check("1 day 4 h", &[(1, Unit::Days), (4, Unit::Hours)], true);
        check("2 weeks", &[(14, Unit::Days)], true);
        check("1 month", &[(30, Unit::Days)], false);
        check("90 s", &[(2, Unit::Minutes)], false);
        check("0 h", &[], true);
        let (parts, _) = parts_of(Span { months: 0, days: 1, millis: -4 * 3_600_000 });
        assert_eq!(parts, [(20, Unit::Hours)]);
    }

    #[test]
    fn percents_and_slugs() {
        assert_eq!(whole_percents(&[1.0, 1.0, 1.0]), [34, 33, 33]);
        assert_eq!(whole_percents(&[33.4, 33.3, 33.3]), [34, 33, 33]);
        assert_eq!(whole_percents(&[0.0, 0.0]), [0, 0]);
        assert_eq!(slug("Favourite colour"), "favourite_colour");
        assert_eq!(slug("24 h"), "p_24_h");
    }
}
