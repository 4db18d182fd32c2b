//! An account of Klaviyo: what its API does that a push has to live with (references, Klaviyo 1, 2, 7, 8).

use std::{any::Any, collections::BTreeMap};

use flowloom::platforms::push::{Draft, Sort};
use serde_json::{Value as Json, json};

use super::{
    form::wrong_file,
    server::{Answer, Platform, placeholder},
};

/// Entries of a page; few, so that there are pages.
const PAGE: usize = 3;

#[derive(Default)]
pub struct Klaviyo {
    pub metrics: Vec<(String, String, String)>,
    pub lists: Vec<(String, String)>,
    pub segments: Vec<(String, String)>,
    /// Id, attributes, whether it is a copy that only a message holds.
    pub templates: Vec<(String, Json, bool)>,
    pub flows: Vec<Json>,
    /// Id, name, hash of the content.
    pub images: Vec<(String, String, String)>,
    /// Id and name.
    pub forms: Vec<(String, String)>,
    /// The account's default sender.
    pub sender: String,
    next: u64,
    /// Events without a `backfill`, which would start flows.
    pub loud_events: usize,
}

impl Klaviyo {
    pub fn metric(&mut self, name: &str, integration: &str) -> String {
        let id = self.id("M");
        self.metrics.push((id.clone(), name.into(), integration.into()));
        id
    }

    fn id(&mut self, word: &str) -> String {
        self.next += 1;
        format!("{word}{}", self.next)
    }

    fn template(&self, id: &str) -> Option<&(String, Json, bool)> {
        self.templates.iter().find(|(known, ..)| known == id)
    }

    fn template_json((id, attributes, _): &(String, Json, bool)) -> Json {
        json!({"type": "template", "id": id, "attributes": attributes, "links": {"self": ""}})
    }

    /// A message holds a copy of its template.
    fn copy_templates(&mut self, value: &mut Json) -> Result<(), String> {
        match value {
            Json::Object(map) => {
                if let Some(id) = map.get("template_id").and_then(Json::as_str).map(str::to_owned) {
                    let Some((_, attributes, is_copy)) = self.template(&id).cloned() else {
                        return Err(format!("template {id} is not there"));
                    };
                    // What is a copy already stays, as long as the message is the same.
                    if !is_copy {
                        let copy = self.id("C");
                        self.templates.push((copy.clone(), attributes, true));
                        map.insert("template_id".into(), json!(copy));
                    }
                }
                map.values_mut().try_for_each(|value| self.copy_templates(value))
            }
            Json::Array(items) => items.iter_mut().try_for_each(|item| self.copy_templates(item)),
            _ => Ok(()),
        }
    }

    fn create_flow(&mut self, body: &Json) -> Answer {
        let attributes = &body["data"]["attributes"];
        let mut definition = attributes["definition"].clone();
        if let Some(text) = placeholder(&definition) {
            return Answer::new(400, self.refusal(400, &format!("{text} is not an id"), "/data/attributes/definition"));
        }
        let metric = &definition["triggers"][0]["id"];
        let known = self.metrics.iter().map(|m| &m.0).chain(self.lists.iter().map(|l| &l.0));
        let known: Vec<&String> = known.chain(self.segments.iter().map(|s| &s.0)).collect();
        if metric.is_string() && !known.iter().any(|id| metric == *id) {
            return Answer::new(400, self.refusal(400, "No such trigger", "/data/attributes/definition/triggers/0/id"));
        }
        if let Err(why) = self.copy_templates(&mut definition) {
            return Answer::new(400, self.refusal(400, &why, "/data/attributes/definition"));
        }
        let mut ids = BTreeMap::new();
        self.give_ids(&mut definition, &mut ids);
        relink(&mut definition, &ids);
        let id = self.id("F");
        let flow = json!({"type": "flow", "id": id, "links": {"self": ""}, "attributes": {
            "name": attributes["name"], "status": "draft", "archived": false, "created": format!("2026-11-26T00:00:{id}"),
            "definition": definition,
        }});
        self.flows.push(flow.clone());
        Answer::new(201, json!({"data": flow}))
    }

