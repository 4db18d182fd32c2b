//! What a client gets, put together: the mails of chosen contacts, the hand-over page, the pictures.
//!
//! The one idea: the room `report` writes pages from values; the values come from here, the same for the window and for
//! the command line. Deliberately not here: drawing mails (the caller does, where it can), files, the clock.

use std::{borrow::Cow, collections::BTreeSet};

use super::{
    hand_over,
    ops::layout::{Flowing, layout},
    stage::{self, History, Stage},
};
use crate::{
    audience::{Audience, Channel, Contact},
    base::{ContactId, Diagnostic, Instant, Severity},
    content::{Completeness, Message, RenderedMail, TagState, Variant},
    flow::{Flow, Node, Workspace},
    report::{
        About,
        diagram::{self, Diagram, Paper},
        document::{MailSample, MailSheet, Material, page},
        look,
    },
};

/// What a client can be given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum ClientFormat {
    /// The hand-over page.
    #[default]
    Document,
    /// The picture on sheets of paper.
    Pdf,
    /// The picture as vectors.
    Svg,
    /// The picture as pixels.
    Png,
    /// The picture as Mermaid text.
    Mermaid,
}

impl ClientFormat {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Document, Self::Pdf, Self::Svg, Self::Png, Self::Mermaid];

    /// What people read.
    pub fn title(self) -> &'static str {
        match self {
            Self::Document => "Document",
            Self::Pdf => "Picture as PDF",
            Self::Svg => "Picture as SVG",
            Self::Png => "Picture as PNG",
            Self::Mermaid => "Mermaid text",
        }
    }

    /// What it is good for; no full stop.
    pub fn help(self) -> &'static str {
        match self {
            Self::Document => "One page to read, print and sign: picture, steps, messages, times, losses, set-up",
            Self::Pdf => "The picture of the flow on sheets of paper",
            Self::Svg => "The picture of the flow in vectors, for slides and other documents",
            Self::Png => "The picture of the flow in pixels",
            Self::Mermaid => "The flow as text that wikis and issue trackers draw",
        }
    }

    /// What a sentence calls its file.
    pub fn what(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Mermaid => "text",
            _ => "picture",
        }
    }

    /// How its files end.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Document => "html",
            Self::Pdf => "pdf",
            Self::Svg => "svg",
            Self::Png => "png",
            Self::Mermaid => "mmd",
        }
    }
}

/// Everything that a client's files are made of.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// The flow.
    pub flow: &'a Flow,
    /// Its workspace.
    pub workspace: &'a Workspace,
    /// The other flows of the workspace.
    pub neighbours: &'a [Flow],
    /// Sample contacts; may be empty.
    pub audience: &'a Audience,
    /// The date in words, for the title; may be empty.
    pub date: &'a str,
    /// The sheets of a PDF.
    pub paper: Paper,
    /// Pixels of a PNG for a canvas unit.
    pub scale: f32,
    /// For whom mails are shown; three that differ most where empty.
    pub contacts: &'a [ContactId],
}

/// Who can draw mails and knows the images of the workspace.
pub trait Outside {
    /// An HTML mail as a PNG file; `None` where it cannot be drawn.
    fn draw(&mut self, html: &str) -> Option<Vec<u8>>;
    /// An image of the workspace by its path.
    fn image(&mut self, path: &str) -> Option<Vec<u8>>;
    /// Told before each mail how much is done (0..=1); says whether to go on.
    fn keeps_on(&mut self, done: f32) -> bool;
}

/// The file of a format; `None` where [`Outside::keeps_on`] said no.
///
/// Errors: why it cannot be made, with a way out.
pub fn file(client: &Client<'_>, format: ClientFormat, outside: &mut dyn Outside) -> Option<Result<Vec<u8>, String>> {
    let placed = placed(client.flow);
    let flow: &Flow = &placed;
    let client = Client { flow, ..*client };
    let about = About::new(flow, client.workspace, client.date);
    let accent = look::accent(&client.workspace.brand);
    let diagram = || Diagram::new(flow, client.workspace);
    let title =
        if about.client.is_empty() { about.name.clone() } else { format!("{} \u{b7} {}", about.name, about.client) };
    Some(match format {
        ClientFormat::Document => return document(&client, &about, outside).map(|text| Ok(text.into_bytes())),
        ClientFormat::Pdf => diagram::pdf(&diagram::pages(&diagram(), &about, accent, client.paper), &title),
        ClientFormat::Svg => Ok(diagram::svg(&diagram::whole(&diagram(), &about, accent), &title).into_bytes()),
        ClientFormat::Png => png(&diagram::whole(&diagram(), &about, accent), client.scale),
        ClientFormat::Mermaid => Ok(diagram::mermaid(flow, client.workspace).into_bytes()),
    })
}

