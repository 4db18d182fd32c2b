//! What holds of an engine's data whatever happened to it.

use crate::{
    audience::EventLog,
    base::SendKey,
    engine::{driver::Driver, store},
    journey::{self, ContactState},
    kinds::runtime::{Delivery, Input},
};

fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("{text}: {error}"))
}

/// Feeds what was recorded of a contact again: the state that is stored has to come out.
///
/// Holds for contacts of whom nothing was dropped, and as long as what is read live (suppression, caps) is what it was.
/// Errors: a sentence with both states where they differ; what cannot be read.
pub fn check_replay(driver: &Driver, id: &str) -> Result<(), String> {
    let text = |error: store::Error| error.to_string();
    let store = driver.store();
    let n = store.contact_number(id).map_err(text)?.ok_or_else(|| format!("there is no {id}"))?;
    let mut state: Option<ContactState> = None;
    for (at, kind, input) in store.inputs(id).map_err(text)? {
        let input = match kind {
            0 => Input::Event(parsed(&input)?),
            1 => Input::Profile { at, change: parsed(&input)? },
            2 => Input::Wake { at },
            3 => {
                let (key, result): (SendKey, Delivery) = parsed(&input)?;
                Input::Delivered { at, key, result }
            }
            4 => Input::Control { at, control: parsed(&input)? },
            _ => {
                state = Some(ContactState::new(parsed(&input)?));
                continue;
            }
        };
        let state = state.as_mut().ok_or_else(|| format!("{id} hears before it is born"))?;
        journey::advance(driver.flows(), state, &input);
    }
    let replayed = state.ok_or_else(|| format!("{id} was never born"))?.to_stored()?;
    let row = store.contact(n).map_err(text)?.ok_or_else(|| format!("there is no row of {id}"))?;
    let stored = ContactState::from_stored(&row.state, EventLog::default())?.to_stored()?;
    if replayed == stored {
        return Ok(());
    }
    Err(format!("the journal of {id} gives another state\nreplayed {replayed}\nstored   {stored}"))
}
