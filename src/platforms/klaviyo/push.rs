//! Klaviyo's API, as far as a push needs it: metrics, lists and segments by name, templates, flows.
//!
//! Source: references, Klaviyo 1, 7 and 8. What shapes this file: a flow's messages hold copies of templates, so a
//! changed template is given to each message again; a definition cannot be changed, only a new flow made; a metric is
//! there once an event of it arrived. Beyond the references, from Klaviyo's own pages
//! (developers.klaviyo.com/en/reference/, read for the revisions 2025-01-15 and 2026-07-15): `upload_image_from_file`
//! (multipart `file`, `name`, `hidden`; PNG, JPEG, GIF up to 5 MB; 3/s, 100/m, 100/d; scope `images:write`; a name
//! that is taken gets a suffix), `get_images` (filters on `name`; `images:read`), `get_forms` (`forms:read`),
//! `get_accounts` (`accounts:read`). Senders have no endpoint, only the account's default sender shows. Deliberately
//! not here: in which order things are done (`push::run`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::{
    flow::Workspace,
    platforms::{
        images,
        import::Template,
        push::{
            Api, Call, Difference, Draft, Error, Form, Item, Kind, Listed, MOST_NAMESAKES, MOST_PAGES, Making, Manner,
            NamesOf, Own, Sort, State, Thing, Verb, compare, objects,
        },
    },
};

/// The API.
pub(in crate::platforms) struct KlaviyoApi;

/// Metrics that Klaviyo makes itself; one of that name made by an event would be another.
/// Source: references, Klaviyo 3 and 11; names as its editor shows them.
const BUILT_IN: &[&str] = &[
    "Received Email",
    "Opened Email",
    "Clicked Email",
    "Bounced Email",
    "Dropped Email",
    "Marked Email as Spam",
    "Subscribed to Email Marketing",
    "Unsubscribed from Email Marketing",
    "Subscribed to List",
    "Unsubscribed from List",
    "Received SMS",
    "Clicked SMS",
    "Subscribed to SMS Marketing",
    "Unsubscribed from SMS Marketing",
];
/// Whose event makes a missing metric; it has no address, so it never gets anything.
const STAND_IN: &str = "flowloom-set-up";
/// Fields that are the server's: real ids, copies of templates, what no body may hold.
const SERVERS: &[&str] = &["id", "temporary_id", "template_id", "allocations"];

impl Api for KlaviyoApi {
    fn manner(&self, workspace: &Workspace) -> Manner {
        Manner {
            flows: "/api/flows".into(),
            base: "https://a.klaviyo.com".into(),
            scheme: "Klaviyo-API-Key",
            content_type: "application/vnd.api+json",
            headers: vec![("revision", workspace.klaviyo.revision.clone())],
            left: ("ratelimit-remaining", "ratelimit-reset", 1_000),
        }
    }

    fn look_up(&self, call: &mut Call<'_>, sort: Sort, wanted: &[&Item]) -> Result<Vec<Vec<Thing>>, Error> {
        let path = match sort {
            Sort::Metric => "/api/metrics",
            Sort::List => "/api/lists",
            Sort::Segment => "/api/segments",
            Sort::Image => return wanted.iter().map(|item| pictures(call, item)).collect(),
            Sort::Form => "/api/forms",
            Sort::Sender => return senders(call, wanted),
            _ => return Ok(vec![Vec::new(); wanted.len()]),
        };
        // Metrics cannot be asked for by name, and a page of a few hundred is cheaper than many questions.
        let mut out = vec![Vec::new(); wanted.len()];
        pages(call, path, |entry| {
            // A flow names its forms by their ids.
            let called = if sort == Sort::Form { &entry["id"] } else { &entry["attributes"]["name"] };
            let called = called.as_str().unwrap_or("");
            for (found, item) in out.iter_mut().zip(wanted) {
                if item.name == called {
                    let about = entry["attributes"]["integration"]["name"].as_str().unwrap_or("");
                    found.push(Thing { about: about.to_owned(), ..thing(entry) });
                }
            }
            Ok(true)
        })?;
        Ok(out)
    }

