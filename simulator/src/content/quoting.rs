//! How mail programs frame what is answered and what stands below a message: Gmail, Outlook and
//! Apple Mail in HTML, and plain text with `>`.

use super::email::{Client, Message};
use super::lexicon::Lexicon;
use super::markup::{push_element, push_escaped, written_date};

/// The whole HTML document of a message with its quotes, newest first.
pub(super) fn html(chain: &[Message], client: Client, lexicon: &Lexicon) -> String {
    let mut out = String::with_capacity(4_096);
    match client {
        Client::Gmail => gmail(chain, lexicon, &mut out),
        Client::Outlook => outlook(chain, lexicon, &mut out),
        Client::Apple | Client::Plain => apple(chain, lexicon, &mut out),
    }
    out
}

fn gmail(chain: &[Message], lexicon: &Lexicon, out: &mut String) {
    let Some((message, earlier)) = chain.split_first() else {
        return;
    };
    out.push_str("<div dir=\"ltr\">");
    for paragraph in message.paragraphs() {
        push_element("div", paragraph, out);
        out.push_str("<div><br></div>");
    }
    message.push_table(lexicon, out);
    out.push_str("</div><br clear=\"all\"><div><div dir=\"ltr\" class=\"gmail_signature\" data-smartmail=\"gmail_signature\">-- <br>");
    push_lines(&message.signature, out);
    out.push_str("</div></div>");
    if let Some(quoted) = earlier.first() {
        out.push_str(
            "<br><div class=\"gmail_quote gmail_quote_container\"><div dir=\"ltr\" class=\"gmail_attr\">",
        );
        push_escaped(&attribution(lexicon.gmail_wrote, quoted, lexicon), out);
        out.push_str("<br></div><blockquote class=\"gmail_quote\" style=\"margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex\">");
        gmail(earlier, lexicon, out);
        out.push_str("</blockquote></div>");
    }
}

fn outlook(chain: &[Message], lexicon: &Lexicon, out: &mut String) {
    out.push_str("<html xmlns:o=\"urn:schemas-microsoft-com:office:office\"><head><meta name=\"Generator\" content=\"Microsoft Word 15 (filtered medium)\"><style><!-- p.MsoNormal {margin:0cm;font-size:11.0pt;font-family:\"Calibri\",sans-serif;} --></style></head><body lang=\"");
    out.push_str(lexicon.code);
    out.push_str("\"><div class=\"WordSection1\">");
    for (depth, message) in chain.iter().enumerate() {
        if depth > 0 {
            push_outlook_header(message, lexicon, out);
        }
        for paragraph in message.paragraphs().chain(message.signature.iter().map(String::as_str)) {
            out.push_str("<p class=\"MsoNormal\"><span>");
            push_escaped(paragraph, out);
            out.push_str("</span><o:p></o:p></p><p class=\"MsoNormal\"><o:p>&nbsp;</o:p></p>");
        }
        message.push_table(lexicon, out);
        if depth == 0 {
            push_element("p class=\"MsoNormal\" style=\"font-size:8pt;color:gray\"", lexicon.disclaimer, out);
        }
    }
    out.push_str("</div></body></html>");
}

fn push_outlook_header(message: &Message, lexicon: &Lexicon, out: &mut String) {
    out.push_str("<div style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm\"><p class=\"MsoNormal\">");
    let from = format!("{} <{}>", message.from.name(), message.from.mail);
    let to = format!("{} <{}>", message.to.name(), message.to.mail);
    let sent = written_date(message.at, lexicon);
    for (label, value) in lexicon.outlook.iter().zip([&from, &sent, &to, &message.subject]) {
        push_element("b", &format!("{label}:"), out);
        out.push(' ');
        push_escaped(value, out);
        out.push_str("<br>");
    }
    out.push_str("</p></div>");
}

fn apple(chain: &[Message], lexicon: &Lexicon, out: &mut String) {
    let Some((message, earlier)) = chain.split_first() else {
        return;
    };
    out.push_str("<html><head><meta http-equiv=\"content-type\" content=\"text/html; charset=utf-8\"></head><body style=\"overflow-wrap: break-word; -webkit-nbsp-mode: space;\">");
    for paragraph in message.paragraphs() {
        push_element("div", paragraph, out);
        out.push_str("<div><br></div>");
    }
    message.push_table(lexicon, out);
    out.push_str("<div id=\"AppleMailSignature\" dir=\"ltr\">");
    push_lines(&message.signature, out);
    push_escaped(lexicon.sent_from, out);
    out.push_str("</div>");
    if let Some(quoted) = earlier.first() {
        out.push_str("<div><br><blockquote type=\"cite\"><div>");
        push_escaped(&attribution(lexicon.apple_wrote, quoted, lexicon), out);
        out.push_str("</div><br class=\"Apple-interchange-newline\">");
        apple(earlier, lexicon, out);
        out.push_str("</blockquote></div>");
    }
    out.push_str("</body></html>");
}

/// The plain-text part, quotes marked with `>`.
pub(super) fn text(chain: &[Message], lexicon: &Lexicon) -> String {
    let Some((message, earlier)) = chain.split_first() else {
        return String::new();
    };
    let mut out = String::with_capacity(2_048);
    for paragraph in message.paragraphs() {
        out.push_str(paragraph);
        out.push_str("\n\n");
    }
    out.push_str("-- \n");
    for line in &message.signature {
        out.push_str(line);
        out.push('\n');
    }
    if let Some(quoted) = earlier.first() {
        out.push('\n');
        out.push_str(&attribution(lexicon.gmail_wrote, quoted, lexicon));
        out.push('\n');
        for line in text(earlier, lexicon).lines() {
            out.push_str(if line.starts_with('>') { ">" } else { "> " });
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

fn attribution(template: &str, message: &Message, lexicon: &Lexicon) -> String {
    template
        .replace("{date}", &written_date(message.at, lexicon))
        .replace("{name}", &message.from.name())
        .replace("{mail}", &message.from.mail)
}

fn push_lines(lines: &[String], out: &mut String) {
    for line in lines {
        push_escaped(line, out);
        out.push_str("<br>");
    }
}
