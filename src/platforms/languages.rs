//! Messages that speak several languages, on targets that choose inside a template.
//!
//! The one idea: where each language has one variant, the target gets one message whose parts are conditional content
//! over the contact's language. A test inside a language cannot be written that way, so there the variants for
//! everybody go out, and the loss says so. Which language is chosen is said in `content` alone
//! ([`Message::language_for`]).

use super::{Notes, templates::Template};
use crate::{
    base::Place,
    content::{Message, Variant},
    flow::Target,
};

/// Variants by language, that of contacts without a known one first, the others with the nearest tag first.
fn by_language(message: &Message) -> Vec<(Option<&str>, Vec<&Variant>)> {
    let default = message.language_for(None);
    let of = |language| message.variants.iter().filter(move |v| Message::is_for(v, language)).collect::<Vec<_>>();
    let mut out = vec![(default, of(default))];
    let mut others: Vec<&str> = Vec::new();
    for tag in message.variants.iter().filter_map(|variant| variant.language.as_deref()) {
        let is_known = default.into_iter().chain(others.iter().copied()).any(|known| known.eq_ignore_ascii_case(tag));
        if !is_known {
            others.push(tag);
        }
    }
    // `de-AT` is asked for before `de`.
    others.sort_by_key(|tag| std::cmp::Reverse(tag.len()));
    out.extend(others.into_iter().map(|tag| (Some(tag), of(Some(tag)))));
    out
}

/// The variants that become messages of their own on a target; what that costs goes to the notes.
pub(super) fn arms<'a>(target: Target, message: &'a Message, notes: &mut Notes) -> Vec<&'a Variant> {
    let mut groups = by_language(message);
    let others: Vec<&str> = groups.iter().skip(1).filter_map(|(tag, _)| *tag).collect();
    if !others.is_empty() && target != Target::Engine {
        let place = Place::message(&message.id);
        let others = others.join(", ");
        if is_conditional(&groups) {
            let (code, property) = match target {
                Target::Hubspot => ("hubspot/languages", "hs_language, and needs programmable e-mail"),
                _ => ("klaviyo/languages", "language"),
            };
            notes.approximate(
                code,
                place,
                format!("The variants in {others} become conditional content by the contact property {property}"),
                "Keep the language of each contact in this property, as de or pt-br",
            );
        } else {
            let code = if target == Target::Hubspot { "hubspot/languages" } else { "klaviyo/languages" };
            notes.impossible(
                code,
                place,
                format!(
                    "A test inside a language cannot be written there: the variants in {others} are left out, everybody gets the others"
                ),
                "Keep one variant for each language, or branch by language in the flow and send a message of its own",
            );
        }
    }
    groups.swap_remove(0).1
}

fn is_conditional(groups: &[(Option<&str>, Vec<&Variant>)]) -> bool {
    groups.len() > 1 && groups.iter().all(|(_, variants)| variants.len() == 1)
}

/// The variants of other languages that stand as conditional content beside this one, with their conditions.
pub(super) fn beside<'a>(target: Target, message: &'a Message, variant: &Variant) -> Vec<(String, &'a Variant)> {
    let groups = by_language(message);
    let is_default = groups.first().is_some_and(|(_, own)| own.iter().any(|own| own.id == variant.id));
    if target == Target::Engine || !is_default || !is_conditional(&groups) {
        return Vec::new();
    }
    let others = groups.into_iter().skip(1);
    others.filter_map(|(tag, variants)| Some((condition(target, tag?), *variants.first()?))).collect()
}

/// Whether a contact reads a language, as the target's template asks it. Tags hold letters, digits and `-` only.
fn condition(target: Target, tag: &str) -> String {
    let tag: String = tag.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let tag = tag.to_ascii_lowercase();
    match target {
        Target::Hubspot => {
            format!("contact.hs_language == '{tag}' or contact.hs_language is string_startingwith '{tag}-'")
        }
        _ => {
            let own = "person|lookup:'language'|default:''|lower";
            format!("{own} == '{tag}' or {own}|slice:':{}' == '{tag}-'", tag.len() + 1)
        }
    }
}

