//! HubSpot's API, as far as a push needs it: properties, lists, events and users by name, e-mails, workflows.
//!
//! Source: references, HubSpot 1, 2, 8 to 11. What shapes this file: a workflow is replaced whole, with the revision
//! that was read; it is made bit by bit, so it is read until it says that it is whole; a published e-mail is changed
//! in its draft. Reading e-mails (`GET /marketing/v3/emails`), making lists (`POST /crm/v3/lists`) and the list of
//! owners are HubSpot's documented API, but stand not in the references' table; likewise, from
//! developers.hubspot.com/docs/api-reference: `files-files-v3` (`POST /files/v3/files`, multipart `file`, `fileName`,
//! `folderPath`, `options`, answers 201 with `id` and `url`; `GET /files/v3/files/stat/{path}`; scope `files`).
//! Senders have no endpoint; an address that published e-mails are from is one that the account may use. Deliberately
//! not here: in which order things are done (`push::run`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::{
    flow::Workspace,
    platforms::{
        images,
        import::Template,
        klaviyo::encoded,
        push::{
            Api, Call, Difference, Draft, Error, Form, Item, Listed, MOST_NAMESAKES, MOST_PAGES, Making, Manner,
            NamesOf, Own, Sort, State, Thing, Verb, compare, objects,
        },
    },
};

/// The API.
pub(in crate::platforms) struct HubspotApi;

const EMAILS: &str = "/marketing/v3/emails";
const PROPERTIES: &str = "/crm/v3/properties/contacts";
const EVENTS: &str = "/events/v3/event-definitions";
const FILES: &str = "/files/v3/files";
/// Where uploaded pictures lie in the account's files.
const FOLDER: &str = "/flowloom";
/// What a replacement body does not hold. Source: references, HubSpot 2, put body.
const NOT_REPLACED: &[&str] = &["dataSources", "objectTypeId", "flowType"];
/// States of e-mails that nobody was sent yet.
const DRAFTS: &[&str] = &["DRAFT", "AUTOMATED_DRAFT"];

impl Api for HubspotApi {
    fn manner(&self, workspace: &Workspace) -> Manner {
        Manner {
            flows: workspace.hubspot.base_path.trim_end_matches('/').to_owned(),
            base: "https://api.hubapi.com".into(),
            scheme: "Bearer",
            content_type: "application/json",
            headers: Vec::new(),
            left: ("x-hubspot-ratelimit-remaining", "x-hubspot-ratelimit-interval-milliseconds", 1),
        }
    }

    fn look_up(&self, call: &mut Call<'_>, sort: Sort, wanted: &[&Item]) -> Result<Vec<Vec<Thing>>, Error> {
        let mut out = vec![Vec::new(); wanted.len()];
        match sort {
            Sort::Property => {
                let answer = call.get(PROPERTIES)?;
                let Some(properties) = answer["results"].as_array() else {
                    return Err(Error::strange("The list of properties has no `results`"));
                };
                for property in properties {
                    let name = text(&property["name"]);
                    for (found, _) in out.iter_mut().zip(wanted).filter(|(_, item)| item.name == name) {
                        let about = text(&property["type"]);
                        found.push(Thing { id: name.clone(), name: name.clone(), about });
                    }
                }
            }
            Sort::List => {
                for (found, item) in out.iter_mut().zip(wanted) {
                    let path = format!("/crm/v3/lists/object-type-id/0-1/name/{}", encoded(&item.name));
                    if let Some(answer) = call.get_if_there(&path)? {
                        found.push(list(&answer)?);
                    }
                }
            }
            Sort::Event => pages(call, EVENTS, |event| {
                let label = text(&event["labels"]["singular"]);
                let names =
                    [text(&event["name"]), text(&event["fullyQualifiedName"]), label.clone(), text(&event["label"])];
                for (found, item) in out.iter_mut().zip(wanted) {
                    let own_name = item.body["name"].as_str().unwrap_or(&item.name);
                    if names.iter().any(|name| *name == item.name || name == own_name) {
                        let (id, about) = (text(&event["objectTypeId"]), text(&event["fullyQualifiedName"]));
                        found.push(Thing { id, name: label.clone(), about });
                    }
                }
                true
            })?,
            Sort::User => pages(call, "/crm/v3/owners", |owner| {
                let email = text(&owner["email"]);
                for (found, _) in out.iter_mut().zip(wanted).filter(|(_, item)| item.name.eq_ignore_ascii_case(&email))
                {
                    let name = format!("{} {}", text(&owner["firstName"]), text(&owner["lastName"]));
                    found.push(Thing { id: number_text(&owner["userId"]), name, about: email.clone() });
                }
                true
            })?,
            Sort::Image => {
                for (found, item) in out.iter_mut().zip(wanted) {
                    let path = format!("{FILES}/stat{FOLDER}/{}", encoded(&item.name));
                    found.extend(call.get_if_there(&path)?.and_then(|answer| picture_of(&answer["file"])));
                }
            }
            // A workflow names its forms by their ids.
            Sort::Form => pages(call, "/marketing/v3/forms", |form| {
                let id = text(&form["id"]);
                for (found, _) in out.iter_mut().zip(wanted).filter(|(_, item)| item.name == id) {
                    found.push(Thing { id: id.clone(), name: text(&form["name"]), about: text(&form["formType"]) });
                }
                true
            })?,
            Sort::Sender => pages(call, EMAILS, |email| {
                let is_sent = email["state"].as_str().is_some_and(|state| !DRAFTS.contains(&state));
                let from = text(&email["from"]["replyTo"]);
                for (found, item) in out.iter_mut().zip(wanted) {
                    if is_sent && found.is_empty() && item.name.eq_ignore_ascii_case(&from) {
                        let about = format!("in use by \u{201c}{}\u{201d}", text(&email["name"]));
                        found.push(Thing { id: item.name.clone(), name: item.name.clone(), about });
                    }
                }
                true
            })?,
            _ => {}
        }
        Ok(out)
    }

