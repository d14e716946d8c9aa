//! The token's text: missing, a placeholder, wrapped, encoded twice, cut.

use super::{Found, Rule};
use crate::diagnosis::credential::{self, Suspect};
use crate::diagnosis::words::capital;
use crate::diagnosis::{Case, Certainty, Ending, Evidence};

pub(super) const RULES: &[Rule] = &[
    Rule::new("token-missing", check).implies(REFUSALS),
    Rule::new("token-placeholder", check).implies(REFUSALS),
    Rule::new("token-bearer-prefix", check).implies(REFUSALS),
    Rule::new("token-quoted", check).implies(REFUSALS),
    Rule::new("token-whitespace", check).implies(REFUSALS),
    Rule::new("token-double-encoded", check).implies(REFUSALS),
    Rule::new("token-plus-in-query", check).implies(REFUSALS),
    Rule::new("token-truncated", check).implies(REFUSALS_AND_SIGNATURE),
];

/// The refusals that a fault of the token explains.
pub(super) const REFUSALS: &[&str] = &[
    "jwt-malformed",
    "http-400",
    "http-401",
    "http-403",
    "http-403-starlette",
    "http-500",
    "close-1002",
    "close-1008",
    "close-1011",
    "close-3000",
    "close-3003",
    "close-application",
    "connection-terminated",
    "connection-reset",
    "upgrade-fin-nobytes",
    "upgrade-rst-nobytes",
];

const REFUSALS_AND_SIGNATURE: &[&str] = &[
    "jwt-malformed",
    "jwt-wrong-secret",
    "jwt-alg-none",
    "http-400",
    "http-401",
    "http-403",
    "http-403-starlette",
    "http-500",
    "close-1002",
    "close-1008",
    "close-1011",
    "close-3000",
    "close-3003",
    "close-application",
    "connection-terminated",
    "connection-reset",
    "upgrade-fin-nobytes",
    "upgrade-rst-nobytes",
];

/// The cause if the server refused for it; else a finding, where it is a fault whatever the server thinks.
pub(super) fn check(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    let suspect = credential::suspect(case, ending);
    if let Some(suspect) = suspect.as_ref().filter(|suspect| suspect.id == id) {
        return Some(refused(case, suspect));
    }
    if matches!(ending, Ending::NotAttempted) {
        return None;
    }
    let at = suspect.map_or_else(|| end_of(case), |suspect| suspect.refusal.at);
    let fault = credential::faults(case, at).into_iter().find(|fault| fault.id == id)?;
    // Servers take other credentials than JWTs, and some want none: without a refusal that is no fault.
    let is_worth_saying = match id {
        "token-missing" => false,
        "jwt-malformed" => fault.certainty == Certainty::Certain,
        _ => true,
    };
    is_worth_saying.then(|| {
        let at = case.story.request.as_ref().map_or(case.story.last_at, |request| request.at);
        let mut found =
            Found::new(fault.certainty, format!("{}.", capital(&fault.says))).seen(at, fault.says).finding();
        found.evidence.extend(notes(case));
        found
    })
}

/// When the connection ended, for judging dates.
fn end_of(case: &Case<'_>) -> crate::observation::Moment {
    case.tcp_end().map(|(at, _)| at).or(case.story.close_begun.map(|(at, _)| at)).unwrap_or(case.story.last_at)
}

fn refused(case: &Case<'_>, suspect: &Suspect) -> Found {
    let refusal = &suspect.refusal;
    let summary = format!("{}: {}.", capital(&refusal.words), suspect.says);
    let mut found = Found::new(suspect.certainty, summary).seen(refusal.at, refusal.words.clone());
    if let Some(request) = &case.story.request {
        found = found.seen(request.at, suspect.says.clone());
    }
    if let Some((line, _)) = &refusal.console {
        found = found.with(vec![line.clone()]);
    }
    found = found.with(notes(case));
    if suspect.certainty == Certainty::Certain {
        return found;
    }
    let is_missing = suspect.id == "token-missing";
    found
        .or_if(is_missing, "http-403-origin", "repeat with the page's Origin and without one")
        .or_if(!is_missing, refusal.carrier, "repeat with a token that is known to be good")
        .or_if(
            suspect.id == "jwt-wrong-secret",
            "token-truncated",
            "give the server's secret, so that the signature can be checked",
        )
}

