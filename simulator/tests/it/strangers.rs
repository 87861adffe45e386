//! Programs written by people who never saw this portal read it to exactly the truth. Opt-in, as
//! they have to be installed: `STRANGERS=1` runs them where they can be installed,
//! `STRANGERS=required` (the build machine) fails where they cannot.

use std::path::Path;
use std::process::Command;

/// The script's word for a missing tool or a failed installation.
const NOTHING_JUDGED: i32 = 3;

#[test]
fn strangers_read_the_portal_to_the_truth() {
    let wanted = std::env::var("STRANGERS").unwrap_or_default();
    if wanted.is_empty() {
        println!("skipped: set STRANGERS=1 to install and run the strangers (about two minutes)");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let script = root.join("scripts/strangers.sh");
    let output = Command::new(script).arg(env!("CARGO_BIN_EXE_hubspot-simulator")).output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.code() == Some(NOTHING_JUDGED) && wanted != "required" {
        println!("skipped: {said}");
        return;
    }
    assert!(output.status.success(), "{said}");
    for stranger in ["python_client", "node_client", "meltano_tap", "older_tap", "fuzzer"] {
        assert!(said.contains(&format!("{stranger}: ok")), "{said}");
    }
}
