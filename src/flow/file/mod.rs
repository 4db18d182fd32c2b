//! The flow file: read, migrate, write.
//!
//! The one idea: settings, fields and messages are kept as raw RON, and what is not edited or not understood is
//! written back letter by letter. `ron::Value` and `#[serde(flatten)]` lose identifiers, hence the raw envelopes.
//! Deliberately not here: opening files; texts come in, texts go out.

mod fault;
mod lexemes;
mod migrate;
mod parts;
pub mod raw;

use std::{fmt::Write as _, sync::Arc};

use ron::value::RawValue;
use serde::{Deserialize, Deserializer, de};
use smol_str::SmolStr;

pub use self::fault::spanned;
use self::{
    lexemes::{Lexeme, bound_depth, comments, lex},
    parts::split_list,
    raw::{RawStruct, offset_in},
};
use super::{
    graph::{Edge, Flow, MessageSection, Node, Section, is_plain_port},
    settings::FlowSettings,
    workspace::{WORKSPACE_VERSION, Workspace},
};
use crate::{
    base::{Diagnostic, FlowId, MessageId, NodeId, Place, TextRange, nearest, text},
    content::{Field, Message},
    kinds::{NEXT, Settings, SettingsError, ron_options},
};

/// The version of the flow file that this build writes.
pub const FLOW_VERSION: u32 = 2;

/// Largest file that is read, in bytes. Source: assumption; a flow of 20,000 nodes has about 8 MB.
pub const MOST_BYTES: usize = 64 << 20;

/// A flow as read from a file.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The flow.
    pub flow: Flow,
    /// What is worth knowing: migrations, names that are not known, comments that a save would drop.
    pub notes: Vec<Diagnostic>,
    /// The version the file had.
    pub version: u32,
    /// The file came from a newer version: show it, do not save it.
    pub read_only: bool,
    source: Arc<str>,
}

impl Loaded {
    /// The text to save for `flow`: the file as it was, if nothing changed, else a fresh one in which every part that
    /// was not edited is as written.
    pub fn write(&self, flow: &Flow) -> String {
        if *flow == self.flow && self.version == FLOW_VERSION { self.source.to_string() } else { write(flow) }
    }
}

/// A text from bytes.
///
/// Errors: not UTF-8, NUL bytes, too large; with line and column.
pub fn text_of(bytes: &[u8]) -> Result<&str, Diagnostic> {
    let fault = |message: String, at: usize, hint: &str| {
        Err(Diagnostic::error("file/unreadable", Place::default().with_range(TextRange::new(at, at)), message)
            .hint(hint))
    };
    if bytes.len() > MOST_BYTES {
        return fault(
            format!("The file has {} MB, more than {} MB", bytes.len() >> 20, MOST_BYTES >> 20),
            0,
            "Is it a flow?",
        );
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            let before = String::from_utf8_lossy(&bytes[..at]);
            let (line, column) = text::line_and_column(&before, before.len());
            return fault(format!("The file is not UTF-8 at line {line}, column {column}"), at, "Save it as UTF-8");
        }
    };
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        let (line, column) = text::line_and_column(text, at);
        return fault(
            format!("A NUL byte at line {line}, column {column}"),
            at,
            "The file is damaged or not a text; restore it from a copy",
        );
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Reads a flow file.
///
/// Errors: what makes the file unreadable as a whole, with line and column. Faults inside parts are no errors here:
/// the part is kept as written and `check` reports it.
pub fn read(source: &str) -> Result<Loaded, Diagnostic> {
    bound_depth(source)?;
    let envelope = Envelope::read(source).map_err(|error| {
        // A newer version may have another shape, and then its shape is not what is to be mended.
        match RawStruct::parse(source).ok().and_then(|keys| fault::version_in(&keys)) {
            Some(version) if version > FLOW_VERSION => {
                newer("file", version, FLOW_VERSION).hint("Get a newer Flowloom")
            }
            _ => fault::of_envelope(source, &error),
        }
    })?;
    let version = envelope.version;
    if version > FLOW_VERSION {
        let mut loaded = build(source, source, &envelope)?;
        loaded.read_only = true;
        loaded.notes.insert(
            0,
            newer("file", version, FLOW_VERSION)
                .hint("Get a newer Flowloom; what can be shown is shown, nothing is saved"),
        );
        return Ok(loaded);
    }
    if version < FLOW_VERSION {
        let migrated = migrate::to_newest(source, version)?;
        // Places in the migrated text are none in the file.
        let unplaced = |mut found: Diagnostic| {
            found.place.range = None;
            found.message = format!("Read as version {FLOW_VERSION}: {}", found.message);
            found
        };
        let envelope = Envelope::read(&migrated).map_err(|error| unplaced(fault::of_envelope(&migrated, &error)))?;
        let mut loaded = build(source, &migrated, &envelope).map_err(unplaced)?;
        loaded.version = version;
        loaded.notes.push(
            Diagnostic::new(
                crate::base::Severity::Hint,
                "file/migrated",
                Place::default(),
                format!("The file has version {version} and is read as version {FLOW_VERSION}"),
            )
            .hint("Saving writes the new version"),
        );
        return Ok(loaded);
    }
    build(source, source, &envelope)
}

