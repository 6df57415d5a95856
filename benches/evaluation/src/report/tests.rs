//! A small evaluation from pasts to page.

use crate::{
    attackers::Model,
    bars::bars,
    metrics::{Estimate, Frequency, Group, Step},
    organisation::{Organisation, Size},
    own::Told,
    product::Source,
    report::{Documentation, console, lines, page},
    run::{Evaluation, Running},
    world::tests::world,
};

/// Two small organisations; as the product's score stands the line's number, so that it is known.
fn evaluation() -> Evaluation {
    let folder = tempfile::tempdir().unwrap();
    let scores = Source::Scores(folder.path().to_owned());
    let mut running = Running::new(world(), Some(&scores), folder.path());
    for seed in [1, 2] {
        let organisation = Organisation::generate(world(), seed, Size::QUICK).unwrap();
        let text: String = organisation
            .labels
            .iter()
            .map(|label| {
                format!("{{\"n\":{0},\"user\":\"x\",\"score\":{0},\"reasons\":[],\"alert\":true}}\n", label.n)
            })
            .collect();
        std::fs::write(folder.path().join(format!("{seed}.jsonl")), text).unwrap();
        running.add(organisation).unwrap();
    }
    running.finish("tuning", 20, |_| {})
}

#[test]
fn the_page_stands_alone_and_has_all_ways_to_score() {
    let evaluation = evaluation();
    let page = page(&evaluation).unwrap();
    for name in ["vpn-sensor", "speed", "first-country", "new-address", "published-ratio", "very-targeted"] {
        assert!(page.contains(name), "{name}");
    }
    assert!(page.matches("<svg").count() >= 17);
    for loads in ["http://", "https://", "src=", "<script", "<link", "@import", "NaN"] {
        // The name of SVG's vocabulary is no address that is loaded.
        let found = page.replace("http://www.w3.org/2000/svg", "").contains(loads);
        assert!(!found, "{loads}");
    }
    assert!(console(&evaluation).contains("published-ratio"));
    // Scores that are line numbers say nothing.
    assert!(!evaluation.below_others().is_empty());
    let own = evaluation.scored[0].own.as_ref().unwrap();
    let attacks: usize = evaluation.organisations.iter().map(|it| it.attack_starts).sum();
    // Every Start is an alert of theirs.
    assert_eq!(own.attacks, Told { told: attacks, of: attacks });
    let (attackers, starts, days) = evaluation.scored[0].sample.counts();
    assert_eq!(own.genuine, Told { told: starts, of: starts });
    assert_eq!((own.days.told, own.days.of as f64), (days, evaluation.scored[0].sample.user_days()));
    assert_eq!(own.attackers.values().map(|it| it.told).sum::<usize>(), attackers);
}

#[test]
fn each_bar_stands_beside_its_figure_in_every_form_met_or_not() {
    let mut evaluation = evaluation();
    let verdicts = |evaluation: &Evaluation| {
        let all = bars(evaluation);
        let (text, page) = (console(evaluation), page(evaluation).unwrap());
        for bar in &all {
            let line = text.lines().find(|line| line.contains(&bar.asked.to_string())).unwrap();
            assert!(
                line.ends_with(&format!(" {}", bar.verdict())) && line.contains(&bar.reached.to_string()),
                "{line}"
            );
            assert!(page.contains(&format!("<td>{}</td><td>{}</td>", bar.asked, bar.reached)), "{bar:?}");
        }
        let lines = lines(evaluation).unwrap().into_iter();
        let lines: Vec<serde_json::Value> = lines.map(|line| serde_json::from_str(&line).unwrap()).collect();
        let of = |metric: &str, attackers: &str| {
            let of =
                |line: &&serde_json::Value| line["scorer"] == "vpn-sensor" && line["attackers"] == attackers;
            lines.iter().filter(of).find(|line| line["metric"] == metric).map(|line| line["value"].clone())
        };
        let json: Vec<_> = lines.iter().filter(|line| line["metric"] == "bar").collect();
        assert_eq!(json.len(), all.len());
        for (line, bar) in json.iter().zip(&all) {
            assert_eq!(line["met"], bar.is_met(), "{line}");
            if line["least"].is_number() {
                let figure = of(line["of"].as_str().unwrap(), line["attackers"].as_str().unwrap());
                assert_eq!(Some(&line["value"]), figure.as_ref(), "{line}");
            }
        }
        all.iter().map(|bar| (bar.asked.to_string(), bar.is_met())).collect::<Vec<_>>()
    };
    let names = [
        "AUC over all attackers at least 0.97",
        "recall at 1 of naive attackers at least 0.95",
        "recall at 1 of vpn attackers at least 0.85",
        "recall at 1 of targeted attackers at least 0.6",
        "above all baselines at every false-positive rate below 0.01",
    ];
    // Scores that are line numbers reach nothing.
    assert_eq!(verdicts(&evaluation), names.map(|name| (name.to_owned(), false)));
    // And figures that are as good as can be reach all.
    let groups = &mut evaluation.scored[0].figures.groups;
    for (_, figures) in groups.iter_mut() {
        let all = Estimate { value: 1.0, low: 1.0, high: 1.0 };
        (figures.auc, figures.recall) = (all, [all; 3]);
        figures.roc.fill(all);
    }
    evaluation.scored[0].figures.early.steps.fill(Step { before: 1.0, reached: 1.0 });
    assert_eq!(verdicts(&evaluation), names.map(|name| (name.to_owned(), true)));
    // Baselines alone have none to reach.
    evaluation.scored.remove(0);
    assert_eq!(verdicts(&evaluation), []);
}

