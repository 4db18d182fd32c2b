//! What can go wrong with an account, in one shape: what happened, a way out, and where in the flow the server points.

use crate::base::{Diagnostic, Place};

/// What sort of fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The user stopped it.
    Cancelled,
    /// The server could not be reached, or broke off.
    Unreachable,
    /// Nothing came back in time.
    Slow,
    /// 401 and 403: the key is wrong, or may not do this.
    Key,
    /// 404: it is not there.
    Gone,
    /// 409: it is there already, or changed meanwhile.
    Conflict,
    /// 429: too much, for longer than anybody waits.
    Limit,
    /// 5xx: a fault of the server's.
    Server,
    /// Any other refusal: the body is not what it wants.
    Refused,
    /// An answer that cannot be read.
    Strange,
    /// The record of what was done could not be kept.
    Record,
}

/// A fault.
#[derive(Clone, PartialEq, Debug)]
pub struct Error {
    /// What sort.
    pub kind: Kind,
    /// What happened; one sentence without full stop.
    pub message: String,
    /// A way out; one sentence, or empty.
    pub hint: String,
    /// What the server said besides, with places in the body where it named them: `/data/attributes/name: too long`.
    pub reasons: Vec<String>,
}

impl Error {
    /// A fault with a way out.
    pub fn new(kind: Kind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: hint.into(), reasons: Vec::new() }
    }

    pub(in crate::platforms) fn refused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message, hint)
    }

    pub(in crate::platforms) fn strange(message: impl Into<String>) -> Self {
        Self::new(Kind::Strange, message, "Try again; if it stays so, the platform's API has changed")
    }

    pub(super) fn cancelled() -> Self {
        Self::new(Kind::Cancelled, "Stopped", "Push again to go on where it stopped")
    }

    /// Whether what was asked may have been done all the same.
    pub(in crate::platforms) fn is_unclear(&self) -> bool {
        matches!(self.kind, Kind::Unreachable | Kind::Slow | Kind::Server | Kind::Strange | Kind::Cancelled)
    }

    /// As the rest of the house says what is wrong.
    pub fn diagnostic(&self) -> Diagnostic {
        let mut message = self.message.clone();
        for reason in &self.reasons {
            message.push_str("; ");
            message.push_str(reason);
        }
        Diagnostic::error("push/failed", Place::default(), message).hint(self.hint.clone())
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        for reason in &self.reasons {
            write!(f, "\n  {reason}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