/// One template of several: each part as it is where all say the same, else chosen by language.
pub(super) fn merged(own: Template, others: Vec<(String, Template)>) -> Template {
    let part = |of: fn(&Template) -> &String| {
        let own = of(&own);
        if others.iter().all(|(_, other)| of(other) == own) {
            return own.clone();
        }
        chosen(others.iter().map(|(condition, other)| (condition.clone(), of(other).clone())), own)
    };
    let mut prepared = own.prepared.clone();
    prepared.extend(others.iter().flat_map(|(_, other)| other.prepared.iter().cloned()));
    prepared.sort_unstable();
    prepared.dedup();
    Template {
        subject: part(|t| &t.subject),
        preheader: part(|t| &t.preheader),
        html: part(|t| &t.html),
        text: part(|t| &t.text),
        prepared,
        known_as: None,
    }
}

/// The template for each language of one that [`merged`] made: by tag in its order, then for everybody else. `None`
/// where it chooses by no language, or in a form that is not ours.
pub(super) fn parted(target: Target, template: &Template) -> Option<(Vec<(String, Template)>, Template)> {
    type Part<'t> = (&'t str, fn(&mut Template, String));
    let parts: [Part<'_>; 4] = [
        (&template.subject, |t, text| t.subject = text),
        (&template.preheader, |t, text| t.preheader = text),
        (&template.html, |t, text| t.html = text),
        (&template.text, |t, text| t.text = text),
    ];
    let mut own = template.clone();
    let mut others: Option<Vec<(String, Template)>> = None;
    for (text, set) in parts {
        let Some((arms, rest)) = split(target, text) else { continue };
        let known = others.get_or_insert_with(|| arms.iter().map(|(tag, _)| (tag.clone(), template.clone())).collect());
        if known.len() != arms.len() || known.iter().zip(&arms).any(|((known, _), (tag, _))| known != tag) {
            return None;
        }
        set(&mut own, rest.to_owned());
        known.iter_mut().zip(arms).for_each(|((_, other), (_, text))| set(other, text.to_owned()));
    }
    others.map(|others| (others, own))
}

/// Does something with a text in each of its languages.
pub(super) fn each(target: Target, text: &str, make: impl Fn(&str) -> String) -> String {
    let Some((others, own)) = split(target, text) else { return make(text) };
    let others = others.into_iter().map(|(tag, text)| (condition(target, &tag), make(text)));
    chosen(others, &make(own))
}

/// Conditional content: texts by condition, then for everybody else.
fn chosen(others: impl Iterator<Item = (String, String)>, own: &str) -> String {
    let mut out = String::new();
    for (n, (condition, other)) in others.enumerate() {
        let word = if n == 0 { "if" } else { "elif" };
        out.push_str(&format!("{{% {word} {condition} %}}{other}"));
    }
    out.push_str(&format!("{{% else %}}{own}{{% endif %}}"));
    out
}

/// The inverse of [`chosen`] over languages.
fn split(target: Target, text: &str) -> Option<(Vec<(String, &str)>, &str)> {
    let mut rest = text.strip_prefix("{% if ")?;
    let mut others = Vec::new();
    loop {
        let (asked, after) = rest.split_once(" %}")?;
        let tag = asked.split_once("== '")?.1.split_once('\'')?.0;
        if condition(target, tag) != asked {
            return None;
        }
        let (body, word) = after.split_at(arm_end(after)?);
        others.push((tag.to_owned(), body));
        if let Some(last) = word.strip_prefix("{% else %}") {
            let (own, end) = last.split_at(arm_end(last)?);
            return (end == "{% endif %}").then_some((others, own));
        }
        rest = word.strip_prefix("{% elif ")?;
    }
}

