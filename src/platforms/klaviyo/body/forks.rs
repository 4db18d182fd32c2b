//! Steps with several ways out: conditions, branches, random splits.
//!
//! Source: references, Klaviyo 5 and 6.

use serde_json::{Value as Json, json};

use super::{Body, MOST_BRANCHES, Slot};
use crate::{
    base::Place,
    kinds::{Branch, Split, logic::branch},
    platforms::{
        klaviyo::filters::{self, About, Asked},
        plan::Step,
        whole_percents,
    },
};

impl<'a> Body<'a, '_> {
    /// A two-way question; gives where yes and no go on.
    pub(super) fn split(&mut self, id: &str, asked: &Asked, slots: &[Slot]) -> (Slot, Slot) {
        let links = json!({"next_if_true": null, "next_if_false": null});
        let filter = asked.filter();
        match asked.about() {
            About::Profile => {
                let at = self.push_at(id, "conditional-split", json!({"profile_filter": filter}), links, slots);
                (Slot::Yes(at), Slot::No(at))
            }
            About::Event if self.entry.trigger_type == "metric" => {
                let data =
                    json!({"trigger_filter": filter, "trigger_id": self.entry.trigger_id, "trigger_type": "metric"});
                let at = self.push_at(id, "trigger-split", data, links, slots);
                (Slot::Yes(at), Slot::No(at))
            }
            About::Event | About::Both => {
                let at = self.multi(id, id, vec![("yes".to_owned(), filter)], slots);
                (Slot::Branch(at, 0), Slot::Branch(at, 1))
            }
        }
    }

    pub(super) fn multi(&mut self, id: &str, name: &str, arms: Vec<(String, Json)>, slots: &[Slot]) -> usize {
        let count = arms.len();
        let mut branches: Vec<Json> = Vec::with_capacity(count + 1);
        for (order, (arm, filter)) in arms.into_iter().enumerate() {
            branches.push(json!({"branch_id": arm, "order": order, "is_else": false, "branch_filter": filter, "links": {"next": null}, "name": arm}));
        }
        branches.push(json!({"branch_id": branch::ELSE, "order": count, "is_else": true, "branch_filter": null, "links": {"next": null}, "name": "Everyone else"}));
        self.push_at(id, "multi-branch-split", json!({"branches": branches, "name": name}), Json::Null, slots)
    }

    pub(super) fn branch(
        &mut self,
        id: &str,
        step: &Step<'a>,
        node: &Branch,
        place: &Place,
        slots: &[Slot],
    ) -> Vec<(Option<usize>, Slot)> {
        let mut outs = Vec::new();
        let mut slots = slots.to_vec();
        let mut arms = Vec::new();
        for (n, arm) in node.arms.iter().enumerate() {
            let place = place.clone().with_field(format!("arms.{n}.condition"));
            let mut asked = self.asker.ask(arm.condition.condition(), &place, self.notes);
            if asked.groups.is_empty() {
                // A path without conditions is passed over in Klaviyo, so "always" is written as "not never".
                let mut group = filters::Group { has_profile: true, ..Default::default() };
                let mut always = filters::never();
                always["filter"]["operator"] = json!("not-set");
                group.conditions.push(always);
                asked.groups.push(group);
            }
            arms.push((arm.name.to_string(), asked.filter(), step.to(&arm.name)));
        }
        let name = step.node.title().to_owned();
        let mut rest = arms.into_iter().peekable();
        loop {
            let here: Vec<_> = rest.by_ref().take(MOST_BRANCHES - 1).collect();
            let targets: Vec<Option<usize>> = here.iter().map(|(_, _, to)| *to).collect();
            let at = self.multi(id, &name, here.into_iter().map(|(arm, filter, _)| (arm, filter)).collect(), &slots);
            outs.extend(targets.iter().enumerate().map(|(n, to)| (*to, Slot::Branch(at, n))));
            let otherwise = Slot::Branch(at, targets.len());
            if rest.peek().is_none() {
                outs.push((step.to(branch::ELSE), otherwise));
                break;
            }
            slots = vec![otherwise];
        }
        if self.shared.is_none() && self.plan.meets_of(step).is_some() {
            self.notes.approximate(
                "klaviyo/copied-tail",
                place.clone(),
                "The arms meet again where Klaviyo cannot join them, so the steps after that are written once for each arm",
                "Change such a step in every copy, or let the arms end apart",
            );
        }
        outs
    }

    /// A random split as a chain of two-way samples: the k-th takes p_k out of what the earlier ones left.
    pub(super) fn random(
        &mut self,
        id: &str,
        step: &Step<'a>,
        node: &Split,
        place: &Place,
        slots: &[Slot],
    ) -> Vec<(Option<usize>, Slot)> {
        let weights: Vec<f64> = node.arms.iter().map(|arm| arm.weight).collect();
        let total: f64 = weights.iter().sum();
        let mut outs = Vec::new();
        let mut slots = slots.to_vec();
        let (mut left, mut realised_left) = (total, 100.0_f64);
        let mut realised = Vec::new();
        let last = node.arms.len().saturating_sub(1);
        for (n, arm) in node.arms.iter().enumerate() {
            let to = step.to(&arm.name);
            if n == last {
                outs.extend(slots.iter().map(|slot| (to, *slot)));
                realised.push(realised_left);
                break;
            }
            let share = if left > 0.0 { arm.weight * 100.0 / left } else { 0.0 };
            let percent = (share.round() as i64).clamp(1, 99);
            realised.push(realised_left * percent as f64 / 100.0);
            realised_left -= realised_left * percent as f64 / 100.0;
            left -= arm.weight;
            let filter = filters::groups_to_json(vec![vec![json!({"type": "profile-sample", "percentage": percent})]]);
            let name = if n == 0 { id.to_owned() } else { format!("{id}:{}", n + 1) };
            let links = json!({"next_if_true": null, "next_if_false": null});
            let at = self.push_at(&name, "conditional-split", json!({"profile_filter": filter}), links, &slots);
            outs.push((to, Slot::Yes(at)));
            slots = vec![Slot::No(at)];
        }
        let shown: Vec<String> =
            node.arms.iter().zip(&realised).map(|(arm, p)| format!("{} {p:.1} %", arm.name)).collect();
        let wanted = whole_percents(&weights);
        let differs = weights.iter().zip(&realised).any(|(w, p)| total > 0.0 && (w * 100.0 / total - p).abs() > 0.05);
        let rounding = if differs {
            format!("the shares become {} (wanted {wanted:?}), and ", shown.join(", "))
        } else {
            String::new()
        };
        self.notes.approximate(
            "klaviyo/split",
            place.clone(),
            format!("{rounding}Klaviyo draws its own sample, so other contacts get an arm than in the preview"),
            "Nothing to do, unless two splits have to fall on the same contacts",
        );
        if node.winner.is_some() {
            self.notes.impossible(
                "klaviyo/winner",
                place.clone().with_field("winner"),
                "Klaviyo names no winner between paths; both go on",
                "Compare the paths after the time you planned and close one by hand",
            );
        }
        if node.arms.len() > 2 && self.shared.is_none() && self.plan.meets_of(step).is_some() {
            self.notes.approximate(
                "klaviyo/copied-tail",
                place.clone(),
                "The arms meet again where Klaviyo cannot join them, so the steps after that are written once for each arm",
                "Change such a step in every copy, or let the arms end apart",
            );
        }
        outs
    }
}
