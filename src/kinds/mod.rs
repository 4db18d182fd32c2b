//! Node kinds, one file each, and their catalogue.
//!
//! The one idea: a kind sees its settings and one contact, never its neighbours. From the catalogue follow palette,
//! inspector, search, `flowloom kinds`, checks, simulator and engine; only exporters match on every kind.
//! Deliberately not here: the graph (`flow`), and the rules that join steps to journeys (`journey`).

pub mod actions;
pub mod logic;
pub mod prepared;
pub mod runtime;
pub mod spec;
pub mod triggers;

use serde::Serialize;
use smol_str::SmolStr;

pub use actions::{
    Cooldown, CooldownFrom, OnCap, OnCooldown, email::Email, foreign::Foreign, internal_alert::InternalAlert,
    list_update::ListUpdate, sms::Sms, update_contact::UpdateContact, webhook::Webhook,
};
pub use logic::{
    branch::Branch,
    cap::{CapRule, Limit, MOST_IN_24_H, Scope},
    condition::ConditionNode,
    delay::{Anchor, Delay, Wait},
    exit::Exit,
    goal::Goal,
    note::Note,
    split::Split,
    wait_for_event::{LookBack, WaitForEvent},
};
pub use spec::{Case, CaseBody, Docs, Editor, FieldSpec, Group, ListSpec, NEXT, Port, Spec};
pub use triggers::{Alternative, EventMatch, Trigger};

use crate::{
    audience::{Channel, ConditionText},
    base::{Diagnostic, MessageId, Place},
};

/// The trigger node's own entry; its alternatives are the kinds of [`Group::Trigger`].
pub const TRIGGER: Spec = Spec {
    name: "trigger",
    title: "Trigger",
    group: Group::Trigger,
    icon: "bolt",
    search: &["entry", "start", "when"],
    ports: &["next"],
    docs: Docs {
        what: "The one way into the flow, with one or more alternatives; the first to fire enters.",
        why: "Several signs can mean the same: checkout expired, or cart untouched.",
        source: "SEMANTICS R7",
    },
    fields: &[spec::field("any", "Any of", "The alternatives.", Editor::List(&triggers::ALTERNATIVES))],
    example: r#"(any: [event(event: "Started Checkout")])"#,
};

/// Every kind, in the order of the palette: the trigger node, trigger kinds, logic, actions.
pub const CATALOGUE: &[Spec] = &[
    TRIGGER,
    triggers::event::SPEC,
    triggers::abandonment::SPEC,
    triggers::engagement::SPEC,
    triggers::score::SPEC,
    triggers::segment::SPEC,
    triggers::list::SPEC,
    triggers::date::SPEC,
    triggers::inactivity::SPEC,
    logic::delay::SPEC,
    logic::wait_for_event::SPEC,
    logic::condition::SPEC,
    logic::branch::SPEC,
    logic::split::SPEC,
    logic::cap::SPEC,
    logic::goal::SPEC,
    logic::exit::SPEC,
    logic::note::SPEC,
    actions::email::SPEC,
    actions::sms::SPEC,
    actions::webhook::SPEC,
    actions::update_contact::SPEC,
    actions::list_update::SPEC,
    actions::internal_alert::SPEC,
];

/// What is known about a kind by its name: the catalogue, and what only imports make.
pub fn spec_of(kind: &str) -> Option<&'static Spec> {
    CATALOGUE.iter().chain([&actions::foreign::SPEC]).find(|spec| spec.name == kind)
}

/// RON as Flowloom reads and writes it: `Some` is implied, newtype variants are unwrapped.
pub fn ron_options() -> ron::Options {
    use ron::extensions::Extensions;
    ron::Options::default()
        .with_default_extension(
            Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES,
        )
        .with_recursion_limit(96)
}

/// The settings of a node, by kind.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub enum Settings {
    /// The trigger node.
    Trigger(Trigger),
    /// Delay.
    Delay(Delay),
    /// Wait for event.
    WaitForEvent(WaitForEvent),
    /// Condition.
    Condition(ConditionNode),
    /// Branch.
    Branch(Branch),
    /// A/B split.
    Split(Split),
    /// Cap.
    Cap(CapRule),
    /// Goal.
    Goal(Goal),
    /// Exit.
    Exit(Exit),
    /// Note.
    Note(Note),
    /// E-mail.
    Email(Email),
    /// SMS.
    Sms(Sms),
    /// Webhook.
    Webhook(Webhook),
    /// Update contact.
    UpdateContact(UpdateContact),
    /// Lists.
    ListUpdate(ListUpdate),
    /// Internal alert.
    InternalAlert(InternalAlert),
    /// A step that only the platform it was imported from knows.
    Foreign(Foreign),
}

