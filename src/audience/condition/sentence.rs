//! Conditions as English sentences, for marketers who do not want to read a formula.
//!
//! Mixed groups keep parentheses: they are short, and nobody has to guess what belongs together.

use jiff::civil::Date;

use super::{CompareOp, Condition, EventQuery, EventWindow, Measure, Operand, Path, Root, print::Quoted};
use crate::{
    audience::{Channel, ConsentStatus, ResponseKind, Value, print_number},
    base::{Span, Window},
};

impl Condition {
    /// The condition as an English sentence without a full stop: "the contact's lifetime value is more than 500".
    pub fn sentence(&self) -> String {
        sentence(self, false)
    }
}

fn sentence(condition: &Condition, negated: bool) -> String {
    let not = if negated { " not" } else { "" };
    match condition {
        Condition::Always(yes) => if *yes == negated { "never" } else { "always" }.to_owned(),
        Condition::All(parts) | Condition::Any(parts) => {
            let is_all = matches!(condition, Condition::All(_));
            match parts.as_slice() {
                [] => sentence(&Condition::Always(is_all), negated),
                [one] => sentence(one, negated),
                _ => {
                    let parts: Vec<String> = parts.iter().map(part).collect();
                    let joined = join(&parts, if is_all { "and" } else { "or" });
                    if negated { format!("it is not so that ({joined})") } else { joined }
                }
            }
        }
        Condition::Not(inner) => sentence(inner, !negated),
        Condition::Compare { left, op, right } => format!("{} {}", path(left), comparison(*op, right, negated)),
        Condition::IsSet(of) => format!("{} is{not} known", path(of)),
        Condition::Events(query) => events(query, negated),
        Condition::InList(name) => format!("the contact is{not} on the list {}", Quoted(name)),
        Condition::InSegment(name) => format!("the contact is{not} in the segment {}", Quoted(name)),
        Condition::Consent { channel, status } => {
            let channel = match channel {
                Channel::Email => "e-mails",
                Channel::Sms => "text messages",
            };
            match status {
                ConsentStatus::Subscribed => format!("the contact has{not} subscribed to {channel}"),
                ConsentStatus::Unsubscribed => format!("the contact has{not} unsubscribed from {channel}"),
                ConsentStatus::Unknown if negated => format!("the contact has been asked about {channel}"),
                ConsentStatus::Unknown => format!("the contact has not been asked about {channel}"),
            }
        }
        Condition::Response { response, node, link, window } => {
            let verb = match (response, negated) {
                (ResponseKind::Opened, false) => "the contact opened",
                (ResponseKind::Opened, true) => "the contact did not open",
                (ResponseKind::Clicked, false) => "the contact clicked",
                (ResponseKind::Clicked, true) => "the contact did not click",
                (ResponseKind::Replied, false) => "the contact replied to",
                (ResponseKind::Replied, true) => "the contact did not reply to",
                (ResponseKind::Unsubscribed, false) => "the contact unsubscribed from",
                (ResponseKind::Unsubscribed, true) => "the contact did not unsubscribe from",
                (ResponseKind::Complained, false) => "the contact reported",
                (ResponseKind::Complained, true) => "the contact did not report",
                (ResponseKind::Bounced, false) => "the address refused",
                (ResponseKind::Bounced, true) => "the address did not refuse",
            };
            let link = match (link, response) {
                (Some(link), _) => format!(" the link {} in", Quoted(link)),
                (None, ResponseKind::Clicked) => " a link in".to_owned(),
                _ => String::new(),
            };
            let message = match node {
                Some(node) => format!("the message {}", Quoted(node.as_str())),
                None => "any message of this flow".to_owned(),
            };
            let spam = if *response == ResponseKind::Complained { " as spam" } else { "" };
            format!("{verb}{link} {message}{spam}{}", since(*window))
        }
        Condition::Score { model, op, points } => {
            let op = if negated { op.negated().unwrap_or(*op) } else { *op };
            format!("the score {} {} {}", Quoted(model), verb(op), print_number(*points))
        }
        Condition::LocalTime(window) => local_time(window, not),
        Condition::Share { share, salt } => {
            let percent = print_number(f64::from(*share) / 100.0);
            let salt = if salt.is_empty() { String::new() } else { format!(" (drawn by {})", Quoted(salt)) };
            format!("the contact is{not} in a random {percent} % of all contacts{salt}")
        }
    }
}

/// A part of a group, in parentheses where it is a group itself.
fn part(condition: &Condition) -> String {
    match condition {
        Condition::All(parts) | Condition::Any(parts) if parts.len() > 1 => format!("({})", sentence(condition, false)),
        _ => sentence(condition, false),
    }
}

/// "a, b and c".
fn join(parts: &[String], word: &str) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        // Parts are clauses: before "and" between more than two, a comma helps.
        [first, second] => format!("{first} {word} {second}"),
        [most @ .., last] => format!("{}, {word} {last}", most.join(", ")),
    }
}

