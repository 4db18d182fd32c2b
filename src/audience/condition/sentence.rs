//! Conditions as English sentences.

use super::Condition;

impl Condition {
    /// The condition as an English sentence without a full stop: "the contact's lifetime value is over 500".
    pub fn sentence(&self) -> String {
        self.to_string()
    }
}
