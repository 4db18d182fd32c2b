//! Weighted points per behaviour, each with its own filter and half-life, layered up (DESIGN 3).

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::condition::ConditionText;
use crate::base::Span;

/// A score model of the workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreModel {
    /// Its name, unique in the workspace.
    pub name: SmolStr,
    /// What adds points.
    pub signals: Vec<Signal>,
}

/// One behaviour that adds points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// The metric.
    pub event: SmolStr,
    /// Which events of it count; `event.…` is the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<ConditionText>,
    /// Points for each such event, -1,000,000..=1,000,000.
    pub points: f64,
    /// After this long an event is worth half; without it points never fade. Exact spans or days (of 24 h) only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_life: Option<Span>,
    /// The most points this signal gives; no limit where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
}
