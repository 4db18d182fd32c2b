//! The text form of conditions.

use super::{Condition, ParseError, Parsed, Path};

/// Reads a condition; never fails and never panics, see [`Parsed`].
pub fn parse(_text: &str) -> Parsed {
    Parsed { condition: Condition::Always(false), errors: Vec::new(), references: Vec::new() }
}

impl Path {
    /// Reads a path alone: `event.cart_id`, `contact["Favourite colour"].name`.
    pub fn parse(_text: &str) -> Result<Self, ParseError> {
        Err(ParseError { range: Default::default(), message: String::new(), hint: String::new() })
    }
}
