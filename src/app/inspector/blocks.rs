//! Blocks of a mail, as the inspector shows them.

use crate::{
    content::{Block, Until},
    kinds::{
        Case, Editor, FieldSpec, ListSpec,
        spec::{bare, case, field, one},
    },
};

macro_rules! cases {
    (
        $($a:literal, $a_label:literal, $a_fields:expr, $a_new:literal, $a_help:literal;)*
        wide $c:literal, $c_label:literal, $c_fields:expr, $c_new:literal, $c_help:literal;
        $($b:literal, $b_label:literal, $b_fields:expr, $b_new:literal, $b_help:literal;)*
        wide $f:literal, $f_label:literal, $f_fields:expr, $f_new:literal, $f_help:literal;
        $($d:literal, $d_label:literal, $d_fields:expr, $d_new:literal, $d_help:literal;)*
    ) => {
        /// Every sort of block, with a new one.
        pub const BLOCKS: &[Case] = &[
            $(case($a, $a_label, $a_fields, $a_new),)*
            case($c, $c_label, $c_fields, $c_new),
            $(case($b, $b_label, $b_fields, $b_new),)*
            case($f, $f_label, $f_fields, $f_new),
            $(case($d, $d_label, $d_fields, $d_new),)*
        ];

        /// What may stand in a column: all but what takes the whole width.
        const INNER: &[Case] = &[
            $(case($a, $a_label, $a_fields, $a_new),)*
            $(case($b, $b_label, $b_fields, $b_new),)*
            $(case($d, $d_label, $d_fields, $d_new),)*
        ];

        /// A line about a sort of block, for menus.
        pub fn help(name: &str) -> &'static str {
            match name {
                $($a => $a_help,)*
                $c => $c_help,
                $($b => $b_help,)*
                $f => $f_help,
                $($d => $d_help,)*
                _ => "",
            }
        }
    };
}

cases! {
    "heading", "Heading", HEADING, "(text: \"Made for the long way\")", "A line in large letters";
    "text", "Text", TEXT, "(text: \"Hello,\\n\\na few words about what is inside.\")", "Paragraphs, lists, links";
    "image", "Picture", IMAGE, "(src: \"\", alt: \"\")", "A picture that may lead somewhere";
    "button", "Button", BUTTON, "(text: \"Take a look\", href: \"https://\")", "The one thing to do";
    "products", "Products", PRODUCTS, "(items: \"cart_items\", title: \"name\")", "A list field, a row for each product";
    "code", "Code", CODE, "(code: \"\", label: \"Your code\")", "A discount code in a box";
    wide "columns", "Columns", COLUMNS, "(columns: [(blocks: [heading(text: \"On the left\", level: 3), text(text: \"A few words.\")]), (blocks: [heading(text: \"On the right\", level: 3), text(text: \"A few words.\")])])", "Two or three columns of blocks";
    "countdown", "Deadline", COUNTDOWN, "(until: midnight)", "When an offer ends, as a date that stays true";
    "stock", "Pieces left", STOCK, "(field: \"stock_left\", levels: [(at_most: 3, text: \"Only a few left\"), (at_most: 10, text: \"Selling fast\")])", "A badge below a number of pieces";
    "delivery", "Delivery", DELIVERY, "(cut_off: \"14:00\")", "When something ordered now arrives";
    "video", "Video", VIDEO, "(poster: \"\", href: \"https://\", alt: \"\")", "A picture with a play button";
    "chat", "Live chat", CHAT, "(href: \"https://\")", "A way to somebody who answers";
    "sms_opt_in", "SMS sign-up", SMS, "(number: \"\")", "A tap that signs up for text messages, with terms";
    "social", "Networks", SOCIAL, "(links: [(network: instagram, href: \"https://www.instagram.com/\"), (network: facebook, href: \"https://www.facebook.com/\")])", "A row of links to networks";
    "divider", "Line", &[ON_PHONE, SHOW_IF], "()", "A thin line";
    "spacer", "Space", SPACER, "()", "Empty room";
    wide "footer", "Footer", FOOTER, "()", "Postal address, unsubscribe link";
    "html", "HTML", HTML, "(html: \"\")", "Your own HTML";
    "mjml", "MJML", MJML, "(mjml: \"\")", "Your own MJML";
}

