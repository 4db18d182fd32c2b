//! `flowloom snapshot`: the studio's window, drawn without a screen.

use std::path::PathBuf;

use super::{Done, Failure, Outcome, Streams};
use crate::{
    app::{
        Answer, Command, CommandId, Panel,
        client::ClientFormat,
        files::{self, PublishAct},
        mails,
        pages::{self, PageKind},
    },
    base::NodeId,
    disk, gui,
};

/// Draw the studio's window to a PNG, without a screen
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Flow file
    #[arg(value_name = "FLOW")]
    flow: PathBuf,
    /// File of the picture
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Width and height of the window, in points: 320x240 to 4096x4096
    #[arg(long, value_name = "WxH", default_value = "1600x1000", value_parser = size)]
    size: (u32, u32),
    /// Pixels per point: 0.5 to 4
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = scale)]
    scale: f32,
    /// Look
    #[arg(long, value_enum, default_value_t = Look::Light)]
    theme: Look,
    /// A step to select
    #[arg(long, value_name = "STEP")]
    select: Option<String>,
    /// The panel below the canvas
    #[arg(long, value_enum, value_name = "PANEL")]
    panel: Option<Below>,
    /// The page in the place of the canvas
    #[arg(long, value_enum, value_name = "PAGE")]
    page: Option<InPlace>,
    /// What lies over the window
    #[arg(long, value_enum, value_name = "WHAT")]
    over: Option<Over>,
    /// An earlier version to lay beside the flow, with what differs
    #[arg(long, value_name = "FLOW", conflicts_with = "over")]
    against: Option<PathBuf>,
    /// The row of that page to choose, by name
    #[arg(long, value_name = "NAME", requires = "page")]
    row: Option<String>,
    /// What an engine said (`flowloom status --format json`): drawn as if it ran the flow now
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "FILE")]
    status: Option<PathBuf>,
    /// What of the engine is shown
    #[cfg(feature = "engine")]
    #[arg(long, value_enum, value_name = "PART", requires = "status")]
    part: Option<OfEngine>,
    /// Overwrite a file
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Look {
    Light,
    Dark,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Below {
    Problems,
    Preview,
    Timeline,
    None,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum InPlace {
    Mails,
    Matrix,
    Subjects,
    FlowSettings,
    MergeTags,
    Constants,
    Segments,
    ScoreModels,
    Events,
    Lists,
    Senders,
    CodePools,
    Audience,
    Run,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Over {
    Gallery,
    Settings,
    Shortcuts,
    Commands,
    Publish,
    SendTest,
    Client,
    /// The push of the flow to an account that has nothing yet; nobody is asked
    #[cfg(feature = "push")]
    Push,
}

/// What the run page shows.
#[cfg(feature = "engine")]
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum OfEngine {
    Overview,
    People,
    Held,
    Log,
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let parse = |part: &str| part.parse::<u32>().map_err(|_| format!("`{part}` is no number"));
    let (width, height) = text.split_once('x').ok_or("write it as 1600x1000")?;
    let (width, height) = (parse(width)?, parse(height)?);
    let fits = (320..=4096).contains(&width) && (240..=4096).contains(&height);
    if fits { Ok((width, height)) } else { Err("between 320x240 and 4096x4096".to_owned()) }
}

fn scale(text: &str) -> Result<f32, String> {
    let scale: f32 = text.parse().map_err(|_| "no number")?;
    if (0.5..=4.0).contains(&scale) { Ok(scale) } else { Err("between 0.5 and 4".to_owned()) }
}

/// Draws the picture.
pub fn run(args: &Arguments, streams: &mut Streams) -> Outcome {
    let (loaded, home) = match gui::requests::read(&args.flow) {
        Answer::Opened { loaded, home, .. } => (loaded, home),
        Answer::Failed(text) => return Err(Failure { exit_code: 2, text }),
        _ => return Err(Failure::unusable("The flow cannot be read", "Name a flow file")),
    };
    let home = std::sync::Arc::unwrap_or_clone(home);
    let dark = args.theme == Look::Dark;
    let mut studio = gui::inline::studio(Some(args.flow.clone()), *loaded, home, dark);
    if let Some(step) = &args.select {
        let id = NodeId::new(step);
        if studio.app.document().is_none_or(|document| document.flow().node(step).is_none()) {
            return Err(Failure::unusable(format!("The flow has no step `{step}`"), "Name a step by its id"));
        }
        studio.command_at_once(Command::Select { nodes: vec![id], toggle: false });
    }
    if let Some(panel) = args.panel {
        let panel = match panel {
            Below::Problems => Some(Panel::Problems),
            Below::Preview => Some(Panel::Preview),
            Below::Timeline => Some(Panel::Timeline),
            Below::None => None,
        };
        studio.command_at_once(Command::ShowPanel(panel));
    }
    if args.page == Some(InPlace::Subjects) {
        studio.command_at_once(mails::Act::ShowPart(mails::Part::Lab).into());
    }
    if let Some(page) = args.page {
        let page = match page {
            InPlace::Mails | InPlace::Subjects => PageKind::Mails,
            InPlace::Matrix => PageKind::Matrix,
            InPlace::FlowSettings => PageKind::Flow,
            InPlace::MergeTags => PageKind::Tags,
            InPlace::Constants => PageKind::Constants,
            InPlace::Segments => PageKind::Segments,
            InPlace::ScoreModels => PageKind::Scores,
            InPlace::Events => PageKind::Events,
            InPlace::Lists => PageKind::Lists,
            InPlace::Senders => PageKind::Senders,
            InPlace::CodePools => PageKind::Pools,
            InPlace::Audience => PageKind::Audience,
            InPlace::Run => PageKind::Run,
        };
        studio.command_at_once(pages::Act::Show(Some(page)).into());
        if let Some(row) = &args.row {
            studio.command_at_once(pages::Act::Choose(page, Some(row.into())).into());
        }
    }
    #[cfg(feature = "engine")]
    engine(args, &mut studio)?;
    if let Some(over) = args.over {
        let command = match over {
            Over::Gallery => CommandId::Gallery,
            Over::Settings => CommandId::Settings,
            Over::Shortcuts => CommandId::Shortcuts,
            Over::Commands => CommandId::CommandPalette,
            Over::SendTest => CommandId::SendTest,
            Over::Publish | Over::Client => CommandId::Publish,
            #[cfg(feature = "push")]
            Over::Push => CommandId::Publish,
        };
        studio.command_at_once(command.into());
        if over == Over::Client {
            let act = PublishAct::Client(ClientFormat::default());
            studio.command_at_once(Command::Files(files::Act::Publish(act)));
        }
    }
    #[cfg(feature = "push")]
    if args.over == Some(Over::Push) {
        // The export that is pushed is made in the first frame.
        studio.picture(args.size, args.scale, dark);
        push(&mut studio)?;
    }
    if let Some(path) = &args.against {
        let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into());
        let loaded = Ok(Box::new(disk::flow(path)?.loaded));
        studio.command_at_once(CommandId::CompareWith.into());
        studio.command_at_once(Command::Answer(files::Told::ToCompare { name, loaded }.into()));
    }
    disk::file(&args.out, &studio.picture(args.size, args.scale, dark), args.force)?;
    streams.say(&format!("{}\n", args.out.display()));
    Ok(Done::Well)
}

/// Shows the studio what a push to an empty account would do.
#[cfg(feature = "push")]
fn push(studio: &mut gui::Studio) -> Result<(), Failure> {
    use crate::{
        app::files::push::{PushAct, PushTold},
        platforms::push::{Account, KeyPlace, Pushed},
    };
    studio.command_at_once(Command::Files(files::Act::Push(PushAct::Open)));
    let Some(id) = studio.app.files.push.as_ref().and_then(|push| push.running()).map(|running| running.id) else {
        return Err(Failure::refused("The flow cannot be pushed", "Mend what flowloom check says of it"));
    };
    let result = Ok(Box::new((Account::default(), Pushed::default(), KeyPlace::Keyring)));
    let told = files::Told::Push(PushTold::Looked { id, result, draft: None });
    studio.command_at_once(Command::Answer(told.into()));
    Ok(())
}

/// Shows the studio what an engine said, as if one ran.
#[cfg(feature = "engine")]
fn engine(args: &Arguments, studio: &mut gui::Studio) -> Result<(), Failure> {
    use crate::app::run::{self, Part, Told};
    let Some(path) = &args.status else { return Ok(()) };
    let text = disk::text(path)?.text;
    let status: crate::engine::status::Status = serde_json::from_str(&text).map_err(|error| {
        Failure::unusable(
            format!("{} is no status of an engine: {error}", path.display()),
            "Write one with flowloom status --data DIR --format json",
        )
    })?;
    // An engine belongs to a folder beside the flow's.
    studio.command_at_once(pages::Act::Show(Some(PageKind::Run)).into());
    let Some(data) = studio.app.run.data() else { return Ok(()) };
    let address = format!("http://{}", run::LISTEN);
    let told = Told::Running { data, address, has_process: true, status: Box::new(status) };
    studio.command_at_once(Command::Answer(Answer::Engine(Box::new(told))));
    let part = args.part.map(|part| match part {
        OfEngine::Overview => Part::Overview,
        OfEngine::People => Part::People,
        OfEngine::Held => Part::Held,
        OfEngine::Log => Part::Log,
    });
    if let Some(part) = part {
        studio.command_at_once(run::Act::Show(part).into());
    }
    if args.page != Some(InPlace::Run) {
        let page = studio.app.document().and_then(|document| document.view.page);
        if page == Some(PageKind::Run) {
            studio.command_at_once(pages::Act::Show(None).into());
        }
    }
    Ok(())
}