/// Why settings could not be read.
#[derive(Clone, PartialEq, Debug)]
pub enum SettingsError {
    /// No kind has this name.
    UnknownKind,
    /// The text does not fit the kind.
    Unreadable {
        /// What is wrong.
        message: String,
        /// Line and column inside the settings, from 1.
        line_column: (usize, usize),
    },
}

macro_rules! by_kind {
    ($self:expr, $settings:ident => $body:expr) => {
        match $self {
            Settings::Trigger($settings) => $body,
            Settings::Delay($settings) => $body,
            Settings::WaitForEvent($settings) => $body,
            Settings::Condition($settings) => $body,
            Settings::Branch($settings) => $body,
            Settings::Split($settings) => $body,
            Settings::Cap($settings) => $body,
            Settings::Goal($settings) => $body,
            Settings::Exit($settings) => $body,
            Settings::Note($settings) => $body,
            Settings::Email($settings) => $body,
            Settings::Sms($settings) => $body,
            Settings::Webhook($settings) => $body,
            Settings::UpdateContact($settings) => $body,
            Settings::ListUpdate($settings) => $body,
            Settings::InternalAlert($settings) => $body,
            Settings::Foreign($settings) => $body,
        }
    };
}

impl Settings {
    /// Reads the settings of a kind from RON.
    ///
    /// Errors: an unknown kind, or what RON says, with line and column inside the text.
    pub fn read(kind: &str, ron: &str) -> Result<Self, SettingsError> {
        fn parse<T: serde::de::DeserializeOwned>(ron: &str) -> Result<T, SettingsError> {
            ron_options().from_str(ron).map_err(|error| SettingsError::Unreadable {
                message: error.code.to_string(),
                line_column: (error.span.start.line, error.span.start.col),
            })
        }
        Ok(match kind {
            "trigger" => Self::Trigger(parse(ron)?),
            "delay" => Self::Delay(parse(ron)?),
            "wait_for_event" => Self::WaitForEvent(parse(ron)?),
            "condition" => Self::Condition(parse(ron)?),
            "branch" => Self::Branch(parse(ron)?),
            "split" => Self::Split(parse(ron)?),
            "cap" => Self::Cap(parse(ron)?),
            "goal" => Self::Goal(parse(ron)?),
            "exit" => Self::Exit(parse(ron)?),
            "note" => Self::Note(parse(ron)?),
            "email" => Self::Email(parse(ron)?),
            "sms" => Self::Sms(parse(ron)?),
            "webhook" => Self::Webhook(parse(ron)?),
            "update_contact" => Self::UpdateContact(parse(ron)?),
            "list_update" => Self::ListUpdate(parse(ron)?),
            "internal_alert" => Self::InternalAlert(parse(ron)?),
            "foreign" => Self::Foreign(parse(ron)?),
            _ => return Err(SettingsError::UnknownKind),
        })
    }

    /// The settings as RON, as a file holds them.
    pub fn to_ron(&self) -> String {
        let pretty = ron::ser::PrettyConfig::new().depth_limit(3).indentor("    ".to_owned());
        // Every settings type is a plain tree of serialisable values, which RON can always write.
        by_kind!(self, settings => ron_options().to_string_pretty(settings, pretty)).unwrap_or_else(|_| "()".to_owned())
    }

