//! The parts of a single condition as rows, and the condition with one of them changed.

use crate::{
    app::inspector::{Change, Input, Route, Row, capital, leaf, rows},
    audience::{
        Channel, Condition, ConsentStatus, Path, ResponseKind, Value,
        condition::{CompareOp, EventQuery, EventWindow, Measure, Operand, Root, parse},
        print_number,
    },
    base::{Span, Weekdays},
    kinds::{Editor, FieldSpec, spec::field},
};

const OPS: &[(CompareOp, &str)] = &[
    (CompareOp::Eq, "is"),
    (CompareOp::Ne, "is not"),
    (CompareOp::Gt, "is more than"),
    (CompareOp::Ge, "is at least"),
    (CompareOp::Lt, "is less than"),
    (CompareOp::Le, "is at most"),
    (CompareOp::In, "is one of"),
    (CompareOp::NotIn, "is none of"),
    (CompareOp::Contains, "contains"),
    (CompareOp::StartsWith, "starts with"),
    (CompareOp::EndsWith, "ends with"),
];
const NUMBER_OPS: usize = 6;
pub(super) const IS_SET: &str = "is set";

fn part(key: &'static str, label: &'static str, help: &'static str, editor: Editor, input: Input) -> Row {
    let spec: FieldSpec = field(key, label, help, editor);
    Row { route: Route::field(key), spec, input, notes: Vec::new(), differs: false }
}

fn typed(key: &'static str, label: &'static str, help: &'static str, editor: Editor, text: impl Into<String>) -> Row {
    part(key, label, help, editor, Input::Text { text: text.into(), is_there: true })
}

fn chosen(
    key: &'static str,
    label: &'static str,
    help: &'static str,
    chosen: &str,
    options: impl IntoIterator<Item = (String, String)>,
) -> Row {
    let input = Input::Choice { chosen: chosen.to_owned(), options: options.into_iter().collect() };
    part(key, label, help, Editor::Choice(&[]), input)
}

