//! Codes alone on their line, names with their passwords, phrases and key pairs: what goes, and what stands beside it and
//! stays.

use hublore::text::secrets;

/// Lines with one secret each, the part in brackets.
const SHAPES: [&str; 104] = [
    // A code alone on its line or in its mail.
    "Code: [482913]",
    "Hi Bob,\n\nCode: [482913]\n\nBye, Ann",
    "Hi,\nhere it is:\nCode: [4829]\nit works for ten minutes",
    "> Code: [482913]",
    "**Code:** [482913]",
    "Code:\n[482913]",
    "Code [482913]",
    "User: bob\nCode: [482913]",
    "Portal: https://portal.example.com\nCode: [482913]",
    "Hallo,\n\nKode: [482913]",
    "Bonjour,\nCode : [482913]",
    "Hola,\nCódigo: [482913]",
    "Ciao,\nCodice: [482913]",
    "Hoi,\nCode: [482913].",
    "お世話になります。\nコード：[482913]",
    // Signing in with it.
    "Log in with [482913]",
    "Please sign in with [482913].",
    "Login with [482913] to see the offer",
    "You can log on with [482913] now",
    "verify with [905173]",
    "Melden Sie sich mit [482913] an",
    "Connectez-vous avec [482913]",
    "Inicia sesión con [482913]",
    "Accedi con [482913]",
    "Inloggen met [482913]",
    "Inserisci [482913] per accedere",
    // Digits in groups.
    "Your code: [4 8 2 9 1 3]",
    "Your verification code is [4 8 2 9 1 3].",
    "Your verification code is [482-913]",
    "Your code is [48 29 13]",
    "Code: [48-29-13]",
    "OTP [4821 9134]",
    "Code: [4-8-2-9-1-3]",
    "[4 8 2 9 1 3] is your verification code",
    "[482-913] is my code",
    "Enter [4 8 2 9 1 3] to verify your account",
    "PIN: [4 8 2 1]",
    "my pin is [48 21]",
    "CVV [1 2 3]",
    "Ihr Bestätigungscode lautet [4 8 2 9 1 3]",
    "Ihr Code: [482-913]",
    "Votre code est [48 29 13]",
    "Tu código es [4 8 2 9 1 3]",
    "Seu código é [482-913]",
    "Il tuo codice è [4 8 2 9 1 3]",
    "Uw code is [482 913]",
    "認証コード：[4 8 2 9 1 3]",
    // A name with its password.
    "Login: bob / [Tr0ub4dor&3]",
    "Login: bob/[Tr0ub4dor&3]",
    "Login: bob@example.com / [Tr0ub4dor&3]",
    "login = bob : [Tr0ub4dor&3]",
    "User: bob | [hunter22!]",
    "user / pass: bob / [hunter]",
    "user/pass: bob/[hunter]",
    "User / pass = bob [hunter]",
    "username/password: bob / [sunflower]",
    "Username and password: bob / [sunflower]",
    "User: bob, pass: [sunflower]",
    "credentials: bob:[hunter]",
    "Credentials: bob / [Tr0ub4dor&3]",
    "The credentials are bob / [Tr0ub4dor&3]",
    "Credentials:\nbob / [Tr0ub4dor&3]",
    "Login details: bob / pw [Tr0ub4dor&3]",
    "Zugangsdaten: bob / [Zaunkoenig77]",
    "Benutzer/Passwort: bob / [sonnenblume]",
    "Benutzername / Kennwort: bob / [sonnenblume]",
    "Benutzer und Passwort: bob / [sonnenblume]",
    "Anmeldung: bob / [Zaunkoenig77!]",
    "Identifiants : bob / [Martinpecheur9]",
    "Identifiant / mot de passe : bob / [tournesol]",
    "Usuario/contraseña: bob / [girasol]",
    "Usuario y contraseña: bob / [girasol]",
    "Credenciales: bob:[girasol]",
    "Usuário / senha: bob / [girassol]",
    "Credenciais: bob:[girassol]",
    "Credenziali: bob / [Girasole9]",
    "Utente / password: bob / [girasole]",
    "Gebruikersnaam / wachtwoord: bob / [zonnebloem]",
    "Inloggegevens: bob / [Zonnebloem9]",
    "ユーザー名 / パスワード：bob / [himawari]",
    "ログイン情報: bob / [Himawari9]",
    // Passwords of several words.
    "Password: [blue horse battery staple]",
    "password = [correct Horse Battery]",
    "Password for the portal: [blue horse]",
    "the password is [blue horse]",
    "The password is [blue horse].",
    "my wifi password is \"[the blue horse runs]\" and it works",
    "Password: “[the blue horse]”, user bob",
    "The passphrase is [purple monkey dishwasher lamp]",
    "Passwort: [blaues Pferd]",
    "Passwort: „[das blaue Pferd]“, bitte merken",
    "Das Passwort lautet „[das blaue Pferd]“.",
    "Mot de passe : [cheval bleu]",
    "Le mot de passe est « [le cheval bleu] »",
    "Contraseña: [caballo azul]",
    "La contraseña es \"[el caballo azul]\".",
    "Senha: [cavalo azul]",
    "A senha é \"[o cavalo azul]\".",
    "Parola d'ordine: [cavallo azzurro]",
    "La password è \"[il cavallo azzurro]\".",
    "Wachtwoord: [blauw paard]",
    "Het wachtwoord is \"[het blauwe paard]\".",
    "パスワードは「[青い 馬 四号]」です",
    // The secret half of an access key; its id goes as well.
    "aws key AKIAIOSFODNN7EXAMPLE and [wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY]",
];

