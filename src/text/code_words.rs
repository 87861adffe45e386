//! Word lists of `codes`: which words make a number a code, and which make it something else.
//!
//! Lists only, parted by bars; how they are used is in [`super::codes`].

use std::sync::LazyLock;

use super::wording::{WordSet, Words, list, set};

/// What is numbered, and what stands before a number of such a thing.
pub(super) static NUMBERED: WordSet = LazyLock::new(|| {
    set("\
    order|invoice|ticket|case|number|no|nr|num|numéro|número|nº|ref|reference|room|zip|\
    postcode|plz|tel|phone|fax|since|until|year|rechnung|bestellung|auftrag|auftragsnummer|\
    bestellnummer|rechnungsnummer|kundennummer|ticketnummer|jahr|seit|postal|facture|commande|\
    factura|pedido|fatura|encomenda|eur|usd|gbp|chf|rs|version|build|port|article|artikel|\
    artikelnummer|part|model|modell|street|error")
});

/// What is counted.
pub(super) static UNITS: Words = LazyLock::new(|| {
    list(
        "\
    eur|euro|euros|usd|gbp|chf|dollars|%|€|$|pieces|pcs|units|users|people|lines|seats|\
    licences|licenses|days|hours|minutes|seconds|times|items|kg|km|m|mm|cm|gb|mb|kb|w|\
    kw|kwh|stück|nutzer|zeilen|tage|stunden|lizenzen|personen|pièces|utilisateurs|lignes|\
    jours|heures|piezas|usuarios|líneas|días|horas|peças|usuários|utilizadores|linhas|dias|\
    customers|contacts|rows|records|points|utenti|clienti|persone|pezzi|gebruikers|klanten|stuks",
    )
});

/// How names of months begin.
pub(super) static MONTHS: Words = LazyLock::new(|| {
    list(
        "\
    jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mai|okt|dez|mär|fév|avr|juin|\
    juil|aoû|déc|ene|abr|ago|dic|fev|out",
    )
});

/// Words that may stand between a label and its code.
pub(super) static LINKS: WordSet = LazyLock::new(|| {
    set("\
    is|was|code|number|ist|lautet|war|für|heute|est|es|é|è|är|er|the|le|el|o|de|now|\
    は|が|コードは|番号は|jetzt|maintenant|ahora|agora|still|your|my|ihr|votre|tu|seu|su|あなたの")
});

/// What other codes are of.
pub(super) static OTHER: WordSet = LazyLock::new(|| {
    set("\
    zip|post|postal|area|country|dial|dialling|error|status|response|exit|http|product|\
    item|article|customer|part|sku|qr|bar|source|color|colour|dress|tax|order|cost|\
    project|booking|tracking|swift|bic|sort|bank|erreur|produit|client|barras|erro|cliente|\
    producto|produto|artículo|artigo|pays|país|fehler|produkt|artikel|kunden|farb|reason|\
    class|hs|nace|naf|ape")
});

/// The same in scripts without spaces.
pub(super) static OTHER_WIDE: Words = LazyLock::new(|| {
    list(
        "\
    エラー|郵便|商品|製品|国|バー|顧客",
    )
});

/// What makes a code one for a discount.
pub(super) const DISCOUNTS: &str = "\
    discount|coupon|voucher|promo|% off|rabatt|gutschein|remise|réduction|descuento|desconto|\
    cupón|cupom|割引|クーポン";

/// Signing in and proving who one is.
pub(super) const SIGNING_IN: &str = "\
    sign in|sign-in|signing in|log in|log-in|login|logging in|log on|verify|verif|authenticat|\
    two-factor|two-step|2fa|one-time|one time|your identity|your account|access your|password|\
    anmeld|anzumelden|melden sie sich|melde dich|einlog|einzulogg|loggen sie|verifizier|\
    bestätig|freischalt|zwei-faktor|passwort|connect|connexion|vérifi|authentifi|identité|\
    mot de passe|iniciar sesión|inicia sesión|inicie sesión|acceder|tu cuenta|su cuenta|\
    contraseña|entrar|acessar|aceder|iniciar sessão|autentic|sua conta|senha|accedere|inlog|\
    aanmeld|in te loggen|log in op|accedi|effettua l'accesso|il tuo account|je account|uw account|ログイン|サインイン|認証|本人確認|確認コード|パスワード";

/// What stands right before "with" where somebody signs in with something.
pub(super) static VERBS: Words = LazyLock::new(|| {
    list(
        "\
    log in|login|log-in|logging in|log on|sign in|signin|sign-in|signing in|sign on|authenticate|\
    verify|log je in|log in op|inloggen|aanmelden|meld je aan|meldt u zich aan|connect",
    )
});

/// Words that may follow a code without being counted by it.
pub(super) static BEHIND_CODE: WordSet =
    LazyLock::new(|| set("to|today|now|and|please|within|before|om|en|voor|nu|thanks|it"));

/// Labels of what somebody signs in with.
pub(super) static SIGNED_IN: Words = LazyLock::new(|| {
    list(
        "\
    user|login|log in|mail|account|pass|pin|benutzer|konto|kennwort|anmeld|identifiant|utilisateur|\
    compte|usuario|usuário|utilizador|cuenta|conta|utente|gebruik|wachtwoord|nutzer|subject|\
    betreff|from|von|site|portal|url|link|ユーザー|パスワード|アカウント",
    )
});
