//! Which column of a CSV file is which: guessed once, shown to the user, saved as `audience/mapping.ron`.
//!
//! The one idea: a guess is plain data that a person may correct. Headers of Klaviyo, HubSpot and Shopify exports and
//! our own names are known; every other column becomes a property. JSON Lines need no mapping: their names are fixed.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::guess;
use crate::{
    audience::{Channel, Currency, ValueType},
    base::{Diagnostic, Place, TextRange, nearest, text::offset_of},
};

/// The columns of the audience's CSV files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Whose export the contacts look like: `Klaviyo`, `HubSpot`, `Shopify`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks_like: Option<String>,
    /// ISO 4217 code for amounts without one, such as a column of type money with bare numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Columns of the contacts, in file order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Column>,
    /// Columns of the events, in file order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Column>,
    /// Columns of the responses, in file order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responses: Vec<Column>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its header as the file has it, spaces around it taken off. Where a header comes twice, the nth entry stands
    /// for the nth column.
    pub header: String,
    /// What it holds.
    pub role: Role,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Id of the contact, or of the event.
    Id,
    /// E-mail address; stands in for the id where there is none.
    Email,
    /// Phone number; stands in for the id where there is neither id nor address.
    Phone,
    /// Time zone.
    Zone,
    /// Language tag.
    Language,
    /// Creation or import.
    Created,
    /// Consent in words (subscribed, NEVER_SUBSCRIBED, yes, no, ...). Several columns may speak; the strictest counts.
    Consent(Channel),
    /// Any value but an empty one, `false`, `no` or `[]` means: said no.
    OptOut(Channel),
    /// Names of lists, separated by `,`, `;` or `|`.
    Lists,
    /// Of an event or response: the contact, by id or e-mail address.
    Contact,
    /// Of an event: the metric.
    Name,
    /// Of an event: when it happened.
    Happened,
    /// Of an event: when it arrived; without a column, when it happened.
    Accepted,
    /// Of a response: only in this flow.
    Flow,
    /// Of a response: the message node.
    Node,
    /// Of a response: opened, clicked, ...
    Response,
    /// Of a response: how long after the hand-over.
    After,
    /// Of a response: the link clicked.
    Link,
    /// A JSON object whose entries become properties.
    Properties,
    /// A property.
    Property {
        /// Its name in conditions and merge tags.
        name: SmolStr,
        /// Its type. Cells that do not fit are kept as text, with a warning.
        value_type: ValueType,
    },
    /// Not read.
    Ignore,
}

/// Which of the three files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// Contacts.
    Contacts,
    /// Events.
    Events,
    /// Responses.
    Responses,
}

impl FileKind {
    /// The word people read, plural.
    pub fn title(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Events => "events",
            Self::Responses => "responses",
        }
    }
}

impl Role {
    /// Whether a file of that kind can have such a column.
    pub fn fits(&self, kind: FileKind) -> bool {
        match self {
            Self::Ignore => true,
            Self::Properties | Self::Property { .. } => kind != FileKind::Responses,
            Self::Id => kind != FileKind::Responses,
            Self::Email
            | Self::Phone
            | Self::Zone
            | Self::Language
            | Self::Created
            | Self::Consent(_)
            | Self::OptOut(_)
            | Self::Lists => kind == FileKind::Contacts,
            Self::Contact => kind != FileKind::Contacts,
            Self::Name | Self::Happened | Self::Accepted => kind == FileKind::Events,
            Self::Flow | Self::Node | Self::Response | Self::After | Self::Link => kind == FileKind::Responses,
        }
    }

    /// Whether several columns may have this role.
    pub fn may_repeat(&self) -> bool {
        matches!(
            self,
            Self::Ignore | Self::Consent(_) | Self::OptOut(_) | Self::Lists | Self::Properties | Self::Property { .. }
        )
    }

    /// What people read: `e-mail address`, `property first_name (text)`.
    pub fn title(&self) -> String {
        let channel_name = |channel: &Channel| match channel {
            Channel::Email => "e-mail",
            Channel::Sms => "SMS",
        };
        match self {
            Self::Id => "id".into(),
            Self::Email => "e-mail address".into(),
            Self::Phone => "phone number".into(),
            Self::Zone => "time zone".into(),
            Self::Language => "language".into(),
            Self::Created => "created at".into(),
            Self::Consent(channel) => format!("consent to {}", channel_name(channel)),
            Self::OptOut(channel) => format!("said no to {}", channel_name(channel)),
            Self::Lists => "lists".into(),
            Self::Contact => "contact".into(),
            Self::Name => "event name".into(),
            Self::Happened => "happened at".into(),
            Self::Accepted => "accepted at".into(),
            Self::Flow => "flow".into(),
            Self::Node => "message step".into(),
            Self::Response => "response".into(),
            Self::After => "after".into(),
            Self::Link => "link".into(),
            Self::Properties => "properties as JSON".into(),
            Self::Property { name, value_type } => format!("property {name} ({})", value_type.title()),
            Self::Ignore => "not read".into(),
        }
    }
}

impl Mapping {
    /// Guesses what the columns hold, from headers and up to 200 rows of cells in header order. What `self` already
    /// says about that kind is replaced.
    pub fn guess<S: AsRef<str>>(&mut self, kind: FileKind, headers: &[S], rows: &[Vec<String>]) {
        let headers: Vec<&str> = headers.iter().map(|header| header.as_ref().trim()).collect();
        let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        if kind == FileKind::Contacts {
            self.looks_like = guess::looks_like(&headers).map(str::to_owned);
        }
        *self.columns_mut(kind) = guess::columns(kind, &headers, &rows, false);
    }

