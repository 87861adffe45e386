//! French content.

use super::lexicon::{Attribute, FactWording, Lexicon};

pub(super) const LEXICON: Lexicon = Lexicon {
    code: "fr",
    first_names: &["Élodie", "Benoît", "Camille", "Gaël", "Solène", "Hervé", "Inès", "Raphaël"],
    last_names: &["Lefèvre", "Garnier", "D'Arcy", "Moreau", "Besançon", "Chevalier", "Rousselot"],
    cities: &["Lyon", "Nantes", "Bruxelles", "Genève"],
    jobs: &["Directrice des achats", "Responsable informatique", "Gérant", "Assistante de direction"],
    greetings: &["Bonjour {},", "Cher {},", "Bonjour à vous, {},"],
    closings: &["Cordialement,", "Bien à vous,", "Merci d'avance,"],
    subjects: &[
        "Question sur la facture d'octobre",
        "Devis pour le deuxième site",
        "Formation de l'équipe logistique",
        "Projet de contrat, article 4",
    ],
    sentences: &[
        "Nous avons revu les chiffres ce matin et l'essentiel nous convient.",
        "Pourriez-vous nous envoyer le devis corrigé avant jeudi ?",
        "L'export dure presque quarante minutes et bloque l'équipe de nuit.",
        "La formation s'est bien passée, une deuxième séance n'est pas nécessaire.",
        "Nos bureaux seront fermés vendredi à cause du déménagement.",
        "Le service juridique a encore une remarque sur la responsabilité.",
    ],
    facts: &[
        FactWording {
            attribute: Attribute::AccountManager,
            first: "Notre interlocuteur chez vous est {}.",
            changed: "Notre interlocuteur est désormais {}.",
        },
        FactWording {
            attribute: Attribute::RenewalMonth,
            first: "Le renouvellement du contrat est prévu en {}.",
            changed: "Le renouvellement est repoussé à {}.",
        },
        FactWording {
            attribute: Attribute::Billing,
            first: "Nous préférons des factures {}.",
            changed: "Nous voulons maintenant des factures {}.",
        },
        FactWording {
            attribute: Attribute::Budget,
            first: "Le budget de cette année est de {}.",
            changed: "Le budget a été porté à {}.",
        },
        FactWording {
            attribute: Attribute::DecisionMaker,
            first: "C'est {} qui prend la décision.",
            changed: "La décision revient maintenant à {}.",
        },
        FactWording {
            attribute: Attribute::Seats,
            first: "Il nous faut {} licences.",
            changed: "Merci de passer la commande à {} licences.",
        },
    ],
    months: &[
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    billing: &["mensuelles", "trimestrielles", "annuelles"],
    reference: "Notre référence : ref {}.",
    gmail_wrote: "Le {date}, {name} <{mail}> a écrit :",
    apple_wrote: "Le {date}, {name} a écrit :",
    outlook: ["De", "Envoyé", "À", "Objet"],
    disclaimer: "Ce message est confidentiel et destiné uniquement à son destinataire. Si vous l'avez reçu par erreur, merci de le supprimer et de nous prévenir.",
    sent_from: "Envoyé de mon mobile",
    newsletter: [
        "Les nouveautés du mois",
        "La version d'automne accélère les imports et simplifie l'accueil.",
        "Rejoignez l'heure ouverte de mercredi avec vos questions.",
        "Se désabonner",
    ],
    auto_reply: [
        "Réponse automatique : absence",
        "Merci de votre message. Je suis absent jusqu'à lundi, sans accès à ma messagerie. En cas d'urgence, appelez l'accueil.",
    ],
    table: ["Article", "Quantité", "Prix"],
    titles: ["Appel de suivi", "Revue trimestrielle", "Note client", "Envoyer l'offre corrigée"],
    next_steps: &["Envoyer le devis corrigé", "Vérifier le journal d'import", "Réserver la salle"],
};
