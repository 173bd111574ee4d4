-- The payload of a live job, as it is. $1 its id.
SELECT j.payload FROM pgq.jobs AS j WHERE j.id = $1
