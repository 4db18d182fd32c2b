//! What holds for a whole workflow: goal, send times, and the keys that a flow has no words for.
//!
//! Source: references, HubSpot 2, 3.3 and 3.4.

use serde_json::{Map, Value as Json};

use super::{
    Texts,
    enrolment::clock,
    filters,
    names::Names,
    report::{GOES_BACK, Report},
    spot::{Spot, Unread},
};
use crate::{
    base::{NodeId, TimeOfDay, Weekday, Weekdays, Window},
    flow::FlowSettings,
    platforms::{hubspot::keep, import::RemarkKind},
};

/// Keys that are about this very workflow in this account, or that an export writes of its own accord.
const OF_THE_ACCOUNT: &[&str] = &[
    "id",
    "createdAt",
    "updatedAt",
    "revisionId",
    "nextAvailableActionId",
    "crmObjectCreationStatus",
    "performance",
    "isEnabled",
    "name",
    "actions",
    "startActionId",
    "enrollmentCriteria",
    "enrollmentSchedule",
    "goalFilterBranch",
    "timeWindows",
];

/// Reads the goal: who meets it leaves.
pub(super) fn goal(flow: &Spot<'_>, names: &mut Names<'_>, settings: &mut FlowSettings, report: &mut Report) {
    let Some(goal) = flow.has("goalFilterBranch") else { return };
    match filters::condition(&goal, names).and_then(|condition| condition.text(&goal)) {
        Ok(text) => {
            report.understood("hubspot/goal", &goal.at, None, format!("The goal is `{}`", text.text()));
            settings.goal_when = Some(text);
        }
        Err(unread) => {
            report.kept(
                "hubspot/goal",
                None,
                "The goal is kept as HubSpot wrote it, contacts here do not leave by it",
                &unread,
            );
        }
    }
}

/// Reads the send times as their opposite, quiet hours.
pub(super) fn windows(flow: &Spot<'_>, settings: &mut FlowSettings, report: &mut Report) {
    let windows = flow.get("timeWindows");
    if windows.items().next().is_none() {
        return;
    }
    let quiet = match quiet_hours(&windows) {
        Ok(quiet) => quiet,
        Err(unread) => {
            report.kept(
                "hubspot/windows",
                None,
                "The send times are kept as HubSpot wrote them, contacts here are sent to at all times",
                &unread,
            );
            return;
        }
    };
    match quiet {
        Some((quiet, every_day)) => {
            settings.quiet_hours = Some(quiet);
            let message = if every_day {
                format!("The send times become the quiet hours {quiet}, in the contact's zone instead of the account's")
            } else {
                format!(
                    "The send times differ by day; here the quiet hours are {quiet} every day, without the days on which nothing is sent"
                )
            };
            report.guessed("hubspot/windows", &windows.at, None, message, "Compare the quiet hours with HubSpot");
        }
        None => {
            let unread = windows.unread("they differ from day to day");
            report.kept(
                "hubspot/windows",
                None,
                "The send times are kept as HubSpot wrote them, contacts here are sent to at all times",
                &unread,
            );
        }
    }
}

/// The one span of the day in which something is sent, turned around; and whether it is the same on all days.
fn quiet_hours(windows: &Spot<'_>) -> Result<Option<(Window, bool)>, Unread> {
    let mut by_day: [Vec<(TimeOfDay, TimeOfDay)>; 7] = Default::default();
    for window in windows.items() {
        let name = window.word("day");
        let day = Weekday::ALL.iter().position(|day| day.title().eq_ignore_ascii_case(name));
        let day = day.ok_or_else(|| window.get("day").unread("this is no day of the week"))?;
        by_day[day].push((clock(&window.get("startTime"))?, clock(&window.get("endTime"))?));
    }
    for day in &mut by_day {
        day.sort_unstable();
    }
    let open: Vec<&Vec<(TimeOfDay, TimeOfDay)>> = by_day.iter().filter(|day| !day.is_empty()).collect();
    let Some(first) = open.first().filter(|first| open.iter().all(|day| day == *first)) else { return Ok(None) };
    let window = |from, until| Window { from, until, weekdays: Weekdays::ALL };
    let every_day = open.len() == 7;
    let is_start = |time: TimeOfDay| time.minutes() == 0;
    let is_end = |time: TimeOfDay| time.minutes() == 24 * 60 - 1;
    Ok(match first.as_slice() {
        [(from, until)] if from < until => Some((window(*until, *from), every_day)),
        // Open past midnight, which HubSpot has as two pieces of each day.
        [(start, until), (from, end)] if every_day && is_start(*start) && is_end(*end) && until < from => {
            Some((window(*until, *from), true))
        }
        _ => None,
    })
}

/// What is left: keys that a flow says otherwise than the workflow does, or not at all.
pub(super) fn rest(flow: &Spot<'_>, written: &Json, report: &mut Report) -> Map<String, Json> {
    let mut patch = Map::new();
    let Json::Object(map) = flow.json else { return patch };
    for (key, value) in map.iter().filter(|(key, value)| !OF_THE_ACCOUNT.contains(&key.as_str()) && !value.is_null()) {
        let ours = written.get(key).unwrap_or(&Json::Null);
        if keep::same(value, ours) || (ours.is_null() && keep::is_empty(value)) {
            continue;
        }
        patch.insert(key.clone(), value.clone());
        let what = match key.as_str() {
            "suppressionListIds" => "Contacts on the suppression lists are kept out by HubSpot only",
            "suppressionFilterBranch" => "Whom the suppression keeps out is asked by HubSpot only",
            "blockedDates" => "On the blocked dates only HubSpot sends nothing",
            "unEnrollmentSetting" => "On entry contacts leave other workflows in HubSpot only",
            "eventAnchor" => "The date that the workflow is centred on counts in HubSpot only",
            "description" => "The description stays with the workflow",
            "canEnrollFromSalesforce" => "Enrolment from Salesforce stays with the workflow",
            "dataSources" => "Data of associated records stay with the workflow",
            _ => "Flowloom has no word for this part",
        };
        report.add(RemarkKind::Kept, "hubspot/kept", &flow.get(key).at, None, what, GOES_BACK);
    }
    patch
}

/// Says what cannot be kept.
pub(super) fn of_the_account(flow: &Spot<'_>, report: &mut Report, start: &NodeId) {
    if flow.is_true("isEnabled") {
        report.lost(
            "hubspot/enabled",
            &flow.get("isEnabled").at,
            Some(start),
            "The workflow is switched on in HubSpot; whatever is exported arrives switched off",
            "Switch it on in HubSpot by hand",
        );
    }
}