fn path(path: &Path) -> String {
    let mut words = Vec::new();
    for step in &path.steps {
        match step.parse::<u32>() {
            Ok(idx) => words.push(format!("no. {}", u64::from(idx) + 1)),
            Err(_) => words.push(step.replace(['_', '-'], " ").trim().to_owned()),
        }
    }
    let words = words.join(" ");
    match path.root {
        Root::Contact => format!("the contact's {words}"),
        Root::Trigger => format!("the trigger event's {words}"),
        Root::Event => format!("the event's {words}"),
        Root::Constant => format!("the constant {words}"),
    }
}

fn verb(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "is",
        CompareOp::Ne => "is not",
        CompareOp::Lt => "is less than",
        CompareOp::Le => "is at most",
        CompareOp::Gt => "is more than",
        CompareOp::Ge => "is at least",
        CompareOp::In => "is one of",
        CompareOp::NotIn => "is none of",
        CompareOp::Contains => "contains",
        CompareOp::StartsWith => "starts with",
        CompareOp::EndsWith => "ends with",
    }
}

fn comparison(op: CompareOp, right: &Operand, negated: bool) -> String {
    let op = if negated { op.negated().unwrap_or(op) } else { op };
    let timely = matches!(right, Operand::Now(_) | Operand::Value(Value::Date(_) | Value::Instant(_)));
    let verb = match op {
        CompareOp::Contains if negated => "does not contain",
        CompareOp::StartsWith if negated => "does not start with",
        CompareOp::EndsWith if negated => "does not end with",
        CompareOp::Lt if timely => "is before",
        CompareOp::Gt if timely => "is after",
        CompareOp::Le if timely => "is not after",
        CompareOp::Ge if timely => "is not before",
        op => verb(op),
    };
    let right = match right {
        Operand::Value(Value::List(items)) if matches!(op, CompareOp::In | CompareOp::NotIn) => {
            let items: Vec<String> = items.iter().map(value).collect();
            match items.as_slice() {
                [] => "nothing".to_owned(),
                [one] => one.clone(),
                [most @ .., last] => format!("{} or {last}", most.join(", ")),
            }
        }
        Operand::Value(of) => value(of),
        Operand::Path(of) => path(of),
        Operand::Now(moved) if moved.is_zero() => "now".to_owned(),
        Operand::Now(moved) if moved.months < 0 || moved.days < 0 || moved.millis < 0 => {
            format!("{} ago", span(moved.negated()))
        }
        Operand::Now(moved) => format!("{} from now", span(*moved)),
    };
    format!("{verb} {right}")
}

fn value(of: &Value) -> String {
    match of {
        Value::Text(text) => Quoted(text).to_string(),
        Value::Number(n) => print_number(*n),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Date(date) => english_date(*date),
        Value::Instant(at) => at.to_string(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(value).collect();
            format!("the list of {}", if items.is_empty() { "nothing".to_owned() } else { items.join(", ") })
        }
        Value::Money(_) | Value::Object(_) => of.to_string(),
    }
}

fn english_date(date: Date) -> String {
    let month = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let name = usize::try_from(date.month() - 1).ok().and_then(|idx| month.get(idx)).copied().unwrap_or_default();
    format!("{} {name} {}", date.day(), date.year())
}

/// A span in words: "2 hours", "1 day 30 minutes".
fn span(of: Span) -> String {
    let words: Vec<String> = of.to_string().split(' ').map(str::to_owned).collect();
    let mut shown = Vec::new();
    for pair in words.chunks(2) {
        let [n, unit] = pair else { continue };
        let many = if n == "1" { "" } else { "s" };
        shown.push(match unit.as_str() {
            "h" => format!("{n} hour{many}"),
            "min" => format!("{n} minute{many}"),
            "s" => format!("{n} second{many}"),
            _ => format!("{n} {unit}"),
        });
    }
    shown.join(" ")
}

fn since(window: EventWindow) -> String {
    match window {
        EventWindow::Ever => String::new(),
        EventWindow::Last(last) => format!(" in the last {}", span(last)),
        EventWindow::SinceEntry => " since entry".to_owned(),
    }
}

fn times(n: f64) -> String {
    if n == 1.0 {
        "once".to_owned()
    } else if n == 2.0 {
        "twice".to_owned()
    } else {
        format!("{} times", print_number(n))
    }
}

