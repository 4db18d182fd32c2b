//! Rule 1: the mail as a tree, read by the HTML parser whatever its doctype says, and written again.
//!
//! The renderer reads a document with an XHTML doctype or namespace as XML, where an unclosed `<br>` swallows the rest
//! of a block. So it never sees the original: it gets what this tree writes. The parser itself has no limits, and some
//! short inputs make it build millions of elements; the tree stops it. Deliberately not here: any rule about content.

use std::{
    borrow::Cow,
    cell::{Ref, RefCell},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use html5ever::{
    Attribute, ParseOpts, QualName, local_name, ns, parse_document,
    tendril::{StrTendril, TendrilSink},
    tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeBuilderOpts, TreeSink},
};

use super::Error;

/// Most elements and texts. Source: the largest of 33 measured mails has 4,100; twice that of the largest mail that
/// Gmail shows unclipped (102 KB of `<b>x</b>`).
pub(super) const MAX_NODES: usize = 25_000;
/// Deepest nesting. Source: the deepest of 33 measured mails has 61.
pub(super) const MAX_DEPTH: usize = 200;
/// Most attributes of a tag; the parser compares each with each.
pub(super) const MAX_ATTRIBUTES: usize = 500;

/// A node's place in [`Dom::nodes`].
pub(super) type Id = usize;

/// The tree.
pub(super) struct Dom {
    /// All nodes, also those that were taken out.
    pub nodes: Vec<Node>,
}

/// One node.
pub(super) struct Node {
    /// `None` for the document and for what was taken out.
    pub parent: Option<Id>,
    /// In reading order.
    pub children: Vec<Id>,
    /// What it is.
    pub data: Data,
    depth: usize,
}

/// What a node is.
pub(super) enum Data {
    /// The document.
    Document,
    /// A text.
    Text(String),
    /// An element.
    Element(Element),
    /// Comments, the contents of templates.
    Nothing,
}

/// An element.
pub(super) struct Element {
    full: QualName,
    /// Lower case, without namespace.
    pub name: String,
    /// In the order of the source; names are lower case and unique.
    pub attrs: Vec<(String, String)>,
    template: Option<Id>,
}

impl Element {
    /// Whether it is of SVG or MathML.
    pub fn is_foreign(&self) -> bool {
        self.full.ns != ns!(html)
    }

    /// An attribute's value.
    pub fn attr(&self, name: &str) -> Option<&str> {
        self.attrs.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Sets an attribute.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.attrs.iter_mut().find(|(own, _)| own == name) {
            Some((_, old)) => *old = value,
            None => self.attrs.push((name.to_owned(), value)),
        }
    }

    /// Takes an attribute away.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        let at = self.attrs.iter().position(|(own, _)| own == name)?;
        Some(self.attrs.remove(at).1)
    }

    /// Adds declarations at the end of the `style` attribute.
    pub fn add_style(&mut self, declarations: &str) {
        let old = self.attr("style").unwrap_or("").trim_end();
        let gap = if old.is_empty() || old.ends_with(';') { "" } else { ";" };
        let style = format!("{old}{gap}{declarations}");
        self.set("style", style);
    }
}

impl Dom {
    /// Reads HTML. Never fails on how it is written, only on how much it is.
    ///
    /// Errors: beyond the limits of this module.
    pub fn parse(html: &str) -> Result<Self, Error> {
        count_attributes(html)?;
        let parsed = catch_unwind(AssertUnwindSafe(|| {
            let opts = ParseOpts {
                tree_builder: TreeBuilderOpts {
                    scripting_enabled: false,
                    drop_doctype: true,
                    quirks_mode: QuirksMode::NoQuirks,
                    ..TreeBuilderOpts::default()
                },
                ..ParseOpts::default()
            };
            // A byte order mark and an XML declaration in front are bogus comments to the HTML parser, and harmless.
            parse_document(Sink { nodes: RefCell::new(vec![Node::new(Data::Document)]) }, opts).one(html)
        }));
        match parsed {
            Ok(nodes) => Ok(Self { nodes }),
            Err(stop) => match stop.downcast::<Error>() {
                Ok(error) => Err(*error),
                Err(panic) => resume_unwind(panic),
            },
        }
    }

    /// The element, if it is one.
    pub fn element(&self, id: Id) -> Option<&Element> {
        match &self.nodes.get(id)?.data {
            Data::Element(element) => Some(element),
            _ => None,
        }
    }

    /// The element, to be changed.
    pub fn element_mut(&mut self, id: Id) -> Option<&mut Element> {
        match &mut self.nodes.get_mut(id)?.data {
            Data::Element(element) => Some(element),
            _ => None,
        }
    }

