//! Word lists of `secrets` and `passwords`: labels of secrets, how keys begin, and what shows that a line only talks of
//! them.
//!
//! Lists only, parted by bars; how they are used is in [`super::secrets`] and [`super::passwords`].

pub(super) const PASSWORD_LABELS: &str = "password|passwd|passwort|kennwort|pwd|pw|passcode|passphrase|pass phrase|kenncode|pin|mot de passe|mdp|contraseña|\
    clave|senha|palavra-passe|wachtwoord|lösenord|adgangskode|kodeord|passord|salasana|hasło|heslo|jelszó|parola|parolă|\
    lozinka|geslo|parola d'ordine|parola chiave|palavra passe|código secreto|toegangscode|пароль|парола|κωδικός πρόσβασης|şifre|parola|كلمة المرور|كلمة السر|סיסמה|mật khẩu|パスワード|비밀번호|密码|密碼|kata sandi|slaptažodis";
pub(super) const KEY_LABELS: &str = "api key|api-key|api_key|apikey|api token|access token|access_token|auth token|token|bearer|client secret|\
    client_secret|secret key|secret_key|secret|private key|access key|aws_secret_access_key|authorization|x-api-key|license key|zugangstoken|clé api|clave api";
pub(super) const CODE_LABELS: &str = "verification code|one-time code|one time code|one-time password|one time password|one-time passcode|otp|security code|login code|\
    access code|authentication code|auth code|2fa code|confirmation code|sign-in code|bestätigungscode|sicherheitscode|einmalcode|\
    einmalpasswort|zugangscode|tan|code de vérification|code de sécurité|code de confirmation|code à usage unique|código de verificación|\
    código de seguridad|código de verificação|código de segurança|codice di verifica|codice di sicurezza|verificatiecode|beveiligingscode|\
    verifieringskod|engångskod|bekræftelseskode|engangskode|vahvistuskoodi|kod weryfikacyjny|ověřovací kód|overovací kód|\
    ellenőrző kód|cod de verificare|код подтверждения|код підтвердження|doğrulama kodu|رمز التحقق|mã xác minh|認証コード|確認コード|인증번호|인증 코드|\
    验证码|驗證碼|anmeldecode|logincode|login-code|log-in code|signin code|sign in code|einmal-code|sms-code|code de connexion|code d'accès|\
    code d’accès|code d'authentification|code d’authentification|código de acceso|código de acesso|código de inicio de sesión|código de login|\
    código de autenticación|código de autenticação|código de confirmación|código de confirmação|código de un solo uso|認証番号|確認番号|ログインコード|\
    セキュリティコード|ワンタイムパスワード|ワンタイムコード|codice di accesso|codice di conferma|codice monouso|\
    codice di autenticazione|inlogcode|bevestigingscode|eenmalige code|aanmeldcode";
pub(super) const OWN_CODE_LABELS: &str = "your code|my code|the code|our code|ihr code|dein code|mein code|der code|unser code|votre code|ton code|mon code|le code|\
    tu código|su código|mi código|el código|seu código|teu código|meu código|o código|il codice|il tuo codice|il suo codice|il mio codice|je code|uw code|jouw code|mijn code|\
    de code|あなたのコード";
pub(super) const BARE_CODES: &str = "code|codes|passcode|kode|código|codigo|codice|コード";
pub(super) const PIN_LABELS: &str =
    "pin|pin code|pin-code|pincode|code pin|pin number|passcode|geheimzahl|código pin|codice pin|暗証番号";
pub(super) const ENTER_VERBS: &str = "enter|use|using|type|type in|input|key in|geben sie|gib|verwenden sie|verwende|nutzen sie|saisissez|entrez|tapez|utilisez|saisis|\
    introduce|introduzca|ingresa|ingrese|escribe|digite|insira|utilize|introduza|mit|avec|con|com|inserisci|\
    inserisca|digita|usa|utilizza|voer|gebruik|vul|typ";
pub(super) const ENTERED_VERBS: &str = "eingeben|ein,|ein und|ein um|を入力|と入力|を使";
pub(super) const CARD_CODE_LABELS: &str = "cvv|cvc|cvv2|cvc2|prüfnummer|card verification|sicherheitsnummer";
pub(super) const TOKEN_PREFIXES: &str = "sk_live_|sk_test_|rk_live_|rk_test_|pk_live_|whsec_|sk-|ghp_|gho_|ghs_|ghu_|ghr_|github_pat_|glpat-|xoxb-|xoxp-|xoxa-|\
    xoxs-|xapp-|akia|asia|aiza|ya29.|pat-na1-|pat-na2-|pat-na3-|pat-eu1-|pat-ap1-|eyj|sg.|npm_|pypi-|dop_v1_|shpat_|shpss_|key-|sq0atp-|sq0csp-|\
    hf_|lin_api_|ntn_|secret_|atatt|hvs.|dckr_pat_|1//0|nrak-|figd_|sntrys_|phc_|pnu_|rzp_live_";

