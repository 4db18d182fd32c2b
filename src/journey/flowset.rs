//! Flows ready to run: versions by content hash, names resolved, conditions compiled, edges as indices.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use smol_str::SmolStr;

use crate::{
    audience::{Channel, Compiled, Contact, Value, condition::Book, load::fields},
    base::{FlowId, NodeId, Severity, VersionHash, Window, Zone, hash},
    content::{Brand, Field, FieldSource, FieldValues, Message, PreparedMessage, Variant},
    flow::{Flow, FlowSettings, Workspace},
    kinds::{
        Alternative, CapRule, Settings,
        prepared::{Prepared, PreparedMatch},
        triggers::{abandonment::Abandonment, date::DateTrigger, engagement::Engagement, inactivity::Inactivity},
    },
};

/// The flows of a workspace, ready to run. Immutable; a new one is made when something is published.
#[derive(Clone, Debug)]
pub struct FlowSet {
    pub(super) versions: BTreeMap<VersionHash, Arc<Version>>,
    pub(super) live: BTreeMap<FlowId, VersionHash>,
    pub(super) zone: Zone,
    pub(super) caps: Vec<CapRow>,
    pub(super) quiet_hours: Option<Window>,
    /// One code per pool, to render with until the driver has claimed the contact's own.
    pub(super) sample_codes: BTreeMap<SmolStr, SmolStr>,
    pub(super) suppression: BTreeSet<String>,
    workspace: Workspace,
}

/// One immutable version of a flow (SEMANTICS R4).
#[derive(Clone, Debug)]
pub struct Version {
    /// The flow.
    pub flow: FlowId,
    /// Its name by content.
    pub hash: VersionHash,
    /// Settings of the whole.
    pub settings: FlowSettings,
    /// Nodes in id order; places in this list name nodes in a contact's state.
    pub nodes: Vec<RunNode>,
    pub(super) start: Option<usize>,
    pub(super) trigger: Option<usize>,
    pub(super) alternatives: Vec<PreparedTrigger>,
    pub(super) exit: Option<Compiled>,
    pub(super) goal: Option<Compiled>,
    pub(super) caps: Vec<CapRow>,
    /// Declared merge tags.
    pub fields: Vec<Field>,
    pub(super) constants: BTreeMap<SmolStr, Value>,
}

/// A node of a version.
#[derive(Clone, Debug)]
pub struct RunNode {
    /// Its id.
    pub id: NodeId,
    /// What it does.
    pub prepared: Prepared,
    /// Passed through by its first port.
    pub muted: bool,
    /// Ports with the place of the node they lead to.
    pub ports: Vec<(SmolStr, Option<usize>)>,
    /// Its message.
    pub message: Option<Arc<RunMessage>>,
}

/// A message of a version, with what decides whether it is complete.
#[derive(Clone, Debug)]
pub struct RunMessage {
    /// The message.
    pub message: Message,
    /// Whether any variant is for one language alone.
    pub(super) has_languages: bool,
    pub(super) variants: Vec<RunVariant>,
}

/// A variant of a message, laid out when it is first looked at closely.
#[derive(Clone, Debug)]
pub(super) struct RunVariant {
    /// As in the message.
    pub id: SmolStr,
    /// Fields that it names and that a contact may lack, by place in the version's fields.
    pub needs: Vec<usize>,
    /// Pools of which it may show a code.
    pub pools: Vec<SmolStr>,
    /// There is nothing in it at all.
    pub is_empty: bool,
    prepared: OnceLock<Result<Arc<PreparedMessage>, String>>,
}

/// A cap row with its segment compiled.
#[derive(Clone, Debug)]
pub struct CapRow {
    pub(super) rule: CapRule,
    pub(super) segment: Option<Compiled>,
}

/// A trigger alternative ready to run.
#[derive(Clone, Debug)]
pub(super) enum PreparedTrigger {
    Event(PreparedMatch),
    Abandonment {
        start: PreparedMatch,
        unless: Vec<PreparedMatch>,
        settings: Abandonment,
    },
    Engagement {
        wanted: PreparedMatch,
        unless: Vec<PreparedMatch>,
        settings: Engagement,
    },
    /// Segment and score: fires on the edge; a score's entry carries the event that tipped it.
    Watch {
        condition: Compiled,
        with_event: bool,
    },
    List(SmolStr),
    Date(DateTrigger),
    Inactivity(Inactivity),
    /// Only the platform it was imported from can tell.
    Never,
}

