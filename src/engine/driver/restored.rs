//! The care after a restore: what was due until then is held, not sent (SEMANTICS R26).
//!
//! The one idea: everybody hears of it before anything else that is said to them, whoever says it. Until an engine has
//! started, the first batch of each driver says the word anew, be it that of a command while the engine rests: by then
//! more is overdue.

use super::{Driver, Result, Store};
use crate::{
    base::Instant,
    engine::{store::Carried, work::NewContact},
    kinds::runtime::{Change, Control},
};

/// Whether the word was said: [`EARLY`] or [`BEGUN`].
const SAID: &str = "restored_said";
/// By whoever came first, while the engine rested.
const EARLY: &str = "0";
/// By the start of an engine.
const BEGUN: &str = "1";

impl Driver {
    /// The first thing in every batch: says the word where a restore is not told yet, and what is carried over from
    /// the former data. Costs nothing where there was no restore.
    ///
    /// Errors: the store's.
    pub(super) fn take_care(&mut self, now: Instant) -> Result<()> {
        if self.restored.is_none() || self.has_told_restored {
            return Ok(());
        }
        self.has_told_restored = true;
        if self.store.meta(SAID)?.as_deref() == Some(BEGUN) {
            return Ok(());
        }
        self.say_restored(now, EARLY)?;
        self.carry_over(now)
    }

    /// Begins the care after a restore: everybody hears that what is due until now is to be held. Once per restore;
    /// does nothing where there was none.
    ///
    /// Errors: the store's.
    pub fn begin_restore(&mut self, now: Instant) -> Result<()> {
        if self.restored.is_none() || self.store.meta(SAID)?.as_deref() == Some(BEGUN) {
            return Ok(());
        }
        // This very batch has said it.
        if self.restored == Some(now) {
            return self.store.set_meta(SAID, BEGUN);
        }
        self.say_restored(now, BEGUN)
    }

    fn say_restored(&mut self, now: Instant, said: &str) -> Result<()> {
        // As long as nobody has looked, more becomes overdue: until now counts, not until the copy was put in place.
        self.restored = Some(now);
        self.store.set_meta("restored", &now.as_millis().to_string())?;
        self.store.set_meta(SAID, said)?;
        // Heard before anything that is due: at the instant that each contact has reached.
        self.say(Instant::MIN, Control::Restored { until: now }, "engine")
    }

    /// Who said no since the copy was made is not written to, and who was forgotten is forgotten again.
    fn carry_over(&mut self, now: Instant) -> Result<()> {
        let Some(text) = self.store.meta(Carried::META)? else { return Ok(()) };
        self.store.drop_meta(Carried::META)?;
        let carried: Vec<Carried> = match serde_json::from_str(&text) {
            Ok(carried) => carried,
            // It must not keep the engine from working for ever; who looks at the warnings knows.
            Err(error) => {
                self.told.warnings.push(format!("Who said no since the copy cannot be read: {error}"));
                return Ok(());
            }
        };
        for one in carried {
            if one.is_forgotten {
                // Somebody who is not in the copy stays suppressed by the id all the same.
                if self.store.contact_number(one.id.as_str())?.is_some() || self.contact(&one.id, now)?.is_ok() {
                    let _ = self.forget(now, "restore", &one.id)?;
                }
                continue;
            }
            let consent = one.no.into_iter().map(|channel| (channel, crate::audience::ConsentStatus::Unsubscribed));
            let suppressed = one.is_suppressed.then_some(true);
            let change = Change { consent: consent.collect(), suppressed, bounced: one.bounced, ..Change::default() };
            let item = NewContact { id: one.id, change };
            if let crate::engine::work::Answer::Refused { error, .. } = self.change(now, &item)? {
                self.told.warnings.push(error);
            }
            if one.has_complained
                && let Some(n) = self.store.contact_number(item.id.as_str())?
            {
                self.store.audit(now, Some(n), "restore", Store::COMPLAINED_BEFORE)?;
            }
        }
        Ok(())
    }

    /// Ends the care after a restore once nothing is overdue from before it; whether it has.
    ///
    /// Errors: the store's.
    pub fn end_restore(&mut self) -> Result<bool> {
        let Some(until) = self.restored else { return Ok(false) };
        if self.store.next_due()?.is_some_and(|due| due <= until) {
            return Ok(false);
        }
        self.store.drop_meta("restored")?;
        self.store.drop_meta(SAID)?;
        self.restored = None;
        Ok(true)
    }
}