/// Lines like those that hold no secret.
const NEIGHBOURS: [&str; 119] = [
    "Article: Pump\nCode: 48213\nPrice: 20 EUR",
    "Article: Pump\n\nCode: 48213",
    "Code: 48213\nName: Pump",
    "Product | Code: 48213",
    "Your voucher for the shop.\nCode: 482913",
    "Gutschein für Sie\nCode: 482913",
    "Postal code: 10115",
    "Error code: 40310",
    "Code: 4829 EUR",
    "Code: 12.03.2026",
    "Code: see the attached sheet",
    "Code 4829 of the list is wrong",
    "Code: 482913 pieces",
    "Code of conduct 2024",
    "Artikel: Pumpe\nCode: 48213",
    "Désignation : Pompe\nCode : 48213",
    "Artículo: Bomba\nCódigo: 48213",
    "Articolo: Pompa\nCodice: 48213",
    "品名：ポンプ\nコード：48213",
    "Log in with your customer number 48291.",
    "We log in with 4829 accounts.",
    "Sign in with 2400 of your colleagues",
    "Login with 4829 users at once",
    "Log in with the app of 2024",
    "Verify with 4829 test records",
    "We work with 4829 of them.",
    "With 4829 visitors the login page was slow.",
    "Inloggen met 4829 gebruikers",
    "We met 4829 people.",
    "Accedi con 4829 utenti",
    "Call 48 29 13 56",
    "Room 48 21",
    "The pages 4 8 2 9 are missing.",
    "Your verification code was sent on 12-03-26",
    "The scores were 4 8 2 9 1 3",
    "We open 10 30 and close 18 30",
    "Your code arrives on 12 03 26 by mail",
    "Size 48 50 52",
    "Phone: 48 29 13",
    "Verification code sent to +49 30 55 50 10",
    "Login: https://portal.example.com/login",
    "Login: portal.example.com/Team2",
    "Login: bob / Monday 8:30",
    "Login: bob / 030 5550100",
    "Login: bob / bob@example.com",
    "Login: Monday / Tuesday",
    "Login: bob / admin",
    "Login: 12.03.2026 / 14:30",
    "User: Bob Smith / Sales",
    "User: bob, role: admin",
    "User-Agent: Mutt/1.2.2i",
    "Login | Logout",
    "user / pass fields are empty",
    "username / password",
    "User name and password are required.",
    "Username/password login is off.",
    "Credentials: PhD / MBA",
    "Credentials: MBA, CPA",
    "The credentials are wrong.",
    "The credentials are in the vault.",
    "Credentials: see the vault / ask Ann",
    "Login details: will follow",
    "Account: Example GmbH / Berlin",
    "Account: 4711 / 0815",
    "Pass: 12 of 14",
    "Please pass: the others wait",
    "We pass the test.",
    "Zugangsdaten: folgen per Post",
    "Zugangsdaten: siehe Anhang / Seite 3",
    "Benutzer und Passwort sind falsch.",
    "Benutzer: Ann / Vertrieb",
    "Anmeldung: Montag / Dienstag",
    "Identifiants : voir pièce jointe",
    "Utilisateur : Ann / Ventes",
    "Usuario y contraseña son obligatorios.",
    "Usuario: Ana / Ventas",
    "Usuário e senha são obrigatórios.",
    "Credenziali: vedi allegato / pagina 3",
    "Utente: Anna / Vendite",
    "Gebruiker: Ann / Verkoop",
    "Inloggegevens: volgen per post",
    "ユーザー名とパスワードが必要です。",
    "Password: will be sent by post",
    "Password: see the attached letter",
    "The password is wrong",
    "The password is too short.",
    "The password is case sensitive",
    "the password is very old",
    "The password is not working",
    "my password is expired again",
    "The password is really strange",
    "The password is stored here",
    "The password is valid until Friday",
    "The password is required.",
    "It says \"the password is too short\".",
    "The password is \"too short\", it says.",
    "The password is \"not valid\".",
    "Is the password of the portal known?",
    "The passphrase is required every time",
    "A password is a word.",
    "The password is being changed",
    "Das Passwort ist falsch.",
    "Das Passwort ist sehr alt",
    "Passwort: wird separat verschickt",
    "Passwort: siehe Brief der Bank",
    "Das Passwort lautet wie bisher",
    "Le mot de passe est faux",
    "Le mot de passe est trop court",
    "Mot de passe : sera envoyé par courrier",
    "La contraseña es incorrecta",
    "Contraseña: será enviada por correo",
    "A senha está errada",
    "A senha é muito curta",
    "La password è sbagliata",
    "Password: vedi allegato, non cambia",
    "Het wachtwoord is onjuist",
    "Wachtwoord: volgt per post",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b of the file",
    "see /srv/Projects/2026/Offers/Berlin/Final4x for it",
];

