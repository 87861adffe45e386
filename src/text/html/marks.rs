//! The marks mail clients leave in classes, ids and names around quotes and signatures.
//!
//! What becomes of them is decided by [`crate::text::reply`].

use super::MarkKind;
use super::tags::{Tag, tag};

/// The mark in a class, id or name of an element; of several the last.
pub(super) fn of_client(value: &[u8], element: Tag) -> Option<MarkKind> {
    let mut found = None;
    for word in value.split(u8::is_ascii_whitespace) {
        let word = word.strip_prefix(b"x_").unwrap_or(word);
        let kind = match word {
            b"gmail_quote" if element == tag(b"blockquote") => MarkKind::Blockquote,
            b"gmail_quote" => MarkKind::Frame,
            b"yahoo_quoted"
            | b"moz-forward-container"
            | b"protonmail_quote"
            | b"zmail_extra"
            | b"tutanota_quote"
            | b"skiff_quote"
            | b"isReplyContent"
            | b"isForwardContent"
            | b"origbody"
            | b"reply139content"
            | b"OLK_SRC_BODY_SECTION"
            | b"quote"
            | b"mail-editor-reference-message-container"
            | b"AppleOriginalContents" => MarkKind::Quote,
            b"divRplyFwdMsg"
            | b"appendonsend"
            | b"oriMsgHtmlSeperator"
            | b"replySplit"
            | b"stopSpelling"
            | b"__DIVIDER__" => MarkKind::Header,
            b"gmail_attr" | b"moz-cite-prefix" => MarkKind::Attribution,
            b"gmail_signature"
            | b"moz-signature"
            | b"protonmail_signature_block"
            | b"Signature"
            | b"AppleMailSignature"
            | b"ms-outlook-mobile-signature"
            | b"hs_signature" => MarkKind::Signature,
            b"hs_cos_wrapper_email_can_spam" => MarkKind::Footer,
            // Yahoo numbers its class names anew in every mail.
            yahoo if yahoo.starts_with(b"ydp") && yahoo.ends_with(b"signature") => MarkKind::Signature,
            _ => continue,
        };
        found = Some(kind);
    }
    found
}