    /// The catalogue entry of its kind.
    pub fn spec(&self) -> &'static Spec {
        match self {
            Self::Trigger(_) => &TRIGGER,
            Self::Delay(_) => &logic::delay::SPEC,
            Self::WaitForEvent(_) => &logic::wait_for_event::SPEC,
            Self::Condition(_) => &logic::condition::SPEC,
            Self::Branch(_) => &logic::branch::SPEC,
            Self::Split(_) => &logic::split::SPEC,
            Self::Cap(_) => &logic::cap::SPEC,
            Self::Goal(_) => &logic::goal::SPEC,
            Self::Exit(_) => &logic::exit::SPEC,
            Self::Note(_) => &logic::note::SPEC,
            Self::Email(_) => &actions::email::SPEC,
            Self::Sms(_) => &actions::sms::SPEC,
            Self::Webhook(_) => &actions::webhook::SPEC,
            Self::UpdateContact(_) => &actions::update_contact::SPEC,
            Self::ListUpdate(_) => &actions::list_update::SPEC,
            Self::InternalAlert(_) => &actions::internal_alert::SPEC,
            Self::Foreign(_) => &actions::foreign::SPEC,
        }
    }

    /// Its ports, in order. Arms are named in the settings.
    pub fn ports(&self) -> Vec<Port> {
        use logic::{branch, cap, condition, wait_for_event};
        match self {
            Self::Exit(_) | Self::Note(_) => Vec::new(),
            Self::WaitForEvent(_) => {
                vec![Port::new(wait_for_event::HAPPENED, "Happened"), Port::new(wait_for_event::TIMED_OUT, "Timed out")]
            }
            Self::Condition(_) => vec![Port::new(condition::YES, "Yes"), Port::new(condition::NO, "No")],
            Self::Branch(b) => {
                let arms = b.arms.iter().map(|arm| Port::new(&arm.name, arm.name.as_str()));
                arms.chain([Port::new(branch::ELSE, "Everyone else")]).collect()
            }
            Self::Split(s) => {
                s.arms.iter().map(|arm| Port::new(&arm.name, format!("{} · {} %", arm.name, arm.weight))).collect()
            }
            Self::Cap(_) => vec![Port::new(cap::UNDER, "Under"), Port::new(cap::CAPPED, "Capped")],
            Self::Webhook(_) => {
                vec![Port::new(actions::webhook::DONE, "Done"), Port::new(actions::webhook::FAILED, "Failed")]
            }
            Self::Foreign(f) => {
                let title = |port: &SmolStr| if port == NEXT { "Next".to_owned() } else { port.to_string() };
                f.ports.iter().map(|port| Port::new(port, title(port))).collect()
            }
            _ => vec![Port::next()],
        }
    }

    /// The message it sends, with its channel.
    pub fn message(&self) -> Option<(&MessageId, Channel)> {
        match self {
            Self::Email(email) => Some((&email.message, Channel::Email)),
            Self::Sms(sms) => Some((&sms.message, Channel::Sms)),
            _ => None,
        }
    }

    /// Every condition in it, with the name of its field.
    pub fn conditions(&self) -> Vec<(String, &ConditionText)> {
        let mut out = Vec::new();
        fn matches<'a>(name: &str, list: &'a [EventMatch], out: &mut Vec<(String, &'a ConditionText)>) {
            for (n, m) in list.iter().enumerate() {
                out.extend(m.filter.as_ref().map(|f| (format!("{name}.{n}.filter"), f)));
            }
        }
        match self {
            Self::Trigger(trigger) => {
                for (n, alternative) in trigger.any.iter().enumerate() {
                    let name = format!("any.{n}.filter");
                    match alternative {
                        Alternative::Event(t) => out.extend(t.filter.as_ref().map(|f| (name, f))),
                        Alternative::Abandonment(t) => {
                            out.extend(t.filter.as_ref().map(|f| (name, f)));
                            matches(&format!("any.{n}.unless"), &t.unless, &mut out);
                        }
                        Alternative::Engagement(t) => {
                            out.extend(t.filter.as_ref().map(|f| (name, f)));
                            matches(&format!("any.{n}.unless"), &t.unless, &mut out);
                        }
                        Alternative::Score(_)
                        | Alternative::Segment(_)
                        | Alternative::List(_)
                        | Alternative::Date(_)
                        | Alternative::Inactivity(_)
                        | Alternative::Foreign(_) => {}
                    }
                }
            }
            Self::WaitForEvent(wait) => out.extend(wait.filter.as_ref().map(|f| ("filter".to_owned(), f))),
            Self::Condition(node) => out.push(("condition".to_owned(), &node.condition)),
            Self::Branch(branch) => {
                out.extend(
                    branch.arms.iter().enumerate().map(|(n, arm)| (format!("arms.{n}.condition"), &arm.condition)),
                );
            }
            _ => {}
        }
        out
    }

    /// Faults visible in the settings alone.
    pub fn check(&self, place: &Place, out: &mut Vec<Diagnostic>) {
        match self {
            Self::Delay(s) => s.check(place, out),
            Self::WaitForEvent(s) => s.check(place, out),
            Self::Branch(s) => s.check(place, out),
            Self::Split(s) => s.check(place, out),
            Self::Cap(s) => s.check(place, out),
            Self::Webhook(s) => s.check(place, out),
            Self::InternalAlert(s) => s.check(place, out),
            Self::Foreign(s) => s.check(place, out),
            _ => {}
        }
    }

    /// One line for a card on the canvas.
    pub fn summary(&self) -> String {
        match self {
            Self::Trigger(s) => s.any.iter().map(Alternative::summary).collect::<Vec<_>>().join(", or "),
            Self::Delay(s) => s.summary(),
            Self::WaitForEvent(s) => format!("\u{201c}{}\u{201d}, at most {}", s.event, s.timeout),
            Self::Condition(s) => s.condition.text().to_owned(),
            Self::Branch(s) => format!("{} arms", s.arms.len()),
            Self::Split(s) => s.arms.iter().map(|a| format!("{} %", a.weight)).collect::<Vec<_>>().join(" / "),
            Self::Cap(s) => s.summary(),
            Self::Goal(s) => s.name.to_string(),
            Self::Exit(s) => s.reason.to_string(),
            Self::Note(s) => s.text.clone(),
            Self::Email(s) => s.message.to_string(),
            Self::Sms(s) => s.message.to_string(),
            Self::Webhook(s) => s.url.clone(),
            Self::UpdateContact(s) => s.set.iter().map(|a| a.property.as_str()).collect::<Vec<_>>().join(", "),
            Self::ListUpdate(s) => {
                let adds = s.add.iter().map(|l| format!("+ {l}"));
                adds.chain(s.remove.iter().map(|l| format!("- {l}"))).collect::<Vec<_>>().join(", ")
            }
            Self::InternalAlert(s) => s.to.join(", "),
            Self::Foreign(s) => s.summary(),
        }
    }
}

