//! Every message for every contact: what each tag prints, which blocks are shown, what is wrong with the mail.
//!
//! The one idea: all that is the same for everybody is prepared once ([`Plan`]); then mails are made one after another,
//! in shards whose threads are the caller's, with a hook that hears of progress and may stop it. The outcome
//! ([`Matrix`]) is plain data, the worst mails first, for the window, for scripts and for a client's page ([`html`]).

pub mod html;
pub mod sheet;

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use serde::Serialize;
use smol_str::SmolStr;

use super::stage::{self, History, Stage};
use crate::{
    audience::{Audience, Contact, Event},
    base::{ContactId, Diagnostic, EventId, Instant, MessageId, NodeId, Severity},
    content::{
        Block, BlockPlace, Completeness, FieldValues, Message, PreparedMessage, RenderedMail, TagState, TagUse,
        Variant, examine,
    },
    flow::{Flow, Workspace},
    kinds::Settings,
};

/// Whether a mail may leave, worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It cannot be made for this contact.
    Broken,
    /// Something that should have been replaced is left in it.
    Leftover,
    /// Tags that are shown have neither value nor fallback.
    Incomplete,
    /// There is nothing to read in it.
    Empty,
    /// It may leave.
    Complete,
}

impl State {
    /// What people read.
    pub fn title(self) -> &'static str {
        match self {
            Self::Broken => "cannot be made",
            Self::Leftover => "held: something is left in it",
            Self::Incomplete => "held: a value is missing",
            Self::Empty => "held: nothing to read",
            Self::Complete => "ready",
        }
    }

    fn of(completeness: &Completeness) -> Self {
        match completeness {
            Completeness::Complete => Self::Complete,
            Completeness::Incomplete(_) => Self::Incomplete,
            Completeness::Empty => Self::Empty,
            Completeness::Leftover(_) => Self::Leftover,
        }
    }
}

/// A block with a condition, in one mail.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BlockUse {
    /// Its place in the body.
    #[serde(flatten)]
    pub place: BlockPlace,
    /// Its kind: `text`.
    pub kind: SmolStr,
    /// Its "show if".
    pub condition: SmolStr,
    /// Whether it is shown to this contact.
    pub shown: bool,
}

/// One mail: a variant of a step's message for a contact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Row {
    /// The step that sends it.
    pub node: NodeId,
    /// Its message.
    pub message: MessageId,
    /// The variant.
    pub variant: SmolStr,
    /// Who gets it.
    pub contact: ContactId,
    /// The contact is dealt this variant.
    pub dealt: bool,
    /// The event that is taken to have let the contact in.
    pub event: Option<EventId>,
    /// Whether it may leave.
    pub state: State,
    /// The subject as this contact reads it.
    pub subject: String,
    /// Tags, in the order of their first use: value, fallback or missing.
    pub tags: Vec<TagUse>,
    /// Blocks with a condition, in the order of the body.
    pub blocks: Vec<BlockUse>,
    /// Length of the HTML; 0 for an SMS.
    pub bytes: usize,
    /// What was found in this mail.
    pub lints: Vec<Diagnostic>,
}

impl Row {
    /// How many tags are in a state.
    pub fn count(&self, state: TagState) -> usize {
        self.tags.iter().filter(|tag| tag.state == state).count()
    }

    fn found(&self, severity: Severity) -> usize {
        self.lints.iter().filter(|found| found.severity == severity).count()
    }

    /// The smaller, the worse. What nobody gets is no worry.
    fn rank(&self) -> impl Ord + use<> {
        let few = |n: usize| std::cmp::Reverse(n);
        (
            self.state,
            few(self.found(Severity::Error)),
            few(self.found(Severity::Warning)),
            !self.dealt,
            few(self.count(TagState::Missing)),
            few(self.count(TagState::Fallback)),
            few(self.found(Severity::Hint)),
        )
    }
}

/// What is to be known of a variant of a step's message at a glance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Summary {
    /// The step that sends it.
    pub node: NodeId,
    /// What people call the step.
    pub title: String,
    /// Its message.
    pub message: MessageId,
    /// The variant.
    pub variant: SmolStr,
    /// How many mails were made.
    pub mails: usize,
    /// How many of them may leave.
    pub ready: usize,
    /// How many print a fallback somewhere.
    pub with_fallback: usize,
    /// Errors and warnings of all, each code once.
    pub findings: Vec<SmolStr>,
    /// The contact with the longest HTML, and its length in bytes.
    pub largest: Option<(ContactId, usize)>,
}

