//! Style sheets of mails: what their rules hide goes, what a browser would show stays.

use hublore::text::html::{Visibility, extract, shown, to_text};
use hublore::text::{Body, BodyKind, Status, normalize};

fn seen(css: &str, body: &str) -> String {
    let markup = format!("<html><head><style>{css}</style></head><body>{body}</body></html>");
    extract(&markup, Visibility::Reader).text.replace('\n', " ")
}

const BODY: &str = "a <span class=x>b</span> c";

#[test]
fn simple_rules_hide() {
    for css in [
        ".x{display:none}",
        ".x { display : none !important; }",
        "span{display:none}",
        "span.x{display:none}",
        "SPAN.x{DISPLAY:NONE}",
        "p, .y, .x{display:none}",
        ".x{visibility:hidden}",
        ".x{font-size:0}",
        ".x{font-size:1px;line-height:1px}",
        ".x{opacity:0}",
        ".x{mso-hide:all}",
        ".x{max-height:0;overflow:hidden}",
        ".x{max-height:0px}.x{overflow:hidden}",
        "body{background:#fff}.x{color:#fff}",
        "body{background-color:#ffffff}.x{color:#fefefe}",
        ".x{color:white;background:white}",
        "*{color:#333}.x{display:none}",
        "@media screen{.x{display:none}}",
        "@media all{.x{display:none}}",
        "@media only screen { p{color:red} .x{display:none} }",
        "@import url(a.css); .x{display:none}",
        "@font-face{font-family:a;src:url(a.woff)} .x{display:none}",
        "<!-- .x{display:none} -->",
        "/* .x{} */ .x/* y */{/*;}*/display:none}",
        ".y{content:\"}\"} .x{display:none}",
        ".y{background:url(data:image/png;base64,aa;})} .x{display:none}",
        ".x{display:block}.x{display:none}",
        "span{display:block}.x{display:none}",
        ".x{display:none}span{display:block}",
        ".x{display:none!important}.x{display:block}",
        ".x{display:none",
        "}.x{display:none}",
        "@media (max-width:600px){.x{display:block!important}} .x{display:none}",
        "@media print{.x{display:block}} .x{display:none}",
        "@media (prefers-color-scheme: dark){.x{display:block}} .x{display:none}",
        "a.x:hover,.x:hover{display:block} .x{display:none}",
        ".x{display:none} p .y{display:block}",
        ".x{display:none}.x, !bad{display:block}",
        ".x{display:none}.x, #1h{display:block}",
        ".x, a[href^='a,b'], td:not(.y), li:nth-child(2n + 1), u ~ div, * p{display:none}",
        ".x{display:none;display:foo}",
        ".x{display:none}.x{display:block !ie}",
        ".x{display:/**/none}",
        ".x{/* a; */display/* b */:none/* c */}",
        ".x{d\\69splay:none}",
        ".x{display:n\\6f ne}",
        ".\\78{display:none}",
        ".\\000078{display:none}",
        ".x{font-size:calc(0px)}",
        ".x{font:0/0 a}",
        ".x{clip-path:inset(100%)}",
        ".x{clip-path:inset(50% 0)}",
        ".x{clip-path:circle(0 at 0 0)}",
        ".x{scale:0}",
        ".x{transform:scale( 0, 0 )}",
        ".x{content-visibility:hidden}",
        ".x{opacity:0%}",
        ".x{opacity:0;opacity:foo}",
        ".x{font-size:0;font-size:-3px}",
        ".x.x{display:none}.x{display:block}",
        ".x{content:'/*';display:none}",
        ".x{background:url(a/*b);display:none}",
    ] {
        assert_eq!(seen(css, BODY), "a c", "{css}");
    }
    assert_eq!(seen("#x{display:none}", "a <i id=x>b</i> c"), "a c");
    assert_eq!(seen("i#x{display:none}", "a <i id=x>b</i> c"), "a c");
    assert_eq!(seen(".x{display:none}", "a <i class='y x z'>b <b>d</b></i> c"), "a c");
    assert_eq!(seen(".x{display:none}", "a <img class=x alt='a picture of us'> c"), "a c");
    assert_eq!(seen(".x\\:y{display:none}", "a <i class='x:y'>b</i> c"), "a c");
}

