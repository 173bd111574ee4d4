SELECT pgq.revoke_all($1)