#[test]
fn shapes_go_and_only_the_secret_of_them() {
    let mut wrong = Vec::new();
    for shape in SHAPES {
        let (before, rest) = shape.split_once('[').expect("a secret");
        let (value, after) = rest.split_once(']').expect("its end");
        let masked = secrets::mask(&format!("{before}{value}{after}"));
        let key_id = "AKIAIOSFODNN7EXAMPLE";
        let before = before.replace(key_id, "[token]");
        let kept = masked.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after));
        let is_mask = kept.is_some_and(|mask| {
            mask.starts_with('[') && mask.ends_with(']') && mask.matches('[').count() == 1
        });
        if !is_mask {
            wrong.push(format!("{shape:?} -> {masked:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), SHAPES.len());
}

#[test]
fn their_neighbours_stay() {
    let wrong: Vec<String> =
        NEIGHBOURS.iter().map(|line| secrets::mask(line)).filter(|masked| masked.contains('[')).collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), NEIGHBOURS.len());
}

#[test]
fn the_secret_half_of_a_key_is_told_by_its_id() {
    let half = "abJalrXUtnFEMI/K7M/ENG/bPx/fiC/EXAMPLEKE";
    let other = "see /srv/Projects/Offers/Berlin/Final4xx9a";
    for line in [
        format!("AKIAIOSFODNN7EXAMPLE\n{half}"),
        format!("{half}\nAKIAIOSFODNN7EXAMPLE"),
        format!("id,secret\nAKIAIOSFODNN7EXAMPLE,{half}"),
        format!("aws_access_key_id = ASIAIOSFODNN7EXAMPLE\nthe other one \"{half}\""),
    ] {
        assert!(!secrets::mask(&line).contains("EXAMPLE"), "{}", secrets::mask(&line));
    }
    assert_eq!(
        secrets::mask(&format!("a word {half}")),
        format!("a word {half}"),
        "without its id it says nothing"
    );
    assert_eq!(secrets::mask(other), other);
}