#[test]
fn what_may_be_seen_stays() {
    for css in [
        "",
        ".y{display:none}",
        ".X{display:none}",
        "p.x{display:none}",
        "#x{display:none}",
        "@media (max-width:600px){.x{display:none}}",
        "@media only screen and (max-width: 480px){.x{display:none!important}}",
        "@media screen and (max-device-width:480px){.x{display:none}}",
        "@media print{.x{display:none}}",
        "@media (min-width:600px){.x{display:none}}",
        "@media (prefers-color-scheme: dark){.x{display:none}}",
        "@media not all{.x{display:none}}",
        "@supports (display:grid){.x{display:none}}",
        "@keyframes k{from{opacity:0}}",
        "@page{display:none}",
        "p .x{display:none}",
        "div > .x{display:none}",
        "u + .x{display:none}",
        ".x:hover{display:none}",
        ".x::before{display:none}",
        ".x[title]{display:none}",
        ".x:not(.y){display:none}",
        ".x.y{display:none}",
        ".x{display:none}.x{display:block}",
        "span{display:none}.x{display:inline}",
        ".x{display:inline}span{display:none}",
        "span.x{display:inline}.x{display:none}",
        ".x{display:block!important}.x{display:none}",
        ".x{display:none}@media (min-width:600px){.x{display:block}}",
        ".x{display:none}body .x{display:block}",
        ".x{display:none}[class]{display:block}",
        ".x{display:none}@supports (display:grid){span{display:block}}",
        ".x{opacity:0}.x{opacity:1}",
        ".x{font-size:0}.x{font-size:14px}",
        ".x{max-height:0}",
        ".x{overflow:hidden;max-height:20px}",
        ".x{color:#fff}",
        "body{background:#fff}.x{color:#333}",
        "body{background:#fff}.x{color:#fff;background:#000}",
        "body{background:#fff}.x{color:#fff;background:url(a.png)}",
        "body{background:#fff}.x{color:#fff;background:linear-gradient(red,blue)}",
        "body{background:#fff}.x{color:#fff;background-image:url(a.png)}",
        "body{background:#fff}.x{color:#fff;background:navy}",
        "body{background:#fff}.x{color:#fff}body .x{background:#000}",
        "body{background:#fff}.x{color:#fff}body .x{color:#000}",
        "body{background:#fff;color:#fff}.x{color:#000}span{color:navy}body{color:#111}",
        "/* .x{display:none} */",
        "<!-- /* .x{display:none} */ -->",
        ".y{content:'.x{display:none}'}",
        ".x{display:nonexistent}",
    ] {
        assert_eq!(seen(css, BODY), "a b c", "{css}");
    }
    for markup in [
        "a <!--[if mso]><style>.x{display:none}</style><![endif]--> <span class=x>b</span> c",
        "a <style media='(max-width:600px)'>.x{display:none}</style> <span class=x>b</span> c",
        "a <style media=print>.x{display:none}</style> <span class=x>b</span> c",
        "a <style type='text/x-other'>.x{display:none}</style> <span class=x>b</span> c",
        "a <template><style>.x{display:none}</style></template> <span class=x>b</span> c",
        "<style>.x{display:none}</style> a <span class=x style='display:inline'>b</span> c",
        "<style>.x{color:#fff}</style> a <table bgcolor=#ffffff background=a.png><td class=x>b</td></table> c",
        "<style>.x{color:#fff}td{background:#000}</style> a <table><td bgcolor=#ffffff class=x>b</td></table> c",
        "<style>.x{color:#fff;background:#fff}</style> a <i class=x><a href='https://u.co'>b</a></i> c",
        "<style>.x{font-size:0}</style> a <i class=x><b style='font-size:13px'>b</b></i> c",
        "<style>.x{visibility:hidden}.y{visibility:visible}</style> a <i class=x><b class=y>b</b></i> c",
    ] {
        let got = extract(markup, Visibility::Reader).text;
        assert_eq!(got.split_whitespace().collect::<Vec<_>>().join(" "), "a b c", "{markup}");
    }
}

