//! Trigger: a count, sum or maximum over events in a window.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{EVENT_MATCHES, EventMatch};
use crate::{
    audience::{ConditionText, Event, EventLog, Path},
    base::{Instant, Span, Zone},
    kinds::spec::{Docs, Editor, FieldSpec, Group, Spec, bare, field, one},
};

/// Enough events of a metric within a window.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Engagement {
    /// The metric.
    pub event: SmolStr,
    /// Which of them count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<ConditionText>,
    /// What is measured.
    #[serde(default)]
    pub measure: MeasureBy,
    /// Fires when the measure reaches this.
    pub at_least: f64,
    /// Within this long before now.
    pub within: Span,
    /// Only events that agree in this value count together, such as `event.product_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same: Option<Path>,
    /// Not if one of these happened within the window.
    #[serde(default)]
    pub unless: Vec<EventMatch>,
}

/// What is measured over events.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasureBy {
    /// How many.
    #[default]
    Count,
    /// The sum of a number in them.
    Sum(Path),
    /// The largest of a number in them.
    Max(Path),
}

impl Engagement {
    /// The measure before and after `event` (the newest, already in the log), over events that `counts` lets pass.
    pub fn measure(
        &self,
        log: &EventLog,
        event: &Event,
        now: Instant,
        zone: &Zone,
        counts: impl Fn(&Event) -> bool,
    ) -> (f64, f64) {
        let from = self.within.before(now, zone).plus_millis(1);
        let group = |e: &Event| self.same.as_ref().and_then(|path| e.value(&path.steps));
        let wanted = group(event);
        let (mut before, mut after) = (0.0_f64, 0.0_f64);
        // What has been accepted has happened, whatever a fast clock says (SEMANTICS R2).
        for other in log.between(&self.event, from, Instant::MAX) {
            if (self.same.is_some() && group(other) != wanted) || !counts(other) {
                continue;
            }
            let number = |path: &Path| other.value(&path.steps).and_then(|v| v.as_number()).unwrap_or(0.0);
            let fold = |total: f64| match &self.measure {
                MeasureBy::Count => total + 1.0,
                MeasureBy::Sum(path) => total + number(path),
                MeasureBy::Max(path) => total.max(number(path)),
            };
            after = fold(after);
            if other.id != event.id {
                before = fold(before);
            }
        }
        (before, after)
    }
}

const MEASURED: FieldSpec = field("value", "Of", "A number in the event, such as event.value.", Editor::Path);

/// The catalogue entry.
pub const SPEC: Spec = Spec {
    name: "engagement",
    title: "Engagement",
    group: Group::Trigger,
    icon: "activity",
    search: &["count", "sum", "times", "viewed", "seconds", "video", "repeat"],
    ports: &["next"],
    docs: Docs {
        what: "Lets a contact in when a count, sum or maximum over events in a window reaches a number.",
        why: "The same product viewed three times says more than three products viewed once.",
        source: "SEMANTICS R2, R5",
    },
    fields: &[
        field("event", "Event", "The event that counts.", Editor::Event),
        field("filter", "Only if", "Which of them count.", Editor::Condition).or(""),
        field(
            "measure",
            "Measure",
            "How many, or the sum or maximum of a number in them.",
            Editor::OneOf(&[
                bare("count", "How many"),
                one("sum", "Sum of", &MEASURED, "(\"event.value\")"),
                one("max", "Largest", &MEASURED, "(\"event.value\")"),
            ]),
        )
        .or("count"),
        field("at_least", "Reaches", "Fires when the measure comes to this number.", Editor::Number),
        field("within", "Within", "How far back events count.", Editor::Span),
        field("same", "The same", "Only events that agree in this value count together.", Editor::Path).or(""),
        field("unless", "Unless", "Not if one of these happened within the window.", Editor::List(&EVENT_MATCHES))
            .or(""),
    ],
    example: r#"(event: "Viewed Product", at_least: 3, within: "7 days", same: "event.product_id", unless: [(event: "Placed Order")])"#,
};
