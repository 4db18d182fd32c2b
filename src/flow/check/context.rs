//! What checks look at: the flow with its index, settings, conditions and least-time bounds, each worked out once.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use smol_str::SmolStr;

use super::{Finding, Surroundings, texts::used_names, times::Times};
use crate::{
    audience::{Channel, Condition, ConditionText, ValueType, condition::Reference},
    base::{MessageId, Place, TextRange, Window},
    content::{self, Field, Readers},
    flow::{Flow, FlowSettings, Index, Node, Workspace, readers::Heaviest},
    kinds::{Alternative, Settings, Trigger},
};

static DEFAULT_SETTINGS: LazyLock<FlowSettings> = LazyLock::new(FlowSettings::default);

/// A flow under test.
pub(super) struct Context<'a> {
    pub flow: &'a Flow,
    pub around: &'a Surroundings<'a>,
    pub workspace: &'a Workspace,
    pub index: Index<'a>,
    pub settings: &'a FlowSettings,
    /// Which nodes the trigger reaches, by position.
    pub reachable: Vec<bool>,
    times: OnceCell<Times>,
    conditions: OnceCell<Vec<Written<'a>>>,
    used_names: OnceCell<BTreeSet<&'a str>>,
}

/// A condition with its place and the step it stands in.
pub(super) struct Written<'a> {
    /// The step and the name of its setting; `None` in the settings of the flow and in a workspace.
    pub step: Option<(&'a Node, String)>,
    place: Place,
    pub condition: &'a ConditionText,
}

impl Written<'_> {
    pub fn place(&self) -> Place {
        self.place.clone()
    }

    /// Names it uses, with their places.
    pub fn references(&self) -> impl Iterator<Item = (Place, &Reference)> {
        self.condition.parsed().references.iter().map(|(reference, range)| (self.at(*range), reference))
    }

    pub fn at(&self, range: TextRange) -> Place {
        self.place.clone().with_range(range)
    }
}

/// A step that sends.
#[derive(Clone, Copy)]
pub(super) struct Sending<'a> {
    pub idx: usize,
    pub node: &'a Node,
    pub settings: &'a Settings,
    pub message: &'a MessageId,
    pub channel: Channel,
}

impl Sending<'_> {
    /// Whether it is an answer to something the contact asked for, exempt from consent, caps and cooldowns.
    pub fn is_transactional(&self) -> bool {
        matches!(self.settings, Settings::Email(email) if email.transactional)
    }
}

impl<'a> Context<'a> {
    pub fn new(flow: &'a Flow, around: &'a Surroundings<'a>) -> Self {
        let index = flow.index();
        let reachable = index.reachable();
        Self {
            flow,
            around,
            workspace: around.workspace,
            index,
            settings: flow.settings.value().unwrap_or(&DEFAULT_SETTINGS),
            reachable,
            times: OnceCell::new(),
            conditions: OnceCell::new(),
            used_names: OnceCell::new(),
        }
    }