#[test]
fn what_browsers_drop_hides_nothing() {
    for css in [
        ".x, !bad{display:none}",
        ".x, :unknownpseudo{display:none}",
        ".x, #1h{display:none}",
        ".x, div !bad p{display:none}",
        ".x,{display:none}",
        ".x, > p{display:none}",
        ".x, p >{display:none}",
        ".x, [width=600]{display:none}",
        ".x, :not(!){display:none}",
        ".x{display:none}.x{all:revert}",
        ".x{display:none!important;font-size:0}.x{all:unset!important}",
        ".x{display:none !ie}",
        ".x{display:none\\9}",
        ".x{content:'a;display:none'}",
        ".x{font-size:0}.x{font:14px Arial}",
        ".x{font-size:0}.x{font-size:1em}",
        ".x{font-size:1vw}",
        ".x{left:-9999px;left:0}",
        ".x{clip-path:inset(10%)}",
        ".x{scale:1}",
        ".x{content-visibility:auto}",
        ".x{display:none}.x{display:var(--a)}",
        ".x.x{display:block}.x{display:none}",
    ] {
        assert_eq!(seen(css, BODY), "a b c", "{css}");
    }
}

#[test]
fn an_important_rule_is_over_the_style_of_the_element() {
    let markup = |rule: &str, inline: &str| {
        format!("<style>.x{{display:{rule}}}</style>a <i class=x style='display:{inline}'>b</i> c")
    };
    let text = |rule: &str, inline: &str| extract(&markup(rule, inline), Visibility::Reader).text;
    assert_eq!(text("none!important", "inline"), "a c");
    assert_eq!(text("none !important", "inline !important"), "a b c");
    assert_eq!(text("inline!important", "none"), "a b c");
    assert_eq!(text("inline", "none"), "a c");
}

#[test]
fn a_sheet_behind_what_it_hides_counts_as_one_in_front() {
    for (markup, text) in [
        ("a <i class=x>b</i> c<style>.x{display:none}</style>", "a c"),
        ("a <i class=x>b</i><style>.x{display:none}</style> c<style>.x{display:inline}</style>", "a b c"),
        ("a <i class=x>b</i> c<template><style>.x{display:none}</style></template>", "a b c"),
        ("a <i class=x>b</i> c<style media=print>.x{display:none}</style>", "a b c"),
        ("<i class=x>a</i><div style='display:none'><style>.x{display:none}</style></div><p>b", "b"),
    ] {
        assert_eq!(extract(markup, Visibility::Reader).text, text, "{markup}");
        assert_eq!(to_text(markup), text, "{markup}");
    }
    assert_eq!(shown("<p>a <i class=x>b</i></p><style>.x{display:none}</style>"), "<p>a </p>");
}

#[test]
fn a_selection_and_the_reading_view_follow_the_sheet_too() {
    let markup = "<style>.x{display:none}.y{font-size:0}</style><p>a <i class=x>b</i><i class=y>c</i></p>";
    assert_eq!(to_text(markup), "a c", "a selection holds what is only too small to see");
    assert_eq!(shown(markup), "<p>a </p>");
}

#[test]
fn letters_without_size_have_one_again_inside() {
    // How a generator of mails writes every paragraph.
    let markup = "<table><tr><td style='font-size:0px;padding:10px 25px'>\
                  <div style='font-size:13px;color:#000000'>The offer ends in June.</div></td></tr></table>";
    let got = normalize(&Body::new(BodyKind::Email).with_html(markup));
    assert_eq!(got.new_text(), "The offer ends in June.");
    let share =
        "<div style='font-size:0'>a<b style='font-size:2em'>b</b><i style='font-size:100%'>c</i></div>d";
    assert_eq!(extract(share, Visibility::Reader).text, "d");
}