    fn making(&self, item: &Item) -> Making {
        match item.sort {
            Sort::Metric if BUILT_IN.contains(&item.name.as_str()) => Making::Cannot(
                "Klaviyo makes this metric itself, at the first such event".into(),
                "Send one mail from the account and open and click it, or give its id".into(),
            ),
            Sort::Metric => Making::Makes(format!(
                "by one event of the profile `{STAND_IN}`, which starts no flow and has no address"
            )),
            Sort::List => Making::Makes("an empty list".into()),
            Sort::Segment => Making::Cannot(
                "A segment is built in Klaviyo".into(),
                "Build it there under this name (README.md of the export says with which condition)".into(),
            ),
            Sort::Secret => Making::ByHand(format!("Fill in the secret `{}` in the flow's webhook", item.name)),
            Sort::Form => Making::Cannot(
                "No form of the account has this id".into(),
                "Build the form in Klaviyo (Sign-up forms); its id stands in the address of its editor".into(),
            ),
            Sort::Sender => Making::ByHand(format!(
                "Check under Settings, Email, in Klaviyo that mails may come from {} and that its domain is set up; it is not the account's default sender, or the key may not read that (`accounts:read`)",
                item.name
            )),
            sort => Making::Cannot(
                format!("Klaviyo has no such thing as {}", sort.title().to_lowercase()),
                "Give its id".into(),
            ),
        }
    }

    fn make(&self, call: &mut Call<'_>, item: &Item) -> Result<Option<Thing>, Error> {
        if item.sort == Sort::List {
            let body = json!({"data": {"type": "list", "attributes": {"name": item.name}}});
            let answer = call.send(Verb::Post, "/api/lists", &body)?;
            return created(&answer).map(Some);
        }
        if let Some(Ok(picture)) = &item.picture {
            let form = Form {
                fields: vec![("name", picture.name.clone()), ("hidden", "false".into())],
                file_name: &picture.name,
                media: picture.media,
                bytes: &picture.bytes,
            };
            let answer = call.upload("/api/image-upload", &form)?;
            let made = picture_of(&answer["data"]);
            return made.map(Some).ok_or_else(|| Error::strange("The answer to a picture has no address of it"));
        }
        let body = json!({"data": {"type": "event", "attributes": {
            "properties": {}, "backfill": true, "unique_id": format!("{STAND_IN}/{}", item.name),
            "metric": {"data": {"type": "metric", "attributes": {"name": item.name}}},
            "profile": {"data": {"type": "profile", "attributes": {"external_id": STAND_IN}}},
        }}});
        call.send(Verb::Post, "/api/events", &body)?;
        Ok(None)
    }

    fn named_in(&self, body: &Json) -> Vec<(Sort, String, String)> {
        let mut out = Vec::new();
        for (at, map) in objects(body) {
            if let Some(address) = map.get("from_email").and_then(Json::as_str).filter(|text| is_plain(text)) {
                out.push((Sort::Sender, address.to_owned(), format!("{at}/from_email")));
            }
            // Consent by a form names forms by their ids (references, the official cut: FormMethodFilter).
            let of_form = map.get("method").is_some_and(|method| method == "form");
            let ids = map.get("filter").filter(|_| of_form).and_then(|filter| filter["value"].as_array());
            for (n, id) in ids.into_iter().flatten().enumerate() {
                out.extend(id.as_str().map(|id| (Sort::Form, id.to_owned(), format!("{at}/filter/value/{n}"))));
            }
        }
        out
    }

    fn picture(&self, call: &mut Call<'_>, id: &str) -> Result<Option<Thing>, Error> {
        let found = call.get_if_there(&format!("/api/images/{}", encoded(id)))?;
        Ok(found.and_then(|json| picture_of(&json["data"])).filter(|picture| picture.about == id))
    }

    fn read(&self, call: &mut Call<'_>, sort: Sort, id: &str) -> Result<Option<Own>, Error> {
        let path = match sort {
            Sort::Flow => format!("/api/flows/{}?additional-fields[flow]=definition", encoded(id)),
            _ => format!("/api/templates/{}", encoded(id)),
        };
        let found = call.get_if_there(&path)?;
        found.map(|json| Own { thing: thing(&json["data"]), json: json["data"].clone() }.known_as(id)).transpose()
    }

