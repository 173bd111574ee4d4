(SELECT NULL::bigint AS id, NULL::bigint AS job_id, NULL::timestamptz AS created, NULL::text AS status WHERE false)
