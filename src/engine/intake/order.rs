//! Orders as JSON, for `POST /v1/orders`: `{"order": "pause", "flow": "watch-shop", "freeze": true}`.
//!
//! The one idea: a flow travels as the text of its file, which keeps what people wrote; all else as plain values.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{
    base::{ContactId, FlowId, JourneyId, NodeId, SendKey, Severity},
    engine::work::{Order, Refusal},
    flow::{
        Flow, Workspace,
        check::{Surroundings, check},
        file,
    },
};

#[derive(Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case", deny_unknown_fields)]
enum Saved {
    Publish {
        /// The text of the flow's file.
        flow: String,
        /// What stands in `flowloom.ron`, as JSON; where left out, the live one stays.
        #[serde(default)]
        workspace: Option<Box<Workspace>>,
        /// Although the checks find errors in it.
        #[serde(default)]
        force: bool,
    },
    Pause {
        flow: FlowId,
        #[serde(default)]
        freeze: bool,
    },
    Resume {
        flow: FlowId,
    },
    Drain {
        flow: FlowId,
    },
    Migrate {
        flow: FlowId,
        /// From old node to new node.
        #[serde(default)]
        mapping: Vec<(NodeId, NodeId)>,
    },
    Move {
        contact: ContactId,
        journey: JourneyId,
        node: NodeId,
    },
    End {
        contact: ContactId,
        journey: JourneyId,
    },
    Retry {
        /// A send key as text.
        key: String,
        #[serde(default)]
        resend: bool,
    },
    MarkSent {
        /// A send key as text.
        key: String,
    },
    Forget {
        contact: ContactId,
    },
    Suppress {
        addresses: Vec<String>,
        #[serde(default)]
        lift: bool,
    },
    Prune {
        days: u32,
    },
}

/// An order as JSON. Whoever has an order in hand has looked at the flow: it is published whatever checks say.
///
/// Errors: it is the engine's own; never for what a workspace can hold, as a test holds for the samples.
pub fn to_json(order: &Order) -> Result<Json, String> {
    let saved = match order.clone() {
        Order::Publish { flow, workspace } => {
            Saved::Publish { flow: file::write(&flow), workspace: Some(workspace), force: true }
        }
        Order::Pause { flow, freeze } => Saved::Pause { flow, freeze },
        Order::Resume { flow } => Saved::Resume { flow },
        Order::Drain { flow } => Saved::Drain { flow },
        Order::Migrate { flow, mapping } => Saved::Migrate { flow, mapping },
        Order::Move { contact, journey, node } => Saved::Move { contact, journey, node },
        Order::End { contact, journey } => Saved::End { contact, journey },
        Order::Retry { key, resend } => Saved::Retry { key: key.to_string(), resend },
        Order::MarkSent { key } => Saved::MarkSent { key: key.to_string() },
        Order::Forget { contact } => Saved::Forget { contact },
        Order::Erased { .. } => return Err("The engine gives this order to itself".to_owned()),
        Order::Suppress { addresses, lift } => Saved::Suppress { addresses, lift },
        Order::Prune { days } => Saved::Prune { days },
    };
    serde_json::to_value(saved).map_err(|error| error.to_string())
}

/// What the checks find wrong in a flow that is to run: how many errors, and the first.
pub fn errors(flow: &Flow, workspace: &Workspace) -> Option<(usize, String)> {
    let around = Surroundings { workspace, other_flows: &[], audience: None };
    let found = check(flow, &around);
    let mut errors = found.iter().filter(|found| found.diagnostic.severity == Severity::Error);
    let first = errors.next()?.diagnostic.message.clone();
    Some((1 + errors.count(), first))
}

