//! What jobs of the window need of the machine: images of workspaces, a network.

use super::{now, pictures};
use crate::{
    app::{
        jobs::{Hands, NoHands},
        mails::{
            pictures::{Drawn, PictureJob},
            send::TestJob,
        },
    },
    post::{self, Recipient, TestMail, Way},
};

/// All of it.
pub struct Machine;

/// Images alone: for a window that is a picture.
pub struct Images;

impl Hands for Machine {
    fn draw(&self, job: &PictureJob) -> Drawn {
        pictures::draw(job)
    }

    fn send(&self, job: &TestJob) -> Result<String, String> {
        let sent = || {
            let (to, way) = (Recipient::of(&job.to)?, Way::of(&job.by)?);
            let note = if matches!(way, Way::Server(..)) { format!(". {}", post::LINKS) } else { String::new() };
            let test = TestMail {
                mail: &job.made.mail,
                sender: job.sender.as_ref(),
                flow: &job.flow,
                node: &job.node,
                variant: &job.made.variant,
                contact: &job.contact,
                at: job.made.at,
                now: now(),
            };
            // A file of that name is an older test of the same mail.
            Ok(format!("{}{note}", way.send(&test, &to, true)?))
        };
        sent().map_err(|error: crate::disk::Error| error.to_string())
    }
}

impl Hands for Images {
    fn draw(&self, job: &PictureJob) -> Drawn {
        pictures::draw(job)
    }

    fn send(&self, job: &TestJob) -> Result<String, String> {
        NoHands.send(job)
    }
}
