//! `cap/constant`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    flow::Edit,
    kinds::{CapRule, Limit, Scope, Settings},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "cap/constant",
        severity: Severity::Warning,
        title: "A cap that is never reached, or always",
        what: "A cap step has no limit, a limit of 0, one above what the breaker of 10 messages in 24 h lets through, or \
               counts a channel on which the flow sends nothing.",
        why: "One of its two ways is never taken, and the mails behind it never leave, or are never held back.",
        example: "(limit: at_most(0))",
        fix: "Give it a limit that can be reached, such as at_most(3), or take the step out.",
        source: "SEMANTICS R23, R28",
    },
    run,
};

/// What the breaker lets through in 24 hours, over all channels. Source: SEMANTICS R28.
const BREAKER: u32 = 10;
const DAY_MILLIS: i64 = 24 * 3_600_000;

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (n, rule) in cx.settings.caps.iter().enumerate() {
        if rule.limit == Limit::AtMost(0) {
            let place = Place::default().with_field(format!("settings.caps.{n}.limit"));
            out.push(
                CHECK
                    .spec
                    .at(place, "The cap lets no message of the flow through")
                    .hint("Give it a limit of 1 or more"),
            );
        }
    }
    for (_, node, settings) in cx.steps() {
        let Settings::Cap(rule) = settings else { continue };
        let place = Place::node(&node.id).with_field("limit");
        let Some(why) = constant(cx, rule) else { continue };
        let finding = CHECK.spec.at(place, format!("The cap `{}` {why}", node.id));
        let finding = finding.hint("Give it a limit that can be reached, or take the step out");
        let other_channel = why.contains("channel");
        out.push(if other_channel {
            finding
        } else {
            finding.fix(
                "Cap at 3 messages",
                vec![Edit::SetField {
                    id: node.id.clone(),
                    field: "limit".into(),
                    value: Some("at_most(3)".to_owned()),
                }],
            )
        });
    }
}

fn constant(cx: &Context<'_>, rule: &CapRule) -> Option<&'static str> {
    match rule.limit {
        Limit::None => Some("has no limit, so nobody leaves by `capped`"),
        Limit::AtMost(0) => Some("lets nothing through, so nobody leaves by `under`"),
        Limit::AtMost(n) if n > BREAKER && rule.within.about_millis() <= DAY_MILLIS => {
            Some("is never reached: the breaker stops at 10 messages in 24 h")
        }
        Limit::AtMost(_) => {
            let silent = rule.scope == Scope::Flow && !cx.sendings().any(|sending| sending.channel == rule.channel);
            silent.then_some("is never reached: the flow sends nothing on its channel")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let cap = |settings: &str| on(&format!(r#"nodes: [(id: "c", kind: "cap", settings: ({settings}))]"#));
        for settings in ["limit: none", "limit: at_most(0)", "limit: at_most(11), within: \"24 h\""] {
            cap(settings).mends(&CHECK, &["step c, limit"]);
        }
        cap("limit: at_most(3), scope: flow").check(&CHECK, &["step c, limit"]);
        for settings in ["limit: at_most(3)", "limit: at_most(11)", "limit: at_most(10), within: \"24 h\""] {
            cap(settings).silent(&CHECK);
        }
        on("settings: (caps: [(limit: at_most(0)), (limit: none)])").check(&CHECK, &["settings.caps.0.limit"]);
    }
}
