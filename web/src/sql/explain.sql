-- Why a job is not running. $1 id.
SELECT pgq.explain($1)