    fn namesakes(&self, call: &mut Call<'_>, sort: Sort, name: &str) -> Result<Vec<Own>, Error> {
        let path = if sort == Sort::Flow { "/api/flows" } else { "/api/templates" };
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        // The newest first, so that what an interrupted push made is among the few that are looked at.
        let path = format!("{path}?filter={}&sort=-created", encoded(&format!("equals(name,\"{quoted}\")")));
        let mut out = Vec::new();
        pages(call, &path, |entry| {
            // Asked again here: a filter may be wider than its name says.
            if entry["attributes"]["name"] == name && entry["attributes"]["archived"] != true {
                out.push(Own { thing: thing(entry), json: entry.clone() });
            }
            Ok(out.len() < MOST_NAMESAKES)
        })?;
        if sort == Sort::Flow {
            // A list does not hold definitions.
            let listed = std::mem::take(&mut out);
            for own in listed {
                out.extend(self.read(call, sort, &own.thing.id)?);
            }
        }
        Ok(out)
    }

    fn create(&self, call: &mut Call<'_>, sort: Sort, body: &Json) -> Result<Thing, Error> {
        let path = if sort == Sort::Flow { "/api/flows" } else { "/api/templates" };
        let answer = call.send(Verb::Post, path, body)?;
        created(&answer)
    }

    fn state(&self, own: &Own) -> State {
        let status = own.json["attributes"]["status"].as_str();
        if matches!(status, Some("live" | "manual")) { State::Live } else { State::Off }
    }

    fn fixed(&self, sort: Sort) -> Option<(&'static str, &'static str)> {
        (sort == Sort::Flow).then_some((
            "Klaviyo cannot change the steps of a flow that is there",
            "Push it as a new flow, and delete the old one in Klaviyo when nobody is inside",
        ))
    }

    fn update(&self, call: &mut Call<'_>, _: Sort, own: &Own, body: &Json) -> Result<(), Error> {
        let mut attributes = body["data"]["attributes"].clone();
        if let Some(map) = attributes.as_object_mut() {
            // Set when a template is made, and refused afterwards.
            map.remove("editor_type");
        }
        let id = &own.thing.id;
        let body = json!({"data": {"type": "template", "id": id, "attributes": attributes}});
        let answer = call.send(Verb::Patch, &format!("/api/templates/{}", encoded(id)), &body)?;
        changed(&answer, id)
    }

    fn hand_again(&self, call: &mut Call<'_>, own: &Own, body: &Json, _: &[(&str, &str)]) -> Result<(), Error> {
        let sent = &body["data"]["attributes"]["definition"];
        let found = &own.json["attributes"]["definition"];
        let real = real_ids(sent, found);
        for action in sent["actions"].as_array().into_iter().flatten() {
            let mut templates = BTreeMap::new();
            collect_templates(action, &real, &mut templates);
            let Some(id) = action["temporary_id"].as_str().and_then(|id| real.get(id)) else { continue };
            let there =
                found["actions"].as_array().into_iter().flatten().find(|a| a["id"].as_str() == Some(id.as_str()));
            let Some(there) = there.filter(|_| !templates.is_empty()) else { continue };
            let mut definition = there.clone();
            put_templates(&mut definition, &templates);
            let body = json!({"data": {"type": "flow-action", "id": id, "attributes": {"definition": definition}}});
            let answer = call.send(Verb::Patch, &format!("/api/flow-actions/{}", encoded(id)), &body)?;
            changed(&answer, id)?;
        }
        Ok(())
    }

    fn held(&self, id: &str, hash: &str) -> String {
        format!("{id}/{hash}")
    }

    fn is_whole(&self, _: &Own) -> bool {
        true
    }

    fn differences(&self, sort: Sort, sent: &Json, own: &Own) -> Vec<Difference> {
        let mut out = Vec::new();
        let (at, sent) = ("/data/attributes", &sent["data"]["attributes"]);
        if sort != Sort::Flow {
            compare(at, sent, Some(&own.json["attributes"]), &|_| false, &mut out);
            return out;
        }
        let found = &own.json["attributes"];
        compare(&format!("{at}/name"), &sent["name"], found.get("name"), &|_| false, &mut out);
        let definition = in_our_ids(&sent["definition"], &found["definition"]);
        let skip = |key: &str| SERVERS.contains(&key);
        compare(&format!("{at}/definition"), &sent["definition"], Some(&definition), &skip, &mut out);
        triggers(&format!("{at}/definition"), &sent["definition"], &definition, &mut out);
        out
    }

    fn afterwards(&self, _: &Draft) -> Vec<String> {
        vec!["Open the flow in Klaviyo, look at each message, and set it live there".into()]
    }

