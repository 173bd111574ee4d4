-- Pauses an entrypoint. Returns it if it was not paused.
-- Called by: control/entrypoint.rs. Parameters: entrypoint.
INSERT INTO pgq.entrypoints AS e (entrypoint, paused) VALUES ($1::text, true)
    ON CONFLICT (entrypoint) DO UPDATE SET paused = true WHERE NOT e.paused
RETURNING entrypoint