/// A message that cannot be prepared at all.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fault {
    /// The step that sends it.
    pub node: NodeId,
    /// Its message.
    pub message: MessageId,
    /// The variant.
    pub variant: SmolStr,
    /// What is wrong with it; at least one error.
    pub findings: Vec<Diagnostic>,
}

/// Every message for every contact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Matrix {
    /// When the mails are read.
    pub at: Instant,
    /// One of each variant of each step's message, in the order of the flow.
    pub summary: Vec<Summary>,
    /// Messages that cannot be made for anybody.
    pub faults: Vec<Fault>,
    /// The mails, worst first; equals in the order of the flow and the audience.
    pub rows: Vec<Row>,
}

/// One variant of a step's message, made ready.
struct Sending<'a> {
    node: NodeId,
    title: String,
    message: &'a Message,
    variant: &'a Variant,
    prepared: PreparedMessage,
    /// Kind and condition of each block that has one.
    conditions: BTreeMap<BlockPlace, (SmolStr, SmolStr)>,
    transactional: bool,
}

/// A contact with all that mails need of them.
struct Person<'a> {
    contact: &'a Contact,
    event: Option<Arc<Event>>,
    values: FieldValues,
    /// For each sending: whether this variant is dealt.
    dealt: Vec<bool>,
}

/// All mails of a flow, ready to be made in any order.
pub struct Plan<'a> {
    at: Instant,
    sendings: Vec<Sending<'a>>,
    people: Vec<Person<'a>>,
    faults: Vec<Fault>,
}

/// Hears of one mail (its number, the contact, the mail or why there is none) and says whether to go on.
pub type EachMail<'a> = dyn FnMut(usize, &Contact, Result<RenderedMail, Diagnostic>) -> bool + 'a;

/// The caller's hook said no; what was made so far is dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cancelled;

impl<'a> Plan<'a> {
    /// Makes flow and audience ready; `at` stands in for the clock.
    pub fn new(flow: &'a Flow, workspace: &Workspace, audience: &'a Audience, at: Instant) -> Self {
        Self::with_at_most(flow, workspace, audience, at, usize::MAX)
    }

    /// The same for the first contacts of the audience, so many that there are at most so many mails; one at least.
    pub fn with_at_most(
        flow: &'a Flow,
        workspace: &Workspace,
        audience: &'a Audience,
        at: Instant,
        most_mails: usize,
    ) -> Self {
        let stage = Stage::new(flow, workspace);
        let mut plan = Self { at, sendings: Vec::new(), people: Vec::new(), faults: Vec::new() };
        let mut dealing = Vec::new();
        for node in &flow.nodes {
            let Some(message) = stage::message_of(flow, node) else { continue };
            let transactional = matches!(node.settings(), Some(Settings::Email(email)) if email.transactional);
            for variant in &message.variants {
                match stage.prepare(node, message, variant) {
                    Ok(prepared) => {
                        plan.sendings.push(Sending {
                            node: node.id.clone(),
                            title: if node.title.is_empty() { node.id.to_string() } else { node.title.clone() },
                            message,
                            variant,
                            prepared: prepared.with_conditions(variant, stage.fields()),
                            conditions: conditions(variant),
                            transactional,
                        });
                        dealing.push((node, message, variant));
                    }
                    Err(findings) => plan.faults.push(Fault {
                        node: node.id.clone(),
                        message: message.id.clone(),
                        variant: SmolStr::new(&variant.id),
                        findings,
                    }),
                }
            }
        }
        let mut events: BTreeMap<&ContactId, Vec<&Event>> = BTreeMap::new();
        for event in &audience.events {
            events.entry(&event.contact).or_default().push(event);
        }
        let most_contacts = (most_mails / plan.sendings.len().max(1)).max(1);
        for contact in audience.contacts.iter().take(most_contacts) {
            let own = events.get(&contact.id).map(Vec::as_slice).unwrap_or_default();
            let history = History::of(own.iter().copied(), &contact.id, at);
            let event = stage.likely_entry(&history);
            plan.people.push(Person {
                contact,
                values: stage.values(contact, &history, event.as_deref(), at),
                dealt: dealing
                    .iter()
                    .map(|(node, message, variant)| {
                        stage.dealt(node, message, contact).is_some_and(|dealt| dealt.id == variant.id)
                    })
                    .collect(),
                event,
            });
        }
        plan
    }

    /// How many mails there are: variants of steps' messages times contacts.
    pub fn num_mails(&self) -> usize {
        self.sendings.len() * self.people.len()
    }

