//! Blocks of a mail, as the inspector shows them.

use crate::{
    content::Block,
    kinds::{
        Case, Editor, FieldSpec,
        spec::{case, field},
    },
};

/// Every sort of block, with a new one.
pub const BLOCKS: &[Case] = &[
    case("heading", "Heading", HEADING, "(text: \"Hello\")"),
    case("text", "Text", TEXT, "(text: \"\")"),
    case("image", "Picture", IMAGE, "(src: \"\", alt: \"\")"),
    case("button", "Button", BUTTON, "(text: \"Take a look\", href: \"https://\")"),
    case("products", "Products", PRODUCTS, "(items: \"cart_items\", title: \"name\")"),
    case("code", "Code", CODE, "(code: \"\")"),
    case("divider", "Line", &[SHOW_IF], "()"),
    case("spacer", "Space", SPACER, "()"),
    case("footer", "Footer", FOOTER, "()"),
    case("html", "HTML", HTML, "(html: \"\")"),
    case("mjml", "MJML", MJML, "(mjml: \"\")"),
];

/// A block as a setting of one of these cases.
pub const BLOCK: FieldSpec = field("block", "Block", "A part of the mail.", Editor::OneOf(BLOCKS));

const SHOW_IF: FieldSpec =
    field("show_if", "Shown if", "Over fields, such as cart_value > 100; always where empty.", Editor::Text).or("");
const ALIGN: FieldSpec =
    field("align", "Aligned", "Where it stands.", Editor::Choice(&["left", "center", "right"])).or("left");

const HEADING: &[FieldSpec] = &[
    field("text", "Words", "With merge tags.", Editor::Text),
    field("level", "Level", "1 (largest) to 3.", Editor::Number).or("1").range(1.0, 3.0),
    ALIGN,
    SHOW_IF,
];
const TEXT: &[FieldSpec] = &[
    field(
        "text",
        "Words",
        "An empty line parts paragraphs; - makes a list; **bold**, *italic*, [words](https://…).",
        Editor::LongText,
    ),
    ALIGN,
    SHOW_IF,
];
const IMAGE: &[FieldSpec] = &[
    field("src", "Address", "Relative ones lie below the brand's images.", Editor::Text),
    field("alt", "Shows", "For those who do not see it; empty for decoration.", Editor::Text),
    field("href", "Leads to", "Where a click leads.", Editor::Text).or(""),
    field("width", "Width", "The whole column where empty.", Editor::Number).or("").unit("px").range(1.0, 600.0),
    SHOW_IF,
];
const BUTTON: &[FieldSpec] = &[
    field("text", "Words", "On the button.", Editor::Text),
    field("href", "Leads to", "Where a click leads.", Editor::Text),
    field("align", "Aligned", "Where it stands.", Editor::Choice(&["left", "center", "right"])).or("center"),
    SHOW_IF,
];
const PRODUCTS: &[FieldSpec] = &[
    field("items", "List", "Name of a field of the kind list.", Editor::Name("list field")),
    field("limit", "At most", "So many rows. Default 3.", Editor::Number).or("3").unit("rows").range(1.0, 50.0),
    field("title", "Name in", "The item's property with its name.", Editor::Text).or("name"),
    field("price", "Price in", "The item's property with its price.", Editor::Text).or(""),
    field("image", "Picture in", "The item's property with the address of its picture.", Editor::Text).or(""),
    field("url", "Page in", "The item's property with the address of its page.", Editor::Text).or(""),
    field("quantity", "How many in", "The item's property with its number.", Editor::Text).or(""),
    SHOW_IF,
];
const CODE: &[FieldSpec] = &[
    field("code", "Code", "As a rule a tag, such as {discount_code}.", Editor::Text),
    field("label", "Above", "Words above it.", Editor::Text).or(""),
    field("note", "Below", "Small print below it.", Editor::Text).or(""),
    SHOW_IF,
];
const SPACER: &[FieldSpec] =
    &[field("height", "Height", "Default 24.", Editor::Number).or("24").unit("px").range(1.0, 200.0), SHOW_IF];
const FOOTER: &[FieldSpec] = &[
    field("text", "Why", "Why the reader gets this mail.", Editor::LongText).or(""),
    field("address", "Postal address", "The brand's where empty.", Editor::Text).or(""),
    field("unsubscribe", "Unsubscribe link", "Its words.", Editor::Text).or("Unsubscribe"),
    field("preferences", "Preferences link", "Its words; no such link where empty.", Editor::Text).or(""),
    field("view", "Browser link", "Its words; no such link where empty.", Editor::Text).or(""),
    SHOW_IF,
];
const HTML: &[FieldSpec] = &[field("html", "Source", "HTML with merge tags.", Editor::LongText), SHOW_IF];
const MJML: &[FieldSpec] = &[field("mjml", "Source", "MJML with merge tags.", Editor::LongText), SHOW_IF];

/// A line about a block for the list: its words, or what it shows.
pub fn summary(block: &Block) -> String {
    let text = match block {
        Block::Heading { text, .. } | Block::Text { text, .. } | Block::Button { text, .. } => text.as_str(),
        Block::Image { src, alt, .. } => alt.as_deref().filter(|alt| !alt.is_empty()).unwrap_or(src),
        Block::Products { items, .. } => items,
        Block::Code { code, .. } => code,
        Block::Spacer { height, .. } => return format!("{height} px"),
        Block::Footer { text, .. } => text.as_deref().unwrap_or("Address and links"),
        Block::Html { html: source, .. } | Block::Mjml { mjml: source, .. } => source.trim(),
        Block::Divider { .. } => "",
        Block::Unknown(unknown) => unknown.reason.as_str(),
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > 60 { format!("{}…", line.chars().take(59).collect::<String>()) } else { line }
}

/// What a sort of block is called; the word in the file for one that is not known.
pub fn title(name: &str) -> String {
    BLOCKS.iter().find(|case| case.name == name).map_or_else(|| name.to_owned(), |case| case.label.to_owned())
}
