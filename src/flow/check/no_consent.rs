//! `consent/not-asked`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    audience::Channel,
    base::{Place, Severity},
    flow::{Edit, RequiredConsent},
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "consent/not-asked",
        severity: Severity::Warning,
        title: "Marketing to people who were never asked",
        what: "The flow sends e-mails that are not transactional, and does not require that the contact subscribed to \
               them: nothing is required, or only that they did not say no.",
        why: "In most places marketing needs a yes; the lack of a no is enough in few.",
        example: "consent: []",
        fix: "Leave the setting out, which requires subscribed(email).",
        source: "Directive 2002/58/EC, article 13(1); SEMANTICS R15",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let asked = cx.settings.consent.contains(&RequiredConsent::Subscribed(Channel::Email));
    let mut marketing =
        cx.sendings().filter(|sending| sending.channel == Channel::Email && !sending.is_transactional());
    if asked || marketing.next().is_none() {
        return;
    }
    out.push(
        CHECK
            .spec
            .at(Place::default().with_field("settings.consent"), "E-mails leave to contacts who never said yes to them")
            .hint(
                "Leave the setting out, which requires a subscription; or mark the mails as transactional, if they are",
            )
            .fix("Require a subscription", vec![Edit::SetFlowField { field: "consent".into(), value: None }]),
    );
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let mail = |consent: &str, settings: &str| {
            on(&format!(
                r#"settings: ({consent}), nodes: [(id: "a", kind: "email", settings: (message: "m" {settings}))]"#
            ))
        };
        mail("consent: []", "").mends(&CHECK, &["settings.consent"]);
        mail("consent: [not_unsubscribed(email)]", "").mends(&CHECK, &["settings.consent"]);
        mail("consent: []", ", transactional: true").silent(&CHECK);
        mail("", "").silent(&CHECK);
        mail("consent: [subscribed(sms), subscribed(email)]", "").silent(&CHECK);
    }
}