    fn named_in(&self, body: &Json) -> Vec<(Sort, String, String)> {
        let mut out = Vec::new();
        for (at, map) in objects(body) {
            let from = map.get("from").and_then(|from| from["replyTo"].as_str());
            if let Some(address) = from.filter(|address| !address.is_empty() && !address.contains('{')) {
                out.push((Sort::Sender, address.to_owned(), format!("{at}/from/replyTo")));
            }
            if let Some(id) = map.get("formId").and_then(Json::as_str) {
                out.push((Sort::Form, id.to_owned(), format!("{at}/formId")));
            }
            // Events of forms are filtered by the form (references, HubSpot 3.2).
            let by_form = map.get("property").is_some_and(|property| property == "hs_form_id");
            let ids = map.get("operation").filter(|_| by_form).and_then(|operation| operation["values"].as_array());
            for (n, id) in ids.into_iter().flatten().enumerate() {
                out.extend(id.as_str().map(|id| (Sort::Form, id.to_owned(), format!("{at}/operation/values/{n}"))));
            }
        }
        out
    }

    fn picture(&self, call: &mut Call<'_>, id: &str) -> Result<Option<Thing>, Error> {
        let found = call.get_if_there(&format!("{FILES}/{}", encoded(id)))?;
        Ok(found.as_ref().and_then(picture_of).filter(|picture| picture.about == id))
    }

    fn making(&self, item: &Item) -> Making {
        match item.sort {
            Sort::Property | Sort::Event if item.body.is_null() => Making::Cannot(
                "The export has no body to make it from".into(),
                "Make it in HubSpot, and push again".into(),
            ),
            Sort::Property => {
                let kind = item.body["type"].as_str().unwrap_or("string");
                Making::Makes(format!("a contact property of the type `{kind}`"))
            }
            Sort::List => Making::Makes("an empty static list of contacts".into()),
            Sort::Event => Making::Makes("a custom event of contacts (Enterprise)".into()),
            Sort::EventProperty => Making::ByHand(format!(
                "Choose the event's property `{}` in the step that copies it; HubSpot names it by a token that only its editor knows",
                item.name
            )),
            Sort::User => Making::Cannot(
                "No user of the account has this address".into(),
                "Invite them, or alert somebody else".into(),
            ),
            Sort::Form => Making::Cannot(
                "No form of the account has this id".into(),
                "Build the form in HubSpot (Marketing, Forms); its id stands in the address of its editor".into(),
            ),
            Sort::Sender => Making::ByHand(format!(
                "No published e-mail of the account is from {0} yet: choose it in an e-mail's editor under Inbox, From address, and verify it there where HubSpot asks for it",
                item.name
            )),
            sort => Making::Cannot(
                format!("HubSpot has no such thing as {}", sort.title().to_lowercase()),
                "Give its id".into(),
            ),
        }
    }

