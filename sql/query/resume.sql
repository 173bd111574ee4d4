-- Ends the pause of an entrypoint. Returns it if it was paused.
-- Called by: control/entrypoint.rs. Parameters: entrypoint.
UPDATE pgq.entrypoints SET paused = false WHERE entrypoint = $1::text AND paused RETURNING entrypoint