    /// Steps with settings that can be read, with their positions.
    pub fn steps(&self) -> impl Iterator<Item = (usize, &'a Node, &'a Settings)> + use<'a> {
        self.flow.nodes.iter().enumerate().filter_map(|(n, node)| Some((n, &**node, node.settings()?)))
    }

    /// Steps that send and are not muted.
    pub fn sendings(&self) -> impl Iterator<Item = Sending<'a>> + use<'a> {
        self.steps().filter(|(_, node, _)| !node.muted).filter_map(|(idx, node, settings)| {
            let (message, channel) = settings.message()?;
            Some(Sending { idx, node, settings, message, channel })
        })
    }

    /// The trigger node with its settings.
    pub fn trigger(&self) -> Option<(&'a Node, &'a Trigger)> {
        match self.flow.trigger().map(|node| (&**node, node.settings())) {
            Some((node, Some(Settings::Trigger(trigger)))) => Some((node, trigger)),
            _ => None,
        }
    }

    /// The alternatives of the trigger, with their places.
    pub fn alternatives(&self) -> impl Iterator<Item = (Place, &'a Alternative)> + use<'a> {
        self.trigger().into_iter().flat_map(|(node, trigger)| {
            trigger.any.iter().enumerate().map(|(n, a)| (Place::node(&node.id).with_field(format!("any.{n}")), a))
        })
    }

    /// Metrics whose events let a contact in.
    pub fn entry_metrics(&self) -> Vec<&'a str> {
        self.alternatives()
            .filter_map(|(_, alternative)| match alternative {
                Alternative::Event(t) => Some(t.event.as_str()),
                Alternative::Abandonment(t) => Some(t.start.as_str()),
                Alternative::Engagement(t) => Some(t.event.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Properties that an entry's event can have by the catalogue; `None` where that is not known for all entries.
    pub fn entry_properties(&self) -> Option<BTreeMap<&'a str, ValueType>> {
        let mut known = BTreeMap::new();
        let metrics = self.entry_metrics();
        if self.alternatives().any(|(_, a)| matches!(a, Alternative::Score(_))) || metrics.is_empty() {
            return None;
        }
        for metric in metrics {
            known.extend(event_properties(self.workspace, metric)?);
        }
        Some(known)
    }

    /// Every condition of the steps and of the flow's settings.
    pub fn conditions(&self) -> &[Written<'a>] {
        self.conditions.get_or_init(|| {
            let of_flow = self.settings.conditions().into_iter().map(|(field, condition)| Written {
                step: None,
                place: Place::default().with_field(format!("settings.{field}")),
                condition,
            });
            let mut out: Vec<Written<'_>> = of_flow.collect();
            for (_, node, settings) in self.steps() {
                out.extend(settings.conditions().into_iter().map(|(field, condition)| Written {
                    place: Place::node(&node.id).with_field(field.as_str()),
                    step: Some((node, field)),
                    condition,
                }));
            }
            out
        })
    }

    /// Least and latest times from the entry, and least waits.
    pub fn times(&self) -> &Times {
        self.times.get_or_init(|| Times::new(&self.index, &self.reachable))
    }

    /// Names that the flow's templates use.
    pub fn used_names(&self) -> &BTreeSet<&'a str> {
        self.used_names.get_or_init(|| used_names(self.flow, self.settings))
    }

    /// Properties of contacts that the workspace declares or the audience has.
    pub fn known_contact_properties(&self) -> BTreeSet<&'a str> {
        let mut known: BTreeSet<&str> = self.workspace.properties.keys().map(SmolStr::as_str).collect();
        if let Some(audience) = self.around.audience {
            known.extend(audience.contacts.iter().flat_map(|c| c.properties.keys().map(SmolStr::as_str)));
        }
        known
    }

    /// What the mail room says of each message: its templates, the mail with sample values, and how long it gets for
    /// the audience. Besides the sample mail at most three of a variant are rendered: see [`Heaviest`].
    pub fn messages_alone(&self, out: &mut Vec<Finding>) {
        let fields: Vec<Field> = self.flow.fields().cloned().collect();
        let audience = self.around.audience.filter(|audience| !audience.contacts.is_empty());
        let mut readers =
            audience.map(|audience| Heaviest::new(self.flow, self.workspace, self.settings, &fields, audience));
        for message in self.flow.messages.iter().filter_map(|m| m.section.value()) {
            let sending = self.sendings().find(|sending| *sending.message == message.id);
            readers = readers.map(|readers| readers.of_step(sending.map(|sending| sending.node.id.clone())));
            let readers = readers.as_ref().map(|readers| readers as &dyn Readers);
            let found = content::check_message(message, &fields, &self.workspace.brand, readers);
            // The check of the same name knows which mails are transactional, and has a fix.
            let found = found.into_iter().filter(|diagnostic| diagnostic.code != "mail/no-unsubscribe");
            out.extend(found.map(|found| Finding { fix: super::mail_fixes::fix(message, &found), diagnostic: found }));
        }
    }

    /// Faults that a kind sees in its settings alone.
    pub fn settings_alone(&self, out: &mut Vec<Finding>) {
        let mut found = Vec::new();
        for (_, node, settings) in self.steps() {
            settings.check(&Place::node(&node.id), &mut found);
        }
        out.extend(found.into_iter().map(Finding::from));
    }
}

/// Properties of an event that the catalogue declares, if it declares any.
pub(super) fn event_properties<'a>(workspace: &'a Workspace, metric: &str) -> Option<BTreeMap<&'a str, ValueType>> {
    let event = workspace.event(metric)?;
    (!event.properties.is_empty()).then(|| event.properties.iter().map(|(name, kind)| (name.as_str(), *kind)).collect())
}

/// The conditions of a workspace.
pub(super) fn workspace_conditions(workspace: &Workspace) -> Vec<Written<'_>> {
    let written =
        |field: String, condition| Written { step: None, place: Place::default().with_field(field), condition };
    let segments = workspace.segments.iter().map(|(name, condition)| written(format!("segments.{name}"), condition));
    let signals = workspace.scores.iter().flat_map(|model| {
        model.signals.iter().enumerate().filter_map(move |(n, signal)| {
            Some(written(format!("scores.{}.signals.{n}.filter", model.name), signal.filter.as_ref()?))
        })
    });
    segments.chain(signals).collect()
}

/// Every part of a condition, itself first, filters of event questions included.
pub(super) fn parts(condition: &Condition) -> Vec<&Condition> {
    let mut out = Vec::new();
    let mut open = vec![condition];
    while let Some(part) = open.pop() {
        out.push(part);
        match part {
            Condition::All(parts) | Condition::Any(parts) => open.extend(parts.iter().rev()),
            Condition::Not(part) => open.push(part),
            Condition::Events(query) => open.extend(query.filter.as_deref()),
            _ => {}
        }
    }
    out
}

/// The windows of local time in a condition.
pub(super) fn local_windows(condition: &Condition) -> impl Iterator<Item = &Window> {
    parts(condition).into_iter().filter_map(|part| match part {
        Condition::LocalTime(window) => Some(window),
        _ => None,
    })
}

/// The parts of a condition and of every segment it stands on, each segment once.
pub(super) fn parts_with_segments<'a>(condition: &'a Condition, workspace: &'a Workspace) -> Vec<&'a Condition> {
    let mut out = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut open = vec![condition];
    while let Some(condition) = open.pop() {
        for part in parts(condition) {
            if let Condition::InSegment(name) = part
                && seen.insert(name.as_str())
                && let Some(segment) = workspace.segments.get(name)
            {
                open.push(segment.condition());
            }
            out.push(part);
        }
    }
    out
}
