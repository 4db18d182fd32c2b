//! What the world outside an engine knows: which events it was told are safe, and which mails people got.

use std::collections::{BTreeMap, BTreeSet};

use flowloom::{
    audience::Channel,
    base::{ContactId, EventId, FlowId, Instant, SendKey},
    engine::work::{Job, Order},
    flow::Workspace,
    journey::IntentWhat,
    kinds::{CapRule, Limit, MOST_IN_24_H, Scope, prepared::Prepared},
};

use smol_str::SmolStr;

use super::look::Look;

/// A hand-over that reached the other side.
#[derive(Debug)]
pub struct HandOver {
    pub key: SendKey,
    pub at: Instant,
    /// Whether it was taken, whatever was answered.
    pub left: bool,
    /// A person has said that it did not leave.
    is_disowned: bool,
    contact: ContactId,
    flow: FlowId,
    /// Of messages; calls and alerts have none.
    channel: Option<Channel>,
    transactional: bool,
    /// The caps of its flow's version.
    caps: Vec<CapRule>,
}

/// The account.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Events that were put to the engine, and whether it has said that they are safe.
    pub events: BTreeMap<(ContactId, EventId), bool>,
    pub hand_overs: Vec<HandOver>,
    /// How often a person said to send it once more.
    resends: BTreeMap<SendKey, usize>,
    /// What nobody knows of: never to be handed over by itself.
    unknown: BTreeSet<SendKey>,
    /// Whose past is gone.
    pub forgotten: BTreeSet<ContactId>,
    /// As it was when the engine's file was copied.
    copy: Copy,
    /// What left since the copy that was put back: not to leave again without a person's word.
    gone: BTreeSet<SendKey>,
    was_restored: bool,
    /// Whose each code of a pool is.
    codes: BTreeMap<(SmolStr, SmolStr), ContactId>,
}

/// What a copy of the engine's file holds, by the account.
#[derive(Debug, Default)]
struct Copy {
    events: BTreeMap<(ContactId, EventId), bool>,
    num_hand_overs: usize,
    unknown: BTreeSet<SendKey>,
    gone: BTreeSet<SendKey>,
    forgotten: BTreeSet<ContactId>,
    codes: BTreeMap<(SmolStr, SmolStr), ContactId>,
}

impl Ledger {
    /// What a person means by an order, whatever becomes of it; `held` is what is held by then.
    pub fn order(&mut self, order: &Order, held: &[SendKey]) {
        match order {
            Order::Retry { key, resend: true } => self.resend(key),
            // All that is held in the journey, after a restore, be it that it was unknown before.
            Order::Retry { key, resend: false } => {
                let of_it = held.iter().filter(|one| one.journey == key.journey);
                for key in of_it.chain([key]) {
                    // What was unknown in a life that is gone is held like all else.
                    if self.gone.contains(key) || self.was_restored && self.unknown.contains(key) {
                        self.resend(key);
                    }
                }
            }
            _ => {}
        }
    }

    /// The engine's file is copied.
    pub fn copied(&mut self) {
        self.copy = Copy {
            events: self.events.clone(),
            num_hand_overs: self.hand_overs.len(),
            unknown: self.unknown.clone(),
            gone: self.gone.clone(),
            forgotten: self.forgotten.clone(),
            codes: self.codes.clone(),
        };
    }