    /// Whether it is an element of that name.
    pub fn is(&self, id: Id, name: &str) -> bool {
        self.element(id).is_some_and(|element| element.name == name)
    }

    /// All nodes below the document, in reading order.
    pub fn in_order(&self) -> Vec<Id> {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut open = vec![0];
        while let Some(id) = open.pop() {
            order.push(id);
            open.extend(self.nodes[id].children.iter().rev());
        }
        order
    }

    /// Takes a node with all that is in it out of the tree.
    pub fn remove(&mut self, id: Id) {
        if let Some(parent) = self.nodes[id].parent.take() {
            self.nodes[parent].children.retain(|child| *child != id);
        }
    }

    /// The text directly in an element.
    pub fn text_in(&self, id: Id) -> String {
        let mut out = String::new();
        for child in &self.nodes[id].children {
            if let Data::Text(text) = &self.nodes[*child].data {
                out.push_str(text);
            }
        }
        out
    }

    /// Puts one text in place of what is in an element.
    pub fn set_text(&mut self, id: Id, text: String) {
        for child in std::mem::take(&mut self.nodes[id].children) {
            self.nodes[child].parent = None;
        }
        let depth = self.nodes[id].depth + 1;
        self.nodes.push(Node { parent: Some(id), children: Vec::new(), data: Data::Text(text), depth });
        let new = self.nodes.len() - 1;
        self.nodes[id].children.push(new);
    }

    /// Puts a style sheet in front of all others.
    pub fn put_sheet_first(&mut self, css: String) {
        let head = self.nodes.iter().position(|node| matches!(&node.data, Data::Element(e) if e.name == "head"));
        let Some(head) = head.filter(|_| !css.is_empty()) else { return };
        let style = self.insert_new(head, 0, "style");
        self.set_text(style, css);
    }

    /// A new element as child number `at`.
    pub fn insert_new(&mut self, parent: Id, at: usize, name: &str) -> Id {
        let full = QualName { prefix: None, ns: ns!(html), local: local_name!("div") };
        let element = Element { full, name: name.to_owned(), attrs: Vec::new(), template: None };
        let depth = self.nodes[parent].depth + 1;
        let data = Data::Element(element);
        self.nodes.push(Node { parent: Some(parent), children: Vec::new(), data, depth });
        let new = self.nodes.len() - 1;
        let at = at.min(self.nodes[parent].children.len());
        self.nodes[parent].children.insert(at, new);
        new
    }

    /// Moves a node to the end of another's children.
    pub fn move_into(&mut self, id: Id, parent: Id) {
        self.remove(id);
        self.nodes[id].parent = Some(parent);
        self.nodes[parent].children.push(id);
    }

    /// Gives an element another name and keeps all else.
    pub fn rename(&mut self, id: Id, name: &str) {
        if let Some(element) = self.element_mut(id) {
            name.clone_into(&mut element.name);
        }
    }

    /// The tree as an HTML document without a trace of XHTML.
    pub fn write(&self) -> String {
        let mut out = String::with_capacity(64 * 1024);
        // The renderer takes a first line with the word `xhtml` for XHTML, wherever in the line it stands.
        out.push_str("<!DOCTYPE html>\n");
        for child in &self.nodes[0].children {
            self.write_node(*child, &mut out);
        }
        out
    }

    // Recursion ends at MAX_DEPTH.
    fn write_node(&self, id: Id, out: &mut String) {
        match &self.nodes[id].data {
            Data::Text(text) => escape(text, false, out),
            Data::Element(element) => {
                out.push('<');
                out.push_str(&element.name);
                for (name, value) in &element.attrs {
                    out.push(' ');
                    out.push_str(name);
                    out.push_str("=\"");
                    escape(value, true, out);
                    out.push('"');
                }
                out.push('>');
                if VOID.contains(&element.name.as_str()) {
                    return;
                }
                if element.name == "style" {
                    // Raw text: the only thing that could end it early is its own end tag.
                    out.push_str(&self.text_in(id).replace("</", "<\\/"));
                } else {
                    if element.name == "pre" || element.name == "textarea" {
                        // The parser drops one line feed here.
                        out.push('\n');
                    }
                    for child in &self.nodes[id].children {
                        self.write_node(*child, out);
                    }
                }
                out.push_str("</");
                out.push_str(&element.name);
                out.push('>');
            }
            Data::Document | Data::Nothing => {}
        }
    }
}

const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

fn escape(text: &str, in_attribute: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if in_attribute => out.push_str("&quot;"),
            // No attribute's value can look like another attribute to whoever searches the text for one.
            '\'' if in_attribute => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
}

