//! The words of the business: ids, CRM records, engagements, insights, rules, time.
//!
//! Nothing here does I/O, awaits or knows SQL; every other layer may use it and it uses none of them.

pub mod action;
pub mod clock;
pub mod counted;
pub mod crm;
pub mod engagement;
pub mod event;
pub mod ids;
pub mod insight;
pub mod mode;
pub mod notification;
pub mod property;
pub mod rule;
pub mod segment;
pub mod zone;