/// How an address or a phone number stands in the suppression list, however it was written.
pub fn suppression_key(text: &str) -> String {
    fields::phone(text).map_or_else(|_| text.trim().to_lowercase(), |number| number.to_string())
}

/// Whether a text in the suppression list would keep something back: an e-mail address, or a phone number that says its
/// country.
pub fn is_suppressible(text: &str) -> bool {
    text.contains('@') || suppression_key(text).starts_with('+')
}

impl FlowSet {
    /// Makes the flows ready. Later flows of one id replace earlier ones. Faults do not stop it: a step that cannot run
    /// holds journeys, a condition that cannot be read is never true; `check` says so beforehand.
    pub fn new(workspace: &Workspace, flows: &[Flow]) -> Self {
        let scores = workspace.scores_by_name();
        let no_constants = BTreeMap::new();
        let book = workspace.book(&scores, &no_constants);
        let mut set = Self {
            versions: BTreeMap::new(),
            live: BTreeMap::new(),
            zone: workspace.default_zone(),
            caps: cap_rows(&workspace.caps, &book),
            quiet_hours: workspace.quiet_hours,
            sample_codes: workspace
                .code_pools
                .iter()
                .filter_map(|pool| Some((pool.name.clone(), pool.shared.as_ref().or(pool.codes.first())?.clone())))
                .collect(),
            suppression: workspace.suppression.iter().map(|address| suppression_key(address)).collect(),
            workspace: workspace.clone(),
        };
        for flow in flows {
            set.publish(flow);
        }
        set
    }

    /// Adds a version and makes it the live one; its name.
    pub fn publish(&mut self, flow: &Flow) -> VersionHash {
        let version = Version::new(&self.workspace, &self.sample_codes, flow);
        let hash = version.hash;
        self.live.insert(flow.id.clone(), hash);
        self.versions.insert(hash, Arc::new(version));
        hash
    }

    /// Adds a version that is not live, with the segments and scores of `workspace`, which it pins (SEMANTICS R4); its
    /// name. What is read live (caps, consent, suppression) stays this set's own.
    pub fn remember(&mut self, workspace: &Workspace, flow: &Flow) -> VersionHash {
        let version = Version::new(workspace, &self.sample_codes, flow);
        let hash = version.hash;
        self.versions.entry(hash).or_insert_with(|| Arc::new(version));
        hash
    }

    /// As [`Self::remember`], under the name that it was published with: journeys name their version by it, whatever
    /// this build would call it. The name this build gives.
    pub fn remember_as(&mut self, hash: VersionHash, workspace: &Workspace, flow: &Flow) -> VersionHash {
        let mut version = Version::new(workspace, &self.sample_codes, flow);
        let own = std::mem::replace(&mut version.hash, hash);
        self.versions.entry(hash).or_insert_with(|| Arc::new(version));
        own
    }

    /// Makes a version that is there the live one of its flow; `false` where it is not there.
    pub fn make_live(&mut self, hash: &VersionHash) -> bool {
        let Some(version) = self.versions.get(hash) else { return false };
        self.live.insert(version.flow.clone(), *hash);
        true
    }

    /// Addresses that never get anything, besides the workspace's; `lift` takes them off again.
    pub fn suppress<'a>(&mut self, addresses: impl IntoIterator<Item = &'a str>, lift: bool) {
        for address in addresses {
            let address = suppression_key(address);
            if lift {
                self.suppression.remove(&address);
            } else {
                self.suppression.insert(address);
            }
        }
    }

    /// Live flows and their versions, in flow order.
    pub fn live(&self) -> impl Iterator<Item = (&FlowId, &VersionHash)> {
        self.live.iter()
    }

    /// A version by its name.
    pub fn version(&self, hash: &VersionHash) -> Option<&Arc<Version>> {
        self.versions.get(hash)
    }

    /// The live version of a flow.
    pub fn live_version(&self, flow: &FlowId) -> Option<&Arc<Version>> {
        self.live.get(flow).and_then(|hash| self.versions.get(hash))
    }

    /// The workspace it was made from.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The zone of contacts without one.
    pub fn default_zone(&self) -> &Zone {
        &self.zone
    }
}

fn cap_rows(rules: &[CapRule], book: &Book<'_>) -> Vec<CapRow> {
    let in_segment = |name: &SmolStr| Compiled::new(&crate::audience::Condition::InSegment(name.clone()), book);
    rules.iter().map(|rule| CapRow { rule: rule.clone(), segment: rule.segment.as_ref().map(in_segment) }).collect()
}

