//! An account of HubSpot: what its API does that a push has to live with (references, HubSpot 1, 2, 8 to 11).

use std::{any::Any, collections::BTreeMap};

use flowloom::platforms::push::{Draft, Sort};
use serde_json::{Value as Json, json};

use super::{
    form::wrong_file,
    server::{Answer, Platform, placeholder},
};

/// Entries of a page; few, so that there are pages.
const PAGE: usize = 3;
const FLOWS: &str = "/automation/v4/flows";

#[derive(Default)]
pub struct Hubspot {
    pub properties: Vec<Json>,
    pub lists: Vec<(String, String)>,
    pub events: Vec<Json>,
    pub owners: Vec<Json>,
    pub emails: Vec<Json>,
    pub flows: Vec<Json>,
    /// Files as they are given, with the hash of their content beside.
    pub files: Vec<(Json, String)>,
    pub forms: Vec<Json>,
    next: u64,
}

impl Hubspot {
    fn id(&mut self) -> u64 {
        self.next += 1;
        40_000 + self.next
    }

    fn upload(&mut self, body: &Json) -> Answer {
        let form = &body["form"];
        if let Some(why) = wrong_file(&form["file"], 20_000_000) {
            return self.refuse(400, &why);
        }
        let options: Json = serde_json::from_str(form["options"].as_str().unwrap_or("")).unwrap_or(Json::Null);
        let access = ["PUBLIC_INDEXABLE", "PUBLIC_NOT_INDEXABLE", "PRIVATE"];
        if !options["access"].as_str().is_some_and(|word| access.contains(&word)) {
            return self.refuse(400, "options need an access");
        }
        if form["folderPath"].is_string() == form["folderId"].is_string() {
            return self.refuse(400, "either folderPath or folderId");
        }
        let file_name = form["fileName"].as_str().or(form["file"]["filename"].as_str()).unwrap_or("").to_owned();
        let path = format!("{}/{file_name}", form["folderPath"].as_str().unwrap_or(""));
        let hash = form["file"]["hash"].as_str().unwrap_or("").to_owned();
        let returns = options["duplicateValidationStrategy"] == "RETURN_EXISTING";
        if let Some((known, _)) =
            self.files.iter().find(|(file, known)| returns && *known == hash && file["path"] == *path)
        {
            return Answer::new(201, known.clone());
        }
        let id = self.id().to_string();
        let (name, extension) = file_name.rsplit_once('.').unwrap_or((&file_name, ""));
        let file = json!({
            "id": id, "name": name, "extension": extension, "path": path, "access": options["access"], "archived": false,
            "url": format!("https://1234.hubspotusercontent.example/hubfs/1234{path}?v={id}"),
        });
        self.files.push((file.clone(), hash));
        Answer::new(201, file)
    }

    fn refuse(&self, status: u16, why: &str) -> Answer {
        Answer::new(status, self.refusal(status, why, ""))
    }

    fn page(entries: Vec<Json>, query: &BTreeMap<String, String>) -> Answer {
        let from: usize = query.get("after").and_then(|text| text.parse().ok()).unwrap_or(0);
        let more = entries.len() > from + PAGE;
        let page: Vec<Json> = entries.into_iter().skip(from).take(PAGE).collect();
        let mut body = json!({"results": page});
        if more {
            body["paging"] = json!({"next": {"after": (from + PAGE).to_string()}});
        }
        Answer::new(200, body)
    }

    fn create_flow(&mut self, body: &Json) -> Answer {
        if let Some(text) = placeholder(body) {
            return self.refuse(400, &format!("{text} is not an id"));
        }
        if body["isEnabled"] != false {
            return self.refuse(400, "It would run");
        }
        for action in body["actions"].as_array().into_iter().flatten() {
            let id = &action["fields"]["content_id"];
            if id.is_string() && !self.emails.iter().any(|email| email["id"] == *id) {
                return self.refuse(400, &format!("There is no e-mail {id}"));
            }
        }
        let mut flow = body.clone();
        flow["id"] = json!(self.id().to_string());
        flow["revisionId"] = json!("1");
        flow["crmObjectCreationStatus"] = json!("PENDING");
        flow["createdAt"] = json!("2026-11-26T00:00:00Z");
        self.flows.push(flow.clone());
        Answer::new(201, flow)
    }

