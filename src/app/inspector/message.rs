//! The message of the selected step: variants, subject, blocks, merge tags, and the edits of each.
//!
//! Blocks are edited in their own RON, so that what this version does not know in them is kept or refused, never lost.

use super::{
    Change, Document, Note, Ready, Route, Row, blocks, capital, change, note,
    raw::{self, Step},
    rows, tried,
};
use crate::{
    audience::{Channel, ValueType},
    base::{MessageId, NodeId, id::is_wellformed},
    content::{Block, Body, Message, RESERVED_LINKS, Variant, ron_options},
    flow::{Edit, Flow},
};

/// A message ready to draw.
#[derive(Clone, Debug)]
pub struct MessageForm {
    /// Its id.
    pub id: MessageId,
    /// Its name in lists; empty where it has none.
    pub name: String,
    /// E-mail or SMS.
    pub channel: Channel,
    /// Other steps that send it too.
    pub also_sent_by: Vec<String>,
    /// Its versions.
    pub variants: Vec<VariantForm>,
    /// Findings that no field took.
    pub notes: Vec<Note>,
}

impl MessageForm {
    /// What a version is called in a list: its name, its language, and its share of the contacts of that language.
    pub fn variant_title(&self, at: usize) -> String {
        let Some(variant) = self.variants.get(at) else { return String::new() };
        let is_same = |other: &&VariantForm| other.language.eq_ignore_ascii_case(&variant.language);
        let total: u64 = self.variants.iter().filter(is_same).map(|other| u64::from(other.weight)).sum();
        let percent = (100 * u64::from(variant.weight)).checked_div(total).unwrap_or(0);
        match variant.language.as_str() {
            "" => format!("{} \u{b7} {percent}%", variant.id),
            language if self.variants.iter().filter(is_same).count() == 1 => {
                format!("{} \u{b7} {language}", variant.id)
            }
            language => format!("{} \u{b7} {language} \u{b7} {percent}%", variant.id),
        }
    }
}

/// One version of a message.
#[derive(Clone, Debug)]
pub struct VariantForm {
    /// Its name.
    pub id: String,
    /// Share among the variants.
    pub weight: u32,
    /// The language it is for; empty for all others.
    pub language: String,
    /// Subject line.
    pub subject: Field,
    /// The line after it.
    pub preheader: Field,
    /// The plain text; of an SMS the whole.
    pub text: Field,
    /// What it shows.
    pub body: BodyForm,
}

/// A text of a message with what was found in it.
#[derive(Clone, Debug, Default)]
pub struct Field {
    /// The text.
    pub text: String,
    /// Findings.
    pub notes: Vec<Note>,
}

/// The body of a version.
#[derive(Clone, Debug)]
pub enum BodyForm {
    /// Blocks from top to bottom.
    Blocks(Vec<BlockForm>),
    /// A whole document: `HTML` or `MJML`.
    Source {
        /// Which.
        language: &'static str,
        /// The source.
        source: Field,
    },
}

/// One block.
#[derive(Clone, Debug)]
pub struct BlockForm {
    /// What its sort is called.
    pub title: String,
    /// Name of its icon.
    pub icon: &'static str,
    /// Its words in one line.
    pub summary: String,
    /// Its condition.
    pub show_if: String,
    /// Its settings; of one that cannot be read the text as written.
    pub row: Row,
    /// Findings about it as a whole.
    pub notes: Vec<Note>,
}

/// Which text of a variant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    /// The name of the message in lists.
    Name,
    /// The name of the variant.
    VariantName,
    /// Its share.
    Weight,
    /// Its language.
    Language,
    /// The subject.
    Subject,
    /// The preheader.
    Preheader,
    /// The plain text.
    Text,
    /// The source of a whole document.
    Source,
}