impl Version {
    fn new(workspace: &Workspace, codes: &BTreeMap<SmolStr, SmolStr>, flow: &Flow) -> Self {
        let settings = flow.settings();
        let scores = workspace.scores_by_name();
        let constants = settings.constants.clone();
        let book = workspace.book(&scores, &constants);
        let fields: Vec<Field> = flow.fields().cloned().collect();
        // What has a fallback, or the same value for everybody, is never missing.
        let wanting: Vec<usize> = (0..fields.len())
            .filter(|n| fields[*n].fallback.is_none() && !FieldValues::has_for_all(&fields[*n], &constants, codes))
            .collect();
        let mut order: Vec<_> = flow.nodes.iter().filter(|node| node.kind != "note").collect();
        order.sort_by(|a, b| a.id.cmp(&b.id));
        let place_of = |id: &NodeId| order.binary_search_by(|node| node.id.cmp(id)).ok();
        let index = flow.index();
        let nodes: Vec<RunNode> = order
            .iter()
            .map(|node| {
                let out = index.idx(&node.id).map_or(&[][..], |n| index.out(n));
                let ports = node.ports().into_iter().map(|port| {
                    let to = out.iter().find(|(name, _)| **name == port.name).map(|(_, to)| &flow.nodes[*to].id);
                    (port.name, to.and_then(place_of))
                });
                let message = node.settings().and_then(Settings::message).and_then(|(id, _)| flow.message(id.as_str()));
                RunNode {
                    id: node.id.clone(),
                    prepared: node.settings().map_or(Prepared::Fault, |s| Prepared::new(s, &book)),
                    muted: node.muted,
                    ports: ports.collect(),
                    message: message.map(|message| Arc::new(RunMessage::new(message, &fields, &wanting))),
                }
            })
            .collect();
        let trigger = flow.trigger();
        let alternatives = match trigger.and_then(|node| node.settings()) {
            Some(Settings::Trigger(trigger)) => trigger.any.iter().map(|a| PreparedTrigger::new(a, &book)).collect(),
            _ => Vec::new(),
        };
        let trigger = trigger.and_then(|node| place_of(&node.id));
        Self {
            flow: flow.id.clone(),
            hash: hash::version_hash(&pinned(workspace, flow)),
            start: trigger.and_then(|at| nodes[at].ports.first()?.1),
            trigger,
            alternatives,
            exit: settings.exit_when.as_ref().map(|c| Compiled::of_text(c, &book)),
            goal: settings.goal_when.as_ref().map(|c| Compiled::of_text(c, &book)),
            caps: cap_rows(&settings.caps, &book),
            nodes,
            settings,
            fields,
            constants,
        }
    }

    /// Place of a node.
    pub fn place_of(&self, id: &NodeId) -> Option<usize> {
        self.nodes.binary_search_by(|node| node.id.cmp(id)).ok()
    }

    /// The id of the trigger node.
    pub fn trigger_id(&self) -> Option<&NodeId> {
        self.trigger.and_then(|at| self.nodes.get(at)).map(|node| &node.id)
    }

    /// Constants of the flow.
    pub fn constants(&self) -> &BTreeMap<SmolStr, Value> {
        &self.constants
    }
}

/// What names a version: the flow's canonical content and the segments and scores it may use (SEMANTICS R4).
///
/// All of the workspace's are pinned, not only the used ones: a version more is cheaper than one too few.
pub fn pinned(workspace: &Workspace, flow: &Flow) -> Vec<u8> {
    let mut bytes = flow.canonical();
    let rest = serde_json::json!({"segments": workspace.segments, "scores": workspace.scores});
    bytes.extend(serde_json::to_vec(&rest).unwrap_or_default());
    bytes
}

impl RunMessage {
    fn new(message: &Message, fields: &[Field], wanting: &[usize]) -> Self {
        let run = |variant: &Variant| {
            let has_text = variant.text.as_deref().is_some_and(|text| !text.trim().is_empty());
            let is_empty = match message.channel {
                Channel::Sms => !has_text,
                Channel::Email => variant.subject.trim().is_empty() || (variant.body.is_empty() && !has_text),
            };
            RunVariant {
                id: SmolStr::new(&variant.id),
                needs: needed_fields(variant, fields, wanting),
                pools: pools(variant, fields),
                is_empty,
                prepared: OnceLock::new(),
            }
        };
        Self {
            has_languages: message.variants.iter().any(|variant| variant.language.is_some()),
            variants: message.variants.iter().map(run).collect(),
            message: message.clone(),
        }
    }

