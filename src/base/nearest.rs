//! "Did you mean …?": the known name nearest to a misspelt one.

/// The candidate with the least edit distance to `name`, if it is near enough to be worth a hint
/// (a third of the letters, at least one), else `None`. Equal distances: the first candidate.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = fold(name);
    let limit = (name.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&name, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A hint sentence "did you mean `x`?", or one that lists some of the known names.
pub fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(found) = nearest(name, candidates.iter().copied()) {
        return format!("Did you mean `{found}`?");
    }
    match candidates.len() {
        0 => "None is declared yet".to_owned(),
        _ => {
            let shown: Vec<String> = candidates.iter().take(6).map(|c| format!("`{c}`")).collect();
            let more = if candidates.len() > 6 { ", …" } else { "" };
            format!("Known: {}{more}", shown.join(", "))
        }
    }
}

fn fold(name: &str) -> Vec<char> {
    name.chars().take(64).flat_map(char::to_lowercase).map(|c| if matches!(c, '-' | ' ') { '_' } else { c }).collect()
}

/// Edit distance with swaps of neighbours counted as one (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_near_name() {
        let known = ["cart_value", "first_name", "item_count"];
        for (name, expected) in [("cart_vlaue", Some("cart_value")), ("First Name", Some("first_name")), ("zzz", None)]
        {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
    }
}
