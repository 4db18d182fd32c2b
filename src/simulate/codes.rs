//! Codes given out in a replay: each contact gets the next of a pool, once (SEMANTICS R27).
//!
//! A replay gives them in the order of hand-overs, so the same replay gives the same codes; a contact who had one of a
//! pool is shown the same again. Codes that everybody has are not counted.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::{base::ContactId, flow::CodePool};

/// Codes by contact and pool.
pub type Given = BTreeMap<ContactId, BTreeMap<SmolStr, SmolStr>>;

/// What is given and what comes next.
#[derive(Default)]
pub(super) struct Ledger {
    pub given: Given,
    /// How many of a pool are gone.
    gone: BTreeMap<SmolStr, usize>,
}

impl Ledger {
    /// Gives a contact a code of each of these pools, all or none; `false` where a pool is empty.
    pub fn claim(&mut self, pools: &[CodePool], contact: &ContactId, wanted: &[SmolStr]) -> bool {
        let known = self.given.get(contact);
        let mut new = Vec::new();
        for name in wanted {
            if known.is_some_and(|known| known.contains_key(name)) {
                continue;
            }
            // A pool that there is not is found by the checks, and by rendering.
            let Some(pool) = pools.iter().find(|pool| pool.name == *name) else { continue };
            if pool.shared.is_some() {
                continue;
            }
            let gone = self.gone.get(name).copied().unwrap_or(0);
            let Some(code) = pool.codes.get(gone) else { return false };
            new.push((name.clone(), code.clone()));
        }
        for (name, code) in new {
            *self.gone.entry(name.clone()).or_default() += 1;
            self.given.entry(contact.clone()).or_default().insert(name, code);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_contact_gets_the_next_once() {
        let pools: Vec<CodePool> = crate::kinds::ron_options()
            .from_str(r#"[(name: "p", codes: ["A", "B"]), (name: "all", shared: "S"), (name: "q", codes: ["X"])]"#)
            .expect("reads");
        let mut ledger = Ledger::default();
        let mut check = |contact: &str, wanted: &[&str], expected: Option<&str>| {
            let wanted: Vec<SmolStr> = wanted.iter().map(SmolStr::new).collect();
            let given = ledger.claim(&pools, &contact.into(), &wanted);
            let own = ledger.given.get(&ContactId::new(contact)).cloned().unwrap_or_default();
            let own: Vec<&str> = own.values().map(SmolStr::as_str).collect();
            assert_eq!(given.then(|| own.join(" ")).as_deref(), expected, "{contact} {wanted:?}");
        };
        check("ada", &["p", "all"], Some("A"));
        check("ben", &["p"], Some("B"));
        check("ada", &["p"], Some("A"));
        check("ada", &["p", "q"], Some("A X"));
        // Nothing of one pool is taken where the other is empty.
        check("cem", &["p"], None);
        check("cem", &["q", "p"], None);
        check("cem", &["all", "nope"], Some(""));
    }
}