    fn make(&self, call: &mut Call<'_>, item: &Item) -> Result<Option<Thing>, Error> {
        match item.sort {
            Sort::Property => {
                call.send(Verb::Post, PROPERTIES, &item.body)?;
                Ok(Some(Thing { id: item.name.clone(), name: item.name.clone(), about: String::new() }))
            }
            Sort::List => {
                let body = json!({"name": item.name, "objectTypeId": "0-1", "processingType": "MANUAL"});
                list(&call.send(Verb::Post, "/crm/v3/lists", &body)?).map(Some)
            }
            Sort::Event => {
                let event = call.send(Verb::Post, EVENTS, &item.body)?;
                let id = text(&event["objectTypeId"]);
                if id.is_empty() {
                    return Err(Error::strange("The answer to a new event has no `objectTypeId`"));
                }
                Ok(Some(Thing { id, name: item.name.clone(), about: text(&event["fullyQualifiedName"]) }))
            }
            _ => {
                let Some(Ok(picture)) = &item.picture else { return Ok(None) };
                // Should it be there all the same, HubSpot gives it instead of a second one.
                let options = json!({
                    "access": "PUBLIC_NOT_INDEXABLE", "overwrite": false,
                    "duplicateValidationStrategy": "RETURN_EXISTING", "duplicateValidationScope": "EXACT_FOLDER",
                });
                let form = Form {
                    fields: vec![
                        ("fileName", picture.name.clone()),
                        ("folderPath", FOLDER.to_owned()),
                        ("options", options.to_string()),
                    ],
                    file_name: &picture.name,
                    media: picture.media,
                    bytes: &picture.bytes,
                };
                let answer = call.upload(FILES, &form)?;
                let made = picture_of(&answer);
                made.map(Some).ok_or_else(|| Error::strange("The answer to a picture has no address of it"))
            }
        }
    }

    fn read(&self, call: &mut Call<'_>, sort: Sort, id: &str) -> Result<Option<Own>, Error> {
        let path = if sort == Sort::Flow { call.flows() } else { EMAILS.to_owned() };
        let found = call.get_if_there(&format!("{path}/{}", encoded(id)))?;
        found.map(|json| Own { thing: thing(&json), json }.known_as(id)).transpose()
    }

    fn namesakes(&self, call: &mut Call<'_>, sort: Sort, name: &str) -> Result<Vec<Own>, Error> {
        let path = if sort == Sort::Flow { call.flows() } else { EMAILS.to_owned() };
        let mut ids = Vec::new();
        // Neither can be asked for by name.
        pages(call, &path, |entry| {
            if entry["name"] == name && entry["archived"] != true {
                ids.push(number_text(&entry["id"]));
            }
            ids.len() < MOST_NAMESAKES
        })?;
        let mut out = Vec::new();
        for id in ids {
            out.extend(self.read(call, sort, &id)?);
        }
        Ok(out)
    }

    fn create(&self, call: &mut Call<'_>, sort: Sort, body: &Json) -> Result<Thing, Error> {
        let path = if sort == Sort::Flow { call.flows() } else { EMAILS.to_owned() };
        let answer = call.send(Verb::Post, &path, body)?;
        let thing = thing(&answer);
        if thing.id.is_empty() { Err(Error::strange("The answer to a creation has no id")) } else { Ok(thing) }
    }

    fn state(&self, own: &Own) -> State {
        if own.json["isEnabled"] == true { State::Live } else { State::Off }
    }

    fn fixed(&self, _: Sort) -> Option<(&'static str, &'static str)> {
        None
    }