/// An order from JSON. A flow with errors is published only where `force` says so; one that comes without a workspace
/// keeps the one that is `live`.
///
/// Errors: what is wrong, and a way out.
pub fn from_json(bytes: &[u8], live: impl FnOnce() -> Result<Workspace, String>) -> Result<Order, Refusal> {
    let saved: Saved = serde_json::from_slice(bytes).map_err(|error| {
        Refusal::new(
            format!("the order cannot be read: {error}"),
            "Write {\"order\": \"pause\", \"flow\": \"ID\"}; orders are publish, pause, resume, drain, migrate, move, \
             end, retry, mark_sent, forget, suppress, prune",
        )
    })?;
    Ok(match saved {
        Saved::Publish { flow, workspace, force } => {
            let loaded = file::read(&flow).map_err(|found| {
                Refusal::new(
                    format!("the flow cannot be read: {}", found.message),
                    if found.hint.is_empty() {
                        "Send the text of a .flow.ron file that `flowloom check` reads".to_owned()
                    } else {
                        found.hint
                    },
                )
            })?;
            if loaded.read_only {
                return Err(Refusal::new("the flow was made by a newer Flowloom", "Get a newer engine"));
            }
            let workspace = match workspace {
                Some(workspace) => workspace,
                None => {
                    let hint = "Try again, or send the workspace along";
                    Box::new(live().map_err(|error| Refusal::new(error, hint))?)
                }
            };
            if let Some((count, first)) = errors(&loaded.flow, &workspace).filter(|_| !force) {
                let errors = if count == 1 { "an error".to_owned() } else { format!("{count} errors") };
                return Err(Refusal::new(
                    format!("the flow has {errors}: {first}"),
                    "Mend it (flowloom check), or send \"force\": true to run it all the same",
                ));
            }
            Order::Publish { flow: Box::new(loaded.flow), workspace }
        }
        Saved::Pause { flow, freeze } => Order::Pause { flow, freeze },
        Saved::Resume { flow } => Order::Resume { flow },
        Saved::Drain { flow } => Order::Drain { flow },
        Saved::Migrate { flow, mapping } => Order::Migrate { flow, mapping },
        Saved::Move { contact, journey, node } => Order::Move { contact, journey, node },
        Saved::End { contact, journey } => Order::End { contact, journey },
        Saved::Retry { key, resend } => Order::Retry { key: key_of(&key)?, resend },
        Saved::MarkSent { key } => Order::MarkSent { key: key_of(&key)? },
        Saved::Forget { contact } => Order::Forget { contact },
        Saved::Suppress { addresses, lift } => Order::Suppress { addresses, lift },
        Saved::Prune { days: 0 } => return Err(Refusal::new("`days` is 0", "Keep at least one day")),
        Saved::Prune { days } => Order::Prune { days },
    })
}

