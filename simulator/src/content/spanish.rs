//! Spanish content.

use super::lexicon::{Attribute, FactWording, Lexicon};

pub(super) const LEXICON: Lexicon = Lexicon {
    code: "es",
    first_names: &["Íñigo", "Begoña", "Joaquín", "Lucía", "Martín", "Ximena", "Álvaro", "Rocío"],
    last_names: &["Ibáñez", "Muñoz", "Cárdenas", "Peña", "Villalobos", "Echeverría", "Soler"],
    cities: &["Sevilla", "Bogotá", "Valencia", "Rosario"],
    jobs: &["Jefa de compras", "Director de sistemas", "Gerente", "Responsable de logística"],
    greetings: &["Hola, {}:", "Buenos días, {}:", "Estimado equipo, {}:"],
    closings: &["Un saludo,", "Saludos cordiales,", "Muchas gracias,"],
    subjects: &[
        "Duda sobre la última factura",
        "Oferta para la segunda sede",
        "Formación del almacén",
        "Borrador del contrato, cláusula 4",
    ],
    sentences: &[
        "Esta mañana repasamos las cifras con el equipo y casi todo está bien.",
        "¿Podrían enviarnos la oferta corregida antes del jueves?",
        "La exportación tarda casi cuarenta minutos y bloquea el turno de noche.",
        "La formación fue bien y no hace falta una segunda sesión.",
        "El viernes la oficina estará cerrada por la mudanza.",
        "El área legal tiene un comentario sobre la responsabilidad.",
    ],
    facts: &[
        FactWording {
            attribute: Attribute::AccountManager,
            first: "Nuestro gestor de cuenta es {}.",
            changed: "Nuestro gestor de cuenta es ahora {}.",
        },
        FactWording {
            attribute: Attribute::RenewalMonth,
            first: "La renovación del contrato es en {}.",
            changed: "La renovación se ha aplazado a {}.",
        },
        FactWording {
            attribute: Attribute::Billing,
            first: "Preferimos facturas {}.",
            changed: "A partir de ahora queremos facturas {}.",
        },
        FactWording {
            attribute: Attribute::Budget,
            first: "El presupuesto de este año es de {}.",
            changed: "El presupuesto ha cambiado a {}.",
        },
        FactWording {
            attribute: Attribute::DecisionMaker,
            first: "La decisión la toma {}.",
            changed: "Ahora la decisión es de {}.",
        },
        FactWording {
            attribute: Attribute::Seats,
            first: "Necesitamos {} licencias.",
            changed: "Cambien el pedido a {} licencias, por favor.",
        },
    ],
    months: &[
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
    billing: &["mensuales", "trimestrales", "anuales"],
    reference: "Nuestra referencia: ref {}.",
    gmail_wrote: "El {date}, {name} (<{mail}>) escribió:",
    apple_wrote: "El {date}, {name} escribió:",
    outlook: ["De", "Enviado", "Para", "Asunto"],
    disclaimer: "Este mensaje es confidencial y va dirigido solo a su destinatario. Si lo ha recibido por error, bórrelo y avísenos.",
    sent_from: "Enviado desde mi móvil",
    newsletter: [
        "Novedades del mes",
        "La versión de otoño importa más rápido y estrena portada.",
        "Participe el miércoles en la hora abierta.",
        "Darse de baja",
    ],
    auto_reply: [
        "Respuesta automática: fuera de la oficina",
        "Gracias por su mensaje. Estaré fuera hasta el lunes y sin acceso al correo. Si es urgente, llame a recepción.",
    ],
    table: ["Artículo", "Cantidad", "Precio"],
    titles: [
        "Llamada de seguimiento",
        "Revisión trimestral",
        "Nota de la cuenta",
        "Enviar la oferta corregida",
    ],
    next_steps: &["Enviar la oferta corregida", "Revisar el registro de importación", "Reservar la sala"],
};