/// What is done to a message.
#[derive(Clone, PartialEq, Debug)]
pub enum MessageChange {
    /// A text of a variant is typed.
    Type(Part, String),
    /// A variant is added: a copy of this one.
    CopyVariant,
    /// An empty variant is added.
    AddVariant,
    /// The variant goes.
    RemoveVariant,
    /// The variant moves to another place among them.
    MoveVariant(usize),
    /// A block of a sort is added at the end, before a footer.
    AddBlock(String),
    /// A block moves.
    MoveBlock(usize, usize),
    /// A block is doubled.
    CopyBlock(usize),
    /// A block goes.
    RemoveBlock(usize),
    /// A setting of a block changes.
    Block(usize, Route, Change),
}

/// The message of a step, if it sends one and has it.
pub fn form(document: &Document, node: &NodeId) -> Option<MessageForm> {
    let flow = document.flow();
    let (id, _) = flow.node(node.as_str())?.settings()?.message()?;
    let message = flow.message(id.as_str())?;
    let sends = |other: &crate::flow::Node| other.settings().and_then(|s| s.message()).is_some_and(|(m, _)| m == id);
    let others = flow.nodes.iter().filter(|other| other.id != *node && sends(other));
    let also_sent_by = others.map(|node| node.title().to_owned()).collect();
    let mut form = MessageForm {
        id: id.clone(),
        name: message.name.clone().unwrap_or_default(),
        channel: message.channel,
        also_sent_by,
        variants: message.variants.iter().map(variant).collect(),
        notes: Vec::new(),
    };
    for finding in document.derived.findings.iter().flat_map(|stamped| stamped.value.iter()) {
        let found = &finding.diagnostic;
        if found.place.message.as_deref() == Some(id.as_str()) {
            place(&mut form, found.place.field.as_deref().unwrap_or(""), note(found));
        }
    }
    Some(form)
}

/// What a step says that sends a message which is not there or cannot be read.
pub fn missing(flow: &Flow, node: &NodeId) -> Option<(MessageId, Channel, String)> {
    let (id, channel) = flow.node(node.as_str())?.settings()?.message()?;
    match flow.messages.iter().find(|message| message.id == *id) {
        None => Some((id.clone(), channel, format!("There is no message `{id}` yet"))),
        Some(section) => {
            let error = section.section.error()?;
            Some((id.clone(), channel, capital(&crate::flow::file::settings_message(error))))
        }
    }
}

/// The edit that begins a message which is not there.
pub fn begin(id: &MessageId, channel: Channel) -> Ready {
    let message = Message::new(id.clone(), channel);
    Ready {
        label: "Begin message".to_owned(),
        edits: vec![Edit::SetMessage(Box::new(message))],
        merge: None,
        workspace: None,
    }
}

fn variant(variant: &Variant) -> VariantForm {
    let field = |text: &str| Field { text: text.to_owned(), notes: Vec::new() };
    let body = match &variant.body {
        Body::Blocks(blocks) => BodyForm::Blocks(blocks.iter().map(block).collect()),
        Body::Html(source) => BodyForm::Source { language: "HTML", source: field(source) },
        Body::Mjml(source) => BodyForm::Source { language: "MJML", source: field(source) },
    };
    VariantForm {
        id: variant.id.clone(),
        weight: variant.weight,
        language: variant.language.clone().unwrap_or_default(),
        subject: field(&variant.subject),
        preheader: field(&variant.preheader),
        text: field(variant.text.as_deref().unwrap_or("")),
        body,
    }
}

fn block(block: &Block) -> BlockForm {
    BlockForm {
        title: blocks::title(block.kind_name()),
        icon: icon(block),
        summary: blocks::summary(block),
        show_if: block.show_if().unwrap_or_default().to_owned(),
        row: rows::row(blocks::BLOCK, Some(&block_ron(block)), Route::default()),
        notes: Vec::new(),
    }
}