    fn page(&self, flow: &Thing) -> Option<String> {
        Some(format!("https://www.klaviyo.com/flow/{}/edit", encoded(&flow.id)))
    }

    fn flows(&self, call: &mut Call<'_>) -> Result<Vec<Listed>, Error> {
        let mut out = Vec::new();
        pages(call, "/api/flows", |entry| {
            let Thing { id, name, .. } = thing(entry);
            let status = entry["attributes"]["status"].as_str().unwrap_or("").to_owned();
            if entry["attributes"]["archived"] != true {
                out.push(Listed { id, name, status });
            }
            Ok(true)
        })?;
        Ok(out)
    }

    fn as_given(&self, own: &Own) -> Json {
        json!({"data": own.json})
    }

    fn mails_in(&self, own: &Own) -> BTreeSet<String> {
        texts_under("template_id", &own.json).into_iter().collect()
    }

    fn mail(&self, call: &mut Call<'_>, id: &str) -> Result<Option<Template>, Error> {
        let text = |value: &Json| value.as_str().map(str::to_owned);
        Ok(self.read(call, Sort::Template, id)?.map(|own| {
            let attributes = &own.json["attributes"];
            Template {
                name: own.thing.name,
                html: text(&attributes["html"]).unwrap_or_default(),
                text: text(&attributes["text"]),
                // Klaviyo keeps both with the message.
                subject: None,
                preheader: None,
            }
        }))
    }

    fn names(&self, call: &mut Call<'_>) -> Vec<NamesOf> {
        let listings = [
            ("metrics", "/api/metrics", "metric"),
            ("lists", "/api/lists", "list"),
            ("segments", "/api/segments", "segment"),
        ];
        listings.into_iter().map(|(word, path, kind)| (word, names_of(call, path, kind))).collect()
    }
}

/// Names of everything a listing holds, by kind and id.
fn names_of(call: &mut Call<'_>, path: &str, kind: &str) -> Result<BTreeMap<String, String>, Error> {
    let mut out = BTreeMap::new();
    pages(call, path, |entry| {
        let thing = thing(entry);
        out.insert(format!("{kind}:{}", thing.id), thing.name);
        Ok(true)
    })?;
    Ok(out)
}

/// Texts under a key, anywhere.
fn texts_under(key: &str, body: &Json) -> Vec<String> {
    let mut out = Vec::new();
    let mut open = vec![body];
    while let Some(value) = open.pop() {
        match value {
            Json::Object(map) => {
                out.extend(map.get(key).and_then(Json::as_str).map(str::to_owned));
                open.extend(map.values());
            }
            Json::Array(items) => open.extend(items),
            _ => {}
        }
    }
    out
}

/// Pictures of an item's name. The name says what is in them, with whatever Klaviyo put behind it.
fn pictures(call: &mut Call<'_>, item: &Item) -> Result<Vec<Thing>, Error> {
    let stem = item.name.rsplit_once('.').map_or(item.name.as_str(), |(stem, _)| stem);
    let mut out = Vec::new();
    pages(call, &format!("/api/images?filter={}", encoded(&format!("starts-with(name,\"{stem}\")"))), |entry| {
        let is_it = entry["attributes"]["name"].as_str().is_some_and(|name| name.starts_with(stem));
        out.extend(picture_of(entry).filter(|_| is_it));
        Ok(out.len() < MOST_NAMESAKES)
    })?;
    Ok(out)
}

/// A picture with its address for an id; `None` where it has no address on the web.
fn picture_of(entry: &Json) -> Option<Thing> {
    let Thing { id, name, .. } = thing(entry);
    let url = entry["attributes"]["image_url"].as_str().filter(|url| images::is_on_web(url) && !id.is_empty())?;
    Some(Thing { id: url.to_owned(), name, about: id })
}

/// Which senders are the account's own. A key that may not read the account does not keep anybody from pushing.
fn senders(call: &mut Call<'_>, wanted: &[&Item]) -> Result<Vec<Vec<Thing>>, Error> {
    let account = match call.get("/api/accounts") {
        Err(error) if error.kind == Kind::Key => Json::Null,
        answer => answer?,
    };
    let accounts = account["data"].as_array().into_iter().flatten();
    let own: Vec<&str> = accounts
        .filter_map(|account| account["attributes"]["contact_information"]["default_sender_email"].as_str())
        .collect();
    let fits = |item: &&Item| {
        let is_own = own.iter().any(|own| own.eq_ignore_ascii_case(&item.name));
        let about = "the account's default sender".to_owned();
        is_own.then(|| Thing { id: item.name.clone(), name: item.name.clone(), about }).into_iter().collect()
    };
    Ok(wanted.iter().map(fits).collect())
}