#[cfg(feature = "picture")]
fn png(scene: &crate::report::scene::Scene, scale: f32) -> Result<Vec<u8>, String> {
    diagram::png(scene, scale)
}

#[cfg(not(feature = "picture"))]
fn png(_: &crate::report::scene::Scene, _: f32) -> Result<Vec<u8>, String> {
    Err("This build draws no pixels; ask for SVG or PDF, or build it with the feature `picture`".to_owned())
}

/// The flow with a layout, where its file gives the steps no places of their own.
fn placed(flow: &Flow) -> Cow<'_, Flow> {
    let mut places = BTreeSet::new();
    let steps = flow.nodes.iter().filter(|node| node.kind != "note");
    let doubled = steps.filter(|node| !places.insert((node.pos.0.to_bits(), node.pos.1.to_bits()))).count();
    if doubled == 0 {
        return Cow::Borrowed(flow);
    }
    let mut laid = flow.clone();
    for edit in layout(flow, &BTreeSet::new(), Flowing::Down) {
        // A move that is refused leaves a step where it was, and the picture moves it aside.
        if let Ok(next) = laid.apply(&edit) {
            laid = next;
        }
    }
    Cow::Owned(laid)
}

fn document(client: &Client<'_>, about: &About, outside: &mut dyn Outside) -> Option<String> {
    let brand = &client.workspace.brand;
    let path =
        brand.logo.strip_prefix(brand.images.as_str()).filter(|_| !brand.images.is_empty()).unwrap_or(&brand.logo);
    let logo = if path.is_empty() || path.contains("://") { None } else { outside.image(path) };
    let mails = sheets(client, outside)?;
    let material = Material {
        flow: client.flow,
        workspace: client.workspace,
        neighbours: client.neighbours,
        about,
        logo: logo.as_deref(),
        audience: client.audience,
        mails: &mails,
    };
    Some(page(&material))
}

/// Three contacts that differ most in what is known of them, each with the reason; fewer where there are fewer.
fn chosen<'a>(client: &Client<'a>, at: Instant) -> Vec<(&'a Contact, &'static str)> {
    let three = hand_over::three(client.flow, client.workspace, client.audience, at);
    let why = |whom: &str| match whom {
        hand_over::FILLED => "Most is known",
        hand_over::EMPTIEST => "Least is known",
        _ => "In between",
    };
    let contact = |id: &ContactId| client.audience.contacts.iter().find(|contact| contact.id == *id);
    three.into_iter().filter_map(|(id, whom)| Some((contact(&id)?, why(whom)))).collect()
}

/// Every message as the chosen contacts read it: of a message with several versions, the first for all of them and each
/// other for the first contact.
fn sheets(client: &Client<'_>, outside: &mut dyn Outside) -> Option<Vec<MailSheet>> {
    let Client { flow, workspace, audience, .. } = client;
    let stage = Stage::new(flow, workspace);
    let newest = audience.events.iter().map(|event| event.accepted).max();
    let at = newest.unwrap_or(Instant::from_millis(0));
    let contacts: Vec<(&Contact, &str)> = if client.contacts.is_empty() {
        chosen(client, at)
    } else {
        let wanted = client.contacts.iter();
        wanted.filter_map(|id| Some((audience.contacts.iter().find(|contact| contact.id == *id)?, ""))).collect()
    };
    let sends: Vec<(&Node, &Message, usize, &Variant)> = flow
        .nodes
        .iter()
        .filter_map(|node| Some((&**node, stage::message_of(flow, node)?)))
        .flat_map(|(node, message)| {
            message.variants.iter().enumerate().map(move |(n, variant)| (node, message, n, variant))
        })
        .collect();
    let num_mails: usize =
        sends.iter().map(|(.., n, _)| if *n == 0 { contacts.len() } else { contacts.len().min(1) }).sum();
    let mut done = 0;
    let mut out = Vec::with_capacity(sends.len());
    for (node, message, n, variant) in sends {
        let mut sheet =
            MailSheet { node: node.id.clone(), variant: variant.id.clone(), samples: Vec::new(), fault: String::new() };
        match stage.prepare(node, message, variant) {
            Err(found) => sheet.fault = faults(&found),
            Ok(prepared) => {
                for (contact, why) in contacts.iter().take(if n == 0 { usize::MAX } else { 1 }) {
                    if !outside.keeps_on(done as f32 / num_mails.max(1) as f32) {
                        return None;
                    }
                    done += 1;
                    let history = History::of(&audience.events, &contact.id, at);
                    let event = stage.likely_entry(&history);
                    match stage.render((&prepared, message, variant), contact, &history, event, at) {
                        Ok(made) => sheet.samples.push(sample(made.mail, message.channel, contact, why, outside)),
                        Err(found) => sheet.fault = faults(&[found]),
                    }
                }
            }
        }
        out.push(sheet);
    }
    Some(out)
}

