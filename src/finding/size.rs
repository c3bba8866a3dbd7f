//! Sizes for people. Pure values; touches nothing.

use std::fmt;

/// A number of bytes; shows as `512 B`, `48 kB`, `1.3 MB`, in powers of 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: &[&str] = &["kB", "MB", "GB", "TB"];
        if self.0 < 1000 {
            return f.pad(&format!("{} B", self.0));
        }
        let (mut scale, mut units) = (1000, UNITS.iter());
        let mut unit = units.next().unwrap_or(&"");
        // What would round to 1000 is shown in the next unit.
        while self.0 >= 1000 * scale - scale / 2 {
            let Some(next) = units.next() else { break };
            (scale, unit) = (1000 * scale, next);
        }
        let tenths = self.0.saturating_add(scale / 20) / (scale / 10);
        if tenths < 100 {
            f.pad(&format!("{}.{} {unit}", tenths / 10, tenths % 10))
        } else {
            f.pad(&format!("{} {unit}", self.0.saturating_add(scale / 2) / scale))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_two_or_three_digits() {
        let shown = [0, 999, 1000, 9_949, 48_123, 999_499, 999_500, 1_340_000, 25_000_000_000];
        let shown = shown.map(|bytes| Size(bytes).to_string());
        let expected =
            ["0 B", "999 B", "1.0 kB", "9.9 kB", "48 kB", "999 kB", "1.0 MB", "1.3 MB", "25 GB"];
        assert_eq!(shown, expected);
        assert_eq!(format!("{:>8}", Size(48_000)), "   48 kB");
    }
}