#[test]
fn every_line_of_json_can_be_read_and_names_its_figure() {
    let lines = lines(&evaluation()).unwrap();
    let mut metrics = std::collections::BTreeSet::new();
    for line in &lines {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["set"], "tuning");
        metrics.extend(value["metric"].as_str().map(str::to_owned));
    }
    for metric in
        ["auc", "partial_auc_0.01", "recall_at_0.1", "recall_at_1", "recall_at_10", "precision_at_1"]
    {
        assert!(metrics.contains(metric), "{metric}: {metrics:?}");
    }
}

#[test]
fn the_documentation_has_each_figure_and_a_drawing_that_stands_alone() {
    let mut evaluation = evaluation();
    // Here all who are found are found at once, which would hide one figure in the place of the other.
    evaluation.scored[0].detections[0].found_at_once = 1;
    let lines = lines(&evaluation).unwrap();
    let made = Documentation::new(lines.iter().map(String::as_str)).unwrap();
    let overall = evaluation.scored[0].figures.of(Group::Overall).unwrap();
    let first = format!("| overall | {} | {:.3} (", overall.attackers, overall.auc.value);
    assert!(made.tables.contains(&first), "{first}: {}", made.tables);
    let groups = Model::ALL.iter().filter(|model| made.tables.contains(&format!("\n| {} | ", model.name())));
    let groups = groups.count() + 1;
    assert!(groups > 4, "{}", made.tables);
    // Each figure where somebody looks for it, once.
    let recall = overall.recall[1];
    let precision = overall.precision[1];
    let own = evaluation.scored[0].own.as_ref().unwrap();
    let soon = &evaluation.scored[0].detections[0];
    for row in [
        format!(
            "\n| all | {} | {:.3} | {:.2}-{:.2} |\n",
            overall.attackers, recall.value, recall.low, recall.high
        ),
        format!(
            "\n| 1 | {:.3} ({:.2}-{:.2}) | {:.3} % |",
            recall.value,
            recall.low,
            recall.high,
            precision.value * 100.0
        ),
        format!("\n| overall | {} of {} | {} |", soon.found, soon.attackers, soon.found_at_once),
        format!("\n| genuine Starts | {} | {} |", own.genuine.told, own.genuine.of),
        format!("\n| attackers, all | {0} | {0} | 1.00 |\n", overall.attackers),
    ] {
        assert_eq!(made.tables.matches(&row).count(), 1, "{row}: {}", made.tables);
    }
    let frequencies = Frequency::ALL.into_iter().filter_map(|it| {
        Some((it, evaluation.scored[0].figures.of(Group::Frequency(it)).filter(|it| it.attackers > 0)?))
    });
    for (frequency, figures) in frequencies {
        let row =
            format!("\n| {} | {} | {:.2} |", frequency.name(), figures.attackers, figures.recall[1].value);
        assert_eq!(made.tables.matches(&row).count(), 1, "{row}: {}", made.tables);
    }
    for way in ["speed", "first-country", "new-address", "published-ratio"] {
        assert_eq!(made.tables.matches(&format!("| {way} |")).count(), groups, "{way}: {}", made.tables);
        assert!(made.svg.contains(&format!(">{way}</text>")), "{way}");
    }
    // Of a ROC each curve, one band, and nothing that is loaded.
    assert_eq!(made.svg.matches("stroke-width=\"2\"").count(), 5 + groups - 1);
    assert_eq!(made.svg.matches("<polygon").count(), 1);
    assert_eq!(made.svg.matches("<svg").count(), made.svg.matches("</svg>").count());
    for part in ["NaN", "href", "<script", "https://"] {
        assert!(!made.svg.contains(part), "{part}");
    }
    assert!(made.svg.len() < 60_000, "{}", made.svg.len());

    // Between the marks, whatever stood there.
    let marked = |inside: &str| {
        format!(
            "before\n<!-- figures begin: written by the evaluation, do not edit -->\n{inside}<!-- figures end -->\nafter\n"
        )
    };
    assert_eq!(made.put_into(&marked("old\n")).unwrap(), marked(&made.tables));
    assert!(made.put_into("no marks").is_err());
    let baselines = lines.iter().map(String::as_str).filter(|line| !line.contains("\"vpn-sensor\""));
    assert!(Documentation::new(baselines).is_err());
}
