//! Silence, age and pings with and without something that agrees.

use crate::diagnosis::Certainty;
use crate::diagnosis::testing::{NOW, Scene, failure, rivals};
use crate::observation::{Fact, IoKind, LabMeasure, LabRun, PastEnd, ReadEnd};
use crate::wire::encode_frame;

fn silent(millis: u64) -> Scene {
    Scene::confirmed().wait(millis).fin().accepts()
}

fn past(age: f64, silence: f64) -> PastEnd {
    PastEnd {
        began_unix_millis: (NOW - 60) * 1_000,
        ending: "fin".to_owned(),
        cause: "connection-terminated".to_owned(),
        age_millis: age,
        silence_millis: silence,
        close_code: None,
    }
}

fn after(ends: Vec<PastEnd>, scene: Scene) -> Scene {
    scene.fact(Fact::EarlierEnds { ends })
}

fn lab(silent: Option<f64>, pinging: Option<f64>, watched: f64) -> Fact {
    let run = |opened, ended: Option<f64>| LabRun {
        opened_at_millis: Some(opened),
        ended_after_millis: ended,
        watched_millis: ended.unwrap_or(watched),
    };
    let again = Some(run(9_000.0, silent));
    let (silent, pinging) = (run(0.0, silent), run(1_000.0, pinging));
    Fact::LabMeasured(Box::new(LabMeasure { ping_every_millis: 500.0, silent, pinging, again }))
}

#[test]
fn a_number_alone_accuses_nobody() {
    silent(7_000).likely("fin", "connection-terminated");
    silent(30_000).likely("fin", "connection-terminated");
    let sixty = silent(60_000).gives("fin", "idle-timeout", Certainty::Possible);
    for brand in ["nginx", "AWS", "Traefik", "Cloudflare", "Heroku"] {
        assert!(!format!("{sixty:?}").contains(&format!("is {brand}")), "{sixty:#?}");
        assert!(!sixty.summary.contains(brand), "{}", sixty.summary);
    }
    assert!(rivals(&sixty).contains(&"lifetime-limit"), "{sixty:#?}");
    silent(1_900).likely("fin", "connection-terminated");
    silent(62_000).likely("fin", "connection-terminated");
}

#[test]
fn a_limit_that_the_response_names_is_likely_and_certain_with_a_repetition() {
    let nginx = || Scene::asked().accept_with("Server: nginx/1.22.1\r\n").confirm().wait(60_000).fin().accepts();
    let verdict = nginx().likely("fin", "idle-timeout");
    assert!(verdict.evidence.iter().any(|line| line.text.contains("nginx")), "{verdict:#?}");
    after(vec![past(60_002.0, 60_001.0)], nginx()).certain("fin", "idle-timeout");
    let other = Scene::asked().accept_with("Server: nginx/1.22.1\r\n").confirm().wait(100_000).fin().accepts();
    other.gives("fin", "idle-timeout", Certainty::Possible);
}

#[test]
fn a_repetition_makes_it_likely_another_length_does_not() {
    let same = after(vec![past(3_010.0, 3_005.0)], silent(3_000)).likely("fin", "idle-timeout");
    assert!(same.summary.contains("3 s") && same.evidence.len() >= 2, "{same:#?}");
    assert!(rivals(&same).contains(&"heartbeat-terminate"), "{same:#?}");
    after(vec![past(5_010.0, 5_005.0)], silent(3_000)).likely("fin", "connection-terminated");
    after(vec![past(3_010.0, 3_005.0)], silent(3_000).refuses()).likely("fin", "idle-timeout");
    let died = Scene::confirmed().wait(3_000).fin().refuses();
    after(vec![past(3_010.0, 3_005.0)], died).certain("fin", "server-process-died");
}

#[test]
fn an_age_that_repeats_in_the_midst_of_traffic_is_a_lifetime() {
    let busy = |silence: u64| {
        let begun = Scene::confirmed().wait(4_000 - silence).server(encode_frame(0x81, None, b"tick"));
        begun.wait(silence).fin().accepts()
    };
    after(vec![past(4_004.0, 900.0)], busy(300)).likely("fin", "lifetime-limit");
    after(vec![past(4_004.0, 2_200.0)], busy(3_000)).likely("fin", "lifetime-limit");
    after(vec![past(6_004.0, 900.0)], busy(300)).likely("fin", "connection-terminated");
    after(vec![past(9_000.0, 3_001.0)], busy(3_000)).likely("fin", "idle-timeout");
    let goodbye = Scene::confirmed().wait(4_000).closed_by_server(1001, "");
    after(vec![PastEnd { close_code: Some(1001), ..past(4_004.0, 900.0) }], goodbye.clone())
        .likely("closed", "lifetime-limit");
    goodbye.certain("closed", "close-1001");
    let google = || Scene::asked().accept_with("Via: 1.1 google\r\n").confirm();
    let cut = google().wait(29_900).server(encode_frame(0x81, None, b"t")).wait(90).fin().accepts();
    cut.likely("fin", "lifetime-limit");
}

