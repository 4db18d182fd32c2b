//! Tags about the calendar: what a platform's template knows of today, of deadlines, of working days.
//!
//! No platform converts to the reader's zone or counts working days. What stays true is printed; what would not is a
//! loss with words that are.

use super::*;
use crate::content::filters::{Moment, Names, format_date_in};

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
                let names = language(rest);
                // The first of two days is followed by the second, which has the words.
                let is_first = rest.iter().any(|arg| matches!(arg, Const::Int(_)));
                Some(if is_first { days.to_string() } else { self.words(&names.working_days(*days)) })
            }
            ("date_fmt", [Const::Text(pattern), rest @ ..]) if text == "now" => {
                let code = self.code("klaviyo/account-zone", "hubspot/account-zone");
                self.lose(
                    code,
                    expr,
                    "The date of the mail is that of the account's time zone, not of the reader's".into(),
                    "Write to readers far away in a flow of their own, or leave the date out",
                );
                let names = language(rest);
                // The zone is the one it has anyway; the language stands behind it.
                let spoken = if names.is_english() { String::new() } else { format!(", 'UTC', '{}'", names.language) };
                Some(match self.dialect {
                    Dialect::Klaviyo => self.klaviyo_today(pattern, names),
                    _ => format!(
                        "{{{{ format_datetime(today(), {}{spoken}) }}}}",
                        hubspot::hubl_quote(&java_pattern(pattern, names))
                    ),
                })
            }
            ("date_fmt", [Const::Text(pattern), rest @ ..]) => {
                let moment = Moment::parse(text)?;
                let utc = crate::base::Zone::utc();
                let mut words = format_date_in(moment.local(&utc), pattern, language(rest));
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

    /// A date of today in Klaviyo's tags. Source: references, klaviyo, section 12: `current_…` has English names, and
    /// `today` what `strftime` has; both are of the account's zone.
    fn klaviyo_today(&self, pattern: &str, names: &Names) -> String {
        let mut out = String::new();
        let mut asked: Vec<&str> = Vec::new();
        let mut chars = pattern.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            chars.next_if_eq(&'-');
            let sign = chars.next();
            if let (false, Some(sign @ ('B' | 'b' | 'A' | 'a'))) = (names.is_english(), sign) {
                let (number, name) = if matches!(sign, 'B' | 'b') { ("%m", "fl_month") } else { ("%w", "fl_day") };
                if !asked.contains(&name) {
                    asked.push(name);
                    let _ = write!(out, "{{% today \"{number}\" as {name} %}}");
                }
                // `strftime` writes 04, numbers of days have one digit.
                out.push_str(&self.django_name(sign, names, name, sign.eq_ignore_ascii_case(&'b')));
                continue;
            }
            out.push_str(match sign {
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

    /// A date behind `access` (parsed already) in Klaviyo's tags, its names those of a language.
    pub(super) fn klaviyo_date(&self, access: &str, pattern: &str, names: &Names) -> String {
        let plain = |pattern: &str| match pattern {
            "" => String::new(),
            pattern => {
                format!(
                    "{{{{ {access}|date:{} }}}}",
                    klaviyo::django_quote(&date_pattern(pattern, Dialect::Klaviyo), Part::Plain)
                )
            }
        };
        if names.is_english() {
            return plain(pattern);
        }
        let (mut out, mut rest) = (String::new(), String::new());
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            match (c, chars.clone().next()) {
                ('%', Some(sign @ ('B' | 'b' | 'A' | 'a'))) => {
                    chars.next();
                    out.push_str(&plain(&std::mem::take(&mut rest)));
                    let letter = if sign.eq_ignore_ascii_case(&'b') { "n" } else { "w" };
                    out.push_str(&self.django_name(sign, names, &format!("{access}|date:'{letter}'"), false));
                }
                ('%', Some(sign)) => {
                    chars.next();
                    rest.extend([c, sign]);
                }
                _ => rest.push(c),
            }
        }
        out + &plain(&rest)
    }

    /// The name that a number has, asked one by one: Django knows the names of the site's language only. Months are
    /// 1..=12, with two digits where `is_padded`; weekdays are 0..=6 from Sunday on.
    fn django_name(&self, sign: char, names: &Names, number: &str, is_padded: bool) -> String {
        let is_short = matches!(sign, 'b' | 'a');
        let all: Vec<(String, &str)> = if matches!(sign, 'B' | 'b') {
            let written = |n: i8| if is_padded { format!("{n:02}") } else { n.to_string() };
            (1..=12).map(|n| (written(n), names.month(n, is_short))).collect()
        } else {
            (0..7).map(|n: usize| (n.to_string(), names.weekday_after_monday(n + 6, is_short))).collect()
        };
        let mut out = String::new();
        for (n, (value, name)) in all.iter().enumerate() {
            let word = if n == 0 { "if" } else { "elif" };
            let _ = write!(out, "{{% {word} {number} == '{value}' %}}{}", self.words(name));
        }
        out + "{% endif %}"
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

/// The language that the arguments of a filter end with.
pub(super) fn language(args: &[Const]) -> &'static Names {
    match args.last() {
        Some(Const::Text(tag)) => Names::of(tag),
        _ => Names::of("en"),
    }
}

/// A pattern of ours in Java's letters, which HubL reads. Source: references, mail rendering, transpile table.
fn java_pattern(pattern: &str, names: &Names) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            if c.is_ascii_alphabetic() {
                // Two words in quotes side by side would be one quote.
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(char::is_ascii_alphabetic) {
                    word.push(c);
                }
                let _ = write!(out, "'{word}'");
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
            (Some('A'), _) if names.days_stand_alone() => "cccc",
            (Some('a'), _) if names.days_stand_alone() => "ccc",
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
