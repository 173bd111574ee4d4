-- The clock.
SELECT now()
