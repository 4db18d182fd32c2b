//! What losses count over the people of a workspace's audience.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use crate::audience::{Audience, Channel, ConsentStatus};

/// The audience as far as losses ask about it; contacts by their place in it.
#[derive(Clone, Debug, Default)]
pub(super) struct People {
    contacts: usize,
    /// Never asked for consent, by channel: e-mail, SMS.
    never_asked: [usize; 2],
    /// Who did what at least once.
    did: BTreeMap<SmolStr, BTreeSet<usize>>,
    /// How many have a zone of their own.
    zones: BTreeMap<SmolStr, usize>,
}

impl People {
    pub fn of(audience: &Audience) -> Self {
        let place: BTreeMap<_, usize> = audience.contacts.iter().enumerate().map(|(n, c)| (&c.id, n)).collect();
        let mut did: BTreeMap<SmolStr, BTreeSet<usize>> = BTreeMap::new();
        for event in &audience.events {
            if let Some(n) = place.get(&event.contact) {
                did.entry(event.name.clone()).or_default().insert(*n);
            }
        }
        let unknown = |channel| {
            audience.contacts.iter().filter(|contact| contact.consent.on(channel) == ConsentStatus::Unknown).count()
        };
        let mut zones: BTreeMap<SmolStr, usize> = BTreeMap::new();
        for zone in audience.contacts.iter().filter_map(|contact| contact.zone.clone()) {
            *zones.entry(zone).or_default() += 1;
        }
        Self {
            contacts: audience.contacts.len(),
            never_asked: [unknown(Channel::Email), unknown(Channel::Sms)],
            did,
            zones,
        }
    }

    /// Such as ` (3 of 60 sample contacts)`; nothing for nobody.
    pub fn share(&self, count: usize) -> String {
        if count == 0 { String::new() } else { format!(" ({count} of {} sample contacts)", self.contacts) }
    }

    /// Who was never asked for consent on a channel.
    pub fn never_asked(&self, channel: Channel) -> usize {
        self.never_asked[usize::from(channel == Channel::Sms)]
    }

    /// Who did none of these.
    pub fn did_none(&self, metrics: &[SmolStr]) -> usize {
        let some: BTreeSet<usize> =
            metrics.iter().filter_map(|metric| self.did.get(metric)).flatten().copied().collect();
        self.contacts - some.len()
    }

    /// Who lives by another clock than this zone's.
    pub fn outside(&self, zone: &str) -> usize {
        self.zones.iter().filter(|(name, _)| *name != zone).map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audience::{Contact, Event},
        base::Instant,
    };

    #[test]
    fn people_are_counted_once() {
        let mut ada = Contact::new("ada");
        (ada.consent.email, ada.zone) = (ConsentStatus::Subscribed, Some("Asia/Tokyo".into()));
        let event = |id: &str| Event {
            id: id.into(),
            contact: "ada".into(),
            name: "A".into(),
            happened: Instant::from_millis(0),
            accepted: Instant::from_millis(0),
            properties: Default::default(),
        };
        let audience = Audience {
            contacts: vec![ada, Contact::new("bob")],
            events: vec![event("1"), event("2")],
            responses: vec![],
        };
        let people = People::of(&audience);
        assert_eq!((people.did_none(&["A".into()]), people.did_none(&["B".into()])), (1, 2));
        assert_eq!((people.never_asked(Channel::Email), people.never_asked(Channel::Sms)), (1, 2));
        assert_eq!((people.outside("UTC"), people.outside("Asia/Tokyo")), (1, 0));
        assert_eq!((people.share(1).as_str(), people.share(0).as_str()), (" (1 of 2 sample contacts)", ""));
    }
}
