//! `names/unknown-sender`

use super::{Check, CheckSpec, Context, Finding, ron_of};
use crate::{
    base::{Place, Severity, nearest},
    flow::Edit,
    kinds::Settings,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "names/unknown-sender",
        severity: Severity::Error,
        title: "A sender that does not exist",
        what: "The flow or an e-mail names a sender that the workspace does not have.",
        why: "A mail without a sender cannot leave.",
        example: "sender: \"shpo\"",
        fix: "Correct the name, or add the sender to the workspace.",
        source: "RFC 5322, section 3.6.2",
    },
    run,
};

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    let known = || cx.workspace.senders.iter().map(|sender| sender.id.as_str());
    let mut check = |place: Place, sender: &str, edit: &dyn Fn(String) -> Edit| {
        if known().any(|id| id == sender) {
            return;
        }
        let finding = CHECK.spec.at(place, format!("The workspace has no sender `{sender}`"));
        let finding = finding.hint(nearest::hint(sender, known()));
        out.push(match nearest::nearest(sender, known()).and_then(|near| Some((near, ron_of(near)?))) {
            Some((near, value)) => finding.fix(format!("Write `{near}`"), vec![edit(value)]),
            None => finding,
        });
    };
    if let Some(sender) = &cx.settings.sender {
        check(Place::default().with_field("settings.sender"), sender, &|value| Edit::SetFlowField {
            field: "sender".into(),
            value: Some(value),
        });
    }
    for (_, node, settings) in cx.steps() {
        if let Settings::Email(email) = settings
            && let Some(sender) = &email.sender
        {
            check(Place::node(&node.id).with_field("sender"), sender, &|value| Edit::SetField {
                id: node.id.clone(),
                field: "sender".into(),
                value: Some(value),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    #[test]
    fn fixtures() {
        let senders = r#"senders: [(id: "shop", name: "S", email: "s@example.com")]"#;
        let parts = |id: &str| {
            on(&format!(
                r#"settings: (sender: "{id}"), nodes: [(id: "a", kind: "email", settings: (message: "m", sender: "{id}"))]"#
            ))
        };
        parts("shpo").within(senders).mends(&CHECK, &["settings.sender", "step a, sender"]);
        parts("shop").check(&CHECK, &["settings.sender", "step a, sender"]);
        parts("shop").within(senders).silent(&CHECK);
    }
}