#[test]
fn a_colour_nobody_sees_is_one_again_inside() {
    let markup = "<div style='color:#fff;background:#fff'>a<b style='color:#000'>b</b><i style='color:navy'>c</i></div>d";
    assert_eq!(extract(markup, Visibility::Reader).text, "bc\nd");
    let moved = "<table bgcolor=#000000><font color=#000000>a</font><tr><td>b</td></tr></table>";
    assert_eq!(extract(moved, Visibility::Reader).text, "a\nb");
    let line = "<table><td bgcolor=red>a<font color=red size=1><br></font>b</td></table>\
                <i style='color:#fff;background:#fff'>x<br>y</i>c";
    assert_eq!(extract(line, Visibility::Reader).text, "a\nb\n\nc");
}

#[test]
fn a_sheet_over_a_limit_counts_for_nothing_and_says_so() {
    let many: String = (0..5_000).map(|n| format!(".c{n}{{display:none}}")).collect();
    let long = format!("{}.x{{display:none}}", " ".repeat(300_000));
    let crowd = format!("<i class='{}'>b</i>", "x ".repeat(90));
    for (css, body) in [(many.as_str(), "a <i class=c7>b</i> c"), (&long, "a <i class=x>b</i> c")] {
        let markup = format!("<style>{css}</style>{body}");
        let got = extract(&markup, Visibility::Reader);
        assert_eq!((got.text.as_str(), got.status), ("a b c", Status::Capped));
    }
    let got = extract(&format!("<style>.x{{display:none}}</style>a {crowd} c"), Visibility::Reader);
    assert_eq!((got.text.as_str(), got.status), ("a b c", Status::Capped));
    let few = extract("<style>.x{display:none}</style>a <i class=x>b</i> c", Visibility::Reader);
    assert_eq!(few.status, Status::Ok);
}

#[test]
fn two_classes_of_one_selector_are_both_asked_for() {
    let css = ".x.y{display:none} i.x{display:inline} #a.z{display:none}";
    assert_eq!(seen(css, "a <i class='y x'>b</i><i class=x>c</i><i class=y>d</i> e"), "a cd e");
    assert_eq!(seen(css, "a <i id=a>b</i><i id=a class=z>c</i> e"), "a b e");
    assert_eq!(seen(".x.y.z{display:none}", "a <i class='x y'>b</i> c"), "a b c");
}

#[test]
fn the_hidden_attribute_is_weaker_than_any_rule() {
    let css = ".x{display:block}.y{color:red}";
    assert_eq!(seen(css, "a <i hidden>b</i><i hidden class=y>c</i> d"), "a d");
    assert_eq!(seen(css, "a <i hidden class=x>b</i> c"), "a b c");
    assert_eq!(seen("", "a <i hidden style='display:inline'>b</i> c"), "a b c");
    assert_eq!(seen("[hidden]{display:none}", "a <i hidden>b</i> c"), "a c");
}

#[test]
fn declarations_of_an_element_are_read_as_browsers_do() {
    let text = |style: &str| {
        let markup = format!("a <i style=\"{style}\">b</i> c");
        extract(&markup, Visibility::Reader).text
    };
    let many = format!("{}display:none", "color:red;".repeat(2_000));
    for style in [
        "display:none;display:foo",
        "display:/**/none",
        "d\\69splay:none",
        "display:none;color",
        "background:url(a;b);display:none",
        "font-size:0;font-size:big",
        "visibility:hidden;visibility:shown",
        &many,
    ] {
        assert_eq!(text(style), "a c", "{style}");
    }
    for style in [
        "display:none;all:unset",
        "font-family:'a;display:none'",
        "width:calc(1px;display:none",
        "/*display:none*/",
        "display:none;display:inline",
    ] {
        assert_eq!(text(style), "a b c", "{style}");
    }
    let around = "<b style='visibility:hidden'>a<i style='visibility:inherit'>b</i></b>\
                  <b style='font-size:0'>c<i style='font-size:inherit'>d</i><i style='all:unset'>e</i></b>f";
    assert_eq!(extract(around, Visibility::Reader).text, "f");
}
