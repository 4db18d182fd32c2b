//! Fetching from an account what an import is made from: a flow, its mails, and the names of the ids in it.
//!
//! The one idea: everything comes by looking, and a part that cannot be had (a template that is gone, a listing that
//! the key may not read) is a remark, not an end; the import then shows the id. Deliberately not here: the import.

use std::{collections::BTreeMap, sync::atomic::AtomicBool};

use super::{
    Client, Error, Kind,
    api::Call,
    api_of,
    draft::{Item, Sort},
};
use crate::{flow::Target, platforms::import::Template};

/// A flow of an account, to choose from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What the platform says of its state: `draft`, `live`.
    pub status: String,
}

/// What an import is made from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fetched {
    /// The flow as the platform gives it.
    pub json: String,
    /// Its mails, by the ids that its messages name.
    pub templates: BTreeMap<String, Template>,
    /// Names by kind and id: `metric:AbC12`.
    pub names: BTreeMap<String, String>,
    /// What could not be had, in words.
    pub missing: Vec<String>,
}

/// The account's flows, in its order.
///
/// Errors: what the server refuses; the user stopped it.
pub fn flows(target: Target, client: &mut Client, stop: &AtomicBool) -> Result<Vec<Listed>, Error> {
    api_of(target).flows(&mut Call { client, stop })
}

/// A flow with its mails and the names of its ids; `at` hears how many parts of how many are there.
///
/// Errors: there is no such flow; what the server refuses; the user stopped it.
pub fn fetch(
    target: Target,
    client: &mut Client,
    id: &str,
    at: &mut dyn FnMut(usize, usize),
    stop: &AtomicBool,
) -> Result<Fetched, Error> {
    let api = api_of(target);
    let mut call = Call { client, stop };
    let Some(own) = api.read(&mut call, Sort::Flow, id)? else {
        return Err(Error::new(
            Kind::Gone,
            format!("There is no flow `{id}` in the account"),
            "Choose one from the list of its flows",
        ));
    };
    let mut out = Fetched { json: api.as_given(&own).to_string(), ..Fetched::default() };
    let mails = api.mails_in(&own);
    // Flows name their forms by ids; an account has many more than one flow needs.
    let mut forms: Vec<Item> = Vec::new();
    for (sort, id, _) in api.named_in(&own.json) {
        if sort == Sort::Form && !forms.iter().any(|form| form.name == id) {
            forms.push(Item::named(sort, format!("form:{id}"), id));
        }
    }
    // The flow itself, its mails, the names.
    let num_parts = mails.len() + 2;
    for (n, mail) in mails.into_iter().enumerate() {
        at(n + 1, num_parts);
        match api.mail(&mut call, &mail) {
            Ok(Some(template)) => _ = out.templates.insert(mail, template),
            Ok(None) => out.missing.push(format!("The mail `{mail}` is not there any more")),
            Err(error) if error.kind == Kind::Cancelled => return Err(error),
            Err(error) => out.missing.push(format!("The mail `{mail}` could not be fetched: {error}")),
        }
    }
    at(num_parts - 1, num_parts);
    for (what, found) in api.names(&mut call) {
        match found {
            Ok(names) => out.names.extend(names),
            Err(error) if error.kind == Kind::Cancelled => return Err(error),
            Err(error) => out.missing.push(format!("The names of {what} could not be fetched: {error}")),
        }
    }
    if !forms.is_empty() {
        let wanted: Vec<&Item> = forms.iter().collect();
        match api.look_up(&mut call, Sort::Form, &wanted) {
            Ok(found) => {
                let named = forms.iter().zip(found).filter_map(|(form, found)| Some((form, found.into_iter().next()?)));
                out.names.extend(named.map(|(form, thing)| (form.key.clone(), thing.name)));
            }
            Err(error) if error.kind == Kind::Cancelled => return Err(error),
            Err(error) => out.missing.push(format!("The names of forms could not be fetched: {error}")),
        }
    }
    Ok(out)
}