    fn give_ids(&mut self, value: &mut Json, ids: &mut BTreeMap<String, String>) {
        match value {
            Json::Object(map) => {
                if let Some(Json::String(temporary)) = map.remove("temporary_id") {
                    self.next += 1;
                    let real = format!("{}", 1_000_000 + self.next);
                    map.insert("id".into(), json!(real));
                    ids.insert(temporary, real);
                }
                // What a server adds besides.
                if map.get("type").and_then(Json::as_str) == Some("time-delay") {
                    map["data"]["secondary_value"] = json!(0);
                }
                if let Some(message) = map.get_mut("message").and_then(Json::as_object_mut) {
                    self.next += 1;
                    message.insert("id".into(), json!(format!("msg{}", self.next)));
                }
                map.values_mut().for_each(|value| self.give_ids(value, ids));
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.give_ids(item, ids)),
            _ => {}
        }
    }

    fn patch_action(&mut self, id: &str, body: &Json) -> Answer {
        let mut definition = body["data"]["attributes"]["definition"].clone();
        if let Err(why) = self.copy_templates(&mut definition) {
            return Answer::new(400, self.refusal(400, &why, "/data/attributes/definition"));
        }
        for flow in &mut self.flows {
            for action in flow["attributes"]["definition"]["actions"].as_array_mut().into_iter().flatten() {
                if action["id"] == id {
                    *action = definition.clone();
                    return Answer::new(200, json!({"data": {"type": "flow-action", "id": id}}));
                }
            }
        }
        self.gone()
    }

    fn image_json((id, name, _): &(String, String, String)) -> Json {
        json!({"type": "image", "id": id, "attributes": {
            "name": name, "image_url": format!("https://cdn.klaviyo.example/company/images/{id}"), "hidden": false,
        }})
    }

    /// A name that is taken gets a suffix, so that nothing but a look keeps an image from being there twice.
    fn upload(&mut self, body: &Json) -> Answer {
        let form = &body["form"];
        let wrong = wrong_file(&form["file"], 5_000_000).or_else(|| {
            let is_odd = |key: &str| !matches!(key, "file" | "name" | "hidden");
            let odd = form.as_object()?.keys().find(|key| is_odd(key)).cloned();
            odd.or_else(|| (!matches!(form["hidden"].as_str(), None | Some("true" | "false"))).then(|| "hidden".into()))
        });
        if let Some(why) = wrong.or_else(|| form["file"].is_null().then(|| "no file".into())) {
            return Answer::new(400, self.refusal(400, &why, "/file"));
        }
        let mut name = form["name"].as_str().or(form["file"]["filename"].as_str()).unwrap_or("").to_owned();
        while self.images.iter().any(|(_, known, _)| *known == name) {
            name.push_str("-1");
        }
        let image = (self.id("I"), name, form["file"]["hash"].as_str().unwrap_or("").to_owned());
        self.images.push(image.clone());
        Answer::new(201, json!({"data": Self::image_json(&image)}))
    }

    fn gone(&self) -> Answer {
        Answer::new(404, self.refusal(404, "It is not there", ""))
    }

    fn page(entries: Vec<Json>, path: &str, query: &BTreeMap<String, String>) -> Answer {
        let from: usize = query.get("page[cursor]").and_then(|text| text.parse().ok()).unwrap_or(0);
        let more = entries.len() > from + PAGE;
        let filter = query.get("filter").map(|f| format!("&filter={}", f.replace(' ', "%20").replace('"', "%22")));
        let next = format!("{path}?page[cursor]={}{}", from + PAGE, filter.unwrap_or_default());
        let page: Vec<Json> = entries.into_iter().skip(from).take(PAGE).collect();
        Answer::new(200, json!({"data": page, "links": {"next": if more { json!(next) } else { Json::Null }}}))
    }
}