fn never_was(what: &str, version: u32) -> Diagnostic {
    let message = format!("There never was a {what} file of version {version}");
    Diagnostic::error("file/unknown-version", Place::default(), message)
        .hint("Versions begin with 1; look at the first line of the file")
}

fn newer(what: &str, version: u32, newest: u32) -> Diagnostic {
    let message = format!("The {what} has version {version}, this build reads up to {newest}");
    Diagnostic::error("file/newer-version", Place::default(), message)
}

/// A flow file before its parts are read.
struct Envelope<'a> {
    version: u32,
    id: String,
    name: String,
    settings: Option<&'a str>,
    fields: Vec<&'a str>,
    nodes: Vec<RawStruct<'a>>,
    edges: Option<&'a str>,
    messages: Vec<&'a str>,
    extra: Vec<(SmolStr, &'a str)>,
}

const ENVELOPE_KEYS: &[&str] = &["version", "id", "name", "settings", "fields", "nodes", "edges", "messages"];
const NODE_KEYS: &[&str] = &["id", "kind", "title", "note", "pos", "muted", "settings"];

#[derive(Deserialize)]
struct EdgeEnvelope {
    from: NodeId,
    #[serde(default = "next")]
    port: SmolStr,
    to: NodeId,
}

fn next() -> SmolStr {
    SmolStr::new_static(NEXT)
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(RawStruct::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl<'a> Envelope<'a> {
    /// Reads a flow file as far as its parts.
    ///
    /// Errors: what RON says, with line and column.
    fn read(source: &'a str) -> Result<Self, ron::error::SpannedError> {
        let whole = ron_options().from_str::<de::IgnoredAny>(source).ok();
        let parts = whole.and_then(|_| RawStruct::split(source));
        match parts.and_then(|parts| Self::of(parts).ok()) {
            Some(envelope) => Ok(envelope),
            // Not of the plain shape, or with a fault, whose place RON knows.
            None => ron_options().from_str(source),
        }
    }

    fn of(parts: RawStruct<'a>) -> Result<Self, String> {
        let mut envelope = Self {
            version: 0,
            id: String::new(),
            name: String::new(),
            settings: None,
            fields: Vec::new(),
            nodes: Vec::new(),
            edges: None,
            messages: Vec::new(),
            extra: Vec::new(),
        };
        let fail = |key: &str, error: ron::error::SpannedError| {
            // `fault::of_envelope` says it with its place.
            format!("in `{key}`: {}", error.code)
        };
        fn part<'a, T: Deserialize<'a>>(value: &'a str) -> Result<T, ron::error::SpannedError> {
            ron_options().from_str(value)
        }
        fn list(value: &str) -> Result<Vec<&str>, ron::error::SpannedError> {
            match split_list(value) {
                Some(items) => Ok(items),
                None => Ok(part::<Vec<&RawValue>>(value)?.into_iter().map(|item| item.get_ron().trim()).collect()),
            }
        }
        let mut has_version = false;
        for (key, value) in parts.0 {
            match key.as_str() {
                "version" => {
                    has_version = true;
                    envelope.version = part(value).map_err(|e| fail("version", e))?;
                }
                "id" => envelope.id = part(value).map_err(|e| fail("id", e))?,
                "name" => envelope.name = part(value).map_err(|e| fail("name", e))?,
                "settings" => envelope.settings = Some(value),
                "fields" => envelope.fields = list(value).map_err(|e| fail("fields", e))?,
                "nodes" => {
                    let items = split_list(value).and_then(|items| items.into_iter().map(RawStruct::split).collect());
                    envelope.nodes = items.map_or_else(|| part(value), Ok).map_err(|e| fail("nodes", e))?;
                }
                "edges" => envelope.edges = Some(value),
                "messages" => envelope.messages = list(value).map_err(|e| fail("messages", e))?,
                _ => envelope.extra.push((key, value)),
            }
        }
        if !has_version {
            return Err("`version` is missing; is this a flow file?".to_owned());
        }
        Ok(envelope)
    }
}

/// What is wrong with settings, for people.
pub fn settings_message(error: &SettingsError) -> String {
    match error {
        SettingsError::UnknownKind => "this kind of step is not known to this version".to_owned(),
        SettingsError::Unreadable { message, line_column: (line, column) } => {
            format!("{message} (line {line}, column {column} of it)")
        }
    }
}

fn unreadable(error: &ron::error::SpannedError) -> SettingsError {
    SettingsError::Unreadable {
        message: error.code.to_string(),
        line_column: (error.span.start.line, error.span.start.col),
    }
}

/// Reads the settings of a flow.
pub fn read_flow_settings(ron: &str) -> Result<FlowSettings, SettingsError> {
    ron_options().from_str(ron).map_err(|error| unreadable(&error))
}

/// A flow from its parts. `written` is the file as it lies, of which `source` is the newest version.
fn build(written: &str, source: &str, envelope: &Envelope<'_>) -> Result<Loaded, Diagnostic> {
    let mut notes = Vec::new();
    let fault = |part: &str, message: String| {
        let at = offset_in(source, part);
        let (line, column) = text::line_and_column(source, at);
        Diagnostic::error(
            "file/unreadable",
            Place::default().with_range(TextRange::new(at, at)),
            format!("Line {line}, column {column}: {message}"),
        )
        .hint("Mend that place with a text editor; nothing was changed")
    };
    if !crate::base::id::is_wellformed(&envelope.id) {
        return Err(fault(
            source,
            format!("the flow's id `{}` is not well formed: 1 to 64 letters, digits, - _ or .", envelope.id),
        ));
    }
    let mut flow = Flow::new(FlowId::new(&envelope.id), &envelope.name);
    if let Some(raw) = envelope.settings {
        flow.settings = Arc::new(Section::new(raw, read_flow_settings(raw), offset_in(source, raw)));
    }
    for raw in &envelope.fields {
        let raw = *raw;
        let value = ron_options().from_str::<Field>(raw).map_err(|error| unreadable(&error));
        flow.fields.push(Arc::new(Section::new(raw, value, offset_in(source, raw))));
    }
    for node in &envelope.nodes {
        let get = |key: &str| node.get(key);
        let whole = node.0.first().map_or("", |(_, value)| *value);
        fn read_as<T: de::DeserializeOwned + Default>(
            raw: Option<&str>,
            fault: impl Fn(&str, String) -> Diagnostic,
        ) -> Result<T, Diagnostic> {
            raw.map_or_else(
                || Ok(T::default()),
                |raw| ron_options().from_str(raw).map_err(|e| fault(raw, e.code.to_string())),
            )
        }
        let string = |key: &str| match get(key).and_then(parts::plain_string) {
            Some(plain) => Ok(plain.to_owned()),
            None => read_as::<String>(get(key), fault),
        };
        let (id, kind) = (string("id")?, string("kind")?);
        if id.is_empty() || kind.is_empty() {
            return Err(fault(whole, "a step needs `id` and `kind`".to_owned()));
        }
        let raw = get("settings").unwrap_or("()");
        let pos: (f32, f32) = get("pos").and_then(parts::plain_pair).map_or_else(|| read_as(get("pos"), fault), Ok)?;
        if !pos.0.is_finite() || !pos.1.is_finite() {
            return Err(fault(get("pos").unwrap_or(whole), "a position must be finite".to_owned()));
        }
        let settings = Section::new(raw, Settings::read(&kind, raw), offset_in(source, raw));
        if let (Some(value), Ok(keys)) = (settings.value(), RawStruct::of_read(raw)) {
            let known = value.spec().fields;
            for (key, _) in &keys.0 {
                if !known.iter().any(|field| field.name == key) && !is_structural(&kind, key) {
                    notes.push(
                        Diagnostic::warning(
                            "settings/unknown",
                            Place::node(&id).with_field(key.as_str()),
                            format!("`{key}` is no setting of this step; it is kept and does nothing"),
                        )
                        .hint(nearest::hint(key, known.iter().map(|field| field.name))),
                    );
                }
            }
        }
        flow.nodes.push(Arc::new(Node {
            id: NodeId::new(&id),
            kind: SmolStr::new(&kind),
            title: string("title")?,
            note: string("note")?,
            pos,
            muted: read_as(get("muted"), fault)?,
            settings,
            extra: node
                .0
                .iter()
                .filter(|(key, _)| !NODE_KEYS.contains(&key.as_str()))
                .map(|(key, value)| (SmolStr::new(key), Arc::from(*value)))
                .collect(),
        }));
        for (key, _) in node.0.iter().filter(|(key, _)| !NODE_KEYS.contains(&key.as_str())) {
            notes.push(unknown_key(key, Place::node(&id), NODE_KEYS));
        }
    }
    if let Some(raw) = envelope.edges {
        let edges: Vec<EdgeEnvelope> =
            ron_options().from_str(raw).map_err(|e| fault(raw, format!("in the edges: {}", e.code)))?;
        flow.edges = edges.into_iter().map(|e| Edge { from: e.from, port: e.port, to: e.to }).collect();
    }
    for (n, raw) in envelope.messages.iter().enumerate() {
        let raw = *raw;
        let value = Message::from_ron(raw).map_err(|error| unreadable(&error));
        let id = match &value {
            Ok(message) => message.id.clone(),
            Err(_) => RawStruct::parse(raw)
                .ok()
                .and_then(|keys| keys.get("id").and_then(|id| ron_options().from_str::<String>(id).ok()))
                .map_or_else(|| MessageId::new(format!("message-{}", n + 1)), MessageId::new),
        };
        flow.messages.push(Arc::new(MessageSection { id, section: Section::new(raw, value, offset_in(source, raw)) }));
    }
    for (key, value) in &envelope.extra {
        notes.push(unknown_key(key, Place::default(), ENVELOPE_KEYS));
        flow.extra.push((key.clone(), Arc::from(*value)));
    }
    if let Some(settings) = flow.settings.value().and(RawStruct::of_read(flow.settings.raw()).ok()) {
        for (key, _) in settings.0.iter().filter(|(key, _)| !FlowSettings::NAMES.contains(&key.as_str())) {
            notes.push(unknown_key(key, Place::default().with_field(format!("settings.{key}")), FlowSettings::NAMES));
        }
    }
    let dropped = comments_dropped(written, source, &flow);
    if dropped > 0 {
        let (comments, them) = if dropped == 1 {
            ("1 comment stands".to_owned(), "it")
        } else {
            (format!("{dropped} comments stand"), "them")
        };
        notes.push(
            Diagnostic::new(
                crate::base::Severity::Hint,
                "file/comments",
                Place::default(),
                format!("{comments} between the parts of the file; a save after an edit drops {them}"),
            )
            .hint("Move them into settings or notes, where they are kept"),
        );
    }
    Ok(Loaded { flow, notes, version: envelope.version, read_only: false, source: Arc::from(source) })
}

/// Keys of settings that the inspector edits in another way than as a field of the table.
fn is_structural(kind: &str, key: &str) -> bool {
    matches!((kind, key), ("note", "size"))
}

fn unknown_key(key: &str, place: Place, known: &[&str]) -> Diagnostic {
    Diagnostic::warning(
        "settings/unknown",
        place,
        format!("`{key}` is not known to this version; it is kept and does nothing"),
    )
    .hint(nearest::hint(key, known.iter().copied()))
}

/// How many comments of the file as it lies are in none of the parts that are written back as they are.
fn comments_dropped(written: &str, source: &str, flow: &Flow) -> usize {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    let mut push = |offset: usize, raw: &str| ranges.push((offset, offset + raw.len()));
    push(flow.settings.offset, flow.settings.raw());
    flow.fields.iter().for_each(|f| push(f.offset, f.raw()));
    flow.nodes.iter().for_each(|n| push(n.settings.offset, n.settings.raw()));
    flow.messages.iter().for_each(|m| push(m.section.offset, m.section.raw()));
    ranges.sort_unstable();
    let found = comments(source);
    let is_kept = |at: &&usize| {
        let before = ranges.partition_point(|(start, _)| start <= *at);
        before > 0 && ranges[before - 1].1 > **at
    };
    let num_kept = found.iter().filter(is_kept).count();
    let num_written = if std::ptr::eq(written, source) { found.len() } else { comments(written).len() };
    num_written.saturating_sub(num_kept)
}

/// Writes a flow file in the newest version.
pub fn write(flow: &Flow) -> String {
    let mut out = String::with_capacity(256 + flow.nodes.len() * 200);
    let quote = |text: &str| ron::to_string(text).unwrap_or_else(|_| "\"\"".to_owned());
    let _ = writeln!(
        out,
        "(\n    version: {FLOW_VERSION},\n    id: {},\n    name: {},",
        quote(flow.id.as_str()),
        quote(&flow.name)
    );
    let _ = writeln!(out, "    settings: {},", indented(flow.settings.raw(), 4));
    list(&mut out, "fields", flow.fields.iter().map(|f| indented(f.raw(), 8)));
    list(&mut out, "nodes", flow.nodes.iter().map(|node| node_text(node, &quote)));
    list(
        &mut out,
        "edges",
        flow.edges.iter().map(|edge| {
            let port = if is_plain_port(&edge.port) { String::new() } else { format!("port: {}, ", quote(&edge.port)) };
            format!("(from: {}, {port}to: {})", quote(edge.from.as_str()), quote(edge.to.as_str()))
        }),
    );
    list(&mut out, "messages", flow.messages.iter().map(|m| indented(m.section.raw(), 8)));
    for (key, raw) in &flow.extra {
        let _ = writeln!(out, "    {key}: {raw},");
    }
    out.push_str(")\n");
    out
}

fn node_text(node: &Node, quote: &impl Fn(&str) -> String) -> String {
    let mut out = format!("(id: {}, kind: {}", quote(node.id.as_str()), quote(&node.kind));
    if !node.title.is_empty() {
        let _ = write!(out, ", title: {}", quote(&node.title));
    }
    if !node.note.is_empty() {
        let _ = write!(out, ", note: {}", quote(&node.note));
    }
    let _ = write!(out, ", pos: ({}, {})", node.pos.0, node.pos.1);
    if node.muted {
        out.push_str(", muted: true");
    }
    for (key, raw) in &node.extra {
        let _ = write!(out, ", {key}: {raw}");
    }
    let raw = node.settings.raw();
    if raw != "()" {
        let _ = write!(out, ", settings: {}", indented(raw, 8));
    }
    out.push(')');
    out
}

/// Raw text is written as it is: its lines were indented where they came from. Only fresh text of our own printer,
/// which begins its lines at the margin, is moved right, and never where a string goes over several lines.
fn indented(raw: &str, by: usize) -> String {
    let margin = raw.lines().last().is_some_and(|line| line.starts_with([')', ']', '}']));
    let mut has_long_string = false;
    lex(raw, |_, kind| has_long_string |= kind == Lexeme::LongString);
    if margin && raw.contains('\n') && !has_long_string {
        raw.replace('\n', &format!("\n{}", " ".repeat(by)))
    } else {
        raw.to_owned()
    }
}

fn list(out: &mut String, name: &str, items: impl ExactSizeIterator<Item = String>) {
    if items.len() == 0 {
        return;
    }
    let _ = writeln!(out, "    {name}: [");
    for item in items {
        let _ = writeln!(out, "        {item},");
    }
    let _ = writeln!(out, "    ],");
}

/// Reads a workspace file.
///
/// Errors: what makes it unreadable, with line and column.
pub fn read_workspace(source: &str) -> Result<(Workspace, Vec<Diagnostic>), Diagnostic> {
    bound_depth(source)?;
    let keys = RawStruct::parse(source).map_err(|error| spanned(source, &error))?;
    match fault::version_in(&keys) {
        Some(version) if version > WORKSPACE_VERSION => {
            return Err(newer("workspace", version, WORKSPACE_VERSION).hint("Get a newer Flowloom"));
        }
        Some(0) => return Err(never_was("workspace", 0)),
        _ => {}
    }
    let workspace: Workspace = ron_options().from_str(source).map_err(|error| spanned(source, &error))?;
    let unknown = keys.0.iter().filter(|(key, _)| !Workspace::NAMES.contains(&key.as_str()));
    let notes =
        unknown.map(|(key, _)| unknown_key(key, Place::default().with_field(key.as_str()), Workspace::NAMES)).collect();
    Ok((workspace, notes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Edit;

    const WATCH: &str = include_str!("../../../sample_flows/watch-shop/watch-shop.flow.ron");

    fn watch() -> Loaded {
        read(WATCH).unwrap_or_else(|d| panic!("{}", d.message))
    }

    #[test]
    fn the_watch_flow_loads_whole() {
        let loaded = watch();
        assert_eq!((loaded.flow.nodes.len(), loaded.flow.edges.len(), loaded.flow.messages.len()), (7, 6, 3));
        assert!(loaded.flow.nodes.iter().all(|n| n.settings.error().is_none()), "{:?}", loaded.flow.nodes);
        assert!(loaded.flow.messages.iter().all(|m| m.section.error().is_none()), "{:?}", loaded.flow.messages);
        assert!(loaded.flow.settings.error().is_none(), "{:?}", loaded.flow.settings.error());
        assert_eq!(loaded.flow.fields().count(), loaded.flow.fields.len());
        assert!(loaded.flow.invariants().is_empty());
        assert!(loaded.notes.is_empty(), "{:?}", loaded.notes);
        let (workspace, notes) = read_workspace(include_str!("../../../sample_flows/watch-shop/flowloom.ron"))
            .unwrap_or_else(|d| panic!("{}", d.message));
        assert_eq!((workspace.segments.len(), notes.len()), (2, 0));
    }

    /// Unedited: the same bytes. Edited: every part that was not edited as written, comments inside included.
    #[test]
    fn what_is_not_edited_is_written_back() {
        let loaded = watch();
        assert_eq!(loaded.write(&loaded.flow), WATCH);
        let edit = Edit::SetField { id: "wait-4h".into(), field: "wait".into(), value: Some("for(\"5 h\")".into()) };
        let edited = loaded.flow.apply(&edit).expect("applies");
        let text = loaded.write(&edited);
        assert!(text.contains("(wait: for(\"5 h\"), after: entry)"), "{text}");
        assert!(text.contains("// A purchase of the same cart is the goal"), "{text}");
        let again = read(&text).unwrap_or_else(|d| panic!("{}\n{text}", d.message));
        assert_eq!(again.flow, edited);
        assert_eq!(write(&again.flow), text, "writing is a fixed point");
    }

    #[test]
    fn unknown_content_is_kept() {
        let source = r#"(version: 2, id: "f", name: "F", nodes: [
            (id: "a", kind: "teleport", colour: Some(red), settings: (to: mars, /* soon */ by: [1, (x: 2)])),
            (id: "b", kind: "delay", settings: (wait: for("4 h"), warp: Factor(9))),
        ], plugins: {"x": Maybe(1)})"#;
        let loaded = read(source).unwrap_or_else(|d| panic!("{}", d.message));
        let text = write(&loaded.flow);
        for kept in [
            "(to: mars, /* soon */ by: [1, (x: 2)])",
            "colour: Some(red)",
            "warp: Factor(9)",
            r#"plugins: {"x": Maybe(1)}"#,
        ] {
            assert!(text.contains(kept), "{kept} in {text}");
        }
        assert_eq!(read(&text).map(|l| l.flow), Ok(loaded.flow));
        assert_eq!(loaded.notes.iter().filter(|d| d.code == "settings/unknown").count(), 3, "{:?}", loaded.notes);
    }

    #[test]
    fn version_one_is_migrated() {
        let source = r#"(version: 1, id: "f", name: "F", nodes: [(id: "a", kind: "trigger", settings: (any: [])), (id: "b", kind: "exit")], edges: [("a", "next", "b")])"#;
        let loaded = read(source).unwrap_or_else(|d| panic!("{}", d.message));
        assert_eq!(loaded.flow.edges, [Edge::new("a", "next", "b")]);
        assert!(loaded.write(&loaded.flow).contains("version: 2"));
        let newer = read(&source.replace("version: 1", "version: 9").replace(r#"[("a", "next", "b")]"#, "[]"));
        assert!(newer.is_ok_and(|l| l.read_only));
    }

    fn check_unreadable(source: &str, expected: &str) {
        let error = read(source).expect_err(source);
        assert!(error.message.contains(expected), "{:?} for {source:.60}", error.message);
    }

    #[test]
    fn faults_have_a_place() {
        check_unreadable("", "Line 1, column 1");
        check_unreadable("(version: 2, id: \"f\",\n nodes: [(id: 3)])", "Line 2, column 15");
        check_unreadable("(version: 2, id: \"f\",\n nodes: [(id: \"a\")])", "needs `id` and `kind`");
        check_unreadable("(version: 2, id: \"a b\")", "not well formed");
        check_unreadable("(id: \"f\")", "`version` is missing");
        check_unreadable("(\n version: \"2\",\n id: \"f\")", "Line 2, column 11: in `version`: Expected integer");
        check_unreadable("(version: 2, id: \"f\",\n nodes: [\n  3,\n])", "Line 3, column 3: in `nodes`");
        check_unreadable("(version: 3, id: \"f\", nodes: {})", "has version 3, this build reads up to 2");
        let workspace = |source: &str| read_workspace(source).expect_err(source).message;
        assert!(workspace("(version: 0)").contains("never was"), "{}", workspace("(version: 0)"));
        assert!(workspace("(version: 7, caps: \"new\")").contains("has version 7"));
        check_unreadable("(version: 0, id: \"f\")", "never was");
        check_unreadable(&"(".repeat(100_000), "Nested deeper");
        check_unreadable(&format!("(version: 2, id: \"f\", x: {}", "[".repeat(70)), "Nested deeper");
        assert!(text_of(b"\xff").is_err_and(|d| d.message.contains("not UTF-8")));
        assert!(text_of(b"a\nb\0").is_err_and(|d| d.message.contains("line 2, column 2")));
    }
}
