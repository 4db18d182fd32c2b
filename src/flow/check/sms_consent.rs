//! `consent/sms`

use super::{Check, CheckSpec, Context, Finding, context::parts_with_segments, ron_of};
use crate::{
    audience::{Channel, Condition},
    base::{Place, Severity},
    flow::{Edit, RequiredConsent},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "consent/sms",
        severity: Severity::Warning,
        title: "A text message without asking for consent",
        what: "The flow sends text messages, but neither requires consent to them nor asks for it in any condition.",
        why: "Text messages leave to contacts who opted in, and to nobody else; all others pass the step without a word, \
              and it is not seen that they do.",
        example: "An SMS step in a flow with consent: [subscribed(email)]",
        fix: "Require it: consent: [subscribed(email), subscribed(sms)]; or ask with a condition before the step.",
        source: "SEMANTICS R15, R22; 47 CFR 64.1200(a)",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut sendings = cx.sendings().filter(|sending| sending.channel == Channel::Sms);
    let Some(sending) = sendings.next() else { return };
    if cx.settings.consent.iter().any(|consent| consent.channel() == Channel::Sms) {
        return;
    }
    let asked = cx.conditions().iter().any(|written| {
        parts_with_segments(written.condition.condition(), cx.workspace)
            .into_iter()
            .any(|part| matches!(part, Condition::Consent { channel: Channel::Sms, .. }))
    });
    if asked {
        return;
    }
    let required = RequiredConsent::Subscribed(Channel::Sms);
    let consent = if cx.sendings().any(|sending| sending.channel == Channel::Email) {
        cx.settings.consent.iter().copied().chain([required]).collect()
    } else {
        vec![required]
    };
    let message = format!("`{}` sends a text message, but nothing asks whether the contact allows it", sending.node.id);
    out.push(
        CHECK
            .spec
            .at(Place::node(&sending.node.id), message)
            .hint("Require consent to text messages, or ask with a condition before the step")
            .fix(
                "Require consent to text messages",
                vec![Edit::SetFlowField { field: "consent".into(), value: ron_of(&consent) }],
            ),
    );
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let sms = r#"(id: "s", kind: "sms", settings: (message: "s"))"#;
        on(&format!("nodes: [{sms}]")).mends(&CHECK, &["step s"]);
        on(&format!(r#"nodes: [{sms}, (id: "m", kind: "email", settings: (message: "m"))]"#))
            .mends(&CHECK, &["step s"]);
        on(&format!("settings: (consent: [subscribed(sms)]), nodes: [{sms}]")).silent(&CHECK);
        on(&format!(
            r#"nodes: [{sms}, (id: "c", kind: "condition", settings: (condition: "sms consent is subscribed"))]"#
        ))
        .silent(&CHECK);
        on(r#"nodes: [(id: "m", kind: "email", settings: (message: "m"))]"#).silent(&CHECK);
    }
}
