//! Outside contracts as files: regenerated here and compared with what is checked in.
//!
//! After a deliberate change run the tests with `INSTA_UPDATE=always` and read the difference.

use crate::support::Installation;

#[test]
fn help_of_every_verb() {
    let here = Installation::for_address("http://127.0.0.1:9");
    let mut text = String::new();
    let verbs: [&[&str]; 50] = [
        &[],
        &["demo"],
        &["serve"],
        &["connect"],
        &["sync"],
        &["status"],
        &["search"],
        &["context"],
        &["show"],
        &["explain"],
        &["disconnect"],
        &["modes"],
        &["index"],
        &["index", "rebuild"],
        &["index", "verify"],
        &["index", "stats"],
        &["index", "rollback"],
        &["rules"],
        &["rules", "add"],
        &["rules", "edit"],
        &["rules", "remove"],
        &["rules", "test"],
        &["rules", "apply"],
        &["agents"],
        &["agents", "create"],
        &["agents", "revoke"],
        &["agents", "allow"],
        &["agents", "deny"],
        &["agents", "actions"],
        &["agents", "executions"],
        &["agents", "undo"],
        &["slack"],
        &["slack", "connect"],
        &["slack", "test"],
        &["slack", "enable"],
        &["slack", "disable"],
        &["slack", "status"],
        &["slack", "deliveries"],
        &["slack", "channels"],
        &["slack", "disconnect"],
        &["doctor"],
        &["segments"],
        &["segments", "list"],
        &["segments", "save"],
        &["segments", "show"],
        &["segments", "remove"],
        &["webhooks"],
        &["webhooks", "show"],
        &["webhooks", "list"],
        &["webhooks", "replay"],
    ];
    for verb in verbs {
        let mut arguments = verb.to_vec();
        arguments.push("--help");
        let ran = here.run(&arguments).ok();
        text.push_str(&format!("$ hublore {}\n{}\n", arguments.join(" "), ran.stdout));
    }
    insta::assert_snapshot!("help", text);
}

#[test]
fn default_configuration() {
    insta::assert_snapshot!("default_configuration", hublore::config::DEFAULTS);
}

#[test]
fn database_schema() {
    let here = Installation::for_address("http://127.0.0.1:9");
    here.begin();
    let schema = here.texts(
        "select sql from sqlite_master where sql is not null and name not like 'refinery%' order by name",
    );
    insta::assert_snapshot!("database_schema", schema.join(";\n"));
}
