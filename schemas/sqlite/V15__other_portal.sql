-- What an operator decided beforehand for the case that another portal consents than the one whose data is here:
-- keep_apart | purge; null: ask.
alter table oauth_states add column other_portal text;
