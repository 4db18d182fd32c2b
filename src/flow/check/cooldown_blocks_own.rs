//! `timing/cooldown-blocks-own`

use super::{Check, CheckSpec, Context, Finding, ron_of};
use crate::{
    audience::Channel,
    base::{Place, Severity},
    flow::Edit,
    kinds::{Cooldown, CooldownFrom, OnCooldown, Settings},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "timing/cooldown-blocks-own",
        severity: Severity::Warning,
        title: "A cooldown that blocks its own flow",
        what: "The quiet time after a message holds off all messages, also the flow's own, and the next one can come \
               before it ends.",
        why: "The next message is late or skipped, whatever the delay before it says.",
        example: "cooldown: (lasts: \"24 h\", from: all), and the next mail 4 h later",
        fix: "Hold off other flows only, or let the next message come later.",
        source: "SEMANTICS R24",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for channel in [Channel::Email, Channel::Sms] {
        let own = |sending: &super::context::Sending<'_>| -> Option<Cooldown> {
            let cooldown = match sending.settings {
                Settings::Email(email) => email.cooldown.clone(),
                Settings::Sms(sms) => sms.cooldown.clone(),
                _ => None,
            };
            cooldown.filter(|cooldown| cooldown.from == CooldownFrom::All)
        };
        let sendings: Vec<_> = cx.sendings().filter(|s| s.channel == channel).collect();
        if !sendings.iter().any(|sending| own(sending).is_some()) {
            continue;
        }
        let mut aims = vec![false; cx.flow.nodes.len()];
        sendings.iter().filter(|s| !s.is_transactional()).for_each(|s| aims[s.idx] = true);
        let until_next = cx.times().until_next(&cx.index, |idx| aims[idx]);
        for sending in &sendings {
            let Some(cooldown) = own(sending) else { continue };
            let next = cx.index.out(sending.idx).iter().filter_map(|(_, to)| until_next[*to]).min();
            let Some(next) = next.filter(|next| *next < cooldown.lasts.least_millis()) else { continue };
            let effect = match cooldown.on_conflict {
                OnCooldown::Wait => "waits for its end",
                OnCooldown::Skip => "is skipped",
                OnCooldown::Leave => "ends the journey",
            };
            let soon = crate::base::Span { months: 0, days: 0, millis: next / 60_000 * 60_000 };
            let message = format!(
                "The quiet time of {} after `{}` holds for this flow too: its next message, {soon} later at the earliest, {effect}",
                cooldown.lasts, sending.node.id
            );
            let place = Place::node(&sending.node.id).with_field("cooldown");
            let finding =
                CHECK.spec.at(place, message).hint("Hold off other flows only, or let the next message come later");
            let mended = Cooldown { from: CooldownFrom::OtherFlows, ..cooldown };
            out.push(finding.fix(
                "Hold off other flows only",
                vec![Edit::SetField { id: sending.node.id.clone(), field: "cooldown".into(), value: ron_of(&mended) }],
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let flow = |cooldown: &str, wait: &str, next: &str| {
            on(&format!(
                r#"nodes: [(id: "t", kind: "trigger"), (id: "a", kind: "email", settings: (message: "m", cooldown: ({cooldown}))), (id: "d", kind: "delay", settings: ({wait})), (id: "b", {next})],
                edges: [(from: "t", to: "a"), (from: "a", to: "d"), (from: "d", to: "b")]"#
            ))
        };
        let mail = r#"kind: "email", settings: (message: "m")"#;
        let all = r#"lasts: "24 h", from: all"#;
        flow(all, r#"wait: for("4 h")"#, mail).mends(&CHECK, &["step a, cooldown"]);
        flow(all, r#"wait: for("23 h"), after: entry"#, mail).mends(&CHECK, &["step a, cooldown"]);
        flow(all, r#"wait: for("24 h")"#, mail).silent(&CHECK);
        flow(all, r#"wait: for("24 h"), after: entry"#, mail).silent(&CHECK);
        flow(all, r#"wait: for("4 h")"#, r#"kind: "sms", settings: (message: "s")"#).silent(&CHECK);
        flow(r#"lasts: "24 h""#, r#"wait: for("4 h")"#, mail).silent(&CHECK);
    }
}