    /// A variant ready to be rendered; what is wrong with it where it cannot be.
    pub(super) fn prepared(&self, n: usize, fields: &[Field], brand: &Brand) -> Result<&PreparedMessage, &str> {
        let (Some(run), Some(variant)) = (self.variants.get(n), self.message.variants.get(n)) else {
            return Err("the message has no such variant");
        };
        let prepare = || {
            PreparedMessage::new(&self.message, variant, fields, brand).map(Arc::new).map_err(|faults| {
                let fault = faults.into_iter().find(|fault| fault.severity == Severity::Error);
                fault.map_or_else(|| "the message cannot be laid out".to_owned(), |fault| fault.message)
            })
        };
        run.prepared.get_or_init(prepare).as_deref().map_err(String::as_str)
    }

    /// The variant a contact gets: of those in the language that fits theirs ([`Message::language_for`]), one by weight
    /// over XXH64(salt, contact), as splits are dealt (SEMANTICS R19).
    pub fn variant_of(&self, salt: &str, contact: &Contact) -> usize {
        if self.message.variants.len() < 2 {
            return 0;
        }
        let language = if self.has_languages { self.message.language_for(contact.language.as_deref()) } else { None };
        let own = || self.message.variants.iter().enumerate().filter(|(_, v)| Message::is_for(v, language));
        let first = own().next().map_or(0, |(n, _)| n);
        let total: u64 = own().map(|(_, variant)| u64::from(variant.weight)).sum();
        if total == 0 {
            return first;
        }
        let mut at = hash::chance(salt, contact.id.as_str()) % total;
        for (n, variant) in own() {
            let weight = u64::from(variant.weight);
            if at < weight {
                return n;
            }
            at -= weight;
        }
        first
    }
}

/// The fields among `wanting` that a variant names anywhere. Whether a tag in a hidden block counts is decided by
/// rendering; this list only says which mails need that closer look.
fn needed_fields(variant: &Variant, fields: &[Field], wanting: &[usize]) -> Vec<usize> {
    if wanting.is_empty() {
        return Vec::new();
    }
    let text = serde_json::to_string(variant).unwrap_or_default();
    wanting.iter().copied().filter(|n| names(&text, &fields[*n].name)).collect()
}

/// The pools whose codes a variant names anywhere, each once.
fn pools(variant: &Variant, fields: &[Field]) -> Vec<SmolStr> {
    let mut out = Vec::new();
    let mut text = None;
    for field in fields {
        let FieldSource::Code { pool } = &field.source else { continue };
        let text = text.get_or_insert_with(|| serde_json::to_string(variant).unwrap_or_default());
        if !out.contains(pool) && names(text, &field.name) {
            out.push(pool.clone());
        }
    }
    out
}

/// Whether a name stands in a text as a word of its own.
fn names(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, name)| {
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !is_word(text[..at].chars().next_back()) && !is_word(text[at + name.len()..].chars().next())
    })
}

impl PreparedTrigger {
    fn new(alternative: &Alternative, book: &Book<'_>) -> Self {
        match alternative {
            Alternative::Event(t) => Self::Event(PreparedMatch::new(&t.event, t.filter.as_ref(), book)),
            Alternative::Abandonment(t) => Self::Abandonment {
                start: PreparedMatch::new(&t.start, t.filter.as_ref(), book),
                unless: PreparedMatch::list(&t.unless, book),
                settings: t.clone(),
            },
            Alternative::Engagement(t) => Self::Engagement {
                wanted: PreparedMatch::new(&t.event, t.filter.as_ref(), book),
                unless: PreparedMatch::list(&t.unless, book),
                settings: t.clone(),
            },
            Alternative::Score(t) => Self::Watch { condition: Compiled::new(&t.condition(), book), with_event: true },
            Alternative::Segment(t) => {
                Self::Watch { condition: Compiled::new(&t.condition(), book), with_event: false }
            }
            Alternative::List(t) => Self::List(t.list.clone()),
            Alternative::Date(t) => Self::Date(t.clone()),
            Alternative::Inactivity(t) => Self::Inactivity(t.clone()),
            Alternative::Foreign(_) => Self::Never,
        }
    }
}