fn key_of(text: &str) -> Result<SendKey, Refusal> {
    SendKey::parse(text).ok_or_else(|| {
        let hint = "Write it as `flowloom held` shows it: journey/node/pass";
        Refusal::new(format!("`{text}` is not a send key"), hint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_json(bytes: &[u8]) -> Result<Order, Refusal> {
        super::from_json(bytes, || Ok(Workspace::default()))
    }

    #[test]
    fn every_order_survives_the_way() {
        let flow = |id: &str| FlowId::new(id);
        for order in [
            Order::Pause { flow: flow("a"), freeze: true },
            Order::Resume { flow: flow("a") },
            Order::Drain { flow: flow("a") },
            Order::Migrate { flow: flow("a"), mapping: vec![("x".into(), "y".into())] },
            Order::Move { contact: "ada".into(), journey: "j/1".into(), node: "n".into() },
            Order::End { contact: "ada".into(), journey: "j/1".into() },
            Order::Retry { key: SendKey::parse("j/1/mail-1/2").expect("a key"), resend: true },
            Order::MarkSent { key: SendKey::parse("j/1/mail-1/2").expect("a key") },
            Order::Forget { contact: "ada".into() },
            Order::Suppress { addresses: vec!["a@b.example".into()], lift: false },
            Order::Prune { days: 400 },
        ] {
            let json = to_json(&order).expect("JSON");
            assert_eq!(from_json(json.to_string().as_bytes()), Ok(order), "{json}");
        }
    }

    /// What people wrote arrives: the samples with their workspaces.
    #[test]
    fn the_samples_can_be_published() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_flows");
        let mut seen = 0;
        for folder in std::fs::read_dir(root).expect("samples").flatten().filter(|entry| entry.path().is_dir()) {
            let source = std::fs::read_to_string(folder.path().join("flowloom.ron")).expect("a workspace");
            let (workspace, _) = file::read_workspace(&source).unwrap_or_else(|found| panic!("{}", found.message));
            for entry in std::fs::read_dir(folder.path()).expect("a folder").flatten() {
                if !entry.path().to_string_lossy().ends_with(".flow.ron") {
                    continue;
                }
                let text = std::fs::read_to_string(entry.path()).expect("a flow");
                let flow = file::read(&text).unwrap_or_else(|found| panic!("{}", found.message)).flow;
                let order = Order::Publish { flow: Box::new(flow), workspace: Box::new(workspace.clone()) };
                let json = to_json(&order).expect("JSON");
                let Ok(Order::Publish { flow: read, workspace: with }) = from_json(json.to_string().as_bytes()) else {
                    panic!("{} is published", entry.path().display());
                };
                assert_eq!(*with, workspace, "{}", entry.path().display());
                assert_eq!(file::write(&read), json["flow"].as_str().expect("a text"), "{}", entry.path().display());
                seen += 1;
            }
        }
        assert!(seen >= 8, "{seen} flows");
    }

    #[test]
    fn a_broken_flow_goes_live_only_by_force() {
        let flow = r#"(version: 2, id: "a", name: "A", nodes: [
            (id: "start", kind: "trigger", settings: (any: [event(event: "Signed Up")])),
            (id: "hello", kind: "email", settings: (message: "none")),
        ], edges: [(from: "start", to: "hello")])"#;
        let post = |force: Option<bool>| {
            let mut json = serde_json::json!({"order": "publish", "flow": flow});
            if let Some(force) = force {
                json["force"] = force.into();
            }
            from_json(json.to_string().as_bytes())
        };
        for force in [None, Some(false)] {
            let refusal = post(force).expect_err("it has errors");
            assert!(refusal.error.starts_with("the flow has ") && refusal.hint.contains("force"), "{refusal:?}");
        }
        let order = post(Some(true)).expect("by force");
        let again = from_json(to_json(&order).expect("JSON").to_string().as_bytes());
        assert_eq!(again, Ok(order), "whoever has the order has looked");
    }

    /// Whoever sends a flow alone means the flow: brand, segments, limits and pools of codes stay.
    #[test]
    fn a_workspace_that_is_left_out_stays() {
        let flow = r#"(version: 2, id: "a", name: "A", nodes: [(id: "start", kind: "trigger",
            settings: (any: [event(event: "Signed Up")]))], edges: [])"#;
        let live = || {
            let mut workspace = Workspace::default();
            workspace.brand.name = "Meridian".into();
            workspace
        };
        let published = |json: serde_json::Value| {
            let order = super::from_json(json.to_string().as_bytes(), || Ok(live())).expect("an order");
            let Order::Publish { workspace, .. } = order else { panic!("{order:?}") };
            workspace.brand.name
        };
        let json = serde_json::json!({"order": "publish", "flow": flow, "force": true});
        assert_eq!(published(json.clone()), "Meridian");
        let mut with = json.clone();
        with["workspace"] = serde_json::json!({});
        assert_eq!(published(with), "", "an empty one that is sent is meant");
        let refusal = super::from_json(json.to_string().as_bytes(), || Err("the disk is gone".to_owned()));
        assert_eq!(refusal.map_err(|refusal| refusal.error), Err("the disk is gone".to_owned()));
    }

    #[test]
    fn bad_orders_say_why() {
        for (text, expected) in [
            ("{}", "the order cannot be read: missing field `order`"),
            (r#"{"order":"dance"}"#, "the order cannot be read: unknown variant `dance`"),
            (r#"{"order":"retry","key":"x"}"#, "`x` is not a send key"),
            (r#"{"order":"mark_sent","key":"x"}"#, "`x` is not a send key"),
            (r#"{"order":"prune","days":0}"#, "`days` is 0"),
            (r#"{"order":"publish","flow":"("}"#, "the flow cannot be read: "),
        ] {
            let refusal = from_json(text.as_bytes()).expect_err(text);
            assert!(refusal.error.starts_with(expected), "{text}: {}", refusal.error);
            assert!(!refusal.hint.is_empty());
        }
    }
}