fn icon(block: &Block) -> &'static str {
    match block {
        Block::Heading { .. } => "text-aa",
        Block::Text { .. } => "text-t",
        Block::Image { .. } => "image",
        Block::Button { .. } => "hand-pointing",
        Block::Products { .. } => "shopping-cart-simple",
        Block::Code { .. } => "ticket",
        Block::Columns { .. } => "columns",
        Block::Countdown { .. } => "timer",
        Block::Stock { .. } => "stack",
        Block::Delivery { .. } => "package",
        Block::Video { .. } => "video",
        Block::Chat { .. } => "chat-circle",
        Block::SmsOptIn { .. } => "chat-text",
        Block::Social { .. } => "users-three",
        Block::Divider { .. } => "minus",
        Block::Spacer { .. } => "arrows-vertical",
        Block::Footer { .. } => "align-bottom",
        Block::Html { .. } | Block::Mjml { .. } => "code",
        Block::Unknown(_) => "question",
    }
}

/// A block as RON: as written where it is not understood.
fn block_ron(block: &Block) -> String {
    match block {
        Block::Unknown(unknown) => unknown.raw.clone(),
        known => ron_options().to_string(known).unwrap_or_default(),
    }
}

/// Puts a finding at its field: `subject`, `variants.b.body.3.text`.
fn place(form: &mut MessageForm, field: &str, note: Note) {
    let (variant_idx, rest) = split_place(form, field);
    let Some(variant) = form.variants.get_mut(variant_idx) else {
        form.notes.push(note);
        return;
    };
    let (part, below) = rest.split_once('.').unwrap_or((rest, ""));
    let notes = match (part, &mut variant.body) {
        ("subject", _) => &mut variant.subject.notes,
        ("preheader", _) => &mut variant.preheader.notes,
        ("text", _) => &mut variant.text.notes,
        ("body" | "html", BodyForm::Source { source, .. }) => &mut source.notes,
        ("body", BodyForm::Blocks(blocks)) => {
            let (at, setting) = below.split_once('.').unwrap_or((below, ""));
            match at.parse().ok().and_then(|at: usize| blocks.get_mut(at)) {
                Some(block) => {
                    if setting.is_empty() || !rows::annotate(std::slice::from_mut(&mut block.row), setting, &note) {
                        block.notes.push(note);
                    }
                    return;
                }
                None => &mut form.notes,
            }
        }
        _ => &mut form.notes,
    };
    if !notes.contains(&note) {
        notes.push(note);
    }
}

fn split_place<'a>(form: &MessageForm, field: &'a str) -> (usize, &'a str) {
    let rest = field.strip_prefix("variants.").unwrap_or(field);
    for (at, variant) in form.variants.iter().enumerate() {
        if let Some(rest) = rest.strip_prefix(variant.id.as_str()).and_then(|rest| rest.strip_prefix('.')) {
            return (at, rest);
        }
    }
    (0, rest)
}

/// The edits of a change to a variant of a message.
///
/// Errors: a sentence for the field.
pub fn edit(flow: &Flow, id: &MessageId, variant_idx: usize, change: &MessageChange) -> Result<Ready, String> {
    let mut message = flow.message(id.as_str()).ok_or("The message is gone")?.clone();
    let label = apply(&mut message, variant_idx, change)?;
    let edits = vec![Edit::SetMessage(Box::new(message))];
    tried(flow, &edits)?;
    let merge = match change {
        MessageChange::Type(part, _) => Some(format!("message {id} {variant_idx} {part:?}")),
        MessageChange::Block(at, route, change) if change.is_typing() => {
            Some(format!("message {id} {variant_idx} {at} {route}"))
        }
        _ => None,
    };
    Ok(Ready { label: label.to_owned(), edits, merge, workspace: None })
}

