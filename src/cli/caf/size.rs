//! Sizes and times as people write and read them. Pure; touches nothing.

const UNITS: [(char, u64); 4] = [('K', 1 << 10), ('M', 1 << 20), ('G', 1 << 30), ('T', 1 << 40)];

/// Bytes from `20G`, `512M` or plain digits.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let found = UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(*unit)?, *bytes)));
    let (digits, unit) = found.unwrap_or((text, 1));
    let number: Option<u64> = digits.parse().ok();
    number
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| "is no size such as 20G or 512M".to_owned())
}

/// Seconds from `90s`, `30m`, `1h` or `7d`.
pub(super) fn parse_seconds(text: &str) -> Result<i64, String> {
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
    let found =
        units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, *seconds)));
    let number: Option<(i64, i64)> =
        found.and_then(|(digits, unit)| Some((digits.parse::<u32>().ok()?.into(), unit)));
    number
        .and_then(|(number, unit)| number.checked_mul(unit))
        .ok_or_else(|| "is no time such as 90s, 30m, 1h or 7d".to_owned())
}

/// Bytes for people: `1.5 GB`.
pub(super) fn show(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1000 => return format!("{bytes} B"),
        1000..1_000_000 => (1e3, "kB"),
        1_000_000..1_000_000_000 => (1e6, "MB"),
        1_000_000_000..1_000_000_000_000 => (1e9, "GB"),
        _ => (1e12, "TB"),
    };
    #[expect(clippy::cast_precision_loss, reason = "one digit after the point")]
    let number = bytes as f64 / unit;
    format!("{number:.1} {name}")
}

/// `1 file`, `2 files`.
pub(super) fn count(number: u64, thing: &str) -> String {
    match (number, thing.strip_suffix('y')) {
        (1, _) => format!("1 {thing}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read() {
        assert_eq!(parse("20G"), Ok(20 << 30));
        assert_eq!(parse("17"), Ok(17));
        assert_eq!(parse_seconds("30m"), Ok(1800));
        assert_eq!(parse_seconds("0s"), Ok(0));
        for bad in ["", "G", "-1", "1.5G", "99999999999T"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        for bad in ["", "10", "m", "-1h", "1w"] {
            assert!(parse_seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_are_shown() {
        let shown = [0, 999, 1000, 1_550_000, 2_000_000_000, 3_400_000_000_000].map(show);
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "1.6 MB", "2.0 GB", "3.4 TB"]);
        assert_eq!(
            [count(1, "entry"), count(2, "entry"), count(0, "file")],
            ["1 entry", "2 entries", "0 files"]
        );
    }
}