    /// The columns of one file.
    pub fn columns(&self, kind: FileKind) -> &[Column] {
        match kind {
            FileKind::Contacts => &self.contacts,
            FileKind::Events => &self.events,
            FileKind::Responses => &self.responses,
        }
    }

    pub(super) fn columns_mut(&mut self, kind: FileKind) -> &mut Vec<Column> {
        match kind {
            FileKind::Contacts => &mut self.contacts,
            FileKind::Events => &mut self.events,
            FileKind::Responses => &mut self.responses,
        }
    }

    /// Whether there is nothing in it, as for an audience in JSON Lines.
    pub fn is_empty(&self) -> bool {
        self.contacts.is_empty() && self.events.is_empty() && self.responses.is_empty()
    }

    /// The currency for bare amounts.
    pub(super) fn default_currency(&self) -> Option<Currency> {
        self.currency.as_deref().and_then(Currency::parse)
    }

    /// Lines for people, one per column: `contacts: "First Name" is property first_name (text)`.
    pub fn describe(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(platform) = &self.looks_like {
            lines.push(format!("contacts: looks like an export from {platform}"));
        }
        for kind in [FileKind::Contacts, FileKind::Events, FileKind::Responses] {
            for column in self.columns(kind) {
                lines.push(format!("{}: \"{}\" is {}", kind.title(), column.header, column.role.title()));
            }
        }
        if let Some(currency) = &self.currency {
            lines.push(format!("amounts without a currency are {currency}"));
        }
        lines
    }

    /// The text of `mapping.ron`.
    pub fn to_ron(&self) -> String {
        let config = ron::ser::PrettyConfig::new().depth_limit(3).struct_names(false);
        let text = ron::ser::to_string_pretty(self, config).unwrap_or_else(|_| "()".to_owned());
        format!(
            "// Which column of the CSV files is which. Edit a role, or delete a line to have it guessed again.\n{text}\n"
        )
    }

    /// Reads `mapping.ron`.
    ///
    /// Errors: `audience/bad-mapping` with file, line and column.
    pub fn from_ron(file: &str, text: &str) -> Result<Self, Box<Diagnostic>> {
        let mapping: Self = ron::from_str(text).map_err(|error| {
            let position = error.span.start;
            let offset = offset_of(text, position.line, position.col);
            let place = Place::file(file).with_range(TextRange::new(offset, offset));
            let message = format!("{file}, line {}, column {}: {}", position.line, position.col, error.code);
            let hint = "Correct the line, or delete the file to have the columns guessed again";
            Diagnostic::error("audience/bad-mapping", place, message).hint(hint)
        })?;
        let refuse = |message: String, hint: &str| {
            Err(Box::new(Diagnostic::error("audience/bad-mapping", Place::file(file), message).hint(hint)))
        };
        for kind in [FileKind::Contacts, FileKind::Events, FileKind::Responses] {
            if let Some(column) = mapping.columns(kind).iter().find(|column| !column.role.fits(kind)) {
                let message = format!(
                    "{file}: column `{}` of the {} cannot be \"{}\"",
                    column.header,
                    kind.title(),
                    column.role.title()
                );
                return refuse(message, "Give it another role, such as property or ignore");
            }
        }
        if let Some(code) = mapping.currency.as_deref()
            && Currency::parse(code).is_none()
        {
            let hint = nearest::hint(code, ["EUR", "USD", "GBP", "CHF", "JPY"]);
            return refuse(format!("{file}: `{code}` is not a currency"), &hint);
        }
        Ok(mapping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_saving() {
        let mut mapping = Mapping { currency: Some("EUR".into()), ..Mapping::default() };
        let rows = vec![vec!["1".to_owned(), "a@example.com".into(), "yes".into(), "12.50".into()]];
        mapping.guess(FileKind::Contacts, &["id", "Email", "Accepts SMS Marketing", "Total Spent"], &rows);
        let text = mapping.to_ron();
        assert_eq!(Mapping::from_ron("mapping.ron", &text), Ok(mapping), "{text}");
        assert!(text.contains("consent(sms)"), "{text}");
    }

    #[test]
    fn faults_name_their_place() {
        let check = |text: &str, expected: &str| {
            let error = Mapping::from_ron("mapping.ron", text).expect_err("must not be read");
            assert!(error.message.contains(expected), "{}", error.message);
        };
        check("(contacts: [(header: \"a\", role: nonsense)])", "line 1");
        check("(events: [(header: \"a\", role: email)])", "column `a` of the events cannot be \"e-mail address\"");
        check("(currency: Some(\"euros\"))", "`euros` is not a currency");
        check(&"(".repeat(10_000), "line 1");
    }

    #[test]
    fn describes_itself() {
        let mut mapping = Mapping::default();
        mapping.guess(FileKind::Contacts, &["Klaviyo ID", "First Name"], &[]);
        assert_eq!(
            mapping.describe(),
            [
                "contacts: looks like an export from Klaviyo",
                "contacts: \"Klaviyo ID\" is id",
                "contacts: \"First Name\" is property first_name (text)",
            ]
        );
    }
}