    fn put_flow(&mut self, id: &str, body: &Json) -> Answer {
        let Some(at) = self.flows.iter().position(|flow| flow["id"] == id) else { return self.refuse(404, "Gone") };
        let wrong = ["dataSources", "objectTypeId", "flowType"].iter().find(|key| body.get(**key).is_some());
        if let Some(key) = wrong {
            return self.refuse(400, &format!("{key} cannot be replaced"));
        }
        if self.flows[at]["crmObjectCreationStatus"] != "COMPLETE" {
            return self.refuse(400, "It is not whole yet");
        }
        if self.flows[at]["revisionId"] != body["revisionId"] {
            return self.refuse(409, "Another revision");
        }
        let old = self.flows[at].clone();
        let mut flow = body.clone();
        for key in ["id", "dataSources", "objectTypeId", "flowType", "crmObjectCreationStatus", "createdAt"] {
            flow[key] = old[key].clone();
        }
        let revision: u64 = old["revisionId"].as_str().and_then(|r| r.parse().ok()).unwrap_or(0);
        flow["revisionId"] = json!((revision + 1).to_string());
        self.flows[at] = flow.clone();
        Answer::new(200, flow)
    }
}

impl Platform for Hubspot {
    fn check_headers(&self, headers: &BTreeMap<String, String>) -> Result<(), String> {
        let is = |name: &str| headers.get(name).is_some_and(|value| value == "application/json");
        let is_form =
            headers.get("content-type").is_some_and(|value| value.starts_with("multipart/form-data; boundary="));
        if is("accept") && (is("content-type") || is_form) { Ok(()) } else { Err("not JSON".into()) }
    }

    fn refusal(&self, _: u16, detail: &str, _: &str) -> Json {
        json!({"status": "error", "message": detail, "category": "VALIDATION_ERROR"})
    }

    fn left_headers(&self) -> (&'static str, &'static str) {
        ("X-HubSpot-RateLimit-Remaining", "X-HubSpot-RateLimit-Interval-Milliseconds")
    }

    fn names(&self) -> Vec<String> {
        let of = |word: &str, all: &[Json], key: &str| -> Vec<String> {
            all.iter().map(|entry| format!("{word} {}", entry[key])).collect()
        };
        let mut out = of("property", &self.properties, "name");
        out.extend(self.lists.iter().map(|(_, name)| format!("list {name}")));
        out.extend(of("event", &self.events, "name"));
        out.extend(of("email", &self.emails, "name"));
        out.extend(self.files.iter().map(|(_, hash)| format!("file {hash}")));
        out.extend(of("flow", &self.flows, "name"));
        out
    }

    fn furnish(&mut self, draft: &Draft) {
        for item in draft.items.iter().filter(|item| item.sort == Sort::User) {
            let id = self.id();
            self.owners.push(
                json!({"id": id.to_string(), "userId": id, "email": item.name, "firstName": "A", "lastName": "B"}),
            );
        }
    }

    fn any(&mut self) -> &mut dyn Any {
        self
    }

