-- The computer's seats at matches belong to these: one for each level, the weakest first. Their ids
-- are smaller than any that luck would give a person.
insert into users (id, display_name, language, role, created_at, updated_at) values
    (1, 'Computer', 'en', 'player', 0, 0),
    (2, 'Computer', 'en', 'player', 0, 0),
    (3, 'Computer', 'en', 'player', 0, 0);