fn relink(value: &mut Json, ids: &BTreeMap<String, String>) {
    let change = |to: &mut Json| {
        if let Some(real) = to.as_str().and_then(|to| ids.get(to)) {
            *to = json!(real);
        }
    };
    match value {
        Json::Object(map) => {
            for (key, value) in map.iter_mut() {
                match key.as_str() {
                    "links" => value.as_object_mut().into_iter().flat_map(|map| map.values_mut()).for_each(change),
                    "entry_action_id" => change(value),
                    _ => relink(value, ids),
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| relink(item, ids)),
        _ => {}
    }
}

impl Platform for Klaviyo {
    fn check_headers(&self, headers: &BTreeMap<String, String>) -> Result<(), String> {
        let is = |name: &str, wanted: &str| headers.get(name).is_some_and(|value| value == wanted);
        if !is("revision", "2026-07-15") {
            return Err("no revision".into());
        }
        let json = "application/vnd.api+json";
        let is_form =
            headers.get("content-type").is_some_and(|value| value.starts_with("multipart/form-data; boundary="));
        if is("accept", json) && (is("content-type", json) || is_form) { Ok(()) } else { Err("not JSON:API".into()) }
    }

    fn refusal(&self, status: u16, detail: &str, pointer: &str) -> Json {
        json!({"errors": [{"id": "1", "code": status.to_string(), "title": "No", "detail": detail, "source": {"pointer": pointer}}]})
    }

    fn left_headers(&self) -> (&'static str, &'static str) {
        ("RateLimit-Remaining", "RateLimit-Reset")
    }

    fn names(&self) -> Vec<String> {
        let name = |json: &Json| json["attributes"]["name"].as_str().unwrap_or("").to_owned();
        let lists = self.lists.iter().map(|(_, name)| format!("list {name}"));
        let metrics = self.metrics.iter().map(|(_, name, from)| format!("metric {name} {from}"));
        let flows = self.flows.iter().map(|flow| format!("flow {}", name(flow)));
        let own = self.templates.iter().filter(|(.., is_copy)| !is_copy);
        let templates = own.map(|(_, attributes, _)| format!("template {}", attributes["name"]));
        let images = self.images.iter().map(|(.., hash)| format!("image {hash}"));
        lists.chain(metrics).chain(flows).chain(templates).chain(images).collect()
    }

    fn furnish(&mut self, draft: &Draft) {
        for item in &draft.items {
            match item.sort {
                Sort::Segment => {
                    let id = self.id("S");
                    self.segments.push((id, item.name.clone()));
                }
                Sort::Metric if item.name.ends_with(" Email") || item.name.ends_with(" SMS") => {
                    self.metric(&item.name, "Klaviyo");
                }
                _ => {}
            }
        }
    }

    fn any(&mut self) -> &mut dyn Any {
        self
    }

    fn answer(&mut self, method: &str, path: &str, query: &BTreeMap<String, String>, body: &Json) -> Answer {
        let named = |name: &Json| match query.get("filter") {
            Some(filter) => match filter.strip_prefix("starts-with(name,\"").and_then(|f| f.strip_suffix("\")")) {
                Some(start) => name.as_str().is_some_and(|name| name.starts_with(start)),
                None => *filter == format!("equals(name,{name})"),
            },
            None => true,
        };
        let parts: Vec<&str> = path.trim_start_matches("/api/").split('/').collect();
        let attributes = &body["data"]["attributes"];
        match (method, parts.as_slice()) {
            ("GET", ["metrics"]) => {
                let all = self.metrics.iter().map(|(id, name, from)| {
                    json!({"type": "metric", "id": id, "attributes": {"name": name, "integration": {"name": from}}})
                });
                Self::page(all.collect(), path, query)
            }
            ("GET", [sort @ ("lists" | "segments")]) => {
                let all = if *sort == "lists" { &self.lists } else { &self.segments };
                let all = all.iter().map(|(id, name)| json!({"type": "x", "id": id, "attributes": {"name": name}}));
                Self::page(all.collect(), path, query)
            }
            ("GET", ["images"]) => {
                let all = self.images.iter().map(Self::image_json).filter(|image| named(&image["attributes"]["name"]));
                Self::page(all.collect(), path, query)
            }
            ("GET", ["images", id]) => match self.images.iter().find(|(known, ..)| known == id) {
                Some(image) => Answer::new(200, json!({"data": Self::image_json(image)})),
                None => self.gone(),
            },
            ("POST", ["image-upload"]) => self.upload(body),
            ("GET", ["forms"]) => {
                let all = self.forms.iter().map(
                    |(id, name)| json!({"type": "form", "id": id, "attributes": {"name": name, "status": "live"}}),
                );
                Self::page(all.collect(), path, query)
            }
            ("GET", ["accounts"]) => {
                let contact = json!({"default_sender_name": "Shop", "default_sender_email": self.sender});
                let account = json!({"type": "account", "id": "A1", "attributes": {"contact_information": contact}});
                Self::page(vec![account], path, query)
            }
            ("POST", ["lists"]) => {
                let id = self.id("L");
                self.lists.push((id.clone(), attributes["name"].as_str().unwrap_or("").to_owned()));
                Answer::new(201, json!({"data": {"type": "list", "id": id, "attributes": attributes}}))
            }
            ("POST", ["events"]) => {
                if attributes["backfill"] != true {
                    self.loud_events += 1;
                }
                let name = attributes["metric"]["data"]["attributes"]["name"].as_str().unwrap_or("").to_owned();
                if !self.metrics.iter().any(|(_, known, from)| *known == name && from == "API") {
                    self.metric(&name, "API");
                }
                Answer::new(202, Json::Null)
            }
            ("GET", ["templates"]) => {
                let own =
                    self.templates.iter().filter(|(_, attributes, is_copy)| !is_copy && named(&attributes["name"]));
                Self::page(own.map(Self::template_json).collect(), path, query)
            }
            ("GET", ["templates", id]) => match self.template(id) {
                Some(template) => Answer::new(200, json!({"data": Self::template_json(template)})),
                None => self.gone(),
            },
            ("POST", ["templates"]) => {
                if let Some(text) = placeholder(&attributes["html"]) {
                    return Answer::new(400, self.refusal(400, &text, "/data/attributes/html"));
                }
                let id = self.id("T");
                let template = (id, attributes.clone(), false);
                self.templates.push(template.clone());
                Answer::new(201, json!({"data": Self::template_json(&template)}))
            }
            ("PATCH", ["templates", id]) => {
                let own = self.templates.iter_mut().find(|(known, _, is_copy)| known == id && !is_copy);
                let Some((_, known, _)) = own else { return self.gone() };
                for (key, value) in attributes.as_object().into_iter().flatten() {
                    known[key] = value.clone();
                }
                Answer::new(200, json!({"data": {"type": "template", "id": id}}))
            }
            ("GET", ["flows"]) => {
                let all = self.flows.iter().filter(|flow| named(&flow["attributes"]["name"]));
                let bare = |flow: &Json| {
                    let mut flow = flow.clone();
                    flow["attributes"].as_object_mut().expect("an object").remove("definition");
                    flow
                };
                Self::page(all.map(bare).collect(), path, query)
            }
            ("GET", ["flows", id]) => match self.flows.iter().find(|flow| flow["id"] == *id) {
                Some(flow) => Answer::new(200, json!({"data": flow})),
                None => self.gone(),
            },
            ("POST", ["flows"]) => self.create_flow(body),
            ("PATCH", ["flow-actions", id]) => self.patch_action(id, body),
            _ => Answer::new(405, self.refusal(405, "No such thing", "")),
        }
    }
}