/// Errors: a tag with more than [`MAX_ATTRIBUTES`], counted roughly (blanks outside quotes).
fn count_attributes(html: &str) -> Result<(), Error> {
    let bytes = html.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'<' || !bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic) {
            at += 1;
            continue;
        }
        let (mut quote, mut blanks) = (None, 0);
        while let Some(byte) = bytes.get(at) {
            match (quote, byte) {
                (None, b'>') => break,
                // A quote opens a value only behind `=`.
                (None, b'"' | b'\'') if bytes[at - 1] == b'=' => quote = Some(*byte),
                (None, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b'/')
                    if !matches!(bytes[at - 1], b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b'/') =>
                {
                    blanks += 1;
                    if blanks > MAX_ATTRIBUTES {
                        return Err(Error::TooManyAttributes(MAX_ATTRIBUTES));
                    }
                }
                (Some(open), byte) if open == *byte => quote = None,
                _ => {}
            }
            at += 1;
        }
    }
    Ok(())
}

impl Node {
    fn new(data: Data) -> Self {
        Self { parent: None, children: Vec::new(), data, depth: 0 }
    }
}

/// Takes what the parser finds.
struct Sink {
    nodes: RefCell<Vec<Node>>,
}

impl Sink {
    fn push(&self, data: Data) -> Id {
        let mut nodes = self.nodes.borrow_mut();
        if nodes.len() >= MAX_NODES {
            // Not a panic: the parser has no way to be stopped, so this unwinds to `Dom::parse`, which expects it.
            drop(nodes);
            resume_unwind(Box::new(Error::TooMany(MAX_NODES)));
        }
        nodes.push(Node::new(data));
        nodes.len() - 1
    }

    fn detach(nodes: &mut [Node], id: Id) {
        if let Some(parent) = nodes[id].parent.take()
            && let Some(at) = nodes[parent].children.iter().rposition(|child| *child == id)
        {
            nodes[parent].children.remove(at);
        }
    }

    /// Puts a node or a text into `parent` before its child number `at`.
    fn put(&self, parent: Id, at: usize, child: NodeOrText<Id>) {
        let id = match child {
            NodeOrText::AppendNode(id) => id,
            NodeOrText::AppendText(text) => {
                let mut nodes = self.nodes.borrow_mut();
                let before = at.checked_sub(1).and_then(|at| nodes[parent].children.get(at).copied());
                if let Some(before) = before
                    && let Data::Text(old) = &mut nodes[before].data
                {
                    old.push_str(&text);
                    return;
                }
                drop(nodes);
                self.push(Data::Text(text.to_string()))
            }
        };
        let mut nodes = self.nodes.borrow_mut();
        Self::detach(&mut nodes, id);
        let depth = nodes[parent].depth + 1;
        if depth > MAX_DEPTH {
            drop(nodes);
            resume_unwind(Box::new(Error::TooDeep(MAX_DEPTH)));
        }
        nodes[id].parent = Some(parent);
        nodes[id].depth = depth;
        let at = at.min(nodes[parent].children.len());
        nodes[parent].children.insert(at, id);
    }
}

fn plain(attrs: Vec<Attribute>) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::with_capacity(attrs.len());
    for attr in attrs {
        let name = attr.name.local.to_string().to_ascii_lowercase();
        if !out.iter().any(|(own, _)| *own == name) {
            out.push((name, attr.value.to_string()));
        }
    }
    out
}