fn apply(message: &mut Message, variant_idx: usize, change: &MessageChange) -> Result<&'static str, String> {
    if let MessageChange::Type(Part::Name, text) = change {
        message.name = Some(text.clone()).filter(|text| !text.trim().is_empty());
        return Ok("Rename message");
    }
    let taken: Vec<String> = message.variants.iter().map(|variant| variant.id.clone()).collect();
    let fresh = || {
        let letters = ('a'..='z').map(String::from);
        letters.chain((1..).map(|n| format!("v{n}"))).find(|id| !taken.contains(id)).unwrap_or_default()
    };
    let count = message.variants.len();
    let variant = message.variants.get_mut(variant_idx).ok_or("This variant is gone")?;
    match change {
        MessageChange::Type(part, text) => return type_text(variant, *part, text, &taken),
        MessageChange::CopyVariant => {
            let copy = Variant { id: fresh(), ..variant.clone() };
            message.variants.insert(variant_idx + 1, copy);
            return Ok("Duplicate variant");
        }
        MessageChange::AddVariant => {
            let body = Body::Blocks(Vec::new());
            message.variants.push(Variant { id: fresh(), body, ..Variant::default() });
            return Ok("Add variant");
        }
        MessageChange::MoveVariant(to) if *to >= count => return Err("There is no such place".to_owned()),
        MessageChange::MoveVariant(to) => {
            let moved = message.variants.remove(variant_idx);
            message.variants.insert(*to, moved);
            return Ok("Move variant");
        }
        MessageChange::RemoveVariant if count == 1 => return Err("A message has at least one variant".to_owned()),
        MessageChange::RemoveVariant => {
            message.variants.remove(variant_idx);
            return Ok("Remove variant");
        }
        _ => {}
    }
    let Body::Blocks(list) = &mut variant.body else { return Err("This body has no blocks".to_owned()) };
    let gone = || "This block is gone".to_owned();
    Ok(match change {
        MessageChange::AddBlock(name) => {
            let case = blocks::BLOCKS.iter().find(|case| case.name == name).ok_or("There is no such block")?;
            let block = Block::from_ron(&format!("{}{}", case.name, case.new));
            let is_footer = |block: &Block| matches!(block, Block::Footer { .. });
            let at = if list.last().is_some_and(is_footer) && !is_footer(&block) { list.len() - 1 } else { list.len() };
            list.insert(at, block);
            "Add block"
        }
        MessageChange::MoveBlock(from, to) => {
            if *from >= list.len() || *to >= list.len() {
                return Err(gone());
            }
            let block = list.remove(*from);
            list.insert(*to, block);
            "Move block"
        }
        MessageChange::CopyBlock(at) => {
            let copy = list.get(*at).ok_or_else(gone)?.clone();
            list.insert(at + 1, copy);
            "Duplicate block"
        }
        MessageChange::RemoveBlock(at) => {
            if *at >= list.len() {
                return Err(gone());
            }
            list.remove(*at);
            "Remove block"
        }
        MessageChange::Block(at, route, change) => {
            let block = list.get_mut(*at).ok_or_else(gone)?;
            *block = block_changed(block, route, change)?;
            "Change block"
        }
        _ => return Err("This does not fit a block".to_owned()),
    })
}

fn type_text(variant: &mut Variant, part: Part, text: &str, taken: &[String]) -> Result<&'static str, String> {
    Ok(match part {
        Part::Name => "Rename message",
        Part::VariantName => {
            let text = text.trim();
            if !is_wellformed(text) {
                return Err("Use 1 to 64 letters, digits, - or _".to_owned());
            }
            if text != variant.id && taken.iter().any(|id| id == text) {
                return Err(format!("The name `{text}` is taken"));
            }
            text.clone_into(&mut variant.id);
            "Rename variant"
        }
        Part::Weight => {
            let weight = text.trim().parse().ok().filter(|weight| *weight <= 10_000_u32);
            variant.weight = weight.ok_or("A whole number from 0 to 10,000")?;
            "Change share of variant"
        }
        Part::Language => {
            let tag = text.trim();
            let is_tag = tag.len() <= 35
                && tag
                    .split('-')
                    .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
                && tag.split('-').next().is_some_and(|first| (2..=3).contains(&first.len()));
            if !tag.is_empty() && !is_tag {
                return Err("Write a language as de, en-GB or pt-BR; leave it empty for everybody else".to_owned());
            }
            variant.language = Some(tag.to_owned()).filter(|tag| !tag.is_empty());
            "Change language of variant"
        }
        Part::Subject => {
            text.clone_into(&mut variant.subject);
            "Change subject"
        }
        Part::Preheader => {
            text.clone_into(&mut variant.preheader);
            "Change preheader"
        }
        Part::Text => {
            variant.text = Some(text.to_owned()).filter(|text| !text.trim().is_empty());
            "Change plain text"
        }
        Part::Source => match &mut variant.body {
            Body::Html(source) | Body::Mjml(source) => {
                text.clone_into(source);
                "Change source"
            }
            Body::Blocks(_) => return Err("This body has no source".to_owned()),
        },
    })
}