/// What stands between a verb of signing in and its code: "log in with 482913".
pub(super) const WITHS: &str = "with|met|via";
/// Labels of a name and its password on one line.
pub(super) const LOGIN_LABELS: &str = "login|log-in|user|username|user name|account|benutzer|benutzername|nutzer|anmeldung|kennung|identifiant|\
    utilisateur|usuario|usuário|utilizador|utente|nome utente|gebruiker|gebruikersnaam|ログイン|ユーザー|ユーザー名";
/// Labels that say that both are given.
pub(super) const CREDENTIAL_LABELS: &str = "credentials|creds|login details|login data|login credentials|access data|access details|account details|zugangsdaten|\
    anmeldedaten|logindaten|login-daten|identifiants|identifiants de connexion|credenciales|datos de acceso|credenciais|dados de acesso|credenziali|\
    dati di accesso|inloggegevens|aanmeldgegevens|ログイン情報|アカウント情報";
/// "pass" is a verb too: only with a colon behind it is it a label.
pub(super) const SHORT_PASSWORD_LABELS: &str = "pass|psw|passw";
/// What a label of a password is joined with: "user / pass".
pub(super) const USERS: &str = "user|username|name|login|id|mail|email|account|benutzer|benutzername|nutzer|nutzername|kennung|identifiant|utilisateur|\
    usuario|usuário|utilizador|utente|gebruiker|gebruikersnaam|ユーザー|ユーザー名|ユーザーid|ログインid|アカウント";
/// Words that only a sentence about a password has, not a password of several words.
pub(super) const TALK: &str = "\
    a|an|the|to|in|on|at|by|of|for|from|with|without|and|or|but|not|no|too|very|still|only|also|now|again|already|\
    always|never|so|as|than|that|this|which|who|it|we|you|they|he|she|i|my|your|our|their|his|her|its|please|until|since|after|\
    before|when|while|if|because|be|been|has|have|had|is|are|was|were|will|would|can|could|should|must|may|might|does|do|\
    did|see|ask|call|click|use|enter|wrong|right|incorrect|invalid|valid|old|new|weak|strong|secure|insecure|safe|unsafe|\
    short|long|simple|easy|hard|difficult|same|different|unknown|known|missing|empty|blank|lost|forgotten|case|mandatory|\
    optional|important|sensitive|unique|shown|sent|given|set|kept|identical|good|bad|available|here|there|below|above|\
    inside|outside|fine|ok|okay|broken|stuck|gone|back|out|up|temporary|permanent|default|random|public|private|secret|hidden|\
    safe|quite|rather|pretty|super|somewhat|just|soon|today|tomorrow|yesterday|later|minimum|maximum|least|characters|letters|\
    digits|days|hours|times|months|history|policy|reset|everywhere|somewhere|anywhere|written|up-to-date|\
    der|die|das|den|dem|ein|eine|und|oder|nicht|kein|keine|zu|im|mit|ohne|von|für|auf|aus|bei|nach|vor|per|ist|sind|war|wird|werden|\
    wurde|muss|soll|kann|darf|bitte|siehe|noch|schon|immer|nie|sehr|falsch|richtig|neu|neue|neues|alt|altes|gleich|\
    gültig|ungültig|unbekannt|bekannt|leer|ändern|separat|getrennt|folgt|kommt|wie|bisher|gruß|grüße|fragen|\
    le|la|les|un|une|et|ou|ne|pas|de|du|des|à|au|aux|en|dans|sur|avec|sans|pour|par|est|sont|sera|voir|faux|incorrect|oublié|\
    perdu|vide|trop|très|encore|déjà|même|ci-joint|suit|séparément|\
    el|los|las|una|y|o|no|del|al|con|sin|por|para|es|son|será|ver|véase|vacía|incorrecta|muy|igual|mismo|misma|aparte|\
    os|um|uma|e|ou|não|do|da|dos|das|ao|com|sem|é|são|seja|errada|incorreta|muito|igual|mesma|separado|\
    il|lo|gli|i|uno|non|del|della|dello|nel|con|senza|per|sono|sarà|vedi|errata|sbagliata|molto|stessa|separatamente|\
    de|het|een|en|of|niet|geen|te|op|met|zonder|voor|van|is|zijn|wordt|zie|onjuist|verkeerd|vergeten|leeg|hetzelfde|apart|volgt";
/// Words a sentence begins with where a password might stand: "Password: will be sent by post".
pub(super) const PROSE: &str = "will|is|was|has|see|please|not|must|can|should|same|as|by|sent|ask|wird|siehe|bitte|nicht|muss|kommt|wie|folgt|\
    voir|sera|suit|ver|véase|será|vedi|sarà|zie|wordt|volgt";