    fn update(&self, call: &mut Call<'_>, sort: Sort, own: &Own, body: &Json) -> Result<(), Error> {
        let id = encoded(&own.thing.id);
        if sort != Sort::Flow {
            let mut body = body.clone();
            let is_draft = own.json["state"].as_str().is_some_and(|state| DRAFTS.contains(&state));
            if let Some(map) = body.as_object_mut() {
                // Which state it is in is not ours to change.
                map.remove("state");
            }
            let path = if is_draft { format!("{EMAILS}/{id}") } else { format!("{EMAILS}/{id}/draft") };
            let answer = call.send(Verb::Patch, &path, &body)?;
            return Own { thing: thing(&answer), json: Json::Null }.known_as(&own.thing.id).map(drop);
        }
        let mut body = body.clone();
        let Some(map) = body.as_object_mut() else { return Err(Error::strange("A workflow is no object")) };
        for key in NOT_REPLACED {
            map.remove(*key);
        }
        map.insert("revisionId".into(), json!(number_text(&own.json["revisionId"])));
        let path = format!("{}/{id}", call.flows());
        let put = call.send(Verb::Put, &path, &body);
        match put {
            Ok(answer) => Own { thing: thing(&answer), json: Json::Null }.known_as(&own.thing.id).map(drop),
            // An earlier try may have come through; then what is there is what was sent.
            Err(error) if error.kind == crate::platforms::push::Kind::Conflict => {
                let now = self.read(call, sort, &own.thing.id)?;
                let is_ours = now.is_some_and(|now| self.differences(sort, &body, &now).is_empty());
                if is_ours { Ok(()) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    fn hand_again(&self, _: &mut Call<'_>, _: &Own, _: &Json, _: &[(&str, &str)]) -> Result<(), Error> {
        // A workflow names its e-mails, it has no copies of them.
        Ok(())
    }

    fn held(&self, id: &str, _: &str) -> String {
        id.to_owned()
    }

    fn is_whole(&self, own: &Own) -> bool {
        own.json["crmObjectCreationStatus"] != "PENDING"
    }

    fn differences(&self, sort: Sort, sent: &Json, own: &Own) -> Vec<Difference> {
        let mut out = Vec::new();
        if sort != Sort::Flow {
            // A mail that was published since has another state, and that is how it should be.
            compare("", sent, Some(&own.json), &|key| key == "state", &mut out);
            return out;
        }
        let mut found = own.json.clone();
        found["actions"] = in_our_order(&sent["actions"], &found["actions"]);
        compare("", sent, Some(&found), &|key| key == "revisionId", &mut out);
        out
    }

    fn afterwards(&self, _: &Draft) -> Vec<String> {
        vec![
            "Open each e-mail in HubSpot, look at it, and publish it for automation; the workflow sends only published ones".into(),
            "Open the workflow, look at each step, and switch it on there".into(),
        ]
    }

    fn page(&self, _: &Thing) -> Option<String> {
        // Its address holds the number of the account, which no key says.
        None
    }

    fn flows(&self, call: &mut Call<'_>) -> Result<Vec<Listed>, Error> {
        let mut out = Vec::new();
        let path = call.flows();
        pages(call, &path, |entry| {
            let status = if entry["isEnabled"] == true { "on" } else { "off" };
            out.push(Listed { id: number_text(&entry["id"]), name: text(&entry["name"]), status: status.to_owned() });
            true
        })?;
        Ok(out)
    }

    fn as_given(&self, own: &Own) -> Json {
        own.json.clone()
    }

    fn mails_in(&self, own: &Own) -> BTreeSet<String> {
        let actions = own.json["actions"].as_array().into_iter().flatten();
        let ids = actions
            .flat_map(|action| ["content_id", "email_content_id"].map(|key| number_text(&action["fields"][key])));
        ids.filter(|id| !id.is_empty()).collect()
    }

    fn mail(&self, call: &mut Call<'_>, id: &str) -> Result<Option<Template>, Error> {
        Ok(self.read(call, Sort::Email, id)?.map(|own| {
            let content = &own.json["content"];
            let said = |value: &Json| Some(text(value)).filter(|text| !text.is_empty());
            // The text of a mail is that of its modules, one after the other.
            let mut modules: Vec<(i64, &str)> = Vec::new();
            for widget in content["widgets"].as_object().into_iter().flat_map(|map| map.values()) {
                let html = widget["body"]["html"].as_str();
                modules.extend(html.map(|html| (widget["order"].as_i64().unwrap_or(i64::MAX), html)));
            }
            modules.sort_by_key(|(order, _)| *order);
            let html: Vec<&str> = modules.into_iter().map(|(_, html)| html).collect();
            Template {
                name: own.thing.name,
                html: html.join("\n"),
                text: said(&content["plainTextVersion"]),
                subject: said(&own.json["subject"]),
                preheader: said(&content["widgets"]["preview_text"]["body"]["value"]),
            }
        }))
    }

    fn names(&self, call: &mut Call<'_>) -> Vec<NamesOf> {
        vec![("events", events(call)), ("lists", lists(call)), ("users", users(call))]
    }
}

/// Labels of custom events by their type.
fn events(call: &mut Call<'_>) -> Result<BTreeMap<String, String>, Error> {
    let mut out = BTreeMap::new();
    pages(call, EVENTS, |event| {
        out.insert(format!("event:{}", text(&event["objectTypeId"])), text(&event["labels"]["singular"]));
        true
    })?;
    Ok(out)
}

/// Names of lists; they are searched for, since there is no plain listing.
fn lists(call: &mut Call<'_>) -> Result<BTreeMap<String, String>, Error> {
    let mut out = BTreeMap::new();
    let mut offset = 0_i64;
    for _ in 0..MOST_PAGES {
        let page =
            call.send(Verb::Post, "/crm/v3/lists/search", &json!({"query": "", "count": 100, "offset": offset}))?;
        let Some(entries) = page["lists"].as_array() else {
            return Err(Error::strange("The search for lists has no `lists`"));
        };
        for entry in entries {
            let Thing { id, name, .. } = list(entry)?;
            out.insert(format!("list:{id}"), name);
        }
        match page["offset"].as_i64().filter(|next| *next > offset && page["hasMore"] == true) {
            Some(next) => offset = next,
            None => return Ok(out),
        }
    }
    Err(Error::strange("The list of lists does not end"))
}

/// Addresses of users.
fn users(call: &mut Call<'_>) -> Result<BTreeMap<String, String>, Error> {
    let mut out = BTreeMap::new();
    pages(call, "/crm/v3/owners", |owner| {
        out.insert(format!("user:{}", number_text(&owner["userId"])), text(&owner["email"]));
        true
    })?;
    Ok(out)
}

/// Actions as they were sent; others after them. Their order says nothing.
fn in_our_order(sent: &Json, found: &Json) -> Json {
    let all: Vec<&Json> = found.as_array().into_iter().flatten().collect();
    let mut out = Vec::new();
    for action in sent.as_array().into_iter().flatten() {
        let there = all.iter().find(|other| other["actionId"] == action["actionId"]);
        out.push(there.map_or(Json::Null, |there| (*there).clone()));
    }
    out.extend(std::iter::repeat_n(Json::Null, all.len().saturating_sub(out.len())));
    Json::Array(out)
}

/// Every entry of a listing; ends early where `each` says so.
fn pages(call: &mut Call<'_>, path: &str, mut each: impl FnMut(&Json) -> bool) -> Result<(), Error> {
    let mut after = String::new();
    for _ in 0..MOST_PAGES {
        let page = call.get(&format!("{path}?limit=100{after}"))?;
        let Some(entries) = page["results"].as_array() else {
            return Err(Error::strange(format!("{path}: the answer has no `results`")));
        };
        if !entries.iter().all(&mut each) {
            return Ok(());
        }
        let next = number_text(&page["paging"]["next"]["after"]);
        let next = if next.is_empty() { String::new() } else { format!("&after={}", encoded(&next)) };
        if next.is_empty() || next == after {
            return Ok(());
        }
        after = next;
    }
    Err(Error::strange(format!("{path}: the list does not end")))
}

/// A picture with its address for an id; `None` where it has none on the web.
fn picture_of(file: &Json) -> Option<Thing> {
    let (id, name) = (number_text(&file["id"]), text(&file["name"]));
    let mut addresses = [&file["url"], &file["defaultHostingUrl"]].into_iter().map(text);
    let url = addresses.find(|url| images::is_on_web(url)).filter(|_| !id.is_empty() && file["archived"] != true)?;
    Some(Thing { id: url, name, about: id })
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or("").to_owned()
}

/// Ids are texts in some answers and numbers in others (references, HubSpot 12.7).
fn number_text(value: &Json) -> String {
    value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|n| n.to_string())).unwrap_or_default()
}

fn thing(json: &Json) -> Thing {
    Thing { id: number_text(&json["id"]), name: text(&json["name"]), about: text(&json["createdAt"]) }
}

/// A list; some answers wrap it.
fn list(answer: &Json) -> Result<Thing, Error> {
    let list = if answer["list"].is_object() { &answer["list"] } else { answer };
    let id = number_text(&list["listId"]);
    if id.is_empty() {
        return Err(Error::strange("A list has no `listId`"));
    }
    Ok(Thing { id, name: text(&list["name"]), about: text(&list["processingType"]) })
}
