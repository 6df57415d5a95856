//! The operators' page says what the tables do.

use std::fmt::Write;

use insight::vpn::{Field, Source, Vendor};

const PAGE: &str = include_str!("../../../docs/vendor-attributes.md");

/// The page's table: a section for each vendor, a row for each field that is read.
fn tables() -> String {
    let mut page = String::new();
    for vendor in Vendor::all() {
        writeln!(page, "### {}\n", vendor.title()).unwrap();
        let mut names = format!("`vendor = \"{vendor}\"`");
        for (at, also) in vendor.also().iter().enumerate() {
            write!(names, "{} `\"{also}\"`", if at == 0 { ", also" } else { "," }).unwrap();
        }
        writeln!(
            page,
            "{names}\n\n| field | read from, in this order | of these not confirmed |\n|---|---|---|"
        )
        .unwrap();
        for field in Field::ALL {
            let sources = vendor.sources(field);
            let list = |filter: &dyn Fn(&&Source) -> bool| {
                sources
                    .iter()
                    .filter(filter)
                    .map(|source| format!("`{source}`"))
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            let open = list(&|source| !vendor.is_confirmed(source.attribute));
            let open = if open == list(&|_| true) { "all" } else { &open };
            if !sources.is_empty() {
                writeln!(page, "| {} | {} | {open} |", field.name(), list(&|_| true)).unwrap();
            }
        }
        page.push('\n');
    }
    page
}

#[test]
fn the_page_holds_the_tables_as_they_are() {
    let tables = tables();
    assert!(
        PAGE.contains(tables.trim()),
        "docs/vendor-attributes.md differs from the vendor tables; its last section should be:\n\n{tables}"
    );
}
