//! The practice matrix: every fault over a real socket on loopback must give exactly the ending and cause that it teaches.

use std::sync::Arc;
use std::time::Duration;

use sockeye::diagnosis::{Case, checklist};
use sockeye::engine::practice::{FAULTS, Fault};
use sockeye::engine::{Command, ConnectOptions, Engine, EngineHandle, Event, JournalPlace};
use sockeye::export::Redactor;
use sockeye::export::check_json::check_json;
use sockeye::observation::ConnId;
use sockeye::store::Story;

/// How long one exercise may take.
const LIMIT: Duration = Duration::from_secs(40);
/// How many exercises run at a time.
const AT_A_TIME: usize = 12;

/// Runs one fault on an engine of its own; `None` if this machine cannot stage it.
fn run(fault: &Fault) -> Option<Arc<Story>> {
    let engine = Engine::start(Arc::new(|| {})).unwrap();
    engine.send(Command::StartPractice { port: 0 }).unwrap();
    engine.send(Command::PrepareExercise { fault: Some(fault.id.to_owned()) }).unwrap();
    let exercise = loop {
        match next(&engine) {
            Event::ExerciseReady { exercise, .. } => break exercise,
            Event::PracticeFailed { why } => {
                println!("{}: not staged here: {why}", fault.id);
                return None;
            }
            _ => {}
        }
    };
    let mut options = ConnectOptions::for_exercise(&exercise);
    options.journal = JournalPlace::Memory;
    options.watch.get_or_insert(Duration::from_millis(900));
    let mut story = None;
    for nth in 1..=exercise.times {
        let conn = ConnId(nth);
        engine.send(Command::Connect { conn, options: Box::new(options.clone()) }).unwrap();
        loop {
            match next(&engine) {
                Event::Ended { .. } => break,
                Event::Refused { why, .. } => panic!("{}: {why}", fault.id),
                _ => {}
            }
        }
        story = Some(Arc::clone(&engine.view(conn).unwrap().story));
    }
    story
}

fn next(engine: &EngineHandle) -> Event {
    engine.event_timeout(LIMIT).unwrap()
}

/// What differs from what the fault teaches.
fn judge(fault: &Fault) -> Option<String> {
    let story = run(fault)?;
    let checklist = checklist(&Case { story: &story, probes_pending: false });
    crate::cli::assert_fits_schema(&check_json(&story, &checklist, Some(&mut Redactor::for_story(&story))));
    let verdict = story.verdict.as_ref()?;
    let (ending, cause) = (verdict.ending.id(), verdict.cause.as_str());
    let findings: Vec<&str> = verdict.findings.iter().map(|f| f.id.as_str()).collect();
    let missing: Vec<&&str> = fault.findings.iter().filter(|id| !findings.contains(*id)).collect();
    if (ending, cause) == (fault.ending, fault.cause) && missing.is_empty() && !verdict.provisional {
        return None;
    }
    Some(format!(
        "{}: expected {} {} {:?}, got {ending} {cause} {findings:?}: {}",
        fault.id, fault.ending, fault.cause, fault.findings, verdict.summary
    ))
}

#[test]
fn every_fault_gives_its_ending_and_cause() {
    let only = std::env::var("FAULT").ok();
    let faults: Vec<&Fault> = FAULTS.iter().filter(|f| only.as_deref().is_none_or(|o| f.id.contains(o))).collect();
    let mut wrong = Vec::new();
    for group in faults.chunks(AT_A_TIME) {
        std::thread::scope(|scope| {
            let running: Vec<_> = group.iter().map(|fault| scope.spawn(move || judge(fault))).collect();
            wrong.extend(running.into_iter().filter_map(|thread| thread.join().unwrap()));
        });
    }
    assert!(wrong.is_empty(), "{} of {} faults:\n{}", wrong.len(), faults.len(), wrong.join("\n"));
}