/// Whether a sender is an address rather than a merge tag.
fn is_plain(address: &str) -> bool {
    !address.is_empty() && !address.contains(['{', '%'])
}

/// Triggers hold the metric's or list's id under the key that elsewhere is the server's.
fn triggers(at: &str, sent: &Json, found: &Json, out: &mut Vec<Difference>) {
    let ids = |json: &Json| -> Vec<Json> {
        json["triggers"].as_array().into_iter().flatten().map(|trigger| trigger["id"].clone()).collect()
    };
    compare(&format!("{at}/triggers"), &Json::Array(ids(sent)), Some(&Json::Array(ids(found))), &|_| false, out);
}

/// Every entry of a listing; ends early where `each` says so.
fn pages(call: &mut Call<'_>, path: &str, mut each: impl FnMut(&Json) -> Result<bool, Error>) -> Result<(), Error> {
    let mut path = path.to_owned();
    for _ in 0..MOST_PAGES {
        let page = call.get(&path)?;
        let Some(entries) = page["data"].as_array() else {
            return Err(Error::strange(format!("{path}: the answer has no `data`")));
        };
        for entry in entries {
            if !each(entry)? {
                return Ok(());
            }
        }
        // The next page is asked for at our own address, whatever host the link names: the key goes nowhere else.
        let next = page["links"]["next"].as_str().and_then(|link| link.split_once("://"));
        match next.and_then(|(_, rest)| rest.find('/').map(|at| rest[at..].to_owned())) {
            Some(next) if next != path => path = next,
            _ => return Ok(()),
        }
    }
    Err(Error::strange(format!("{path}: the list does not end")))
}

fn thing(entry: &Json) -> Thing {
    let text = |value: &Json| value.as_str().unwrap_or("").to_owned();
    Thing {
        id: text(&entry["id"]),
        name: text(&entry["attributes"]["name"]),
        about: text(&entry["attributes"]["created"]),
    }
}

fn created(answer: &Json) -> Result<Thing, Error> {
    let thing = thing(&answer["data"]);
    if thing.id.is_empty() { Err(Error::strange("The answer to a creation has no id")) } else { Ok(thing) }
}

/// Whether an answer says that this was changed.
fn changed(answer: &Json, id: &str) -> Result<(), Error> {
    Own { thing: thing(&answer["data"]), json: Json::Null }.known_as(id).map(drop)
}

/// A part of a path or query: all but letters, digits and `-._~` as `%XX`.
pub(in crate::platforms) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Ways out of an action, by name.
fn ways(action: &Json) -> Vec<(String, Json)> {
    let mut out = Vec::new();
    for (name, to) in action["links"].as_object().into_iter().flatten() {
        out.push((name.clone(), to.clone()));
    }
    for (n, branch) in action["data"]["branches"].as_array().into_iter().flatten().enumerate() {
        let name = branch["branch_id"].as_str().map_or_else(|| n.to_string(), str::to_owned);
        out.push((name, branch["links"]["next"].clone()));
    }
    out
}

/// Actions inside an action, in order: the base of a test and its variations.
fn inner(action: &Json) -> Vec<&Json> {
    let mut out = vec![&action["data"]["main_action"]];
    out.extend(action["data"]["current_experiment"]["variations"].as_array().into_iter().flatten());
    out.retain(|action| action.is_object());
    out
}