fn ops(of: &[(CompareOp, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(op, label)| (op.symbol().to_owned(), (*label).to_owned())).collect()
}

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<(String, String)> {
    names.into_iter().map(|name| (name.to_owned(), rows::title(name))).collect()
}

const CHANNELS: [&str; 2] = ["email", "sms"];
const STATUSES: [ConsentStatus; 3] = [ConsentStatus::Subscribed, ConsentStatus::Unsubscribed, ConsentStatus::Unknown];

/// The parts of a single condition as rows.
pub(super) fn parts(condition: &Condition) -> Vec<Row> {
    match condition {
        Condition::Compare { left, op, right } => {
            let mut options = ops(OPS);
            options.push((IS_SET.to_owned(), IS_SET.to_owned()));
            vec![
                typed(
                    "left",
                    "Value",
                    "Of the contact, the trigger event, or a constant",
                    Editor::Path,
                    left.to_string(),
                ),
                chosen("op", "How", "How the two are compared", op.symbol(), options),
                typed(
                    "right",
                    "Compared with",
                    "A text, number, date, a path, or now - 7 days",
                    Editor::Value,
                    operand(right),
                ),
            ]
        }
        Condition::IsSet(path) => {
            let mut options = ops(OPS);
            options.push((IS_SET.to_owned(), IS_SET.to_owned()));
            vec![
                typed(
                    "left",
                    "Value",
                    "Of the contact, the trigger event, or a constant",
                    Editor::Path,
                    path.to_string(),
                ),
                chosen("op", "How", "How the two are compared", IS_SET, options),
            ]
        }
        Condition::Events(query) => events(query),
        Condition::InSegment(name) => {
            vec![typed("name", "Segment", "One of the workspace's", Editor::Name("segment"), name.as_str())]
        }
        Condition::InList(name) => vec![typed("name", "List", "Its name", Editor::Name("list"), name.as_str())],
        Condition::Consent { channel, status } => vec![
            chosen("channel", "Channel", "E-mail or SMS", channel.name(), names(CHANNELS)),
            chosen("status", "Consent", "What is known", status.name(), names(STATUSES.map(ConsentStatus::name))),
        ],
        Condition::Response { response, node, link, window } => {
            let mut rows = vec![
                chosen(
                    "response",
                    "They",
                    "What they did",
                    response.name(),
                    names(ResponseKind::ALL.map(ResponseKind::name)),
                ),
                typed(
                    "node",
                    "Message step",
                    "Of this flow; any where empty",
                    Editor::Name("step"),
                    node.as_ref().map(ToString::to_string).unwrap_or_default(),
                ),
            ];
            if *response == ResponseKind::Clicked {
                let link = link.as_ref().map(ToString::to_string).unwrap_or_default();
                rows.push(typed("link", "Link", "Its address or a part of it; any where empty", Editor::Text, link));
            }
            rows.extend(window_rows(*window));
            rows
        }
        Condition::Score { model, op, points } => vec![
            typed("model", "Score model", "One of the workspace's", Editor::Name("score"), model.as_str()),
            chosen("op", "How", "How the points are compared", op.symbol(), ops(&OPS[..NUMBER_OPS])),
            typed("points", "Points", "A number", Editor::Number, print_number(*points)),
        ],
        Condition::LocalTime(window) => {
            vec![part("window", "Between", "On the contact's clock", Editor::Window, Input::Window(Some(*window)))]
        }
        Condition::Share { share, salt } => vec![
            typed(
                "share",
                "Percent",
                "Of all contacts, up to two decimals",
                Editor::Number,
                print_number(f64::from(*share) / 100.0),
            ),
            typed("salt", "Salt", "Two shares with one salt nest", Editor::Text, salt.as_str()),
        ],
        Condition::Always(yes) => {
            vec![part("always", "Holds", "Always, or never", Editor::Switch, Input::Switch(*yes))]
        }
        Condition::All(_) | Condition::Any(_) | Condition::Not(_) => Vec::new(),
    }
}

fn events(query: &EventQuery) -> Vec<Row> {
    let (measure, path) = match &query.measure {
        Measure::Count => ("count", None),
        Measure::Sum(path) => ("sum", Some(path)),
        Measure::Max(path) => ("max", Some(path)),
    };
    let measures = [("count", "How many"), ("sum", "Sum of"), ("max", "Largest")];
    let measures = measures.map(|(name, label)| (name.to_owned(), label.to_owned()));
    let mut rows = vec![
        typed("metric", "Event", "Its name in the catalogue", Editor::Event, query.metric.as_str()),
        chosen("measure", "Measure", "What is measured over them", measure, measures),
    ];
    if let Some(path) = path {
        rows.push(typed("of", "Of", "A number in the event", Editor::Path, path.to_string()));
    }
    rows.push(chosen("op", "Is", "How it is compared", query.op.symbol(), ops(&OPS[..NUMBER_OPS])));
    rows.push(typed("value", "Number", "Compared with", Editor::Number, print_number(query.value)));
    rows.extend(window_rows(query.window));
    let filter = query.filter.as_ref().map(ToString::to_string).unwrap_or_default();
    rows.push(typed(
        "filter",
        "Only those where",
        "A condition over event.…; all where empty",
        Editor::Condition,
        filter,
    ));
    rows
}

fn window_rows(window: EventWindow) -> Vec<Row> {
    let name = match window {
        EventWindow::Ever => "ever",
        EventWindow::Last(_) => "last",
        EventWindow::SinceEntry => "entry",
    };
    let options = [("ever", "Ever"), ("last", "In the last…"), ("entry", "Since entry")];
    let options = options.map(|(name, label)| (name.to_owned(), label.to_owned()));
    let mut rows = vec![chosen("window", "When", "Since when it counts", name, options)];
    if let EventWindow::Last(span) = window {
        rows.push(typed("span", "Last", "Such as 7 days", Editor::Span, span.to_string()));
    }
    rows
}

/// The right side of a comparison as it is typed: a bare word is a text.
fn operand(right: &Operand) -> String {
    let whole = Condition::Compare { left: own_path(), op: CompareOp::Eq, right: right.clone() }.to_string();
    let written = whole.strip_prefix("contact.x = ").unwrap_or(&whole).to_owned();
    match right {
        Operand::Value(Value::Text(text)) if read_operand(text, CompareOp::Eq) == *right => text.to_string(),
        _ => written,
    }
}

fn own_path() -> Path {
    Path { root: Root::Contact, steps: vec!["x".into()] }
}

fn read_operand(typed: &str, op: CompareOp) -> Operand {
    let typed = typed.trim();
    let read = |text: &str| {
        let parsed = parse(&format!("contact.x {} {text}", op.symbol()));
        match parsed.condition {
            Condition::Compare { right, .. } if parsed.errors.is_empty() => Some(right),
            _ => None,
        }
    };
    if let Some(right) = read(typed) {
        return right;
    }
    let quoted = |word: &str| format!("{}", Condition::InList(word.into())).trim_start_matches("on list ").to_owned();
    if matches!(op, CompareOp::In | CompareOp::NotIn) {
        let words = typed.trim_matches(['[', ']']).split(',').map(str::trim).filter(|word| !word.is_empty());
        let items = words.map(|word| if read(&format!("[{word}]")).is_some() { word.to_owned() } else { quoted(word) });
        if let Some(right) = read(&format!("[{}]", items.collect::<Vec<_>>().join(", "))) {
            return right;
        }
    }
    Operand::Value(Value::text(typed))
}

fn op_of(symbol: &str) -> Result<CompareOp, String> {
    let found = OPS.iter().find(|(op, _)| op.symbol() == symbol);
    found.map(|(op, _)| *op).ok_or_else(|| format!("`{symbol}` compares nothing"))
}

fn number(label: &str, text: &str, range: Option<(f64, f64)>) -> Result<f64, String> {
    let mut spec = field("number", "Number", "A number", Editor::Number);
    spec.range = range;
    let ron = leaf::ron(&spec, text)?.ok_or_else(|| format!("{label} must not be empty"))?;
    ron.parse().map_err(|_| format!("`{text}` is not a number"))
}

fn needed(label: &str, text: &str) -> Result<smol_str::SmolStr, String> {
    let text = text.trim();
    if text.is_empty() { Err(format!("{label} must not be empty")) } else { Ok(text.into()) }
}

fn path(text: &str) -> Result<Path, String> {
    Path::parse(text.trim()).map_err(|error| error.to_string())
}

/// A single condition with one part changed.
pub(super) fn part_changed(condition: &Condition, key: &str, change: &Change) -> Result<Condition, String> {
    let text = match change {
        Change::Text(text) | Change::Pick(text) => text.as_str(),
        _ => "",
    };
    let mut next = condition.clone();
    match (&mut next, key) {
        (Condition::Compare { left, op, .. }, "op") if text == IS_SET => {
            let _ = op;
            return Ok(Condition::IsSet(left.clone()));
        }
        (Condition::IsSet(path), "op") => {
            if text == IS_SET {
                return Ok(condition.clone());
            }
            let right = Operand::Value(Value::text(""));
            return Ok(Condition::Compare { left: path.clone(), op: op_of(text)?, right });
        }
        (Condition::Compare { left, .. } | Condition::IsSet(left), "left") => *left = path(text)?,
        (Condition::Compare { op, right, .. }, "op") => {
            let shown = operand(right);
            *op = op_of(text)?;
            *right = read_operand(&shown, *op);
        }
        (Condition::Compare { op, right, .. }, "right") => *right = read_operand(text, *op),
        (Condition::Events(query), key) => event_part(query, key, text)?,
        (Condition::InSegment(name), _) => *name = needed("Segment", text)?,
        (Condition::InList(name), _) => *name = needed("List", text)?,
        (Condition::Consent { channel, .. }, "channel") => {
            *channel = if text == "sms" { Channel::Sms } else { Channel::Email };
        }
        (Condition::Consent { status, .. }, "status") => {
            *status = STATUSES.into_iter().find(|s| s.name() == text).ok_or("There is no such consent")?;
        }
        (Condition::Response { response, link, .. }, "response") => {
            *response = ResponseKind::ALL.into_iter().find(|r| r.name() == text).ok_or("There is no such response")?;
            if *response != ResponseKind::Clicked {
                *link = None;
            }
        }
        (Condition::Response { node, .. }, "node") => {
            *node = Some(text.trim()).filter(|t| !t.is_empty()).map(Into::into)
        }
        (Condition::Response { link, .. }, "link") => {
            *link = Some(text.trim()).filter(|t| !t.is_empty()).map(Into::into)
        }
        (Condition::Response { window, .. }, "window" | "span") => *window = window_part(*window, key, text)?,
        (Condition::Score { model, .. }, "model") => *model = needed("Score model", text)?,
        (Condition::Score { op, .. }, "op") => *op = op_of(text)?,
        (Condition::Score { points, .. }, "points") => *points = number("Points", text, None)?,
        (Condition::LocalTime(window), _) => match change {
            Change::Window(Some(new)) if new.weekdays == Weekdays::ALL || !new.weekdays.is_empty() => *window = *new,
            _ => return Err("At least one day".to_owned()),
        },
        (Condition::Share { share, .. }, "share") => {
            *share = (number("Percent", text, Some((0.0, 100.0)))? * 100.0).round() as u32;
        }
        (Condition::Share { salt, .. }, "salt") => *salt = text.into(),
        (Condition::Always(yes), _) => match change {
            Change::Switch(on) => *yes = *on,
            _ => return Err("Always or never".to_owned()),
        },
        _ => return Err(format!("There is no `{key}` here")),
    }
    Ok(next)
}

fn event_part(query: &mut EventQuery, key: &str, text: &str) -> Result<(), String> {
    match key {
        "metric" => query.metric = needed("Event", text)?,
        "measure" => {
            let of = match &query.measure {
                Measure::Sum(path) | Measure::Max(path) => path.clone(),
                Measure::Count => path("event.value")?,
            };
            query.measure = match text {
                "sum" => Measure::Sum(of),
                "max" => Measure::Max(of),
                _ => Measure::Count,
            };
        }
        "of" => match &mut query.measure {
            Measure::Sum(of) | Measure::Max(of) => *of = path(text)?,
            Measure::Count => {}
        },
        "op" => query.op = op_of(text)?,
        "value" => query.value = number("Number", text, None)?,
        "filter" if text.trim().is_empty() => query.filter = None,
        "filter" => {
            let parsed = parse(text);
            match parsed.errors.first() {
                Some(error) => return Err(capital(&error.to_string())),
                None => query.filter = Some(Box::new(parsed.condition)),
            }
        }
        _ => query.window = window_part(query.window, key, text)?,
    }
    Ok(())
}

fn window_part(window: EventWindow, key: &str, text: &str) -> Result<EventWindow, String> {
    Ok(match (key, text) {
        ("span", text) => {
            let span = Span::parse(text)?;
            if span.about_millis() <= 0 {
                return Err("The span must reach back, such as 7 days".to_owned());
            }
            EventWindow::Last(span)
        }
        (_, "ever") => EventWindow::Ever,
        (_, "entry") => EventWindow::SinceEntry,
        _ => match window {
            EventWindow::Last(span) => EventWindow::Last(span),
            _ => EventWindow::Last(Span::days(7)),
        },
    })
}