    /// The copy is put back. Where the former file is lost, nobody knows what was since: then only what the copy itself
    /// was about to send (`open`) is kept from leaving again. Events that were acknowledged since and are gone.
    pub fn restored(&mut self, lost: Option<&BTreeSet<SendKey>>) -> Vec<(ContactId, EventId)> {
        self.was_restored = true;
        let copy = &self.copy;
        let mut gone = Vec::new();
        for (key, is_safe) in &mut self.events {
            if *is_safe && copy.events.get(key) != Some(&true) {
                *is_safe = false;
                gone.push(key.clone());
            }
        }
        // Who opened a mail does not open it again for that.
        self.events.retain(|key, _| !(key.1.as_str().contains(':') && gone.contains(key)));
        let mut left: BTreeMap<SendKey, usize> = BTreeMap::new();
        for one in self.hand_overs.iter().filter(|one| one.left) {
            *left.entry(one.key.clone()).or_default() += 1;
        }
        // The engine has no memory of their places, and counts caps from the copy on.
        for one in &mut self.hand_overs[copy.num_hand_overs..] {
            one.is_disowned = true;
            // A person's word that nothing came of stands.
            let left = left.get(&one.key).copied().unwrap_or(0);
            let meant = self.resends.entry(one.key.clone()).or_default();
            if lost.is_some_and(|open| !open.contains(&one.key)) {
                *meant = left.max(*meant);
            } else if one.left && *meant < left {
                self.gone.insert(one.key.clone());
            }
        }
        if let Some(open) = lost {
            self.unknown.retain(|key| copy.unknown.contains(key) || open.contains(key));
            self.gone.retain(|key| copy.gone.contains(key) || open.contains(key));
            // Nobody went on telling what people did who were forgotten and are there again.
            self.events.retain(|key, is_safe| *is_safe || !self.forgotten.contains(&key.0));
            self.forgotten.clone_from(&copy.forgotten);
            self.codes.clone_from(&copy.codes);
        }
        // What was unknown and is none of the copy's is held like all that left.
        self.gone.extend(self.unknown.difference(&copy.unknown).cloned());
        gone
    }

    /// A person says: once more.
    fn resend(&mut self, key: &SendKey) {
        // With it goes the word that it has not left, right or wrong: it holds no place any more.
        self.hand_overs.iter_mut().filter(|one| one.key == *key).for_each(|one| one.is_disowned = true);
        *self.resends.entry(key.clone()).or_default() += 1;
        self.unknown.remove(key);
        self.gone.remove(key);
    }

    /// The engine has said of it that nobody knows.
    pub fn unknown(&mut self, key: &SendKey) {
        self.unknown.insert(key.clone());
    }

    /// A hand-over reaches the other side, which takes it or not.
    ///
    /// Errors: it must not have come.
    pub fn hand_over(&mut self, job: &Job, at: Instant, left: bool) -> Result<(), String> {
        if self.unknown.contains(&job.key) {
            return Err(format!("{} is unknown, and is handed over by itself", job.key));
        }
        if self.gone.contains(&job.key) {
            return Err(format!("{} left since the copy was made, and is handed over again", job.key));
        }
        let contact = &job.contact.contact.id;
        for (pool, code) in &job.codes {
            let is_shared = job.workspace.code_pools.iter().any(|one| one.name == *pool && one.shared.is_some());
            let whose = self.codes.entry((pool.clone(), code.clone())).or_insert_with(|| contact.clone());
            if whose != contact && !is_shared {
                return Err(format!("{code} of {pool} is given to {contact}, and is {whose}'s"));
            }
        }
        let node = job.version.place_of(&job.key.node).map(|place| &job.version.nodes[place].prepared);
        self.hand_overs.push(HandOver {
            key: job.key.clone(),
            at,
            left,
            is_disowned: false,
            contact: job.contact.contact.id.clone(),
            flow: job.flow.clone(),
            channel: match &job.what {
                IntentWhat::Message { channel, .. } => Some(*channel),
                IntentWhat::Webhook | IntentWhat::Alert => None,
            },
            transactional: matches!(node, Some(Prepared::Email(email)) if email.transactional),
            caps: job.version.settings.caps.clone(),
        });
        let got = self.left(&job.key);
        let may = 1 + self.resends.get(&job.key).copied().unwrap_or(0);
        if got > may {
            return Err(format!("{} left {got} times, and may {may} times", job.key));
        }
        Ok(())
    }

    /// How often it left.
    pub fn left(&self, key: &SendKey) -> usize {
        self.hand_overs.iter().filter(|one| one.left && one.key == *key).count()
    }