    /// All mails in so many parts of about one size, for threads of the caller's.
    pub fn shards(&self, parts: usize) -> Vec<Range<usize>> {
        let (all, parts) = (self.num_mails(), parts.max(1));
        (0..parts).map(|n| all * n / parts..all * (n + 1) / parts).filter(|range| !range.is_empty()).collect()
    }

    /// Makes mails and hands each to `each` (its number, the contact, the mail or why there is none), which says
    /// whether to go on.
    ///
    /// Errors: [`Cancelled`] where it said no.
    pub fn mails(&self, range: Range<usize>, each: &mut EachMail<'_>) -> Result<(), Cancelled> {
        for n in range {
            let Some((sending, person, _)) = self.mail(n) else { continue };
            if !each(n, person.contact, sending.prepared.render(&person.values)) {
                return Err(Cancelled);
            }
        }
        Ok(())
    }

    /// The rows of a part of the mails. `go_on` is asked after each mail, with how many of the part are done.
    ///
    /// Errors: [`Cancelled`] where it said no.
    pub fn rows(&self, range: Range<usize>, go_on: &mut dyn FnMut(usize) -> bool) -> Result<Vec<Row>, Cancelled> {
        let mut rows = Vec::with_capacity(range.len());
        for n in range {
            let Some((sending, person, dealt)) = self.mail(n) else { continue };
            rows.push(row(sending, person, dealt));
            if !go_on(rows.len()) {
                return Err(Cancelled);
            }
        }
        Ok(rows)
    }

    fn mail(&self, n: usize) -> Option<(&Sending<'a>, &Person<'a>, bool)> {
        let people = self.people.len().max(1);
        let (sending, person) = (self.sendings.get(n / people)?, self.people.get(n % people)?);
        Some((sending, person, person.dealt.get(n / people).copied().unwrap_or(false)))
    }

    /// The matrix of all parts' rows.
    pub fn matrix(self, parts: impl IntoIterator<Item = Vec<Row>>) -> Matrix {
        let mut rows: Vec<Row> = parts.into_iter().flatten().collect();
        let summary = self.sendings.iter().map(|sending| summary(sending, &rows)).collect();
        // What cannot be told apart keeps the order of the flow and the audience.
        rows.sort_by_cached_key(Row::rank);
        Matrix { at: self.at, summary, faults: self.faults, rows }
    }
}

/// The whole matrix in one thread.
///
/// Errors: [`Cancelled`] where `go_on`, asked after each mail with how many are done, said no.
pub fn matrix(plan: Plan<'_>, go_on: &mut dyn FnMut(usize) -> bool) -> Result<Matrix, Cancelled> {
    let rows = plan.rows(0..plan.num_mails(), go_on)?;
    Ok(plan.matrix([rows]))
}

fn conditions(variant: &Variant) -> BTreeMap<BlockPlace, (SmolStr, SmolStr)> {
    let with_condition = |(at, block): (BlockPlace, &Block)| {
        Some((at, (SmolStr::new(block.kind_name()), SmolStr::new(block.show_if()?))))
    };
    variant.body.conditional().into_iter().filter_map(with_condition).collect()
}

fn row(sending: &Sending<'_>, person: &Person<'_>, dealt: bool) -> Row {
    let mut row = Row {
        node: sending.node.clone(),
        message: sending.message.id.clone(),
        variant: SmolStr::new(&sending.variant.id),
        contact: person.contact.id.clone(),
        dealt,
        event: person.event.as_ref().map(|event| event.id.clone()),
        state: State::Broken,
        subject: String::new(),
        tags: Vec::new(),
        blocks: Vec::new(),
        bytes: 0,
        lints: Vec::new(),
    };
    for (place, shown) in sending.prepared.shown(&person.values) {
        if let Some((kind, condition)) = sending.conditions.get(&place) {
            row.blocks.push(BlockUse { place, kind: kind.clone(), condition: condition.clone(), shown });
        }
    }
    match sending.prepared.render(&person.values) {
        Ok(mail) => {
            let (lints, completeness) = examine(sending.message, sending.variant, &mail);
            row.lints = lints;
            if sending.transactional {
                row.lints.retain(|found| found.code != "mail/no-unsubscribe");
            }
            row.state = State::of(&completeness);
            row.bytes = mail.html.len();
            row.subject = mail.subject;
            row.tags = mail.tags;
        }
        Err(fault) => row.lints.push(fault),
    }
    row
}

