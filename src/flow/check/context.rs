//! What checks look at: the flow with its index, settings, conditions and least-time bounds, each worked out once.

use std::{cell::OnceCell, collections::BTreeSet};

use smol_str::SmolStr;

use super::{Finding, Surroundings, times::Times};
use crate::{
    audience::{Channel, Condition, ConditionText},
    base::{MessageId, Place, Window},
    flow::{Flow, FlowSettings, Index, Node, Workspace},
    kinds::{Alternative, Settings, Trigger},
};

/// A flow under test.
pub(super) struct Context<'a> {
    pub flow: &'a Flow,
    pub around: &'a Surroundings<'a>,
    pub workspace: &'a Workspace,
    pub index: Index<'a>,
    pub settings: FlowSettings,
    /// Which nodes the trigger reaches, by position.
    pub reachable: Vec<bool>,
    times: OnceCell<Times>,
}

/// A condition with the step it stands in (none: the flow's settings) and the name of its setting.
pub(super) struct Written<'a> {
    pub node: Option<&'a Node>,
    pub field: String,
    pub condition: &'a ConditionText,
}

impl Written<'_> {
    pub fn place(&self) -> Place {
        match self.node {
            Some(node) => Place::node(&node.id).with_field(self.field.as_str()),
            None => Place::default().with_field(format!("settings.{}", self.field)),
        }
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
            settings: flow.settings(),
            reachable,
            times: OnceCell::new(),
        }
    }

    /// Steps with settings that can be read, with their positions.
    pub fn steps(&self) -> impl Iterator<Item = (usize, &'a Node, &'a Settings)> + use<'a> {
        self.flow.nodes.iter().enumerate().filter_map(|(n, node)| Some((n, &**node, node.settings()?)))
    }

    /// Steps that send.
    pub fn sendings(&self) -> impl Iterator<Item = Sending<'a>> + use<'a> {
        self.steps().filter_map(|(idx, node, settings)| {
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

    /// The alternatives of the trigger, with their numbers.
    pub fn alternatives(&self) -> impl Iterator<Item = (usize, &'a Alternative)> + use<'a> {
        self.trigger().into_iter().flat_map(|(_, trigger)| trigger.any.iter().enumerate())
    }

    /// Every condition of the steps and of the flow's settings.
    pub fn conditions(&self) -> Vec<Written<'_>> {
        let settings = self.settings.conditions();
        let mut out: Vec<Written<'_>> = settings
            .into_iter()
            .map(|(field, condition)| Written { node: None, field: field.to_owned(), condition })
            .collect();
        for (_, node, settings) in self.steps() {
            let written = settings.conditions();
            out.extend(written.into_iter().map(|(field, condition)| Written { node: Some(node), field, condition }));
        }
        out
    }

    /// Least and latest times from the entry, and least waits.
    pub fn times(&self) -> &Times {
        self.times.get_or_init(|| Times::new(&self.index, &self.reachable))
    }

    /// Whether a path is one that every event or contact has, or is known by the workspace or the audience.
    pub fn known_contact_properties(&self) -> BTreeSet<&'a str> {
        let mut known: BTreeSet<&str> = self.workspace.properties.keys().map(SmolStr::as_str).collect();
        if let Some(audience) = self.around.audience {
            known.extend(audience.contacts.iter().flat_map(|c| c.properties.keys().map(SmolStr::as_str)));
        }
        known
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
