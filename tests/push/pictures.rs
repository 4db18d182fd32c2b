//! Pictures, senders and forms: uploaded once, found again, asked about, and never a file of somebody's disk.

use std::{collections::BTreeSet, fs};

use flowloom::{
    flow::Target,
    platforms::{
        import::{Given, import},
        push::{self, Action, Answers, Change, Draft, Plan, Sort},
    },
};
use serde_json::{Value as Json, json};

use super::{
    Keeper, TARGETS, assert_whole, connect, draft, furnished, hubspot_of, klaviyo_of, picture_folder, pictured,
    push_again, push_showing, push_with, sample, server::Server,
};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n--\r\n--flowloom";

/// The mails that the account has, without the copies that old messages may hold.
fn mails(server: &Server, target: Target) -> Vec<String> {
    match target {
        Target::Klaviyo => klaviyo_of(server, |k| {
            k.templates.iter().filter(|(.., is_copy)| !is_copy).map(|(_, mail, _)| mail.to_string()).collect()
        }),
        _ => hubspot_of(server, |h| h.emails.iter().map(Json::to_string).collect()),
    }
}

/// Addresses of the pictures that the account has.
fn urls(server: &Server, target: Target) -> Vec<String> {
    let text = |url: &Json| url.as_str().expect("an address").to_owned();
    match target {
        Target::Klaviyo => klaviyo_of(server, |k| {
            k.images.iter().map(|(id, ..)| format!("https://cdn.klaviyo.example/company/images/{id}")).collect()
        }),
        _ => hubspot_of(server, |h| h.files.iter().map(|(file, _)| text(&file["url"])).collect()),
    }
}

fn num_pictures(draft: &Draft) -> usize {
    draft.items.iter().filter(|item| item.sort == Sort::Image).count()
}

#[test]
fn pictures_are_uploaded_once_and_the_mails_show_them() {
    for target in TARGETS {
        for id in ["bag-care", "circle", "watch-shop"] {
            let (flow, workspace) = pictured(id);
            let draft = draft(target, &flow, &workspace);
            let server = furnished(&draft);
            let mut keeper = Keeper::default();
            let (_, done) = push_again(&server, &draft, &mut keeper);
            assert_whole(&server, &draft, &done);
            let urls = urls(&server, target);
            assert!(!urls.is_empty() && urls.len() == num_pictures(&draft), "{id}: {urls:?}");
            assert_eq!(keeper.kept.pictures.len(), urls.len());
            let mails = mails(&server, target);
            assert!(mails.iter().all(|mail| !mail.contains("IMAGE:") && !mail.contains("file:")), "{id} {target:?}");
            for url in &urls {
                assert!(mails.iter().any(|mail| mail.contains(&url.replace('&', "&amp;"))), "nobody shows {url}");
            }
            // Neither a second push nor one without the record uploads anything again.
            let so_far = server.num_seen();
            push_again(&server, &draft, &mut keeper);
            push_again(&server, &draft, &mut Keeper::default());
            assert_eq!(server.writes_since(so_far), Vec::<String>::new(), "{id} {target:?}");
        }
    }
}

/// Another content is another picture, in every mail and message that shows it; one that was deleted is uploaded again.
#[test]
fn changed_and_deleted_pictures_are_uploaded() {
    for target in TARGETS {
        let (flow, workspace) = pictured("bag-care");
        let draft = draft(target, &flow, &workspace);
        let server = furnished(&draft);
        let mut keeper = Keeper::default();
        let before = num_pictures(&draft);
        push_again(&server, &draft, &mut keeper);
        let old = keeper.kept.pictures["image:logo.png"].url.replace('&', "&amp;");
        let folder = picture_folder("bag-care");
        let read = |path: &str, _: usize| match path {
            "logo.png" => Ok(PNG.to_vec()),
            _ => fs::read(folder.join(path)).map_err(|error| error.to_string()),
        };
        let again = |keeper: &mut Keeper| {
            push_showing(&server, &draft, keeper, &Answers::default(), &read).unwrap_or_else(|e| panic!("{e:?}"))
        };
        let (plan, done) = again(&mut keeper);
        assert_whole(&server, &draft, &done);
        assert!(plan.num_writes() > 1, "{:#?}", plan.changes);
        let all = urls(&server, target);
        assert_eq!(all.len(), before + 1);
        let newest = all.last().expect("a picture").replace('&', "&amp;");
        assert!(mails(&server, target).iter().any(|mail| mail.contains(&newest)));
        if target == Target::Klaviyo {
            // Messages hold copies; each has the newest.
            let held = klaviyo_of(&server, |k| {
                let mut ids = Vec::new();
                k.flows.iter().for_each(|flow| super::template_ids(flow, &mut ids));
                let html = |id: &Json| k.templates.iter().find(|t| *id == t.0).expect("a copy").1["html"].to_string();
                ids.iter().map(html).collect::<Vec<String>>()
            });
            assert!(
                held.iter().any(|html| html.contains(&newest)) && !held.iter().any(|html| html.contains(&old)),
                "{held:?}"
            );
        }
        let so_far = server.num_seen();
        again(&mut keeper);
        assert_eq!(server.writes_since(so_far), Vec::<String>::new());
        // Somebody tidies up in the account.
        match target {
            Target::Klaviyo => klaviyo_of(&server, |k| k.images.clear()),
            _ => hubspot_of(&server, |h| h.files.clear()),
        }
        let (_, done) = again(&mut keeper);
        assert_whole(&server, &draft, &done);
        assert_eq!(urls(&server, target).len(), before);
        assert!(mails(&server, target).iter().all(|mail| !mail.contains(&newest)), "a mail shows what is gone");
    }
}

