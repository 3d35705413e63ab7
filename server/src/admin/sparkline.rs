//! Small graphs made of characters, for LATENCY GRAPH.
//!
//! One column per point, four rows of three steps each; below each column its label, from top to
//! bottom.

const ROWS: u64 = 4;
/// The top of a column within its row, by the height it reaches there.
const TOPS: [char; 3] = ['_', 'o', '#'];
/// What a column is filled with below its top.
const FILL: char = '|';
/// Points that fit into one line.
const COLUMNS: usize = 80;

/// Appends a graph of the points and their labels.
pub fn draw(points: &[(u64, String)], out: &mut String) {
    let low = points.iter().map(|(value, _)| *value).min().unwrap_or(0);
    let high = points.iter().map(|(value, _)| *value).max().unwrap_or(0);
    let steps = ROWS * TOPS.len() as u64;
    let height = |value: u64| {
        let span = (high - low).max(1);
        ((value - low).saturating_mul(steps) / span).min(steps - 1)
    };
    for (number, line) in points.chunks(COLUMNS).enumerate() {
        if number > 0 {
            out.push('\n');
        }
        for row in (0..ROWS).rev() {
            let bottom = row * TOPS.len() as u64;
            out.extend(line.iter().map(|(value, _)| {
                let above = height(*value).checked_sub(bottom);
                match above.map(|above| TOPS.get(above as usize)) {
                    None => ' ',
                    Some(None) => FILL,
                    Some(Some(top)) => *top,
                }
            }));
            out.push('\n');
        }
        let label_rows = line.iter().map(|(_, label)| label.len()).max().unwrap_or(0);
        for row in 0..=label_rows {
            // The first row keeps labels and columns apart.
            let letter = |label: &str| row.checked_sub(1).and_then(|at| label.chars().nth(at));
            out.extend(line.iter().map(|(_, label)| letter(label).unwrap_or(' ')));
            out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_above_their_labels() {
        let mut out = String::new();
        draw(&[(20, "0s".to_owned())], &mut out);
        assert_eq!(out, " \n \n \n_\n \n0\ns\n");
        let mut out = String::new();
        draw(&[(0, "12s".to_owned()), (6, "3s".to_owned()), (12, "1s".to_owned())], &mut out);
        assert_eq!(out, "  #\n _|\n ||\n_||\n   \n131\n2ss\ns  \n");
    }
}
