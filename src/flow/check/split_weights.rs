//! `split/weights`

use super::{Check, CheckSpec, Context, Finding};
use crate::{
    base::{Place, Severity},
    flow::Edit,
    kinds::Settings,
};

pub(super) const CHECK: Check = Check {
    spec: CheckSpec {
        code: "split/weights",
        severity: Severity::Error,
        title: "Weights of a split that do not come to 100",
        what: "The weights of the arms are percents with up to two decimals, none below 0, and come to 100 together.",
        why: "Weights that come to 90 leave a tenth of the contacts to a guess, which no platform makes alike.",
        example: "arms: [(name: \"a\", weight: 50), (name: \"b\", weight: 40)]",
        fix: "Scale them: 55.56 and 44.44.",
        source: "SEMANTICS R19",
    },
    run,
};

/// Weights as hundredths of a percent; `None` where one is below 0, above 100, or finer than that.
fn cents(weights: impl Iterator<Item = f64>) -> Option<Vec<i64>> {
    weights
        .map(|weight| {
            let cents = (weight * 100.0).round();
            ((0.0..=10_000.0).contains(&cents) && (weight * 100.0 - cents).abs() < 1e-6).then_some(cents as i64)
        })
        .collect()
}

fn run(cx: &Context<'_>, out: &mut Vec<Finding>) {
    for (_, node, settings) in cx.steps() {
        let Settings::Split(split) = settings else { continue };
        if cents(split.arms.iter().map(|arm| arm.weight)).is_some_and(|c| c.iter().sum::<i64>() == 10_000) {
            continue;
        }
        if split.arms.is_empty() {
            continue;
        }
        let total: f64 = split.arms.iter().map(|arm| arm.weight).sum();
        let message =
            format!("The weights of `{}` come to {}, not to 100", node.id, crate::audience::print_number(total));
        let message = if (total - 100.0).abs() < 0.005 {
            format!("A weight of `{}` is below 0 or finer than hundredths of a percent", node.id)
        } else {
            message
        };
        let finding = CHECK.spec.at(Place::node(&node.id).with_field("arms"), message).hint("Scale them to 100");
        let positive: Vec<f64> = split
            .arms
            .iter()
            .map(|arm| if arm.weight.is_finite() { arm.weight.clamp(0.0, 1e9) } else { 0.0 })
            .collect();
        let sum: f64 = positive.iter().sum();
        let mut scaled = split.clone();
        let mut left = 10_000_i64;
        let num_arms = positive.len() as i64;
        for (n, (arm, weight)) in scaled.arms.iter_mut().zip(&positive).enumerate() {
            let share = if sum > 0.0 { (weight / sum * 10_000.0).round() as i64 } else { 10_000 / num_arms };
            // The last arm takes what rounding left.
            let share = if n as i64 + 1 == num_arms { left } else { share.min(left) };
            left -= share;
            arm.weight = share as f64 / 100.0;
        }
        let arms = crate::kinds::ron_options().to_string(&scaled.arms);
        out.push(match arms {
            Ok(arms) => finding.fix(
                "Scale the weights to 100",
                vec![Edit::SetField { id: node.id.clone(), field: "arms".into(), value: Some(arms) }],
            ),
            Err(_) => finding,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::on, *};

    fn split(weights: &[&str]) -> super::super::fixture::Fixture {
        let arms: Vec<String> = weights
            .iter()
            .enumerate()
            .map(|(n, w)| format!("(name: \"{n}\", weight: {w}, hold_out: {})", n == 0))
            .collect();
        on(&format!("nodes: [(id: \"s\", kind: \"split\", settings: (salt: \"x\", arms: [{}]))]", arms.join(", ")))
    }

    #[test]
    fn fixtures() {
        for weights in [
            &["50", "40"][..],
            &["0", "0"],
            &["1", "1", "1"],
            &["-20", "120"],
            &["50.001", "49.999"],
            &["1e300", "2"],
            &["33.33", "33.33", "33.33"],
        ] {
            split(weights).mends(&CHECK, &["step s, arms"]);
        }
        for weights in [&["50", "50"][..], &["33.33", "33.33", "33.34"], &["100", "0"], &["99.99", "0.01"]] {
            split(weights).silent(&CHECK);
        }
    }
}
