SELECT pgq.grant_admin($1)
