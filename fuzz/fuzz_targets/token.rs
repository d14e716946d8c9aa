//! Any text as a token, as a place of tokens, as a secret or key, and as a `.env` file: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockeye::token::{
    Expectations, Secret, candidates, differences, examine, fill_url, find_tokens, node_refusal, place,
    secrets_from_env, validate, variables_from_env, variants,
};

const NOW: i64 = 1_700_000_000;

fuzz_target!(|input: (&str, &str)| {
    let (text, secret) = input;
    let secret = Secret::new("fuzz", secret.as_bytes());
    let expected =
        Expectations { audience: Some("a".to_owned()), issuer: Some("i".to_owned()), leeway_secs: 5.0 };
    let report = examine(text, std::slice::from_ref(&secret), NOW);
    for problem in &report.problems {
        assert!(text.get(problem.at..problem.at + problem.len).is_some());
    }
    validate(&report, NOW as f64, &expected);
    node_refusal(text, Some(&secret), NOW, &expected);
    for range in find_tokens(text) {
        assert!(text.get(range).is_some());
    }
    candidates(text);
    place::lint_sent(text);
    secrets_from_env(text);
    fill_url(text, &variables_from_env(text));
    variants(text, &secret, NOW).ok();
    for one in differences(text, &report.header.unwrap_or_default()) {
        assert!(text.get(one.left).is_some());
    }
});
