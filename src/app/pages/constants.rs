//! Constants of the flow: adding, changing and removing one. Their rows are in [`super::rows`].

use smol_str::SmolStr;

use super::shared::free_name;
use crate::{
    app::{
        Document,
        inspector::{self, Change, Input, Ready, Route, Row, Target, flow_form, rows},
    },
    flow::Flow,
    kinds::{Editor, FieldSpec, spec::field},
};

const VALUE: FieldSpec =
    field("value", "Value", "A number, yes or no, or a text; the same for everybody in the flow.", Editor::Value);

fn pairs(flow: &Flow) -> Result<Vec<(String, String)>, String> {
    let row = rows::row(
        inspector::change::spec_at(inspector::flow_fields::FIELDS, &route().0).ok_or("This setting is not known")?,
        inspector::raw::get(flow.settings.raw(), &route().0),
        route(),
    );
    match row.input {
        Input::Map { pairs, .. } => Ok(pairs),
        _ => Err("The constants cannot be read; mend them in the flow settings".to_owned()),
    }
}

fn route() -> Route {
    Route::field("constants")
}

fn with(flow: &Flow, pairs: Vec<(String, String)>, label: String, merge: Option<String>) -> Result<Ready, String> {
    let ready = inspector::edit(flow, &Target::Flow, &route(), &Change::Pairs(pairs))?;
    Ok(Ready { label, merge, ..ready })
}

/// A new constant with a name that is free, and the edit that declares it.
///
/// Errors: the flow does not take it.
pub fn add(flow: &Flow) -> Result<(SmolStr, Ready), String> {
    let mut pairs = pairs(flow)?;
    let taken: Vec<SmolStr> = pairs.iter().map(|(name, _)| SmolStr::new(name)).collect();
    let name = free_name("new_constant", &taken);
    pairs.push((name.to_string(), "0".to_owned()));
    Ok((name, with(flow, pairs, "Add constant".to_owned(), None)?))
}

/// The edit that takes a constant out; its uses stay, and the checks find them.
///
/// Errors: there is none of that name.
pub fn remove(flow: &Flow, name: &str) -> Result<Ready, String> {
    let mut pairs = pairs(flow)?;
    pairs.retain(|(other, _)| other != name);
    with(flow, pairs, format!("Remove constant {name}"), None)
}

/// The form of a constant: its value.
pub fn form(document: &Document, name: &str) -> Option<Row> {
    let flow = document.flow();
    let (_, value) = pairs(flow).ok()?.into_iter().find(|(other, _)| other == name)?;
    let mut row = rows::row(VALUE, None, Route::field("value"));
    row.input = Input::Text { text: value, is_there: true };
    let place = format!("constants.{name}");
    for row_of in flow_form(document).rows.iter().filter(|row| row.spec.name == "constants") {
        row.notes.extend(row_of.notes.iter().filter(|note| note.message.contains(&place)).cloned());
    }
    Some(row)
}

/// The edit of a constant's value.
///
/// Errors: a sentence for the field.
pub fn edit(flow: &Flow, name: &str, change: &Change) -> Result<Ready, String> {
    let Change::Text(text) = change else { return Err("A constant has a value only".to_owned()) };
    let mut pairs = pairs(flow)?;
    let (_, value) = pairs.iter_mut().find(|(other, _)| other == name).ok_or("The constant is gone")?;
    text.clone_into(value);
    with(flow, pairs, format!("Change constant {name}"), Some(format!("constant {name}")))
}

#[cfg(test)]
mod tests {
    use crate::app::{
        CommandId,
        fixture::{document, run, studio},
        inspector::Change,
        pages::{Act, PageKind},
    };

    #[test]
    fn a_constant_is_added_changed_renamed_and_removed() {
        let mut app = studio();
        let before = document(&app).flow().clone();
        run(&mut app, Act::Add(PageKind::Constants));
        let ready = super::edit(document(&app).flow(), "new_constant", &Change::Text("12.5".into()));
        run(&mut app, ready.expect("a number").command());
        run(&mut app, Act::Rename { page: PageKind::Constants, from: "threshold".into(), to: "large".into() });
        let flow = document(&app).flow();
        let settings = flow.settings();
        assert_eq!(settings.constants.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["large", "new_constant"]);
        assert!(flow.fields.iter().any(|field| field.raw().contains("constant(\"large\")")));
        assert!(super::form(document(&app), "new_constant").is_some_and(|row| row.text() == "12.5"));
        run(&mut app, Act::Remove(PageKind::Constants, "new_constant".into()));
        assert_eq!(document(&app).view.page_rows[&PageKind::Constants], "large");
        for _ in 0..4 {
            run(&mut app, CommandId::Undo);
        }
        assert_eq!(*document(&app).flow(), before);
    }
}