impl TreeSink for Sink {
    type Output = Vec<Node>;
    type Handle = Id;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Self::Output {
        let mut nodes = self.nodes.into_inner();
        // Moving whole branches about can make them deeper than they were when they were checked.
        let mut open = vec![(0, 0)];
        while let Some((id, depth)) = open.pop() {
            nodes[id].depth = depth;
            if depth > MAX_DEPTH {
                resume_unwind(Box::new(Error::TooDeep(MAX_DEPTH)));
            }
            open.extend(nodes[id].children.iter().map(|child| (*child, depth + 1)));
        }
        nodes
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Id {
        0
    }

    fn elem_name<'a>(&'a self, target: &'a Id) -> Ref<'a, QualName> {
        static NONE: QualName = QualName { prefix: None, ns: ns!(html), local: local_name!("") };
        Ref::map(self.nodes.borrow(), |nodes| match &nodes[*target].data {
            Data::Element(element) => &element.full,
            _ => &NONE,
        })
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, flags: ElementFlags) -> Id {
        let template = flags.template.then(|| self.push(Data::Nothing));
        let local = name.local.to_string().to_ascii_lowercase();
        self.push(Data::Element(Element { full: name, name: local, attrs: plain(attrs), template }))
    }

    fn create_comment(&self, _: StrTendril) -> Id {
        self.push(Data::Nothing)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Id {
        self.push(Data::Nothing)
    }

    fn append(&self, parent: &Id, child: NodeOrText<Id>) {
        let end = self.nodes.borrow()[*parent].children.len();
        self.put(*parent, end, child);
    }

    fn append_before_sibling(&self, sibling: &Id, child: NodeOrText<Id>) {
        if let NodeOrText::AppendNode(id) = &child {
            Self::detach(&mut self.nodes.borrow_mut(), *id);
        }
        let place = {
            let nodes = self.nodes.borrow();
            nodes[*sibling]
                .parent
                .and_then(|parent| Some((parent, nodes[parent].children.iter().rposition(|c| c == sibling)?)))
        };
        if let Some((parent, at)) = place {
            self.put(parent, at, child);
        }
    }

    fn append_based_on_parent_node(&self, element: &Id, previous: &Id, child: NodeOrText<Id>) {
        let has_parent = self.nodes.borrow()[*element].parent.is_some();
        if has_parent {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_template_contents(&self, target: &Id) -> Id {
        match &self.nodes.borrow()[*target].data {
            Data::Element(Element { template: Some(contents), .. }) => *contents,
            _ => *target,
        }
    }

    fn same_node(&self, one: &Id, other: &Id) -> bool {
        one == other
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn add_attrs_if_missing(&self, target: &Id, attrs: Vec<Attribute>) {
        if let Data::Element(element) = &mut self.nodes.borrow_mut()[*target].data {
            for (name, value) in plain(attrs) {
                if element.attr(&name).is_none() {
                    element.attrs.push((name, value));
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Id) {
        Self::detach(&mut self.nodes.borrow_mut(), *target);
    }

    fn reparent_children(&self, from: &Id, to: &Id) {
        let children = std::mem::take(&mut self.nodes.borrow_mut()[*from].children);
        for child in children {
            self.nodes.borrow_mut()[child].parent = None;
            self.append(to, NodeOrText::AppendNode(child));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        let written = Dom::parse(html).unwrap_or_else(|e| panic!("{e}")).write();
        assert_eq!(written, format!("<!DOCTYPE html>\n{expected}"));
        // What is written reads as itself.
        assert_eq!(Dom::parse(&written).unwrap_or_else(|e| panic!("{e}")).write(), written);
    }

    #[test]
    fn an_xhtml_doctype_does_not_make_it_xml() {
        check(
            "<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"x.dtd\">\
             <html xmlns=\"http://www.w3.org/1999/xhtml\"><body><p>one<br>two</p><p>three</body></html>",
            "<html xmlns=\"http://www.w3.org/1999/xhtml\"><head></head><body><p>one<br>two</p><p>three</p></body></html>",
        );
    }

    #[test]
    fn tables_get_their_bodies_and_texts_their_escapes() {
        check(
            "<table><tr><td>a &amp; b &lt; c</table><a title='\"'>x",
            "<html><head></head><body><table><tbody><tr><td>a &amp; b &lt; c</td></tr></tbody></table>\
             <a title=\"&quot;\">x</a></body></html>",
        );
        check("<pre>\n\na</pre>", "<html><head></head><body><pre>\n\na</pre></body></html>");
        check("", "<html><head></head><body></body></html>");
    }

    #[test]
    fn what_explodes_is_stopped() {
        let deep = "<div>".repeat(400_000);
        assert_eq!(Dom::parse(&deep).err(), Some(Error::TooDeep(MAX_DEPTH)));
        let wide = "<br>".repeat(400_000);
        assert_eq!(Dom::parse(&wide).err(), Some(Error::TooMany(MAX_NODES)));
        // Each paragraph opens every unclosed element again.
        let mut fonts: String = (0..150).map(|n| format!("<font size={n}>")).collect();
        fonts.push_str(&"<p>x".repeat(100_000));
        assert!(Dom::parse(&fonts).is_err());
        let attributes: String = (0..200_000).map(|n| format!(" a{n}=1")).collect();
        let tag = format!("<div{attributes}>");
        assert_eq!(Dom::parse(&tag).err(), Some(Error::TooManyAttributes(MAX_ATTRIBUTES)));
    }

    #[test]
    fn no_text_makes_it_xhtml() {
        let written = Dom::parse("<html title=\"xmlns='http://www.w3.org/1999/xhtml'\"><p>xhtml")
            .unwrap_or_else(|e| panic!("{e}"))
            .write();
        assert_eq!(written.lines().next(), Some("<!DOCTYPE html>"));
        assert!(!written.contains("xmlns='"), "{written}");
    }

    #[test]
    fn a_long_address_in_quotes_is_one_attribute() {
        let html = format!("<img src=\"data:image/png;base64,{}\">", "A ".repeat(5_000));
        assert!(Dom::parse(&html).is_ok());
    }
}
