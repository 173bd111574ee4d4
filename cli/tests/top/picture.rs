//! Draws what stands in a terminal as SVG: `docs/images/top.svg`.
//!
//! Blocks and lines are drawn as shapes, each letter in its place: it looks the same whatever fonts a reader has.

use crate::terminal::{Terminal, top};
use pgqueuer_e2e::cluster::Cluster;
use std::fmt::Write;
use vt100::{Cell, Color, Screen};

/// The size of a character.
const WIDE: f64 = 8.4;
const HIGH: f64 = 17.0;
const MARGIN: f64 = 12.0;
const LIGHT: &str = "#e6e6e6";
const DARK: &str = "#1b1f27";

/// Writes the picture where `PGQUEUER_PICTURES` says, and otherwise only sees that it can be drawn.
#[test]
fn a_picture_can_be_drawn() {
    let cluster = Cluster::start(&[]);
    cluster.connect("postgres").batch_execute("CREATE DATABASE shop").unwrap();
    let database = cluster.named("shop");
    database.connect().batch_execute(concat!("CREATE EXTENSION pgqueuer;", include_str!("shop.sql"))).unwrap();
    let mut terminal = Terminal::start(top(&database, &[]), (100, 24));
    terminal.until("all of it", |screen| {
        screen.contains("60 min ago") && screen.contains("invoice.render") && !screen.contains('…')
    });
    let svg = terminal.with_screen(svg);
    terminal.press("q");
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n") && svg.contains("mail.send"), "{svg}");
    if let Some(folder) = std::env::var_os("PGQUEUER_PICTURES") {
        std::fs::write(std::path::Path::new(&folder).join("top.svg"), svg).unwrap();
    }
}

fn svg(screen: &Screen) -> String {
    let (lines, columns) = screen.size();
    let (lines, columns) = (lines.get(), columns.get());
    let (width, height) = (f64::from(columns) * WIDE + 2.0 * MARGIN, f64::from(lines) * HIGH + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"13.5\">\n\
         <title>pgq top</title>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{DARK}\"/>\n"
    );
    for line in 0..lines {
        let cells: Vec<&Cell> = (0..columns).filter_map(|column| screen.cell(line, column)).collect();
        draw_line(&mut svg, &cells, MARGIN + f64::from(line) * HIGH);
    }
    svg.push_str("</svg>\n");
    svg
}

/// Neighbours that look alike are one element.
fn draw_line(svg: &mut String, cells: &[&Cell], y: f64) {
    let mut column = 0;
    while column < cells.len() {
        let alike = |other: &&&Cell| look(other) == look(cells[column]);
        let run = &cells[column..column + cells[column..].iter().take_while(alike).count().max(1)];
        draw_run(svg, run, MARGIN + column as f64 * WIDE, y);
        column += run.len();
    }
}

/// How a cell is drawn: colours, weight, and the shape of one that is no letter.
fn look(cell: &Cell) -> (Color, bool, bool, bool, Option<char>) {
    let shape = cell.contents().chars().next().filter(|char| matches!(char, '█' | '▓' | '░' | '▁'..='▇' | '─'));
    (cell.fgcolor(), cell.bold(), cell.dim(), cell.inverse(), shape)
}

fn draw_run(svg: &mut String, run: &[&Cell], x: f64, y: f64) {
    let (colour, bold, dim, inverse, shape) = look(run[0]);
    let width = run.len() as f64 * WIDE;
    let fill = if inverse { DARK } else { hex(colour) };
    let opacity = if dim { " opacity=\"0.6\"" } else { "" };
    let mut rect = |top: f64, height: f64, fill: &str, extra: &str| {
        writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\"{extra}/>",
            y + top
        )
        .unwrap();
    };
    if inverse {
        rect(0.0, HIGH, LIGHT, "");
    }
    match shape {
        Some('─') => return rect(HIGH / 2.0, 1.0, fill, opacity),
        Some('█') => return rect(0.0, HIGH, fill, ""),
        Some('▓') => return rect(0.0, HIGH, fill, " opacity=\"0.85\""),
        Some('░') => return rect(0.0, HIGH, fill, " opacity=\"0.5\""),
        Some(eighths) => {
            let height = HIGH * f64::from(eighths as u32 - '▁' as u32 + 1) / 8.0;
            return rect(HIGH - height, height, fill, "");
        }
        None => {}
    }
    let text: String = run.iter().map(|cell| if cell.contents().is_empty() { " " } else { cell.contents() }).collect();
    let words = text.trim_end();
    if !words.trim().is_empty() {
        let weight = if bold { " font-weight=\"bold\"" } else { "" };
        let long = words.chars().count() as f64 * WIDE;
        writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{long:.1}\" fill=\"{fill}\"{weight}{opacity} xml:space=\"preserve\">{}</text>",
            y + HIGH * 0.76,
            words.replace('&', "&amp;").replace('<', "&lt;")
        )
        .unwrap();
    }
}

fn hex(colour: Color) -> &'static str {
    match colour {
        Color::Idx(1) => "#e5534b",
        Color::Idx(2) => "#57ab5a",
        Color::Idx(3) => "#c69026",
        Color::Idx(4) => "#6cb6ff",
        _ => LIGHT,
    }
}
