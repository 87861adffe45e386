//! Portuguese content.

use super::lexicon::{Attribute, FactWording, Lexicon};

pub(super) const LEXICON: Lexicon = Lexicon {
    code: "pt",
    first_names: &["João", "Conceição", "Tiago", "Inês", "Luís", "Beatriz", "Gonçalo", "Débora"],
    last_names: &["Magalhães", "Araújo", "Simões", "Brandão", "Cunha", "Gonçalves", "Vasconcelos"],
    cities: &["Porto", "Curitiba", "Braga", "Recife"],
    jobs: &["Gestora de compras", "Diretor de TI", "Sócio-gerente", "Responsável financeira"],
    greetings: &["Olá, {},", "Bom dia, {},", "Caro(a) {},"],
    closings: &["Atenciosamente,", "Cumprimentos,", "Obrigado,"],
    subjects: &[
        "Dúvida sobre a fatura de outubro",
        "Proposta para a segunda unidade",
        "Formação da equipa do armazém",
        "Minuta do contrato, cláusula 4",
    ],
    sentences: &[
        "Revimos os números esta manhã e quase tudo está bem.",
        "Podem enviar a proposta corrigida até quinta-feira?",
        "A exportação demora quase quarenta minutos e bloqueia o turno da noite.",
        "A formação correu bem e não é preciso uma segunda sessão.",
        "Na sexta-feira o escritório estará fechado por causa da mudança.",
        "O jurídico tem uma observação sobre a responsabilidade.",
    ],
    facts: &[
        FactWording {
            attribute: Attribute::AccountManager,
            first: "O nosso gestor de conta é {}.",
            changed: "O nosso gestor de conta agora é {}.",
        },
        FactWording {
            attribute: Attribute::RenewalMonth,
            first: "A renovação do contrato é em {}.",
            changed: "A renovação foi adiada para {}.",
        },
        FactWording {
            attribute: Attribute::Billing,
            first: "Preferimos faturas {}.",
            changed: "A partir de agora queremos faturas {}.",
        },
        FactWording {
            attribute: Attribute::Budget,
            first: "O orçamento deste ano é de {}.",
            changed: "O orçamento mudou para {}.",
        },
        FactWording {
            attribute: Attribute::DecisionMaker,
            first: "Quem decide é {}.",
            changed: "Agora quem decide é {}.",
        },
        FactWording {
            attribute: Attribute::Seats,
            first: "Precisamos de {} licenças.",
            changed: "Alterem a encomenda para {} licenças, por favor.",
        },
    ],
    months: &[
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
    ],
    billing: &["mensais", "trimestrais", "anuais"],
    reference: "A nossa referência: ref {}.",
    gmail_wrote: "Em {date}, {name} <{mail}> escreveu:",
    apple_wrote: "{name} escreveu a {date}:",
    outlook: ["De", "Enviado", "Para", "Assunto"],
    disclaimer: "Esta mensagem é confidencial e destina-se apenas ao destinatário. Se a recebeu por engano, apague-a e avise-nos.",
    sent_from: "Enviado do meu telemóvel",
    newsletter: [
        "Novidades do mês",
        "A versão de outono importa mais depressa e tem uma página inicial mais calma.",
        "Participe na hora aberta de quarta-feira.",
        "Cancelar a subscrição",
    ],
    auto_reply: [
        "Resposta automática: ausência",
        "Obrigado pela sua mensagem. Estou fora até segunda-feira, sem acesso ao e-mail. Em caso de urgência, ligue para a receção.",
    ],
    table: ["Artigo", "Quantidade", "Preço"],
    titles: [
        "Chamada de acompanhamento",
        "Revisão trimestral",
        "Nota da conta",
        "Enviar a proposta corrigida",
    ],
    next_steps: &["Enviar a proposta corrigida", "Verificar o registo de importação", "Reservar a sala"],
};