fn events(query: &EventQuery, negated: bool) -> String {
    let EventQuery { metric, filter, measure, window, op, value } = query;
    let op = if negated { op.negated().unwrap_or(*op) } else { *op };
    let filter = match filter {
        Some(filter) => format!(" (where {})", filter.sentence()),
        None => String::new(),
    };
    let metric = format!("{}{filter}", Quoted(metric));
    let since = since(*window);
    match measure {
        Measure::Count => {
            let none = matches!((op, *value), (CompareOp::Eq | CompareOp::Le, 0.0) | (CompareOp::Lt, 1.0));
            if none {
                return format!("{metric} never happened{since}");
            }
            let n = times(*value);
            match op {
                CompareOp::Ge => format!("{metric} happened at least {n}{since}"),
                CompareOp::Le => format!("{metric} happened at most {n}{since}"),
                CompareOp::Gt if *value == 0.0 => format!("{metric} happened at least once{since}"),
                CompareOp::Gt => format!("{metric} happened more than {n}{since}"),
                CompareOp::Lt => format!("{metric} happened fewer than {} times{since}", print_number(*value)),
                CompareOp::Ne if *value == 0.0 => format!("{metric} happened at least once{since}"),
                CompareOp::Ne => {
                    format!("{metric} happened some other number of times than {}{since}", print_number(*value))
                }
                _ => format!("{metric} happened exactly {n}{since}"),
            }
        }
        Measure::Sum(of) => {
            format!("the sum of {} over {metric}{since} {} {}", measured(of), verb(op), print_number(*value))
        }
        Measure::Max(of) => {
            format!("the highest {} of {metric}{since} {} {}", measured(of), verb(op), print_number(*value))
        }
    }
}

fn measured(of: &Path) -> String {
    of.steps.iter().map(|step| step.replace(['_', '-'], " ")).collect::<Vec<_>>().join(" ")
}

fn local_time(window: &Window, not: &str) -> String {
    let days: Vec<String> = window.weekdays.iter().map(|day| day.title().to_owned()).collect();
    let on = match days.len() {
        7 => String::new(),
        0 => ", on no day of the week".to_owned(),
        1 | 2 => format!(" on {}", days.join(" and ")),
        _ => format!(" on {}", join(&days, "and").replacen(", and ", " and ", 1)),
    };
    format!("it is{not} between {} and {}{on} where the contact lives", window.from, window.until)
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    fn check(text: &str, expected: &str) {
        let parsed = parse(text);
        assert_eq!(parsed.errors, [], "{text}");
        assert_eq!(parsed.condition.sentence(), expected, "{text}");
    }

    #[test]
    fn reads_as_english() {
        check(
            "contact.lifetime_value > 500 and did \"Placed Order\"",
            "the contact's lifetime value is more than 500 and \"Placed Order\" happened at least once",
        );
        check("did \"Placed Order\" since entry", "\"Placed Order\" happened at least once since entry");
        check("not (did \"Placed Order\" since entry)", "\"Placed Order\" never happened since entry");
        check("never did \"X\" in the last 14 days", "\"X\" never happened in the last 2 weeks");
        check(
            "did \"X\" where (event.amount >= 5.00 EUR) at least 3 times in the last 2 h",
            "\"X\" (where the event's amount is at least 5.00 EUR) happened at least 3 times in the last 2 hours",
        );
        check("did \"X\" fewer than 2 times", "\"X\" happened fewer than 2 times");
        check(
            "sum of event.amount over \"X\" in the last 30 days >= 100",
            "the sum of amount over \"X\" in the last 30 days is at least 100",
        );
        check("max of event.seconds over \"X\" > 120", "the highest seconds of \"X\" is more than 120");
        check(
            "true or contact.a = 1 and contact.b is not set",
            "always or (the contact's a is 1 and the contact's b is not known)",
        );
        check(
            "contact.a = 1 and contact.b = 2 and contact.c = 3",
            "the contact's a is 1, the contact's b is 2, and the contact's c is 3",
        );
        check(
            "contact.country in [\"DE\", \"AT\", \"CH\"]",
            "the contact's country is one of \"DE\", \"AT\" or \"CH\"",
        );
        check("not (contact.name contains \"x\")", "the contact's name does not contain \"x\"");
        check("contact.renewal_date < now + 7 days", "the contact's renewal date is before 1 week from now");
        check("contact.birthday = 2026-11-23", "the contact's birthday is 23 November 2026");
        check("event.cart_id = trigger.cart_id", "the event's cart id is the trigger event's cart id");
        check(
            "trigger.items.0.price > constant.threshold",
            "the trigger event's items no. 1 price is more than the constant threshold",
        );
        check(
            "not on list \"VIP\" and in segment \"New\"",
            "the contact is not on the list \"VIP\" and the contact is in the segment \"New\"",
        );
        check("email consent is subscribed", "the contact has subscribed to e-mails");
        check(
            "clicked \"mail-1\" link \"/sale\" in the last 1 day",
            "the contact clicked the link \"/sale\" in the message \"mail-1\" in the last 1 day",
        );
        check("not opened any message", "the contact did not open any message of this flow");
        check("score \"intent\" >= 50", "the score \"intent\" is at least 50");
        check(
            "local time from 09:00 to 17:00 on mon, tue, wed",
            "it is between 09:00 and 17:00 on Monday, Tuesday and Wednesday where the contact lives",
        );
        check("not share 20.5 % salt \"a\"", "the contact is not in a random 20.5 % of all contacts (drawn by \"a\")");
        check(
            "not (contact.a = 1 or contact.b = 2)",
            "it is not so that (the contact's a is 1 or the contact's b is 2)",
        );
    }
}