    /// Every event that was said to be safe is there once, every other at most once.
    ///
    /// Errors: the first that is not.
    pub fn check_events(&self, look: &Look) -> Result<(), String> {
        let found = look.events();
        for ((contact, id), is_safe) in &self.events {
            if self.forgotten.contains(contact) {
                continue;
            }
            let count = found.get(&(contact.to_string(), id.to_string())).copied().unwrap_or(0);
            if count > 1 || *is_safe && count == 0 {
                return Err(format!("event {id} of {contact} stands {count} times in the journal; safe: {is_safe}"));
            }
        }
        Ok(())
    }

    /// What nobody knows of stays so.
    ///
    /// Errors: the first that does not.
    pub fn check_unknown(&mut self, look: &Look) -> Result<(), String> {
        for key in look.sends("unknown").iter().filter_map(|key| SendKey::parse(key)) {
            self.unknown(&key);
        }
        let open = ["due", "claimed", "handing_over"].into_iter().flat_map(|standing| look.sends(standing));
        // What the copy that was put back was about to send is held when its turn comes.
        let is_wrong = |key: &SendKey| self.unknown.contains(key) && !self.gone.contains(key);
        match open.filter_map(|key| SendKey::parse(&key)).find(is_wrong) {
            Some(key) => Err(format!("{key} was unknown, and is to be sent again")),
            None => Ok(()),
        }
    }

    /// Nobody got more than the caps allow (SEMANTICS R23, R28): of the messages that left, counted by the instants at
    /// which they left. Rows for segments are for another counter.
    ///
    /// Errors: the first that was too much.
    pub fn check_caps(&self, workspace: &Workspace) -> Result<(), String> {
        let zone = workspace.default_zone();
        let counts = |one: &&HandOver| one.left && one.channel.is_some() && !one.is_disowned;
        let mut counted: Vec<&HandOver> = self.hand_overs.iter().filter(counts).collect();
        // Senders that work side by side are not heard in the order in which they began.
        counted.sort_by_key(|one| one.at);
        for (n, one) in counted.iter().enumerate() {
            // What left at the same instant stands in the order in which it left.
            let before = |within: &dyn Fn(Instant) -> Instant, is_meant: &dyn Fn(&HandOver) -> bool| {
                let others = counted[..n].iter().filter(|other| other.contact == one.contact && other.at <= one.at);
                others.filter(|other| within(other.at) > one.at && is_meant(other)).count()
            };
            let in_a_day = before(&|at| at.plus_millis(86_400_000), &|_| true);
            if in_a_day >= MOST_IN_24_H {
                return Err(format!("{} is the {}th message of a day", one.key, in_a_day + 1));
            }
            if one.transactional {
                continue;
            }
            for rows in [&workspace.caps, &one.caps] {
                for rule in rows.iter().filter(|rule| Some(rule.channel) == one.channel) {
                    let alike = |row: &&CapRule| row.channel == rule.channel && row.scope == rule.scope;
                    let is_first = rows.iter().find(alike) == Some(rule);
                    let has_segments = rows.iter().filter(alike).any(|row| row.segment.is_some());
                    let Limit::AtMost(limit) = rule.limit else { continue };
                    if !is_first || has_segments {
                        continue;
                    }
                    let is_meant = |other: &HandOver| {
                        let scope = rule.scope == Scope::Workspace || other.flow == one.flow;
                        !other.transactional && other.channel == one.channel && scope
                    };
                    let count = before(&|at| rule.within.after(at, &zone), &is_meant);
                    if count >= limit as usize {
                        let times: Vec<String> = counted[..=n]
                            .iter()
                            .filter(|other| other.contact == one.contact)
                            .map(|other| format!("{} {}", other.at, other.key))
                            .collect();
                        return Err(format!(
                            "{} left at {} to {} as one of {} in {}, {limit} may: {times:#?}",
                            one.key,
                            one.at,
                            one.contact,
                            count + 1,
                            rule.within
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}
