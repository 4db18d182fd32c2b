//! Reading facts that are not comparisons: events, responses, consent, scores, local time, shares.

use smol_str::SmolStr;

use super::{Clauses, Parser, Read};
use crate::{
    audience::{
        Channel, ConsentStatus, ResponseKind,
        condition::{CompareOp, Condition, EventQuery, EventWindow, Measure, Reference, Root, print::preposition},
    },
    base::{NodeId, TimeOfDay, Weekday, Weekdays, Window, nearest::nearest},
};

impl Parser<'_> {
    pub(super) fn metric(&mut self) -> Read<SmolStr> {
        let (name, range) = self.name("the event", "did \"Placed Order\"")?;
        self.references.push((Reference::Metric(name.clone()), range));
        Ok(name)
    }

    pub(super) fn did(&mut self, never: bool) -> Read<Condition> {
        let metric = self.metric()?;
        let Clauses { filter, times, window } = self.clauses(!never, true)?;
        let (op, value) = if never { (CompareOp::Eq, 0.0) } else { times.unwrap_or((CompareOp::Ge, 1.0)) };
        let window = window.unwrap_or(EventWindow::Ever);
        Ok(Condition::Events(EventQuery { metric, filter, measure: Measure::Count, window, op, value }))
    }

    pub(super) fn measured(&mut self, measure: &str) -> Read<Condition> {
        let measure = if measure == "count" {
            Measure::Count
        } else {
            let range = self.next_range();
            let path = self.path()?;
            if path.root != Root::Event {
                let hint = format!("For example `{measure} of event.amount over \"Placed Order\"`");
                return self.fail(range, "Only values of the event can be measured", hint);
            }
            self.expect_word("over", "For example `sum of event.amount over \"Placed Order\" >= 100`")?;
            if measure == "sum" { Measure::Sum(path) } else { Measure::Max(path) }
        };
        let metric = self.metric()?;
        let Clauses { filter, window, .. } = self.clauses(false, true)?;
        let op = self.number_op()?;
        let value = self.number()?;
        let window = window.unwrap_or(EventWindow::Ever);
        Ok(Condition::Events(EventQuery { metric, filter, measure, window, op, value }))
    }

    pub(super) fn clauses(&mut self, times_allowed: bool, filter_allowed: bool) -> Read<Clauses> {
        let mut clauses = Clauses::default();
        loop {
            let range = self.next_range();
            let twice;
            if filter_allowed && self.word("where") {
                let open = self.next_range().start;
                if !self.symbol("(") {
                    return self.fail_here("A filter stands in parentheses", "Write `where (event.… = …)`");
                }
                let filter = Box::new(self.in_parens(open)?);
                twice = clauses.filter.replace(filter).is_some();
            } else if times_allowed && let Some(op) = self.times_op() {
                let times = self.times()?;
                twice = clauses.times.replace((op, times)).is_some();
            } else if self.words(&["in", "the"]) || self.words(&["within", "the"]) {
                self.expect_word("last", "For example `in the last 7 days`")?;
                let span = self.span()?;
                if span.is_zero() || span.months < 0 || span.days < 0 || span.millis < 0 {
                    return self.fail(range, "The span is nothing", "For example `in the last 7 days`");
                }
                twice = clauses.window.replace(EventWindow::Last(span)).is_some();
            } else if self.words(&["since", "entry"]) {
                twice = clauses.window.replace(EventWindow::SinceEntry).is_some();
            } else if self.word("ever") {
                twice = clauses.window.replace(EventWindow::Ever).is_some();
            } else {
                if times_allowed && self.peek().is_some_and(|c| c.is_ascii_digit()) {
                    return self.fail_here(
                        "It is not clear how this number counts",
                        "Write `at least 3 times` or `exactly 3 times`",
                    );
                }
                return Ok(clauses);
            }
            if twice {
                return self.fail(range, "This is said twice", "Keep one filter, one number of times and one window");
            }
        }
    }

    /// `3 times`, `once`, `twice`.
    pub(super) fn times(&mut self) -> Read<f64> {
        if self.word("once") {
            return Ok(1.0);
        }
        if self.word("twice") {
            return Ok(2.0);
        }
        let number = self.number()?;
        if !self.word("times") && !self.word("time") {
            let shown = self.shown_next();
            return self.fail_here(format!("`times` is missing before {shown}"), "For example `at least 3 times`");
        }
        Ok(number)
    }

    pub(super) fn consent(&mut self, channel: Channel) -> Read<Condition> {
        let example = format!("For example `{} consent is subscribed`", channel.name());
        self.expect_word("consent", &example)?;
        self.expect_word("is", &example)?;
        let negated = self.word("not");
        let all = [ConsentStatus::Subscribed, ConsentStatus::Unknown, ConsentStatus::Unsubscribed];
        let word = self.peek_word();
        let Some(status) = all.into_iter().find(|status| word.eq_ignore_ascii_case(status.name())) else {
            let hint = match nearest(word, all.map(ConsentStatus::name)) {
                Some(found) => format!("Did you mean `{found}`?"),
                None => "Write `subscribed`, `unknown` or `unsubscribed`".to_owned(),
            };
            return self.fail_here("The status of the consent is missing", hint);
        };
        self.at += word.len();
        let consent = Condition::Consent { channel, status };
        Ok(if negated { Condition::Not(Box::new(consent)) } else { consent })
    }

    pub(super) fn response(&mut self, response: ResponseKind) -> Read<Condition> {
        let _preposition = ["to", "from", "about"].into_iter().any(|word| self.word(word));
        let node = if self.words(&["any", "message"]) {
            None
        } else {
            let example = format!("{response}{} \"mail-1\"", preposition(response));
            if !matches!(self.peek(), Some('"' | '\'')) {
                let hint = format!("For example `{example}`, or `{response}{} any message`", preposition(response));
                return self.fail_here("The message is missing", hint);
            }
            let (name, range) = self.name("the message", &example)?;
            let node = NodeId::new(name);
            self.references.push((Reference::Node(node.clone()), range));
            Some(node)
        };
        let range = self.next_range();
        let link = if self.word("link") { Some(self.name("the link", "link \"https://…\"")?.0) } else { None };
        if link.is_some() && response != ResponseKind::Clicked {
            return self.fail(range, "Only clicks have a link", "Write `clicked \"…\" link \"…\"`");
        }
        let window = self.clauses(false, false)?.window.unwrap_or(EventWindow::Ever);
        Ok(Condition::Response { response, node, link, window })
    }

    pub(super) fn score(&mut self) -> Read<Condition> {
        let (model, range) = self.name("the score", "score \"intent\" >= 50")?;
        self.references.push((Reference::Score(model.clone()), range));
        let op = self.number_op()?;
        let points = self.number()?;
        Ok(Condition::Score { model, op, points })
    }

    pub(super) fn local_time(&mut self) -> Read<Condition> {
        if !self.word("between") {
            self.expect_word("from", "For example `local time from 09:00 to 17:00`")?;
        }
        let from = self.time_of_day()?;
        if !self.word("until") && !self.word("and") {
            self.expect_word("to", "For example `local time from 09:00 to 17:00`")?;
        }
        let until = self.time_of_day()?;
        let mut weekdays = Weekdays::ALL;
        if self.word("on") {
            let mut days = Vec::new();
            if self.words(&["no", "day"]) {
            } else if self.word("weekdays") {
                days.extend_from_slice(&Weekday::ALL[..5]);
            } else if self.word("weekends") {
                days.extend_from_slice(&Weekday::ALL[5..]);
            } else {
                days.push(self.weekday()?);
                while self.symbol(",") {
                    days.push(self.weekday()?);
                }
            }
            weekdays = days.into_iter().collect();
        }
        Ok(Condition::LocalTime(Window { from, until, weekdays }))
    }

    pub(super) fn time_of_day(&mut self) -> Read<TimeOfDay> {
        self.skip_space();
        let rest = self.rest();
        let len = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.')).unwrap_or(rest.len());
        match TimeOfDay::parse(&rest[..len]) {
            Ok(time) => {
                self.at += len;
                Ok(time)
            }
            Err(_) => self.fail_here("A time of day is needed here", "Write it as `09:00`"),
        }
    }

    pub(super) fn weekday(&mut self) -> Read<Weekday> {
        let word = self.peek_word();
        let found = Weekday::ALL
            .into_iter()
            .find(|day| word.eq_ignore_ascii_case(day.short()) || word.eq_ignore_ascii_case(day.title()));
        match found {
            Some(day) => {
                self.at += word.len();
                Ok(day)
            }
            None => self.fail_here(
                "A day of the week is needed here",
                "Write `mon`, `tue`, `wed`, `thu`, `fri`, `sat` or `sun`",
            ),
        }
    }

    pub(super) fn share(&mut self) -> Read<Condition> {
        let range = self.next_range();
        let percent = self.number()?;
        if !(0.0..=100.0).contains(&percent) {
            return self.fail(range, "A share lies between 0 and 100 %", "For example `share 20 % salt \"test-a\"`");
        }
        if !self.symbol("%") {
            self.expect_word("percent", "For example `share 20 % salt \"test-a\"`")?;
        }
        let salt = if self.word("salt") {
            match self.peek() {
                Some('"' | '\'') => SmolStr::new(self.quoted()?),
                _ => return self.fail_here("The salt is missing", "For example `share 20 % salt \"test-a\"`"),
            }
        } else {
            SmolStr::default()
        };
        Ok(Condition::Share { share: (percent * 100.0).round() as u32, salt })
    }
}