/// A block as a setting of one of these cases.
pub const BLOCK: FieldSpec = field("block", "Block", "A part of the mail.", Editor::OneOf(BLOCKS));

const SHOW_IF: FieldSpec =
    field("show_if", "Shown if", "Over fields, such as cart_value > 100; always where empty.", Editor::Text).or("");
const ON_PHONE: FieldSpec =
    field("on_phone", "On a phone", "What is different on a narrow screen.", Editor::Choice(&["same", "hide"]))
        .or("same");
const WORDS_ON_PHONE: FieldSpec = field(
    "on_phone",
    "On a phone",
    "What is different on a narrow screen.",
    Editor::Choice(&["same", "small", "large", "center", "hide"]),
)
.or("same");
const WIDE_ON_PHONE: FieldSpec = field(
    "on_phone",
    "On a phone",
    "What is different on a narrow screen; wide takes the whole width.",
    Editor::Choice(&["same", "wide", "center", "hide"]),
)
.or("same");
const CENTERED: FieldSpec =
    field("align", "Aligned", "Where it stands.", Editor::Choice(&["left", "center", "right"])).or("center");
const ALIGN: FieldSpec =
    field("align", "Aligned", "Where it stands.", Editor::Choice(&["left", "center", "right"])).or("left");

const HEADING: &[FieldSpec] = &[
    field("text", "Words", "With merge tags.", Editor::Text),
    field("level", "Level", "1 (largest) to 3.", Editor::Number).or("1").range(1.0, 3.0),
    ALIGN,
    WORDS_ON_PHONE,
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
    WORDS_ON_PHONE,
    SHOW_IF,
];
const IMAGE: &[FieldSpec] = &[
    field("src", "Address", "Relative ones lie below the brand's images.", Editor::Text),
    field("alt", "Shows", "For those who do not see it; empty for decoration.", Editor::Text),
    field("href", "Leads to", "Where a click leads.", Editor::Text).or(""),
    field("width", "Width", "The whole column where empty.", Editor::Number).or("").unit("px").range(1.0, 600.0),
    WIDE_ON_PHONE,
    SHOW_IF,
];
const BUTTON: &[FieldSpec] = &[
    field("text", "Words", "On the button.", Editor::Text),
    field("href", "Leads to", "Where a click leads.", Editor::Text),
    CENTERED,
    WIDE_ON_PHONE,
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
    ON_PHONE,
    SHOW_IF,
];
const CODE: &[FieldSpec] = &[
    field("code", "Code", "As a rule a tag, such as {discount_code}.", Editor::Text),
    field("label", "Above", "Words above it.", Editor::Text).or(""),
    field("note", "Below", "Small print below it.", Editor::Text).or(""),
    ON_PHONE,
    SHOW_IF,
];
const COLUMNS: &[FieldSpec] = &[
    field("columns", "Columns", "Two or three, from left to right.", Editor::List(&COLUMN_LIST)),
    field("stack", "Below each other on a phone", "Else they stay side by side there too.", Editor::Switch).or("true"),
    field("gap", "Room between", "Default 24.", Editor::Number).or("24").unit("px").range(0.0, 80.0),
    field("valign", "Shorter ones", "Where shorter columns stand.", Editor::Choice(&["top", "middle", "bottom"]))
        .or("top"),
    ON_PHONE,
    SHOW_IF,
];
const COLUMN_LIST: ListSpec = ListSpec {
    one: "column",
    item: field("column", "Column", "Blocks from top to bottom.", Editor::Group(COLUMN)),
    new: "(blocks: [text(text: \"A few words.\")])",
    ordered: true,
    percent: None,
};
const COLUMN: &[FieldSpec] = &[
    field("width", "Width", "A share; empty for what the others leave.", Editor::Number)
        .or("")
        .unit("%")
        .range(10.0, 80.0),
    field("blocks", "Blocks", "From top to bottom.", Editor::List(&INNER_LIST)),
];
const INNER_LIST: ListSpec = ListSpec {
    one: "block",
    item: field("block", "Block", "A part of the column.", Editor::OneOf(INNER)),
    new: "text(text: \"A few words.\")",
    ordered: true,
    percent: None,
};
const COUNTDOWN: &[FieldSpec] = &[
    field("until", "Ends", "Printed as a date that stays true, on the contact's clock.", Editor::OneOf(UNTIL)),
    field("label", "Above", "Words above the date.", Editor::Text).or("The offer ends"),
    field("ended", "Once it is over", "Words instead; nothing at all where empty.", Editor::Text).or(""),
    field(
        "picture",
        "Moving picture",
        "Address of a service that draws the time left; the date stays below.",
        Editor::Text,
    )
    .or(""),
    field("on", "Shown", "Switched off it keeps its settings.", Editor::Switch).or("true"),
    CENTERED,
    WORDS_ON_PHONE,
    SHOW_IF,
];
const UNTIL: &[Case] = &[
    bare("midnight", "With the contact's day"),
    one("at", "At a date and time", &AT, "(\"2026-12-31 18:00\")"),
    one("field", "At what a field says", &DATE_FIELD, "(\"\")"),
];
const AT: FieldSpec = field(
    "at",
    "Date and time",
    "2026-11-27 18:00 on everybody's own clock; 2026-11-27T18:00+01:00 at one instant.",
    Editor::Text,
);
const DATE_FIELD: FieldSpec = field("field", "Field", "Of the kind date or instant.", Editor::Name("date field"));
const STOCK: &[FieldSpec] = &[
    field("field", "Pieces left", "A number field.", Editor::Name("number field")),
    field("levels", "Levels", "From few to many; the first that fits is shown.", Editor::List(&LEVEL_LIST)),
    field("sold_out", "At none left", "Words; nothing where empty.", Editor::Text).or(""),
    ALIGN,
    ON_PHONE,
    SHOW_IF,
];
const LEVEL_LIST: ListSpec = ListSpec {
    one: "level",
    item: field("level", "Level", "Words from a number of pieces downwards.", Editor::Group(LEVEL)),
    new: "(at_most: 5, text: \"Only a few left\")",
    ordered: false,
    percent: None,
};
const LEVEL: &[FieldSpec] = &[
    field("at_most", "At most", "Shown at so many pieces or fewer.", Editor::Number)
        .unit("pieces")
        .range(1.0, 10_000.0),
    field("text", "Words", "With merge tags.", Editor::Text),
];
const DELIVERY: &[FieldSpec] = &[
    field("from", "At least", "Working days. Default 2.", Editor::Number).or("2").unit("days").range(0.0, 60.0),
    field("to", "At most", "Working days. Default 4.", Editor::Number).or("4").unit("days").range(0.0, 60.0),
    field("cut_off", "Cut-off", "Later orders count from the next working day.", Editor::Time).or(""),
    field("zone", "Zone of the cut-off", "Such as Europe/Berlin; the contact's where empty.", Editor::Text).or(""),
    field("text", "Words", "{first} and {last} stand for the days.", Editor::Text)
        .or("Order now and it arrives between {first} and {last}"),
    ON_PHONE,
    SHOW_IF,
];
const VIDEO: &[FieldSpec] = &[
    field("poster", "Picture", "Relative addresses lie below the brand's images.", Editor::Text),
    field("href", "Film", "Where the film is.", Editor::Text),
    field("alt", "Shows", "For those who do not see the picture.", Editor::Text),
    field("text", "Link below", "Its words.", Editor::Text).or("Watch the video"),
    field("height", "Height", "Default 292.", Editor::Number).or("292").unit("px").range(1.0, 600.0),
    ON_PHONE,
    SHOW_IF,
];
const CHAT: &[FieldSpec] = &[
    field("text", "Words", "Of the link.", Editor::Text).or("Chat with us"),
    field("href", "Leads to", "A page with the chat, https://wa.me/… or tel:.", Editor::Text),
    field("note", "Below", "Who answers and when.", Editor::Text).or(""),
    ON_PHONE,
    SHOW_IF,
];
const SMS: &[FieldSpec] = &[
    field("number", "Number", "With + and country.", Editor::Text),
    field("keyword", "Keyword", "What the telephone sends. Default JOIN.", Editor::Text).or("JOIN"),
    field("text", "Above", "Words above the button; an offer where empty.", Editor::Text).or(""),
    field("button", "On the button", "Default: Text JOIN to sign up.", Editor::Text).or("Text JOIN to sign up"),
    field("terms", "Terms", "Small print; the usual terms of text messages where empty.", Editor::LongText).or(""),
    ON_PHONE,
    SHOW_IF,
];
const SOCIAL: &[FieldSpec] = &[
    field("links", "Links", "From left to right.", Editor::List(&LINK_LIST)),
    field("style", "Look", "Round signs of letters, or words.", Editor::Choice(&["signs", "words"])).or("signs"),
    CENTERED,
    ON_PHONE,
    SHOW_IF,
];
const LINK_LIST: ListSpec = ListSpec {
    one: "link",
    item: field("link", "Link", "A network.", Editor::Group(LINK)),
    new: "(network: website, href: \"https://\")",
    ordered: true,
    percent: None,
};
const LINK: &[FieldSpec] = &[
    field("network", "Network", "Its sign and name.", Editor::Choice(NETWORKS)),
    field("href", "Leads to", "Your page there.", Editor::Text),
    field("label", "Name", "The network's where empty.", Editor::Text).or(""),
];
const NETWORKS: &[&str] = &[
    "website",
    "facebook",
    "instagram",
    "x",
    "threads",
    "tiktok",
    "youtube",
    "pinterest",
    "linkedin",
    "whatsapp",
    "mastodon",
    "bluesky",
];
const SPACER: &[FieldSpec] = &[
    field("height", "Height", "Default 24.", Editor::Number).or("24").unit("px").range(1.0, 200.0),
    ON_PHONE,
    SHOW_IF,
];
const FOOTER: &[FieldSpec] = &[
    field("text", "Why", "Why the reader gets this mail.", Editor::LongText).or(""),
    field("address", "Postal address", "The brand's where empty.", Editor::Text).or(""),
    field("unsubscribe", "Unsubscribe link", "Its words.", Editor::Text).or("Unsubscribe"),
    field("preferences", "Preferences link", "Its words; no such link where empty.", Editor::Text).or(""),
    field("view", "Browser link", "Its words; no such link where empty.", Editor::Text).or(""),
    SHOW_IF,
];
const HTML: &[FieldSpec] = &[field("html", "Source", "HTML with merge tags.", Editor::LongText), ON_PHONE, SHOW_IF];
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
        Block::Columns { columns, .. } => {
            let kinds = |column: &crate::content::Column| {
                let kinds: Vec<String> =
                    column.blocks.iter().map(|block| title(block.kind_name()).to_lowercase()).collect();
                if kinds.is_empty() { "empty".to_owned() } else { kinds.join(", ") }
            };
            return columns.iter().map(kinds).collect::<Vec<_>>().join(" \u{b7} ");
        }
        Block::Countdown { on: false, .. } => "Switched off",
        Block::Countdown { until, .. } => match until {
            Until::Midnight => "With the contact's day",
            Until::At(at) => at,
            Until::Field(field) => field,
        },
        Block::Stock { levels, .. } => levels.first().map_or("", |level| level.text.as_str()),
        Block::Delivery { text, .. } | Block::Chat { text, .. } => text,
        Block::Video { alt, text, .. } => {
            if alt.is_empty() {
                text
            } else {
                alt
            }
        }
        Block::SmsOptIn { keyword, number, .. } => return format!("{keyword} to {number}"),
        Block::Social { links, .. } => {
            let names: Vec<&str> = links.iter().map(|link| link.network.title()).collect();
            return names.join(", ");
        }
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
