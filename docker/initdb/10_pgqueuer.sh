#!/bin/bash
# Run once, when the cluster is made: the queue, and a role for each service, with the rights that it needs and no more.
set -euo pipefail
psql -X -q -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" -v password="$PGQUEUER_PASSWORD" <<'SQL'
CREATE EXTENSION pgqueuer;
CREATE ROLE shop LOGIN PASSWORD :'password';
CREATE ROLE worker LOGIN PASSWORD :'password';
CREATE ROLE monitor LOGIN PASSWORD :'password';
CREATE ROLE ops LOGIN PASSWORD :'password';
SELECT pgq.grant_producer('shop'), pgq.grant_worker('worker'), pgq.grant_monitor('monitor'), pgq.grant_admin('ops') \g /dev/null
SQL
