//! Tags about the calendar: what a platform's template knows of today, of deadlines, of working days.
//!
//! No platform converts to the reader's zone or counts working days. What stays true is printed; what would not is a
//! loss with words that are.

use super::*;
use crate::content::filters::Moment;

impl Printer<'_> {
    /// A literal through a filter of the calendar; `None` for any other.
    pub(super) fn calendar(&mut self, expr: &Expr) -> Option<String> {
        let (base, filters) = chain(expr);
        let ExprKind::Const(Const::Text(text)) = &base.kind else { return None };
        let [(name, args)] = filters.as_slice() else { return None };
        match (*name, *args) {
            ("arrival", [Const::Int(days), rest @ ..]) => {
                let code = self.code("klaviyo/arrival", "hubspot/arrival");
                self.lose(
                    code,
                    expr,
                    "Working days cannot be counted in this platform's templates: the mail says how many there are, not which"
                        .into(),
                    "Send the estimated day with the event, and print it from a field",
                );
                // The first of two days is followed by the second, which has the words.
                Some(if rest.is_empty() { format!("{days} working days from now") } else { days.to_string() })
            }
            ("date_fmt", [Const::Text(pattern)]) if text == "now" => {
                let code = self.code("klaviyo/account-zone", "hubspot/account-zone");
                self.lose(
                    code,
                    expr,
                    "The date of the mail is that of the account's time zone, not of the reader's".into(),
                    "Write to readers far away in a flow of their own, or leave the date out",
                );
                Some(match self.dialect {
                    Dialect::Klaviyo => klaviyo_today(pattern),
                    _ => format!("{{{{ format_datetime(today(), {}) }}}}", hubspot::hubl_quote(&java_pattern(pattern))),
                })
            }
            ("date_fmt", [Const::Text(pattern)]) => {
                let moment = Moment::parse(text)?;
                let utc = crate::base::Zone::utc();
                let mut words = crate::content::format_date(moment.local(&utc), pattern);
                if matches!(moment, Moment::At(_)) {
                    let code = self.code("klaviyo/deadline-zone", "hubspot/deadline-zone");
                    self.lose(
                        code,
                        expr,
                        format!("`{text}` is printed in UTC: templates do not convert to the reader's time zone"),
                        "Write the time without a zone where it is meant on everybody's own clock",
                    );
                    words.push_str(" UTC");
                }
                Some(self.words(&words))
            }
            _ => None,
        }
    }

    fn code(&self, klaviyo: &'static str, hubspot: &'static str) -> &'static str {
        if self.dialect == Dialect::Klaviyo { klaviyo } else { hubspot }
    }

    /// What a condition is worth that asks nothing but whether a deadline is over: not over, since the mail is written
    /// as if it were read in time.
    pub(super) fn deadline_test(&mut self, test: &Expr) -> Option<bool> {
        match &test.kind {
            _ if self.dialect == Dialect::Canonical => None,
            ExprKind::Not(of) => self.deadline_test(of).map(|yes| !yes),
            ExprKind::Filter { name, .. } if name == "is_past" => {
                let code = self.code("klaviyo/deadline", "hubspot/deadline");
                self.lose(
                    code,
                    test,
                    "Whether a deadline is over cannot be asked in this platform's templates: the mail is written as if it were not"
                        .into(),
                    "End the flow before the deadline, for example by an exit condition",
                );
                Some(false)
            }
            _ => None,
        }
    }
}

/// A date of today in Klaviyo's tags. Source: references, klaviyo, section 12: `current_…`, English, account zone.
fn klaviyo_today(pattern: &str) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        chars.next_if_eq(&'-');
        out.push_str(match chars.next() {
            Some('d') => "{% current_day %}",
            Some('m') => "{% current_month %}",
            Some('B' | 'b') => "{% current_month_name %}",
            Some('Y' | 'y') => "{% current_year %}",
            Some('A' | 'a') => "{% current_weekday %}",
            Some('%') => "%",
            // The time of day is not among them.
            _ => "",
        });
    }
    out
}

/// A pattern of ours in Java's letters, which HubL reads. Source: references, mail rendering, transpile table.
fn java_pattern(pattern: &str) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            if c.is_ascii_alphabetic() {
                let _ = write!(out, "'{c}'");
            } else {
                out.push(c);
            }
            continue;
        }
        let bare = chars.next_if_eq(&'-').is_some();
        out.push_str(match (chars.next(), bare) {
            (Some('d'), false) => "dd",
            (Some('d'), true) => "d",
            (Some('m'), false) => "MM",
            (Some('m'), true) => "M",
            (Some('B'), _) => "MMMM",
            (Some('b'), _) => "MMM",
            (Some('Y'), _) => "yyyy",
            (Some('y'), _) => "yy",
            (Some('A'), _) => "EEEE",
            (Some('a'), _) => "EEE",
            (Some('H'), false) => "HH",
            (Some('H'), true) => "H",
            (Some('M'), _) => "mm",
            (Some('%'), _) => "%",
            _ => "",
        });
    }
    out
}