/// Where the statement stands that ends an arm of a condition.
fn arm_end(text: &str) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(found) = text.get(at..)?.find("{%") {
        let here = at + found;
        let inside = text.get(here + 2..)?.trim_start_matches('-').trim_start();
        let word = inside.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        at = here + 2;
        match word {
            "if" | "unless" => depth += 1,
            "endif" | "elif" | "else" if depth == 0 => return Some(here),
            "endif" | "endunless" => depth = depth.saturating_sub(1),
            // What stands inside is text.
            "raw" | "verbatim" | "comment" => at += text.get(at..)?.find(&format!("end{word}"))?,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(variants: &str) -> Message {
        Message::from_ron(&format!("(id: \"m\", variants: [{variants}])")).expect("reads")
    }

    fn check(variants: &str, target: Target, ids: &[&str], losses: &[&str]) {
        let message = message(variants);
        let mut notes = Notes::default();
        let arms: Vec<&str> = arms(target, &message, &mut notes).iter().map(|v| v.id.as_str()).collect();
        assert_eq!(arms, ids, "{variants}");
        let found: Vec<String> = notes.losses.iter().map(|loss| format!("{:?} {}", loss.kind, loss.code)).collect();
        assert_eq!(found, losses, "{variants}");
    }

    #[test]
    fn one_variant_a_language_becomes_conditional_content() {
        let both = r#"(id: "a", subject: "Hi"), (id: "d", language: "de", subject: "Hallo"), (id: "at", language: "de-AT", subject: "Servus")"#;
        check(both, Target::Klaviyo, &["a"], &["Approximate klaviyo/languages"]);
        check(both, Target::Hubspot, &["a"], &["Approximate hubspot/languages"]);
        check(r#"(id: "a"), (id: "b")"#, Target::Klaviyo, &["a", "b"], &[]);
        check(
            r#"(id: "a"), (id: "b"), (id: "d", language: "de")"#,
            Target::Klaviyo,
            &["a", "b"],
            &["NotPossible klaviyo/languages"],
        );
        let message = message(both);
        let tags: Vec<&str> =
            beside(Target::Klaviyo, &message, &message.variants[0]).iter().map(|(_, v)| v.id.as_str()).collect();
        assert_eq!(tags, ["at", "d"]);
        assert!(beside(Target::Klaviyo, &message, &message.variants[1]).is_empty());
        let template = |subject: &str| Template { subject: subject.into(), html: "same".into(), ..Template::default() };
        let one = merged(template("Hi"), vec![(condition(Target::Hubspot, "de"), template("Hallo"))]);
        assert_eq!(one.html, "same");
        assert_eq!(
            one.subject,
            "{% if contact.hs_language == 'de' or contact.hs_language is string_startingwith 'de-' %}Hallo{% else %}Hi{% endif %}"
        );
    }

    #[test]
    fn languages_come_apart_again() {
        let template = |subject: &str, html: &str| Template {
            subject: subject.into(),
            html: html.into(),
            text: "same".into(),
            ..Template::default()
        };
        let html = "<p>{% if a %}x{% elif b %}y{% else %}z{% endif %}{% raw %}{% else %}{% endraw %}</p>";
        for target in [Target::Klaviyo, Target::Hubspot] {
            let own = template("Hi", html);
            let others = [("de-at", template("Servus", "<p>at</p>")), ("de", template("Hallo", html))];
            let conditions = others.iter().map(|(tag, t)| (condition(target, tag), t.clone())).collect();
            let one = merged(own.clone(), conditions);
            let (back, rest) = parted(target, &one).expect("languages");
            let tags: Vec<(&str, &Template)> = back.iter().map(|(tag, t)| (tag.as_str(), t)).collect();
            assert_eq!(tags, others.iter().map(|(tag, t)| (*tag, t)).collect::<Vec<_>>());
            assert_eq!(rest, own);
            assert_eq!(each(target, &one.html, str::to_owned), one.html);
        }
        for other in ["", "{% if x %}a{% else %}b{% endif %}", "{% if contact.hs_language == 'de' %}a{% endif %}"] {
            let whole =
                "{% if contact.hs_language == 'de' or contact.hs_language is string_startingwith 'de-' %}a{% endif %}";
            assert_eq!(parted(Target::Hubspot, &template(other, whole)), None, "{other}");
        }
    }
}
