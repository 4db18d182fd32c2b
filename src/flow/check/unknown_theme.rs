//! `workspace/unknown-theme`

use super::{CheckSpec, Finding, Workspace, WorkspaceCheck};
use crate::{
    base::{Place, Severity, nearest},
    content::{THEMES, theme},
};

pub(super) const CHECK: WorkspaceCheck = WorkspaceCheck {
    spec: CheckSpec {
        code: "workspace/unknown-theme",
        severity: Severity::Error,
        title: "Unknown theme",
        what: "The brand names a theme that does not exist.",
        why: "Mails would look plain instead of as chosen.",
        example: "brand: (theme: \"sofd\")",
        fix: "Name one that there is: plain, editorial, bold or soft.",
        source: "assets/themes",
    },
    run,
};

fn run(workspace: &Workspace, out: &mut Vec<Finding>) {
    let name = workspace.brand.theme.as_str();
    if theme(name).is_none() {
        let near = nearest::hint(name, THEMES);
        let all = format!("Themes: {}", THEMES.join(", "));
        let place = Place::default().with_field("brand.theme");
        let finding = CHECK.spec.at(place, format!("There is no theme `{name}`"));
        out.push(finding.hint(if near.is_empty() { all } else { format!("{near} {all}") }));
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::check_places, *};

    #[test]
    fn fixtures() {
        check_places(&CHECK, r#"brand: (theme: "sofd")"#, &["brand.theme"]);
        check_places(&CHECK, r#"brand: (theme: "soft")"#, &[]);
        check_places(&CHECK, "", &[]);
        let workspace = Workspace {
            brand: crate::content::Brand::of_theme("sofd"),
            ..Workspace::default()
        };
        let mut out = Vec::new();
        run(&workspace, &mut out);
        let hint = &out[0].diagnostic.hint;
        assert!(THEMES.iter().all(|name| hint.contains(name)), "{hint}");
    }
}
