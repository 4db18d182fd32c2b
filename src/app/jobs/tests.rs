//! Long work: what is asked, cancelled, superseded, and asked for again.

use super::*;
use crate::{
    app::{Answer, Command, Request, files::Act, fixture},
    flow::{Edit, file},
};

/// A studio whose jobs wait until they are run.
struct Studio {
    app: App,
    jobs: Vec<Job>,
    millis: i64,
}

impl Studio {
    fn new() -> Self {
        let mut studio = Self { app: App::new(), jobs: Vec::new(), millis: 0 };
        let loaded = file::read(fixture::text()).expect("a flow");
        let opened = Answer::Opened { path: None, loaded: Box::new(loaded), home: fixture::home() };
        studio.run(Command::Answer(opened));
        studio
    }

    fn now(&self) -> Instant {
        fixture::now().plus_millis(self.millis)
    }

    fn run(&mut self, command: impl Into<Command>) -> &mut Self {
        let asked = self.app.apply(command.into(), self.now());
        self.jobs.extend(asked.into_iter().filter_map(|request| match request {
            Request::Start(job) => Some(job),
            _ => None,
        }));
        self
    }

    fn rename(&mut self, title: &str) -> &mut Self {
        let edit = Edit::SetTitle { id: "mail-1".into(), title: title.to_owned() };
        self.run(Command::Edit { label: "Rename".to_owned(), edits: vec![edit], merge: None })
    }

    fn kinds(&self) -> Vec<Kind> {
        self.jobs.iter().map(|job| job.work.kind()).collect()
    }

    /// The jobs of a kind that wait are done.
    fn finish(&mut self, kind: Kind) -> &mut Self {
        while let Some(at) = self.jobs.iter().position(|job| job.work.kind() == kind) {
            let done = self.jobs.remove(at).run();
            self.run(Command::Answer(Answer::Done(done)));
            if self.jobs.iter().all(|job| job.progress.is_cancelled()) {
                break;
            }
        }
        self
    }

    fn act(&mut self, act: impl Fn(DocumentId, Kind) -> Act, kind: Kind) -> &mut Self {
        let document = self.app.documents[0].id;
        self.run(Command::Files(act(document, kind)))
    }

    fn tray(&self) -> Vec<(Kind, bool)> {
        tray(&self.app, self.now()).into_iter().map(|row| (row.kind, row.is_cancelled)).collect()
    }

    fn replayed(&self) -> Option<u64> {
        self.app.documents[0].derived.replay.as_ref().map(|stamped| stamped.revision)
    }
}

#[test]
fn only_what_takes_long_is_in_the_tray() {
    let mut studio = Studio::new();
    assert!(studio.kinds().contains(&Kind::Replay) && studio.kinds().contains(&Kind::Check));
    assert!(studio.tray().is_empty());
    assert_eq!(redraw_in_millis(&studio.app, studio.now()), Some(SHOWN_AFTER_MILLIS));
    studio.millis = 500;
    assert!(studio.tray().contains(&(Kind::Replay, false)));
    assert_eq!(redraw_in_millis(&studio.app, studio.now()), Some(REDRAW_MILLIS));
    let replay = studio.jobs.iter().find(|job| job.work.kind() == Kind::Replay).expect("there");
    assert!(replay.progress.keeps_on(0.42));
    let row = tray(&studio.app, studio.now()).into_iter().find(|row| row.kind == Kind::Replay).expect("there");
    assert_eq!((row.title.as_str(), row.share), ("Replaying the audience", Some(0.42)));
    studio.finish(Kind::Replay).finish(Kind::Check);
    assert!(studio.tray().is_empty() && studio.replayed() == Some(0));
    assert_eq!(redraw_in_millis(&studio.app, studio.now()), None, "the window sleeps");
}