/// Arms are ports: their names must be well formed, different, and not a reserved port's.
fn check_port_names<'a>(
    names: impl Iterator<Item = &'a str>,
    reserved: &[&str],
    place: &Place,
    field: &str,
    out: &mut Vec<Diagnostic>,
) {
    let mut seen: Vec<SmolStr> = Vec::new();
    for (n, name) in names.enumerate() {
        let place = || place.clone().with_field(format!("{field}.{n}.name"));
        if !crate::base::id::is_wellformed(name) {
            out.push(
                Diagnostic::error("settings/arm-name", place(), format!("`{name}` cannot name an arm"))
                    .hint("Use 1 to 64 letters, digits, - or _"),
            );
        } else if seen.iter().any(|s| s == name) || reserved.contains(&name) {
            out.push(
                Diagnostic::error("settings/arm-name", place(), format!("The name `{name}` is taken"))
                    .hint("Give each arm a name of its own"),
            );
        }
        seen.push(SmolStr::new(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Catalogue: names unique and snake-case, help present, examples load and survive save-and-load.
    #[test]
    fn the_catalogue_is_well_formed() {
        let mut names = std::collections::BTreeSet::new();
        for spec in CATALOGUE {
            assert!(names.insert(spec.name), "{} twice", spec.name);
            assert!(spec.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", spec.name);
            assert!(
                !spec.docs.what.is_empty() && !spec.docs.why.is_empty() && !spec.docs.source.is_empty(),
                "{}",
                spec.name
            );
            assert!(spec.fields.iter().all(|f| !f.help.is_empty() && !f.label.is_empty()), "{}", spec.name);
            // With newtype variants unwrapped a trigger's settings stand in the variant's own parentheses.
            let (kind, ron) = match spec.group {
                Group::Trigger if spec.name != "trigger" => {
                    ("trigger", format!("(any: [{}{}])", spec.name, spec.example))
                }
                _ => (spec.name, spec.example.to_owned()),
            };
            let settings = Settings::read(kind, &ron).unwrap_or_else(|e| panic!("{}: {e:?}", spec.name));
            let written = settings.to_ron();
            assert_eq!(Settings::read(kind, &written), Ok(settings), "{} comes back from {written}", spec.name);
        }
        assert_eq!(names.len(), 24);
    }

    #[test]
    fn faults_in_settings_alone() {
        let check = |kind: &str, ron: &str, expected: &str| {
            let mut out = Vec::new();
            Settings::read(kind, ron).expect("loads").check(&Place::node("n"), &mut out);
            assert_eq!(out.iter().map(|d| d.code.as_ref()).collect::<Vec<_>>().join(" "), expected, "{ron}");
        };
        check("delay", r#"(wait: for("-4 h"))"#, "delay/negative");
        check("delay", r#"(wait: until(time: "09:00", weekdays: []))"#, "delay/no-weekday");
        check("delay", r#"(wait: for("4 h"), window: (from: "09:00", until: "09:00"))"#, "time/empty-window");
        check("split", r#"(salt: "", arms: [(name: "a", weight: 100)])"#, "split/no-salt split/one-arm");
        check(
            "branch",
            r#"(arms: [(name: "else", condition: "true"), (name: "a b", condition: "true")])"#,
            "settings/arm-name settings/arm-name",
        );
        check("webhook", r#"(url: "ftp://x")"#, "webhook/address");
    }
}