/// A block after a change; what cannot be read afterwards is refused.
fn block_changed(block: &Block, route: &Route, change: &Change) -> Result<Block, String> {
    let ron = match change {
        Change::Raw(text) => text.clone(),
        change => {
            let before = block_ron(block);
            let spec = change::below(blocks::BLOCK, &route.0).ok_or("This setting is not known")?;
            change::changed(&before, &spec, route, change)?
        }
    };
    match Block::from_ron(&ron) {
        Block::Unknown(unknown) => Err(capital(&unknown.reason)),
        known => Ok(known),
    }
}

/// The route of a setting of a block.
pub fn block_route(kind: &str, setting: &str) -> Route {
    Route(vec![Step::Case(kind.into()), Step::Field(setting.into())])
}

/// A merge tag to insert.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tag {
    /// What is inserted: `{first_name}`.
    pub insert: String,
    /// What people read.
    pub title: String,
    /// What it is for the chosen contact, else a sample; empty where nothing is known.
    pub sample: String,
    /// What stands in for a missing value; empty where a mail without one is held.
    pub fallback: String,
}

/// Merge tags of the flow, then the links that every mail has.
pub fn tags(document: &Document) -> Vec<Tag> {
    let made = document.derived.preview.as_ref().and_then(|stamped| stamped.value.result.as_ref().ok());
    let of_contact = |name: &str| {
        let tags = made.map(|made| made.mail.tags.as_slice()).unwrap_or_default();
        tags.iter().find(|tag| tag.name == name && !tag.value.is_empty()).map(|tag| tag.value.clone())
    };
    let fields = document.flow().fields().map(|field| Tag {
        insert: format!("{{{}}}", field.name),
        title: field.title().to_owned(),
        sample: of_contact(&field.name).or_else(|| field.samples.first().cloned()).unwrap_or_default(),
        fallback: field.fallback.clone().unwrap_or_default(),
    });
    let links = RESERVED_LINKS.iter().map(|name| Tag {
        insert: format!("{{{name}}}"),
        title: rows::title(name.trim_end_matches("_url")) + " link",
        sample: String::new(),
        fallback: String::new(),
    });
    fields.chain(links).collect()
}

/// Names of fields of these kinds, for blocks that print them.
pub fn fields_of(flow: &Flow, kinds: &[ValueType]) -> Vec<super::names::Choice> {
    flow.fields()
        .filter(|field| kinds.contains(&field.kind))
        .map(|field| super::names::Choice { name: field.name.to_string(), about: field.title().to_owned() })
        .collect()
}

/// Whether a route leads into a block, for the rows of its form.
pub fn is_block_route(route: &Route) -> bool {
    matches!(route.0.first(), Some(Step::Case(_)))
}

/// The text of a block's setting.
pub fn block_text(block: &Block, setting: &str) -> Option<String> {
    let ron = block_ron(block);
    let route = block_route(block.kind_name(), setting);
    let spec = change::below(blocks::BLOCK, &route.0)?;
    Some(super::leaf::shown(spec.editor, raw::get(&ron, &route.0)?))
}