fn summary(sending: &Sending<'_>, rows: &[Row]) -> Summary {
    let own = || {
        rows.iter().filter(|row| {
            row.node == sending.node && row.message == sending.message.id && row.variant == sending.variant.id.as_str()
        })
    };
    let mut findings: Vec<SmolStr> = own()
        .flat_map(|row| &row.lints)
        .filter(|found| found.severity != Severity::Hint)
        .map(|found| SmolStr::new(&found.code))
        .collect();
    findings.sort_unstable();
    findings.dedup();
    let mut largest: Option<(ContactId, usize)> = None;
    for row in own() {
        if row.bytes > largest.as_ref().map_or(0, |(_, bytes)| *bytes) {
            largest = Some((row.contact.clone(), row.bytes));
        }
    }
    Summary {
        node: sending.node.clone(),
        title: sending.title.clone(),
        message: sending.message.id.clone(),
        variant: SmolStr::new(&sending.variant.id),
        mails: own().count(),
        ready: own().filter(|row| row.state == State::Complete).count(),
        with_fallback: own().filter(|row| row.count(TagState::Fallback) > 0).count(),
        findings,
        largest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{audience::Value, flow::file};

    pub(super) const FLOW: &str = r#"(version: 2, id: "f", name: "F & G",
        fields: [
            (name: "first_name", source: contact("first_name"), fallback: "there"),
            (name: "cart_value", kind: number, source: trigger("value")),
        ],
        nodes: [
            (id: "start", kind: "trigger", settings: (any: [event(event: "Cart")])),
            (id: "one", kind: "email", title: "The <first>", settings: (message: "m")),
            (id: "two", kind: "email", settings: (message: "m", transactional: true)),
            (id: "bad", kind: "email", settings: (message: "n")),
        ],
        messages: [
            (id: "m", variants: [
                (id: "a", subject: "Hi {first_name}", preheader: "P", body: blocks([
                    text(text: "Hello"), text(text: "Worth {cart_value}", show_if: "first_name == 'Ada'"),
                ])),
                (id: "b", subject: "Second", preheader: "P", body: blocks([text(text: "B"), footer()])),
            ]),
            (id: "n", subject: "{{ nope }}", body: blocks([text(text: "x")])),
        ])"#;

    pub(super) fn audience() -> Audience {
        let at = Instant::parse("2026-11-23T09:00:00Z").expect("written right");
        let contact = |id: &str, name: Option<&str>| {
            let mut contact = Contact::new(id);
            contact.properties.extend(name.map(|name| ("first_name".into(), Value::text(name))));
            contact
        };
        let event = |contact: &str, value: f64| Event {
            id: contact.into(),
            contact: contact.into(),
            name: "Cart".into(),
            happened: at,
            accepted: at,
            properties: [("value".into(), Value::Number(value))].into_iter().collect(),
        };
        Audience {
            contacts: vec![contact("ada", Some("Ada")), contact("bob", Some("Bob <b>")), contact("ola", None)],
            events: vec![event("bob", 3.0)],
            ..Audience::default()
        }
    }

    pub(super) fn made() -> Matrix {
        let flow = file::read(FLOW).expect("reads").flow;
        let (workspace, audience) = (Workspace::default(), audience());
        let at = audience.events[0].accepted;
        matrix(Plan::new(&flow, &workspace, &audience, at), &mut |_| true).expect("goes on")
    }

    #[test]
    fn rows_come_worst_first() {
        let matrix = made();
        let printed: Vec<String> = matrix
            .rows
            .iter()
            .take(4)
            .map(|row| {
                let tags: Vec<String> = row.tags.iter().map(|t| format!("{} {}", t.name, t.state.name())).collect();
                let blocks: Vec<String> = row.blocks.iter().map(|b| format!("{} {}", b.place, b.shown)).collect();
                format!(
                    "{} {} {} {:?} [{}] [{}]",
                    row.node,
                    row.variant,
                    row.contact,
                    row.state,
                    tags.join(", "),
                    blocks.join(", ")
                )
            })
            .collect();
        assert_eq!(printed[0], "one a ada Incomplete [first_name value, cart_value missing] [1 true]", "{printed:#?}");
        assert!(printed[1].starts_with("two a ada Incomplete"), "{printed:#?}");
        assert_eq!(matrix.rows.len(), 12);
        assert!(matrix.rows.iter().any(|row| row.blocks.iter().any(|block| !block.shown)));
        // Nobody needs to leave a receipt.
        let leaves = |node: &str| {
            let own = matrix.rows.iter().filter(|row| row.node.as_str() == node && row.variant == "a");
            own.flat_map(|row| &row.lints).filter(|found| found.code == "mail/no-unsubscribe").count()
        };
        assert_eq!((leaves("one"), leaves("two")), (3, 0));
        assert_eq!(matrix.faults.len(), 1);
        assert_eq!(matrix.faults[0].node.as_str(), "bad");
        let of_one = &matrix.summary[0];
        assert_eq!((of_one.title.as_str(), of_one.mails, of_one.ready, of_one.with_fallback), ("The <first>", 3, 2, 1));
        assert!(of_one.largest.as_ref().is_some_and(|(contact, _)| contact.as_str() == "ada"));
    }

    #[test]
    fn blocks_in_columns_are_shown_where_the_columns_are() {
        let flow = r#"(version: 2, id: "f", name: "F",
            fields: [(name: "first_name", source: contact("first_name"), fallback: "there")],
            nodes: [
                (id: "start", kind: "trigger", settings: (any: [event(event: "Cart")])),
                (id: "one", kind: "email", settings: (message: "m")),
            ],
            messages: [(id: "m", subject: "Hi", preheader: "P", body: blocks([
                columns(show_if: "first_name", columns: [
                    (blocks: [text(text: "A"), text(text: "Ada's", show_if: "first_name == 'Ada'")]),
                    (blocks: [text(text: "All", show_if: "first_name == first_name")]),
                ]),
                columns(columns: [
                    (blocks: [text(text: "B")]),
                    (blocks: [text(text: "Bob's", show_if: "first_name == 'Bob <b>'")]),
                ]),
                footer(),
            ]))])"#;
        let flow = file::read(flow).expect("reads").flow;
        let (workspace, audience) = (Workspace::default(), audience());
        let at = audience.events[0].accepted;
        let matrix = matrix(Plan::new(&flow, &workspace, &audience, at), &mut |_| true).expect("goes on");
        assert!(matrix.faults.is_empty(), "{:?}", matrix.faults);
        let of = |contact: &str| {
            let row = matrix.rows.iter().find(|row| row.contact.as_str() == contact).expect("a row");
            let blocks = row.blocks.iter().map(|block| format!("{} {}", block.place, block.shown));
            blocks.collect::<Vec<_>>().join(", ")
        };
        let (own, all, bobs) = ("0.columns.0.blocks.1", "0.columns.1.blocks.0", "1.columns.1.blocks.0");
        assert_eq!(of("ada"), format!("0 true, {own} true, {all} true, {bobs} false"));
        assert_eq!(of("bob"), format!("0 true, {own} false, {all} true, {bobs} true"));
        assert_eq!(of("ola"), format!("0 false, {own} false, {all} false, {bobs} false"));
        let page = html::page(&matrix, "F", "");
        assert!(page.contains("<strong>B</strong> text (block 1, column 1, block 2) where"), "{page}");
        let json = sheet::json(&matrix, &flow.id).expect("JSON");
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let block = &json["rows"][0]["blocks"][1];
        assert_eq!(
            (&block["block"], &block["inside"]["column"], &block["inside"]["block"]),
            (&0.into(), &0.into(), &1.into())
        );
    }

    #[test]
    fn parts_give_the_whole() {
        let flow = file::read(FLOW).expect("reads").flow;
        let (workspace, audience) = (Workspace::default(), audience());
        let at = audience.events[0].accepted;
        let plan = Plan::new(&flow, &workspace, &audience, at);
        assert_eq!(plan.num_mails(), 12);
        for parts in [0, 1, 2, 5, 100] {
            let shards = plan.shards(parts);
            assert_eq!(shards.iter().map(Range::len).sum::<usize>(), 12, "{parts}");
        }
        let rows: Vec<Vec<Row>> =
            plan.shards(5).into_iter().map(|range| plan.rows(range, &mut |_| true).expect("goes on")).collect();
        assert_eq!(plan.matrix(rows), made());
    }

    #[test]
    fn it_can_be_stopped() {
        let flow = file::read(FLOW).expect("reads").flow;
        let (workspace, audience) = (Workspace::default(), audience());
        let plan = Plan::new(&flow, &workspace, &audience, audience.events[0].accepted);
        assert_eq!(plan.rows(0..12, &mut |done| done < 3), Err(Cancelled));
        let mut num_mails = 0;
        let stopped = plan.mails(0..12, &mut |_, _, mail| {
            num_mails += usize::from(mail.is_ok());
            num_mails < 4
        });
        assert_eq!((stopped, num_mails), (Err(Cancelled), 4));
        let empty = Audience::default();
        let plan = Plan::new(&flow, &workspace, &empty, Instant::default());
        assert_eq!(plan.num_mails(), 0);
        assert_eq!(matrix(plan, &mut |_| true).expect("nothing to do").rows, []);
    }
}