#[test]
fn what_is_superseded_is_cancelled_and_begun_anew_once() {
    let mut studio = Studio::new();
    studio.rename("A").rename("B");
    assert_eq!(studio.kinds().iter().filter(|kind| **kind == Kind::Replay).count(), 1, "one at a time");
    let old = studio.jobs.iter().position(|job| job.work.kind() == Kind::Replay).expect("there");
    assert!(studio.jobs[old].progress.is_cancelled());
    let done = studio.jobs.remove(old).run();
    assert!(done.result.is_none());
    studio.run(Command::Answer(Answer::Done(done)));
    assert_eq!(studio.replayed(), None);
    assert!(studio.app.toasts.is_empty(), "nobody is told of it");
    studio.finish(Kind::Replay);
    assert_eq!(studio.replayed(), Some(2));
}

#[test]
fn what_the_user_cancels_stays_undone_until_it_is_asked_for_or_something_changes() {
    let mut studio = Studio::new();
    studio.finish(Kind::Check);
    studio.millis = 1_000;
    studio.act(Act::CancelJob, Kind::Replay);
    assert!(studio.tray().is_empty(), "at once, though the work may need a moment to stop");
    studio.finish(Kind::Replay);
    assert_eq!((studio.tray(), studio.kinds()), (vec![(Kind::Replay, true)], vec![]));
    assert!(studio.app.toasts[0].text.contains("Replaying the audience was cancelled"));
    studio.act(Act::HideJob, Kind::Replay);
    assert!(studio.tray().is_empty());
    studio.act(Act::RunAgain, Kind::Replay);
    assert_eq!(studio.kinds(), [Kind::Replay]);
    studio.act(Act::CancelJob, Kind::Replay).finish(Kind::Replay);
    assert!(studio.kinds().is_empty());
    studio.rename("Other");
    assert!(studio.kinds().contains(&Kind::Replay));
    studio.finish(Kind::Replay);
    assert_eq!(studio.replayed(), Some(1));
}

#[test]
fn a_job_for_other_surroundings_or_a_closed_flow_is_cancelled_and_its_answer_not_taken() {
    let mut studio = Studio::new();
    let old = studio.jobs.remove(studio.kinds().iter().position(|kind| *kind == Kind::Check).expect("there"));
    studio.app.documents[0].set_home(fixture::home());
    assert!(old.progress.is_cancelled());
    let late = Done { document: old.document, id: old.id, revision: 0, result: Some(JobDone::Checked(Arc::default())) };
    studio.run(Command::Answer(Answer::Done(late)));
    assert!(studio.app.documents[0].derived.findings.is_none());
    studio.run(crate::app::CommandId::CloseTab);
    assert!(studio.app.documents.is_empty() && studio.jobs.iter().all(|job| job.progress.is_cancelled()));
}

#[test]
fn a_search_that_is_cancelled_chooses_nobody() {
    let mut studio = Studio::new();
    studio.run(Command::Select { nodes: vec!["mail-1".into()], toggle: false });
    studio.run(crate::app::act::Act::NextDiffering);
    assert!(studio.kinds().contains(&Kind::Seek));
    let before = studio.app.documents[0].view.contact.clone();
    studio.act(Act::CancelJob, Kind::Seek);
    let at = studio.kinds().iter().position(|kind| *kind == Kind::Seek).expect("there");
    let done = studio.jobs.remove(at).run();
    studio.run(Command::Answer(Answer::Done(done)));
    assert_eq!(studio.app.documents[0].view.contact, before);
    studio.act(Act::RunAgain, Kind::Seek);
    assert!(studio.kinds().contains(&Kind::Seek));
}

#[test]
fn an_export_can_be_cancelled_and_made_after_all() {
    let mut studio = Studio::new();
    let publish = |studio: &Studio| studio.app.files.publish.as_ref().is_some_and(|p| p.running().is_some());
    studio.run(crate::app::CommandId::Publish);
    studio.millis = 500;
    assert!(publish(&studio) && studio.tray().contains(&(Kind::Export, false)));
    studio.act(Act::CancelJob, Kind::Export);
    assert!(!publish(&studio) && studio.tray().contains(&(Kind::Export, true)));
    studio.act(Act::RunAgain, Kind::Export);
    assert!(publish(&studio));
}