/// Real ids by the temporary ones, found by walking both graphs from their entries side by side.
///
/// Temporary ids are not given back (references, Klaviyo 2), so the way there is what names an action.
fn real_ids(sent: &Json, found: &Json) -> BTreeMap<String, String> {
    let by = |definition: &Json, key: &str| -> BTreeMap<String, Json> {
        let actions = definition["actions"].as_array().into_iter().flatten();
        actions.filter_map(|action| Some((id_text(&action[key])?, action.clone()))).collect()
    };
    let (ours, theirs) = (by(sent, "temporary_id"), by(found, "id"));
    let mut out = BTreeMap::new();
    let mut open = vec![(id_text(&sent["entry_action_id"]), id_text(&found["entry_action_id"]))];
    while let Some((our, their)) = open.pop() {
        let (Some(our), Some(their)) = (our, their) else { continue };
        let (Some(a), Some(b)) = (ours.get(&our), theirs.get(&their)) else { continue };
        if out.insert(our, their).is_some() {
            continue;
        }
        for (a, b) in inner(a).into_iter().zip(inner(b)) {
            out.extend(id_text(&a["temporary_id"]).zip(id_text(&b["id"])));
        }
        let there = ways(b);
        for (name, to) in ways(a) {
            let other = there.iter().find(|(other, _)| *other == name);
            open.push((id_text(&to), other.and_then(|(_, to)| id_text(to))));
        }
    }
    out
}

/// An id; digits may come as a number.
fn id_text(id: &Json) -> Option<String> {
    id.as_str().map(str::to_owned).or_else(|| id.as_i64().map(|id| id.to_string()))
}

/// What was read, with our ids and in our order, so that it can be compared.
fn in_our_ids(sent: &Json, found: &Json) -> Json {
    let real = real_ids(sent, found);
    let ours: BTreeMap<&str, &str> = real.iter().map(|(our, their)| (their.as_str(), our.as_str())).collect();
    let mut out = found.clone();
    rename(&mut out, &ours);
    let (raw, renamed) = (found["actions"].as_array(), out["actions"].as_array().cloned().unwrap_or_default());
    let place = |id: &str| raw.into_iter().flatten().position(|action| id_text(&action["id"]).as_deref() == Some(id));
    let mut actions = Vec::new();
    for action in sent["actions"].as_array().into_iter().flatten() {
        let id = action["temporary_id"].as_str().and_then(|id| real.get(id));
        let there = id.and_then(|id| place(id)).and_then(|at| renamed.get(at));
        actions.push(there.cloned().unwrap_or(Json::Null));
    }
    // More than was sent is a difference, too.
    actions.extend(std::iter::repeat_n(Json::Null, renamed.len().saturating_sub(actions.len())));
    out["actions"] = Json::Array(actions);
    out
}

/// Puts our ids into links.
fn rename(value: &mut Json, ours: &BTreeMap<&str, &str>) {
    match value {
        Json::Object(map) => {
            for (key, value) in map.iter_mut() {
                if key == "links" {
                    if let Some(links) = value.as_object_mut() {
                        links.values_mut().for_each(|to| rename_id(to, ours));
                    }
                } else if key == "entry_action_id" {
                    rename_id(value, ours);
                } else {
                    rename(value, ours);
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| rename(item, ours)),
        _ => {}
    }
}

fn rename_id(id: &mut Json, ours: &BTreeMap<&str, &str>) {
    if let Some(our) = id_text(id).and_then(|their| ours.get(their.as_str()).copied()) {
        *id = json!(our);
    }
}

/// Templates of an action and those inside it, by real id.
fn collect_templates(action: &Json, real: &BTreeMap<String, String>, out: &mut BTreeMap<String, String>) {
    let id = action["temporary_id"].as_str().and_then(|id| real.get(id));
    if let (Some(id), Some(template)) = (id, action["data"]["message"]["template_id"].as_str()) {
        out.insert(id.clone(), template.to_owned());
    }
    for inner in inner(action) {
        collect_templates(inner, real, out);
    }
}

/// Gives messages their templates again, by real id of their actions.
fn put_templates(action: &mut Json, templates: &BTreeMap<String, String>) {
    let template = action.get("id").and_then(id_text).and_then(|id| templates.get(&id));
    // Looked up without `[…]`, which would put an empty message where there is none.
    let message = action.pointer_mut("/data/message").and_then(Json::as_object_mut);
    if let (Some(template), Some(message)) = (template, message) {
        message.insert("template_id".into(), json!(template));
    }
    let Some(data) = action.get_mut("data").and_then(Json::as_object_mut) else { return };
    if let Some(main) = data.get_mut("main_action").filter(|main| main.is_object()) {
        put_templates(main, templates);
    }
    let variations = data.get_mut("current_experiment").and_then(|test| test.get_mut("variations"));
    for variation in variations.and_then(Json::as_array_mut).into_iter().flatten() {
        put_templates(variation, templates);
    }
}
