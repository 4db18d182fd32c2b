//! When time alone may change a condition.

use super::{Facts, compile::Node};
use crate::base::Instant;

/// The next instant strictly after `facts.now` at which the value may change; never too late.
pub(in crate::audience) fn of(_node: &Node, _facts: &Facts<'_>) -> Option<Instant> {
    None
}
