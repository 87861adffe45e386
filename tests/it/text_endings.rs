//! The last lines of mails: what was said stays however short it is, and signatures go however they are written.

use hublore::text::{Body, BodyKind, normalize};

/// A sender with names and addresses parted by semicolons, a mail, and its new text.
type Ending = (&'static str, &'static str, &'static str);

const ANN: &str = "Ann Lee;ann.lee@example.com";
const DESK: &str = "Service Desk;service@example.com";

/// Mails that end with something said.
const SAID: [Ending; 40] = [
    (ANN, "You asked where we meet.\n\nHamburg", ""),
    (ANN, "You asked for a colour.\n\nBlue", ""),
    (ANN, "You asked for a day.\n\nFriday", ""),
    ("", "You asked for a day.\n\nFriday", ""),
    ("", "You asked when.\n\nTomorrow", ""),
    (ANN, "We have a new colleague for the site.\n\nMaria Lopez", ""),
    (ANN, "Please call our technician.\n\nPaul Meyer\n+49 30 5550177", ""),
    (ANN, "The new contact on our side is this one.\n\nMaria Lopez\nHead of Purchasing", ""),
    (ANN, "We deliver to the warehouse.\n\nLager Nord\nHafenstr. 12\n24103 Kiel", ""),
    ("", "The address is:\n\nLager Nord\nHafenstr. 12\n24103 Kiel", ""),
    ("", "Please call the hotline instead:\n\nService Hotline\n030 5550100", ""),
    (ANN, "Thank you for the call.\n\nOrder 482913\nPO 4500012345", ""),
    ("", "Thank you for the call.\n\nOrder 482913\nPO 4500012345", ""),
    ("", "Here you go.\n\nInvoice\n2024-000123", ""),
    ("", "We meet on site.\n\nMonday\n12.03.2026", ""),
    ("", "We meet on site.\n\nMonday\n2026-03-12 10:30", ""),
    ("", "We agreed on this.\n\nHardware Budget\n12,500.00 EUR", ""),
    ("", "Das ist der Stand.\n\nAuftrag\n4711-0815-22", ""),
    ("", "We need:\n- Pumps\n- Valves", ""),
    ("", "We need two things.\n- Pumps\n- Valves", ""),
    ("", "For the day we need:\n- Cables", ""),
    (ANN, "Attendees:\n\nAnn Lee\nTom Ford\nEva Stone", ""),
    (ANN, "These people come:\n- Tom\n- Ann", ""),
    (
        "",
        "Option one is the pump.\n--\nOption two is the valve, which costs more but lasts longer.\nWhich one do you prefer?",
        "",
    ),
    (
        ANN,
        "The pump is here.\n\nBest regards,\nAnn\n\nPS: The gate is closed on Friday.",
        "The pump is here.\nPS: The gate is closed on Friday.",
    ),
    (
        ANN,
        "The pump is here.\n\nBest regards,\nAnn Lee\nHead of Sales\n\nP.S. bring the badge list",
        "The pump is here.\nP.S. bring the badge list",
    ),
    (
        ANN,
        "Die Pumpe ist da.\n\nViele Grüße\nAnn\n\nPS: Das Tor ist am Freitag zu.",
        "Die Pumpe ist da.\nPS: Das Tor ist am Freitag zu.",
    ),
    (
        ANN,
        "La bomba llegó.\n\nUn saludo,\nAnn\n\nPD: el portón cierra el viernes",
        "La bomba llegó.\nPD: el portón cierra el viernes",
    ),
    (
        ANN,
        "ポンプが届きました。\n\nよろしくお願いいたします。\nAnn Lee\n\n追伸：金曜日は門が閉まります。",
        "ポンプが届きました。\n追伸：金曜日は門が閉まります。",
    ),
    (
        ANN,
        "The pump is here.\n\nAnn\n\nPS: we also need the valve",
        "The pump is here.\nPS: we also need the valve",
    ),
    (ANN, "Only one thing is open.\n\nThe price", ""),
    (ANN, "Which of them do you take?\n\nI would take the small one", ""),
    (ANN, "We are in.\n\nPlease book it", ""),
    (ANN, "The site is Kiel.\n\nSecond floor, room 4", ""),
    (ANN, "Wir nehmen das Angebot an.\n\nStart am Montag", ""),
    (ANN, "Wir brauchen noch etwas.\n\nErsatzmotoren", ""),
    (ANN, "Nous prenons les deux.\n\nLivraison lundi", ""),
    (ANN, "We decided.\n\nMicrosoft", ""),
    (ANN, "The code word for the party is this.\n\nKangaroo", ""),
    (ANN, "Our two offices are these.\n\nBerlin\nHamburg", ""),
];

/// Mails that end with a signature; nothing of it counts.
const SIGNED: [Ending; 40] = [
    (ANN, "The pump is here.\n\nAnn", "The pump is here."),
    (ANN, "The pump is here.\n\nAnn Lee", "The pump is here."),
    (ANN, "The pump is here.\n\n- Ann", "The pump is here."),
    (ANN, "The pump is here.\n\n/Ann", "The pump is here."),
    (ANN, "The pump is here.\n\n--\nAnn", "The pump is here."),
    (ANN, "The pump is here.\n\n-- \nAnn Lee\nWe make pumps work wherever you are.", "The pump is here."),
    (ANN, "The pump is here.\n\nA. Lee", "The pump is here."),
    (ANN, "The pump is here.\n\nLee, Ann", "The pump is here."),
    (ANN, "The pump is here.\n\nAnn Lee\nHead of Sales", "The pump is here."),
    (ANN, "The pump is here.\n\nAnn Lee | Head of Sales | Example Inc.", "The pump is here."),
    (ANN, "The pump is here.\n\nAnn Lee\nExample Inc.\n+1 555 0100", "The pump is here."),
    (ANN, "The pump is here.\n\nBest,\nAnn", "The pump is here."),
    (ANN, "The pump is here.\n\nCheers\nAnn Lee", "The pump is here."),
    (ANN, "The pump is here.\n\nThanks,\nAnn Lee\nwww.example.com", "The pump is here."),
    (
        ANN,
        "The pump is here.\n\nKind regards,\n\nAnn Lee\nHead of Sales\n\nExample Inc.\n12 Main Street\n+1 555 0100",
        "The pump is here.",
    ),
    (ANN, "Die Pumpe ist da.\n\nMit freundlichen Grüßen\ni. A. Ann Lee\nVertrieb", "Die Pumpe ist da."),
    (ANN, "Die Pumpe ist da.\n\nMfG\nAnn Lee", "Die Pumpe ist da."),
    (ANN, "Die Pumpe ist da.\n\nLG Ann", "Die Pumpe ist da."),
    (ANN, "La pompe est là.\n\nCordialement,\nAnn Lee\nResponsable commerciale", "La pompe est là."),
    (ANN, "La bomba llegó.\n\nSaludos,\nAnn", "La bomba llegó."),
    (ANN, "A bomba chegou.\n\nAtenciosamente,\nAnn Lee", "A bomba chegou."),
    (ANN, "La pompa è qui.\n\nCordiali saluti\nAnn Lee", "La pompa è qui."),
    (ANN, "De pomp is er.\n\nMet vriendelijke groet,\nAnn Lee", "De pomp is er."),
    (ANN, "ポンプが届きました。\n\nよろしくお願いいたします。\nAnn Lee", "ポンプが届きました。"),
    (DESK, "The pump is here.\n\nPaul Meyer", "The pump is here."),
    (DESK, "The pump is here.\n\nPaul Meyer\nService Engineer\n+1 555 0100", "The pump is here."),
    (DESK, "The pump is here.\n\nRegards,\nPaul", "The pump is here."),
    ("", "The pump is here.\n\nPaul", "The pump is here."),
    ("", "The pump is here.\n\nPaul Meyer\nHead of Service", "The pump is here."),
    ("", "The pump is here.\n\nPaul Meyer\n+49 30 5550100", "The pump is here."),
    ("", "The pump is here.\n\nPaul Meyer\npaul@example.com", "The pump is here."),
    ("", "The pump is here.\n\nPaul Meyer\nwww.example.com", "The pump is here."),
    ("", "The pump is here.\n\n- Paul", "The pump is here."),
    ("", "The pump is here.\n\n--\nPaul Meyer\nExample Inc.", "The pump is here."),
    (
        "Robert Smith;rsmith@example.com",
        "The pump is here.\n\nBob Smith\nHead of Service",
        "The pump is here.",
    ),
    ("Robert Smith;rsmith@example.com", "The pump is here.\n\nRob", "The pump is here."),
    ("Elizabeth Stone;estone@example.com", "The pump is here.\n\nBeth", "The pump is here."),
    (
        "Müller, Jörg;joerg.mueller@example.com",
        "Die Pumpe ist da.\n\nJörg Müller\nTel. 030 5550100",
        "Die Pumpe ist da.",
    ),
    ("Jörg Müller;joerg.mueller@example.com", "Die Pumpe ist da.\n\nJoerg Mueller", "Die Pumpe ist da."),
    (ANN, "Could you call me?\n\nAnn\n+1 555 0100", "Could you call me?"),
];

fn wrong(endings: &[Ending]) -> Vec<String> {
    let read = |(sender, mail, kept): &Ending| {
        let names: Vec<&str> = sender.split(';').filter(|name| !name.is_empty()).collect();
        let body = Body { sender_names: &names, ..Body::new(BodyKind::Email).with_plain(mail) };
        let got = normalize(&body).new_text();
        let lines = |text: &str| {
            text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let want = if kept.is_empty() { mail } else { kept };
        (lines(&got) != lines(want)).then(|| format!("{sender:?} {mail:?} -> {got:?}"))
    };
    endings.iter().filter_map(read).collect()
}

#[test]
fn what_was_said_last_stays() {
    let wrong = wrong(&SAID);
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), SAID.len());
}

#[test]
fn signatures_go() {
    let wrong = wrong(&SIGNED);
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), SIGNED.len());
}