/// What mail programs do not show stands in the way, until there is a picture or an address on the web.
#[test]
fn what_is_no_picture_stands_in_the_way() {
    let (flow, workspace) = pictured("bag-care");
    let draft = draft(Target::Klaviyo, &flow, &workspace);
    let plan_with = |bytes: Result<&[u8], &str>, id: Option<&str>| {
        let server = furnished(&draft);
        let mut client = connect(&server, &draft);
        let read = |path: &str, _: usize| match path {
            "logo.png" => bytes.map(<[u8]>::to_vec).map_err(str::to_owned),
            _ => Ok(PNG.to_vec()),
        };
        let (keeper, stop) = (&mut Keeper::default(), Default::default());
        let pushed = Default::default();
        let account = flowloom::platforms::push::Account::look(&draft, &mut client, &pushed, &read, keeper, &stop);
        let ids = id.map(|id| ("image:logo.png".to_owned(), id.to_owned())).into_iter().collect();
        let plan = Plan::new(draft.clone(), &account.expect("a look"), &pushed, &Answers { ids, ..Answers::default() });
        assert_eq!(server.writes_since(0), Vec::<String>::new());
        plan
    };
    let why = |plan: &Plan| match super::action(plan, "image:logo.png") {
        Action::Cannot { why, instead } => {
            assert!(!plan.is_ready() && instead.contains("web") | instead.contains("https"), "{instead}");
            why.clone()
        }
        other => format!("{other:?}"),
    };
    let svg = why(&plan_with(Ok(b"<svg/>"), None));
    assert!(svg.starts_with("`images/logo.png` is an SVG, which mail programs do not show; save it as"), "{svg}");
    assert_eq!(why(&plan_with(Err("there is no such file"), None)), "`images/logo.png`: there is no such file");
    assert!(why(&plan_with(Ok(&vec![0; 6_000_000]), None)).contains("larger than the 5.0 MB"));
    assert_eq!(
        why(&plan_with(Ok(PNG), Some("file:///home/ada/logo.png"))),
        "`file:///home/ada/logo.png` is no address on the web"
    );
    let plan = plan_with(Ok(b"<svg/>"), Some("https://shop.example/logo.png"));
    assert!(plan.is_ready(), "{:#?}", plan.changes);
}

fn change<'a>(plan: &'a Plan, sort: &str) -> &'a Change {
    plan.changes.iter().find(|change| change.sort == sort).unwrap_or_else(|| panic!("no {sort}: {:#?}", plan.changes))
}

/// Klaviyo shows its default sender, HubSpot which addresses published e-mails are from; others are checked by hand.
#[test]
fn senders_are_looked_up() {
    let (flow, workspace) = sample("bag-care");
    for target in TARGETS {
        let draft = draft(target, &flow, &workspace);
        let senders: BTreeSet<&str> =
            draft.items.iter().filter(|item| item.sort == Sort::Sender).map(|item| item.name.as_str()).collect();
        let [sender] = senders.into_iter().collect::<Vec<_>>()[..] else { panic!("one sender: {:#?}", draft.items) };
        let server = furnished(&draft);
        let (plan, done) = push_again(&server, &draft, &mut Keeper::default());
        assert!(matches!(change(&plan, "Sender").action, Action::ByHand(_)), "{:#?}", plan.changes);
        assert!(done.afterwards.iter().any(|step| step.contains(sender)), "{:?}", done.afterwards);
        match target {
            Target::Klaviyo => klaviyo_of(&server, |k| k.sender = sender.to_uppercase()),
            _ => hubspot_of(&server, |h| {
                h.emails.push(json!({"id": "7", "name": "News", "state": "PUBLISHED", "from": {"replyTo": sender}}));
            }),
        }
        let (plan, done) = push_again(&server, &draft, &mut Keeper::default());
        assert_eq!(change(&plan, "Sender").action, Action::Found { id: sender.to_owned() });
        assert!(!done.afterwards.iter().any(|step| step.contains(sender)), "{:?}", done.afterwards);
        assert_eq!(plan.num_writes(), 0, "{:#?}", plan.changes);
    }
}