fn faults(found: &[Diagnostic]) -> String {
    let errors = found.iter().filter(|found| found.severity == Severity::Error);
    errors.map(|found| found.message.as_str()).collect::<Vec<_>>().join("; ")
}

fn sample(mail: RenderedMail, channel: Channel, contact: &Contact, why: &str, outside: &mut dyn Outside) -> MailSample {
    let held = match mail.completeness() {
        Completeness::Complete => String::new(),
        Completeness::Incomplete(tags) => format!("Not sent to them: there is no value for {}", tags.join(", ")),
        Completeness::Empty => "Not sent to them: there is nothing to read in it".to_owned(),
        Completeness::Leftover(text) => format!("Not sent to them: something is left in it: {text}"),
    };
    let fallbacks = mail.tags.iter().filter(|tag| tag.state == TagState::Fallback).map(|tag| tag.name.clone());
    let mut fallbacks: Vec<String> = fallbacks.collect();
    fallbacks.dedup();
    let is_email = channel == Channel::Email && !mail.html.is_empty();
    MailSample {
        who: stage::name(contact),
        why: why.to_owned(),
        picture: if is_email { outside.draw(&mail.html) } else { None },
        fallbacks,
        held,
        subject: mail.subject,
        preheader: mail.preheader,
        text: mail.text,
        html: mail.html,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::files::samples;

    /// Draws nothing; ends after so many mails.
    struct Blind(usize);

    impl Outside for Blind {
        fn draw(&mut self, _: &str) -> Option<Vec<u8>> {
            None
        }
        fn image(&mut self, path: &str) -> Option<Vec<u8>> {
            (path == "logo.png").then(|| b"\x89PNG".to_vec())
        }
        fn keeps_on(&mut self, done: f32) -> bool {
            assert!((0.0..=1.0).contains(&done));
            self.0 = self.0.saturating_sub(1);
            self.0 > 0
        }
    }

    fn check(format: ClientFormat, most: usize) -> Option<Vec<u8>> {
        let flow = samples::read("watch-shop", "watch-shop").expect("reads").flow;
        let home = samples::home("watch-shop", "watch-shop");
        let client = Client {
            flow: &flow,
            workspace: &home.workspace,
            neighbours: &home.other_flows,
            audience: &home.audience,
            date: "26 November 2026",
            paper: Paper::Auto,
            scale: 1.0,
            contacts: &[],
        };
        file(&client, format, &mut Blind(most)).map(|made| made.expect("is made"))
    }

    #[test]
    fn the_page_is_made_whole_or_not_at_all() {
        let html = String::from_utf8(check(ClientFormat::Document, 1_000).expect("made")).expect("text");
        assert!(
            html.contains("Most is known")
                && html.contains("26 November 2026")
                && html.contains("data:image/png;base64,iVBORw==")
        );
        assert_eq!(html.matches("<iframe").count(), 9, "three mails for three contacts");
        assert_eq!(check(ClientFormat::Document, 4), None, "cancelled");
    }

    #[test]
    fn every_format_but_pixels_needs_no_renderer() {
        let starts =
            |format, start: &[u8]| assert!(check(format, 1_000).expect("made").starts_with(start), "{format:?}");
        starts(ClientFormat::Svg, b"<svg ");
        starts(ClientFormat::Pdf, b"%PDF-");
        starts(ClientFormat::Mermaid, b"flowchart");
        #[cfg(feature = "picture")]
        starts(ClientFormat::Png, b"\x89PNG");
    }

    #[test]
    fn steps_without_places_are_laid_out() {
        let text = r#"(version: 2, id: "f", name: "F", nodes: [(id: "a", kind: "trigger"), (id: "b", kind: "exit")], edges: [(from: "a", to: "b")])"#;
        let flow = crate::flow::file::read(text).expect("reads").flow;
        let placed = placed(&flow);
        assert_ne!(placed.nodes[0].pos, placed.nodes[1].pos);
    }
}
