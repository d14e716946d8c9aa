//! What the idle lab's measurement means: an idle limit, a greatest age, a sweep of the server, or none of them.

use crate::observation::{LabMeasure, LabRun};

/// What ends connections to this target that say nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LabFinding {
    /// Silence of this length: the silent connection died of it, the pinging one lived.
    IdleLimit {
        /// The measured limit in milliseconds.
        millis: f64,
    },
    /// Age: both died equally old, whatever travelled.
    Lifetime {
        /// The measured age in milliseconds.
        millis: f64,
    },
    /// A moment of the server's own: both died together although one was younger.
    Sweep {
        /// The age of the silent connection in milliseconds.
        millis: f64,
    },
    /// Nothing, as long as we watched.
    Survived {
        /// How long the silent connection was watched, in milliseconds.
        millis: f64,
    },
    /// The two connections do not tell.
    Unclear,
}

/// Reads a measurement.
pub fn lab_finding(measure: &LabMeasure) -> LabFinding {
    let (silent, pinging) = (&measure.silent, &measure.pinging);
    let (Some(silent_opened), Some(pinging_opened)) = (silent.opened_at_millis, pinging.opened_at_millis) else {
        return LabFinding::Unclear;
    };
    let Some(age) = silent.ended_after_millis else {
        let is_well = pinging.ended_after_millis.is_none();
        return if is_well { LabFinding::Survived { millis: silent.watched_millis } } else { LabFinding::Unclear };
    };
    let outlived = outlived(pinging, age);
    match pinging.ended_after_millis {
        None if outlived => LabFinding::IdleLimit { millis: age },
        Some(end) if outlived && !is_near(end, age) => LabFinding::IdleLimit { millis: age },
        Some(end) if is_near(silent_opened + age, pinging_opened + end) && !is_near(silent_opened, pinging_opened) => {
            LabFinding::Sweep { millis: age }
        }
        Some(end) if is_near(end, age) => LabFinding::Lifetime { millis: age },
        Some(_) | None => LabFinding::Unclear,
    }
}

/// Whether a second silent connection died at the same age.
pub fn is_repeated(measure: &LabMeasure) -> bool {
    let again = measure.again.and_then(|run| run.ended_after_millis);
    matches!((measure.silent.ended_after_millis, again), (Some(first), Some(second)) if is_near(first, second))
}

/// How long the pinging connection must live beyond the silent one to count as spared, in milliseconds.
pub fn proof_millis(silent_millis: f64) -> f64 {
    (silent_millis * 0.5).clamp(1_500.0, 30_000.0)
}

fn outlived(pinging: &LabRun, age: f64) -> bool {
    let lived = pinging.ended_after_millis.unwrap_or(pinging.watched_millis);
    lived >= age + proof_millis(age) * 0.9
}

/// Whether two spans or moments are the same for a timer on a busy machine, in milliseconds.
fn is_near(one: f64, other: f64) -> bool {
    (one - other).abs() <= (one.max(other) * 0.01).clamp(300.0, 600.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(opened: f64, ended: Option<f64>, watched: f64) -> LabRun {
        LabRun { opened_at_millis: Some(opened), ended_after_millis: ended, watched_millis: watched }
    }

    fn check(silent: LabRun, pinging: LabRun, expected: LabFinding) {
        let measure = LabMeasure { ping_every_millis: 1_000.0, silent, pinging, again: None };
        assert_eq!(lab_finding(&measure), expected, "{measure:?}");
    }

    #[test]
    fn the_twins_tell_silence_from_age_and_from_a_sweep() {
        let dead = run(10.0, Some(3_000.0), 3_000.0);
        check(dead, run(1_010.0, None, 4_600.0), LabFinding::IdleLimit { millis: 3_000.0 });
        check(dead, run(1_010.0, Some(60_000.0), 60_000.0), LabFinding::IdleLimit { millis: 3_000.0 });
        check(dead, run(1_010.0, Some(3_020.0), 3_020.0), LabFinding::Lifetime { millis: 3_000.0 });
        check(dead, run(1_010.0, Some(2_010.0), 2_010.0), LabFinding::Sweep { millis: 3_000.0 });
        check(dead, run(1_010.0, None, 3_100.0), LabFinding::Unclear);
        check(dead, run(1_010.0, Some(700.0), 700.0), LabFinding::Unclear);
        let well = run(10.0, None, 20_000.0);
        check(well, run(1_010.0, None, 19_000.0), LabFinding::Survived { millis: 20_000.0 });
        check(well, run(1_010.0, Some(700.0), 700.0), LabFinding::Unclear);
        check(LabRun::default(), run(0.0, None, 9.0), LabFinding::Unclear);
    }

    #[test]
    fn a_second_silent_connection_repeats_the_first() {
        let dead = run(0.0, Some(3_000.0), 3_000.0);
        let measure = |again| LabMeasure { ping_every_millis: 1.0, silent: dead, pinging: dead, again };
        assert!(is_repeated(&measure(Some(run(3_000.0, Some(3_050.0), 3_050.0)))));
        assert!(!is_repeated(&measure(Some(run(3_000.0, Some(4_050.0), 4_050.0)))));
        assert!(!is_repeated(&measure(None)));
    }
}