/// Forms stand in a flow by their ids; another account has others, and one of them is named.
#[test]
fn forms_are_looked_up_by_their_ids() {
    let (flow, workspace) = sample("bag-care");
    for target in TARGETS {
        let mut export = flowloom::platforms::export(target, &flow, &workspace).expect("an export");
        for (_, bytes) in export.files.iter_mut().filter(|(name, _)| name == "flow.json") {
            let mut body: Json = serde_json::from_slice(bytes).expect("JSON");
            match target {
                Target::Klaviyo => {
                    let of_form = json!({"type": "profile-marketing-consent", "consent": {"channel": "email", "consent_status": {
                        "subscription": "subscribed", "filters": [{"field": "subscribe_method", "method": "form",
                            "filter": {"type": "string", "operator": "in", "value": ["old-form"]}}],
                    }, "can_receive_marketing": true}});
                    body["data"]["attributes"]["definition"]["profile_filter"] =
                        json!({"condition_groups": [{"conditions": [of_form]}]});
                }
                _ => {
                    body["enrollmentCriteria"]["refinementCriteria"] = json!({"filters": [
                        {"filterType": "FORM_SUBMISSION", "operator": "FILLED_OUT", "formId": "old-form"},
                        {"filterType": "PROPERTY", "property": "hs_form_id", "operation": {"values": ["old-form"]}},
                    ]});
                }
            }
            *bytes = serde_json::to_vec(&body).expect("JSON");
        }
        let draft = Draft::new(target, &export, &flow, &workspace).expect("a draft");
        let server = furnished(&draft);
        let plan = super::plan_of(&server, &draft, &Keeper::default(), &Answers::default());
        assert!(matches!(change(&plan, "Form").action, Action::Cannot { .. }), "{:#?}", plan.changes);
        match target {
            Target::Klaviyo => klaviyo_of(&server, |k| k.forms.push(("new-form".into(), "Newsletter".into()))),
            _ => hubspot_of(&server, |h| h.forms.push(json!({"id": "new-form", "name": "Newsletter"}))),
        }
        let ids = [("form:old-form".to_owned(), "new-form".to_owned())].into();
        let mut keeper = Keeper::default();
        let answers = Answers { ids, ..Answers::default() };
        let (_, done) = push_with(&server, &draft, &mut keeper, &answers).unwrap_or_else(|e| panic!("{e:?}"));
        assert_whole(&server, &draft, &done);
        let there = match target {
            Target::Klaviyo => klaviyo_of(&server, |k| k.flows[0].to_string()),
            _ => hubspot_of(&server, |h| h.flows[0].to_string()),
        };
        assert!(there.contains("new-form") && !there.contains("old-form"), "{there}");
        // What was chosen holds.
        let so_far = server.num_seen();
        push_again(&server, &draft, &mut keeper);
        assert_eq!(server.writes_since(so_far), Vec::<String>::new());
        // An import from the account says what the form is called.
        let made = done.made.iter().find(|made| made.key.starts_with("flow:")).expect("the flow");
        let (mut client, stop) = (connect(&server, &draft), Default::default());
        let fetched = push::fetch(target, &mut client, &made.id, &mut |_, _| {}, &stop).expect("a flow");
        assert_eq!(fetched.names.get("form:new-form").map(String::as_str), Some("Newsletter"));
        let given = Given { json: &fetched.json, templates: &fetched.templates, names: &fetched.names };
        let imported = import(target, &given).unwrap_or_else(|found| panic!("{found:#?}"));
        let notes: Vec<&str> = imported[0].flow.nodes.iter().map(|node| node.note.as_str()).collect();
        assert!(
            notes.iter().any(|note| note.contains("The form `new-form` is \u{201c}Newsletter\u{201d}")),
            "{notes:?}"
        );
    }
}