/// What the examination of the token noted.
fn notes(case: &Case<'_>) -> Vec<Evidence> {
    let Some(token) = &case.story.token else {
        return Vec::new();
    };
    let notes = token.notes.iter().take(3);
    notes
        .map(|note| Evidence {
            at: case.story.request.as_ref().map_or(case.story.last_at, |r| r.at),
            text: case.quote(note, 200),
            place: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::Certainty;
    use crate::diagnosis::testing::{Scene, finds, rivals, token};
    use crate::observation::CloseOrigin;

    fn refused(token: &str) -> Scene {
        Scene::with_token(token).tcp().request().accept().closed_by_server(1008, "Invalid token: jwt malformed")
    }

    fn healthy(token: &str) -> Scene {
        Scene::with_token(token)
            .tcp()
            .request()
            .accept()
            .confirm()
            .we_close(CloseOrigin::WatchEnded)
            .server_close(1000, "")
    }

    #[test]
    fn each_slip_is_the_cause_of_a_refusal_and_a_finding_otherwise() {
        let good = token(3600);
        let check = |sent: &str, id: &str| {
            refused(sent).certain("closed", id);
            let verdict = healthy(sent).certain("open", "healthy");
            assert!(finds(&verdict, id), "{id}: {verdict:#?}");
        };
        check("undefined", "token-placeholder");
        check(&format!("Bearer%20{good}"), "token-bearer-prefix");
        check(&format!("%22{good}%22"), "token-quoted");
        check(&format!("{good}%0A"), "token-whitespace");
        check(&good.replace('.', "%252E"), "token-double-encoded");
        check(&good[..good.len() / 2], "token-truncated");
        check(&good[..good.len() - 9], "token-truncated");
        let verdict = healthy(&good).certain("open", "healthy");
        assert!(verdict.findings.is_empty(), "{verdict:#?}");
    }

    #[test]
    fn plus_in_the_query_is_read_as_a_space() {
        let good = token(3600);
        let (head, signature) = good.rsplit_once('.').unwrap();
        let sent = format!("{head}.+{}", &signature[1..]);
        let scene =
            Scene::with_token(&sent).tcp().request().accept().closed_by_server(1008, "Invalid token: invalid token");
        scene.certain("closed", "token-plus-in-query");
    }

    #[test]
    fn missing_token_is_likely_without_any_credential_only() {
        let bare = || Scene::to("ws://127.0.0.1:3001/");
        let empty = Scene::with_token("").tcp().request().answer("401 Unauthorized", "", "");
        empty.likely("upgrade-refused", "token-missing");
        bare()
            .tcp()
            .request()
            .answer("401 Unauthorized", "", "Unauthorized")
            .likely("upgrade-refused", "token-missing");
        bare().tcp().request().answer("403 Forbidden", "", "no").likely("upgrade-refused", "token-missing");
        bare().tcp().request().accept().closed_by_server(1008, "").likely("closed", "token-missing");
        bare().tcp().request().accept().closed_by_server(4401, "").likely("closed", "token-missing");
        let said = bare().tcp().request().accept().closed_by_server(1008, "Invalid token: jwt must be provided");
        said.certain("closed", "token-missing");
        let cookie = |plan: &mut crate::observation::Plan| plan.credentials = true;
        let other = bare().plan(cookie).tcp().request();
        other.clone().answer("401 Unauthorized", "", "").certain("upgrade-refused", "http-401");
        other.accept().closed_by_server(1008, "").certain("closed", "close-1008");
        bare().tcp().request().answer("404 Not Found", "", "").certain("upgrade-refused", "http-404");
        bare().tcp().request().accept().closed_by_server(1008, "agentId is required").certain("closed", "close-1008");
    }

    #[test]
    fn a_fingerprint_wins_over_a_missing_token() {
        let fields = "content-type: text/plain\r\n";
        let verdict =
            Scene::asked().answer("403 Forbidden", fields, "").certain("upgrade-refused", "http-403-starlette");
        assert!(rivals(&verdict).contains(&"token-missing"), "{verdict:#?}");
        let expired = Scene::with_token(&token(-60)).tcp().request().answer("403 Forbidden", fields, "");
        let verdict = expired.likely("upgrade-refused", "jwt-expired");
        assert!(rivals(&verdict).contains(&"http-403-starlette"), "{verdict:#?}");
    }

    #[test]
    fn without_a_refusal_nothing_is_blamed_on_the_token() {
        let sent = "undefined";
        let verdict = Scene::with_token(sent).tcp().request().accept().fin().accepts().verdict();
        assert_eq!((verdict.cause.as_str(), verdict.certainty), ("connection-terminated", Certainty::Likely));
        assert!(finds(&verdict, "token-placeholder"), "{verdict:#?}");
    }
}
