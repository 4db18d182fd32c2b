//! Pages of what is said of single blocks of a mail.

use super::{CheckSpec, page};
use crate::base::Severity;

/// The pages.
pub(super) const PAGES: &[CheckSpec] = &[
    page(
        "mail/block-in-column",
        Severity::Error,
        "A block that takes the whole width",
        [
            "A footer, columns, or MJML with sections of its own stand inside a column.",
            "Mail programs know no sections inside columns; the mail would fall apart.",
            "columns(columns: [(blocks: [footer()]), (blocks: [])])",
            "Move the block out of the columns, above or below them.",
            "references, mail rendering, section 4",
        ],
    ),
    page(
        "mail/columns",
        Severity::Error,
        "Columns that do not fit",
        [
            "There are fewer than two or more than three columns, or their widths come to more than 100 %.",
            "A mail is 600 pixels wide: more columns cannot be read, and one is none.",
            "columns(columns: [(width: 80, blocks: []), (width: 80, blocks: [])])",
            "Write two or three columns; leave a width out, and the column gets what the others leave.",
            "assumption: three columns of 170 pixels are the least that can be read",
        ],
    ),
    page(
        "mail/deadline",
        Severity::Error,
        "A deadline that is no date",
        [
            "The end of a countdown is neither a date nor a date and time.",
            "The mail could not say when the offer ends.",
            "countdown(until: at(\"Friday evening\"))",
            "Write 2026-11-27 18:00 for everybody's own clock, or 2026-11-27T18:00+01:00 for one instant.",
            "DESIGN 3 (messages)",
        ],
    ),
    page(
        "mail/delivery-days",
        Severity::Error,
        "A delivery too far away",
        [
            "An estimated delivery is more than 60 working days away.",
            "Nobody waits for a day that far off; as a rule a digit is too much.",
            "delivery(to: 90)",
            "Write 0 to 60 working days.",
            "assumption: 60 working days, as the computed field has",
        ],
    ),
    page(
        "mail/delivery-zone",
        Severity::Error,
        "A cut-off in no zone",
        [
            "The zone of a delivery's cut-off does not exist.",
            "Nobody could say whether it is too late today.",
            "delivery(cut_off: \"14:00\", zone: \"Berlin\")",
            "Write a zone such as Europe/Berlin, or leave it out for the contact's.",
            "IANA time zone database",
        ],
    ),
    page(
        "mail/no-levels",
        Severity::Error,
        "A stock badge without words",
        [
            "A badge for the pieces left has no levels and no words at none left.",
            "It would never show anything.",
            "stock(field: \"stock_left\", levels: [])",
            "Add a level, such as (at_most: 3, text: \"Only a few left\").",
            "DESIGN 3 (messages)",
        ],
    ),
    page(
        "mail/no-links",
        Severity::Error,
        "A row of networks without links",
        [
            "A row of networks has no links.",
            "It would be empty room in the mail.",
            "social(links: [])",
            "Add a link, or take the block out.",
            "DESIGN 3 (messages)",
        ],
    ),
    page(
        "mail/sms-keyword",
        Severity::Error,
        "A keyword that cannot be sent",
        [
            "The keyword of an SMS sign-up is empty or has merge tags in it.",
            "The reader's telephone sends it as it stands, and your provider waits for one word.",
            "sms_opt_in(keyword: \"{first_name}\", number: \"+49 40 5550142\")",
            "Write a plain word, such as JOIN.",
            "DESIGN 3 (messages)",
        ],
    ),
    page(
        "mail/sms-number",
        Severity::Error,
        "A sign-up to no number",
        [
            "The number of an SMS sign-up has no 3 to 15 digits.",
            "The reader's tap would lead nowhere.",
            "sms_opt_in(number: \"call us\")",
            "Write the number with + and country, or a short code.",
            "ITU-T E.164: at most 15 digits",
        ],
    ),
];