    fn answer(&mut self, method: &str, path: &str, query: &BTreeMap<String, String>, body: &Json) -> Answer {
        if let Some(name) = path.strip_prefix("/crm/v3/lists/object-type-id/0-1/name/") {
            return match self.lists.iter().find(|(_, known)| known == name) {
                Some((id, name)) => Answer::new(200, json!({"list": {"listId": id, "name": name}})),
                None => self.refuse(404, "No such list"),
            };
        }
        if let Some(rest) = path.strip_prefix("/files/v3/files/") {
            let stat = rest.strip_prefix("stat");
            let key = if stat.is_some() { "path" } else { "id" };
            let wanted = stat.unwrap_or(rest);
            return match self.files.iter().find(|(file, _)| file[key] == wanted) {
                Some((file, _)) if stat.is_some() => Answer::new(200, json!({"file": file})),
                Some((file, _)) => Answer::new(200, file.clone()),
                None => self.refuse(404, "No such file"),
            };
        }
        if let Some(id) = path.strip_prefix("/marketing/v3/emails/") {
            let (id, is_draft) = id.strip_suffix("/draft").map_or((id, false), |id| (id, true));
            let Some(email) = self.emails.iter_mut().find(|email| email["id"] == id) else {
                return self.refuse(404, "No such e-mail");
            };
            if method == "PATCH" {
                if email["state"] == "AUTOMATED" && !is_draft {
                    return self.refuse(400, "It is published");
                }
                for (key, value) in body.as_object().into_iter().flatten() {
                    email[key] = value.clone();
                }
            }
            return Answer::new(200, email.clone());
        }
        if let Some(id) = path.strip_prefix("/automation/v4/flows/") {
            if method == "PUT" {
                return self.put_flow(id, body);
            }
            let Some(flow) = self.flows.iter_mut().find(|flow| flow["id"] == id) else {
                return self.refuse(404, "No such flow");
            };
            let answer = flow.clone();
            // It is whole at the second look.
            flow["crmObjectCreationStatus"] = json!("COMPLETE");
            return Answer::new(200, answer);
        }
        match (method, path) {
            ("GET", "/crm/v3/properties/contacts") => Answer::new(200, json!({"results": self.properties})),
            ("POST", "/crm/v3/properties/contacts") => {
                if self.properties.iter().any(|known| known["name"] == body["name"]) {
                    return self.refuse(409, "It is there already");
                }
                self.properties.push(body.clone());
                Answer::new(201, body.clone())
            }
            ("POST", "/crm/v3/lists") => {
                let name = body["name"].as_str().unwrap_or("").to_owned();
                if self.lists.iter().any(|(_, known)| *known == name) {
                    return self.refuse(400, "A list of that name is there");
                }
                let id = self.id().to_string();
                self.lists.push((id.clone(), name.clone()));
                Answer::new(200, json!({"list": {"listId": id, "name": name}}))
            }
            ("POST", "/crm/v3/lists/search") => {
                let lists: Vec<Json> =
                    self.lists.iter().map(|(id, name)| json!({"listId": id, "name": name})).collect();
                Answer::new(200, json!({"lists": lists, "hasMore": false, "offset": lists.len()}))
            }
            ("GET", "/events/v3/event-definitions") => Self::page(self.events.clone(), query),
            ("POST", "/events/v3/event-definitions") => {
                if self.events.iter().any(|known| known["name"] == body["name"]) {
                    return self.refuse(409, "It is there already");
                }
                let id = self.id();
                let event = json!({
                    "id": id.to_string(), "objectTypeId": format!("6-{id}"), "name": body["name"],
                    "fullyQualifiedName": format!("pe123_{}", body["name"].as_str().unwrap_or("")),
                    "labels": {"singular": body["label"]},
                });
                self.events.push(event.clone());
                Answer::new(201, event)
            }
            ("POST", "/files/v3/files") => self.upload(body),
            ("GET", "/marketing/v3/forms") => Self::page(self.forms.clone(), query),
            ("GET", "/crm/v3/owners") => Self::page(self.owners.clone(), query),
            ("GET", "/marketing/v3/emails") => Self::page(self.emails.clone(), query),
            ("POST", "/marketing/v3/emails") => {
                if let Some(text) = placeholder(body) {
                    return self.refuse(400, &text);
                }
                let mut email = body.clone();
                email["id"] = json!(self.id().to_string());
                email["type"] = json!("AUTOMATED_EMAIL");
                self.emails.push(email.clone());
                Answer::new(201, email)
            }
            ("GET", FLOWS) => {
                let bare = |flow: &Json| json!({"id": flow["id"], "name": flow["name"], "isEnabled": flow["isEnabled"], "revisionId": flow["revisionId"], "objectTypeId": "0-1", "flowType": "WORKFLOW"});
                Self::page(self.flows.iter().map(bare).collect(), query)
            }
            ("POST", FLOWS) => self.create_flow(body),
            _ => self.refuse(405, "No such thing"),
        }
    }
}