#[test]
fn the_idle_lab_decides() {
    let scene = || silent(3_000);
    let idle = scene().fact(lab(Some(3_000.0), None, 6_000.0)).certain("fin", "idle-timeout");
    assert!(idle.evidence.iter().any(|line| line.text.starts_with("idle lab")), "{idle:#?}");
    scene().fact(lab(Some(3_000.0), Some(3_010.0), 0.0)).certain("fin", "lifetime-limit");
    scene().fact(lab(Some(3_000.0), Some(2_010.0), 0.0)).likely("fin", "heartbeat-terminate");
    scene().fact(lab(Some(3_000.0), Some(700.0), 0.0)).likely("fin", "connection-terminated");
}

#[test]
fn a_ping_without_pong_is_a_heartbeat() {
    let pinged = || Scene::confirmed().wait(1_000).server(b"\x89\x00");
    pinged().wait(2_000).fin().accepts().likely("fin", "heartbeat-terminate");
    let answered = pinged().client(&encode_frame(0x8A, Some([1; 4]), b"")).wait(2_000).fin().accepts();
    answered.likely("fin", "connection-terminated");
    pinged().wait(200).fin().accepts().likely("fin", "connection-terminated");
    pinged().wait(2_000).fin().refuses().certain("fin", "server-process-died");
}

#[test]
fn keepalive_by_1011_is_told_by_reason_and_ping() {
    let pinged = || Scene::confirmed().wait(1_000).server(b"\x89\x00").wait(2_000);
    pinged().closed_by_server(1011, "keepalive ping timeout").certain("closed", "ping-timeout-1011");
    pinged().closed_by_server(1011, "").likely("closed", "ping-timeout-1011");
    Scene::confirmed().closed_by_server(1011, "keepalive ping timeout").likely("closed", "ping-timeout-1011");
    Scene::confirmed().closed_by_server(1011, "").certain("closed", "close-1011");
    let ponged = Scene::confirmed().server(b"\x89\x00").client(&encode_frame(0x8A, Some([1; 4]), b"")).wait(2_000);
    ponged.closed_by_server(1011, "").certain("closed", "close-1011");
}

#[test]
fn a_reset_in_answer_to_the_first_word_after_a_long_silence() {
    let remote = |url: &str, silence: u64| {
        let open = Scene::to(url).tcp().request().accept().confirm().wait(silence);
        open.client(&encode_frame(0x81, Some([1; 4]), b"hi")).rst()
    };
    remote("ws://192.0.2.1:3001/", 240_000).likely("rst", "nat-state-lost");
    remote("ws://192.0.2.1:3001/", 20_000).gives("rst", "nat-state-lost", Certainty::Possible);
    remote("ws://192.0.2.1:3001/", 5_000).is_not("nat-state-lost");
    remote("ws://127.0.0.1:3001/", 240_000).is_not("nat-state-lost");
    let gone = Fact::ReadEnded(ReadEnd::Failed(failure(IoKind::TimedOut)));
    Scene::to("ws://192.0.2.1:3001/").tcp().request().accept().wait(240_000).fact(gone).is_not("nat-state-lost");
}

#[test]
fn a_heartbeat_that_says_so_in_its_close() {
    let closed = |code, reason| Scene::confirmed().server(b"\x89\x00").wait(600).closed_by_server(code, reason);
    let verdict = closed(1000, "ping timed out").likely("closed", "heartbeat-terminate");
    assert!(verdict.summary.contains("no pong answered"), "{}", verdict.summary);
    closed(4000, "Heartbeat timeout").likely("closed", "heartbeat-terminate");
    closed(1000, "bye").certain("closed", "close-1000");
    closed(1011, "keepalive ping timeout").gives("closed", "ping-timeout-1011", Certainty::Likely);
}
