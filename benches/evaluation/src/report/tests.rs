//! A small evaluation from pasts to page.

use crate::{
    organisation::{Organisation, Size},
    product::Source,
    report::{console, lines, page},
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
    let own = evaluation.scored[0].own.unwrap();
    let attacks: usize = evaluation.organisations.iter().map(|it| it.attack_starts).sum();
    assert_eq!(own.attack_alerts, attacks);
    assert!(own.genuine_alerts > 0);
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
