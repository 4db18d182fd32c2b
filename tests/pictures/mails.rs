//! Every mail of `sample_flows/`, as a contact gets it; also for the bench.

use std::{
    fs,
    path::{Path, PathBuf},
};

use flowloom::{
    app::stage::{self, History, Stage},
    audience::Channel,
    disk::{self, ImageFolder},
};

/// A mail of a sample workspace.
pub struct Mail {
    /// `watch-shop-mail-1-a`.
    pub name: String,
    /// The HTML part.
    pub html: String,
    /// The brand's image address.
    pub image_base: String,
    /// Its workspace.
    pub folder: ImageFolder,
}

/// All of them, each variant for the first contact for whom the mail can be made.
pub fn all() -> Vec<Mail> {
    let mut out = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_flows");
    let mut folders: Vec<PathBuf> = fs::read_dir(root).expect("samples").map(|e| e.expect("an entry").path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    for folder in folders {
        let home = disk::home_in(&folder).expect("a workspace");
        let audience = disk::audience_folder(&home).expect("an audience");
        let audience = disk::audience(&audience).expect("an audience").audience;
        let at = audience.events.iter().map(|event| event.accepted).max().expect("events");
        for path in disk::flow_paths(&folder).expect("flows") {
            let file = disk::flow(&path).expect("a flow");
            let flow = file.flow();
            let stage = Stage::new(flow, &home.workspace);
            for node in &flow.nodes {
                let Some(message) = stage::message_of(flow, node).filter(|m| m.channel == Channel::Email) else {
                    continue;
                };
                for variant in &message.variants {
                    let prepared = stage.prepare(node, message, variant).expect("a sound message");
                    let made = audience.contacts.iter().find_map(|contact| {
                        let history = History::of(&audience.events, &contact.id, at);
                        let event = stage.likely_entry(&history);
                        stage.render((&prepared, message, variant), contact, &history, event, at).ok()
                    });
                    let made = made.unwrap_or_else(|| panic!("nobody gets {}", message.id));
                    out.push(Mail {
                        name: format!("{}-{}-{}", flow.id, message.id, variant.id),
                        html: made.mail.html,
                        image_base: home.workspace.brand.images.clone(),
                        folder: ImageFolder(folder.clone()),
                    });
                }
            }
        }
    }
    out
}
